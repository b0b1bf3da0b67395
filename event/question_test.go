package event_test

import (
	"bytes"
	"strings"
	"testing"

	"muster/recovery"
)

// twoGates is the shop's plan with a gate before each of two waves.
var twoGates = strings.Replace(shop, `"waveNumber": 1,`, `"waveNumber": 1, "pauseBeforeWave": true,`, 1)

func TestADecisionThatIsDeliveredAgainNeverAnswersTheNextQuestion(t *testing.T) {
	h := newHub(t)
	h.ask(op("put_group", `"group": `+databases, byMe))
	h.ask(op("put_group", `"group": `+webServers, byMe))
	h.ask(op("put_plan", `"plan": `+twoGates, byMe))
	h.ask(op("start_execution", `"planId": "rp-shop"`, `"executionType": "DRILL"`, exec1, byMe))
	h.run("exec-1")
	first := op("decide", exec1, `"question": "gate-w1"`, `"choice": "approve"`, byMe)
	h.wants(first, `"woken":true`)
	h.run("exec-1")
	for _, late := range []string{first, op("decide", exec1, `"choice": "resume"`, `"waveNumber": 1`, byMe)} {
		h.wants(late, `"statusCode":200`, `"id":"gate-w2"`, `"WAITING_FOR_DECISION"`)
	}
	for _, bare := range []string{op("decide", exec1, `"choice": "resume"`, byMe), op("decide", exec1, `"choice": "approve"`, byMe), op("decide", exec1, `"choice": "skip"`, `"waveNumber": 2`, byMe)} {
		h.wants(bare, `"VALIDATION_ERROR"`, "question is missing", "it asks gate-w2 (PAUSE_BEFORE_WAVE: approve, skip, cancel)")
	}
	e, err := h.store.Execution(t.Context(), "exec-1")
	if err != nil || e.Wave(2).GatePassed || e.Wave(2).Skipped {
		t.Errorf("wave 2 is %+v, %v: nobody decided about it", e.Wave(2), err)
	}
	h.wants(op("decide", exec1, `"question": "gate-w1"`, `"choice": "skip"`, `"by": "bob"`), `"WRONG_STATE"`, `was answered already: \"me@example.com\" decided approve at `)
}

func TestAnInterruptionIsAnsweredOnce(t *testing.T) {
	h := atTheGate(t)
	h.stop("exec-1")
	h.ask(op("execution_interrupted", `"name": "exec-1"`, `"status": "TIMED_OUT"`))
	resume := op("decide", exec1, `"question": "interrupted-1"`, `"choice": "resume"`, byMe)
	h.wants(resume, `"started":true,"run":"exec-1-r2"`)
	h.run("exec-1-r2")
	h.wants(resume, `"statusCode":200`)
	h.ask(op("pause", exec1, byMe))
	for _, late := range []string{resume, op("resume", exec1, `"question": "interrupted-1"`, byMe)} {
		h.wants(late, `"statusCode":200`, `"PAUSE_REQUESTED"`)
	}
	h.stop("exec-1-r2")
	h.ask(op("execution_interrupted", `"name": "exec-1-r2"`, `"status": "TIMED_OUT"`))
	h.wants(op("resume", exec1, `"question": "interrupted-1"`, byMe), `"statusCode":200`, `"INTERRUPTED"`, `"id":"interrupted-2"`)
	h.ask(op("pause", exec1, byMe))
	h.wants(op("resume", exec1, `"question": "pause-1"`, byMe), `"statusCode":200`, `"started":false`, `"id":"interrupted-2"`, `!"id":"pause-1"`)
	h.ask(op("pause", exec1, byMe))
	h.wants(op("resume", exec1, `"question": "interrupted-2"`, byMe), `"started":true`, `"id":"pause-2"`)
	h.wants(op("resume", exec1, `"question": "gate-w2"`, byMe), `"VALIDATION_ERROR"`)
	h.wants(op("resume", exec1, `"question": "pause-7"`, byMe), `"WRONG_STATE"`, "pause-7 is not asked")
}

func TestWhoDecidedWhatAndWhyAreFieldsOfTheLog(t *testing.T) {
	h := atTheGate(t)
	h.ask(op("pause", exec1, `"by": "anna"`, `"reason": "lunch"`))
	h.ask(op("pause", exec1, `"by": "bert"`, `"reason": "a disk is full"`))
	h.ask(op("decide", exec1, `"question": "gate-w2"`, `"choice": "approve"`, `"by": "carl"`, `"reason": "checked"`))
	h.ask(op("cancel_execution", exec1, `"by": "dora"`, `"reason": "a false alarm"`))
	h.ask(op("cancel_execution", exec1, `"by": "emil"`, `"reason": "the storm has passed"`))
	var got []recovery.Event
	for _, ev := range events(t, h) {
		if ev.By != "" {
			got = append(got, recovery.Event{Kind: ev.Kind, By: ev.By, Reason: ev.Reason, Choice: ev.Choice, Question: ev.Question})
		}
	}
	want := []recovery.Event{
		{Kind: recovery.EventPaused, By: "anna", Reason: "lunch"},
		{Kind: recovery.EventPaused, By: "bert", Reason: "a disk is full"},
		{Kind: recovery.EventDecided, By: "carl", Reason: "checked", Choice: recovery.Approve, Question: "gate-w2"},
		{Kind: recovery.EventCancelled, By: "dora", Reason: "a false alarm", Choice: recovery.CancelAll},
		{Kind: recovery.EventCancelled, By: "emil", Reason: "the storm has passed", Choice: recovery.CancelAll},
	}
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i := range want {
		if got[i].Kind != want[i].Kind || got[i].By != want[i].By || got[i].Reason != want[i].Reason || got[i].Choice != want[i].Choice || got[i].Question != want[i].Question {
			t.Errorf("event %d: got %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestWhatMayBeAnsweredAheadIsToldFromTheBeginning(t *testing.T) {
	h := zeroHub(t)
	answer := h.ask(op("get_execution", exec1))
	if !bytes.Contains(answer, []byte(`"decisionsAhead":[{"id":"gate-w0","reason":"PAUSE_BEFORE_WAVE","waveNumber":0,`)) || bytes.Contains(answer, []byte("gate-w1")) {
		t.Errorf("got %s", answer)
	}
	h.wants(op("decide", exec1, `"question": "gate-w0"`, `"choice": "approve"`, byMe), `"statusCode":200`)
	h.wants(op("get_execution", exec1), "!decisionsAhead")
}
