package orchestrator_test

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/orchestrator"
	"muster/recovery"
	"muster/simulator"
)

// homeIn is a process that has a record open and acts in an AWS.
func homeIn(records recovery.IdentityStore, aws recovery.AWS) *orchestrator.Home {
	return &orchestrator.Home{Records: records, AWS: func(context.Context) (recovery.AWS, error) { return aws, nil }}
}

// The two worlds of these tests.
const (
	rehearsed recovery.AWS = "simulated:ab12:1:digest:three-tier"
	real      recovery.AWS = "aws:999999999999"
)

func (h *house) identities() recovery.IdentityStore { return h.store.(recovery.IdentityStore) }

// acts are all ways of doing something about an execution in AWS.
func acts(h *house, o *orchestrator.Orchestrator, p *recovery.Plan) map[string]error {
	ctx, b := h.t.Context(), orchestrator.Begin{Execution: h.wave.Execution, Plan: p, Type: h.wave.Type, StartTime: h.wave.StartTime, InitiatedBy: h.wave.InitiatedBy}
	_, start := o.StartWave(ctx, h.wave)
	_, begin := o.Begin(ctx, b)
	_, goOn := o.Continue(ctx, b)
	_, poll := o.Poll(ctx, orchestrator.Poll{Execution: h.wave.Execution})
	_, refusal := o.RecordRefusal(ctx, h.wave.Execution, 2, recovery.Refusal{Code: recovery.DRSAPIError, Message: "no"})
	return map[string]error{"StartWave": start, "Begin": begin, "Continue": goOn, "Poll": poll, "RecordRefusal": refusal}
}

// writes are all ways of writing to the record alone.
func writes(h *house, o *orchestrator.Orchestrator) map[string]error {
	ctx, id, r := h.t.Context(), h.wave.Execution, recovery.Request{By: "anna"}
	_, interrupt := o.Interrupt(ctx, id, "it stopped")
	_, await := o.Await(ctx, id, recovery.NewSecret("token"), 0)
	_, finish := o.Finish(ctx, id)
	_, next := o.NextRun(ctx, id, 1, r)
	_, _, stopped := o.RunStopped(ctx, id, 1, "it stopped")
	_, pause := o.Pause(ctx, id, r)
	return map[string]error{
		"Decide": o.Decide(ctx, id, recovery.Decision{Choice: recovery.CancelAll, Request: r}), "Pause": pause,
		"Interrupt": interrupt, "Await": await, "Finish": finish, "NextRun": next, "RunStopped": stopped,
	}
}

// wantWrongWorld wants refusals that say all of the words.
func wantWrongWorld(t *testing.T, errs map[string]error, words ...string) {
	t.Helper()
	for what, err := range errs {
		refused, is := errors.AsType[*recovery.Error](err)
		if !is || refused.Code != recovery.WrongWorld {
			t.Errorf("%s: got %v, want WRONG_WORLD", what, err)
			continue
		}
		for _, word := range words {
			if !strings.Contains(refused.Message, word) {
				t.Errorf("%s: %q does not say %q", what, refused.Message, word)
			}
		}
	}
}

// unchanged does something that must change nothing, and call nobody.
func (h *house) unchanged(do func()) {
	h.t.Helper()
	before, calls := h.record(), len(h.world.Calls())
	do()
	if got := len(h.world.Calls()); got != calls {
		h.t.Errorf("%d calls of AWS were made, want none", got-calls)
	}
	if after := h.record(); !reflect.DeepEqual(after, before) {
		h.t.Errorf("the record was changed:\n%+v\n%+v", before, after)
	}
}

func TestAnExecutionOfAnotherWorldIsRefusedBeforeAnythingIsDone(t *testing.T) {
	inHouse(t, 2, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		p := h.plan(1, 1)
		o.Home = homeIn(h.identities(), rehearsed)
		h.begin(o, p)
		h.startOne(o, 1)
		there := h.invocation(newProcess(), 0)
		there.Home = homeIn(h.identities(), real)
		h.unchanged(func() {
			wantWrongWorld(t, acts(h, there, p), "the simulated AWS three-tier (seed 1, id ab12)", "AWS account 999999999999 (partition aws)", "nothing was done")
		})
		// What only writes to the record is for whoever has it open.
		if _, err := there.Pause(t.Context(), h.wave.Execution, recovery.Request{By: "anna"}); err != nil {
			t.Error(err)
		}
		h.drive(o, func(recovery.Question) recovery.Choice { return recovery.Resume })
		h.unchanged(func() {
			_, err := there.Cleanup(t.Context(), orchestrator.Cleanup{Execution: h.wave.Execution, By: "anna"})
			wantWrongWorld(t, map[string]error{"Cleanup": err}, "the simulated AWS three-tier", "AWS account 999999999999")
		})
		if e := h.record(); e.World.Record == "" || e.World.AWS != rehearsed {
			t.Errorf("the record says that it lives in %+v", e.World)
		}
		h.wantWholeLog(h.record())
	})
}

