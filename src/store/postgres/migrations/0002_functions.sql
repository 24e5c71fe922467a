-- What writes is a function each, called alone: one round trip, and a client that freezes holds no lock, because it is the server that works.
--
-- Two locks order appends and changes. An append holds lock (1684763747, 1) together with all other appends, up to its commit; a change of policy
-- holds it alone. So an append either commits before the change does, or reads the revision that the change made: each statement of a function
-- has a snapshot of its own. The order of locks is the same everywhere: the rows of policy, this lock, the row of the chain.
--
-- The errors: DP001 the chain is not the caller's any more; DP002 the policy has another revision.

CREATE FUNCTION append_events(
    of_chain INTEGER,
    by_owner BYTEA,
    -- Where the chain stands.
    after BIGINT,
    times BIGINT[],
    -- Of each event its id, salt and hash: 16, 16 and 32 bytes.
    seals BYTEA[],
    claims_places BIGINT[],
    claims_hashes BYTEA[],
    opens TEXT[],
    personals TEXT[],
    -- Claims that are not stored yet.
    new_places BIGINT[],
    new_bodies TEXT[]
) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
    count CONSTANT INTEGER := cardinality(seals);
    revision BIGINT;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1684763747, 1);
    UPDATE audit_chain SET sequence = after + count, hash = coalesce(substring(seals[count] FROM 33), hash)
        WHERE chain = of_chain AND owner = by_owner AND sequence = after;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'chain % was taken over', of_chain USING ERRCODE = 'DP001';
    END IF;
    IF cardinality(new_places) > 0 THEN
        INSERT INTO audit_claims (chain, place, body)
            SELECT of_chain, * FROM unnest(new_places, new_bodies);
    END IF;
    INSERT INTO audit_event (chain, sequence, time, claims, id, salt, hash, claims_hash, open, personal)
        SELECT of_chain, after + event.number, event.time, event.claims, substring(event.seal FOR 16), substring(event.seal FROM 17 FOR 16),
               substring(event.seal FROM 33), event.claims_hash, event.open, event.personal
        FROM unnest(times, seals, claims_places, claims_hashes, opens, personals)
            WITH ORDINALITY AS event (time, seal, claims, claims_hash, open, personal, number);
    SELECT policy_revision INTO STRICT revision FROM state;
    RETURN revision;
END $$;

-- Takes the lock of whoever changes the policy, and tells everybody at the commit.
CREATE FUNCTION begin_revision(new_revision BIGINT) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1684763747, 1);
    UPDATE state SET policy_revision = new_revision;
    PERFORM pg_notify('dockpass_policy', new_revision::text);
END $$;

