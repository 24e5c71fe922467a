-- Identity tokens that are accepted once and were, by the hash of issuer and id, until they have ended everywhere.
CREATE TABLE used_token (
    hash BYTEA PRIMARY KEY,
    expire_time BIGINT NOT NULL
);
CREATE INDEX used_token_expire_time ON used_token (expire_time);

-- True for the first use. What ended is swept on the way, a little at a time.
CREATE FUNCTION use_up_token(of_hash BYTEA, until BIGINT, ended BIGINT) RETURNS BOOLEAN LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM used_token WHERE hash IN (
        SELECT hash FROM used_token WHERE expire_time < ended LIMIT 100 FOR UPDATE SKIP LOCKED
    );
    INSERT INTO used_token (hash, expire_time) VALUES (of_hash, until) ON CONFLICT (hash) DO NOTHING;
    RETURN FOUND;
END $$;
