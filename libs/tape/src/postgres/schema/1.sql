-- Format 1 of a tape in PostgreSQL 15 or later. A change is a new file beside this one, never an edit
-- of this one.
CREATE TABLE tapedeck.format (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    version bigint  NOT NULL
);

-- The tape: written once, never changed. Times are microseconds since 1970 UTC.
-- Nothing is checked here that the one function which writes cannot get wrong: readers check all of it.
-- Texts are the bytes that were said, but for U+0000, which PostgreSQL cannot hold: see text.rs.
CREATE TABLE tapedeck.event (
    position    bigint  PRIMARY KEY,
    id          uuid    NOT NULL UNIQUE,
    kind        text    COLLATE "C" NOT NULL,
    schema      integer NOT NULL,
    subject     text    COLLATE "C" NOT NULL,
    source      text    COLLATE "C" NOT NULL,
    cause       uuid,
    trade       text    COLLATE "C",
    at          bigint  NOT NULL,
    recorded_at bigint  NOT NULL,
    body        text    COLLATE "C" NOT NULL,
    meta        text    COLLATE "C",
    hash        bytea   NOT NULL
);

-- Rows of a trade, and the last row of a kind, in the order of the tape.
CREATE INDEX event_trade ON tapedeck.event (trade, position) WHERE trade IS NOT NULL;
CREATE INDEX event_kind ON tapedeck.event (kind, position);
-- What became of an order is asked for by its subject.
CREATE INDEX event_order ON tapedeck.event (subject, position) WHERE kind > 'order.' AND kind < 'order/';

CREATE FUNCTION tapedeck.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'append-only: an event is never changed nor deleted (% on %)', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'TD000';
END $$;

-- Also for whoever replays a replication stream, hence ALWAYS.
CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON tapedeck.event
    FOR EACH STATEMENT EXECUTE FUNCTION tapedeck.refuse();
CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON tapedeck.event
    FOR EACH STATEMENT EXECUTE FUNCTION tapedeck.refuse();
ALTER TABLE tapedeck.event ENABLE ALWAYS TRIGGER event_append_only;
ALTER TABLE tapedeck.event ENABLE ALWAYS TRIGGER event_no_truncate;

-- Where the tape ends. Its one row, locked, is the sequencer.
CREATE TABLE tapedeck.head (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    position    bigint  NOT NULL CHECK (position >= 0),
    hash        bytea   NOT NULL CHECK (octet_length(hash) = 32),
    recorded_at bigint  NOT NULL
) WITH (fillfactor = 50);

INSERT INTO tapedeck.head (position, hash, recorded_at) VALUES (0, decode(repeat('00', 32), 'hex'), 0);

-- How far each unit has heard, and who may speak for it.
CREATE TABLE tapedeck.cursor (
    unit        text   COLLATE "C" PRIMARY KEY,
    position    bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
    fence       bigint NOT NULL DEFAULT 0 CHECK (fence >= 0),
    owner       text   COLLATE "C",
    lease_until bigint,
    reach       bigint NOT NULL DEFAULT 0 CHECK (reach >= 0)
) WITH (fillfactor = 50);

CREATE TABLE tapedeck.snapshot (
    unit     text   COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    tag      text   COLLATE "C" NOT NULL,
    state    bytea  NOT NULL,
    PRIMARY KEY (unit, position)
);

-- What venues sent, raw, by its SHA-256.
CREATE TABLE tapedeck.frame (
    hash        bytea  PRIMARY KEY CHECK (octet_length(hash) = 32),
    received_at bigint NOT NULL,
    bytes       bytea  NOT NULL
);

-- The database's clock.
CREATE FUNCTION tapedeck.now() RETURNS bigint LANGUAGE sql VOLATILE AS
$$ SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint $$;

-- One link of the hash chain: see chain.rs.
CREATE FUNCTION tapedeck.link(previous bytea, place bigint, recorded_at bigint, content bytea)
    RETURNS bytea LANGUAGE sql IMMUTABLE AS
