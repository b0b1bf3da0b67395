package event_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/event"
	"muster/recovery"
)

var throttled = &recovery.ServiceError{Service: "Step Functions", Operation: "StartExecution", Code: "ThrottlingException", Message: "Rate exceeded", Retryable: true}

func TestAnExecutionWhoseRunCouldNotBeStartedIsStartedByTheSameEvent(t *testing.T) {
	h := newHub(t)
	start := op("start_execution", `"plan": `+alone, `"executionType": "DRILL"`, byMe)
	h.machine.fail = throttled
	answer := h.ask(start)
	golden(t, "operations/start-throttled", []byte(strings.Replace(string(answer), made(t, answer), "exec-made", 2)))
	f := failed(t, answer)
	if f.Error != recovery.WorkflowError || !f.Retryable || f.ExecutionID == nil {
		t.Fatalf("got %+v, want a retryable failure that names the execution", f)
	}
	start = op("start_execution", `"plan": `+alone, `"executionType": "DRILL"`, byMe, fmt.Sprintf(`"executionId": %q`, *f.ExecutionID))
	h.machine.fail = nil
	if answer := h.ask(start); !strings.Contains(string(answer), `"started":true`) || h.runs[*f.ExecutionID] == nil {
		t.Errorf("got %s", answer)
	}
	if events, err := h.store.Events(t.Context(), recovery.ExecutionID(*f.ExecutionID)); err != nil || len(events) != 1 {
		t.Errorf("the record has %d events, %v; want one: it was begun once", len(events), err)
	}
	h.run(*f.ExecutionID)
}

func TestAnInlinePlanThatChangedIsAnotherExecution(t *testing.T) {
	h := newHub(t)
	start := op("start_execution", `"plan": `+alone, `"executionType": "DRILL"`, byMe, exec1)
	for _, payload := range []string{start, start} {
		if answer := h.ask(payload); !strings.Contains(string(answer), `"statusCode":200`) {
			t.Errorf("got %s", answer)
		}
	}
	if f := failed(t, h.ask(strings.Replace(start, "m5.large", "m5.metal", 1))); f.Error != recovery.WrongState {
		t.Errorf("got %+v", f)
	}
}

func TestADecisionStandsThoughWhoWaitsCouldNotBeTold(t *testing.T) {
	h := atTheGate(t)
	h.machine.fail = throttled
	golden(t, "operations/decide-not-woken", h.ask(op("decide", exec1, `"choice": "resume"`, byMe)))
	h.machine.fail = nil
	if answer := h.ask(op("resume", exec1, byMe)); !strings.Contains(string(answer), `"woken":true`) || h.runs["exec-1"].token != "" {
		t.Errorf("resume does not tell it either: %s", answer)
	}
	h.run("exec-1")
	if others := slices.DeleteFunc(h.told, func(token string) bool { return token == "planted-token-of-exec-1-0" }); len(others) != 0 {
		t.Errorf("told %v, too", others)
	}
}

func TestResumeChangesNothingWhereItCannotBeKnownWhoDrives(t *testing.T) {
	h := atTheGate(t)
	h.ask(op("pause", exec1, byMe))
	before := len(events(t, h))
	h.machine.fail = throttled
	golden(t, "operations/resume-throttled", h.ask(op("resume", exec1, byMe)))
	if after := len(events(t, h)); after != before {
		t.Errorf("%d events were recorded", after-before)
	}
}

func TestResumeOfWhatIsUnderWaySaysWhatIsPossible(t *testing.T) {
	h := atTheGate(t)
	golden(t, "operations/resume-at-a-gate", h.ask(op("resume", exec1, byMe)))
	h = newHub(t)
	h.ask(op("start_execution", `"plan": `+alone, `"executionType": "DRILL"`, exec1, byMe))
	golden(t, "operations/resume-under-way", h.ask(op("resume", exec1, byMe)))
}

// The first run was never started: the record was begun, and then whoever did
// it was gone.
func TestResumeStartsTheRunThatWasNeverStarted(t *testing.T) {
	h := newHub(t)
	h.machine.fail = throttled
	h.ask(op("start_execution", `"plan": `+alone, `"executionType": "DRILL"`, byMe, exec1))
	h.machine.fail = nil
	if answer := h.ask(op("resume", exec1, byMe)); !strings.Contains(string(answer), `"started":true,"run":"exec-1"`) {
		t.Errorf("got %s", answer)
	}
	h.run("exec-1")
}

