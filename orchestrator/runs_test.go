package orchestrator_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"muster/orchestrator"
	"muster/recovery"
)

func TestOfManyThatResumeAtOnceOneMakesTheNextRun(t *testing.T) {
	inHouse(t, 1, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		h.begin(o, h.plan(1))
		var wait sync.WaitGroup
		for range 10 {
			wait.Go(func() {
				e, err := h.invocation(newProcess(), 0).NextRun(t.Context(), h.wave.Execution, 1, recovery.Request{By: "ops", RequestID: "request-7"})
				if err != nil || e.NewestRun() != 2 || e.RunName() != string(h.wave.Execution)+"-r2" {
					t.Errorf("got %+v, %v; want run 2", e, err)
				}
			})
		}
		wait.Wait()
		made := h.eventsOf(recovery.EventContinued)
		if len(made) != 1 || made[0].RequestID != "request-7" || !strings.Contains(made[0].Message, `"ops" has run`) {
			t.Errorf("got %+v, want one event that says who", made)
		}
	})
}

func TestOnlyTheEndOfTheNewestRunInterruptsAnExecution(t *testing.T) {
	inHouse(t, 1, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		id := h.wave.Execution
		h.begin(o, h.plan(1))
		stop := func(run int, want bool) *recovery.Execution {
			t.Helper()
			e, recorded, err := o.RunStopped(t.Context(), id, run, "it was stopped")
			if err != nil || recorded != want {
				t.Fatalf("the end of run %d: recorded %v, %v; want %v", run, recorded, err, want)
			}
			return e
		}
		if _, err := o.NextRun(t.Context(), id, 1, recovery.Request{By: "ops"}); err != nil {
			t.Fatal(err)
		}
		if e := stop(1, false); e.Interrupted != nil {
			t.Errorf("an older run's end interrupts it: %+v", e.Interrupted)
		}
		if _, err := o.Await(t.Context(), id, recovery.NewSecret("token"), 0); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if e := stop(2, true); e.Interrupted == nil || e.Interrupted.Reason != "it was stopped" || !e.TaskToken.IsZero() {
				t.Errorf("got %+v, want it interrupted, and no task that waits", e)
			}
		}
		if n := len(h.eventsOf(recovery.EventInterrupted)); n != 1 {
			t.Errorf("it was recorded %d times", n)
		}
		// Run 3 begins: it drives.
		if _, err := o.NextRun(t.Context(), id, 2, recovery.Request{By: "ops"}); err != nil {
			t.Fatal(err)
		}
		e := h.drive(o, func(recovery.Question) recovery.Choice { return recovery.Resume })
		if stop(3, false); e.Ended.Outcome != recovery.OutcomeCompleted {
			t.Errorf("the outcome is %+v", e.Ended)
		}
		if _, err := o.NextRun(t.Context(), id, 3, recovery.Request{By: "ops"}); err == nil || !strings.Contains(err.Error(), "is over") {
			t.Errorf("an execution that is over gets another run: %v", err)
		}
	})
}

func TestAnInterruptionWhoseTaskStillWaitsLosesItsToken(t *testing.T) {
	inHouse(t, 1, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		id := h.wave.Execution
		h.begin(o, h.plan(1))
		if _, err := o.Interrupt(t.Context(), id, "Lambda.Unknown"); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Await(t.Context(), id, recovery.NewSecret("token"), 0); err != nil {
			t.Fatal(err)
		}
		e, recorded, err := o.RunStopped(t.Context(), id, 1, "it was stopped")
		if err != nil || !recorded || e.Interrupted.Reason != "Lambda.Unknown" || !e.TaskToken.IsZero() {
			t.Errorf("got %+v, %v, %v; want the first reason, and no token", e, recorded, err)
		}
	})
}

func TestACleanUpIsAskedUntilNothingIsLeft(t *testing.T) {
	inHouse(t, 3, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		h.begin(o, h.plan(2, 1))
		h.drive(o, asksNobody(t))
		terminated := map[recovery.InstanceID]bool{}
		lefts := []int{}
		for {
			done, err := h.invocation(newProcess(), 0).Cleanup(t.Context(), orchestrator.Cleanup{Execution: h.wave.Execution, By: "ops", RequestID: "request-7"})
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range done.Terminated {
				if terminated[id] {
					t.Errorf("%s was terminated twice", id)
				}
				terminated[id] = true
			}
			if lefts = append(lefts, done.Left); done.Left+done.Gone != 3 || len(lefts) > 100 {
				t.Fatalf("%d left and %d gone, want 3 together; so far %v", done.Left, done.Gone, lefts)
			}
			if done.Left == 0 {
				break
			}
			time.Sleep(15 * time.Second)
		}
		if lefts[0] != 3 || len(lefts) < 3 || len(terminated) != 3 {
			t.Errorf("left were %v, terminated %v; want all three terminated, over several looks", lefts, terminated)
		}
		for _, ev := range h.eventsOf(recovery.EventCleaned) {
			if ev.RequestID != "request-7" {
				t.Errorf("%+v does not say by which request", ev)
			}
		}
	})
}
