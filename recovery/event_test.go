package recovery_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/recovery"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// text is any text, and bytes that are none.
var text = rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))

var events = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) recovery.Event {
	ev := recovery.Event{
		At:      t0.Add(time.Duration(rapid.Int64().Draw(t, "at"))).In(time.FixedZone("zone", rapid.IntRange(-12*60*60, 12*60*60).Draw(t, "zone")/60*60)),
		Kind:    recovery.EventKind(rapid.SampledFrom([]string{"CLAIMED", "NOTE"}).Draw(t, "kind")),
		Attempt: rapid.IntRange(0, 9).Draw(t, "attempt"),
		Message: text.Draw(t, "message"), JobID: recovery.JobID(text.Draw(t, "job")),
	}
	if rapid.Bool().Draw(t, "of a wave") {
		ev.Wave = new(rapid.IntRange(0, 9).Draw(t, "wave"))
	}
	if rapid.Bool().Draw(t, "excluded") {
		ev.Excluded = []recovery.SourceServerID{"s-1"}
	}
	if rapid.Bool().Draw(t, "changes") {
		ev.Changes = []recovery.ServerChange{{Server: "s-1", TemplateID: text.Draw(t, "template"), Changes: []recovery.SettingChange{
			{Setting: recovery.Subnet, Old: text.Draw(t, "old"), New: []string{text.Draw(t, "new")}},
		}}}
	}
	return ev
}), 1, 6)

func chain(events []recovery.Event) []recovery.Event {
	var last recovery.EventRef
	for i := range events {
		events[i] = events[i].After(last)
		last = events[i].Ref()
	}
	return events
}

func TestALogHoldsAsItIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := chain(events.Draw(t, "events"))
		body, err := json.Marshal(log)
		if err != nil {
			t.Fatal(err)
		}
		var read []recovery.Event
		if err := json.Unmarshal(body, &read); err != nil {
			t.Fatal(err)
		}
		if err := recovery.CheckChain(read); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(log, read); diff != "" {
			t.Fatalf("-written +read:\n%s", diff)
		}
		for i, ev := range read {
			if ev.Number != int64(i+1) {
				t.Fatalf("event %d has number %d", i+1, ev.Number)
			}
		}
	})
}

func TestWhateverIsDoneToALogIsFound(t *testing.T) {
	tampering := map[string]func(log []recovery.Event, i int) []recovery.Event{
		"another time": func(log []recovery.Event, i int) []recovery.Event { log[i].At = log[i].At.Add(1); return log },
		"another kind": func(log []recovery.Event, i int) []recovery.Event { log[i].Kind += "X"; return log },
		"another wave": func(log []recovery.Event, i int) []recovery.Event {
			wave, _ := log[i].About()
			log[i].Wave = new(wave + 1)
			return log
		},
		"wave 0 instead of none, or none": func(log []recovery.Event, i int) []recovery.Event {
			if log[i].Wave == nil {
				log[i].Wave = new(0)
			} else {
				log[i].Wave = nil
			}
			return log
		},
		"a server left out": func(log []recovery.Event, i int) []recovery.Event {
			log[i].Excluded = append(log[i].Excluded, "s-9")
			return log
		},
		"another attempt":       func(log []recovery.Event, i int) []recovery.Event { log[i].Attempt++; return log },
		"another message":       func(log []recovery.Event, i int) []recovery.Event { log[i].Message += " "; return log },
		"another job":           func(log []recovery.Event, i int) []recovery.Event { log[i].JobID += "1"; return log },
		"another number":        func(log []recovery.Event, i int) []recovery.Event { log[i].Number++; return log },
		"another hash":          func(log []recovery.Event, i int) []recovery.Event { log[i].Hash = log[i].Hash[1:] + "0"; return log },
		"another previous hash": func(log []recovery.Event, i int) []recovery.Event { log[i].Previous += "0"; return log },
		"a change more": func(log []recovery.Event, i int) []recovery.Event {
			log[i].Changes = append(slices.Clone(log[i].Changes), recovery.ServerChange{})
			return log
		},
		"one of them twice": func(log []recovery.Event, i int) []recovery.Event { return slices.Insert(log, i, log[i]) },
		"one of them gone":  func(log []recovery.Event, i int) []recovery.Event { return slices.Delete(log, i, i+1) },
		"one of them made anew": func(log []recovery.Event, i int) []recovery.Event {
			log[i].Message += "!"
			log[i] = log[i].After(recovery.EventRef{Number: log[i].Number - 1, Hash: log[i].Previous})
			return log
		},
		"the beginning of it cut": func(log []recovery.Event, i int) []recovery.Event { return log[i+1:] },
	}
	for name, tamper := range tampering {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				log := append(chain(events.Draw(t, "events")), recovery.Event{})
				last := len(log) - 1
				log[last] = recovery.Event{At: t0, Kind: recovery.EventNote}.After(log[last-1].Ref())
				// The last event has none behind it that would tell.
				if tampered := tamper(log, rapid.IntRange(0, last-1).Draw(t, "i")); recovery.CheckChain(tampered) == nil {
					t.Fatalf("nothing was found in %+v", tampered)
				}
			})
		})
	}
}

