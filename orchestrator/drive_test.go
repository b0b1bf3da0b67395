package orchestrator_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"muster/orchestrator"
	"muster/recovery"
)

// plan makes a plan of the house's servers, so many in each wave, in order.
func (h *house) plan(sizes ...int) *recovery.Plan {
	p := &recovery.Plan{ID: h.wave.Plan}
	servers := h.wave.Wave.Servers
	for i, n := range sizes {
		w := recovery.PlannedWave{Wave: h.wave.Wave}
		w.Number, w.Servers, servers = i+1, servers[:n:n], servers[n:]
		p.Waves = append(p.Waves, w)
	}
	return p
}

// begin opens an execution of the plan.
func (h *house) begin(o *orchestrator.Orchestrator, p *recovery.Plan) {
	h.t.Helper()
	_, err := o.Begin(h.t.Context(), orchestrator.Begin{Execution: h.wave.Execution, Plan: p, Type: h.wave.Type, StartTime: h.wave.StartTime, InitiatedBy: h.wave.InitiatedBy})
	if err != nil {
		h.t.Fatal(err)
	}
}

// drive does what Next says until the execution is over, as a state machine
// does. answer is asked what people are asked.
func (h *house) drive(o *orchestrator.Orchestrator, answer func(recovery.Question) recovery.Choice) *recovery.Execution {
	h.t.Helper()
	ctx, id := h.t.Context(), h.wave.Execution
	for range 10_000 {
		e, err := h.store.Execution(ctx, id)
		if err != nil {
			h.t.Fatal(err)
		}
		switch step := recovery.Next(e, o.Now()); step.Action {
		case recovery.DoStartWave:
			h.startOne(o, step.Wave)
		case recovery.DoWait:
			time.Sleep(step.Wait)
			if _, err := o.Poll(ctx, orchestrator.Poll{Execution: id}); err != nil {
				h.t.Fatal(err)
			}
		case recovery.DoAwaitDecision:
			q := step.Decisions[0]
			var d recovery.Decision
			if h.decides != nil {
				d = *h.decides(e, q)
			} else {
				d = recovery.Decision{Question: q.ID, Choice: answer(q), Request: recovery.Request{By: "ops", At: time.Now()}}
			}
			if d.Choice == recovery.CancelAll { // whatever became of the question meanwhile
				d.Question = ""
			}
			err := o.Decide(ctx, id, d)
			if err != nil {
				h.t.Fatal(err)
			}
		case recovery.DoFinish:
			e, err := o.Finish(ctx, id)
			if err != nil {
				h.t.Fatal(err)
			}
			events, err := h.store.Events(ctx, id)
			if err := errors.Join(err, e.CheckLog(events)); err != nil {
				h.t.Error(err)
			}
			return e
		}
	}
	h.t.Fatal("the execution does not end")
	return nil
}

// startOne starts a wave, and records why it was refused where it was.
func (h *house) startOne(o *orchestrator.Orchestrator, wave int) {
	h.t.Helper()
	w := h.wave
	w.Wave = recovery.Wave{Number: wave}
	_, err := o.StartWave(h.t.Context(), w)
	var refused *recovery.Error
	switch {
	case errors.As(err, &refused):
		_, err = o.RecordRefusal(h.t.Context(), w.Execution, wave, recovery.Refusal{Code: refused.Code, Message: refused.Message, Retryable: refused.Retryable, InDoubt: refused.InDoubt})
		if err != nil {
			h.t.Fatal(err)
		}
	case err != nil:
		h.t.Fatal(err)
	}
}

// asksNobody fails when somebody is asked.
func asksNobody(t *testing.T) func(recovery.Question) recovery.Choice {
	return func(q recovery.Question) recovery.Choice {
		t.Errorf("somebody was asked: %+v", q)
		return recovery.CancelAll
	}
}

// eventsOf gives the recorded events of a kind.
func (h *house) eventsOf(kind recovery.EventKind) []recovery.Event {
	h.t.Helper()
	all, err := h.store.Events(h.t.Context(), h.wave.Execution)
	if err != nil {
		h.t.Fatal(err)
	}
	var some []recovery.Event
	for _, ev := range all {
		if ev.Kind == kind {
			some = append(some, ev)
		}
	}
	return some
}

// launchedIn gives the servers of each launch job, in order, as AWS saw them.
func (h *house) launchedIn() []string {
	var jobs []string
	for _, c := range h.world.Calls() {
		if c.Operation != "StartRecovery" || !c.Mutated {
			continue
		}
		var servers []string
		for _, id := range c.Resources {
			if strings.HasPrefix(id, "s-") {
				servers = append(servers, strings.TrimLeft(strings.TrimPrefix(id, "s-"), "0"))
			}
		}
		jobs = append(jobs, strings.Join(servers, "+"))
	}
	return jobs
}