CREATE FUNCTION change_definitions(
    new_revision BIGINT,
    at BIGINT,
    by_actor TEXT,
    -- Each definition's kind, registry, name and body; without a body it is gone.
    kinds TEXT[],
    registries TEXT[],
    names TEXT[],
    bodies TEXT[],
    -- The scope map of a token.
    ties TEXT[],
    of_chain INTEGER,
    by_owner BYTEA,
    after BIGINT,
    times BIGINT[],
    seals BYTEA[],
    claims_places BIGINT[],
    claims_hashes BYTEA[],
    opens TEXT[],
    personals TEXT[],
    new_places BIGINT[],
    new_bodies TEXT[]
) RETURNS BIGINT LANGUAGE plpgsql AS $$
BEGIN
    -- one change after the other
    PERFORM 1 FROM state WHERE policy_revision = new_revision - 1 FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the policy was changed' USING ERRCODE = 'DP002';
    END IF;
    INSERT INTO policy_revision (revision, time, actor, kind) VALUES (new_revision, at, by_actor, 'definitions');
    INSERT INTO policy_change (revision, kind, registry, name, before, after)
        SELECT new_revision, changed.kind, changed.registry, changed.name, present.body, changed.body
        FROM unnest(kinds, registries, names, bodies) AS changed (kind, registry, name, body)
        CROSS JOIN LATERAL (SELECT CASE changed.kind
            WHEN 'token' THEN (SELECT body FROM token WHERE registry = changed.registry AND name = changed.name)
            ELSE (SELECT body FROM scope_map WHERE registry = changed.registry AND name = changed.name)
        END AS body) AS present
        WHERE present.body IS DISTINCT FROM changed.body;
    INSERT INTO scope_map AS present (registry, name, body)
        SELECT registry, name, body FROM unnest(kinds, registries, names, bodies) AS changed (kind, registry, name, body)
        WHERE kind = 'scope_map' AND body IS NOT NULL
        ON CONFLICT (registry, name) DO UPDATE SET body = excluded.body WHERE present.body <> excluded.body;
    INSERT INTO token AS present (registry, name, body, scope_map)
        SELECT registry, name, body, tie
        FROM unnest(kinds, registries, names, bodies, ties) AS changed (kind, registry, name, body, tie)
        WHERE kind = 'token' AND body IS NOT NULL
        ON CONFLICT (registry, name) DO UPDATE SET body = excluded.body, scope_map = excluded.scope_map
        WHERE present.body <> excluded.body;
    DELETE FROM scope_map AS present
        USING unnest(kinds, registries, names, bodies) AS changed (kind, registry, name, body)
        WHERE kind = 'scope_map' AND changed.body IS NULL AND present.registry = changed.registry AND present.name = changed.name;
    DELETE FROM token AS present
        USING unnest(kinds, registries, names, bodies) AS changed (kind, registry, name, body)
        WHERE kind = 'token' AND changed.body IS NULL AND present.registry = changed.registry AND present.name = changed.name;
    PERFORM begin_revision(new_revision);
    RETURN append_events(of_chain, by_owner, after, times, seals, claims_places, claims_hashes, opens, personals, new_places, new_bodies);
END $$;

CREATE FUNCTION revoke_access_token(
    of_id BYTEA,
    until BIGINT,
    of_chain INTEGER,
    by_owner BYTEA,
    after BIGINT,
    times BIGINT[],
    seals BYTEA[],
    claims_places BIGINT[],
    claims_hashes BYTEA[],
    opens TEXT[],
    personals TEXT[],
    new_places BIGINT[],
    new_bodies TEXT[]
) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
    new_revision BIGINT;
BEGIN
    SELECT policy_revision + 1 INTO STRICT new_revision FROM state FOR UPDATE;
    -- what ended is swept on the way, a little at a time, when it is over by the caller's clock and by this server's, and by any that is
    -- 10 minutes behind
    DELETE FROM revocation WHERE id IN (
        SELECT id FROM revocation
        WHERE expire_time < least(times[1], (extract(epoch FROM now()) * 1000000000)::bigint) - 600000000000
        LIMIT 100
    );
    INSERT INTO revocation (id, expire_time) VALUES (of_id, until)
        ON CONFLICT (id) DO UPDATE SET expire_time = excluded.expire_time;
    INSERT INTO policy_revision (revision, kind) VALUES (new_revision, 'revocation');
    PERFORM begin_revision(new_revision);
    RETURN append_events(of_chain, by_owner, after, times, seals, claims_places, claims_hashes, opens, personals, new_places, new_bodies);
END $$;

-- Gives the caller's connection a chain that nobody holds: the one that it had, if it may, or another, or a new one.
CREATE FUNCTION claim_chain(
    -- The chain that the caller had, and its owner of then.
    preferred INTEGER,
    old_owner BYTEA,
    new_owner BYTEA
) RETURNS TABLE (chain INTEGER, sequence BIGINT, hash BYTEA) LANGUAGE plpgsql AS $$
DECLARE
    free INTEGER;
    claimed INTEGER;
