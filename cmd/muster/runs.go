package main

import (
	"context"
	"sync"

	"muster/cmd/wiring"
	"muster/event"
	"muster/recovery"
)

// runs drive executions in this process, as runs of the deployed state machine
// do in AWS.
type runs struct {
	house   *house
	observe wiring.Observer
	pace    float64
	life    context.Context // they end with it
	// broke is told why a run ended before its execution did, and life.
	broke   func(run string, err error)
	running sync.WaitGroup

	mu    sync.Mutex
	under map[string]bool // way, by name
}

var _ wiring.Machine = (*runs)(nil)

// Start implements event.Runs. What ran in another process goes on in this one.
func (r *runs) Start(ctx context.Context, name string, input []byte) (started bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.under[name] {
		return false, nil
	}
	entries, err := r.house.store.Entries(ctx, name)
	if err != nil {
		return false, err
	}
	if len(entries) > 0 {
		input = nil
	}
	r.under[name] = true
	r.running.Go(func() {
		r.drive(name, input)
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.under, name)
	})
	return true, nil
}

// Running implements event.Runs: of runs in other processes nothing is known,
// and each can be gone on with.
func (r *runs) Running(_ context.Context, name string) (running, known bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.under[name], r.under[name], nil
}

// Succeed implements event.Workflow. Who waits looks at the record, and finds
// the decision there.
func (r *runs) Succeed(context.Context, string, []byte) error { return nil }

func (r *runs) drive(name string, input []byte) {
	id, _ := recovery.RunOf(name)
	handler := r.house.Handler(r.observe)
	handler.Caller.Alias = event.Orchestrate
	d := &driver{id: id, house: r.house, handler: handler, pace: r.pace,
		desk: &desk{view: silent{}, every: lookStep / 10, questions: func(ctx context.Context) ([]recovery.Question, error) { return r.house.questions(ctx, id) }}}
	if err := d.drive(r.life, input); err != nil {
		r.broke(name, err)
	}
}
