package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"muster/recovery"
)

// A recovery that nobody drives any more goes on launching servers in earnest,
// perhaps long after it was begun, and by somebody else.

func (o *runOptions) addGoingOn(flags *pflag.FlagSet) {
	flags.StringVar(&o.confirm, "confirm", "", "the plan's `ID`, to say that a recovery which nobody drives is to go on")
}

func goesOn(plan recovery.PlanID) string {
	return fmt.Sprintf("This goes on launching the servers of plan %s in earnest", plan)
}

// mayGoOn makes sure that a recovery in AWS itself is meant to go on here.
func (r *runner) mayGoOn(ctx context.Context) error {
	if err := r.mayDrive(ctx); err != nil || !r.o.world.aws {
		return err
	}
	e, err := r.house.Executions.Execution(ctx, r.id)
	if err != nil {
		return err
	}
	kind, plan := e.Type, e.Plan
	if e.Version == 0 { // its driver stopped before it was begun
		if kind, plan, err = r.house.begins(ctx, r.id); err != nil {
			return err
		}
	}
	if kind != recovery.Recovery || e.Ended != nil || e.Cancel != nil {
		return nil
	}
	return r.m.confirmed(ctx, r.o.confirm, string(plan), "go on", goesOn(plan))
}

// begins says what the journal of a driver begins.
func (h *house) begins(ctx context.Context, id recovery.ExecutionID) (recovery.ExecutionType, recovery.PlanID, error) {
	_, input, err := (&driver{id: id, house: h}).latest(ctx)
	if err != nil {
		return "", "", err
	}
	var state struct {
		Type recovery.ExecutionType `json:"executionType"`
		Plan recovery.PlanID        `json:"planId"`
	}
	if err := json.Unmarshal(input, &state); err != nil {
		return "", "", fmt.Errorf("the journal of execution %s: %w", id, err)
	}
	return state.Type, state.Plan, nil
}

// confirmedThere asks a function for something, and once more where it wants
// that confirmed.
func (r *runner) confirmedThere(ctx context.Context, there *remote, ask func() error) error {
	there.confirm = r.o.confirm
	err := ask()
	if refusal, is := errors.AsType[*recovery.Error](err); !is || refusal.Code != recovery.NotConfirmed {
		return err
	}
	a, err := there.look(ctx, r.id, noEvents)
	if err != nil {
		return err
	}
	if err := r.m.confirmed(ctx, r.o.confirm, string(a.Plan), "go on", goesOn(a.Plan)); err != nil {
		return err
	}
	r.o.confirm, there.confirm = string(a.Plan), string(a.Plan)
	return ask()
}
