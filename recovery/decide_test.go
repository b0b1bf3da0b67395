package recovery_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/recovery"
)

// Wave 2 depends on wave 1, and has a gate before it.
func gated() *recovery.Execution {
	return &recovery.Execution{ID: "exec-1", Plan: "rp-1", Type: recovery.Drill, Version: 1, Waves: []recovery.WaveRecord{
		{Number: 1, Name: "Databases", Servers: 1, OnFailure: recovery.PauseOnFailure},
		{Number: 2, Name: "Applications", Servers: 1, OnFailure: recovery.PauseOnFailure, DependsOn: []int{1}, PauseBefore: true},
	}}
}

// by is somebody's answer to a question.
func by(who string, question recovery.QuestionID, choice recovery.Choice) recovery.Decision {
	return recovery.Decision{Question: question, Choice: choice, Request: recovery.Request{By: who, At: epoch}}
}

func TestAGateIsAnsweredAheadByItsID(t *testing.T) {
	e := gated()
	if got := e.QuestionAbout(e.Wave(2), epoch).ID; got != "gate-w2" {
		t.Errorf("the gate that is not asked yet has the id %q", got)
	}
	d, news, err := e.Decide(by("ops", "gate-w2", recovery.Approve), epoch)
	if err != nil || !news || d.Wave == nil || *d.Wave != 2 || !e.Wave(2).GatePassed {
		t.Errorf("the gate was not passed ahead: %+v, %v", d, err)
	}
}

func TestADecisionThatNamesNoQuestionIsRefused(t *testing.T) {
	for _, choice := range []recovery.Choice{recovery.Approve, recovery.Resume, recovery.Retry, recovery.Skip} {
		e := gated()
		e.Wave(1).Skipped = true
		if _, _, err := e.Decide(recovery.Decision{Choice: choice}, epoch); err == nil || e.Wave(2).GatePassed || e.Wave(2).Skipped {
			t.Errorf("%s was taken for an answer to what is asked just now: %v", choice, err)
		}
	}
}

func TestResumeWithAWaveIsTheOldWordForApprovingItsGate(t *testing.T) {
	for _, said := range []recovery.Decision{{Choice: recovery.Resume, Wave: new(2)}, {Choice: recovery.Resume, Question: "gate-w2"}} {
		e := gated()
		d, news, err := e.Decide(said, epoch)
		if err != nil || !news || d.Choice != recovery.Approve || d.Question != "gate-w2" || !e.Wave(2).GatePassed {
			t.Errorf("got %+v, %v", d, err)
		}
		if _, news, err := e.Decide(by("ops", "gate-w2", recovery.Approve), epoch); err != nil || news {
			t.Errorf("the same in today's words: news %v, %v", news, err)
		}
	}
	if _, _, err := gated().Decide(recovery.Decision{Choice: recovery.Resume, Wave: new(1)}, epoch); err == nil || !strings.Contains(err.Error(), "wave 1 has no gate") {
		t.Errorf("got %v", err)
	}
}