$$ SELECT sha256('tapedeck.tape.row.1'::bytea || previous || int8send(place) || int8send(recorded_at) || content) $$;

-- Records a group of commits, each with a verdict of its own, as if they had come one after the other.
-- No two of them share an id or a unit: the caller sees to that.
--
-- Given per entry: its fields; `times` is NULL where the database's clock is meant; `twins` is the
-- first entry of the same commit with the same id, if there is an earlier one, and `differs` whether it
-- says something else (both arrays are NULL where no id is repeated).
-- Given per commit: `ends`, the number of entries up to its end; `moved`, that of cursor moves;
-- `reports`, whether a conflict is left out and reported instead of failing the commit.
-- Told per commit: the tape's last row after it (`heads`, `hashes`, `times_of_heads`); `faults`: 0 done,
-- 1 fenced, 2 conflict, 3 backwards, 4 beyond; which move or entry is at fault; and the stored fence,
-- the other content's position, the stored cursor, the head.
-- Told per entry: where it stands, and 0 appended, 1 duplicate, 2 conflict.
--
-- The lock on the head row is a statement of its own: under READ COMMITTED each one after it sees
-- what was committed before the lock was got. Commits without entries do not take it: the head only
-- grows, so a cursor that is not beyond the head as it was is not beyond it as it is.
CREATE FUNCTION tapedeck.append_with_care(
    ids uuid[], kinds text[], schemas integer[], subjects text[], sources text[], causes uuid[],
    trades text[], ats bigint[], times bigint[], bodies text[], metas text[], contents bytea[],
    twins integer[], differs boolean[],
    ends integer[], moved integer[], reports boolean[],
    units text[], fences bigint[], tos bigint[], reaches bigint[],
    OUT heads bigint[], OUT hashes bytea[], OUT times_of_heads bigint[],
    OUT faults integer[], OUT culprits integer[], OUT facts bigint[],
    OUT places bigint[], OUT outcomes integer[]
) LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    last tapedeck.head;
    before tapedeck.head;
    clock bigint;
    known bigint[];
    same boolean[];
    kept integer := 0;
    kept_before integer;
    picks integer[];
    new_times bigint[];
    new_hashes bytea[];
    stored bigint;
    entry integer := 1;
    move integer := 1;
    fault integer;
    culprit integer;
    fact bigint;