BEGIN
    PERFORM pg_advisory_xact_lock(1684763747, 2);
    -- nobody claimed it since: who still holds it is a connection of the caller's that died without the server's knowledge
    PERFORM pg_terminate_backend(held.pid, 2000) FROM pg_locks AS held
        WHERE held.locktype = 'advisory' AND held.classid = 1684763748 AND held.objid = preferred AND held.objsubid = 2 AND held.granted
            AND held.pid <> pg_backend_pid() AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND EXISTS (SELECT FROM audit_chain AS own WHERE own.chain = preferred AND own.owner = old_owner);
    FOR free IN SELECT one.chain FROM audit_chain AS one ORDER BY one.chain IS DISTINCT FROM preferred, one.chain LOOP
        IF pg_try_advisory_lock(1684763748, free) THEN
            claimed := free;
            EXIT;
        END IF;
    END LOOP;
    IF claimed IS NULL THEN
        SELECT coalesce(max(one.chain) + 1, 0) INTO STRICT claimed FROM audit_chain AS one;
        PERFORM pg_advisory_lock(1684763748, claimed);
        INSERT INTO audit_chain (chain, owner, sequence, hash) VALUES (claimed, new_owner, 0, CASE claimed
            WHEN 0 THEN decode(repeat('00', 32), 'hex')
            ELSE sha256(convert_to('dockpass.audit.chain.v1', 'UTF8') || '\x00'::bytea || int4send(claimed))
        END);
    END IF;
    RETURN QUERY UPDATE audit_chain AS own SET owner = new_owner WHERE own.chain = claimed RETURNING own.chain, own.sequence, own.hash;
END $$;

-- Writes 64 KiB and takes them back.
CREATE FUNCTION probe_journal(of_chain INTEGER) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO probe (chain, filler) VALUES (of_chain, decode(repeat('00', 65536), 'hex'))
        ON CONFLICT (chain) DO UPDATE SET filler = excluded.filler;
    DELETE FROM probe WHERE chain = of_chain;
END $$;

-- Makes the partitions of the present and the next month, by the clock of this server.
CREATE FUNCTION make_partitions() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    month TIMESTAMP;
    partition TEXT;
BEGIN
    PERFORM pg_advisory_xact_lock(1684763747, 3);
    FOR ahead IN 0..1 LOOP
        month := date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead);
        partition := to_char(month, '"audit_event_y"YYYY"m"MM');
        CONTINUE WHEN EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'audit_event'::regclass AND inhrelid = to_regclass(partition));
        BEGIN
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF audit_event FOR VALUES FROM (%L) TO (%L)',
                partition, month::text || '+00', (month + interval '1 month')::text || '+00'
            );
        EXCEPTION WHEN check_violation THEN
            -- events of this month are with those of no month already, where they stay
            NULL;
        END;
    END LOOP;
END $$;

-- Says that a chain starts after an event: what is before is not read any more, and swept away later.
CREATE FUNCTION prune_events(of_chain INTEGER, last BIGINT, last_hash BYTEA, record TEXT) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_pruned AS present (chain, sequence, hash, body) VALUES (of_chain, last, last_hash, record)
        ON CONFLICT (chain) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash, body = excluded.body
        WHERE present.sequence < excluded.sequence;
    DELETE FROM audit_checkpoint WHERE chain = of_chain AND sequence <= last;
END $$;

-- Deletes some of what prunes left: one partition of a past month whole, where every event was pruned, or, when there is none, events and claims,
-- of each chain at most `most`. Returns how many rows of both were deleted, a partition as one event; with none of either, all is done.
CREATE FUNCTION sweep_pruned(most INTEGER) RETURNS TABLE (events BIGINT, claims BIGINT) LANGUAGE plpgsql AS $$
DECLARE
    needed CONSTANT TEXT :=
        'SELECT EXISTS (SELECT FROM audit_chain LEFT JOIN audit_pruned USING (chain) CROSS JOIN LATERAL
            (SELECT max(sequence) AS last FROM %s AS event WHERE event.chain = audit_chain.chain) AS found
            WHERE found.last > coalesce(audit_pruned.sequence, 0))';
    partition regclass;
    alive BOOLEAN;
    one RECORD;
    swept BIGINT;
