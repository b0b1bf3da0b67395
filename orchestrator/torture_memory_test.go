package orchestrator_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"testing"

	"muster/recovery"
	"muster/recoverytest"
)

// memory is an execution store that is as quick as can be, for schedules by
// the thousand. It keeps the promises of recoverytest.
type memory struct {
	mu   sync.Mutex
	kept map[recovery.ExecutionID]*memorized
	held map[recovery.PlanID]recovery.ExecutionID
	last int64 // changes, of all executions
}

type memorized struct {
	header   recovery.Execution
	changed  int64
	opened   []byte
	plan     []byte
	attempts map[int]memorizedAttempt // the newest, by wave
	events   [][]byte
	driver   *recovery.Driver
}

type memorizedAttempt struct {
	number int
	record []byte
}

func newMemory() *memory {
	return &memory{kept: map[recovery.ExecutionID]*memorized{}, held: map[recovery.PlanID]recovery.ExecutionID{}}
}

func (s *memory) Execution(ctx context.Context, id recovery.ExecutionID) (*recovery.Execution, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.kept[id]
	if m == nil {
		return &recovery.Execution{ID: id}, ctx.Err()
	}
	e := m.header
	e.Driver = m.driver
	if err := e.ReadOpened(m.opened); err != nil {
		return nil, err
	}
	for _, wave := range slices.Sorted(maps.Keys(m.attempts)) {
		var a recovery.Attempt
		if err := json.Unmarshal(m.attempts[wave].record, &a); err != nil {
			return nil, err
		}
		e.Attempts = append(e.Attempts, a)
	}
	return &e, ctx.Err()
}

func (s *memory) Drive(ctx context.Context, id recovery.ExecutionID, replaces string, d recovery.Driver) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.kept[id]
	if m == nil || m.driver.Mark() != replaces && m.driver.Mark() != d.ID {
		return false, ctx.Err()
	}
	m.driver = &d
	return true, ctx.Err()
}

func (s *memory) Commit(ctx context.Context, c recovery.Change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := c.Execution
	m := s.kept[e.ID]
	if m == nil {
		m = &memorized{attempts: map[int]memorizedAttempt{}}
	}
	if m.header.Version != e.Version {
		return recovery.ErrStale
	}
	if by := s.held[e.Plan]; e.Version == 0 && e.Waves != nil && by != "" && by != c.TakeFrom {
		return &recovery.PlanHeld{By: by}
	}
	return s.write(m, c)
}

func (s *memory) write(m *memorized, c recovery.Change) error {
	e := c.Execution
	opened, err := e.Opened()
	if err != nil {
		return err
	}
	if c.Frozen != nil {
		if m.plan, err = c.Frozen.Freeze(); err != nil {
			return err
		}
	}
	if c.Event != nil {
		record, err := json.Marshal(c.Event)
		if err != nil {
			return err
		}
		m.events = append(m.events, record)
	}
	if a := c.Attempt; a != nil && a.Attempt >= m.attempts[a.Wave].number {
		record, err := json.Marshal(a)
		if err != nil {
			return err
		}
		m.attempts[a.Wave] = memorizedAttempt{a.Attempt, record}
	}
	switch {
	case e.Version == 0 && e.Waves != nil:
		s.held[e.Plan] = e.ID
	case e.Ended != nil && s.held[e.Plan] == e.ID:
		delete(s.held, e.Plan)
	}
	s.last++
	m.header = recovery.Execution{ID: e.ID, Plan: e.Plan, Type: e.Type, StartTime: e.StartTime, InitiatedBy: e.InitiatedBy, Version: e.Version + 1, LastEvent: e.LastEvent, World: e.World}
	m.opened, m.changed = opened, s.last
	s.kept[e.ID] = m
	return nil
}

func (s *memory) Events(ctx context.Context, id recovery.ExecutionID) ([]recovery.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.kept[id]
	if m == nil {
		return nil, ctx.Err()
	}
	events := make([]recovery.Event, len(m.events))
	for i, record := range m.events {
		if err := json.Unmarshal(record, &events[i]); err != nil {
			return nil, err
		}
	}
	return events, ctx.Err()
}

func (s *memory) Plan(ctx context.Context, id recovery.ExecutionID) (*recovery.Plan, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.kept[id]
	if m == nil || m.plan == nil || ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return recovery.ThawPlan(m.plan)
}

func (s *memory) Recovered(ctx context.Context, at recovery.Place, _ []recovery.SourceServerID) ([]recovery.Recovered, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []recovery.Recovered
	for _, id := range slices.Sorted(maps.Keys(s.kept)) {
		for _, wave := range slices.Sorted(maps.Keys(s.kept[id].attempts)) {
			var a recovery.Attempt
			if err := json.Unmarshal(s.kept[id].attempts[wave].record, &a); err != nil {
				return nil, err
			}
			c := recovery.Change{Execution: s.kept[id].header, Attempt: &a}
			if r := c.Recovered(); r != nil && a.AccountID == at.AccountID && a.Region == at.Region {
				all = append(all, *r)
			}
		}
	}
	return all, ctx.Err()
}

func (s *memory) Executions(ctx context.Context, most int) ([]recovery.Execution, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.SortedFunc(maps.Values(s.kept), func(a, b *memorized) int { return int(b.changed - a.changed) })
	var executions []recovery.Execution
	for _, m := range all[:min(len(all), max(most, 0))] {
		e := m.header
		e.Driver = m.driver
		if err := e.ReadOpened(m.opened); err != nil {
			return nil, err
		}
		executions = append(executions, e)
	}
	return executions, ctx.Err()
}

func TestTheStoreInMemoryKeepsAllPromises(t *testing.T) {
	recoverytest.Executions(t, func(t *testing.T) func() recovery.ExecutionStore {
		s := newMemory()
		return func() recovery.ExecutionStore { return s }
	})
}
