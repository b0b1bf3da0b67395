package orchestrator

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"muster/recovery"
)

// mostFrozen is how many plans are remembered: a hub drives a few executions at
// a time, and a plan of 3,000 servers takes some 2 MB.
const mostFrozen = 8

// FrozenPlans remembers the plans that were read last: they are frozen, so none
// has to be read twice by one process, and polls would do little else. One lasts
// as long as its process, and may be used from many goroutines.
type FrozenPlans struct {
	mu   sync.Mutex
	kept []frozenPlan // the one that was used last is the last
}

type frozenPlan struct {
	of   recovery.ExecutionID
	plan *recovery.Plan
}

func (f *FrozenPlans) get(id recovery.ExecutionID) *recovery.Plan {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := slices.IndexFunc(f.kept, func(p frozenPlan) bool { return p.of == id })
	if at < 0 {
		return nil
	}
	found := f.kept[at]
	f.kept = append(slices.Delete(f.kept, at, at+1), found)
	return found.plan
}

func (f *FrozenPlans) put(id recovery.ExecutionID, plan *recovery.Plan) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kept = slices.DeleteFunc(f.kept, func(p frozenPlan) bool { return p.of == id })
	f.kept = append(f.kept, frozenPlan{id, plan})
	f.kept = f.kept[max(0, len(f.kept)-mostFrozen):]
}

// plan gives the execution's frozen plan, for whoever acts on it. Nobody may
// change it.
func (o *Orchestrator) plan(ctx context.Context, id recovery.ExecutionID) (*recovery.Plan, error) {
	frozen := &o.own
	if o.Frozen != nil {
		frozen = o.Frozen
	}
	if plan := frozen.get(id); plan != nil {
		return plan, nil
	}
	plan, err := o.Executions.Plan(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("reading the frozen plan of execution %s: %w", id, err)
	}
	if plan == nil {
		return nil, fmt.Errorf("execution %s was opened, and its frozen plan is not there", id)
	}
	if err := plan.Understood(); err != nil {
		return nil, err
	}
	frozen.put(id, plan)
	return plan, nil
}