BEGIN
    events := 0;
    claims := 0;
    PERFORM pg_advisory_xact_lock(1684763747, 3);
    -- a month is past when no transaction that began in it can still be at work
    FOR partition IN SELECT inhrelid FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'audit_event'::regclass AND relname >= 'audit_event_y'
            AND relname < to_char((now() - interval '1 day') AT TIME ZONE 'UTC', '"audit_event_y"YYYY"m"MM')
        ORDER BY relname
    LOOP
        EXECUTE format(needed, partition) INTO STRICT alive;
        CONTINUE WHEN alive;
        -- once more when nobody can add to it; the whole table first, as whoever reads or appends locks it
        LOCK TABLE ONLY audit_event IN ACCESS EXCLUSIVE MODE;
        EXECUTE format(needed, partition) INTO STRICT alive;
        CONTINUE WHEN alive;
        EXECUTE format('DROP TABLE %s', partition);
        -- appends wait meanwhile: one at a time
        events := 1;
        RETURN NEXT;
        RETURN;
    END LOOP;
    FOR one IN SELECT chain, sequence FROM audit_pruned LOOP
        DELETE FROM audit_event WHERE chain = one.chain AND sequence <= (
            SELECT max(piece.sequence) FROM (
                SELECT event.sequence FROM audit_event AS event WHERE event.chain = one.chain AND event.sequence <= one.sequence
                ORDER BY event.sequence LIMIT most
            ) AS piece
        );
        GET DIAGNOSTICS swept = ROW_COUNT;
        events := events + swept;
        DELETE FROM audit_claims WHERE chain = one.chain AND place <= (
            SELECT max(piece.place) FROM (
                SELECT stored.place FROM audit_claims AS stored
                WHERE stored.chain = one.chain AND stored.place <= one.sequence / 65536 * 65536
                ORDER BY stored.place LIMIT most
            ) AS piece
        );
        GET DIAGNOSTICS swept = ROW_COUNT;
        claims := claims + swept;
    END LOOP;
    RETURN NEXT;
END $$;

-- Begins an index anew.
CREATE FUNCTION reset_index(of_chain INTEGER, new_seed BIGINT, new_known_term BIGINT) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE index_progress SET place = 0, witness = 0, hash = decode(repeat('00', 32), 'hex'), seed = new_seed, known_term = new_known_term
        WHERE chain = of_chain;
    DELETE FROM index_segment WHERE chain = of_chain;
    DELETE FROM index_chunk WHERE chain = of_chain;
END $$;

-- Adds to an index what follows a place, and puts segments together; nothing happens when somebody else was faster.
CREATE FUNCTION write_index(
    of_chain INTEGER,
    before_place BIGINT,
    before_hash BYTEA,
    new_place BIGINT,
    new_witness BIGINT,
    new_hash BYTEA,
    -- Ranges of segments to remove, by their places and by the keys of their chunks.
    removed_from BIGINT[],
    removed_to BIGINT[],
    removed_first BIGINT[],
    removed_last BIGINT[],
    bases BIGINT[],
    sizes INTEGER[],
    first_ids BYTEA[],
    last_ids BYTEA[],
    earliest BIGINT[],
    latest BIGINT[],
    spans BYTEA[],
    places BIGINT[],
    terms BYTEA[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE index_progress SET place = new_place, witness = new_witness, hash = new_hash
        WHERE chain = of_chain AND place = before_place AND hash = before_hash;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    DELETE FROM index_segment USING unnest(removed_from, removed_to) AS removed (start, stop)
        WHERE chain = of_chain AND base >= removed.start AND base < removed.stop;
    DELETE FROM index_chunk AS chunk USING unnest(removed_first, removed_last) AS removed (start, stop)
        WHERE chunk.chain = of_chain AND chunk.place >= removed.start AND chunk.place < removed.stop;
    INSERT INTO index_segment SELECT of_chain, * FROM unnest(bases, sizes, first_ids, last_ids, earliest, latest, spans);
    INSERT INTO index_chunk SELECT of_chain, * FROM unnest(places, terms);
END $$;

-- Forgets the segments that end before a place, with their chunks.
CREATE FUNCTION prune_index(of_chain INTEGER, before BIGINT) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    rest BIGINT;
BEGIN
    DELETE FROM index_segment WHERE chain = of_chain AND base + size <= before;
    SELECT coalesce((SELECT min(base) FROM index_segment WHERE chain = of_chain), place) INTO rest
        FROM index_progress WHERE chain = of_chain;
    DELETE FROM index_chunk AS chunk WHERE chunk.chain = of_chain AND chunk.place < (rest / 256) << 32;
END $$;