func TestASecondResumeStartsNoSecondRun(t *testing.T) {
	h := atTheGate(t)
	h.stop("exec-1")
	h.ask(op("execution_interrupted", `"name": "exec-1"`, `"status": "TIMED_OUT"`))
	for range 3 {
		h.ask(op("resume", exec1, byMe))
	}
	if len(h.runs) != 2 || h.runs["exec-1-r2"] == nil {
		t.Errorf("there are the runs %v, want two", h.runs)
	}
}

// A run that stopped and of which nobody was told is found out.
func TestResumeFindsOutThatNobodyDrives(t *testing.T) {
	h := atTheGate(t)
	h.stop("exec-1")
	h.ask(op("decide", exec1, `"choice": "resume"`, byMe))
	if answer := h.ask(op("resume", exec1, byMe)); !strings.Contains(string(answer), `"started":true,"run":"exec-1-r2"`) {
		t.Fatalf("got %s", answer)
	}
	if state := h.run("exec-1-r2"); !strings.Contains(string(state), `"outcome":"COMPLETED"`) {
		t.Errorf("got %s", state)
	}
}

func TestACancelledExecutionThatNobodyDrivesIsMadeToEnd(t *testing.T) {
	h := atTheGate(t)
	h.stop("exec-1") // and nobody says so
	if answer := h.ask(op("cancel_execution", exec1, byMe)); !strings.Contains(string(answer), `"state":"CANCELLING"`) {
		t.Errorf("got %s", answer)
	}
	h.ask(op("resume", exec1, byMe))
	if state := h.run("exec-1-r2"); !strings.Contains(string(state), `"outcome":"CANCELLED"`) {
		t.Errorf("got %s", state)
	}
}

func TestWithoutAStateMachineNothingIsStarted(t *testing.T) {
	h := newHub(t)
	handler := h.handler()
	handler.Runs = nil
	for _, payload := range []string{op("start_execution", `"plan": `+alone, `"executionType": "DRILL"`, byMe, exec1)} {
		answer, err := handler.Invoke(t.Context(), []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "operations/no-state-machine", answer)
	}
	if answer := h.ask(op("list_executions")); string(answer) != `{"statusCode":200,"executions":[]}` {
		t.Errorf("something was begun: %s", answer)
	}
}

func TestAMadeIDSaysWhatItIsOfAndFitsAStateMachine(t *testing.T) {
	for _, plan := range []recovery.PlanID{"rp-shop", "shop", recovery.PlanID(strings.Repeat("x", 128)), "rp-a-r2"} {
		id := event.NewExecutionID(plan, dawn)
		if err := id.CheckDriven(); err != nil || !strings.HasPrefix(string(id), "exec-"+strings.TrimPrefix(string(plan), "rp-")[:4]) || !strings.Contains(string(id), "-20250131-153002-") {
			t.Errorf("%s of plan %s: %v", id, plan, err)
		}
	}
	if a, b := event.NewExecutionID("rp-1", dawn), event.NewExecutionID("rp-1", dawn); a == b {
		t.Errorf("%s was made twice", a)
	}
}

// atTheGate is a hub in which an execution waits for somebody to approve wave 2.
func atTheGate(t *testing.T) *hub {
	t.Helper()
	h := newHub(t)
	h.ask(op("put_group", `"group": `+databases, byMe))
	h.ask(op("put_group", `"group": `+webServers, byMe))
	h.ask(op("put_plan", `"plan": `+shop, byMe))
	h.ask(op("start_execution", `"planId": "rp-shop"`, `"executionType": "DRILL"`, exec1, byMe))
	h.run("exec-1")
	return h
}

func events(t *testing.T, h *hub) []recovery.Event {
	t.Helper()
	all, err := h.store.Events(t.Context(), "exec-1")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func made(t *testing.T, answer []byte) string {
	t.Helper()
	var f struct{ ExecutionID string }
	if err := json.Unmarshal(answer, &f); err != nil {
		t.Fatal(err)
	}
	return f.ExecutionID
}
