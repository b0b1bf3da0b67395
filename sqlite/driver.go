package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"muster/recovery"
)

// Drive implements recovery.ExecutionStore.
func (s *Store) Drive(ctx context.Context, id recovery.ExecutionID, replaces string, d recovery.Driver) (bool, error) {
	result, err := s.db.ExecContext(ctx, `UPDATE executions SET driver = ? WHERE id = ? AND coalesce(driver ->> '$.id', '') IN (?, ?)`,
		d.Kept(), id, replaces, d.ID)
	if err != nil {
		return false, s.explain("writing who drives execution "+string(id), err)
	}
	changed, err := result.RowsAffected()
	return changed > 0, err
}

// Unbegun gives the state that a version of before was to begin an execution
// with, and did not come to; nil where there is none.
func (s *Store) Unbegun(ctx context.Context, id recovery.ExecutionID) ([]byte, error) {
	var state []byte
	err := s.db.QueryRowContext(ctx, `SELECT state FROM unbegun WHERE execution_id = ?`, id).Scan(&state)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, s.explain("reading what execution "+string(id)+" was to begin with", err)
	}
	return state, nil
}

// drives reads the column of who drives an execution.
type drives struct{ to **recovery.Driver }

// Scan implements sql.Scanner.
func (d *drives) Scan(value any) error {
	var text sql.NullString
	err := text.Scan(value)
	*d.to = recovery.ReadDriver(text.String)
	return err
}
