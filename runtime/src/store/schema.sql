-- A wf store, version 1; the scripts beside this one take it to later versions. All times are milliseconds since 1970,
-- all numbers of checkpoints and events count from 1.
--
-- Bytes in `header` and `data` are sealed by the checkpoint codec; nothing here looks inside. What may be large lies in
-- tables with a row id: the leaves of a WITHOUT ROWID table hold about a kilobyte a row and spill the rest into pages
-- of their own.

-- What a run started with. Never written again, so a large input costs its pages once.
CREATE TABLE run (
    rid        INTEGER PRIMARY KEY,     -- the run in all other tables
    id         TEXT NOT NULL UNIQUE,
    workflow   TEXT NOT NULL,
    script     TEXT NOT NULL,
    code_hash  BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    input      TEXT NOT NULL,           -- JSON
    settings   TEXT NOT NULL            -- JSON
) STRICT;

CREATE INDEX run_created ON run (created_at);

-- Where a run stands: small, written at every commit.
CREATE TABLE standing (
    rid             INTEGER PRIMARY KEY REFERENCES run (rid),
    status          TEXT NOT NULL,
    updated_at      INTEGER NOT NULL,
    epoch           INTEGER NOT NULL,   -- grows when the run changes hands
    owner           TEXT,               -- process id, start time, host
    lease_until     INTEGER NOT NULL,
    last_checkpoint INTEGER NOT NULL,
    last_seq        INTEGER NOT NULL,
    floor           INTEGER NOT NULL,   -- what only checkpoints below it need is deleted already
    wake_at         INTEGER
) STRICT;

-- What a run has given so far, as JSON; its own table because it may be large and seldom changes.
CREATE TABLE result (
    rid  INTEGER PRIMARY KEY REFERENCES run (rid),
    json TEXT NOT NULL
) STRICT;

CREATE TABLE checkpoint (
    rid    INTEGER NOT NULL,
    n      INTEGER NOT NULL,
    pinned INTEGER NOT NULL,            -- 1: kept whatever the floor is
    header BLOB NOT NULL,
    PRIMARY KEY (rid, n)
) STRICT, WITHOUT ROWID;

-- Checkpoint n consists of the rows with since <= n < until. A row that is still open has the largest `until`.
CREATE TABLE fiber (
    rid     INTEGER NOT NULL,
    until   INTEGER NOT NULL,
    fiber   INTEGER NOT NULL,
    segment INTEGER NOT NULL,           -- which 64 frames; -1 is the head
    since   INTEGER NOT NULL,
    data    BLOB NOT NULL,
    -- One index answers all questions: the open row of a segment, the rows that a checkpoint may need (until > n), and
    -- those that fell below the floor.
    UNIQUE (rid, until, fiber, segment)
) STRICT;

CREATE TABLE chunk (
    rid        INTEGER NOT NULL,
    id         INTEGER NOT NULL,
    since      INTEGER NOT NULL,
    dead_since INTEGER,                 -- the first checkpoint that does not name it
    data       BLOB NOT NULL,
    UNIQUE (rid, id)
) STRICT;

CREATE INDEX chunk_dead ON chunk (rid, dead_since) WHERE dead_since IS NOT NULL;

-- The events of one commit.
CREATE TABLE event (
    rid       INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    n         INTEGER NOT NULL,         -- the checkpoint they belong to
    lines     TEXT NOT NULL,            -- JSON lines
    UNIQUE (rid, first_seq)
) STRICT;

CREATE TABLE request (
    rid         INTEGER NOT NULL,
    id          TEXT NOT NULL,
    state       TEXT NOT NULL,          -- open, recorded, answered, withdrawn
    asked_at    INTEGER NOT NULL,
    json        TEXT NOT NULL,
    answer      TEXT,                   -- JSON; the owner has not taken it while the state is recorded
    answered_at INTEGER,
    UNIQUE (rid, id)
) STRICT;

CREATE INDEX request_open ON request (rid, asked_at) WHERE state IN ('open', 'recorded');

-- Sources, manifest and bytecode, once for all runs that started with them.
CREATE TABLE code (
    hash BLOB PRIMARY KEY,
    data BLOB NOT NULL
) STRICT;
