package main

import (
	"strings"
	"testing"
	"time"

	"muster/recovery"

	"github.com/google/go-cmp/cmp"
)

var (
	noon  = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	stand = place{function: "muster", region: "us-west-2"}
)

// drill is an execution of two waves, of which the first has failed and the
// second waits at its gate.
func drill() *recovery.Execution {
	return &recovery.Execution{
		ID: "exec-1", Plan: "rp-shop", Type: recovery.Drill, Version: 9, TaskToken: recovery.NewSecret("planted-task-token"),
		Waves: []recovery.WaveRecord{
			{Number: 1, Name: "Data", Servers: 2, OnFailure: recovery.PauseOnFailure, TimeLimit: time.Hour},
			{Number: 2, Name: "App\x1b[2J", Servers: 3, PauseBefore: true, OnFailure: recovery.PauseOnFailure, TimeLimit: time.Hour},
		},
		Attempts: []recovery.Attempt{{Wave: 1, Attempt: 1, State: recovery.Started, JobID: "drsjob-1", JobOver: true, StartedAt: noon, Outcomes: []recovery.ServerOutcome{
			{Server: "s-1", Status: "LAUNCHED"}, {Server: "s-2", Status: "FAILED", Reason: "no capacity"},
		}}},
	}
}

func happened(kind recovery.EventKind, wave *int, message string) recovery.Event {
	ev := recovery.Event{Number: 7, At: noon, Kind: kind, Execution: "exec-1", Wave: wave, Message: message}
	if wave != nil {
		ev.Attempt = 1
	}
	return ev
}

func TestPeopleAreToldWhatHappenedAndWhatToDo(t *testing.T) {
	ended := drill()
	ended.Ended = &recovery.Ending{Outcome: recovery.OutcomeFailed, Reason: "wave 1 failed", At: noon}
	for _, c := range []struct {
		of      *recovery.Execution
		ev      recovery.Event
		subject string
		says    []string
	}{
		{drill(), happened(recovery.EventOpened, nil, "opened by anna"), "Muster: DRILL exec-1 has started",
			[]string{"DRILL exec-1 of plan rp-shop, 2026-11-24 12:00:00 UTC\n\nopened by anna\n\nIt has 2 waves, 5 servers.", "\n    AWS_REGION=us-west-2 muster watch exec-1 --function muster\n"}},
		{drill(), happened(recovery.EventAwaiting, nil, "wave 1 failed"), "Muster: DRILL exec-1 waits for a decision",
			[]string{"WAVE_FAILED: wave 1 failed: 1 of 2 servers launched; s-2: no capacity",
				"\n    AWS_REGION=us-west-2 muster decide exec-1 retry --question failed-w1-a1 --function muster\n",
				"\n    AWS_REGION=us-west-2 muster decide exec-1 skip --question failed-w1-a1 --function muster\n"}},
		{drill(), happened(recovery.EventFailed, new(1), "1 of 2 servers launched"), "Muster: DRILL exec-1: wave 1 failed", []string{`wave 1 ("Data")`, "muster show exec-1 --function muster"}},
		{drill(), happened(recovery.EventTimedOut, new(2), "TIMED_OUT"), "Muster: DRILL exec-1: wave 2 took too long", []string{`wave 2 ("App\x1b[2J")`}},
		{drill(), happened(recovery.EventInterrupted, nil, "the state machine was stopped"), "Muster: DRILL exec-1 was interrupted",
			[]string{"Jobs may be running", "\n    AWS_REGION=us-west-2 muster resume exec-1 --function muster\n"}},
		{ended, happened(recovery.EventFinished, nil, "FAILED: wave 1 failed"), "Muster: DRILL exec-1: FAILED", []string{"\n    AWS_REGION=us-west-2 muster cleanup exec-1 --function muster\n"}},
	} {
		m, worth := notice(c.of, c.ev, stand, noon)
		if !worth || m.Subject != c.subject {
			t.Errorf("%s: got %q, %v, want %q", c.ev.Kind, m.Subject, worth, c.subject)
		}
		for _, want := range c.says {
			if !strings.Contains(m.Text, want) {
				t.Errorf("%s: the text lacks %q:\n%s", c.ev.Kind, want, m.Text)
			}
		}
		if all := m.Subject + m.Text; strings.Contains(all, "planted") || strings.Contains(all, "\x1b") {
			t.Errorf("%s: what must not be told is in\n%s", c.ev.Kind, all)
		}
		if diff := cmp.Diff(map[string]string{"kind": string(c.ev.Kind), "executionId": "exec-1", "planId": "rp-shop", "executionType": "DRILL"}, m.Attributes); diff != "" {
			t.Error(diff)
		}
	}
}