func TestAnExecutionOfAnotherRecordIsNeitherActedOnNorWritten(t *testing.T) {
	inHouse(t, 2, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		p := h.plan(1, 1)
		o.Home = homeIn(h.identities(), real)
		h.begin(o, p)
		other := inFile(t).(recovery.IdentityStore)
		there := h.invocation(newProcess(), 0)
		there.Home = homeIn(other, real)
		if err := there.MayDrive(t.Context(), &recovery.Execution{}); err != nil { // gives the other one its id
			t.Fatal(err)
		}
		ours, err := h.identities().Identity(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h.unchanged(func() {
			wantWrongWorld(t, acts(h, there, p), string(ours.ID))
			wantWrongWorld(t, writes(h, there), string(ours.ID))
		})
	})
}

func TestAnExecutionThatNobodyOpenedKeepsItsWorldFromItsFirstStartOn(t *testing.T) {
	inHouse(t, 2, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		o.Home = homeIn(h.identities(), rehearsed)
		if _, err := o.StartWave(t.Context(), h.wave); err != nil {
			t.Fatal(err)
		}
		there := h.invocation(newProcess(), 0)
		there.Home = homeIn(h.identities(), real)
		h.unchanged(func() {
			_, start := there.StartWave(t.Context(), h.wave)
			_, poll := there.Poll(t.Context(), orchestrator.Poll{Execution: h.wave.Execution, Accounts: map[int]recovery.AccountContext{1: h.wave.Wave.Account}})
			wantWrongWorld(t, map[string]error{"StartWave": start, "Poll": poll}, "the simulated AWS three-tier", "AWS account 999999999999")
		})
	})
}

// An execution that a version without worlds began.
func TestAnExecutionOfBeforeIsBoundWhereItsJobsAreKnown(t *testing.T) {
	inHouse(t, 2, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		h.begin(o, h.plan(1, 1))
		h.startOne(o, 1)
		elsewhere := openOn(t, inFile, 2, fleet(2, "", nil), simulator.Options{})
		there := elsewhere.starter(nil)
		there.Now, there.Executions, there.Home = o.Now, h.store, homeIn(h.identities(), real)
		time.Sleep(time.Hour)
		before := h.record()
		_, poll := there.Poll(t.Context(), orchestrator.Poll{Execution: h.wave.Execution})
		_, begin := there.Continue(t.Context(), orchestrator.Begin{Execution: h.wave.Execution, Plan: h.plan(1, 1), Type: h.wave.Type})
		second := h.wave
		second.Wave.Number = 2
		_, start := there.StartWave(t.Context(), second)
		wantWrongWorld(t, map[string]error{"Poll": poll, "Continue": begin, "StartWave": start}, string(before.Attempts[0].JobID), "AWS account 999999999999 (partition aws) knows none of its jobs")
		if after := h.record(); !reflect.DeepEqual(after, before) {
			t.Errorf("the record was changed:\n%+v\n%+v", before, after)
		}
		if n := elsewhere.count("StartRecovery"); n != 0 {
			t.Errorf("%d jobs were started elsewhere", n)
		}

		o.Home = homeIn(h.identities(), rehearsed)
		h.drive(o, asksNobody(t))
		if bound := h.eventsOf(recovery.EventBound); len(bound) != 1 || !strings.Contains(bound[0].Message, string(before.Attempts[0].JobID)) || !strings.Contains(bound[0].Message, rehearsed.String()) {
			t.Errorf("the log says %+v, want once that it was bound, where, and why", bound)
		}
		if e := h.record(); e.World.AWS != rehearsed {
			t.Errorf("it lives in %+v", e.World)
		}
		h.wantWholeLog(h.record())
	})
}

func TestAnExecutionOfBeforeWithoutAJobIsBoundAtOnce(t *testing.T) {
	inHouse(t, 1, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		h.begin(o, h.plan(1))
		o.Home = homeIn(h.identities(), real)
		h.begin(o, h.plan(1))
		if e, bound := h.record(), h.eventsOf(recovery.EventBound); e.World.AWS != real || len(bound) != 1 || !strings.Contains(bound[0].Message, "it has no job yet") {
			t.Errorf("it lives in %+v, and the log says %+v", e.World, bound)
		}
	})
}

