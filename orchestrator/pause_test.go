package orchestrator_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/orchestrator"
	"muster/recovery"
	"muster/simulator"
)

func askedForAPause() recovery.Request {
	return recovery.Request{By: "ops@example.com", At: time.Now(), Reason: "wrong plan"}
}

// While settings are written somebody asks that nothing new be started: what is
// not marked as sent by then is not sent.
func TestNothingIsSentAfterAPause(t *testing.T) {
	for name, at := range map[string]string{"while settings are written": "ModifyLaunchTemplate", "while servers are looked at": "DescribeSourceServers"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, 1, quick(1, 2*time.Minute), faults(t, "SlowAnswers:operation="+at+",duration=9s"))
				o := h.invocation(newProcess(), 0)
				o.Now = time.Now
				h.begin(o, h.plan(1))
				time.AfterFunc(5*time.Second, func() {
					sent, err := h.invocation(newProcess(), 0).Pause(t.Context(), h.wave.Execution, askedForAPause())
					if err != nil || len(sent) != 0 {
						t.Errorf("the pause is answered %+v, %v; want that nothing was sent", sent, err)
					}
				})
				w := h.wave
				w.Wave = recovery.Wave{Number: 1}
				_, err := o.StartWave(t.Context(), w)
				var refused *recovery.Error
				if !errors.As(err, &refused) || refused.Code != recovery.DependencyNotMet || !refused.Retryable || !strings.Contains(refused.Message, "paused by") {
					t.Errorf("got %v, want that it is paused", err)
				}
				if n := h.count("StartRecovery"); n != 0 {
					t.Fatalf("StartRecovery was sent %d times", n)
				}
				if step := recovery.Next(h.record(), time.Now()); step.Action != recovery.DoAwaitDecision || step.Decisions[0].Reason != recovery.PauseRequested {
					t.Errorf("the next step is %+v, want the question of the pause", step)
				}
				e := h.drive(o, func(q recovery.Question) recovery.Choice { return recovery.Resume })
				if e.Ended.Outcome != recovery.OutcomeCompleted || h.count("StartRecovery") != 1 {
					t.Errorf("once resumed it ended %s with %d starts, want COMPLETED with one", e.Ended.Outcome, h.count("StartRecovery"))
				}
			})
		})
	}
}

// The same for a wave whose failure stops everything.
func TestNothingIsSentAfterAFailureThatStopsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		more := map[int]string{1: "            launches: {duration: 40s, fate: FAILED, phase: SNAPSHOT}\n"}
		h := open(t, 2, fleet(2, "", more), faults(t, "SlowAnswers:operation=ModifyLaunchTemplate,duration=14s,after=1"))
		o := h.invocation(newProcess(), 0)
		o.Now = time.Now
		p := h.plan(1, 1)
		p.Waves[0].OnFailure, p.Waves[1].Independent = recovery.StopOnFailure, true
		h.begin(o, p)
		h.startOne(o, 1)
		time.AfterFunc(35*time.Second, func() {
			w := h.wave
			w.Wave = recovery.Wave{Number: 2}
			_, err := h.invocation(newProcess(), 0).StartWave(t.Context(), w)
			if err == nil || !strings.Contains(err.Error(), "stops everything") {
				t.Errorf("wave 2 is answered %v", err)
			}
		})
		for range 5 {
			time.Sleep(9 * time.Second)
			if _, err := o.Poll(t.Context(), orchestrator.Poll{Execution: h.wave.Execution}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		if n := h.count("StartRecovery"); n != 1 {
			t.Errorf("StartRecovery was sent %d times, want once, for the wave that failed", n)
		}
	})
}

// What was marked as sent and left no job counts as not sent once that is
// certain, and stays unsent until somebody resumes.
func TestWhatWasSentAndLeftNoJobStaysUnsentWhilePaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 1, quick(1, 2*time.Minute), simulator.Options{})
		p := newProcess()
		p.stop, p.how = call{"StartRecovery " + string(serverID(1)), 1}, killedBefore
		defer close(p.buried)
		o := h.invocation(newProcess(), 0)
		o.Now = time.Now
		h.begin(o, h.plan(1))
		w := h.wave
		w.Wave = recovery.Wave{Number: 1}
		go h.invocation(p, 0).StartWave(t.Context(), w)
		<-p.died
		sent, err := o.Pause(t.Context(), h.wave.Execution, askedForAPause())
		if err != nil || len(sent) != 1 || sent[0].Wave != 1 || sent[0].Became != orchestrator.BecameUnknown {
			t.Fatalf("the pause is answered %+v, %v; want that wave 1 was sent, and became nobody knows what", sent, err)
		}
		for began := time.Now(); time.Since(began) < time.Hour; time.Sleep(time.Minute) {
			if step := recovery.Next(h.record(), time.Now()); step.Action == recovery.DoStartWave {
				h.startOne(o, step.Wave)
			}
		}
		if n := h.count("StartRecovery"); n != 0 {
			t.Fatalf("StartRecovery was sent %d times while it was paused", n)
		}
		if a := h.attempt(); a.MayHaveJob() {
			t.Errorf("an hour later the attempt is %+v, want that it counts as not sent", a)
		}
		if sent, err = o.Pause(t.Context(), h.wave.Execution, askedForAPause()); err != nil || len(sent) != 0 {
			t.Errorf("a second pause is answered %+v, %v; want that nothing is sent", sent, err)
		}
		h.drive(o, func(recovery.Question) recovery.Choice { return recovery.Resume })
		h.onlyJob()
	})
}

func TestAPauseSaysWhichJobRunsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 1, quick(1, 2*time.Minute), faults(t, "SlowAnswers:operation=StartRecovery,duration=10s"))
		o := h.invocation(newProcess(), 0)
		o.Now = time.Now
		h.begin(o, h.plan(1))
		w := h.wave
		w.Wave = recovery.Wave{Number: 1}
		go o.StartWave(t.Context(), w)
		time.Sleep(8 * time.Second)
		for h.attempt() == nil || h.attempt().State != recovery.Sent {
			time.Sleep(time.Second)
		}
		sent, err := h.invocation(newProcess(), 0).Pause(t.Context(), h.wave.Execution, askedForAPause())
		if err != nil || len(sent) != 1 || sent[0].Became != orchestrator.BecameStarted || sent[0].JobID != h.onlyJob() {
			t.Errorf("the pause is answered %+v, %v; want the job that runs on", sent, err)
		}
	})
}