BEGIN
    IF cardinality(ids) > 0 THEN
        SELECT h.* INTO STRICT last FROM tapedeck.head h FOR UPDATE;
    ELSE
        SELECT h.* INTO STRICT last FROM tapedeck.head h;
    END IF;
    clock := tapedeck.now();
    places := array_fill(NULL::bigint, ARRAY[cardinality(ids)]);
    outcomes := array_fill(NULL::integer, ARRAY[cardinality(ids)]);
    PERFORM FROM tapedeck.cursor c WHERE c.unit = ANY (units) ORDER BY c.unit FOR NO KEY UPDATE;
    SELECT array_agg(e.position ORDER BY i),
           array_agg(e.kind = kinds[i] AND e.schema = schemas[i] AND e.subject = subjects[i]
               AND e.trade IS NOT DISTINCT FROM trades[i] AND e.at = ats[i] AND e.body = bodies[i] ORDER BY i)
        INTO known, same
        FROM generate_subscripts(ids, 1) i LEFT JOIN tapedeck.event e ON e.id = ids[i];

    FOR c IN 1..cardinality(ends) LOOP
        fault := 0;
        culprit := NULL;
        fact := NULL;
        before := last;
        kept_before := kept;
        -- Whoever may not speak has no conflict to report either.
        FOR m IN move..moved[c] LOOP
            SELECT u.fence INTO stored FROM tapedeck.cursor u WHERE u.unit = units[m];
            IF stored IS DISTINCT FROM fences[m] THEN
                fault := 1;
                culprit := m;
                fact := stored;
                EXIT;
            END IF;
        END LOOP;
        IF fault = 0 THEN
            FOR i IN entry..ends[c] LOOP
                stored := coalesce(known[i], places[twins[i]]);
                IF stored IS NULL THEN
                    kept := kept + 1;
                    last.position := last.position + 1;
                    last.recorded_at := greatest(last.recorded_at, coalesce(times[i], clock));
                    last.hash := tapedeck.link(last.hash, last.position, last.recorded_at, contents[i]);
                    picks[kept] := i;
                    new_times[kept] := last.recorded_at;
                    new_hashes[kept] := last.hash;
                    places[i] := last.position;
                    outcomes[i] := 0;
                ELSIF (known[i] IS NULL AND NOT differs[i]) OR same[i] THEN
                    places[i] := stored;
                    outcomes[i] := 1;
                ELSIF reports[c] THEN
                    places[i] := stored;
                    outcomes[i] := 2;
                ELSE
                    fault := 2;
                    culprit := i;
                    fact := stored;
                    EXIT;
                END IF;
            END LOOP;
        END IF;
        IF fault = 0 THEN
            FOR m IN move..moved[c] LOOP
                -- One unit may move twice in a commit: one step after the other.
                SELECT coalesce(max(tos[k]), (SELECT u.position FROM tapedeck.cursor u WHERE u.unit = units[m]))
                    INTO stored FROM generate_series(move, m - 1) k WHERE units[k] = units[m];
                IF tos[m] < stored THEN
                    fault := 3;
                    fact := stored;
                ELSIF tos[m] > last.position THEN
                    fault := 4;
                    fact := last.position;
                END IF;
                IF fault <> 0 THEN
                    culprit := m;
                    EXIT;
                END IF;
            END LOOP;
        END IF;
        IF fault = 0 THEN
            FOR m IN move..moved[c] LOOP
                UPDATE tapedeck.cursor u SET position = tos[m], reach = greatest(u.reach, reaches[m])
                    WHERE u.unit = units[m];
            END LOOP;
        ELSE
            last := before;
            kept := kept_before;
        END IF;
        faults[c] := fault;
        culprits[c] := culprit;
        facts[c] := fact;
        heads[c] := last.position;
        hashes[c] := last.hash;
        times_of_heads[c] := last.recorded_at;
        entry := ends[c] + 1;
        move := moved[c] + 1;
    END LOOP;

    IF kept > 0 THEN
        INSERT INTO tapedeck.event
            SELECT last.position - kept + k, ids[picks[k]], kinds[picks[k]], schemas[picks[k]],
                   subjects[picks[k]], sources[picks[k]], causes[picks[k]], trades[picks[k]], ats[picks[k]],
                   new_times[k], bodies[picks[k]], metas[picks[k]], new_hashes[k]
            FROM generate_series(1, kept) k;
        UPDATE tapedeck.head h
            SET position = last.position, hash = last.hash, recorded_at = last.recorded_at WHERE h.one;
        PERFORM pg_notify('tapedeck', last.position::text);
    END IF;
END $$;

-- As append_with_care, believing that every entry is new and every cursor may move; asks about the
-- former and goes the other way if it is not so; stops with TD001, nothing being done, if a cursor may
-- not move. Told is what append_with_care tells, `faults` and all after it being NULL if all is done and
-- all entries stand in a row, up to the last head.
CREATE FUNCTION tapedeck.append(
    ids uuid[], kinds text[], schemas integer[], subjects text[], sources text[], causes uuid[],
    trades text[], ats bigint[], times bigint[], bodies text[], metas text[], contents bytea[],
    twins integer[], differs boolean[],
    ends integer[], moved integer[], reports boolean[],
    units text[], fences bigint[], tos bigint[], reaches bigint[],
    OUT heads bigint[], OUT hashes bytea[], OUT times_of_heads bigint[],
    OUT faults integer[], OUT culprits integer[], OUT facts bigint[],
    OUT places bigint[], OUT outcomes integer[]
) LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    place tid;
    first bigint;
    last bigint;
    recorded bigint;
    link bytea;
    clock bigint;
    new_times bigint[];
    new_hashes bytea[];
    steps integer;
