-- Format 1 of a tape in SQLite. A change is a new file beside this one, never an edit of this one.

-- The tape: written once, never changed. Ids are 16 bytes, times microseconds since 1970 UTC.
CREATE TABLE event (
    position    INTEGER PRIMARY KEY CHECK (position > 0),
    id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    kind        TEXT    NOT NULL,
    schema      INTEGER NOT NULL,
    subject     TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    cause       BLOB    CHECK (length(cause) = 16),
    trade       TEXT,
    at          INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    body        TEXT    NOT NULL,
    meta        TEXT,
    hash        BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- Rows of a trade, and the last row of a kind. Within a kind rows are added at the end, so that index
-- costs next to nothing; one by subject or by cause would not.
CREATE INDEX event_trade ON event (trade) WHERE trade IS NOT NULL;
CREATE INDEX event_kind ON event (kind);
-- What became of an order is asked for by its subject.
CREATE INDEX event_order ON event (subject) WHERE kind > 'order.' AND kind < 'order/';

CREATE TRIGGER event_no_update BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'append-only: an event is never changed'); END;

CREATE TRIGGER event_no_delete BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'append-only: an event is never deleted'); END;

-- INSERT OR REPLACE would delete the old row without firing the trigger above.
CREATE TRIGGER event_no_replace BEFORE INSERT ON event
WHEN EXISTS (SELECT 1 FROM event WHERE id = NEW.id OR position = NEW.position)
BEGIN SELECT RAISE(ABORT, 'append-only: an event is never replaced'); END;

-- Where the tape ends (the row without a name; so a deleted last event shows) and how far each unit has
-- heard. One table, because a commit changes both and then writes one page less.
CREATE TABLE place (
    unit        TEXT    PRIMARY KEY,
    position    INTEGER NOT NULL CHECK (position >= 0),
    -- Of the tape's end only.
    hash        BLOB    CHECK (length(hash) = 32),
    recorded_at INTEGER,
    -- Of units only.
    fence       INTEGER CHECK (fence >= 0),
    owner       TEXT,
    lease_until INTEGER,
    reach       INTEGER CHECK (reach >= 0),
    CHECK ((unit = '') = (hash IS NOT NULL)),
    CHECK ((unit = '') = (recorded_at IS NOT NULL)),
    CHECK ((unit = '') = (fence IS NULL)),
    CHECK ((unit = '') = (reach IS NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO place (unit, position, hash, recorded_at) VALUES ('', 0, zeroblob(32), 0);

CREATE VIEW head AS SELECT position, hash, recorded_at FROM place WHERE unit = '';
CREATE VIEW cursor AS SELECT unit, position, fence, owner, lease_until, reach FROM place WHERE unit <> '';

CREATE TABLE snapshot (
    unit     TEXT    NOT NULL,
    position INTEGER NOT NULL,
    tag      TEXT    NOT NULL,
    state    BLOB    NOT NULL,
    PRIMARY KEY (unit, position)
) STRICT;

-- What venues sent, raw, by its SHA-256.
CREATE TABLE frame (
    hash        BLOB    PRIMARY KEY CHECK (length(hash) = 32),
    received_at INTEGER NOT NULL,
    bytes       BLOB    NOT NULL
) STRICT;

-- A small commit as one statement: the rows, the head, and the cursor of the unit that says them.
-- Inserting here does all of it or, if the fence or the head is not what the writer believes,
-- nothing. It saves the round trips that a transaction of several statements costs.
CREATE VIEW small_commit AS
    SELECT event.*, NULL AS unit, NULL AS fence, NULL AS heard, NULL AS reach FROM event;

CREATE TRIGGER small_commit_insert INSTEAD OF INSERT ON small_commit
BEGIN
    UPDATE place SET position = NEW.heard, reach = max(reach, NEW.reach)
        WHERE unit = NEW.unit AND fence = NEW.fence AND position <= NEW.heard;
    SELECT RAISE(ABORT, 'fenced') WHERE NEW.unit IS NOT NULL AND changes() <> 1;
    INSERT INTO event VALUES (
        NEW.position, NEW.id, NEW.kind, NEW.schema, NEW.subject, NEW.source, NEW.cause, NEW.trade,
        NEW.at, NEW.recorded_at, NEW.body, NEW.meta, NEW.hash);
    UPDATE place SET position = NEW.position, hash = NEW.hash, recorded_at = NEW.recorded_at
        WHERE unit = '' AND position = NEW.position - 1;
    SELECT RAISE(ABORT, 'not at the head') WHERE changes() <> 1;
END;
