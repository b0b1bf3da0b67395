// Package recoverytest holds the promises that every implementation of package
// recovery's interfaces must keep, as suites to run against each of them.
package recoverytest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"muster/recovery"
)

// Executions holds a kind of execution store to its promises. For each of them
// it calls create once, which makes an empty store, and then open as often as
// it needs another handle on that store, as another process would have one.
// Both fail the test themselves, and clean up after themselves through t.
func Executions(t *testing.T, create func(t *testing.T) (open func() recovery.ExecutionStore)) {
	for _, promises := range [][]promise{recordPromises, versionPromises, claimPromises, logPromises, openedPromises, holdPromises, recoveredPromises, driverPromises} {
		for _, p := range promises {
			t.Run(p.name, func(t *testing.T) {
				h := &house{T: t, open: create(t)}
				h.store = h.open()
				p.keep(h)
			})
		}
	}
}

type promise struct {
	name string
	keep func(h *house)
}

// house is one empty store under test, and short ways to use it.
type house struct {
	*testing.T
	open  func() recovery.ExecutionStore
	store recovery.ExecutionStore // a first handle
}

// The execution and the time that the promises are about. The time has
// nanoseconds, which must survive.
const execution recovery.ExecutionID = "exec-a1b2c3d4"

var now = time.Date(2026, 2, 3, 4, 5, 6, 789012345, time.UTC)

func (h *house) read(s recovery.ExecutionStore, id recovery.ExecutionID) *recovery.Execution {
	h.Helper()
	e, err := s.Execution(h.Context(), id)
	if err != nil {
		h.Fatalf("Execution(%s): %v", id, err)
	}
	if e == nil {
		h.Fatalf("Execution(%s) is nil; an unknown id gives an Execution of version 0", id)
	}
	if e.ID != id {
		h.Fatalf("Execution(%s) gives execution %q", id, e.ID)
	}
	if e.Version == 0 {
		start := starting(id, 1)
		return start.NewExecution()
	}
	return e
}

func (h *house) commit(s recovery.ExecutionStore, c recovery.Change) {
	h.Helper()
	if err := s.Commit(h.Context(), c); err != nil {
		h.Fatalf("Commit on version %d: %v", c.Execution.Version, err)
	}
}

func (h *house) stale(s recovery.ExecutionStore, c recovery.Change) {
	h.Helper()
	if err := s.Commit(h.Context(), c); !errors.Is(err, recovery.ErrStale) {
		h.Errorf("Commit on version %d, which is not the newest: got %v, want ErrStale", c.Execution.Version, err)
	}
}

func (h *house) events(s recovery.ExecutionStore, id recovery.ExecutionID) []recovery.Event {
	h.Helper()
	events, err := s.Events(h.Context(), id)
	if err != nil {
		h.Fatalf("Events(%s): %v", id, err)
	}
	if err := recovery.CheckChain(events); err != nil {
		h.Fatalf("Events(%s): %v", id, err)
	}
	return events
}

// claim claims a wave of the execution as an invocation does: read, decide,
// commit. It gives the execution as the claimant then knows it.
func (h *house) claim(s recovery.ExecutionStore, wave int, token recovery.Token, at time.Time) *recovery.Execution {
	h.Helper()
	e := h.read(s, execution)
	h.commit(s, claiming(e, wave, token, at))
	return h.read(s, execution)
}

// claiming is the change that claims a wave.
func claiming(e *recovery.Execution, wave int, token recovery.Token, at time.Time) recovery.Change {
	start := starting(e.ID, wave)
	a := start.NewAttempt()
	if earlier := e.Attempt(wave); earlier != nil {
		a = *earlier
	}
	return e.With(a.Take(token, at), happened(recovery.EventClaimed, at, string(token)))
}

func happened(kind recovery.EventKind, at time.Time, message string) *recovery.Event {
	return &recovery.Event{At: at, Kind: kind, Message: message}
}

func starting(id recovery.ExecutionID, wave int) recovery.WaveStart {
	return recovery.WaveStart{
		Execution: id, Plan: "rp-456", Type: recovery.Drill,
		StartTime: "2026-02-03T04:05:06Z", InitiatedBy: "user@example.com",
		Wave: recovery.Wave{
			Number: wave, Name: "Database Tier",
			Account: recovery.AccountContext{AccountID: "123456789012", Region: "us-east-1", RoleName: "DRSOrchestrationRole"},
			Servers: []recovery.Server{{ID: "s-1234567890abcdef0"}, {ID: "s-1234567890abcdef1"}},
		},
	}
}

// same compares what was read with what was written.
func same[T any](h testing.TB, what string, got, want T) {
	h.Helper()
	if !reflect.DeepEqual(got, want) {
		h.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// filled wants a promise about every field of a record to be about every field,
// those that were added later included.
func filled(h testing.TB, record any, but ...string) {
	h.Helper()
	v := reflect.ValueOf(record)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; v.Field(i).IsZero() && !slices.Contains(but, name) {
			h.Errorf("the field %s of %T is left out of this promise: give it a value", name, record)
		}
	}
}

// ended is a context that is over.
func ended(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}
