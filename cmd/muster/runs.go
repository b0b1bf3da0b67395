package main

import (
	"context"
	"sync"

	"muster/cmd/wiring"
	"muster/recovery"
)

// runs drive executions in this process, as runs of the deployed state machine
// do in AWS.
type runs struct {
	house   *house
	machine wiring.Machine // that may have driven before; nil: none is known
	observe wiring.Observer
	who     string // drives, for people
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
	id, _ := recovery.RunOf(name)
	s := &seat{id: id, store: r.house.Executions, who: r.who, table: r.house.table}
	if err := s.take(ctx); err != nil {
		return false, err
	}
	r.under[name] = true
	r.running.Go(func() {
		err := driveHere(r.life, s, r.house.Handler(r.observe), r.observe, r.pace, input)
		if err != nil {
			r.broke(name, err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.under, name)
	})
	return true, nil
}

// Running implements event.Runs: a process that drives says so itself, so that
// this is about runs here, and about those of the state machine that is known.
func (r *runs) Running(ctx context.Context, name string) (running, known bool, err error) {
	r.mu.Lock()
	under := r.under[name]
	r.mu.Unlock()
	if under || r.machine == nil {
		return under, true, nil
	}
	return r.machine.Running(ctx, name)
}

// Succeed implements event.Workflow. Who waits looks at the record, and finds
// the decision there.
func (r *runs) Succeed(context.Context, string, []byte) error { return nil }
