package recovery_test

import (
	"encoding/json"
	"fmt"
	"slices"
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
		At:   t0.Add(time.Duration(rapid.Int64().Draw(t, "at"))).In(time.FixedZone("zone", rapid.IntRange(-12*60*60, 12*60*60).Draw(t, "zone")/60*60)),
		Kind: recovery.EventKind(rapid.SampledFrom([]string{"CLAIMED", "NOTE"}).Draw(t, "kind")),
		Wave: rapid.IntRange(0, 9).Draw(t, "wave"), Attempt: rapid.IntRange(0, 9).Draw(t, "attempt"),
		Message: text.Draw(t, "message"), JobID: recovery.JobID(text.Draw(t, "job")),
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
		"another time":          func(log []recovery.Event, i int) []recovery.Event { log[i].At = log[i].At.Add(1); return log },
		"another kind":          func(log []recovery.Event, i int) []recovery.Event { log[i].Kind += "X"; return log },
		"another wave":          func(log []recovery.Event, i int) []recovery.Event { log[i].Wave++; return log },
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
