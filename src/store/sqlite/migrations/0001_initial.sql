-- One row: what every append reads in its own transaction, so it must cost one page.
CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    policy_revision INTEGER NOT NULL,
    -- How often claims were deleted: an appender that remembers stored claims forgets them when this moves.
    claims_epoch INTEGER NOT NULL
) STRICT;
INSERT INTO state (id, policy_revision, claims_epoch) VALUES (1, 0, 0);

-- Definitions of policy: the JSON of the model's types.
CREATE TABLE scope_map (
    registry TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (registry, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE token (
    registry TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (registry, name)
) STRICT, WITHOUT ROWID;

-- Their history. `kind` is `definitions` or `revocation` (when and by whom is in its event); times are nanoseconds since 1970, UTC.
CREATE TABLE policy_revision (
    revision INTEGER PRIMARY KEY,
    time INTEGER,
    actor TEXT,
    kind TEXT NOT NULL
) STRICT;
-- `kind` is `scope_map` or `token`; no `before`: it was made; no `after`: it was deleted.
CREATE TABLE policy_change (
    revision INTEGER NOT NULL,
    kind TEXT NOT NULL,
    registry TEXT NOT NULL,
    name TEXT NOT NULL,
    before TEXT,
    after TEXT,
    PRIMARY KEY (revision, kind, registry, name)
) STRICT, WITHOUT ROWID;

-- Access tokens that were taken back, until they end by themselves.
CREATE TABLE revocation (
    id BLOB PRIMARY KEY,
    expire_time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The journal that replies wait for. No secondary indexes: they would be nine tenths of its cost.
CREATE TABLE audit_journal (
    sequence INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    time INTEGER NOT NULL,
    salt BLOB NOT NULL,
    -- What everybody may see, and who called: a JSON object each, whose exact bytes are sealed.
    open TEXT NOT NULL,
    personal TEXT NOT NULL,
    claims_hash BLOB,
    -- Where they are kept.
    claims INTEGER,
    hash BLOB NOT NULL
) STRICT;
-- Verified claims, once per content as far as the writer remembers: an index by their hash would write a page of its own for each new
-- content.
CREATE TABLE audit_claims (
    place INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    body TEXT NOT NULL
) STRICT;
-- Signed checkpoints of the chain, as JSON, by the last event that they cover.
CREATE TABLE audit_checkpoint (
    sequence INTEGER PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;
-- Where the chain starts after a prune: the last event that was deleted, and the signed record of it. At most one row.
CREATE TABLE audit_pruned (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL,
    body TEXT NOT NULL
) STRICT;
-- Written and emptied to find out whether the journal can be written again.
CREATE TABLE probe (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    filler BLOB NOT NULL
) STRICT;