// A start that was sent and not answered may have made a job in another world.
func TestAnExecutionOfBeforeWhoseStartWasSentIsBoundWhereItsJobIsFound(t *testing.T) {
	for name, made := range map[string]bool{"a job was made": true, "no job was made": false} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, 2, nil, func(t *testing.T, h *house, _ *orchestrator.Orchestrator) {
				process := newProcess()
				process.stop, process.how = call{"StartRecovery " + string(serverID(1)), 1}, map[bool]disturbance{true: killedAfter, false: killedBefore}[made]
				before := h.invocation(process, 0) // of a version without worlds
				h.begin(before, h.plan(1, 1))
				first := h.wave
				first.Wave = recovery.Wave{Number: 1}
				ctx, cancel := context.WithCancel(t.Context())
				over := make(chan struct{})
				go func() {
					defer close(over)
					_, _ = before.StartWave(ctx, first)
				}()
				<-process.died
				defer func() {
					cancel()
					close(process.buried)
					<-over
				}()

				elsewhere := openOn(t, inFile, 2, fleet(2, "", nil), simulator.Options{})
				there := elsewhere.starter(nil)
				there.Now, there.Executions, there.Home = time.Now, h.store, homeIn(h.identities(), real)
				ways := func() map[string]error {
					_, poll := there.Poll(t.Context(), orchestrator.Poll{Execution: h.wave.Execution})
					_, begin := there.Continue(t.Context(), orchestrator.Begin{Execution: h.wave.Execution, Plan: h.plan(1, 1), Type: h.wave.Type})
					_, start := there.StartWave(t.Context(), first)
					return map[string]error{"Poll": poll, "Continue": begin, "StartWave": start}
				}
				retryable := func(want bool) {
					t.Helper()
					errs := ways()
					wantWrongWorld(t, errs, "AWS account 999999999999 (partition aws) knows no job of wave 1, which may have been started elsewhere", "muster resume "+string(h.wave.Execution), "begin another one here")
					for what, err := range errs {
						if refused, is := errors.AsType[*recovery.Error](err); is && refused.Retryable != want {
							t.Errorf("%s: retryable: %t, want %t", what, refused.Retryable, want)
						}
					}
				}
				was := h.record()
				retryable(true)
				time.Sleep(recovery.SendTimeout + recovery.Grace)
				retryable(false)
				if after := h.record(); !reflect.DeepEqual(after, was) {
					t.Errorf("the record was changed:\n%+v\n%+v", was, after)
				}
				if n := elsewhere.count("StartRecovery"); n != 0 {
					t.Errorf("%d jobs were started elsewhere", n)
				}
				if !made {
					return
				}
				o := h.invocation(newProcess(), 0)
				o.Home = homeIn(h.identities(), rehearsed)
				h.drive(o, asksNobody(t))
				if bound := h.eventsOf(recovery.EventBound); len(bound) != 1 || !strings.Contains(bound[0].Message, string(h.record().Attempts[0].JobID)) {
					t.Errorf("the log says %+v, want once that it was bound, and by which job", bound)
				}
				if n := h.count("StartRecovery"); n != 2 {
					t.Errorf("%d jobs were started for two waves", n)
				}
			})
		})
	}
}

// Hand-written machines tell the accounts of waves one by one: where nobody can
// be asked for the jobs that there are, nothing is decided.
func TestAnExecutionOfBeforeThatNobodyOpenedIsBoundOnceItsJobsCanBeAskedFor(t *testing.T) {
	inHouse(t, 2, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		if _, err := o.StartWave(t.Context(), h.wave); err != nil {
			t.Fatal(err)
		}
		o.Home = homeIn(h.identities(), real)
		poll := func(accounts map[int]recovery.AccountContext) {
			t.Helper()
			if _, err := o.Poll(t.Context(), orchestrator.Poll{Execution: h.wave.Execution, Wave: new(7), Accounts: accounts}); err != nil {
				t.Fatal(err)
			}
		}
		poll(nil)
		if e := h.record(); !e.World.IsZero() {
			t.Errorf("it was bound to %+v, and nobody could be asked", e.World)
		}
		poll(map[int]recovery.AccountContext{1: h.wave.Wave.Account})
		if e := h.record(); e.World.AWS != real {
			t.Errorf("it lives in %+v", e.World)
		}
	})
}

