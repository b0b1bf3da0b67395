package orchestrator_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/event"
	"muster/orchestrator"
	"muster/recovery"
	"muster/simulator"
)

// cost counts what is asked of DynamoDB meanwhile: calls by their operation,
// and the items that are written.
func (s table) cost(do func()) map[string]int {
	before := len(s.db.Calls())
	do()
	cost := map[string]int{}
	for _, c := range s.db.Calls()[before:] {
		cost[c.Operation]++
		if c.Operation == "TransactWriteItems" {
			cost["items written"] += c.Items
		}
	}
	return cost
}

// costs runs a plan and tells what the beginning, one start and two polls of
// all its waves cost: one that sees something new in each, and one that does
// not.
func costs(t *testing.T, waves, servers int) (begin, start, news, nothing map[string]int) {
	synctest.Test(t, func(t *testing.T) {
		h := openOn(t, inTable, waves*servers, fleet(waves*servers, endless, nil), simulator.Options{})
		store := h.store.(table)
		o := h.starter(nil)
		o.Now = time.Now
		sizes := make([]int, waves)
		for i := range sizes {
			sizes[i] = servers
		}
		p := h.plan(sizes...)
		for i := range p.Waves {
			p.Waves[i].Independent = true
			for j := range p.Waves[i].Servers {
				p.Waves[i].Servers[j].LaunchConfig = nil // nothing is written
			}
		}
		begin = store.cost(func() { h.begin(o, p) })
		for n := 1; n < waves; n++ {
			h.startOne(o, n)
		}
		o = h.starter(nil) // a process that has read nothing yet
		o.Now = time.Now
		start = store.cost(func() { h.startOne(o, waves) })
		poll := func() {
			if _, err := o.Poll(t.Context(), orchestrator.Poll{Execution: h.wave.Execution}); err != nil {
				t.Fatal(err)
			}
		}
		poll()
		for e := h.record(); e.Attempts[0].Outcomes[0].Status != "LAUNCHED"; e = h.record() {
			time.Sleep(time.Minute)
			news = store.cost(poll)
		}
		nothing = store.cost(poll)
	})
	return begin, start, news, nothing
}

func (h *house) record() *recovery.Execution {
	h.t.Helper()
	e, err := h.store.Execution(h.t.Context(), h.wave.Execution)
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

func TestWhatTheRecordCostsGrowsWithWavesAndNotWithServers(t *testing.T) {
	for _, size := range []struct{ waves, servers int }{{1, 1}, {1, 100}, {10, 1}} {
		t.Run(fmt.Sprintf("%d waves of %d servers", size.waves, size.servers), func(t *testing.T) {
			begin, start, news, nothing := costs(t, size.waves, size.servers)
			for what, c := range map[string]struct{ got, want map[string]int }{
				"beginning":                    {begin, map[string]int{"Query": 1, "TransactWriteItems": 1, "items written": 4}},
				"starting a wave":              {start, map[string]int{"Query": 4, "TransactWriteItems": 3, "items written": 9}},
				"a poll that sees something":   {news, map[string]int{"Query": 1, "TransactWriteItems": size.waves, "items written": 3 * size.waves}},
				"a poll that sees nothing new": {nothing, map[string]int{"Query": 1}},
			} {
				if diff := cmp.Diff(c.want, c.got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", what, diff)
				}
			}
		})
	}
}

// An invocation of the function reads the record once, whatever was read by
// others of its process before: an orchestrator is made for each.
func TestAnInvocationReadsTheRecordOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openOn(t, inTable, 3, fleet(3, endless, nil), simulator.Options{})
		store, frozen := h.store.(table), new(orchestrator.FrozenPlans)
		plan := h.plan(3)
		state := string(event.StateOf(event.Opening{Plan: plan, Execution: h.wave.Execution,
			Type: h.wave.Type, InitiatedBy: h.wave.InitiatedBy, StartTime: h.wave.StartTime}))
		queries := func(action string) int {
			return store.cost(func() {
				o := h.starter(nil)
				o.Now, o.Frozen = time.Now, frozen
				answer, err := event.Handler{Starter: o, Now: time.Now}.Invoke(t.Context(), []byte(`{"action":`+action+`,"state":`+state+`}`))
				if err != nil || strings.Contains(string(answer), `"error"`) {
					t.Fatalf("%s, %v", answer, err)
				}
			})["Query"]
		}
		for _, c := range []struct {
			action string
			want   int
		}{
			{`"begin_execution"`, 1},
			{`"start_wave_recovery","wave_number":1`, 4}, // the plan, and twice what was recovered there
			{`"start_wave_recovery","wave_number":1`, 1},
			{`"poll_wave_status"`, 1},
			{`"poll_wave_status"`, 1},
		} {
			if got := queries(c.action); got != c.want {
				t.Errorf("%s costs %d queries, want %d", c.action, got, c.want)
			}
		}
	})
}
