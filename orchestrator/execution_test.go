package orchestrator_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/orchestrator"
	"muster/recovery"
	"muster/simulator"
)

// inHouse runs a test in a house with so many servers, some of whom the fleet
// says more about, and a process that knows the house.
func inHouse(t *testing.T, servers int, more map[int]string, test func(t *testing.T, h *house, o *orchestrator.Orchestrator)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := open(t, servers, fleet(servers, "", more), simulator.Options{Latency: answerTime})
		test(t, h, h.invocation(newProcess(), 0))
	})
}

const failsToLaunch = "            launches: {fate: FAILED, phase: LAUNCH, rawError: InsufficientInstanceCapacity}\n"

func TestAPlanRunsWaveAfterWaveToItsEnd(t *testing.T) {
	inHouse(t, 3, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		h.begin(o, h.plan(1, 1, 1))
		e := h.drive(o, asksNobody(t))
		if e.Ended.Outcome != recovery.OutcomeCompleted {
			t.Errorf("the outcome is %+v", e.Ended)
		}
		if got, want := fmt.Sprint(h.launchedIn()), "[1 2 3]"; got != want {
			t.Errorf("jobs with servers %s, want %s", got, want)
		}
		for _, l := range e.Launched() {
			if l.Instance == "" || l.JobID == "" {
				t.Errorf("%+v has no instance or job", l)
			}
		}
	})
}

func TestTheNextWaveStartsAtMostOnePollAndAStartAfterTheLastLaunch(t *testing.T) {
	inHouse(t, 2, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		h.begin(o, h.plan(1, 1))
		h.drive(o, asksNobody(t))
		started := h.eventsOf(recovery.EventStarted)
		if len(started) != 2 {
			t.Fatalf("%d waves were started, want 2", len(started))
		}
		launched := started[0].At.Add(8 * time.Minute) // as the fleet says how long a launch takes
		if wait, most := started[1].At.Sub(launched), 30*time.Second+12*answerTime+time.Second; wait > most {
			t.Errorf("wave 2 started %s after wave 1's last launch, want at most %s", wait, most)
		}
	})
}

func TestInADiamondTheMiddleWavesRunTogetherAndAGateOnOneHoldsTheOtherNotUp(t *testing.T) {
	inHouse(t, 4, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		p := h.plan(1, 1, 1, 1)
		p.Waves[1].DependsOn, p.Waves[2].DependsOn, p.Waves[3].DependsOn = []int{1}, []int{1}, []int{2, 3}
		p.Waves[2].PauseBefore = true
		h.begin(o, p)
		asked := time.Time{}
		h.drive(o, func(q recovery.Question) recovery.Choice {
			if q.Reason != recovery.PauseBeforeWave || !q.IsAbout(3) {
				t.Errorf("asked %+v, want approval of wave 3", q)
			}
			asked = time.Now()
			return recovery.Resume
		})
		at := map[int]time.Time{}
		for _, ev := range h.eventsOf(recovery.EventStarted) {
			at[*ev.Wave] = ev.At
		}
		if !at[2].Before(asked) || !at[3].After(asked.Add(-time.Second)) || !at[4].After(at[3]) {
			t.Errorf("started at %v, asked at %v: want 2 before the question, 3 after it, 4 last", at, asked)
		}
	})
	inHouse(t, 4, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		p := h.plan(1, 1, 1, 1)
		p.Waves[1].DependsOn, p.Waves[2].DependsOn, p.Waves[3].DependsOn = []int{1}, []int{1}, []int{2, 3}
		h.begin(o, p)
		h.drive(o, asksNobody(t))
		at := map[int]time.Time{}
		for _, ev := range h.eventsOf(recovery.EventStarted) {
			at[*ev.Wave] = ev.At
		}
		if apart := at[3].Sub(at[2]).Abs(); apart > 10*time.Second {
			t.Errorf("waves 2 and 3 started %s apart, want them under way at the same time", apart)
		}
	})
}

