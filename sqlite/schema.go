package sqlite

import (
	"context"
	"database/sql"
	"fmt"
)

// applicationID marks the file as ours ("Must" in ASCII), for file(1) and
// against opening another program's database.
const applicationID = 0x4d757374

// migrations lead from each schema to the next; their number is the newest
// schema's, kept in the file's user_version. A migration that was released is
// never edited: a new one is appended.
//
// What package recovery makes JSON of (an attempt, an event, what an execution
// was opened with, a plan and its line in a list) is kept as that JSON, and the columns are read
// out of it, so that the two cannot differ.
var migrations = []string{`
CREATE TABLE executions (
	id              TEXT PRIMARY KEY,
	plan_id         TEXT NOT NULL,
	type            TEXT NOT NULL, -- DRILL or RECOVERY
	start_time      TEXT NOT NULL, -- as the event gave it
	initiated_by    TEXT NOT NULL,
	version         INTEGER NOT NULL, -- one higher with each change
	last_event      INTEGER NOT NULL, -- its number
	last_event_hash TEXT NOT NULL
) STRICT;

CREATE TABLE attempts (
	execution_id  TEXT NOT NULL REFERENCES executions (id),
	wave          INTEGER NOT NULL,
	attempt       INTEGER NOT NULL, -- the highest of a wave is the one that counts
	record        TEXT NOT NULL,
	state         TEXT AS (record ->> '$.state'),
	job_id        TEXT AS (record ->> '$.jobId'),
	account_id    TEXT AS (record ->> '$.accountId'),
	region        TEXT AS (record ->> '$.region'),
	token         TEXT AS (record ->> '$.token'),
	lease_until   TEXT AS (record ->> '$.leaseUntil'),
	sent_at       TEXT AS (record ->> '$.sentAt'),
	send_deadline TEXT AS (record ->> '$.sendDeadline'),
	started_at    TEXT AS (record ->> '$.startedAt'),
	refusal       TEXT AS (record ->> '$.refusal.message'),
	PRIMARY KEY (execution_id, wave, attempt)
) STRICT;

CREATE TABLE events (
	execution_id TEXT NOT NULL REFERENCES executions (id),
	number       INTEGER NOT NULL, -- from 1, without gaps
	record       TEXT NOT NULL,    -- carries its hash and that of the one before
	at           TEXT AS (record ->> '$.at'),
	kind         TEXT AS (record ->> '$.kind'),
	wave         INTEGER AS (record ->> '$.wave'),
	attempt      INTEGER AS (record ->> '$.attempt'),
	job_id       TEXT AS (record ->> '$.jobId'),
	message      TEXT AS (record ->> '$.message'),
	PRIMARY KEY (execution_id, number)
) STRICT;
`, `
ALTER TABLE executions ADD COLUMN opened TEXT; -- JSON; NULL where nobody opened it; holds the task token, a secret
ALTER TABLE executions ADD COLUMN changed INTEGER NOT NULL DEFAULT 0; -- higher with each change of any execution
ALTER TABLE executions ADD COLUMN outcome   TEXT AS (opened ->> '$.ended.outcome');
ALTER TABLE executions ADD COLUMN reason    TEXT AS (opened ->> '$.ended.reason');
ALTER TABLE executions ADD COLUMN ended_at  TEXT AS (opened ->> '$.ended.at');
ALTER TABLE executions ADD COLUMN paused_by TEXT AS (opened ->> '$.pause.by');
ALTER TABLE executions ADD COLUMN cancelled_by TEXT AS (opened ->> '$.cancel.by');
-- Executions of the older schema changed in the order of their newest events.
UPDATE executions SET changed = older.place FROM (
	SELECT id, row_number() OVER (ORDER BY julianday(at), at, id) AS place
	FROM executions LEFT JOIN events ON execution_id = id AND number = last_event) AS older
WHERE executions.id = older.id;
CREATE UNIQUE INDEX executions_by_change ON executions (changed);

ALTER TABLE attempts ADD COLUMN job_over  INTEGER AS (coalesce(record ->> '$.jobOver', 0));
ALTER TABLE attempts ADD COLUMN ended_at  TEXT AS (record ->> '$.endedAt');
ALTER TABLE attempts ADD COLUMN retry_at  TEXT AS (record ->> '$.retryAt');

CREATE TABLE plans ( -- as they were frozen when their execution was opened
	execution_id TEXT PRIMARY KEY REFERENCES executions (id),
	record       TEXT NOT NULL, -- holds external ids, which are secrets
	plan_id      TEXT AS (record ->> '$.plan.ID'),
	name         TEXT AS (record ->> '$.plan.Name'),
	owner        TEXT AS (record ->> '$.plan.Owner')
) STRICT;

CREATE TABLE held ( -- plans of executions that are under way
	plan_id      TEXT PRIMARY KEY,
	execution_id TEXT NOT NULL UNIQUE REFERENCES executions (id)
) STRICT;

-- For people: each wave of an opened execution, with its newest attempt. What
-- its status is depends on the time, too, so that it is not told here.
CREATE VIEW waves AS
SELECT e.id AS execution_id, w.value ->> '$.waveNumber' AS wave, w.value ->> '$.waveName' AS name,
	w.value ->> '$.accountId' AS account_id, w.value ->> '$.region' AS region, w.value ->> '$.servers' AS servers,
	coalesce(w.value ->> '$.pauseBefore', 0) AS pause_before, coalesce(w.value ->> '$.gatePassed', 0) AS gate_passed,
	coalesce(w.value ->> '$.skipped', 0) AS skipped, a.attempt, a.state, a.job_id, a.job_over,
	(SELECT count(*) FROM json_each(a.record, '$.outcomes') WHERE value ->> '$.status' = 'LAUNCHED') AS launched
FROM executions e, json_each(e.opened, '$.waves') w
LEFT JOIN attempts a ON a.execution_id = e.id AND a.wave = w.value ->> '$.waveNumber' AND a.attempt =
	(SELECT max(attempt) FROM attempts WHERE execution_id = e.id AND wave = a.wave);
`, `
CREATE TABLE journal ( -- of the state machine that is walked on this machine
	execution TEXT NOT NULL, -- the driver's name for it
	n         INTEGER NOT NULL, -- from 1, without gaps
	entry     TEXT NOT NULL,
	kind      TEXT AS (entry ->> '$.kind'),
	state     TEXT AS (entry ->> '$.state'),
	at        TEXT AS (entry ->> '$.at'),
	PRIMARY KEY (execution, n)
) STRICT;
`, `
CREATE TABLE recovery_plans ( -- by id, as they were put last
	id      TEXT PRIMARY KEY,
	entry   TEXT NOT NULL,
	record  TEXT NOT NULL, -- holds external ids, which are secrets
	name    TEXT AS (entry ->> '$.planName'),
	owner   TEXT AS (entry ->> '$.planOwner'),
	waves   INTEGER AS (entry ->> '$.waves'),
	version INTEGER AS (entry ->> '$.version'),
	put_by  TEXT AS (entry ->> '$.putBy'),
	put_at  TEXT AS (entry ->> '$.putAt')
) STRICT;

CREATE TABLE protection_groups ( -- by id, as they were put last
	id      TEXT PRIMARY KEY,
	entry   TEXT NOT NULL,
	record  TEXT NOT NULL, -- holds an external id, which is a secret
	servers INTEGER AS (entry ->> '$.servers'),
	tags    TEXT AS (entry ->> '$.tags'),
	version INTEGER AS (entry ->> '$.version'),
	put_by  TEXT AS (entry ->> '$.putBy'),
	put_at  TEXT AS (entry ->> '$.putAt')
) STRICT;
`, `
ALTER TABLE executions ADD COLUMN world TEXT; -- that it belongs to; of one of before: NULL until it is acted on

CREATE TABLE identity ( -- which record this is: one row
	one     INTEGER PRIMARY KEY CHECK (one = 1),
	version INTEGER NOT NULL, -- one higher with each change
	record  TEXT NOT NULL,
	id      TEXT AS (record ->> '$.id'),
	made_in TEXT AS (record ->> '$.where.file')
) STRICT;
`, `
ALTER TABLE executions ADD COLUMN driver TEXT; -- the process that drives it, or drove it last; no version counts it

-- A driver keeps nothing any more: of the journals that drivers kept, the speed
-- of a simulated AWS goes into the record, and so does the state that an
-- execution was to begin with whose driver was stopped before.
UPDATE executions SET opened = json_set(opened, '$.speed', speed) FROM (
	SELECT execution, entry ->> '$.input.simulation.speed' AS speed FROM journal WHERE n = 1) AS first
WHERE opened IS NOT NULL AND first.execution = executions.id AND speed > 0;
CREATE TABLE unbegun (
	execution_id TEXT PRIMARY KEY,
	state        TEXT NOT NULL -- holds external ids, which are secrets
) STRICT;
INSERT INTO unbegun (execution_id, state)
SELECT execution, entry -> '$.input' FROM journal
WHERE n = 1 AND entry -> '$.input' IS NOT NULL AND execution = entry ->> '$.input.executionId'
	AND execution NOT IN (SELECT id FROM executions);
DROP TABLE journal;
-- A frozen plan is a plan's document now; those of before stay as they are.
ALTER TABLE plans DROP COLUMN plan_id;
ALTER TABLE plans DROP COLUMN name;
ALTER TABLE plans DROP COLUMN owner;
ALTER TABLE plans ADD COLUMN plan_id TEXT AS (coalesce(record ->> '$.plan.id', record ->> '$.plan.ID'));
ALTER TABLE plans ADD COLUMN name    TEXT AS (coalesce(record ->> '$.plan.name', record ->> '$.plan.Name'));
ALTER TABLE plans ADD COLUMN owner   TEXT AS (coalesce(record ->> '$.plan.owner', record ->> '$.plan.Owner'));
`}

