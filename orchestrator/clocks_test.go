package orchestrator_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"muster/recovery"
	"muster/simulator"
)

// dozing is a store in whose process the machine sleeps just after SENT was
// written: the time of day goes on, and timers do not.
type dozing struct {
	recovery.ExecutionStore
	slept *atomic.Int64
}

func (s dozing) Commit(ctx context.Context, c recovery.Change) error {
	err := s.ExecutionStore.Commit(ctx, c)
	if err == nil && c.Event != nil && c.Event.Kind == recovery.EventSent {
		s.slept.Store(int64(6 * time.Minute))
	}
	return err
}

func TestAMachineThatSleptAfterItsMarkSendsNothingLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := burning(t)
		var slept atomic.Int64
		o := h.invocation(newProcess(), 0)
		o.Executions = dozing{o.Executions, &slept}
		o.Now = func() time.Time { return time.Now().Add(time.Duration(slept.Load())) }
		if _, err := o.StartWave(t.Context(), h.wave); !errors.Is(err, recovery.ErrNoTime) {
			t.Errorf("got %v, want %v", err, recovery.ErrNoTime)
		}
		if n := h.count("StartRecovery"); n != 0 {
			t.Fatalf("StartRecovery was sent %d times, minutes after its deadline: somebody else may have sent it meanwhile", n)
		}
		started, err := h.invocation(newProcess(), time.Duration(slept.Load())).StartWave(t.Context(), h.wave)
		if err != nil {
			t.Fatal(err)
		}
		if job := h.onlyJob(); started.JobID != job {
			t.Errorf("got job %s, want %s", started.JobID, job)
		}
	})
}

// Jobs are looked for from before our own clock says that we sent: it may be
// ahead of AWS's. Here only the list of jobs can tell.
func TestAJobIsFoundThoughOurClockIsAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := burning(t, "DropAnswerAfter:operation=StartRecovery,times=1", "Error500Before:operation=DescribeSourceServers,after=2")
		started, err := h.invocation(newProcess(), recovery.ClockSkew).StartWave(t.Context(), h.wave)
		if err != nil {
			t.Fatal(err)
		}
		if job := h.onlyJob(); started.JobID != job {
			t.Errorf("got job %s, want %s", started.JobID, job)
		}
	})
}

// The other witness: where the list of jobs lags for longer than anybody
// looks, the servers know the job of their last launch.
func TestAJobThatNoListShowsIsFoundAtItsServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := burning(t, "DropAnswerAfter:operation=StartRecovery,times=1")
		p := newProcess()
		p.before = func(c call) {
			if strings.HasPrefix(c.name, "DescribeJobs") && c.nth > 30 {
				t.Error("the job was looked for again and again")
			}
		}
		o := h.invocation(p, 0)
		o.Accounts = blindAccounts{o.Accounts}
		started, err := o.StartWave(t.Context(), h.wave)
		if err != nil {
			t.Fatal(err)
		}
		if job := h.onlyJob(); started.JobID != job {
			t.Errorf("got job %s, want %s", started.JobID, job)
		}
		if n := h.count("StartRecovery"); n != 1 {
			t.Errorf("StartRecovery was sent %d times, want once", n)
		}
	})
}

// blindAccounts lead to regions whose lists of jobs by date are empty.
type blindAccounts struct{ recovery.Accounts }

func (a blindAccounts) Assume(ctx context.Context, account recovery.AccountContext) (recovery.Region, error) {
	r, err := a.Accounts.Assume(ctx, account)
	return blindRegion{r}, err
}

type blindRegion struct{ recovery.Region }

func (r blindRegion) Jobs(ctx context.Context, q recovery.JobQuery) ([]recovery.Job, error) {
	if len(q.IDs) == 0 {
		return nil, nil
	}
	return r.Region.Jobs(ctx, q)
}

// A dependency's job is asked for in the account that it runs in.
func TestADependencysJobIsAskedForInItsOwnAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 2, fleet(2, "", nil), simulator.Options{})
		dependent, other := h.wave, h.wave.Wave.Account
		dependent.Wave.Number, dependent.Wave.Servers = 2, h.wave.Wave.Servers[1:]
		dependent.Wave.Account.RoleName, dependent.Wave.Account.ExternalID = "Untagger", recovery.Secret{}
		dependent.Dependencies = []recovery.Dependency{{Wave: 1, JobID: "drsjob-00000000000000001", Account: other}}
		_, err := h.invocation(newProcess(), 0).StartWave(t.Context(), dependent)
		if err == nil || !strings.Contains(err.Error(), "drs:TagResource") {
			t.Errorf("got %v, want the refusal of the wave's own role", err)
		}
		asked := 0
		for _, c := range h.world.Calls() {
			if c.Operation == "DescribeJobs" {
				if asked++; !strings.Contains(c.Principal, "assumed-role/Recoverer/") {
					t.Errorf("the job was asked for as %s", c.Principal)
				}
			}
		}
		if asked != 1 {
			t.Errorf("jobs were asked for %d times, want once", asked)
		}
	})
}