func TestAFailedServerFailsItsWaveAndOnlyItIsRetried(t *testing.T) {
	inHouse(t, 3, map[int]string{2: failsToLaunch}, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		h.begin(o, h.plan(3))
		asked := 0
		e := h.drive(o, func(q recovery.Question) recovery.Choice {
			asked++
			if q.Reason != recovery.WaveFailed || !strings.Contains(q.Text, string(serverID(2))) || !strings.Contains(q.Text, "InsufficientInstanceCapacity") {
				t.Errorf("asked %+v, want the failed server and why", q)
			}
			if asked == 1 {
				return recovery.Retry
			}
			return recovery.Skip
		})
		if got, want := fmt.Sprint(h.launchedIn()), "[1+2+3 2]"; got != want {
			t.Errorf("jobs with servers %s, want %s", got, want)
		}
		if a := e.Attempt(1); a.Attempt != 2 || len(a.Outcomes) != 3 {
			t.Errorf("the record is %+v, want attempt 2 with three servers' fates", a)
		}
		if e.Ended.Outcome != recovery.OutcomePartial {
			t.Errorf("the outcome is %+v, want PARTIAL", e.Ended)
		}
	})
}

func TestAnOptionalServerThatFailsMakesTheOutcomePartialAndAsksNobody(t *testing.T) {
	inHouse(t, 2, map[int]string{2: failsToLaunch}, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		p := h.plan(2)
		p.Waves[0].Servers = slices.Clone(p.Waves[0].Servers)
		p.Waves[0].Servers[1].Impact = recovery.Optional
		h.begin(o, p)
		e := h.drive(o, asksNobody(t))
		if e.Ended.Outcome != recovery.OutcomePartial {
			t.Errorf("the outcome is %+v, want PARTIAL", e.Ended)
		}
		if o := e.Attempt(1).Outcome(serverID(2)); o == nil || o.Reason == "" {
			t.Errorf("the record has no reason for the server that was not launched: %+v", o)
		}
	})
}

func TestAWaveThatTakesTooLongHasTimedOutAndSaysSo(t *testing.T) {
	slow := "            launches: {duration: 3h}\n"
	inHouse(t, 1, map[int]string{1: slow}, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		p := h.plan(1)
		p.Waves[0].OnFailure, p.Waves[0].Timeout = recovery.ContinueOnFailure, time.Hour
		h.begin(o, p)
		e := h.drive(o, asksNobody(t))
		if e.Ended.Outcome != recovery.OutcomeFailed || !strings.Contains(e.Ended.Reason, string(e.Attempt(1).JobID)) {
			t.Errorf("the end is %+v, want FAILED naming the job that runs on", e.Ended)
		}
		if ev := h.eventsOf(recovery.EventTimedOut); len(ev) != 1 || !strings.Contains(ev[0].Message, "TIMED_OUT") {
			t.Errorf("the record tells %+v", ev)
		}
	})
}

func TestACancelThatRacesAStartLaunchesNothingOrNamesWhatRunsOn(t *testing.T) {
	for name, at := range map[string]string{"before the claim": "store CLAIMED", "while it is prepared": "GetLaunchConfiguration", "before it is sent": "store SENT", "after it was sent": "StartRecovery"} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, 1, nil, func(t *testing.T, h *house, other *orchestrator.Orchestrator) {
				h.begin(other, h.plan(1))
				p := newProcess()
				cancel := sync.OnceFunc(func() {
					d := recovery.Decision{Choice: recovery.CancelAll, Request: recovery.Request{By: "ops", At: time.Now()}}
					if err := other.Decide(t.Context(), h.wave.Execution, d); err != nil {
						t.Error(err)
					}
				})
				p.before = func(c call) {
					if strings.HasPrefix(c.name, at) {
						cancel()
					}
				}
				e := h.drive(h.invocation(p, 0), asksNobody(t))
				jobs := h.launchedIn()
				if e.Ended.Outcome != recovery.OutcomeCancelled {
					t.Errorf("the outcome is %+v, want CANCELLED", e.Ended)
				}
				if at != "StartRecovery" && len(jobs) > 0 {
					t.Errorf("%d jobs were launched after the cancel", len(jobs))
				}
				if at == "StartRecovery" && !strings.Contains(e.Ended.Reason, string(h.onlyJob())) {
					t.Errorf("the job that runs on is not named: %s", e.Ended.Reason)
				}
			})
		})
	}
}