// migrate brings the file to the newest schema, in one transaction. Of several
// processes that do so at once, one does and the others find it done.
func migrate(ctx context.Context, db *sql.DB, steps []string) error {
	var schema, app, tables int
	look := func(q interface {
		QueryRowContext(context.Context, string, ...any) *sql.Row
	}) error {
		return q.QueryRowContext(ctx, `SELECT
			(SELECT user_version FROM pragma_user_version),
			(SELECT application_id FROM pragma_application_id),
			(SELECT count(*) FROM sqlite_schema)`).Scan(&schema, &app, &tables)
	}
	if err := look(db); err != nil {
		return err
	}
	if app == applicationID && schema == len(steps) {
		return nil // the common case, without a write lock
	}

	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := look(tx); err != nil {
		return err
	}
	switch {
	case app != applicationID && (app != 0 || schema != 0 || tables != 0):
		return errForeign
	case schema > len(steps):
		return fmt.Errorf("it was written by a newer version of Muster (its schema is number %d, this version knows those up to %d): "+
			"use that version, or another file", schema, len(steps))
	}
	for _, step := range steps[schema:] {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return err
		}
	}
	mark := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, len(steps))
	if _, err := tx.ExecContext(ctx, mark); err != nil {
		return err
	}
	return tx.Commit()
}