// What was answered stays answered, whoever comes again, however late.
func TestTheSameAnswerAgainChangesNothingAndAnotherOneIsRefused(t *testing.T) {
	at := func(e *recovery.Execution, state recovery.ClaimState, attempt int) {
		a := recovery.Attempt{Wave: 1, Attempt: attempt, State: state, Servers: []recovery.SourceServerID{"s-1"}}
		if state == recovery.Refused {
			a.Refusal = &recovery.Refusal{Code: recovery.ValidationError, Message: "no"}
		} else {
			a.JobID, a.JobOver, a.Outcomes = "drsjob-1", true, []recovery.ServerOutcome{{Server: "s-1", Status: "FAILED"}}
		}
		e.Attempts = []recovery.Attempt{a}
	}
	pause := func(e *recovery.Execution) { e.AskPause(recovery.Request{By: "ops", At: epoch}) }
	interrupt := func(e *recovery.Execution) { e.Interrupt(recovery.Request{By: "the state machine", At: epoch}) }
	for name, c := range map[string]struct {
		asks   func(e *recovery.Execution, time int)
		ids    [2]recovery.QuestionID
		choice recovery.Choice
		other  recovery.Choice
	}{
		"a pause":         {func(e *recovery.Execution, _ int) { pause(e) }, [2]recovery.QuestionID{"pause-1", "pause-2"}, recovery.Resume, recovery.CancelAll},
		"an interruption": {func(e *recovery.Execution, _ int) { interrupt(e) }, [2]recovery.QuestionID{"interrupted-1", "interrupted-2"}, recovery.Resume, recovery.CancelAll},
		"a failed wave":   {func(e *recovery.Execution, n int) { at(e, recovery.Started, n) }, [2]recovery.QuestionID{"failed-w1-a1", "failed-w1-a2"}, recovery.Retry, recovery.Skip},
		"a refused wave":  {func(e *recovery.Execution, n int) { at(e, recovery.Refused, n) }, [2]recovery.QuestionID{"refused-w1-a1", "refused-w1-a2"}, recovery.Retry, recovery.Skip},
		"refused, started": {func(e *recovery.Execution, n int) {
			at(e, []recovery.ClaimState{recovery.Refused, recovery.Started}[n-1], n)
		}, [2]recovery.QuestionID{"refused-w1-a1", "failed-w1-a2"}, recovery.Retry, recovery.Skip},
	} {
		e := gated()
		c.asks(e, 1)
		if q := recovery.Next(e, epoch).Decisions; len(q) != 1 || q[0].ID != c.ids[0] {
			t.Fatalf("%s: asked %+v", name, q)
		}
		if _, news, err := e.Decide(by("alice", c.ids[0], c.choice), epoch); err != nil || !news {
			t.Fatalf("%s: news %v, %v", name, news, err)
		}
		c.asks(e, 2)
		if q := recovery.Next(e, epoch).Decisions; len(q) != 1 || q[0].ID != c.ids[1] {
			t.Errorf("%s: asked %+v", name, q)
		}
		before := *e
		before.Waves, before.Attempts = slices.Clone(e.Waves), slices.Clone(e.Attempts)
		for _, late := range []string{"alice", "bob"} {
			if _, news, err := e.Decide(by(late, c.ids[0], c.choice), epoch.Add(time.Hour)); err != nil || news {
				t.Errorf("%s: the same again, by %s: news %v, %v", name, late, news, err)
			}
		}
		_, _, err := e.Decide(by("bob", c.ids[0], c.other), epoch.Add(time.Hour))
		if want := "question " + string(c.ids[0]) + ` was answered already: "alice" decided ` + string(c.choice) + " at 2026-11-24T03:00:00Z"; err == nil || err.Error() != want {
			t.Errorf("%s: another answer: %v\nwant %s", name, err, want)
		}
		if diff := cmp.Diff(&before, e); diff != "" {
			t.Errorf("%s: a late answer changed the record:\n%s", name, diff)
		}
	}
}

func TestARetryOfOtherServersIsAnotherAnswer(t *testing.T) {
	e := gated()
	e.Attempts = []recovery.Attempt{{Wave: 1, Attempt: 1, State: recovery.Started, JobID: "drsjob-1", JobOver: true, Servers: []recovery.SourceServerID{"s-1", "s-2"}}}
	d := by("alice", "failed-w1-a1", recovery.Retry)
	d.Exclude = []recovery.SourceServerID{"s-1"}
	for i, want := range []bool{true, false} {
		if _, news, err := e.Decide(d, epoch); err != nil || news != want {
			t.Errorf("time %d: news %v, %v", i+1, news, err)
		}
	}
	if _, _, err := e.Decide(by("bob", "failed-w1-a1", recovery.Retry), epoch); err == nil {
		t.Error("who asks for a retry with all servers was told that it is so")
	}
}

func TestWhatIsNotAskedIsToldSo(t *testing.T) {
	for id, want := range map[recovery.QuestionID]string{
		"gate-w1":      "was never asked: wave 1 has no gate",
		"gate-w9":      "has no wave 9",
		"failed-w1-a1": "is not asked, or not any more: wave 1 is PENDING",
		"pause-1":      "is not asked, or not any more",
		"nonsense":     "is not asked, or not any more",
	} {
		if _, _, err := gated().Decide(by("ops", id, recovery.Skip), epoch); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", id, err, want)
		}
	}
	e := gated()
	if _, _, err := e.Decide(by("ops", "gate-w2", recovery.Retry), epoch); err == nil || !strings.Contains(err.Error(), "by one of: approve, skip, cancel") {
		t.Errorf("got %v", err)
	}
}

