package event_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/event"
	"muster/recovery"
)

// archive is a record of one execution that is as large as it has to be.
type archive struct {
	exec   recovery.Execution
	events []recovery.Event
	moves  int // how often the execution changes between two reads
}

func (a *archive) Execution(context.Context, recovery.ExecutionID) (*recovery.Execution, error) {
	if a.moves > 0 {
		a.moves--
		a.happens("it moves")
	}
	e := a.exec
	return &e, nil
}

func (a *archive) Events(context.Context, recovery.ExecutionID) ([]recovery.Event, error) {
	return slices.Clone(a.events), nil
}

func (a *archive) Plan(context.Context, recovery.ExecutionID) (*recovery.Plan, error) {
	return nil, nil
}

func (a *archive) Executions(context.Context, int) ([]recovery.Execution, error) {
	return []recovery.Execution{a.exec}, nil
}

func (a *archive) happens(message string) {
	c := a.exec.WithEvent(recovery.Event{At: dawn.Add(time.Duration(len(a.events)) * time.Second), Kind: recovery.EventNote, Message: message})
	attempts := a.exec.Attempts
	a.exec = c.Execution
	a.exec.Attempts = attempts
	a.exec.Version++
	a.events = append(a.events, *c.Event)
}

// largeRecord is an execution of so many waves of a hundred servers, of which the
// last one runs, and so many events.
func largeRecord(waves, events int) *archive {
	a := &archive{exec: recovery.Execution{ID: "exec-1", Plan: "rp-1", Type: recovery.Drill}}
	for n := range waves {
		a.exec.Waves = append(a.exec.Waves, recovery.WaveRecord{Number: n + 1, Servers: 100, TimeLimit: time.Hour})
		at := recovery.Attempt{Wave: n + 1, Attempt: 1, State: recovery.Started, StartedAt: dawn, JobID: "drsjob-1", JobOver: n+1 < waves}
		for i := range 100 {
			id := recovery.SourceServerID(fmt.Sprintf("s-%08d%09d", n, i))
			at.Servers = append(at.Servers, id)
			at.Outcomes = append(at.Outcomes, recovery.ServerOutcome{Server: id, Status: "LAUNCHED", Instance: recovery.InstanceID(fmt.Sprintf("i-%017d", i)), JobID: "drsjob-1", Note: strings.Repeat("x", 50)})
		}
		a.exec.Attempts = append(a.exec.Attempts, at)
	}
	for i := range events {
		a.happens(strings.Repeat("y", 5000) + fmt.Sprint(i))
	}
	return a
}

// look asks for the execution, whose answer must fit into one of Lambda's.
func (a *archive) look(t *testing.T, more ...string) (got struct {
	event.Overview
	Omitted     []int `json:"serverOutcomesOmitted"`
	EventsAfter int64 `json:"eventsAfter"`
}) {
	t.Helper()
	h := event.Handler{Starter: &region{book: book{exec: &a.exec, clock: dawn}}, Records: a, Now: func() time.Time { return dawn }}
	answer, err := h.Invoke(t.Context(), []byte(op("get_execution", append([]string{exec1}, more...)...)))
	if err != nil {
		t.Fatal(err)
	}
	if len(answer) > 5<<20 {
		t.Fatalf("the answer has %d bytes", len(answer))
	}
	if err := json.Unmarshal(answer, &got); err != nil || got.ID != "exec-1" {
		t.Fatalf("%v in %.300s", err, answer)
	}
	return got
}

func TestALargeExecutionIsToldInParts(t *testing.T) {
	a := largeRecord(300, 1500)
	got := a.look(t)
	if len(got.Waves) != 300 || len(got.Waves[299].Fates) != 100 || slices.Contains(got.Omitted, 300) || len(got.Omitted) == 0 {
		t.Errorf("%d waves; servers were left out of %v; want all waves, and those that are over left out first", len(got.Waves), got.Omitted)
	}
	for _, n := range got.Omitted {
		if w := got.Waves[n-1]; len(w.Fates) != 0 || w.Launched != 100 {
			t.Errorf("wave %d is said to be left out: %+v", n, w)
		}
	}
	one := a.look(t, fmt.Sprintf(`"waveNumber": %d`, got.Omitted[0]))
	if len(one.Waves) != 1 || one.Waves[0].Number != got.Omitted[0] || len(one.Waves[0].Fates) != 100 || one.Omitted != nil {
		t.Errorf("asked for one wave: %d waves, left out %v", len(one.Waves), one.Omitted)
	}

	numbers := []int64{}
	for after, asked := int64(0), 0; ; asked++ {
		part := a.look(t, `"waveNumber": 1`, fmt.Sprintf(`"eventsAfter": %d`, after))
		for _, ev := range part.Events {
			numbers = append(numbers, ev.Number)
		}
		if after = part.EventsAfter; after == 0 {
			if asked == 0 {
				t.Error("all events came at once")
			}
			break
		}
	}
	for i, n := range numbers {
		if n != int64(i+1) {
			t.Fatalf("event %d is told in place %d", n, i+1)
		}
	}
	if len(numbers) != 1500 {
		t.Errorf("%d events were told, want 1500", len(numbers))
	}
}

func TestASmallExecutionIsToldWhole(t *testing.T) {
	got := largeRecord(30, 100).look(t)
	if got.Omitted != nil || got.EventsAfter != 0 || len(got.Events) != 100 || got.Damage != "" {
		t.Errorf("left out %v, events after %d, %d events, damage %q", got.Omitted, got.EventsAfter, len(got.Events), got.Damage)
	}
	if got := largeRecord(3, 5).look(t, `"eventsAfter": 5`); len(got.Events) != 0 {
		t.Errorf("got %d events behind the last", len(got.Events))
	}
}

func TestAnExecutionIsToldAsOfOneVersionAndOneThatWasEditedAsDamaged(t *testing.T) {
	a := largeRecord(1, 3)
	a.moves = 5
	if got := a.look(t); got.Damage != "" || len(got.Events) < 4 {
		t.Errorf("damage %q, %d events", got.Damage, len(got.Events))
	}
	a.events[1].Message = "forged"
	if got := a.look(t); !strings.Contains(got.Damage, "event 2") {
		t.Errorf("damage %q", got.Damage)
	}
}

func TestAWaveThatThereIsNotIsNotFound(t *testing.T) {
	h := atTheGate(t)
	golden(t, "operations/no-such-wave", h.ask(op("get_execution", exec1, `"waveNumber": 9`)))
}
