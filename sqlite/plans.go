package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"muster/recovery"
)

// shelf is a table of things that are kept by their ids.
type shelf struct{ table, what string }

var (
	plans  = shelf{"recovery_plans", "plan "}
	groups = shelf{"protection_groups", "protection group "}
)

// PutPlan implements recovery.PlanStore.
func (s *Store) PutPlan(ctx context.Context, p *recovery.Plan, put recovery.Put) (int64, error) {
	return plans.put(ctx, s, string(p.ID), p, put, func(v recovery.Stored) any { return p.Entry(v) })
}

// StoredPlan implements recovery.PlanStore.
func (s *Store) StoredPlan(ctx context.Context, id recovery.PlanID) (*recovery.StoredPlan, error) {
	found := &recovery.StoredPlan{}
	known, err := plans.get(ctx, s, string(id), &found.PlanEntry, func(record []byte) (err error) {
		found.Plan, err = recovery.ThawPlan(record)
		return err
	})
	if err != nil || !known {
		return nil, err
	}
	return found, nil
}

// StoredPlans implements recovery.PlanStore.
func (s *Store) StoredPlans(ctx context.Context, after recovery.PlanID, most int) ([]recovery.PlanEntry, error) {
	return list[recovery.PlanEntry](ctx, s, plans, string(after), most)
}

// PutGroup implements recovery.PlanStore.
func (s *Store) PutGroup(ctx context.Context, g *recovery.PlannedGroup, put recovery.Put) (int64, error) {
	return groups.put(ctx, s, string(g.ID), g, put, func(v recovery.Stored) any { return g.Entry(v) })
}

// StoredGroup implements recovery.PlanStore.
func (s *Store) StoredGroup(ctx context.Context, id recovery.ProtectionGroupID) (*recovery.StoredGroup, error) {
	found := &recovery.StoredGroup{}
	known, err := groups.get(ctx, s, string(id), &found.GroupEntry, func(record []byte) (err error) {
		found.Group, err = recovery.ThawGroup(record)
		return err
	})
	if err != nil || !known {
		return nil, err
	}
	return found, nil
}

// StoredGroups implements recovery.PlanStore.
func (s *Store) StoredGroups(ctx context.Context, after recovery.ProtectionGroupID, most int) ([]recovery.GroupEntry, error) {
	return list[recovery.GroupEntry](ctx, s, groups, string(after), most)
}

func (sh shelf) put(ctx context.Context, s *Store, id string, v interface{ Freeze() ([]byte, error) }, put recovery.Put, entry func(recovery.Stored) any) (int64, error) {
	version, err := sh.write(ctx, s, id, v, put, entry)
	if conflict := new(recovery.VersionConflict); err != nil && !errors.As(err, &conflict) {
		return 0, s.explain("keeping "+sh.what+id, err)
	}
	return version, err
}

// write looks and writes in one transaction, which takes the write lock first.
func (sh shelf) write(ctx context.Context, s *Store, id string, v interface{ Freeze() ([]byte, error) }, put recovery.Put, entry func(recovery.Stored) any) (int64, error) {
	record, err := v.Freeze()
	if err != nil {
		return 0, err
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback() // does nothing after Commit
	var stands int64
	err = tx.QueryRowContext(ctx, `SELECT version FROM `+sh.table+` WHERE id = ?`, id).Scan(&stands)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, err
	}
	made, err := put.Over(stands)
	if err != nil {
		return 0, err
	}
	if err := writeRecord(ctx, tx, entry(made), `INSERT INTO `+sh.table+` (id, record, entry) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET record = excluded.record, entry = excluded.entry`, id, string(record)); err != nil {
		return 0, err
	}
	return made.Version, tx.Commit()
}

// get reads what is kept by an id; false: nothing is.
func (sh shelf) get(ctx context.Context, s *Store, id string, into any, thaw func(record []byte) error) (known bool, err error) {
	var entry, record []byte
	err = s.db.QueryRowContext(ctx, `SELECT entry, record FROM `+sh.table+` WHERE id = ?`, id).Scan(&entry, &record)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err == nil {
		err = errors.Join(json.Unmarshal(entry, into), thaw(record))
	}
	if err != nil {
		return false, s.explain("reading "+sh.what+id, err)
	}
	return true, nil
}

func list[T any](ctx context.Context, s *Store, sh shelf, after string, most int) ([]T, error) {
	var all []T
	err := s.each(ctx, func(scan func(...any) error) error {
		var body []byte
		var entry T
		if err := scan(&body); err != nil {
			return err
		}
		if err := json.Unmarshal(body, &entry); err != nil {
			return err
		}
		all = append(all, entry)
		return nil
	}, `SELECT entry FROM `+sh.table+` WHERE id > ? ORDER BY id LIMIT ?`, after, max(most, 0))
	if err != nil {
		return nil, s.explain("listing what is kept in "+sh.table, err)
	}
	return all, nil
}
