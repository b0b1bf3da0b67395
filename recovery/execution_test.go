package recovery_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"muster/recovery"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func start() recovery.WaveStart {
	return recovery.WaveStart{
		Execution: "exec-123", Plan: "rp-456", Type: recovery.Drill, StartTime: "2025-01-31T15:30:00Z", InitiatedBy: "user@example.com",
		Wave: recovery.Wave{
			Number: 2, Name: "App Tier", Servers: []recovery.Server{{ID: "s-1"}, {ID: "s-2"}},
			Account: recovery.AccountContext{AccountID: "123456789012", Region: "us-east-1", RoleName: "DRSOrchestrationRole"},
		},
	}
}

func TestAnEventMustAgreeWithTheRecord(t *testing.T) {
	opened := start()
	record := opened.NewExecution()
	record.Version, record.Attempts = 1, []recovery.Attempt{opened.NewAttempt()}
	in := func(what, recorded, got string) string {
		return what + ` is "` + recorded + `" in the record of execution exec-123 and "` + got + `" in the event`
	}
	for name, c := range map[string]struct {
		change func(*recovery.WaveStart)
		want   []string
	}{
		"the same event": {func(*recovery.WaveStart) {}, nil},
		"a DRILL's record never answers a RECOVERY": {func(w *recovery.WaveStart) { w.Type = recovery.Recovery }, []string{in("executionType", "DRILL", "RECOVERY")}},
		"another plan":                 {func(w *recovery.WaveStart) { w.Plan = "rp-1" }, []string{in("planId", "rp-456", "rp-1")}},
		"another start time":           {func(w *recovery.WaveStart) { w.StartTime = "" }, []string{in("startTime", "2025-01-31T15:30:00Z", "")}},
		"another account":              {func(w *recovery.WaveStart) { w.Wave.Account.AccountID = "210987654321" }, []string{in("wave 2: accountId", "123456789012", "210987654321")}},
		"another region":               {func(w *recovery.WaveStart) { w.Wave.Account.Region = "us-west-2" }, []string{in("wave 2: region", "us-east-1", "us-west-2")}},
		"the servers in another order": {func(w *recovery.WaveStart) { w.Wave.Servers = []recovery.Server{{ID: "s-2"}, {ID: "s-1"}} }, nil},
		"another server":               {func(w *recovery.WaveStart) { w.Wave.Servers = []recovery.Server{{ID: "s-1"}, {ID: "s-3"}} }, []string{"wave 2: its servers differ from those in the record: s-2 is missing, s-3 is new"}},
		"a server less":                {func(w *recovery.WaveStart) { w.Wave.Servers = w.Wave.Servers[:1] }, []string{"wave 2: its servers differ from those in the record: s-2 is missing"}},
		"the role, the initiator and the wave's name": {func(w *recovery.WaveStart) {
			w.Wave.Account.RoleName, w.InitiatedBy, w.Wave.Name = "Other", "else", "else"
		}, nil},
		"another wave, of other servers, elsewhere": {func(w *recovery.WaveStart) {
			w.Wave.Number, w.Wave.Servers, w.Wave.Account.Region = 3, nil, "eu-west-1"
		}, nil},
		"another wave, and the execution is another one": {func(w *recovery.WaveStart) { w.Wave.Number, w.Plan = 3, "rp-1" }, []string{in("planId", "rp-456", "rp-1")}},
	} {
		t.Run(name, func(t *testing.T) {
			w := start()
			c.change(&w)
			if diff := cmp.Diff(c.want, record.Differences(&w)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestEveryDifferenceIsNamed(t *testing.T) {
	record := &recovery.Execution{ID: "exec-123", Version: 1, Plan: "a", Type: "b", StartTime: "c", Attempts: []recovery.Attempt{{Wave: 2, AccountID: "d", Region: "e", Servers: []recovery.SourceServerID{"f"}}}}
	w := start()
	if got := record.Differences(&w); len(got) != 6 {
		t.Errorf("got %d differences, want all 6:\n%s", len(got), strings.Join(got, "\n"))
	}
}

func TestAnExecutionThatIsNotRecordedContradictsNothing(t *testing.T) {
	w := start()
	if got := (&recovery.Execution{ID: "exec-123"}).Differences(&w); got != nil {
		t.Errorf("got %v", got)
	}
}

func TestAChangeCarriesItsEventChained(t *testing.T) {
	w := start()
	e := w.NewExecution()
	a := w.NewAttempt().Take("token-1", t0)
	c := e.With(a, &recovery.Event{At: t0, Kind: recovery.EventClaimed, Message: "claimed"})
	if c.Event.Number != 1 || *c.Event.Wave != 2 || c.Event.Attempt != 1 || c.Execution.LastEvent != c.Event.Ref() || c.Execution.Version != 0 {
		t.Errorf("got %+v, event %+v", c.Execution, c.Event)
	}
	if e.LastEvent != (recovery.EventRef{}) || e.Attempts != nil {
		t.Errorf("the execution that it was decided on changed: %+v", e)
	}
	e = &c.Execution
	second := e.With(a, &recovery.Event{At: t0, Kind: recovery.EventSent})
	third := second.Execution.With(a, nil)
	if third.Event != nil || third.Execution.LastEvent != second.Event.Ref() {
		t.Errorf("without an event: got %+v", third)
	}
	if err := recovery.CheckChain([]recovery.Event{*c.Event, *second.Event}); err != nil {
		t.Error(err)
	}
}

// Whoever has to find out whether a write of unknown outcome took effect
// compares what is read with what was to be written.
func TestAChangeHoldsTheAttemptExactlyAsItWillBeReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := recovery.Attempt{Wave: 1, Attempt: 1, Servers: []recovery.SourceServerID{"s-1"}}.Take(recovery.Token(text.Draw(t, "token")), time.Now())
		switch rapid.SampledFrom([]string{"claim", "start", "refuse"}).Draw(t, "step") {
		case "start":
			a = a.Start(&recovery.Job{ID: "drsjob-1", Servers: rapid.SampledFrom([][]recovery.SourceServerID{nil, {}, {"s-1"}}).Draw(t, "accepted")}, time.Now())
		case "refuse":
			a = a.Refuse(recovery.Errorf(recovery.DRSAPIError, "%s", text.Draw(t, "message")))
		}
		c := (&recovery.Execution{ID: "exec-1"}).With(a, nil)
		body, err := json.Marshal(c.Attempt)
		if err != nil {
			t.Fatal(err)
		}
		var read recovery.Attempt
		if err := json.Unmarshal(body, &read); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(read, *c.Attempt) {
			t.Fatalf("written %+v\nread    %+v", *c.Attempt, read)
		}
	})
}

func TestTheNewestAttemptIsFoundByItsWave(t *testing.T) {
	e := &recovery.Execution{Attempts: []recovery.Attempt{{Wave: 1, Attempt: 3}, {Wave: 4, Attempt: 1}}}
	if a := e.Attempt(4); a == nil || a.Attempt != 1 {
		t.Errorf("wave 4: got %+v", a)
	}
	if a := e.Attempt(2); a != nil {
		t.Errorf("wave 2: got %+v, want none", a)
	}
	e.Attempt(1).Token = "mine"
	if e.Attempts[0].Token != "mine" {
		t.Error("what is found is a copy")
	}
}
