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
// An attempt and an event are kept as the JSON that package recovery makes of
// them, and the columns are read out of it, so that the two cannot differ.
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
