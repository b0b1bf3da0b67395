package event_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/event"
	"muster/orchestrator"
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
	golden(t, "operations/decide-not-woken", h.ask(op("decide", exec1, `"question": "gate-w2"`, `"choice": "approve"`, byMe)))
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
	h.ask(op("decide", exec1, `"question": "gate-w2"`, `"choice": "approve"`, byMe))
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

// recovered begins a recovery whose run has stopped.
func recovered(t *testing.T) *hub {
	t.Helper()
	h := newHub(t)
	h.ask(op("start_execution", `"plan": `+alone, `"executionType": "RECOVERY"`, byMe, exec1, `"confirm": "rp-alone"`))
	h.stop("exec-1")
	return h
}

func TestARecoveryThatNobodyDrivesGoesOnOnlyWhenThatIsConfirmed(t *testing.T) {
	for _, ask := range []string{op("resume", exec1, byMe), op("resume", exec1, byMe, `"confirm": "exec-1"`), op("decide", exec1, `"question": "interrupted-1"`, `"choice": "resume"`, byMe)} {
		h := recovered(t)
		h.ask(op("execution_interrupted", `"name": "exec-1"`, `"status": "TIMED_OUT"`))
		before := len(events(t, h))
		f := failed(t, h.ask(ask))
		if f.Error != recovery.NotConfirmed || f.Retryable || !strings.Contains(f.Message, `confirm must be "rp-alone"`) {
			t.Errorf("%s: got %+v", ask, f)
		}
		if after := len(events(t, h)); after != before || len(h.runs) != 1 {
			t.Errorf("%s: %d events were recorded, and there are the runs %v", ask, after-before, h.runs)
		}
		confirmed := strings.Replace(strings.Replace(ask, `, "confirm": "exec-1"`, "", 1), exec1, exec1+`, "confirm": "rp-alone"`, 1)
		if answer := h.ask(confirmed); !strings.Contains(string(answer), `"started":true,"run":"exec-1-r2"`) {
			t.Errorf("%s: got %s", confirmed, answer)
		}
	}
}

func TestAPauseOfARecoveryThatARunDrivesIsLiftedWithoutConfirmation(t *testing.T) {
	h := newHub(t)
	h.ask(op("start_execution", `"plan": `+alone, `"executionType": "RECOVERY"`, byMe, exec1, `"confirm": "rp-alone"`))
	h.ask(op("pause", exec1, byMe))
	if answer := h.ask(op("resume", exec1, byMe)); !strings.Contains(string(answer), `"started":false`) {
		t.Errorf("got %s", answer)
	}
}

func TestARecoveryThatWasCancelledIsMadeToEndWithoutConfirmation(t *testing.T) {
	h := recovered(t)
	h.ask(op("cancel_execution", exec1, byMe))
	if answer := h.ask(op("resume", exec1, byMe)); !strings.Contains(string(answer), `"started":true`) {
		t.Errorf("got %s", answer)
	}
}

func TestAnExecutionIsToldWithTheWorldWhereItLives(t *testing.T) {
	h := atTheGate(t)
	handler := h.handler()
	home := func(aws recovery.AWS) *orchestrator.Home {
		return &orchestrator.Home{Records: h.store, AWS: func(context.Context) (recovery.AWS, error) { return aws, nil }}
	}
	ask := func() string {
		t.Helper()
		answer, err := handler.Invoke(t.Context(), []byte(op("get_execution", exec1)))
		if err != nil {
			t.Fatal(err)
		}
		return string(answer)
	}
	if answer := ask(); strings.Contains(answer, `"world":`) {
		t.Errorf("nobody knows where it lives, and it is told: %s", answer)
	}
	handler.Starter.(*orchestrator.Orchestrator).Home = home("aws:999999999999")
	if _, err := handler.Starter.Poll(t.Context(), orchestrator.Poll{Execution: "exec-1"}); err != nil {
		t.Fatal(err)
	}
	handler.Elsewhere = home("aws:999999999999").Elsewhere
	if answer := ask(); !strings.Contains(answer, `"aws":"aws:999999999999","text":"AWS account 999999999999 (partition aws)"}`) {
		t.Errorf("got %s", answer)
	}
	handler.Elsewhere = home("aws:111122223333").Elsewhere
	if answer := ask(); !strings.Contains(answer, `"elsewhere":"it belongs to AWS account 999999999999 (partition aws), and from here one would act in AWS account 111122223333 (partition aws)"}`) {
		t.Errorf("got %s", answer)
	}
}

