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

// crashHouse is what the points are found and tried in. AWS answers so slowly
// that preparing a wave outlasts the renewal of its lease, so that renewals
// are among the points; its lists of jobs lag; and another party's job, begun
// just before ours, is there to be mistaken for it.
func crashHouse(t *testing.T) *house {
	h := open(t, 2, fleet(3, "", nil), simulator.Options{
		Latency: 2 * time.Second,
		Faults:  []simulator.Fault{{Name: simulator.LagJobList, Duration: simulator.Duration(50 * time.Second)}},
	})
	h.othersJob(serverID(3))
	time.Sleep(time.Minute)
	return h
}

// undisturbed records one start that nothing disturbs: its calls, which are
// the points where others are disturbed, and its answer.
func undisturbed(t *testing.T) (calls []call, answer *orchestrator.Started) {
	synctest.Test(t, func(t *testing.T) {
		h := crashHouse(t)
		p := newProcess()
		var err error
		if answer, err = h.invocation(p, 0).StartWave(t.Context(), h.wave); err != nil {
			t.Fatal(err)
		}
		calls = p.calls
	})
	return calls, answer
}

func TestDisturbedAtAnyCallAWaveHasOneJobAndItsIDIsKnown(t *testing.T) {
	calls, want := undisturbed(t)
	points := 0
	for _, stop := range calls {
		for _, how := range []disturbance{killedBefore, killedAfter, answerLost} {
			for _, deliveries := range []int{1, 2} {
				points++
				t.Run(fmt.Sprintf("%s %s, delivered again %d×", how, stop, deliveries), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { disturbAndRedeliver(t, stop, how, deliveries, want) })
				})
			}
		}
	}
	if points < 120 {
		t.Errorf("only %d crash points were found: the recorded run is not a whole one", points)
	}
	t.Logf("%d crash points: %d calls, killed before, killed after, answer lost; delivered again once and twice at once", points, len(calls))
}

func disturbAndRedeliver(t *testing.T, stop call, how disturbance, deliveries int, want *orchestrator.Started) {
	h := crashHouse(t)
	first := newProcess()
	first.stop, first.how = stop, how
	var wait sync.WaitGroup
	defer wait.Wait()
	defer close(first.buried)
	over := make(chan struct{})
	wait.Go(func() {
		h.invocation(first, 0).StartWave(t.Context(), h.wave)
		close(over)
	})
	for !first.killed() {
		select {
		case <-over: // it lived to see the end
			first.dead = true
		case <-time.After(time.Second):
			synctest.Wait()
		}
	}
	died := time.Now()

	// Those who get it next have clocks two minutes apart, so that one takes over
	// while the other still waits; or the same clock, so that both try at once.
	apart := recovery.ClockSkew
	if how == killedAfter {
		apart = 0
	}
	answers := make([]*orchestrator.Started, deliveries)
	errs := make([]error, deliveries)
	var again sync.WaitGroup
	for i := range deliveries {
		again.Go(func() {
			skew := time.Duration(i) * apart
			answers[i], errs[i] = h.invocation(newProcess(), skew).StartWave(t.Context(), h.wave)
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
	h.wantNoConflict()
	// What a killed invocation may cost the next one: the lease where nothing
	// was sent, the call's deadline and the grace where something may have been.
	// The start's own work comes on top.
	limit := recovery.Lease + time.Minute
	if first.wasSent() {
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
	if err := exec.CheckLog(events); err != nil {
		h.t.Error(err)
	}
	sent := 0
	for _, ev := range events {
		if ev.Kind == recovery.EventSent {
			sent++
		}
	}
	for _, c := range h.world.Calls() {
		if c.Operation == "StartRecovery" && isOurs(c) {
			sent--
		}
		if !c.Mutated || !slices.Contains([]string{"UpdateLaunchConfiguration", "CreateLaunchTemplateVersion", "ModifyLaunchTemplate"}, c.Operation) {
			continue
		}
		if !slices.ContainsFunc(c.Resources, func(id string) bool { return h.announced.stood(id, c.Time) }) {
			h.t.Errorf("%s of %v was not announced in the record before it was made", c.Operation, c.Resources)
		}
	}
	if sent < 0 {
		h.t.Errorf("StartRecovery was called %d times more often than the record says it might have been", -sent)
	}
}

// wantNoConflict says that StartRecovery was never sent while our own job was there.
func (h *house) wantNoConflict() {
	h.t.Helper()
	for _, c := range h.world.Calls() {
		if c.Operation == "StartRecovery" && c.Code == "ConflictException" {
			h.t.Error("StartRecovery was sent once more while the job ran: only AWS prevented a second launch")
		}
	}
}
