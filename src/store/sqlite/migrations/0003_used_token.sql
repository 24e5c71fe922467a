-- Identity tokens that are accepted once and were, by the hash of issuer and id, until they have ended everywhere.
CREATE TABLE used_token (
    hash BLOB PRIMARY KEY,
    expire_time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX used_token_expire_time ON used_token (expire_time);
