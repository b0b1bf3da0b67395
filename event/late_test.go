package event_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"muster/event"
	"muster/recovery"
)

// late gives an action to the handler that a state machine asked for a while
// ago: it asked again meanwhile, and went on.
func (h *hub) late(action string, state []byte, more string) []byte {
	h.t.Helper()
	defer func(alias event.Alias) { h.alias = alias }(h.alias)
	h.alias = event.Orchestrate
	return h.ask(fmt.Sprintf(`{"action":%q,"state":%s%s}`, action, state, more))
}

var passGate = op("decide", exec1, `"choice": "resume"`, `"waveNumber": 2`, byMe)

// decided wants the decision to wake the run that waits.
func (h *hub) decided(payload string, r *run) {
	h.t.Helper()
	if answer := h.ask(payload); !bytes.Contains(answer, []byte(`"woken":true`)) || r.token != "" {
		h.t.Fatalf("%s\nwoke nobody: %s; the run waits for %q", payload, answer, r.token)
	}
}

func TestABeginThatComesLateLeavesTheRunThatWaitsItsToken(t *testing.T) {
	h := atTheGate(t)
	r := h.runs["exec-1"]
	h.late("begin_execution", r.input, "")
	h.decided(passGate, r)
	h.run("exec-1")
}

func TestABeginThatComesLateDoesNotAnswerAnInterruption(t *testing.T) {
	h := atTheGate(t)
	r := h.runs["exec-1"]
	h.decided(passGate, r)
	h.late("begin_execution", r.state, "") // not late
	interrupted := bytes.Replace(r.state, []byte("{"), []byte(`{"interruption": {"Error": "Lambda.Unknown"},`), 1)
	r.token = "planted-token-of-the-interruption"
	h.late("await_decision", interrupted, `,"taskToken":"`+r.token+`"`)
	h.late("begin_execution", r.input, "")
	if answer := h.ask(op("get_execution", exec1)); !bytes.Contains(answer, []byte("INTERRUPTED")) {
		t.Errorf("nobody is asked any more: %s", answer)
	}
	h.decided(op("resume", exec1, byMe), r)
	h.run("exec-1")
}

func TestABeginThatComesLateWakesTheRunWhoseDecisionWasNotTold(t *testing.T) {
	h := atTheGate(t)
	r := h.runs["exec-1"]
	h.machine.fail = throttled
	if answer := h.ask(passGate); !bytes.Contains(answer, []byte(`"wakeFailure"`)) {
		t.Fatalf("got %s, want why the run was not woken", answer)
	}
	h.late("begin_execution", r.input, "") // it cannot be told now, either
	h.machine.fail = nil
	h.late("begin_execution", r.input, "")
	if r.token != "" {
		t.Fatal("the run waits for the end of its day")
	}
	h.run("exec-1")
}

// The first try of a task that waits may be alive when the second has stored
// its own token.
func TestATokenThatComesLateWakesTheTaskThatWaits(t *testing.T) {
	h := atTheGate(t)
	r := h.runs["exec-1"]
	h.late("await_decision", r.state, `,"taskToken":"planted-token-of-the-first-try"`)
	if r.token != "" {
		t.Fatal("a decision would be told to a task that is gone, and the run waits for the end of its day")
	}
	h.run("exec-1") // asks anew, with a token of its own
	h.decided(passGate, r)
	h.run("exec-1")
}

// A run that was taken over from may ask people once more: it is told nothing,
// and takes nothing from the run that drives.
func TestATaskOfARunThatWasTakenOverLeavesTheNewestRunItsToken(t *testing.T) {
	h := atTheGate(t)
	old := h.runs["exec-1"]
	if answer := h.ask(op("resume", exec1, byMe, `"takeOver": true`)); !bytes.Contains(answer, []byte(`"started":true,"run":"exec-1-r2"`)) {
		t.Fatalf("got %s", answer)
	}
	newest := h.runs["exec-1-r2"]
	newest.token = "planted-token-of-run-2"
	await := func(token, more string) {
		t.Helper()
		h.late("await_decision", old.state, `,"taskToken":"`+token+`"`+more)
		if newest.token == "" {
			t.Fatalf("run 2 is woken for %s%s, asks anew, and wakes the other in turn", token, more)
		}
	}
	await(newest.token, `,"run":"exec-1-r2"`)
	await("planted-token-of-run-1", `,"run":"exec-1"`)
	if e, err := h.store.Execution(t.Context(), "exec-1"); err != nil || e.TaskToken.Reveal() != newest.token {
		t.Errorf("got %v, %v; want the token of run 2", e, err)
	}
	await("planted-token-of-a-definition-that-names-no-run", "")
}