BEGIN
    SELECT h.ctid, h.position, h.hash, h.recorded_at INTO STRICT place, first, link, recorded
        FROM tapedeck.head h FOR UPDATE;
    IF twins IS NOT NULL OR EXISTS (SELECT FROM tapedeck.event e WHERE e.id = ANY (ids)) THEN
        SELECT * INTO heads, hashes, times_of_heads, faults, culprits, facts, places, outcomes
            FROM tapedeck.append_with_care(ids, kinds, schemas, subjects, sources, causes, trades, ats, times,
                bodies, metas, contents, twins, differs, ends, moved, reports, units, fences, tos, reaches);
        RETURN;
    END IF;
    clock := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
    last := first;
    FOR c IN 1..cardinality(ends) LOOP
        FOR i IN last - first + 1..ends[c] LOOP
            last := last + 1;
            recorded := greatest(recorded, coalesce(times[i], clock));
            -- tapedeck.link, written out: a call costs as much as the hash.
            link := sha256('tapedeck.tape.row.1'::bytea || link || int8send(last) || int8send(recorded) || contents[i]);
            new_times[i] := recorded;
            new_hashes[i] := link;
        END LOOP;
        heads[c] := last;
        hashes[c] := link;
        times_of_heads[c] := recorded;
    END LOOP;
    INSERT INTO tapedeck.event
        SELECT first + i, ids[i], kinds[i], schemas[i], subjects[i], sources[i], causes[i], trades[i], ats[i],
               new_times[i], bodies[i], metas[i], new_hashes[i]
        FROM generate_series(1, cardinality(ids)) i;
    IF cardinality(units) > 0 THEN
        -- By name, as everybody locks them.
        UPDATE tapedeck.cursor u SET position = s.goal, reach = greatest(u.reach, s.reach)
            FROM (SELECT units[m] AS unit, fences[m] AS fence, tos[m] AS goal, reaches[m] AS reach,
                         (SELECT heads[c] FROM generate_subscripts(moved, 1) c WHERE moved[c] >= m ORDER BY c LIMIT 1) AS head
                  FROM generate_subscripts(units, 1) m ORDER BY units[m]) s
            WHERE u.unit = s.unit AND u.fence = s.fence AND u.position <= s.goal AND s.goal <= s.head;
        GET DIAGNOSTICS steps = ROW_COUNT;
        IF steps <> cardinality(units) THEN
            RAISE EXCEPTION 'a cursor may not move' USING ERRCODE = 'TD001';
        END IF;
    END IF;
    UPDATE tapedeck.head h SET position = last, hash = link, recorded_at = recorded WHERE h.ctid = place;
    PERFORM pg_notify('tapedeck', last::text);
END $$;

