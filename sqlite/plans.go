package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"

	"muster/recovery"
)

// shelves are the tables of things that are kept by their ids.
var shelves = map[recovery.Kind]string{recovery.KindPlan: "recovery_plans", recovery.KindGroup: "protection_groups"}

// Put implements recovery.PlanStore.
func (s *Store) Put(ctx context.Context, k recovery.Kind, id string, record []byte, line func(recovery.Stored) ([]byte, error), put recovery.Put) (int64, error) {
	version, err := s.shelve(ctx, shelves[k], id, record, line, put)
	if conflict := new(recovery.VersionConflict); err != nil && !errors.As(err, &conflict) {
		return 0, s.explain("keeping "+string(k)+" "+id, err)
	}
	return version, err
}

// shelve looks and writes in one transaction, which takes the write lock first.
func (s *Store) shelve(ctx context.Context, table, id string, record []byte, line func(recovery.Stored) ([]byte, error), put recovery.Put) (int64, error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback() // does nothing after Commit
	var stands int64
	var before []byte
	err = tx.QueryRowContext(ctx, `SELECT version, record FROM `+table+` WHERE id = ?`, id).Scan(&stands, &before)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, err
	}
	made, err := put.Over(stands, bytes.Equal(before, record))
	if err != nil || made.Version == stands {
		return made.Version, err
	}
	entry, err := line(made)
	if err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO `+table+` (id, record, entry) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET record = excluded.record, entry = excluded.entry`, id, string(record), string(entry)); err != nil {
		return 0, err
	}
	return made.Version, tx.Commit()
}

// Get implements recovery.PlanStore.
func (s *Store) Get(ctx context.Context, k recovery.Kind, id string) (record, line []byte, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT record, entry FROM `+shelves[k]+` WHERE id = ?`, id).Scan(&record, &line)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, nil, s.explain("reading "+string(k)+" "+id, err)
	}
	return record, line, nil
}

// List implements recovery.PlanStore.
func (s *Store) List(ctx context.Context, k recovery.Kind, after string, most int) (lines [][]byte, err error) {
	err = s.each(ctx, func(scan func(...any) error) error {
		var line []byte
		err := scan(&line)
		lines = append(lines, line)
		return err
	}, `SELECT entry FROM `+shelves[k]+` WHERE id > ? ORDER BY id LIMIT ?`, after, max(most, 0))
	if err != nil {
		return nil, s.explain("listing what is kept in "+shelves[k], err)
	}
	return lines, nil
}
