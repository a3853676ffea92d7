-- From version 1 to version 2: what other processes ask of a run, runs that moved to other code, and indexes by time.

-- Somebody asked for the run to be cancelled: 1; whoever has it, or takes it next, does so.
ALTER TABLE standing ADD COLUMN cancel INTEGER NOT NULL DEFAULT 0;

-- The runs whose timer is due.
CREATE INDEX standing_due ON standing (wake_at) WHERE wake_at IS NOT NULL;

-- The runs that were under way when their process died.
CREATE INDEX standing_running ON standing (updated_at) WHERE status IN ('running', 'cancelling');

-- When the hook was told of the request; null while it is still to be told.
ALTER TABLE request ADD COLUMN notified_at INTEGER;

-- The inbox: the open requests of all runs, oldest first.
CREATE INDEX request_inbox ON request (asked_at) WHERE state IN ('open', 'recorded');

-- From checkpoint n on the code of the run is this, and no longer what it started with.
CREATE TABLE moved (
    rid       INTEGER NOT NULL,
    n         INTEGER NOT NULL,
    code_hash BLOB NOT NULL,
    PRIMARY KEY (rid, n)
) STRICT, WITHOUT ROWID;

-- The id backwards, so that a run is found by the end of its id.
ALTER TABLE run ADD COLUMN reversed TEXT NOT NULL DEFAULT '';
UPDATE run SET reversed = (
    WITH RECURSIVE letters (at, text) AS (
        SELECT length(id), '' UNION ALL SELECT at - 1, text || substr(id, at, 1) FROM letters WHERE at > 0
    )
    SELECT text FROM letters WHERE at = 0
);
CREATE INDEX run_reversed ON run (reversed);

-- Code that no run names any more goes with the last run that did.
CREATE INDEX run_code ON run (code_hash);
CREATE INDEX moved_code ON moved (code_hash);

-- How many bytes of rows the run has: input, settings, checkpoints, fibers, chunks, events, requests, answers, result.
ALTER TABLE standing ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE standing SET bytes =
    (SELECT octet_length(input) + octet_length(settings) FROM run r WHERE r.rid = standing.rid)
    + (SELECT coalesce(sum(octet_length(header)), 0) FROM checkpoint r WHERE r.rid = standing.rid)
    + (SELECT coalesce(sum(octet_length(data)), 0) FROM fiber r WHERE r.rid = standing.rid)
    + (SELECT coalesce(sum(octet_length(data)), 0) FROM chunk r WHERE r.rid = standing.rid)
    + (SELECT coalesce(sum(octet_length(lines)), 0) FROM event r WHERE r.rid = standing.rid)
    + (SELECT coalesce(sum(octet_length(json) + coalesce(octet_length(answer), 0)), 0)
       FROM request r WHERE r.rid = standing.rid)
    + (SELECT coalesce(sum(octet_length(json)), 0) FROM result r WHERE r.rid = standing.rid);

-- The checkpoint at which a request was answered or withdrawn; it is kept as long as the events of that one are.
ALTER TABLE request ADD COLUMN settled_n INTEGER;
UPDATE request SET settled_n = (SELECT last_checkpoint FROM standing s WHERE s.rid = request.rid)
    WHERE state IN ('answered', 'withdrawn');
CREATE INDEX request_settled ON request (rid, settled_n) WHERE settled_n IS NOT NULL;

-- Runs that are removed: gone for every reader, their rows deleted part by part.
CREATE TABLE removed (
    rid       INTEGER PRIMARY KEY,
    code_hash BLOB NOT NULL
) STRICT;