func TestADrillThatARecoverySupersedesIsWoken(t *testing.T) {
	h := atTheGate(t)
	r := h.runs["exec-1"]
	answer := h.ask(op("start_execution", `"planId": "rp-shop"`, `"executionType": "RECOVERY"`, `"executionId": "exec-2"`, byMe, `"confirm": "rp-shop"`))
	if !strings.Contains(string(answer), `"started":true`) {
		t.Fatalf("got %s", answer)
	}
	if r.token != "" {
		t.Fatal("the drill's run waits for the end of its day")
	}
	if state := h.run("exec-1"); !bytes.Contains(state, []byte(`"CANCELLED"`)) {
		t.Errorf("the drill ends with %s", state)
	}
}

func TestADrillThatNobodyDrivesEndsWhereARecoverySupersedesIt(t *testing.T) {
	h := atTheGate(t)
	h.stop("exec-1")
	h.ask(op("execution_interrupted", `"name": "exec-1"`, `"status": "ABORTED"`))
	answer := h.ask(op("start_execution", `"planId": "rp-shop"`, `"executionType": "RECOVERY"`, `"executionId": "exec-2"`, byMe, `"confirm": "rp-shop"`))
	if !strings.Contains(string(answer), `"started":true`) {
		t.Fatalf("got %s", answer)
	}
	if e, err := h.store.Execution(t.Context(), "exec-1"); err != nil || e.Ended == nil || e.Ended.Outcome != recovery.OutcomeCancelled {
		t.Errorf("got %+v, %v; want that the drill is over", e.Ended, err)
	}
	before := len(events(t, h))
	h.late("begin_execution", h.runs["exec-1"].input, "")
	if after := len(events(t, h)); after != before {
		t.Errorf("%d events were recorded after the end", after-before)
	}
	h.run("exec-2")
}

// A run that was stopped, of which nobody told, leaves its token behind.
func TestTheNextRunDoesNotInheritAToken(t *testing.T) {
	h := atTheGate(t)
	h.runs["exec-1"].running = false
	if answer := h.ask(op("resume", exec1, byMe)); !bytes.Contains(answer, []byte(`"run":"exec-1-r2"`)) {
		t.Fatalf("got %s", answer)
	}
	if e, err := h.store.Execution(t.Context(), "exec-1"); err != nil || !e.TaskToken.IsZero() {
		t.Errorf("got %v, %v; want no token of a run that is over", e, err)
	}
}

// Where a run was stopped after its execution had been cancelled, nobody is
// left who would record the end.
func TestACancelledExecutionWhoseRunWasStoppedEnds(t *testing.T) {
	h := atTheGate(t)
	h.ask(op("cancel_execution", exec1, byMe))
	h.stop("exec-1")
	answer := h.ask(op("execution_interrupted", `"name": "exec-1"`, `"status": "ABORTED"`))
	if !bytes.Contains(answer, []byte(`"state":"CANCELLED"`)) {
		t.Errorf("got %s, want that it is over", answer)
	}
}

func TestResumeTellsOfALogThatWasCut(t *testing.T) {
	h := atTheGate(t)
	h.ask(op("pause", exec1, byMe))
	if answer := h.ask(op("resume", exec1, byMe)); bytes.Contains(answer, []byte(`"damage"`)) {
		t.Errorf("nothing is damaged, and yet: %s", answer)
	}
	h.ask(op("pause", exec1, byMe))
	resume := op("resume", exec1, byMe)
	handler := h.handler()
	handler.Records = cut{handler.Records}
	answer, err := handler.Invoke(t.Context(), []byte(resume))
	if err != nil || !bytes.Contains(answer, []byte(`"statusCode":200`)) || !bytes.Contains(answer, []byte("its end was cut off")) {
		t.Errorf("got %s, %v; want that it goes on, and what is wrong", answer, err)
	}
}

// cut is a record whose last event was taken away.
type cut struct{ event.Records }

func (c cut) Events(ctx context.Context, id recovery.ExecutionID) ([]recovery.Event, error) {
	all, err := c.Records.Events(ctx, id)
	return all[:max(0, len(all)-1)], err
}