func TestAWaveThatIsNamedBesideAQuestionHasToBeItsOwn(t *testing.T) {
	d := by("ops", "gate-w2", recovery.Approve)
	d.Wave = new(1)
	e := gated()
	if _, _, err := e.Decide(d, epoch); err == nil || e.Wave(2).GatePassed {
		t.Errorf("got %v", err)
	}
	if _, _, err := e.Decide(by("ops", "gate-w2", recovery.Approve), epoch); err != nil {
		t.Fatal(err)
	}
	if _, _, err := e.Decide(d, epoch); err == nil || err.Error() != "question gate-w2 is not about wave 1" {
		t.Errorf("once it was answered: got %v", err)
	}
}

// However often it is paused, the record does not grow without end; and what
// it has forgotten is not asked.
func TestTheNewestAnswersAreKept(t *testing.T) {
	e := gated()
	for n := 1; n <= 150; n++ {
		e.AskPause(recovery.Request{By: "ops", At: epoch})
		if _, _, err := e.Decide(by("ops", recovery.QuestionID(fmt.Sprintf("pause-%d", n)), recovery.Resume), epoch); err != nil {
			t.Fatal(err)
		}
	}
	if len(e.Answers) != 100 || e.Answers[99].Question != "pause-150" {
		t.Errorf("%d answers are kept", len(e.Answers))
	}
	e.AskPause(recovery.Request{By: "ops", At: epoch})
	if _, _, err := e.Decide(by("ops", "pause-3", recovery.Resume), epoch); err == nil || e.Pause == nil {
		t.Errorf("got %v", err)
	}
}

// A record of a version that did not count pauses.
func TestAPauseOfBeforeIsTheFirstOne(t *testing.T) {
	e := gated()
	e.Pause = &recovery.Request{By: "ops", At: epoch}
	if _, _, err := e.Decide(by("ops", "pause-1", recovery.Resume), epoch); err != nil {
		t.Fatal(err)
	}
	e.AskPause(recovery.Request{By: "ops", At: epoch})
	if q, _ := e.PauseQuestion(); q.ID != "pause-2" {
		t.Errorf("the next pause is %s", q.ID)
	}
}

func TestAPauseAskedForAgainWithAnotherReasonIsKept(t *testing.T) {
	e := gated()
	for _, r := range []struct {
		by, why string
		news    bool
	}{{"alice", "lunch", true}, {"alice", "lunch", false}, {"bob", "the database is restored", true}, {"bob", "the database is restored", false}} {
		if news := e.AskPause(recovery.Request{By: r.by, Reason: r.why, At: epoch}); news != r.news {
			t.Errorf("%+v: got news %v", r, news)
		}
	}
	if q, _ := e.PauseQuestion(); q.ID != "pause-1" || q.Text != `a pause was asked for by "alice": lunch; and by "bob": the database is restored` {
		t.Errorf("got %+v", q)
	}
}

func TestACancelAgainIsNoErrorAndAddsItsReason(t *testing.T) {
	e := gated()
	for i, want := range []bool{true, false} {
		if _, news, err := e.Decide(recovery.Decision{Choice: recovery.CancelAll, Request: recovery.Request{By: "ops"}}, epoch); err != nil || news != want {
			t.Errorf("time %d: news %v, %v", i+1, news, err)
		}
	}
	if _, news, err := e.Decide(recovery.Decision{Choice: recovery.CancelAll, Request: recovery.Request{By: "bob", Reason: "the storm is over"}}, epoch); err != nil || !news || e.Cancel.By != "ops" {
		t.Errorf("another reason: news %v, %v", news, err)
	}
	if _, _, err := e.Decide(by("ops", "gate-w2", recovery.Approve), epoch); err == nil {
		t.Error("a gate was passed of an execution that is cancelled")
	}
}

