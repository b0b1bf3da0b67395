package event

import (
	"context"

	"muster/orchestrator"
	"muster/recovery"
)

// begin answers begin_execution. Whether the state stays small enough from
// begin to end is made sure of before anything is opened.
func (e event) begin(ctx context.Context, h Handler) ([]byte, error) {
	var p problems
	r := p.plan(e.state)
	if e.state.kind() == object {
		a := about{event: e, header: r.header}
		a.mirrored(&p)
	}
	var shape shape
	if p.count == 0 {
		shape = e.shape(&r, &p)
	}
	if p.count > 0 {
		return e.invalid(&p), nil
	}
	exec, err := h.begin(ctx, &r)
	if err != nil {
		return e.refused(err)
	}
	s := shape.of(e.state, func(n int) int {
		if w := exec.Wave(n); w != nil {
			return w.Servers
		}
		return 0
	})
	var more []Field
	if s.has("interruption") { // it is over; a patch does not take away
		more = append(more, Field{"interruption", []byte("null")})
	}
	return e.follow(s, exec, h, more...), nil
}

func (h Handler) begin(ctx context.Context, r *readPlan) (*recovery.Execution, error) {
	b := orchestrator.Begin{Execution: r.execution, Plan: r.plan, Type: r.kind, StartTime: r.startTime, InitiatedBy: r.initiatedBy, PollEvery: r.pollEvery,
		Policy: r.policy, Replace: r.replace, Gone: r.gone}
	if r.counted {
		return h.Starter.Continue(ctx, b)
	}
	return h.Starter.Begin(ctx, b)
}
