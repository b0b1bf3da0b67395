package orchestrator_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/orchestrator"
	"muster/recovery"
)

func TestAnAccountThatRefusesKeepsNoOtherFromBeingCleanedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, o := apart(t, recovery.PauseOnFailure)
		h.drive(o, asksNobody(t))
		h.control("POST", "Refuse:operation=DescribeRecoveryInstances,code=AccessDeniedException,status=403,account="+target)
		var done *orchestrator.Cleaned
		var err error
		for range 100 {
			if done, err = o.Cleanup(t.Context(), orchestrator.Cleanup{Execution: h.wave.Execution, By: "ops"}); err != nil {
				break
			}
			time.Sleep(time.Minute)
		}
		var refused *recovery.Error
		if !errors.As(err, &refused) || !strings.Contains(refused.Message, target) || !strings.Contains(refused.Message, "AccessDenied") || done.Left != 0 {
			t.Fatalf("it ends with %v and %+v", err, done)
		}
		if n := h.count("TerminateRecoveryInstances"); n != 1 {
			t.Errorf("TerminateRecoveryInstances was called %d times for the other account", n)
		}
		h.control("DELETE", "")
		done, err = cleanUntilDone(t.Context(), o, orchestrator.Cleanup{Execution: h.wave.Execution, By: "ops"})
		if err != nil || len(done.Terminated) != 1 || done.Gone != 2 {
			t.Errorf("once the account answers: %+v, %v", done, err)
		}
	})
}

func TestABeginTellsOfEveryAccountThatRefusesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, o := apart(t, recovery.PauseOnFailure)
		p := h.plan(1, 1, 1)
		p.ID = "rp-other"
		for i := range p.Waves {
			p.Waves[i].Servers, p.Waves[i].Tags = nil, map[string]string{"tier": "database"}
		}
		p.Waves[1].Account.AccountID = secondAccount
		h.control("POST", "Refuse:operation=DescribeSourceServers,code=AccessDeniedException,status=403")
		_, err := o.Begin(t.Context(), orchestrator.Begin{Execution: "exec-other", Plan: p, Type: recovery.Drill, StartTime: "t", InitiatedBy: "ops"})
		var refused *recovery.Error
		if !errors.As(err, &refused) || !strings.Contains(refused.Message, target) || !strings.Contains(refused.Message, secondAccount) {
			t.Errorf("got %v", err)
		}
	})
}

// unreadable is a store in which somebody has cut the records of some executions.
type unreadable struct {
	recovery.ExecutionStore
	cut map[recovery.ExecutionID]bool
}

func (s unreadable) Execution(ctx context.Context, id recovery.ExecutionID) (*recovery.Execution, error) {
	if s.cut[id] {
		return nil, fmt.Errorf("reading execution %s: %w", id, recovery.ErrDamaged)
	}
	return s.ExecutionStore.Execution(ctx, id)
}

func (s unreadable) Recovered(context.Context, recovery.Place, []recovery.SourceServerID) ([]recovery.Recovered, error) {
	return []recovery.Recovered{{Execution: "exec-cut", Damage: "it was cut"}}, nil
}

func TestARecordThatCannotBeReadKeepsNoOtherFromAnything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, o := apart(t, recovery.PauseOnFailure)
		var told []string
		o.Observe = func(_ recovery.ExecutionID, ev recovery.Event) { told = append(told, ev.Message) }
		cut := h.wave.Execution
		o.Executions = unreadable{o.Executions, map[recovery.ExecutionID]bool{cut: true}}
		h.wave.Execution = "exec-2"
		h.begin(o, h.plan(1)) // of a plan that the cut one holds
		if opened := h.eventsOf(recovery.EventOpened); !strings.Contains(opened[0].Message, string(cut)) || !strings.Contains(opened[0].Message, "cannot be read") {
			t.Errorf("it was opened with %q", opened[0].Message)
		}
		if e := h.drive(o, asksNobody(t)); e.Ended.Outcome != recovery.OutcomeCompleted {
			t.Errorf("it ended %+v", e.Ended)
		}
		if _, err := cleanUntilDone(t.Context(), o, orchestrator.Cleanup{Execution: h.wave.Execution, By: "ops"}); err != nil {
			t.Error(err)
		}
		all := strings.Join(told, "\n")
		for _, want := range []string{"what execution exec-cut has recovered here cannot be read", "whether execution " + string(cut) + " is under way"} {
			if !strings.Contains(all, want) {
				t.Errorf("nobody is told: %s", want)
			}
		}
	})
}
