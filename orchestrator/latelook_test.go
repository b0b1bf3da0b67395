package orchestrator_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"muster/recovery"
)

// altered leads to regions that a test has its hand in.
type altered struct {
	recovery.Accounts
	region func(recovery.Region) recovery.Region
}

func (a altered) Assume(ctx context.Context, account recovery.AccountContext) (recovery.Region, error) {
	r, err := a.Accounts.Assume(ctx, account)
	if err != nil {
		return nil, err
	}
	return a.region(r), nil
}

// holdingUp is a region whose first answer about single jobs is minutes old
// when it is looked at: the machine slept with it in its hands.
type holdingUp struct {
	recovery.Region
	held *bool
}

func (r holdingUp) Jobs(ctx context.Context, q recovery.JobQuery) ([]recovery.Job, error) {
	jobs, err := r.Region.Jobs(ctx, q)
	if len(q.IDs) > 0 && !*r.held {
		*r.held = true
		time.Sleep(2 * recovery.JobVisibility)
	}
	return jobs, err
}

// That no job is to be seen says something only of the time when AWS was asked,
// not of the time when the answer was looked at. Here what is sent again is
// refused, for the job that was missed has filled the quota.
func TestAnOldAnswerDoesNotSayThatThereIsNoJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := burning(t, "DropAnswerAfter:operation=StartRecovery,times=1", "LagJobList:duration=50s",
			"Refuse:operation=StartRecovery,code=ServiceQuotaExceededException,status=402,after=1")
		o := h.invocation(newProcess(), 0)
		held := false
		o.Accounts = altered{o.Accounts, func(r recovery.Region) recovery.Region { return holdingUp{r, &held} }}
		started, err := o.StartWave(t.Context(), h.wave)
		if err != nil {
			t.Fatalf("a job was begun, and the answer is: %v", err)
		}
		if job := h.onlyJob(); started.JobID != job {
			t.Errorf("got job %s, want %s", started.JobID, job)
		}
		if n := h.count("StartRecovery"); n != 1 {
			t.Errorf("StartRecovery was sent %d times, want once", n)
		}
		h.checkRecord(started.JobID)
	})
}

// appearing is a region that shows no jobs before the nth question after a
// second StartRecovery.
type appearing struct {
	recovery.Region
	sent, asked *int
	nth         int
}

func (r appearing) StartRecovery(ctx context.Context, l recovery.Launch) (*recovery.Job, error) {
	*r.sent++
	return r.Region.StartRecovery(ctx, l)
}

func (r appearing) Jobs(ctx context.Context, q recovery.JobQuery) ([]recovery.Job, error) {
	if *r.sent > 1 {
		*r.asked++
	}
	if *r.asked < r.nth {
		return nil, nil
	}
	return r.Region.Jobs(ctx, q)
}

// A job that holds the servers may become visible at any moment, also between
// the look for our own and the look for whose it is.
func TestAJobThatAppearsLateIsNotTakenForAnotherPartys(t *testing.T) {
	for nth := 1; nth <= 7; nth++ {
		t.Run(fmt.Sprintf("at question %d", nth), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := burning(t, "DropAnswerAfter:operation=StartRecovery,times=1")
				o := h.invocation(newProcess(), 0)
				var sent, asked int
				o.Accounts = altered{o.Accounts, func(r recovery.Region) recovery.Region { return appearing{r, &sent, &asked, nth} }}
				started, err := o.StartWave(t.Context(), h.wave)
				if err != nil {
					t.Fatalf("our own job holds the servers, and the answer is: %v", err)
				}
				if job := h.onlyJob(); started.JobID != job {
					t.Errorf("got job %s, want %s", started.JobID, job)
				}
				h.checkRecord(started.JobID)
			})
		})
	}
}
