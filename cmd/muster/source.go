package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"muster/event"
	"muster/orchestrator"
	"muster/recovery"
)

// source is where executions are looked at, and decided: a record that is open
// here, or a function that has one. A refusal is a *recovery.Error.
type source interface {
	// find resolves EXECUTION: an id, a unique beginning of one, or last.
	find(ctx context.Context, name string) (recovery.ExecutionID, error)
	list(ctx context.Context, most int) ([]listing, error)
	// look tells how an execution stands, with the events behind the one of a
	// number; servers of a large execution may be missing.
	look(ctx context.Context, id recovery.ExecutionID, after int64) (*account, error)
	// whole tells everything.
	whole(context.Context, recovery.ExecutionID) (*account, error)
	// decide and pause may have something to say beside that it is done.
	decide(context.Context, recovery.ExecutionID, recovery.Decision) (aside, error)
	pause(context.Context, recovery.ExecutionID, recovery.Request) (aside, error)
	// caller is who asks, as the source knows it; "": it does not.
	caller(context.Context) string
	// slowest is how long may pass between two looks where nothing happens.
	slowest() time.Duration
	Close() error
}

// aside is what there is to say of a decision or a pause that was recorded.
type aside struct {
	Sent    []orchestrator.Marked // starts that were sent before a pause
	Unwoken string                // why the run that waits could not be told
}

func (a aside) String() string {
	var lines []string
	if a.Unwoken != "" {
		lines = append(lines, "the run that waits could not be told, and finds it within a day; muster resume tells it now: "+a.Unwoken)
	}
	for _, m := range a.Sent {
		lines = append(lines, m.String())
	}
	return strings.Join(lines, "\n")
}

// listing is an execution in a list.
type listing struct {
	*account
	document any // for programs
}

// record is a source that is open here.
type record struct{ *house }

func (r record) list(ctx context.Context, most int) ([]listing, error) {
	all, err := r.Executions.Executions(ctx, most)
	if err != nil {
		return nil, err
	}
	var out []listing
	for _, e := range all {
		a, err := r.whole(ctx, e.ID)
		if errors.Is(err, recovery.ErrDamaged) { // the others can be told all the same
			a, err = &account{event.Overview{ID: e.ID, Plan: e.Plan, Type: e.Type, By: e.InitiatedBy, State: event.StateDamaged, Damage: err.Error()}}, nil
		}
		if err != nil {
			return nil, err
		}
		a.Events, a.Waves = nil, nil
		out = append(out, listing{a, a})
	}
	return out, nil
}

func (r record) look(ctx context.Context, id recovery.ExecutionID, after int64) (*account, error) {
	a, err := r.whole(ctx, id)
	if err == nil {
		a.Events = slices.DeleteFunc(a.Events, func(ev recovery.Event) bool { return ev.Number <= after })
	}
	return a, err
}

func (r record) whole(ctx context.Context, id recovery.ExecutionID) (*account, error) {
	return r.tell(ctx, id, r.speedOf(ctx, id))
}

// placed says of an account whether the flags lead to where the execution
// lives. Where AWS has to be asked and does not answer, it is left open.
func (r record) placed(ctx context.Context, a *account) {
	if a.World == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, callerTime)
	defer cancel()
	a.World.Elsewhere = r.Home.Elsewhere(ctx, a.World.World)
}

func (r record) decide(ctx context.Context, id recovery.ExecutionID, d recovery.Decision) (aside, error) {
	return aside{}, r.Orchestrator(nil).Decide(ctx, id, d)
}

func (r record) pause(ctx context.Context, id recovery.ExecutionID, why recovery.Request) (aside, error) {
	sent, err := r.Orchestrator(nil).Pause(ctx, id, why)
	return aside{Sent: sent}, err
}

func (r record) caller(context.Context) string { return "" }

func (r record) slowest() time.Duration { return lookStep }
