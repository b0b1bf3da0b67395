package orchestrator_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/recovery"
	"muster/simulator"
)

// Whoever waits for another invocation gives that one's answer, a refusal too,
// and does not do the whole work over again.
func TestARefusalThatWasWaitedForIsGivenAndNothingIsDoneAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, err := simulator.ParseFault("SlowAnswers:operation=DescribeSourceServers,duration=5s")
		if err != nil {
			t.Fatal(err)
		}
		h := open(t, 1, fleet(1, "", map[int]string{1: "            replication: STALLED\n"}), simulator.Options{Faults: []simulator.Fault{slow}})
		first := make(chan error, 1)
		go func() {
			_, err := h.invocation(newProcess(), 0).StartWave(t.Context(), h.wave)
			first <- err
		}()
		time.Sleep(time.Second)
		waited := h.refusedWith()
		var refused *recovery.Error
		if err := <-first; !errors.As(err, &refused) || waited.Code != refused.Code || waited.Message != refused.Message || waited.Retryable != refused.Retryable {
			t.Errorf("who waited got %v, the other %v", waited, err)
		}
		if n := h.count("DescribeSourceServers"); n != 1 {
			t.Errorf("the servers were asked for %d times, want once", n)
		}
		// Whoever comes later has waited for nobody: the cause may be gone.
		h.refusedWith()
		if n := h.count("DescribeSourceServers"); n != 2 {
			t.Errorf("the servers were asked for %d times after another delivery, want twice", n)
		}
	})
}

// What was sent is waited for and recorded, even when the invocation was
// interrupted meanwhile.
func TestAnInvocationInterruptedWhileSendingRecordsItsJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := burning(t, "SlowAnswers:operation=StartRecovery,duration=20s")
		ctx, interrupt := context.WithCancel(t.Context())
		p := newProcess()
		p.before = func(c call) {
			if strings.HasPrefix(c.name, "StartRecovery") {
				interrupt()
			}
		}
		started, err := h.invocation(p, 0).StartWave(ctx, h.wave)
		if err != nil {
			t.Fatal(err)
		}
		if job := h.onlyJob(); started.JobID != job {
			t.Errorf("got job %s, want %s", started.JobID, job)
		}
		h.checkRecord(started.JobID)
	})
}

// A claim is kept for as long as its invocation works, however long that is:
// whoever waits meanwhile waits on.
func TestWhoeverPreparesForLongIsNotTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := burning(t, "SlowAnswers:duration=13s")
		began := time.Now()
		first := make(chan error, 1)
		go func() {
			_, err := h.invocation(newProcess(), 0).StartWave(t.Context(), h.wave)
			first <- err
		}()
		time.Sleep(time.Second)
		started, err := h.invocation(newProcess(), 0).StartWave(t.Context(), h.wave)
		if err := errors.Join(err, <-first); err != nil {
			t.Fatal(err)
		}
		if job := h.onlyJob(); started.JobID != job {
			t.Errorf("got job %s, want %s", started.JobID, job)
		}
		if took := time.Since(began); took < recovery.Lease+recovery.LeaseRenewal {
			t.Errorf("it took %s, less than any lease", took)
		}
		if n := h.count("AssumeRole"); n != 1 {
			t.Errorf("the role was assumed %d times: two worked at once", n)
		}
		events, err := h.store.Events(t.Context(), h.wave.Execution)
		for _, ev := range events {
			if ev.Kind == recovery.EventTakenOver {
				t.Errorf("the record says %q", ev.Message)
			}
		}
		if err != nil {
			t.Error(err)
		}
	})
}
