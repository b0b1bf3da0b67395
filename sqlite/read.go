package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"muster/recovery"
)

// header are the columns of an execution, in the order of fields.
const header = `e.id, e.plan_id, e.type, e.start_time, e.initiated_by, e.version, e.last_event, e.last_event_hash, e.world, e.driver`

func fields(e *recovery.Execution, more ...any) []any {
	return append([]any{&e.ID, &e.Plan, &e.Type, &e.StartTime, &e.InitiatedBy, &e.Version, &e.LastEvent.Number, &e.LastEvent.Hash, &world{&e.World}, &drives{&e.Driver}}, more...)
}

// Execution implements recovery.ExecutionStore: one statement, so one
// consistent snapshot. What it was opened with comes with the first row only.
func (s *Store) Execution(ctx context.Context, id recovery.ExecutionID) (*recovery.Execution, error) {
	e := &recovery.Execution{ID: id}
	err := s.each(ctx, func(scan func(...any) error) error {
		var opened, record []byte
		var wave, attempt sql.NullInt64
		if err := scan(fields(e, &opened, &wave, &attempt, &record)...); err != nil {
			return err
		}
		if err := e.ReadOpened(opened); err != nil {
			return err
		}
		if !wave.Valid {
			return nil // no wave was attempted yet
		}
		a, err := recovery.ReadAttempt(recovery.AttemptKey{Execution: id, Wave: int(wave.Int64), Attempt: int(attempt.Int64)}, record)
		if err != nil {
			return err
		}
		e.Attempts = append(e.Attempts, a)
		return nil
	}, `SELECT `+header+`, iif(a.wave IS (SELECT min(wave) FROM attempts WHERE execution_id = e.id), e.opened, NULL), a.wave, a.attempt, a.record
		FROM executions e LEFT JOIN attempts a ON a.execution_id = e.id AND a.attempt =
			(SELECT max(attempt) FROM attempts WHERE execution_id = e.id AND wave = a.wave)
		WHERE e.id = ? ORDER BY a.wave`, id)
	if err != nil {
		return nil, s.explain("reading execution "+string(id), err)
	}
	return e, nil
}

// Executions implements recovery.ExecutionStore. Which execution changed last
// is told by the order of the commits, and not by anybody's clock.
func (s *Store) Executions(ctx context.Context, most int) ([]recovery.Execution, error) {
	var all []recovery.Execution
	err := s.each(ctx, func(scan func(...any) error) error {
		var e recovery.Execution
		var opened []byte
		err := scan(fields(&e, &opened)...)
		if err == nil {
			err = e.ReadOpened(opened)
		}
		if err != nil && !errors.Is(err, recovery.ErrDamaged) {
			return err
		}
		all = append(all, e)
		return nil
	}, `SELECT `+header+`, e.opened FROM executions e ORDER BY changed DESC LIMIT ?`, max(most, 0))
	if err != nil {
		return nil, s.explain("listing executions", err)
	}
	return all, nil
}

// Recovered implements recovery.ExecutionStore. Newest attempts alone: what an
// earlier one launched is in them, too.
func (s *Store) Recovered(ctx context.Context, at recovery.Place, _ []recovery.SourceServerID) ([]recovery.Recovered, error) {
	var all []recovery.Recovered
	err := s.each(ctx, func(scan func(...any) error) error {
		var id recovery.ExecutionID
		var wave, attempt int
		var record []byte
		var in recovery.World
		err := scan(&id, &wave, &attempt, &record, &world{&in})
		var a recovery.Attempt
		if err == nil {
			a, err = recovery.ReadAttempt(recovery.AttemptKey{Execution: id, Wave: wave, Attempt: attempt}, record)
		}
		if errors.Is(err, recovery.ErrDamaged) {
			all = append(all, recovery.Recovered{Execution: id, Damage: err.Error()})
			return nil
		}
		if err != nil {
			return err
		}
		change := recovery.Change{Execution: recovery.Execution{ID: id, Type: recovery.Recovery, World: in}, Attempt: &a}
		if r := change.Recovered(); r != nil {
			all = append(all, *r)
		}
		return nil
	}, `SELECT a.execution_id, a.wave, a.attempt, a.record, e.world FROM executions e JOIN attempts a ON a.execution_id = e.id
		WHERE e.type = ? AND a.attempt = (SELECT max(attempt) FROM attempts WHERE execution_id = e.id AND wave = a.wave)
			AND (a.state IS NULL OR a.account_id = ? AND a.region = ? AND (a.job_id IS NOT NULL OR a.record ->> '$.outcomes' IS NOT NULL))`, recovery.Recovery, at.AccountID, at.Region)
	if err != nil {
		return nil, s.explain("reading what was recovered in account "+at.AccountID, err)
	}
	return all, nil
}

// Plan implements recovery.ExecutionStore.
func (s *Store) Plan(ctx context.Context, id recovery.ExecutionID) (*recovery.Plan, error) {
	var record []byte
	err := s.db.QueryRowContext(ctx, `SELECT record FROM plans WHERE execution_id = ?`, id).Scan(&record)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, s.explain("reading the plan of execution "+string(id), err)
	}
	p, err := recovery.ThawPlan(record)
	if err != nil {
		return nil, s.explain("reading the plan of execution "+string(id), err)
	}
	return p, nil
}

// Events implements recovery.ExecutionStore.
func (s *Store) Events(ctx context.Context, id recovery.ExecutionID) ([]recovery.Event, error) {
	var events []recovery.Event
	err := s.each(ctx, func(scan func(...any) error) error {
		var record []byte
		var ev recovery.Event
		if err := scan(&record); err != nil {
			return err
		}
		if err := json.Unmarshal(record, &ev); err != nil {
			return err
		}
		events = append(events, ev)
		return nil
	}, `SELECT record FROM events WHERE execution_id = ? ORDER BY number`, id)
	if err != nil {
		return nil, s.explain("reading the events of execution "+string(id), err)
	}
	return events, nil
}

// each reads every row of a query.
func (s *Store) each(ctx context.Context, row func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
