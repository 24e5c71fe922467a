-- What audit events are found by. Nothing here is the truth: the journal is.
CREATE TABLE event (
    sequence INTEGER PRIMARY KEY,
    id BLOB,
    time INTEGER NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT,
    registry TEXT,
    token TEXT,
    issuer TEXT,
    subject TEXT,
    access_token BLOB
) STRICT;
CREATE INDEX event_id ON event (id);
CREATE INDEX event_time ON event (time);
CREATE INDEX event_reason ON event (reason, sequence) WHERE reason IS NOT NULL;
CREATE INDEX event_token ON event (token, sequence) WHERE token IS NOT NULL;
CREATE INDEX event_subject ON event (subject, sequence) WHERE subject IS NOT NULL;
CREATE INDEX event_access_token ON event (access_token) WHERE access_token IS NOT NULL;
CREATE TABLE repository (
    name TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (name, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX repository_sequence ON repository (sequence);
-- How far the journal is indexed; the hash tells another journal from this one.
CREATE TABLE progress (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