func TestAnExecutionIsBegunOnceAndGoesOnFromItsRecord(t *testing.T) {
	inHouse(t, 2, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		h.begin(o, h.plan(1, 1))
		h.startOne(o, 1)
		h.begin(o, h.plan(1, 1)) // a second driver, after the first has died
		if e, _ := h.store.Execution(t.Context(), h.wave.Execution); e.Attempt(1) == nil {
			t.Error("the record was begun anew")
		}
		other := h.plan(1, 1)
		other.Waves[1].PauseBefore = true
		_, err := o.Begin(t.Context(), orchestrator.Begin{Execution: h.wave.Execution, Plan: other, Type: h.wave.Type})
		var refused *recovery.Error
		if !errors.As(err, &refused) || refused.Code != recovery.ValidationError {
			t.Errorf("another plan under the same id: %v, want a VALIDATION_ERROR", err)
		}
	})
}

func TestAPlanIsHeldByOneExecutionAndARecoveryTakesItFromADrill(t *testing.T) {
	inHouse(t, 1, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		h.begin(o, h.plan(1))
		begin := func(id recovery.ExecutionID, kind recovery.ExecutionType) error {
			_, err := o.Begin(t.Context(), orchestrator.Begin{Execution: id, Plan: h.plan(1), Type: kind, StartTime: "2026-11-24T04:00:00Z", InitiatedBy: "ops"})
			return err
		}
		var refused *recovery.Error
		if err := begin("exec-2", recovery.Drill); !errors.As(err, &refused) || refused.Code != recovery.PlanInProgress || !strings.Contains(refused.Message, "exec-1") {
			t.Errorf("a second drill: %v, want PLAN_IN_PROGRESS naming the first", err)
		}
		if err := begin("exec-3", recovery.Recovery); err != nil {
			t.Fatalf("a recovery: %v", err)
		}
		drill, _ := h.store.Execution(t.Context(), "exec-1")
		if drill.Cancel == nil || !strings.Contains(drill.Cancel.Reason, "exec-3") {
			t.Errorf("the drill was not cancelled by the recovery: %+v", drill.Cancel)
		}
		if err := begin("exec-4", recovery.Recovery); !errors.As(err, &refused) || refused.Code != recovery.PlanInProgress {
			t.Errorf("a second recovery: %v, want PLAN_IN_PROGRESS", err)
		}
	})
}

func TestACleanUpTerminatesTheDrillsInstancesOnceAndNoOther(t *testing.T) {
	inHouse(t, 3, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		h.begin(o, h.plan(2))
		h.drive(o, asksNobody(t))
		h.othersJob(serverID(3)) // somebody else's drill
		time.Sleep(time.Hour)
		for range 2 {
			if _, err := cleanUntilDone(t.Context(), o, orchestrator.Cleanup{Execution: h.wave.Execution, By: "ops"}); err != nil {
				t.Fatal(err)
			}
			for _, r := range h.world.Summary().Regions {
				for _, j := range r.Jobs {
					if j.Type == "TERMINATE" && j.Status != "COMPLETED" {
						t.Errorf("the clean-up is said to be done while job %s is %s", j.ID, j.Status)
					}
				}
			}
		}
		terminated := map[string]int{}
		for _, c := range h.world.Calls() {
			for _, id := range c.Resources {
				if c.Operation == "TerminateRecoveryInstances" && c.Mutated && strings.HasPrefix(id, "i-") {
					terminated[id]++
				}
			}
		}
		e, _ := h.store.Execution(t.Context(), h.wave.Execution)
		want := map[string]int{}
		for _, l := range e.Launched() {
			want[string(l.Instance)] = 1
		}
		if fmt.Sprint(terminated) != fmt.Sprint(want) {
			t.Errorf("terminated %v, want each instance of the drill once: %v", terminated, want)
		}
	})
}

