package recovery_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"muster/recovery"
)

// recorded is an execution with a wave that was started, and its log.
func recorded(t *testing.T) (*recovery.Execution, []recovery.Event) {
	t.Helper()
	e := &recovery.Execution{ID: "exec-1", Plan: "rp-1", Type: recovery.Drill, Waves: []recovery.WaveRecord{{Number: 1}}}
	var log []recovery.Event
	take := func(c recovery.Change) {
		log = append(log, *c.Event)
		attempts := e.Attempts
		if c.Attempt != nil {
			attempts = []recovery.Attempt{*c.Attempt}
		}
		*e = c.Execution
		e.Version++
		e.Attempts = attempts
	}
	take(e.WithEvent(recovery.Event{At: t0, Kind: recovery.EventOpened}))
	a := recovery.Attempt{Wave: 1, Attempt: 1, Servers: []recovery.SourceServerID{"s-1"}}.Take("token-1", t0)
	take(e.With(a, &recovery.Event{At: t0, Kind: recovery.EventClaimed}))
	take(e.With(a.Send(t0, t0), &recovery.Event{At: t0, Kind: recovery.EventSent}))
	take(e.With(a.Start(&recovery.Job{ID: "drsjob-1"}, t0), &recovery.Event{At: t0, Kind: recovery.EventStarted, JobID: "drsjob-1"}))
	if err := e.CheckLog(log); err != nil {
		t.Fatal(err)
	}
	return e, log
}

func TestARecordThatWasCutOrEditedIsFoundAndSaysWhere(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(e *recovery.Execution, log []recovery.Event) []recovery.Event
		want string
	}{
		"the end of the log is cut": {func(_ *recovery.Execution, log []recovery.Event) []recovery.Event { return log[:3] },
			"the log ends with event 3, and the execution's last is event 4: its end was cut off"},
		"the whole log is gone": {func(*recovery.Execution, []recovery.Event) []recovery.Event { return nil },
			"the log ends with event 0, and the execution's last is event 4: its end was cut off"},
		"its beginning is cut": {func(_ *recovery.Execution, log []recovery.Event) []recovery.Event { return log[1:] },
			"event 2 does not follow from event 0 as it was written"},
		"an event is edited": {func(_ *recovery.Execution, log []recovery.Event) []recovery.Event { log[1].Message = "x"; return log },
			"event 2 does not follow from event 1 as it was written"},
		"an event is emptied": {func(_ *recovery.Execution, log []recovery.Event) []recovery.Event {
			log[2] = recovery.Event{}
			return log
		},
			"event 0 does not follow from event 2 as it was written"},
		"the last event is made anew": {func(_ *recovery.Execution, log []recovery.Event) []recovery.Event {
			log[3] = recovery.Event{Kind: recovery.EventRefused}.After(log[2].Ref())
			return log
		}, "event 4 is not the one that the execution knows as its last"},
		"an event is added": {func(_ *recovery.Execution, log []recovery.Event) []recovery.Event {
			return append(log, recovery.Event{Kind: recovery.EventRefused}.After(log[3].Ref()))
		}, "the log ends with event 5, and the execution's last is event 4: something was added"},
		"it is another execution's": {func(e *recovery.Execution, log []recovery.Event) []recovery.Event { e.ID = "exec-2"; return log },
			`event 1 is of execution "exec-1"`},
		"what it was opened with is gone": {func(e *recovery.Execution, log []recovery.Event) []recovery.Event { e.Waves = nil; return log },
			"event 1 opened the execution, and what it was opened with is gone"},
		"the attempt is gone": {func(e *recovery.Execution, log []recovery.Event) []recovery.Event { e.Attempts = nil; return log },
			"event 2 is of attempt 1 at wave 1, which is gone"},
		"the job is gone": {func(e *recovery.Execution, log []recovery.Event) []recovery.Event {
			e.Attempts[0].JobID = ""
			return log
		},
			`event 4 tells of job drsjob-1 of wave 1, and the record of job ""`},
	} {
		t.Run(name, func(t *testing.T) {
			e, log := recorded(t)
			err := e.CheckLog(c.edit(e, slices.Clone(log)))
			if want := "the record is damaged: " + c.want; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestAnExecutionThatIsNotThereYetHasNoLog(t *testing.T) {
	if err := new(recovery.Execution).CheckLog(nil); err != nil {
		t.Error(err)
	}
}

func TestAnAttemptThatDoesNotSayWhatItIsIsDamagedAndNotEmpty(t *testing.T) {
	e, _ := recorded(t)
	whole, err := json.Marshal(e.Attempts[0])
	if err != nil {
		t.Fatal(err)
	}
	key := recovery.AttemptKey{Execution: "exec-1", Wave: 1, Attempt: 1}
	if a, err := recovery.ReadAttempt(key, whole); err != nil || a.JobID != "drsjob-1" {
		t.Fatalf("the whole one is %+v, %v", a, err)
	}
	for record, want := range map[string]string{
		`{}`:   "attempt 1 at wave 1 says that it is attempt 0 at wave 0",
		`null`: "attempt 1 at wave 1 says that it is attempt 0 at wave 0",
		``:     "attempt 1 at wave 1: unexpected end of JSON input",
		`{"wave": 1, "attempt": 2, "state": "CLAIMED"}`: "attempt 1 at wave 1 says that it is attempt 2 at wave 1",
		`{"wave": 1, "attempt": 1}`:                     `attempt 1 at wave 1 has the state "", which there is not`,
		`{"wave": 1, "attempt": 1, "state": "DONE"}`:    `attempt 1 at wave 1 has the state "DONE", which there is not`,
		`{"wave": 1, "attempt": 1, "state": "REFUSED"}`: "attempt 1 at wave 1 was refused, and does not say why",
		string(whole[:len(whole)/2]):                    "attempt 1 at wave 1: unexpected end of JSON input",
	} {
		if _, err := recovery.ReadAttempt(key, []byte(record)); err == nil || err.Error() != "the record is damaged: "+want {
			t.Errorf("%s\ngot  %v\nwant %s", record, err, want)
		}
	}
}

func TestWhatAnExecutionWasOpenedWithIsThereOrDamaged(t *testing.T) {
	for _, record := range []string{`{}`, `null`, `{"waves": null}`, `{"waves"`} {
		e := recovery.Execution{ID: "exec-1"}
		if err := e.ReadOpened([]byte(record)); err == nil || !strings.HasPrefix(err.Error(), "the record is damaged: what execution exec-1 was opened with") {
			t.Errorf("%s: got %v", record, err)
		}
	}
	if err := new(recovery.Execution).ReadOpened(nil); err != nil {
		t.Errorf("an execution that nobody opened: %v", err)
	}
}
