-- Times are ISO 8601 in UTC with microseconds, so that they sort as text. JSON columns are written by codec.py.

CREATE TABLE deliveries (
    number      INTEGER PRIMARY KEY,          -- the order in which they came
    id          TEXT NOT NULL UNIQUE,
    source      TEXT NOT NULL,
    sender      TEXT NOT NULL,
    body        BLOB NOT NULL,
    received_at TEXT NOT NULL,
    handled_at  TEXT,                         -- NULL until filed or dropped
    dropped_for TEXT                          -- why it could not be understood
);
CREATE INDEX deliveries_unhandled ON deliveries (number) WHERE handled_at IS NULL;

CREATE TABLE incidents (
    id             TEXT PRIMARY KEY,
    group_key      TEXT NOT NULL,
    title          TEXT NOT NULL,
    target         TEXT NOT NULL,
    severity       TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('open', 'parked', 'closed')),
    resolution     TEXT,
    opened_at      TEXT NOT NULL,
    closed_at      TEXT,
    report_path    TEXT NOT NULL,
    pending_action TEXT,                      -- key of the action a person is asked about
    snapshot       TEXT NOT NULL,             -- the whole incident but its timeline
    saved_at       TEXT NOT NULL
);
CREATE UNIQUE INDEX incidents_one_live ON incidents (group_key) WHERE state <> 'closed';
CREATE INDEX incidents_newest ON incidents (opened_at DESC, id DESC);
CREATE INDEX incidents_by_state ON incidents (state, opened_at DESC);

CREATE TABLE entries (
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    seq         INTEGER NOT NULL,
    at          TEXT NOT NULL,
    event       TEXT NOT NULL,
    entry       TEXT NOT NULL,
    PRIMARY KEY (incident_id, seq)
) WITHOUT ROWID;
CREATE TRIGGER entries_never_change BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'the timeline only grows'); END;
CREATE TRIGGER entries_never_go BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'the timeline only grows'); END;

CREATE TABLE alerts (
    number        INTEGER PRIMARY KEY,        -- the order in which they came
    fingerprint   TEXT NOT NULL,
    started_at    TEXT NOT NULL,
    status        TEXT NOT NULL,
    incident_id   TEXT REFERENCES incidents (id),   -- NULL: resolved, and never seen firing
    delivery_id   TEXT NOT NULL REFERENCES deliveries (id),
    alert         TEXT NOT NULL,
    filed_at      TEXT NOT NULL,
    repeats_count INTEGER NOT NULL DEFAULT 0,
    repeated_at   TEXT,
    UNIQUE (fingerprint, started_at, status)
);
CREATE INDEX alerts_of_incident ON alerts (incident_id, number);

CREATE TABLE intents (
    action_key  TEXT PRIMARY KEY,
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    action      TEXT NOT NULL,
    intended_at TEXT NOT NULL,
    outcome     TEXT                          -- NULL until it is known what came of it
);

CREATE TABLE approvals (
    action_key  TEXT PRIMARY KEY,
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    approver    TEXT NOT NULL,
    granted     INTEGER NOT NULL,
    decided_at  TEXT NOT NULL,
    approval    TEXT NOT NULL
);

CREATE TABLE readiness (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    checked_at TEXT NOT NULL
);
