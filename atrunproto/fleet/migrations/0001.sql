-- The first form: modules, jobs, and one execution for each job on each of its modules.

CREATE TABLE modules (
    imei TEXT PRIMARY KEY,
    model TEXT NOT NULL,
    revision TEXT NOT NULL,
    address TEXT NOT NULL,
    reached TEXT NOT NULL,
    first_seen REAL NOT NULL,
    last_seen REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at REAL NOT NULL,
    deadline_at REAL NOT NULL,
    timeout REAL,
    safe_to_repeat INTEGER NOT NULL,
    commands TEXT NOT NULL
);

CREATE TABLE executions (
    job INTEGER NOT NULL REFERENCES jobs (id),
    imei TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    started_at REAL,
    finished_at REAL,
    error TEXT NOT NULL DEFAULT '',
    answers TEXT NOT NULL DEFAULT '[]',
    PRIMARY KEY (job, imei)
) WITHOUT ROWID;

CREATE INDEX executions_unsettled ON executions (state, job) WHERE state IN ('queued', 'running', 'unknown');