func TestPeopleAreToldOfWaveZeroAsOfAnyOther(t *testing.T) {
	e := drill()
	e.Waves[0].Number, e.Attempts[0].Wave = 0, 0
	m, _ := notice(e, happened(recovery.EventFailed, new(0), "1 of 2 servers launched"), stand, noon)
	if m.Subject != "Muster: DRILL exec-1: wave 0 failed" || !strings.Contains(m.Text, `of plan rp-shop, wave 0 ("Data")`) {
		t.Errorf("got %q\n%s", m.Subject, m.Text)
	}
	m, _ = notice(e, happened(recovery.EventAwaiting, nil, "wave 0 failed"), stand, noon)
	if !strings.Contains(m.Text, "muster decide exec-1 skip --question failed-w0-a1 --function muster\n") || strings.Contains(m.Text, `wave 0 ("Data")`) {
		t.Errorf("got\n%s", m.Text)
	}
	e.Pause = &recovery.Request{By: "anna", At: noon}
	m, _ = notice(e, happened(recovery.EventAwaiting, nil, "a pause was asked for"), stand, noon)
	if !strings.Contains(m.Text, "muster decide exec-1 resume --question pause-1 --function muster\n") {
		t.Errorf("got\n%s", m.Text)
	}
}

func TestPeopleAreNotToldWhatIsSettledAlready(t *testing.T) {
	decided := drill()
	decided.Cancel = &recovery.Request{By: "anna", At: noon}
	refused := func(retryable bool) *recovery.Execution {
		e := drill()
		e.Attempts[0] = recovery.Attempt{Wave: 1, Attempt: 1, State: recovery.Refused, Refusal: &recovery.Refusal{Code: recovery.DRSAPIError, Message: "no", Retryable: retryable}}
		return e
	}
	for _, c := range []struct {
		name string
		of   *recovery.Execution
		ev   recovery.Event
		want bool
	}{
		{"a question that was answered meanwhile", decided, happened(recovery.EventAwaiting, nil, ""), false},
		{"a refusal that is tried again", refused(true), happened(recovery.EventRefused, new(1), ""), false},
		{"a refusal for good", refused(false), happened(recovery.EventRefused, new(1), ""), true},
		{"a job that runs on", drill(), happened(recovery.EventProgress, new(1), ""), false},
	} {
		if _, got := notice(c.of, c.ev, stand, noon); got != c.want {
			t.Errorf("%s: told %v, want %v", c.name, got, c.want)
		}
	}
}

// Every kind of event that people are told of is worth a message, and no other
// is: deploy/hub.yaml keeps the others away.
func TestEveryKindOfEventThatPeopleAreToldOfHasItsWords(t *testing.T) {
	e := drill()
	e.Attempts[0].State, e.Attempts[0].Refusal = recovery.Refused, &recovery.Refusal{Code: recovery.DRSAPIError, Message: "no"}
	for _, kind := range toldOf {
		if _, worth := notice(e, happened(kind, new(1), "x"), stand, noon); !worth {
			t.Errorf("%s has no words", kind)
		}
	}
}

func TestAWaitBeginsWhenItWasFirstSaid(t *testing.T) {
	at := func(hours ...int) (events []recovery.Event) {
		for _, h := range hours { // below 0: of another kind
			kind := recovery.EventAwaiting
			if h < 0 {
				kind, h = recovery.EventDecided, -h
			}
			events = append(events, recovery.Event{Kind: kind, At: noon.Add(time.Duration(h) * time.Hour)})
		}
		return events
	}
	for _, c := range []struct {
		events []recovery.Event
		want   int
	}{
		{at(-1, 2), 2}, {at(-1, 2, 26, 50), 2}, {at(1, -2, 3, 27), 3}, {at(1, 25), 1}, {at(1, -2), 2},
	} {
		if got := waitingSince(c.events); !got.Equal(noon.Add(time.Duration(c.want) * time.Hour)) {
			t.Errorf("%v: got %v", c.events, got)
		}
	}
}
