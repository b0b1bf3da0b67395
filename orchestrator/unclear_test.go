package orchestrator_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/orchestrator"
	"muster/recovery"
)

// unclearly opens an execution of two waves, of which the first was sent and
// left a job that nobody can look for: its account refuses.
func unclearly(t *testing.T, refused string) (*house, *orchestrator.Orchestrator) {
	h := open(t, 2, quick(2, 2*time.Minute), faults(t, refused))
	first := newProcess()
	first.stop, first.how = call{"StartRecovery " + string(serverID(1)), 1}, killedAfter
	t.Cleanup(func() { close(first.buried) })
	o := h.invocation(newProcess(), 0)
	o.Now = time.Now
	p := h.plan(1, 1)
	p.Waves[1].Independent = true
	h.begin(o, p)
	w := h.wave
	w.Wave = recovery.Wave{Number: 1}
	go h.invocation(first, 0).StartWave(t.Context(), w)
	<-first.died
	time.Sleep(recovery.SendTimeout + recovery.Grace)
	return h, o
}

func TestAStartThatCannotBeLookedForIsLookedForAfterWaitsThatGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, o := unclearly(t, "Refuse:operation=DescribeJobs,code=AccessDeniedException,status=403")
		starts := 0
		for began := time.Now(); time.Since(began) < 10*time.Minute; {
			switch step := recovery.Next(h.record(), time.Now()); step.Action {
			case recovery.DoStartWave:
				if step.Wave == 1 {
					starts++
				}
				h.startOne(o, step.Wave)
			case recovery.DoWait:
				time.Sleep(step.Wait)
				_, _ = o.Poll(t.Context(), orchestrator.Poll{Execution: h.wave.Execution}) // which the account refuses
			default:
				t.Fatalf("the next step is %+v", step)
			}
			if h.record().Attempt(2) == nil && time.Since(began) > time.Minute {
				t.Fatal("the other wave is held up")
			}
		}
		if starts < 3 || starts > 8 {
			t.Errorf("it was looked for %d times in ten minutes", starts)
		}
		if told := h.eventsOf(recovery.EventPostponed); len(told) == 0 || !strings.Contains(told[0].Message, "could not be found out") || !strings.Contains(told[0].Message, "AccessDenied") {
			t.Errorf("the record tells %+v", told)
		}
		r, err := http.NewRequest(http.MethodDelete, "http://simulated/_muster/faults", nil)
		if err == nil {
			_, err = h.world.RoundTripper().RoundTrip(r)
		}
		if err != nil {
			t.Fatal(err)
		}
		e := h.drive(o, asksNobody(t))
		if e.Ended.Outcome != recovery.OutcomeCompleted || e.Attempt(1).JobID == "" || h.count("StartRecovery") != 2 {
			t.Errorf("once the account answers it ends %+v with %d starts and job %q", e.Ended, h.count("StartRecovery"), e.Attempt(1).JobID)
		}
	})
}

func TestACancelEndsAnExecutionWhoseStartCannotBeLookedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, o := unclearly(t, "Refuse:operation=AssumeRole,code=AccessDenied,status=403,after=1")
		if step := recovery.Next(h.record(), time.Now()); step.Action == recovery.DoStartWave {
			h.startOne(o, step.Wave)
		}
		if err := o.Decide(t.Context(), h.wave.Execution, recovery.Decision{Choice: recovery.CancelAll, Request: askedForAPause()}); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		e := h.drive(o, asksNobody(t))
		if e.Ended.Outcome != recovery.OutcomeCancelled || !strings.Contains(e.Ended.Reason, "whether the start of wave 1 made a job could not be found out") || time.Since(began) > 20*time.Minute {
			t.Errorf("after %s it ended %+v", time.Since(began), e.Ended)
		}
	})
}

func TestAStartThatCannotBeLookedForBecomesAQuestionOfItsOwn(t *testing.T) {
	for choice, want := range map[recovery.Choice]recovery.Outcome{
		recovery.Retry: recovery.OutcomeCompleted, recovery.Skip: recovery.OutcomePartial, recovery.CancelAll: recovery.OutcomeCancelled,
	} {
		t.Run(string(choice), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, o := unclearly(t, "Refuse:operation=DescribeJobs,code=AccessDeniedException,status=403")
				began := time.Now()
				e := h.drive(o, func(q recovery.Question) recovery.Choice {
					if q.IsAbout(2) { // its account is the same, and refuses to be looked at, too
						return recovery.Retry
					}
					if q.ID != "unseen-w1-a1-1" || !strings.Contains(q.Text, "whether the start of wave 1 made a job cannot be found out in account "+target) || time.Since(began) > time.Hour {
						t.Errorf("after %s it asks %+v", time.Since(began), q)
					}
					h.control("DELETE", "")
					return choice
				})
				mayRun := strings.Contains(e.Ended.Reason, "a job may run on")
				if e.Ended.Outcome != want || mayRun != (choice != recovery.Retry) || h.count("StartRecovery") != 2 {
					t.Errorf("it ended %+v after %d starts", e.Ended, h.count("StartRecovery"))
				}
			})
		})
	}
}

// A pause and a cancel are not waited for by a start that cannot be looked for.
func TestNothingIsSentAgainForAStartThatCannotBeLookedForWhilePaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, o := unclearly(t, "Refuse:operation=DescribeJobs,code=AccessDeniedException,status=403")
		if _, err := o.Pause(t.Context(), h.wave.Execution, askedForAPause()); err != nil {
			t.Fatal(err)
		}
		e := h.drive(o, func(q recovery.Question) recovery.Choice {
			if h.record().Attempt(2) != nil {
				t.Error("a wave was started while paused")
			}
			return recovery.CancelAll
		})
		if e.Ended.Outcome != recovery.OutcomeCancelled || !strings.Contains(e.Ended.Reason, "a job may run on") || h.count("StartRecovery") != 1 {
			t.Errorf("it ended %+v after %d starts", e.Ended, h.count("StartRecovery"))
		}
	})
}

// A server that was left out of a retry was not recovered, and the end says so.
func TestWhatWasLeftOutOfARetryIsNotCountedAsLaunched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 2, quick(2, 2*time.Minute), faults(t, "FailLaunch:perServer=true,times=1"))
		o := h.invocation(newProcess(), 0)
		o.Now = time.Now
		h.begin(o, h.plan(2))
		e := h.driveTo(o, func(_ *recovery.Execution, q recovery.Question) *recovery.Decision {
			return &recovery.Decision{Question: q.ID, Choice: recovery.Retry, Exclude: []recovery.SourceServerID{serverID(2)}, Request: askedForAPause()}
		})
		left := e.Attempt(1).Outcome(serverID(2))
		if e.Ended.Outcome != recovery.OutcomePartial || left == nil || left.Launched() || !strings.Contains(left.Reason, "left out") {
			t.Errorf("it ended %+v, and of server 2 the record says %+v", e.Ended, left)
		}
	})
}
