package sqlite

import (
	"context"
	"fmt"
)

// Append keeps the n-th entry, counted from 1, of an execution's journal: what
// its driver did. An n that is there already, or that would leave a gap, is an
// error and changes nothing.
func (s *Store) Append(ctx context.Context, execution string, n int, entry []byte) error {
	result, err := s.db.ExecContext(ctx, `INSERT INTO journal (execution, n, entry) SELECT ?1, ?2, ?3
		WHERE ?2 = (SELECT coalesce(max(n), 0) + 1 FROM journal WHERE execution = ?1)`, execution, n, string(entry))
	if err != nil {
		return s.explain("keeping the journal of execution "+execution, err)
	}
	if kept, err := result.RowsAffected(); err != nil {
		return s.explain("keeping the journal of execution "+execution, err)
	} else if kept == 0 {
		return s.explain("keeping the journal of execution "+execution, fmt.Errorf("entry %d does not follow those that are there: another process drives this execution", n))
	}
	return nil
}

// Entries gives the journal of an execution in its order, nothing where there
// is none.
func (s *Store) Entries(ctx context.Context, execution string) ([][]byte, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT entry FROM journal WHERE execution = ? ORDER BY n`, execution)
	if err != nil {
		return nil, s.explain("reading the journal of execution "+execution, err)
	}
	defer rows.Close()
	var entries [][]byte
	for rows.Next() {
		var entry []byte
		if err := rows.Scan(&entry); err != nil {
			return nil, s.explain("reading the journal of execution "+execution, err)
		}
		entries = append(entries, entry)
	}
	if err := rows.Err(); err != nil {
		return nil, s.explain("reading the journal of execution "+execution, err)
	}
	return entries, nil
}