func TestARecoverysInstancesAreTerminatedOnlyWhenThatIsConfirmed(t *testing.T) {
	inHouse(t, 1, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		h.wave.Type = recovery.Recovery
		h.begin(o, h.plan(1))
		h.drive(o, asksNobody(t))
		_, err := cleanUntilDone(t.Context(), o, orchestrator.Cleanup{Execution: h.wave.Execution, By: "ops"})
		var refused *recovery.Error
		if !errors.As(err, &refused) || h.count("TerminateRecoveryInstances") > 0 {
			t.Errorf("got %v, want a refusal and no call", err)
		}
		done, err := cleanUntilDone(t.Context(), o, orchestrator.Cleanup{Execution: h.wave.Execution, By: "ops", Recovery: true})
		if err != nil || len(done.Terminated) != 1 {
			t.Errorf("confirmed: %+v, %v", done, err)
		}
	})
}

func TestADecisionAheadOfItsQuestionCountsAndOneThatIsNotAskedForChangesNothing(t *testing.T) {
	decide := func(o *orchestrator.Orchestrator, h *house, q recovery.QuestionID, choice recovery.Choice) error {
		return o.Decide(h.t.Context(), h.wave.Execution, recovery.Decision{Question: q, Choice: choice, Request: recovery.Request{By: "ops", At: time.Now()}})
	}
	inHouse(t, 2, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		p := h.plan(1, 1)
		p.Waves[1].PauseBefore = true
		h.begin(o, p)
		if err := decide(o, h, "gate-w2", recovery.Approve); err != nil { // before wave 1 has even started
			t.Fatal(err)
		}
		var refused *recovery.Error
		if err := decide(o, h, "gate-w2", recovery.Approve); err != nil {
			t.Errorf("the same decision a second time: %v", err)
		}
		if err := decide(o, h, "gate-w2", recovery.Skip); !errors.As(err, &refused) || refused.Code != recovery.ValidationError {
			t.Errorf("another decision: %v, want a VALIDATION_ERROR", err)
		}
		if err := decide(o, h, "failed-w1-a1", recovery.Retry); !errors.As(err, &refused) {
			t.Errorf("a retry of a wave that has not failed: %v", err)
		}
		e := h.drive(o, asksNobody(t))
		if e.Ended.Outcome != recovery.OutcomeCompleted || len(h.eventsOf(recovery.EventDecided)) != 1 {
			t.Errorf("the end is %+v, with %d decisions recorded; want COMPLETED and 1", e.Ended, len(h.eventsOf(recovery.EventDecided)))
		}
		time.Sleep(7 * 24 * time.Hour)
		if err := decide(o, h, "gate-w2", recovery.Approve); err != nil {
			t.Errorf("the same decision a week late: %v", err)
		}
		if err := decide(o, h, "", recovery.CancelAll); !errors.As(err, &refused) || !strings.Contains(refused.Message, "is over") {
			t.Errorf("a cancel a week late: %v", err)
		}
	})
}

func TestWaveZeroIsPolledAlone(t *testing.T) {
	inHouse(t, 2, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		p := h.plan(1, 1)
		for i := range p.Waves {
			p.Waves[i].Number, p.Waves[i].Independent = i, true
		}
		h.begin(o, p)
		h.startOne(o, 0)
		h.startOne(o, 1)
		time.Sleep(time.Hour)
		e, err := o.Poll(t.Context(), orchestrator.Poll{Execution: h.wave.Execution, Wave: new(0)})
		if err != nil || !e.Attempt(0).JobOver || e.Attempt(1).JobOver {
			t.Errorf("looked at wave 0: %v, at wave 1: %v, %v; want wave 0 alone", e.Attempt(0).JobOver, e.Attempt(1).JobOver, err)
		}
	})
}

