package dynamo_test

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/dynamotest"
	"muster/recovery"
)

// noisyPlan is a plan that does not compress: it takes so many bytes.
func noisyPlan(size int) *recovery.Plan {
	p := &recovery.Plan{ID: "rp-1"}
	for size > 0 {
		w := recovery.PlannedWave{Wave: recovery.Wave{Number: len(p.Waves) + 1}}
		for range 100 {
			name := rand.Text() + rand.Text() + rand.Text() + rand.Text() // 65 bytes of noise
			w.Servers = append(w.Servers, recovery.Server{ID: "s-1", Hostname: name})
			size -= 65
		}
		p.Waves = append(p.Waves, w)
	}
	return p
}

func TestALargePlanIsKeptInPieces(t *testing.T) {
	s, d := opened(t)
	e := &recovery.Execution{ID: "exec-1", Plan: "rp-1", Waves: []recovery.WaveRecord{{Number: 1}}}
	c := e.WithEvent(recovery.Event{At: at, Kind: recovery.EventOpened})
	c.Frozen = noisyPlan(1_000_000)
	commit(t, s, c)
	transactions, items := writes(d.Calls())
	if transactions != 1 || items < 3+3 {
		t.Errorf("got %d transactions of %d items, want one, with at least three pieces", transactions, items)
	}
	got, err := s.Plan(t.Context(), "exec-1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.Frozen.Waves[0].Servers, got.Waves[0].Servers); diff != "" || len(got.Waves) != len(c.Frozen.Waves) {
		t.Errorf("%d waves, want %d; the first differs:\n%s", len(got.Waves), len(c.Frozen.Waves), diff)
	}
}

func TestWhatIsTooLargeIsNamed(t *testing.T) {
	s, _ := opened(t)
	e := begun(t, s)
	long := strings.Repeat("x", 400<<10)
	open := func(change func(*recovery.Change)) recovery.Change {
		other := &recovery.Execution{ID: "exec-2", Plan: "rp-2", Waves: []recovery.WaveRecord{{Number: 1}}}
		c := other.WithEvent(recovery.Event{At: at, Kind: recovery.EventOpened})
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		change recovery.Change
		want   string
	}{
		"an event":   {e.WithEvent(recovery.Event{At: at, Kind: recovery.EventNote, Message: long}), "EVENT#00000003 would be"},
		"an attempt": {e.With(recovery.Attempt{Wave: 2, Attempt: 1, JobID: recovery.JobID(long)}, nil), "WAVE#0002 would be"},
		"a header":   {open(func(c *recovery.Change) { c.Execution.Waves[0].Name = long }), "EXECUTION would be"},
		"a plan":     {open(func(c *recovery.Change) { c.Frozen = noisyPlan(5_000_000) }), "the plan is too large"},
	} {
		err := s.Commit(t.Context(), c.change)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %.300v, want %s", name, err, c.want)
		}
	}
	if after := read(t, s); after.Version != e.Version {
		t.Errorf("got version %d, want that nothing was written", after.Version)
	}
}

// writes counts transactions, and what they wrote.
func writes(calls []dynamotest.Call) (transactions, items int) {
	for _, c := range calls {
		if c.Operation == "TransactWriteItems" {
			transactions++
			items += c.Items
		}
	}
	return transactions, items
}

// What is done all the time costs the same however long the log is, how often
// waves were tried, and how many servers there are.
func TestTheCostOfTheRecordDoesNotGrowWithIt(t *testing.T) {
	s, d := opened(t)
	begun(t, s)
	cost := func() (operations map[string]int, items, found int) {
		before := len(d.Calls())
		e := read(t, s)
		commit(t, s, claiming(e, 1, "token-1"))
		operations = map[string]int{}
		for _, c := range d.Calls()[before:] {
			operations[c.Operation]++
			items += c.Items
			found += c.Found
		}
		return operations, items, found
	}
	operations, items, found := cost()
	if diff := cmp.Diff(map[string]int{"Query": 1, "TransactWriteItems": 1}, operations); diff != "" || items != 1+3 || found != 2 {
		t.Errorf("%d items, %d found; (-want +got)\n%s", items, found, diff)
	}
	for n := range 50 {
		e := read(t, s)
		a := recovery.Attempt{Wave: 2, Attempt: 1 + n/10, State: recovery.Started}
		for i := range 100 {
			a.Servers = append(a.Servers, recovery.SourceServerID(fmt.Sprintf("s-%017d", i)))
		}
		commit(t, s, e.With(a, &recovery.Event{At: at, Kind: recovery.EventProgress, Message: strings.Repeat("x", 30_000)}))
	}
	after, items, found := cost()
	if diff := cmp.Diff(operations, after); diff != "" || items != 1+3 || found != 3 {
		t.Errorf("with a log of 1.5 MB and four earlier attempts: %d items, %d found, want 4 and 3: the header and two waves\n%s", items, found, diff)
	}
}