func TestOfProcessesThatNeedARecordsIDAtOnceAllGetTheSame(t *testing.T) {
	for name, newShelf := range map[string]func(testing.TB) shelf{"in a file": inFile, "in a table": inTable} {
		t.Run(name, func(t *testing.T) {
			records := newShelf(t).(recovery.IdentityStore)
			var wait sync.WaitGroup
			for range 8 {
				wait.Go(func() {
					o := orchestrator.Orchestrator{Home: homeIn(records, real)}
					if err := o.MayDrive(t.Context(), &recovery.Execution{}); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
			i, err := records.Identity(t.Context())
			if err != nil || i.ID == "" || i.Version != 1 || i.AWS != real || i.Where != records.Here() {
				t.Errorf("got %+v, %v; want one that was written once", i, err)
			}
		})
	}
}

// The record's identity is read once more, while servers are looked at, right
// before a start is sent; otherwise once a minute at most.
func TestAStartInAWarmProcessReadsItsWorldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openOn(t, inTable, 3, fleet(3, endless, nil), simulator.Options{})
		store := h.store.(table)
		o := h.starter(nil)
		o.Now = time.Now
		p := h.plan(1, 1, 1)
		for i := range p.Waves {
			p.Waves[i].Independent = true
			p.Waves[i].Servers[0].LaunchConfig = nil // nothing is written
		}
		o.Home = homeIn(store.Store, real)
		h.begin(o, p)
		h.startOne(o, 1)
		with := store.cost(func() { h.startOne(o, 2) })
		o.Home = nil
		without := store.cost(func() { h.startOne(o, 3) })
		if without["GetItem"]++; !maps.Equal(with, without) || with["TransactWriteItems"] == 0 {
			t.Errorf("a warm start costs %v, want %v", with, without)
		}
	})
}

// One record may hold rehearsals and what was done in earnest: servers have the
// same ids in both.
func TestARehearsedRecoveryIsNoWitnessOfWhatLivesInAWS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rehearsal := open(t, 2, fleet(2, "", nil), simulator.Options{Latency: answerTime})
		rehearsal.wave.Type = recovery.Recovery
		o := rehearsal.invocation(newProcess(), 0)
		o.Home = homeIn(rehearsal.identities(), rehearsed)
		rehearsal.begin(o, rehearsal.plan(2))
		rehearsal.drive(o, asksNobody(t))

		earnest := open(t, 2, fleet(2, "", nil), simulator.Options{Latency: answerTime})
		earnest.store, earnest.wave.Execution, earnest.wave.Plan = rehearsal.store, "exec-2", "rp-2"
		o = earnest.invocation(newProcess(), 0)
		o.Home = homeIn(earnest.identities(), real)
		began := time.Now()
		earnest.begin(o, earnest.plan(1, 1))
		earnest.startOne(o, 1)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("the start took %s", took)
		}
		if n := earnest.count("DescribeInstances"); n != 0 {
			t.Errorf("EC2 was asked %d times for instances of a rehearsal", n)
		}

		// Nor is a rehearsal that is under way in the way of a clean-up in AWS.
		earnest.drive(o, asksNobody(t))
		again := rehearsal.invocation(newProcess(), 0)
		again.Home = homeIn(rehearsal.identities(), rehearsed)
		rehearsal.wave.Execution = "exec-3"
		rehearsal.begin(again, rehearsal.plan(1))
		if _, err := cleanUntilDone(t.Context(), o, orchestrator.Cleanup{Execution: "exec-2", By: "anna"}); err != nil {
			t.Error(err)
		}
	})
}

func TestARecordThatWasTakenOverIsNoticedWithinAMinute(t *testing.T) {
	inHouse(t, 2, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		p := h.plan(1, 1)
		o.Home = homeIn(h.identities(), real)
		h.begin(o, p)
		fence(t, h.identities())
		time.Sleep(time.Minute)
		h.unchanged(func() {
			for _, errs := range []map[string]error{acts(h, o, p), writes(h, o)} {
				wantWrongWorld(t, errs, "were taken over by the record taker (table muster-2 in us-east-1) at 2026-11-24T00:00:00Z", `by "anna"`)
			}
		})
	})
}

// However young what is known of the record: it is read anew before it is sent.
func TestAStartIsNotSentFromARecordThatWasTakenOverMeanwhile(t *testing.T) {
	inHouse(t, 1, nil, func(t *testing.T, h *house, _ *orchestrator.Orchestrator) {
		process := newProcess()
		process.before = func(c call) {
			if c.name == "store CONFIGURING" {
				fence(t, h.identities())
			}
		}
		o := h.invocation(process, 0)
		o.Home = homeIn(h.identities(), real)
		h.begin(o, h.plan(1))
		_, err := o.StartWave(t.Context(), h.wave)
		wantWrongWorld(t, map[string]error{"StartWave": err}, "taken over by the record taker")
		if n := h.count("StartRecovery"); n != 0 {
			t.Errorf("%d jobs were started", n)
		}
	})
}

func fence(t *testing.T, s recovery.IdentityStore) {
	t.Helper()
	i, err := s.Identity(t.Context())
	if err == nil {
		err = s.SetIdentity(t.Context(), i.Fence("taker", recovery.RecordPlace{Table: "muster-2", Region: "us-east-1"}, recovery.Request{By: "anna", At: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}))
	}
	if err != nil {
		t.Error(err)
	}
}
