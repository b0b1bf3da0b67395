package recoverytest

import (
	"fmt"
	"slices"
	"strings"

	"muster/recovery"
)

// logPromises are about the log of events.
var logPromises = []promise{
	{"events come in order, without gaps, chained, however many there are", func(h *house) {
		const count = 60
		text := strings.Repeat("x", 20_000) // together longer than a page of 1 MB
		var want []string
		for i := range count {
			e := h.read(h.store, execution)
			c := e.With(hundredServers(1), happened(recovery.EventNote, now, fmt.Sprint(i, text)))
			h.commit(h.store, c)
			want = append(want, c.Event.Hash)
		}
		var got []string
		log := h.events(h.open(), execution)
		for _, ev := range log {
			got = append(got, ev.Hash)
		}
		if !slices.Equal(got, want) {
			h.Fatalf("got %d events, want the %d that were written, in their order", len(got), count)
		}
		same(h, "the execution's last event", h.read(h.store, execution).LastEvent, log[count-1].Ref())
	}},
	{"a change without an event leaves the log as it is", func(h *house) {
		e := h.claim(h.store, 1, "token-1", now)
		log := h.events(h.store, execution)
		h.commit(h.store, e.With(e.Attempt(1).Renew(now), nil))
		same(h, "log", h.events(h.store, execution), log)
		h.claim(h.store, 1, "token-1", now)
		same(h, "number of events after the next", len(h.events(h.store, execution)), 2)
	}},
	{"a log that was tampered with is found out", func(h *house) {
		for wave := range 5 {
			h.claim(h.store, wave+1, "token-1", now)
		}
		for what, tamper := range map[string]func(log []recovery.Event) []recovery.Event{
			"a message rewritten":  func(log []recovery.Event) []recovery.Event { log[2].Message += "!"; return log },
			"a time moved":         func(log []recovery.Event) []recovery.Event { log[2].At = log[2].At.Add(1); return log },
			"an event removed":     func(log []recovery.Event) []recovery.Event { return slices.Delete(log, 2, 3) },
			"the beginning cut":    func(log []recovery.Event) []recovery.Event { return log[1:] },
			"the end cut":          func(log []recovery.Event) []recovery.Event { return log[:4] },
			"two events swapped":   func(log []recovery.Event) []recovery.Event { log[2], log[3] = log[3], log[2]; return log },
			"one event twice":      func(log []recovery.Event) []recovery.Event { return slices.Insert(log, 2, log[2]) },
			"a hash made to match": func(log []recovery.Event) []recovery.Event { log[2] = log[2].After(log[0].Ref()); return log },
		} {
			if h.read(h.store, execution).CheckLog(tamper(h.events(h.store, execution))) == nil {
				h.Errorf("%s: CheckLog found nothing", what)
			}
		}
	}},
}
