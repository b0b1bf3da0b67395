package orchestrator_test

import (
	"context"
	"errors"
	"testing"

	"muster/orchestrator"
	"muster/recovery"
)

// What a later version began and this one does not understand is looked at, and
// nothing is done to it: no call of AWS, and no change of the record.
func TestAnExecutionThatIsNotUnderstoodIsLookedAtAndNotActedOn(t *testing.T) {
	inHouse(t, 2, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		later := h.plan(1, 1)
		later.Needs = []string{"steps"}
		begin := orchestrator.Begin{Execution: h.wave.Execution, Plan: later, Type: h.wave.Type, StartTime: h.wave.StartTime, InitiatedBy: h.wave.InitiatedBy}
		if _, err := o.Begin(t.Context(), begin); !notUnderstood(err) {
			t.Errorf("a plan that needs more is begun: %v", err)
		}
		h.begin(o, h.plan(1, 1))
		e, err := h.store.Execution(t.Context(), h.wave.Execution)
		if err != nil {
			t.Fatal(err)
		}
		e.Needs = []string{"steps"}
		if err := h.store.Commit(t.Context(), e.WithEvent(recovery.Event{At: o.Now(), Kind: recovery.EventNote})); err != nil {
			t.Fatal(err)
		}
		start := h.wave
		start.Wave.Number, start.Wave.Servers = 1, start.Wave.Servers[:1]
		who := recovery.Request{By: "user@example.com", At: o.Now()}
		for name, act := range map[string]func(context.Context) error{
			"start": func(ctx context.Context) error { _, err := o.StartWave(ctx, start); return err },
			"begin": func(ctx context.Context) error { begin.Plan = h.plan(1, 1); _, err := o.Begin(ctx, begin); return err },
			"poll":  func(ctx context.Context) error { _, err := o.Poll(ctx, orchestrator.Poll{Execution: e.ID}); return err },
			"pause": func(ctx context.Context) error { _, err := o.Pause(ctx, e.ID, who); return err },
			"decide": func(ctx context.Context) error {
				return o.Decide(ctx, e.ID, recovery.Decision{Choice: recovery.CancelAll, Request: who})
			},
			"interrupt": func(ctx context.Context) error { _, err := o.Interrupt(ctx, e.ID, "stopped"); return err },
			"finish":    func(ctx context.Context) error { _, err := o.Finish(ctx, e.ID); return err },
		} {
			if err := act(t.Context()); !notUnderstood(err) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		after, err := o.Execution(t.Context(), e.ID)
		if err != nil || after.Version != e.Version+1 || len(after.Attempts) > 0 {
			t.Errorf("the record is %+v, %v; want it as it was", after, err)
		}
	})
}

func notUnderstood(err error) bool {
	refused, is := errors.AsType[*recovery.Error](err)
	return is && refused.Code == recovery.WrongState
}
