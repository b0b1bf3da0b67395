package orchestrator_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/recovery"
)

// check holds a run that is over to what must be true of every run, whatever
// happened in it.
func (r *run) check() {
	r.t.Helper()
	e, err := r.h.store.Execution(r.t.Context(), r.h.wave.Execution)
	if err != nil {
		r.t.Fatal(err)
	}
	events := r.h.wantWholeLog(e)
	r.h.wantJobs(events)
	r.h.wantNoConflict()
	r.h.wantTerminations(e)
	if e.Waves != nil {
		if e.Ended == nil {
			r.t.Fatal("the execution has not ended")
		}
		r.h.wantFree(e)
	}
	r.names = named(e, events)
	if r.record, err = r.names.recordLike(e); err != nil {
		r.t.Fatal(err)
	}
	r.log = r.names.logLike(events)
}

// checkRecord holds the record of a single start to what happened.
func (h *house) checkRecord(id recovery.JobID) {
	h.t.Helper()
	e, err := h.store.Execution(h.t.Context(), h.wave.Execution)
	if err != nil {
		h.t.Fatal(err)
	}
	if a := e.Attempt(1); a == nil || a.State != recovery.Started || a.JobID != id {
		h.t.Errorf("the record is %+v, want STARTED with job %s", a, id)
	}
	h.wantWholeLog(e)
}

// wantWholeLog wants a chain of events without a gap, whose last one the
// record knows, and in it everything before it was done: each StartRecovery
// that was sent, and each change of a setting.
func (h *house) wantWholeLog(e *recovery.Execution) []recovery.Event {
	h.t.Helper()
	events, err := h.store.Events(h.t.Context(), e.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := e.CheckLog(events); err != nil {
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
	return events
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

// wantJobs wants one launch job for each attempt that was started: the one
// whose id is in the record.
func (h *house) wantJobs(events []recovery.Event) {
	h.t.Helper()
	var recorded, launched []string
	started := map[recovery.AttemptKey]bool{}
	for _, ev := range events {
		if ev.Kind != recovery.EventStarted && ev.Kind != recovery.EventAdopted {
			continue
		}
		key := recovery.AttemptKey{Wave: *ev.Wave, Attempt: ev.Attempt}
		if started[key] {
			h.t.Errorf("wave %d was started twice in attempt %d", *ev.Wave, ev.Attempt)
		}
		started[key] = true
		recorded = append(recorded, string(ev.JobID))
	}
	for _, c := range h.world.Calls() {
		for _, id := range c.Resources {
			if c.Operation == "StartRecovery" && c.Mutated && isOurs(c) && isJob(id) {
				launched = append(launched, id)
			}
		}
	}
	if !slices.Equal(launched, recorded) {
		h.t.Errorf("AWS was given the jobs %v, and the record knows of %v", launched, recorded)
	}
}

// wantTerminations wants no instance terminated that the execution did not
// launch, none twice, and none before the record says that it is to be.
func (h *house) wantTerminations(e *recovery.Execution) {
	h.t.Helper()
	terminated := map[string]int{}
	for _, c := range h.world.Calls() {
		if c.Operation != "TerminateRecoveryInstances" || !c.Mutated {
			continue
		}
		for _, id := range c.Resources {
			if !strings.HasPrefix(id, "i-") {
				continue
			}
			terminated[id]++
			if !h.announced.stood(id, c.Time) {
				h.t.Errorf("instance %s was terminated, and the record did not say so before", id)
			}
		}
	}
	want := map[string]int{}
	if len(terminated) > 0 {
		for _, l := range e.Launched() {
			want[string(l.Instance)] = 1
		}
	}
	if fmt.Sprint(terminated) != fmt.Sprint(want) {
		h.t.Errorf("terminated %v, want each instance of the execution once: %v", terminated, want)
	}
}

// checkHold wants an execution that is under way to hold its plan.
func (r *run) checkHold() {
	r.t.Helper()
	e, err := r.h.store.Execution(r.t.Context(), r.h.wave.Execution)
	if err != nil {
		r.t.Fatal(err)
	}
	if e.Waves == nil || e.Ended != nil {
		return
	}
	var held *recovery.PlanHeld
	if err := r.h.openAnother(e); !errors.As(err, &held) || held.By != e.ID {
		r.t.Errorf("the plan is not held by execution %s, which is under way: %v", e.ID, err)
	}
}

// wantFree wants an execution that has ended to have let go of its plan. It
// asks the store: to begin is possible in any case, for an execution that has
// ended would be made to let go.
func (h *house) wantFree(e *recovery.Execution) {
	h.t.Helper()
	if err := h.openAnother(e); err != nil {
		h.t.Errorf("the plan is not free after the execution's end: %v", err)
	}
}

// openAnother has the store open another execution of the same plan.
func (h *house) openAnother(e *recovery.Execution) error {
	other := recovery.Execution{ID: "another", Plan: e.Plan, Type: e.Type, Waves: e.Waves, Digest: e.Digest}
	return h.store.Commit(h.t.Context(), other.WithEvent(recovery.Event{At: time.Now(), Kind: recovery.EventOpened}))
}
