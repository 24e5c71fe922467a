-- Names are compared byte by byte, as this program compares them: hence the collation "C".

-- One row: what every append reads in its own transaction.
CREATE TABLE state (
    id SMALLINT PRIMARY KEY CHECK (id = 1),
    policy_revision BIGINT NOT NULL
) WITH (fillfactor = 50);
INSERT INTO state (id, policy_revision) VALUES (1, 0);

-- Definitions of policy: the JSON of the model's types.
CREATE TABLE scope_map (
    registry TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (registry, name)
);
CREATE TABLE token (
    registry TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    -- The scope map that it is tied to, which the body says too.
    scope_map TEXT COLLATE "C" NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (registry, name)
);
CREATE INDEX token_scope_map ON token (registry, scope_map, name);

-- Their history. `kind` is `definitions` or `revocation` (when and by whom is in its event); times are nanoseconds since 1970, UTC.
CREATE TABLE policy_revision (
    revision BIGINT PRIMARY KEY,
    time BIGINT,
    actor TEXT,
    kind TEXT NOT NULL
);
-- `kind` is `scope_map` or `token`; no `before`: it was made; no `after`: it was deleted.
CREATE TABLE policy_change (
    revision BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    registry TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    before TEXT,
    after TEXT,
    PRIMARY KEY (revision, kind, registry, name)
);

-- Access tokens that were taken back, until they end by themselves.
CREATE TABLE revocation (
    id BYTEA PRIMARY KEY,
    expire_time BIGINT NOT NULL
);
CREATE INDEX revocation_expire_time ON revocation (expire_time);

-- The hash chains of the journal, and where each stands. A chain belongs to the replica whose connection holds the chain's advisory lock, and
-- which alone knows the present `owner`: one that lost its chain cannot append any more, whatever it believes.
CREATE TABLE audit_chain (
    chain INTEGER PRIMARY KEY,
    owner BYTEA NOT NULL,
    sequence BIGINT NOT NULL,
    hash BYTEA NOT NULL
) WITH (fillfactor = 10);

-- The journal that replies wait for. No secondary index. Partitioned by when it was stored, by the clock of this server: a month each, and
-- one for what no month was made for, so that nothing is ever refused.
CREATE TABLE audit_event (
    chain INTEGER NOT NULL,
    sequence BIGINT NOT NULL,
    stored TIMESTAMPTZ NOT NULL DEFAULT now(),
    time BIGINT NOT NULL,
    -- Where its claims are kept, in the same chain.
    claims BIGINT,
    id BYTEA NOT NULL,
    salt BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    claims_hash BYTEA,
    -- What everybody may see, and who called: a JSON object each, whose exact bytes are sealed.
    open TEXT NOT NULL,
    personal TEXT NOT NULL,
    PRIMARY KEY (chain, sequence, stored)
) PARTITION BY RANGE (stored);
CREATE TABLE audit_event_other PARTITION OF audit_event DEFAULT;

-- Verified claims, once per content, chain and 65,536 events, by the first of the events that have them: no later event than the last of those
-- refers to them, so they go when that one does.
CREATE TABLE audit_claims (
    chain INTEGER NOT NULL,
    place BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (chain, place)
);
-- Signed checkpoints, as JSON, by the last event of the signer's chain that they cover.
CREATE TABLE audit_checkpoint (
    chain INTEGER NOT NULL,
    sequence BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (chain, sequence)
);
-- Where a chain starts after a prune: the last event that was deleted, and the signed record of it. What is still there of earlier events is
-- not read any more, and swept away at the end of the prune.
CREATE TABLE audit_pruned (
    chain INTEGER PRIMARY KEY,
    sequence BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    body TEXT NOT NULL
);
-- Written and emptied to find out whether the journal can be written again; not compressed, so that it takes the room that it says.
CREATE TABLE probe (
    chain INTEGER PRIMARY KEY,
    filler BYTEA NOT NULL
);
ALTER TABLE probe ALTER COLUMN filler SET STORAGE EXTERNAL;

-- What audit events are found by: see `index.sql` of the embedded store, here for each chain. Nothing here is the truth: the journal is.
CREATE TABLE index_segment (
    chain INTEGER NOT NULL,
    base BIGINT NOT NULL,
    size INTEGER NOT NULL,
    first_id BYTEA NOT NULL,
    last_id BYTEA NOT NULL,
    earliest BIGINT NOT NULL,
    latest BIGINT NOT NULL,
    spans BYTEA NOT NULL,
    PRIMARY KEY (chain, base)
);
CREATE TABLE index_chunk (
    chain INTEGER NOT NULL,
    place BIGINT NOT NULL,
    terms BYTEA NOT NULL,
    PRIMARY KEY (chain, place)
);
CREATE TABLE index_progress (
    chain INTEGER PRIMARY KEY,
    place BIGINT NOT NULL,
    witness BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    seed BIGINT NOT NULL,
    known_term BIGINT NOT NULL
);
