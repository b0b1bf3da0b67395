package orchestrator_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/orchestrator"
	"muster/recovery"
	"muster/simulator"
)

// apart opens an execution of three waves: the first in the first account, the
// others, of which the third depends on the second, in the second account.
// Launches of the first take 20 minutes, all others one.
func apart(t *testing.T, onFailure recovery.OnFailure) (*house, *orchestrator.Orchestrator) {
	launches := map[int]string{1: "            launches: {duration: 20m}\n"}
	for i := 2; i <= 3; i++ {
		launches[i] = "            launches: {duration: 1m}\n"
	}
	h := open(t, 3, fleetOfTwo(1, 2, launches), simulator.Options{})
	o := h.invocation(newProcess(), 0)
	o.Now = time.Now
	p := h.plan(1, 1, 1)
	for i := range p.Waves {
		w := &p.Waves[i]
		w.OnFailure = onFailure
		if w.Independent = i < 2; i > 0 {
			w.Account.AccountID = secondAccount
		}
		if i == 2 {
			w.DependsOn = []int{2}
		}
	}
	h.begin(o, p)
	return h, o
}

const refusesLooks = "Refuse:operation=DescribeJobs,code=AccessDeniedException,status=403,account="

func TestAnAccountThatRefusesToBeLookedAtHoldsUpItsOwnWavesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, o := apart(t, recovery.PauseOnFailure)
		for _, wave := range []int{1, 2} {
			h.startOne(o, wave)
		}
		began := time.Now()
		h.control("POST", refusesLooks+target)
		var asked []recovery.QuestionID
		e := h.drive(o, func(q recovery.Question) recovery.Choice {
			asked = append(asked, q.ID)
			a := h.record().Attempt(1)
			if q.Reason != recovery.WaveUnseen || !q.IsAbout(1) || !strings.Contains(q.Text, target) || !strings.Contains(q.Text, "AccessDenied") || !strings.Contains(q.Text, string(a.JobID)) {
				t.Errorf("it asks %+v", q)
			}
			if third := h.record().Attempt(3); third == nil || !third.JobOver {
				t.Error("the waves of the other account have waited for it")
			}
			if len(asked) == 1 && time.Since(began) < 10*time.Minute {
				t.Errorf("somebody is asked after %s already", time.Since(began))
			}
			if len(asked) == 2 {
				h.control("DELETE", "")
			}
			return recovery.Retry
		})
		if e.Ended.Outcome != recovery.OutcomeCompleted || len(asked) != 2 || asked[0] != "unseen-w1-a1-1" || asked[1] != "unseen-w1-a1-2" {
			t.Errorf("it ended %+v, having asked %v", e.Ended, asked)
		}
		looks := 0
		for _, ev := range h.eventsOf(recovery.EventPostponed) {
			if ev.JobID != "" {
				looks++
			}
		}
		if looks < 10 || looks > 16 {
			t.Errorf("the account that refuses was looked at %d times in half an hour", looks)
		}
		if n := h.count("StartRecovery"); n != 3 {
			t.Errorf("StartRecovery was called %d times", n)
		}
	})
}

func TestAPollOfALookThatIsNotDueYetAsksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, o := apart(t, recovery.PauseOnFailure)
		h.startOne(o, 1)
		h.control("POST", refusesLooks+target)
		for range 5 {
			e, err := o.Poll(t.Context(), orchestrator.Poll{Execution: h.wave.Execution})
			if err != nil || e.Attempt(1).Unseen == nil || e.Attempt(1).Unseen.Looks != 1 {
				t.Fatalf("%v, and the record says %+v", err, e.Attempt(1).Unseen)
			}
		}
		if _, err := o.Poll(t.Context(), orchestrator.Poll{Execution: h.wave.Execution, Wave: new(1)}); err != nil {
			t.Fatal(err)
		}
		if n := h.count("DescribeJobs"); n != 2 {
			t.Errorf("it was looked %d times, want once, and once more for whoever names the wave", n)
		}
		h.control("DELETE", "")
		time.Sleep(15 * time.Second)
		if e, err := o.Poll(t.Context(), orchestrator.Poll{Execution: h.wave.Execution}); err != nil || e.Attempt(1).Unseen != nil {
			t.Errorf("%v, and once the account answers the record says %+v", err, e.Attempt(1).Unseen)
		}
	})
}

// Whoever has said beforehand what becomes of a wave that fails is asked
// nothing: the wave's time limit decides.
func TestAWaveThatIsNotToBeAskedAboutIsLookedAtUntilItsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, o := apart(t, recovery.ContinueOnFailure)
		h.startOne(o, 1)
		h.control("POST", refusesLooks+target)
		e := h.drive(o, asksNobody(t))
		a := e.Attempt(1)
		if e.Ended.Outcome != recovery.OutcomePartial || !strings.Contains(e.Ended.Reason, string(a.JobID)) || !a.TimedOut || len(h.eventsOf(recovery.EventTimedOut)) != 1 {
			t.Errorf("it ended %+v with %+v", e.Ended, a)
		}
	})
}

// What others run in an account that refuses is not known any more: whoever waits
// for room there is tried, and refused by itself.
func TestNobodyWaitsForRoomInAnAccountThatCannotBeLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, o := apart(t, recovery.PauseOnFailure)
		e := h.record()
		e.Others = []recovery.Load{{Place: e.Waves[0].Place(), Jobs: recovery.MostJobs, Servers: recovery.MostJobs}}
		if err := h.store.Commit(t.Context(), e.WithEvent(recovery.Event{At: time.Now(), Kind: recovery.EventNote, Message: "others"})); err != nil {
			t.Fatal(err)
		}
		h.control("POST", "Refuse:operation=AssumeRole,code=AccessDenied,status=403,account="+target)
		e = h.drive(o, func(q recovery.Question) recovery.Choice {
			if q.ID != "refused-w1-a1" || h.record().Attempt(3) == nil {
				t.Errorf("it asks %+v", q)
			}
			return recovery.Skip
		})
		if e.Ended.Outcome != recovery.OutcomePartial {
			t.Errorf("it ended %+v", e.Ended)
		}
	})
}
