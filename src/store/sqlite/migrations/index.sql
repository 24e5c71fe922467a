-- What audit events are found by. Nothing here is the truth: the journal is.
--
-- A segment covers `size` places of the journal after `base`, both multiples of 256; no two overlap. Times are nanoseconds since 1970.
CREATE TABLE segment (
    base INTEGER PRIMARY KEY,
    size INTEGER NOT NULL,
    -- The smallest and the greatest id.
    first_id BLOB NOT NULL,
    last_id BLOB NOT NULL,
    earliest INTEGER NOT NULL,
    latest INTEGER NOT NULL,
    -- For each 256 places the earliest and the latest time, 8 bytes each, big-endian.
    spans BLOB NOT NULL
) STRICT;
-- The terms of a segment in ascending order with the places that have them, some terms a row, so that a row fills a page.
CREATE TABLE chunk (
    -- The number of the segment's first 256 places << 32, plus the first term of the row.
    place INTEGER PRIMARY KEY,
    terms BLOB NOT NULL
) STRICT;
-- How far the journal is indexed. One event of it with its hash tells another journal from this one.
CREATE TABLE progress (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    place INTEGER NOT NULL,
    witness INTEGER NOT NULL,
    hash BLOB NOT NULL,
    -- What terms are hashed with, and a term that is known: a program that hashes otherwise makes the index anew.
    seed INTEGER NOT NULL,
    known_term INTEGER
) STRICT;
INSERT INTO progress (id, place, witness, hash, seed) VALUES (1, 0, 0, zeroblob(32), random());