-- As append, of one commit with one entry and at most one cursor (`unit` is NULL if there is none): most
-- commits are like that, and arrays cost a third of the whole. `given` is the time of the tape.
-- Few statements and no expression beside them: each is made ready anew in every transaction.
CREATE FUNCTION tapedeck.append_one(
    id uuid, kind text, schema integer, subject text, source text, cause uuid, trade text, at bigint,
    given bigint, body text, meta text, content bytea, report boolean,
    unit text, fence bigint, goal bigint, reach bigint,
    OUT head bigint, OUT hash bytea, OUT recorded_at bigint,
    OUT fault integer, OUT fact bigint, OUT place bigint, OUT outcome integer
) LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    here tid;
BEGIN
    SELECT h.ctid, h.position + 1, h.hash, h.recorded_at INTO STRICT here, head, hash, recorded_at
        FROM tapedeck.head h FOR UPDATE;
    INSERT INTO tapedeck.event AS made
        SELECT head, id, kind, schema, subject, source, cause, trade, at, now.time, body, meta,
               sha256('tapedeck.tape.row.1'::bytea || hash || int8send(head) || int8send(now.time) || content)
        FROM (SELECT greatest(recorded_at,
                  coalesce(given, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)) AS time OFFSET 0) now
        WHERE NOT EXISTS (SELECT FROM tapedeck.event e WHERE e.id = id)
        RETURNING made.hash, made.recorded_at INTO hash, recorded_at;
    IF NOT FOUND THEN
        SELECT c.heads[1], c.hashes[1], c.times_of_heads[1], c.faults[1], c.facts[1], c.places[1], c.outcomes[1]
            INTO head, hash, recorded_at, fault, fact, place, outcome
            FROM tapedeck.append_with_care(ARRAY[id], ARRAY[kind], ARRAY[schema], ARRAY[subject], ARRAY[source],
                ARRAY[cause], ARRAY[trade], ARRAY[at], ARRAY[given], ARRAY[body], ARRAY[meta], ARRAY[content],
                NULL, NULL, ARRAY[1], ARRAY[num_nonnulls(unit)], ARRAY[report], array_remove(ARRAY[unit], NULL),
                ARRAY[fence], ARRAY[goal], ARRAY[reach]) c;
        RETURN;
    END IF;
    IF unit IS NOT NULL THEN
        UPDATE tapedeck.cursor u SET position = goal, reach = greatest(u.reach, reach)
            WHERE u.unit = unit AND u.fence = fence AND u.position <= goal AND goal <= head;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'a cursor may not move' USING ERRCODE = 'TD001';
        END IF;
    END IF;
    UPDATE tapedeck.head h SET position = head, hash = hash, recorded_at = recorded_at WHERE h.ctid = here;
    PERFORM pg_notify('tapedeck', head::text);
END $$;

-- Takes all of the units under new fences, or none: then `held` is true and the one row is the unit that
-- somebody else holds.
CREATE FUNCTION tapedeck.claim(wanted text[], claimant text, ttl bigint, by_force boolean)
    RETURNS TABLE (unit text, "position" bigint, fence bigint, owner text, lease_until bigint, reach bigint, held boolean)
    LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    made text[];
    clock bigint;
BEGIN
    WITH new AS (
        INSERT INTO tapedeck.cursor (unit) SELECT DISTINCT w FROM unnest(wanted) w ORDER BY w
        ON CONFLICT DO NOTHING RETURNING unit
    ) SELECT array_agg(new.unit) INTO made FROM new;
    PERFORM FROM tapedeck.cursor c WHERE c.unit = ANY (wanted) ORDER BY c.unit FOR NO KEY UPDATE;
    clock := tapedeck.now();
    IF NOT by_force THEN
        RETURN QUERY SELECT c.unit, c.position, c.fence, c.owner, c.lease_until, c.reach, true
            FROM unnest(wanted) WITH ORDINALITY w (unit, n) JOIN tapedeck.cursor c ON c.unit = w.unit
            WHERE c.owner IS NOT NULL AND c.owner <> claimant AND c.lease_until > clock
            ORDER BY w.n LIMIT 1;
        IF FOUND THEN
            DELETE FROM tapedeck.cursor c WHERE c.unit = ANY (made);
            RETURN;
        END IF;
    END IF;
    UPDATE tapedeck.cursor c SET fence = c.fence + 1, owner = claimant, lease_until = clock + ttl
        WHERE c.unit = ANY (wanted);
    RETURN QUERY SELECT c.unit, c.position, c.fence, c.owner, c.lease_until, c.reach, false
        FROM unnest(wanted) WITH ORDINALITY w (unit, n) JOIN tapedeck.cursor c ON c.unit = w.unit ORDER BY w.n;
END $$;

-- Keeps a snapshot, and of its unit only the newest `kept`.
CREATE FUNCTION tapedeck.save_snapshot(of_unit text, at_position bigint, its_tag text, its_state bytea, kept integer)
    RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tapedeck.snapshot VALUES (of_unit, at_position, its_tag, its_state)
        ON CONFLICT (unit, position) DO UPDATE SET tag = excluded.tag, state = excluded.state;
    DELETE FROM tapedeck.snapshot s WHERE s.unit = of_unit AND s.position NOT IN
        (SELECT n.position FROM tapedeck.snapshot n WHERE n.unit = of_unit ORDER BY n.position DESC LIMIT kept);
END $$;
