package orchestrator_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/orchestrator"
	"muster/recovery"
	"muster/simulator"
)

// slowAWS answers so slowly that preparing a wave outlasts the renewal of its
// lease, so that renewals are among the points.
var slowAWS = simulator.Options{Latency: 2 * time.Second}

// undisturbed records one start that nothing disturbs: its calls, which are
// the points where others are killed, and its answer.
func undisturbed(t *testing.T) (calls []call, answer *orchestrator.Started) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 2, fleet(2, "", nil), slowAWS)
		p := newProcess()
		var err error
		if answer, err = h.invocation(p, 0).StartWave(t.Context(), h.wave); err != nil {
			t.Fatal(err)
		}
		calls = p.calls
	})
	return calls, answer
}

func TestKilledBeforeOrAfterAnyCallAWaveHasOneJobAndItsIDIsKnown(t *testing.T) {
	calls, want := undisturbed(t)
	points := 0
	for _, stop := range calls {
		for _, after := range []bool{false, true} {
			for _, deliveries := range []int{1, 2} {
				points++
				when := map[bool]string{false: "before", true: "after"}[after]
				t.Run(fmt.Sprintf("%s %s, delivered again %d×", when, stop, deliveries), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { crashAndRedeliver(t, stop, after, deliveries, want) })
				})
			}
		}
	}
	if points < 80 {
		t.Errorf("only %d crash points were found: the recorded run is not a whole one", points)
	}
	t.Logf("%d crash points (%d calls, before and after, delivered again once and twice)", points, len(calls))
}

func crashAndRedeliver(t *testing.T, stop call, after bool, deliveries int, want *orchestrator.Started) {
	h := open(t, 2, fleet(2, "", nil), slowAWS)
	first := newProcess()
	first.stop, first.after = stop, after
	var wait sync.WaitGroup
	defer wait.Wait()
	defer close(first.buried)
	wait.Go(func() { h.invocation(first, 0).StartWave(t.Context(), h.wave) })
	for !first.killed() {
		time.Sleep(time.Second)
		synctest.Wait()
	}
	died := time.Now()

	answers := make([]*orchestrator.Started, deliveries)
	errs := make([]error, deliveries)
	var again sync.WaitGroup
	for i := range deliveries {
		again.Go(func() {
			answers[i], errs[i] = h.invocation(newProcess(), 0).StartWave(t.Context(), h.wave)
		})
	}
	again.Wait()
	took := time.Since(died)

	job := h.onlyJob()
	same := *want
	same.JobID = job // its number depends on what was sent before
	for i := range deliveries {
		if errs[i] != nil {
			t.Fatalf("delivery %d: %v", i+1, errs[i])
		}
		if diff := cmp.Diff(&same, answers[i]); diff != "" {
			t.Errorf("delivery %d answers differently from an undisturbed run (-want +got):\n%s", i+1, diff)
		}
	}
	h.checkRecord(job)
	// What a killed invocation may cost the next one: the lease where nothing
	// was sent, the call's deadline and the grace where something may have been.
	// The start's own work comes on top.
	limit := recovery.Lease + time.Minute
	if h.sentEvents() > 0 && first.wasSent() {
		limit = recovery.SendTimeout + recovery.Grace + time.Minute
	}
	if took > limit {
		t.Errorf("the next invocation took %s, more than %s", took, limit)
	}
}

// wasSent says whether the process came as far as marking the wave SENT.
func (p *process) wasSent() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count["store SENT"] > 0
}

func (h *house) sentEvents() int {
	events, err := h.store.Events(h.t.Context(), h.wave.Execution)
	if err != nil {
		h.t.Fatal(err)
	}
	n := 0
	for _, ev := range events {
		if ev.Kind == recovery.EventSent {
			n++
		}
	}
	return n
}

// checkRecord holds the record to what happened: the job's id, a chain of
// events without a gap, and no setting changed that was not announced.
func (h *house) checkRecord(id recovery.JobID) {
	h.t.Helper()
	exec, err := h.store.Execution(h.t.Context(), h.wave.Execution)
	if err != nil {
		h.t.Fatal(err)
	}
	if a := exec.Attempt(1); a == nil || a.State != recovery.Started || a.JobID != id {
		h.t.Errorf("the record is %+v, want STARTED with job %s", a, id)
	}
	events, err := h.store.Events(h.t.Context(), h.wave.Execution)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := recovery.CheckChain(events); err != nil {
		h.t.Error(err)
	}
	announced := map[string]time.Time{}
	for _, ev := range events {
		for _, s := range ev.Changes {
			for _, c := range s.Changes {
				key := map[recovery.Home]string{recovery.InDRS: string(s.Server), recovery.InTemplate: s.TemplateID}[c.Setting.Home()]
				if _, known := announced[key]; !known {
					announced[key] = ev.At
				}
			}
		}
	}
	for _, c := range h.world.Calls() {
		if !c.Mutated || !slices.Contains([]string{"UpdateLaunchConfiguration", "CreateLaunchTemplateVersion", "ModifyLaunchTemplate"}, c.Operation) {
			continue
		}
		if !slices.ContainsFunc(c.Resources, func(id string) bool { at, known := announced[id]; return known && !at.After(c.Time) }) {
			h.t.Errorf("%s of %v was not announced in the record before it was made", c.Operation, c.Resources)
		}
	}
}
