package recovery_test

import (
	"strings"
	"testing"
	"time"

	"muster/recovery"
)

// blind is an execution of two waves, of which nothing more is known of the first
// than that it was sent at epoch.
func blind(onFailure recovery.OnFailure) *recovery.Execution {
	a := recovery.Attempt{Wave: 1, Attempt: 1, AccountID: "123456789012", Region: "us-east-1", State: recovery.Claimed}.Send(epoch, epoch.Add(recovery.SendTimeout))
	return &recovery.Execution{ID: "exec-1", Version: 1, Attempts: []recovery.Attempt{a.Take("token", epoch)}, Waves: []recovery.WaveRecord{
		{Number: 1, AccountID: "123456789012", Region: "us-east-1", OnFailure: onFailure, TimeLimit: time.Hour},
		{Number: 2, AccountID: "444455556666", Region: "us-east-1", OnFailure: onFailure, TimeLimit: time.Hour, FollowsAll: true},
	}}
}

// inVain looks once, in vain, when it is time to.
func inVain(e *recovery.Execution, retryable bool, now time.Time) {
	e.Attempts[0] = e.Attempts[0].NotSeen(&recovery.Error{Code: recovery.CrossAccountError, Message: "AccessDenied", Retryable: retryable}, now)
}

func TestWhatCannotBeLookedAtIsLookedAtAgainAndThenAskedAbout(t *testing.T) {
	for name, c := range map[string]struct {
		onFailure recovery.OnFailure
		retryable bool
		looks     int // until that is the end of it
		then      recovery.Action
		after     time.Duration
	}{
		"what only somebody cures":      {recovery.PauseOnFailure, false, 7, recovery.DoAwaitDecision, 15 * time.Minute},
		"what time may cure":            {recovery.PauseOnFailure, true, 16, recovery.DoAwaitDecision, time.Hour},
		"where nobody is to be asked":   {recovery.StopOnFailure, false, 16, recovery.DoFinish, time.Hour},
		"where the others are to go on": {recovery.ContinueOnFailure, false, 16, recovery.DoStartWave, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			e, now, looks := blind(c.onFailure), epoch, 0
			for {
				step := recovery.Next(e, now)
				if step.Action == recovery.DoWait {
					now = now.Add(step.Wait)
					continue
				}
				if step.Action != recovery.DoStartWave || step.Wave != 1 {
					if step.Action != c.then || looks != c.looks || now.Sub(epoch) < c.after || now.Sub(epoch) > c.after+10*time.Minute {
						t.Errorf("after %s and %d looks the next step is %+v", now.Sub(epoch), looks, step)
					}
					if step.Action == recovery.DoFinish && !strings.Contains(step.Reason, "a job may run on") {
						t.Errorf("it ends: %s", step.Reason)
					}
					return
				}
				inVain(e, c.retryable, now)
				if looks++; looks > 100 {
					t.Fatalf("%d looks in %s", looks, now.Sub(epoch))
				}
			}
		})
	}
}

func TestTheAnswerToLookAgainIsNoAnswerToTheNextQuestion(t *testing.T) {
	e := blind(recovery.PauseOnFailure)
	inVain(e, false, epoch)
	now := epoch.Add(16 * time.Minute)
	retry := recovery.Decision{Question: "unseen-w1-a1-1", Choice: recovery.Retry, Request: recovery.Request{By: "ops", At: now}}
	without := retry
	without.Exclude = []recovery.SourceServerID{"s-1"}
	if _, _, err := e.Decide(without, now); err == nil {
		t.Error("a look again that leaves out servers was taken")
	}
	if _, news, err := e.Decide(retry, now); err != nil || !news {
		t.Fatal(news, err)
	}
	if step := recovery.Next(e, now); step.Action != recovery.DoStartWave || step.Wave != 1 {
		t.Errorf("after the answer the next step is %+v", step)
	}
	inVain(e, false, now)
	now = now.Add(16 * time.Minute)
	if _, news, err := e.Decide(retry, now); err != nil || news {
		t.Errorf("the same once more: %v, %v", news, err)
	}
	step := recovery.Next(e, now)
	if step.Action != recovery.DoAwaitDecision || step.Decisions[0].ID != "unseen-w1-a1-2" {
		t.Errorf("after another row of refusals the next step is %+v", step)
	}
}

func TestNothingIsSentForAWaveThatWasSkippedNorAfterTheEnd(t *testing.T) {
	e := blind(recovery.PauseOnFailure)
	if why, _ := e.Forbidden(1, epoch); why != nil {
		t.Fatal(why)
	}
	e.Waves[0].Skipped = true
	if why, final := e.Forbidden(1, epoch); why == nil || !final {
		t.Errorf("a skipped wave may be sent: %v, %v", why, final)
	}
	if why, _ := e.Forbidden(2, epoch); why != nil {
		t.Errorf("another wave may not: %v", why)
	}
	e.Ended = &recovery.Ending{Outcome: recovery.OutcomePartial, At: epoch}
	if err := e.Admit(1, epoch); err == nil {
		t.Error("a start is admitted after the end")
	}
}
