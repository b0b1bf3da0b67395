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
	if err == nil || errors.Is(err, recovery.ErrStale) {
		return err
	}
	return s.explain("recording a change of execution "+string(c.Execution.ID), err)
}

func (s *Store) commit(ctx context.Context, c recovery.Change) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("waiting for other writers: %w", err)
	}
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	if err := writeHeader(ctx, tx, c.Execution); err != nil {
		return err
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
func writeHeader(ctx context.Context, tx *sql.Tx, e recovery.Execution) error {
	statement := `UPDATE executions SET plan_id = ?2, type = ?3, start_time = ?4, initiated_by = ?5,
		version = ?6 + 1, last_event = ?7, last_event_hash = ?8 WHERE id = ?1 AND version = ?6`
	if e.Version == 0 {
		statement = `INSERT INTO executions (id, plan_id, type, start_time, initiated_by, version, last_event, last_event_hash)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6 + 1, ?7, ?8) ON CONFLICT DO NOTHING`
	}
	result, err := tx.ExecContext(ctx, statement, e.ID, e.Plan, e.Type, e.StartTime, e.InitiatedBy, e.Version, e.LastEvent.Number, e.LastEvent.Hash)
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

func writeRecord(ctx context.Context, tx *sql.Tx, v any, statement string, key ...any) error {
	record, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, statement, append(key, string(record))...)
	return err
}