// Wave 0 depends on wave 1, and has a gate before it; its number is no word for
// "the execution".
func TestADecisionAboutTheExecutionIsNotOneAboutWaveZero(t *testing.T) {
	for name, c := range map[string]struct {
		d     recovery.Decision
		about *int
		stays bool // the pause
	}{
		"the pause is lifted":              {d: by("ops", "pause-1", recovery.Resume)},
		"wave 0 is approved while paused":  {d: by("ops", "gate-w0", recovery.Approve), about: new(0), stays: true},
		"wave 0 is skipped while paused":   {d: by("ops", "gate-w0", recovery.Skip), about: new(0), stays: true},
		"wave 0, in the old words, paused": {d: recovery.Decision{Choice: recovery.Resume, Wave: new(0)}, about: new(0), stays: true},
	} {
		e := gated()
		e.Waves[1].Number, e.Wave(1).Skipped = 0, true
		e.AskPause(recovery.Request{By: "ops", At: epoch})
		d, _, err := e.Decide(c.d, epoch)
		if err != nil || !cmp.Equal(d.Wave, c.about) {
			t.Errorf("%s: about %v, %v", name, d.Wave, err)
		}
		if stays := e.Pause != nil; stays != c.stays {
			t.Errorf("%s: paused afterwards: %v", name, stays)
		}
		if w := e.Wave(0); w.Skipped != (c.about != nil && d.Choice == recovery.Skip) || w.GatePassed != (c.about != nil && d.Choice == recovery.Approve) {
			t.Errorf("%s: wave 0 is %+v", name, w)
		}
	}
}

func TestOnlyServersThatWouldBeTriedAgainAreLeftOutOfARetry(t *testing.T) {
	failed := func() *recovery.Execution {
		e := gated()
		e.Attempts = []recovery.Attempt{{Wave: 1, Attempt: 1, State: recovery.Started, JobID: "drsjob-1", JobOver: true, Servers: []recovery.SourceServerID{"s-1", "s-2", "s-3"}, Outcomes: []recovery.ServerOutcome{
			{Server: "s-1", Status: "LAUNCHED", Instance: "i-1"}, {Server: "s-2", Status: "FAILED"}, {Server: "s-3", Status: "FAILED"},
		}}}
		return e
	}
	e := failed()
	_, _, err := e.Decide(recovery.Decision{Question: "failed-w1-a1", Choice: recovery.Retry, Exclude: []recovery.SourceServerID{"s-2", "s-1", "s-9"}}, epoch)
	if err == nil {
		t.Fatal("a server that is not in the wave, and one that was launched, were left out of its retry")
	}
	if want := "nothing was decided, for not every server can be left out of the retry of wave 1: s-1 was launched already; s-9 is not in the wave; those that can be: s-2, s-3"; err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	if diff := cmp.Diff(failed(), e); diff != "" {
		t.Errorf("a refused decision changed the record:\n%s", diff)
	}
	_, _, err = e.Decide(recovery.Decision{Question: "failed-w1-a1", Choice: recovery.Retry, Exclude: []recovery.SourceServerID{"s-2"}}, epoch)
	if a := e.Attempt(1); err != nil || a.Attempt != 2 || !slices.Equal(a.Servers, []recovery.SourceServerID{"s-3"}) {
		t.Errorf("got %+v, %v", a, err)
	}
}

// The start of a wave that was refused before anybody claimed it has no servers
// in the record; its next start lists them.
func TestAWaveThatWasRefusedBeforeItsClaimIsRetriedWhole(t *testing.T) {
	e := gated()
	e.Attempts = []recovery.Attempt{{Wave: 1, Attempt: 1, State: recovery.Refused, Refusal: &recovery.Refusal{Code: recovery.ValidationError, Message: "no"}}}
	if _, _, err := e.Decide(recovery.Decision{Question: "failed-w1-a1", Choice: recovery.Retry, Exclude: []recovery.SourceServerID{"s-1"}}, epoch); err == nil || e.Attempt(1).Attempt != 1 {
		t.Errorf("a server of which the record knows nothing was left out: %v", err)
	}
	if _, _, err := e.Decide(recovery.Decision{Question: "refused-w1-a1", Choice: recovery.Retry}, epoch); err != nil || e.Attempt(1).Attempt != 2 || e.Attempt(1).State != recovery.Planned {
		t.Errorf("got %+v, %v", e.Attempt(1), err)
	}
}