func TestAnOperationOnAnExecutionOfAnotherWorldIsRefusedBeforeAnythingIsDone(t *testing.T) {
	h := newHub(t)
	home := func(aws recovery.AWS) *orchestrator.Home {
		return &orchestrator.Home{Records: h.store, AWS: func(context.Context) (recovery.AWS, error) { return aws, nil }}
	}
	in := func(aws recovery.AWS, payload string) string {
		t.Helper()
		handler := h.handler()
		handler.Operator.(*orchestrator.Orchestrator).Home = home(aws)
		answer, err := handler.Invoke(t.Context(), []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		return string(answer)
	}
	start := op("start_execution", `"plan": `+alone, `"executionType": "DRILL"`, byMe, exec1)
	in("aws:999999999999", start)
	h.stop("exec-1")
	refused := func(aws recovery.AWS, payload string) {
		t.Helper()
		before, assumed := len(events(t, h)), len(h.assumed)
		if answer := in(aws, payload); !strings.HasPrefix(answer, `{"statusCode":409,"error":"WRONG_WORLD"`) || !strings.Contains(answer, `"retryable":false`) {
			t.Errorf("%s: got %s", payload, answer)
		}
		if after := len(events(t, h)); after != before || len(h.assumed) != assumed || len(h.runs) != 1 {
			t.Errorf("%s: %d events were recorded, AWS was called %d times, and there are the runs %v", payload, after-before, len(h.assumed)-assumed, h.runs)
		}
	}
	resume := op("resume", exec1, byMe)
	refused("aws:111122223333", resume)
	refused("aws:111122223333", start)

	i, err := h.store.Identity(t.Context())
	if err == nil {
		err = h.store.SetIdentity(t.Context(), i.Fence("another", recovery.RecordPlace{File: "/elsewhere"}, recovery.Request{By: "anna"}))
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, payload := range []string{resume, start, op("pause", exec1, byMe), op("cancel_execution", exec1, byMe), op("decide", exec1, `"question": "failed-w1-a1"`, `"choice": "skip"`, byMe),
		op("execution_interrupted", `"name": "exec-1"`, `"status": "TIMED_OUT"`), op("start_execution", `"plan": `+alone, `"executionType": "DRILL"`, byMe)} {
		refused("aws:999999999999", payload)
	}
	for _, payload := range []string{op("get_execution", exec1), op("list_executions")} {
		if answer := in("aws:999999999999", payload); !strings.HasPrefix(answer, `{"statusCode":200`) {
			t.Errorf("%s: got %s", payload, answer)
		}
	}
}

// Somebody who follows the record answers within a moment; what the driver has
// to say of the refusal before comes after that.
func TestARefusalThatIsToldAfterTheRetryWasDecidedSaysNothingOfIt(t *testing.T) {
	h := newHub(t)
	h.ask(op("start_execution", `"plan": `+alone, `"executionType": "DRILL"`, exec1, byMe))
	h.alias = event.Orchestrate
	begun := h.ask(fmt.Sprintf(`{"action":"begin_execution","state":%s}`, h.runs["exec-1"].input))
	failure := fmt.Sprintf(`{"action":"record_wave_refusal","failure":{"error":"DRS_API_ERROR","message":"not now","waveNumber":1,"retryable":false},"state":%s}`, begun)
	h.ask(failure)
	h.alias = event.Operate
	h.ask(op("decide", exec1, `"question": "refused-w1-a1"`, `"choice": "retry"`, byMe))
	h.alias = event.Orchestrate
	if step := next(t, h.ask(failure)); step.Action != "start_wave_recovery" {
		t.Errorf("next: %+v", step)
	}
	h.alias = ""
	e, err := h.store.Execution(t.Context(), "exec-1")
	if err != nil || e.Attempt(1).Attempt != 2 || e.Attempt(1).State != recovery.Planned {
		t.Errorf("%+v, %v", e.Attempt(1), err)
	}
}

// failsToContinue is a record that cannot be written when the next run is made.
type failsToContinue struct{ event.Operator }

func (failsToContinue) NextRun(context.Context, recovery.ExecutionID, int, recovery.Request) (*recovery.Execution, error) {
	return nil, errors.New("the store is down")
}

func TestAResumptionThatCannotBeRecordedIsNoAnswer(t *testing.T) {
	h := atTheGate(t)
	h.stop("exec-1")
	handler := h.handler()
	handler.Operator = failsToContinue{handler.Operator}
	if answer, err := handler.Invoke(t.Context(), []byte(op("resume", exec1, byMe))); err == nil {
		t.Errorf("got %s, want an error, so that the event is delivered again", answer)
	}
}
