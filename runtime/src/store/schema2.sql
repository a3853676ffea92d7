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
