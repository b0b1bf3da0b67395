package orchestrator

import (
	"context"
	"fmt"
	"slices"

	"muster/recovery"
)

// admitted gives the start as the record of an opened execution has it: the
// frozen plan says what the wave is, the record whether it may start, and an
// attempt that somebody decided to retry which servers are left. The start of
// a wave in an execution that nobody opened is as the event tells it.
func (o *Orchestrator) admitted(ctx context.Context, e *recovery.Execution, asked *recovery.WaveStart) (*recovery.WaveStart, error) {
	if e.Waves == nil {
		if len(asked.Wave.Servers) == 0 {
			return nil, recovery.Errorf(recovery.ValidationError, "the event does not list the servers of wave %d, and execution %s was not opened with a plan that does; list them in the wave's servers", asked.Wave.Number, asked.Execution)
		}
		return asked, nil
	}
	if err := e.Admit(asked.Wave.Number, o.now()); err != nil {
		return nil, err
	}
	plan, err := o.plan(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	planned := plan.Wave(asked.Wave.Number)
	if planned == nil {
		return nil, fmt.Errorf("the frozen plan of execution %s has no wave %d, and its record has", e.ID, asked.Wave.Number)
	}
	w := *asked
	w.Wave, w.Groups, w.Dependencies = planned.Wave, plan.Groups, nil
	if e.Policy != "" { // a record of a version that kept none leaves both to the event
		w.Policy, w.Replace = e.Policy, e.Replace
	}
	w.Gone = e.Gone
	a := e.Attempt(w.Wave.Number)
	if a != nil && len(a.Servers) > 0 {
		w.Wave.Servers = slices.DeleteFunc(slices.Clone(planned.Servers), func(s recovery.Server) bool { return !slices.Contains(a.Servers, s.ID) })
	}
	return &w, nil
}