func TestTheLogNamesTheServersThatAreLeftOutOfARetry(t *testing.T) {
	inHouse(t, 3, map[int]string{2: failsToLaunch, 3: failsToLaunch}, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		h.begin(o, h.plan(3))
		h.drive(o, func(q recovery.Question) recovery.Choice {
			for _, server := range []int{1, 9} { // one that was launched, one that is not in the wave
				var refused *recovery.Error
				err := o.Decide(t.Context(), h.wave.Execution, recovery.Decision{Question: q.ID, Choice: recovery.Retry, Exclude: []recovery.SourceServerID{serverID(server)}})
				if !errors.As(err, &refused) || !strings.Contains(refused.Message, string(serverID(server))) {
					t.Errorf("server %d left out: %v", server, err)
				}
			}
			if e, err := h.store.Execution(t.Context(), h.wave.Execution); err == nil && e.Attempt(1).Attempt == 1 {
				err := o.Decide(t.Context(), h.wave.Execution, recovery.Decision{Question: q.ID, Choice: recovery.Retry, Exclude: []recovery.SourceServerID{serverID(3)}, Request: recovery.Request{By: "ops", Reason: "broken"}})
				if err != nil {
					t.Fatal(err)
				}
			}
			return recovery.CancelAll
		})
		decided := h.eventsOf(recovery.EventDecided)
		want := fmt.Sprintf(`"ops" decided: retry wave 1 without %s, because "broken"`, serverID(3))
		if len(decided) != 1 || decided[0].Message != want || !slices.Equal(decided[0].Excluded, []recovery.SourceServerID{serverID(3)}) {
			t.Errorf("got %+v, want %s", decided, want)
		}
	})
}

func TestACleanUpThatWasCutShortIsFinishedByTheNextAndSparesWhatIsLive(t *testing.T) {
	inHouse(t, 3, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		h.begin(o, h.plan(3))
		h.drive(o, asksNobody(t))
		// Meanwhile somebody recovered server 2 for real: its drill's instance is
		// gone, and a live one is in its place.
		h.recoverForReal(serverID(2))
		time.Sleep(time.Hour)

		p := newProcess()
		p.stop, p.how = call{"TerminateRecoveryInstances", 1}, killedAfter
		cut := make(chan struct{})
		go func() {
			defer close(cut)
			cleanUntilDone(t.Context(), h.invocation(p, 0), orchestrator.Cleanup{Execution: h.wave.Execution, By: "ops"})
		}()
		for !p.killed() {
			time.Sleep(time.Second)
		}
		if _, err := cleanUntilDone(t.Context(), o, orchestrator.Cleanup{Execution: h.wave.Execution, By: "ops"}); err != nil {
			t.Fatal(err)
		}
		close(p.buried)
		<-cut
		terminated := map[string]int{}
		for _, c := range h.world.Calls() {
			for _, id := range c.Resources {
				if c.Operation == "TerminateRecoveryInstances" && c.Mutated && strings.HasPrefix(id, "i-") {
					terminated[id]++
				}
			}
		}
		e, _ := h.store.Execution(t.Context(), h.wave.Execution)
		want := map[string]int{}
		for _, l := range e.Launched() {
			if l.Server != serverID(2) {
				want[string(l.Instance)] = 1
			}
		}
		if fmt.Sprint(terminated) != fmt.Sprint(want) {
			t.Errorf("terminated %v, want %v: the drill's, once, and never the live one", terminated, want)
		}
	})
}

// Others fill an account's quota while a wave runs; once nothing of ours runs
// there, it is still looked whether they are done.
func TestWavesThatWaitForOthersRoomStartOnceItIsThere(t *testing.T) {
	more := map[int]string{1: "            launches: {duration: 40s}\n"}
	for i := range recovery.MostJobs {
		more[3+i] = "            launches: {duration: 30m}\n"
	}
	inHouse(t, 2+recovery.MostJobs, more, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		h.begin(o, h.plan(1, 1))
		h.startOne(o, 1)
		for i := range recovery.MostJobs - 1 {
			h.othersJob(serverID(3 + i))
		}
		time.Sleep(45 * time.Second) // wave 1 is over, and nobody has looked yet
		h.othersJob(serverID(2 + recovery.MostJobs))
		if e := h.drive(o, asksNobody(t)); e.Ended.Outcome != recovery.OutcomeCompleted {
			t.Errorf("it ended %+v", e.Ended)
		}
	})
}