func TestTheChainSaysWhereItBreaks(t *testing.T) {
	log := chain([]recovery.Event{{At: t0}, {At: t0}, {At: t0}, {At: t0}})
	log[2].Message = "rewritten"
	if err := recovery.CheckChain(log); fmt.Sprint(err) != "event 3 does not follow from event 2 as it was written" {
		t.Errorf("got %v", err)
	}
	if err := recovery.CheckChain(nil); err != nil {
		t.Errorf("an empty log: %v", err)
	}
}

// before is a log as versions wrote it that left a wave's number out where it
// was 0.
const before = `[
	{"number":1,"at":"2026-11-24T03:00:00Z","kind":"OPENED","execution":"exec-1","message":"opened","hash":"6c5f8991ca88ec986133065a0f995ef8566caf2a277f6610780443987bdeaced"},
	{"number":2,"at":"2026-11-24T03:00:01Z","kind":"CLAIMED","execution":"exec-1","attempt":1,"message":"starting wave 0 with 1 server","previous":"6c5f8991ca88ec986133065a0f995ef8566caf2a277f6610780443987bdeaced","hash":"dd76685c1d3e3c7743a37ff3eb7a4baf41e3f81b44966ccf34508a5859f6d2a3"},
	{"number":3,"at":"2026-11-24T03:00:02Z","kind":"STARTED","execution":"exec-1","wave":2,"attempt":1,"message":"started","jobId":"drsjob-2","previous":"dd76685c1d3e3c7743a37ff3eb7a4baf41e3f81b44966ccf34508a5859f6d2a3","hash":"aca0941e98e4316288eb6c70b19fed496b65b042fbd76fc7e54f11d27649e028"}
]`

func TestALogOfBeforeHoldsAndItsAttemptsTellOfWaveZero(t *testing.T) {
	var log []recovery.Event
	if err := json.Unmarshal([]byte(before), &log); err != nil {
		t.Fatal(err)
	}
	if err := recovery.CheckChain(log); err != nil {
		t.Fatal(err)
	}
	var about []string
	for _, ev := range log {
		wave, is := ev.About()
		about = append(about, fmt.Sprint(wave, is))
	}
	if diff := cmp.Diff([]string{"0 false", "0 true", "2 true"}, about); diff != "" {
		t.Error(diff)
	}
	e := &recovery.Execution{ID: "exec-1", Waves: []recovery.WaveRecord{{}}, LastEvent: log[2].Ref(), Attempts: []recovery.Attempt{{Wave: 2, Attempt: 1, JobID: "drsjob-2"}}}
	if err := e.CheckLog(log); !errors.Is(err, recovery.ErrDamaged) {
		t.Errorf("the attempt at wave 0 is gone: %v", err)
	}
	e.Attempts = append(e.Attempts, recovery.Attempt{Attempt: 1})
	if err := e.CheckLog(log); err != nil {
		t.Error(err)
	}
}

func TestAnEventAboutWaveZeroSaysSo(t *testing.T) {
	c := (&recovery.Execution{ID: "exec-1"}).With(recovery.Attempt{Attempt: 1}, &recovery.Event{At: t0})
	whole := c.Execution.WithEvent(recovery.Event{At: t0})
	for want, ev := range map[string]*recovery.Event{`"wave":0,`: c.Event, `"execution":"exec-1","message"`: whole.Event} {
		if body, err := json.Marshal(ev); err != nil || !strings.Contains(string(body), want) {
			t.Errorf("%s, %v: want %s", body, err, want)
		}
	}
}
