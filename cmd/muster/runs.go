package main

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"muster/cmd/wiring"
	"muster/event"
	"muster/recovery"
	"muster/stepfunctions"
)

// runs are those of the deployed state machine that a function which is served
// here starts: walked on this machine, as Step Functions does in AWS.
type runs struct {
	house   *house
	observe wiring.Observer
	pace    float64
	life    context.Context // they are aborted with it
	running sync.WaitGroup

	mu    sync.Mutex
	under map[string]bool // way, by name
}

var _ wiring.Machine = (*runs)(nil)

// Start implements event.Runs.
func (r *runs) Start(ctx context.Context, name string, input []byte) (started bool, err error) {
	machine, err := deployed()
	if err != nil {
		return false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, err := r.known(ctx, name); err != nil || known {
		return false, err
	}
	r.under[name] = true
	r.running.Go(func() {
		r.drive(machine, stepfunctions.Execution{Name: name, Input: input})
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.under, name)
	})
	return true, nil
}

// Running implements event.Runs.
func (r *runs) Running(ctx context.Context, name string) (running, known bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, err = r.known(ctx, name)
	return r.under[name], known, err
}

func (r *runs) known(ctx context.Context, name string) (bool, error) {
	entries, err := r.house.store.Entries(ctx, name)
	return r.under[name] || len(entries) > 0, err
}

// Succeed implements event.Workflow. Who waits looks at the record, and finds
// the decision there.
func (r *runs) Succeed(context.Context, string, []byte) error { return nil }

// drive walks one run. Where it breaks, the function is told, as a deployed one
// is by the rule that watches its runs.
func (r *runs) drive(machine *stepfunctions.Machine, run stepfunctions.Execution) {
	id, _ := recovery.RunOf(run.Name)
	handler := r.house.Handler(r.observe)
	handler.Caller.Alias = event.Orchestrate
	desk := &desk{view: silent{}, questions: func(ctx context.Context) ([]recovery.Question, error) { return r.house.questions(ctx, id) }}
	running, stop := context.WithCancelCause(r.life)
	defer stop(nil)
	_, err := machine.Run(running, run, options(r.house, tasks{handler, stop}, desk, r.pace))
	if err == nil {
		return
	}
	ended := map[string]string{"operation": "execution_interrupted", "name": run.Name, "status": "ABORTED", "cause": err.Error()}
	if failed, is := errors.AsType[*stepfunctions.Failure](err); is {
		ended["status"], ended["error"], ended["cause"] = "FAILED", failed.Name, failed.Cause
	}
	if elsewhere := context.Cause(running); elsewhere != nil {
		ended["cause"] = elsewhere.Error()
	}
	if r.life.Err() != nil {
		ended["cause"] = "muster function was stopped"
	}
	payload, err := json.Marshal(ended)
	if err == nil {
		// What could not be recorded the next resume finds out.
		_, _ = handler.Invoke(context.WithoutCancel(r.life), payload)
	}
}
