package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"muster/recovery"
)

// Commit implements recovery.ExecutionStore: one transaction, which takes the
// write lock first, so that what it decides on cannot change under it.
func (s *Store) Commit(ctx context.Context, c recovery.Change) error {
	err := s.commit(ctx, c)
	var held *recovery.PlanHeld
	if err == nil || errors.Is(err, recovery.ErrStale) || errors.As(err, &held) {
		return err
	}
	return s.explain("recording a change of execution "+string(c.Execution.ID), err)
}

func (s *Store) commit(ctx context.Context, c recovery.Change) error {
	// What takes time is done before the file is locked.
	opened, err := c.Execution.Opened()
	if err != nil {
		return err
	}
	var frozen []byte
	if c.Frozen != nil {
		if frozen, err = c.Frozen.Freeze(); err != nil {
			return err
		}
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("waiting for other writers: %w", err)
	}
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	if err := writeHeader(ctx, tx, c.Execution, opened); err != nil {
		return err
	}
	if err := hold(ctx, tx, c); err != nil {
		return err
	}
	if frozen != nil {
		// Never over one that stands: what was frozen stays as it was.
		if _, err := tx.ExecContext(ctx, `INSERT INTO plans (execution_id, record) VALUES (?, ?)`, c.Execution.ID, string(frozen)); err != nil {
			return err
		}
	}
	if a := c.Attempt; a != nil {
		err := writeRecord(ctx, tx, a, `INSERT INTO attempts (execution_id, wave, attempt, record) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET record = excluded.record`, c.Execution.ID, a.Wave, a.Attempt)
		if err != nil {
			return err
		}
	}
	if ev := c.Event; ev != nil {
		err := writeRecord(ctx, tx, ev, `INSERT INTO events (execution_id, number, record) VALUES (?, ?, ?)`, c.Execution.ID, ev.Number)
		if err != nil {
			return err
		}
	}
	return tx.Commit()
}

// writeHeader moves the execution from the version that was read to the next
// one. It changes a row exactly if the version is still that one.
func writeHeader(ctx context.Context, tx *sql.Tx, e recovery.Execution, opened []byte) error {
	const next = `(SELECT coalesce(max(changed), 0) + 1 FROM executions)`
	statement := `UPDATE executions SET plan_id = ?2, type = ?3, start_time = ?4, initiated_by = ?5,
		version = ?6 + 1, last_event = ?7, last_event_hash = ?8, opened = ?9, world = ?10, changed = ` + next + ` WHERE id = ?1 AND version = ?6`
	if e.Version == 0 {
		statement = `INSERT INTO executions (id, plan_id, type, start_time, initiated_by, version, last_event, last_event_hash, opened, world, changed)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6 + 1, ?7, ?8, ?9, ?10, ` + next + `) ON CONFLICT (id) DO NOTHING`
	}
	result, err := tx.ExecContext(ctx, statement, e.ID, e.Plan, e.Type, e.StartTime, e.InitiatedBy, e.Version, e.LastEvent.Number, e.LastEvent.Hash,
		sql.NullString{String: string(opened), Valid: opened != nil}, sql.NullString{String: e.World.Kept(), Valid: !e.World.IsZero()})
	if err != nil {
		return err
	}
	if changed, err := result.RowsAffected(); err != nil {
		return err
	} else if changed == 0 {
		return recovery.ErrStale
	}
	return nil
}

// hold takes hold of the plan for an execution that is being opened, or says
// who holds it, and lets go of it for one that ends.
func hold(ctx context.Context, tx *sql.Tx, c recovery.Change) error {
	e := c.Execution
	if e.Version == 0 && e.Waves != nil {
		var by recovery.ExecutionID
		err := tx.QueryRowContext(ctx, `INSERT INTO held (plan_id, execution_id) VALUES (?1, ?2)
			ON CONFLICT (plan_id) DO UPDATE SET execution_id = iif(execution_id = ?3, ?2, execution_id)
			RETURNING execution_id`, e.Plan, e.ID, c.TakeFrom).Scan(&by)
		if err != nil {
			return err
		}
		if by != e.ID {
			return &recovery.PlanHeld{By: by}
		}
	}
	if e.Ended == nil {
		return nil
	}
	// Another execution may hold the plan by now.
	_, err := tx.ExecContext(ctx, `DELETE FROM held WHERE execution_id = ?`, e.ID)
	return err
}

func writeRecord(ctx context.Context, tx *sql.Tx, v any, statement string, key ...any) error {
	record, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, statement, append(key, string(record))...)
	return err
}
