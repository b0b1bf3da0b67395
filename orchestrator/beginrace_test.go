package orchestrator_test

import (
	"errors"
	"sync"
	"testing"

	"muster/orchestrator"
	"muster/recovery"
)

// Whoever loses the race to open an execution is held to what the winner
// opened: a DRILL's record never answers a RECOVERY.
func TestADrillAndARecoveryBegunAtOnceUnderOneIDAreNotTakenForEachOther(t *testing.T) {
	inHouse(t, 1, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		kinds := []recovery.ExecutionType{recovery.Drill, recovery.Recovery}
		var wait sync.WaitGroup
		opened, errs := make([]*recovery.Execution, len(kinds)), make([]error, len(kinds))
		for i, kind := range kinds {
			wait.Go(func() {
				opened[i], errs[i] = o.Begin(t.Context(), orchestrator.Begin{Execution: h.wave.Execution, Plan: h.plan(1), Type: kind, StartTime: h.wave.StartTime, InitiatedBy: "ops"})
			})
		}
		wait.Wait()
		won := 0
		for i, kind := range kinds {
			var refused *recovery.Error
			switch {
			case errs[i] == nil && opened[i].Type == kind:
				won++
			case errs[i] == nil:
				t.Errorf("the %s got the record of a %s", kind, opened[i].Type)
			case !errors.As(errs[i], &refused) || refused.Code != recovery.ValidationError:
				t.Errorf("the %s: %v, want a VALIDATION_ERROR", kind, errs[i])
			}
		}
		if won != 1 {
			t.Errorf("%d executions were opened under one id, want 1", won)
		}
	})
}

// A recovery that is begun twice at once, by the same event, takes the plan
// from a drill once, and neither delivery is told that the other was faster.
func TestARecoveryBegunTwiceAtOnceTakesThePlanFromADrillOnce(t *testing.T) {
	inHouse(t, 1, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		h.begin(o, h.plan(1))
		var wait sync.WaitGroup
		errs := make([]error, 2)
		for i := range errs {
			wait.Go(func() {
				_, errs[i] = h.invocation(newProcess(), 0).Begin(t.Context(), orchestrator.Begin{Execution: "exec-2", Plan: h.plan(1), Type: recovery.Recovery, StartTime: h.wave.StartTime, InitiatedBy: "ops"})
			})
		}
		wait.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		if cancelled := h.eventsOf(recovery.EventCancelled); len(cancelled) != 1 {
			t.Errorf("the drill was cancelled %d times: %+v", len(cancelled), cancelled)
		}
	})
}
