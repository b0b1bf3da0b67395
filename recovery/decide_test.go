package recovery_test

import (
	"slices"
	"testing"

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

func TestAGateThatDoesNotAskYetIsPassedByItsNameAlone(t *testing.T) {
	e := gated()
	if _, err := e.Decide(recovery.Decision{Choice: recovery.Resume}, epoch); err == nil || e.Wave(2).GatePassed {
		t.Errorf("a resume that names no wave passed a gate that nobody was asked about: %v", err)
	}
	wave, err := e.Decide(recovery.Decision{Choice: recovery.Resume, Wave: new(2)}, epoch)
	if err != nil || wave == nil || *wave != 2 || !e.Wave(2).GatePassed {
		t.Errorf("the gate that was named was not passed ahead: wave %v, %v", wave, err)
	}
}

func TestADecisionThatNamesNoWaveIsAboutTheOnlyOneThatAsks(t *testing.T) {
	e := gated()
	e.Wave(1).Skipped = true
	wave, err := e.Decide(recovery.Decision{Choice: recovery.Resume}, epoch)
	if err != nil || wave == nil || *wave != 2 || !e.Wave(2).GatePassed {
		t.Errorf("got wave %v, %v", wave, err)
	}
}

// Wave 0 depends on wave 1, and has a gate before it; its number is no word for
// "the execution".
func TestADecisionAboutTheExecutionIsNotOneAboutWaveZero(t *testing.T) {
	for name, c := range map[string]struct {
		paused  bool
		one     bool // wave 1 is settled
		choice  recovery.Choice
		wave    *int
		refused bool
		about   *int
		stays   bool // the pause
	}{
		"a skip while only a pause asks":        {paused: true, choice: recovery.Skip, refused: true, stays: true},
		"a skip while nothing asks":             {choice: recovery.Skip, refused: true},
		"a skip of wave 0, ahead":               {paused: true, choice: recovery.Skip, wave: new(0), about: new(0), stays: true},
		"a skip while wave 0 alone asks":        {one: true, choice: recovery.Skip, about: new(0)},
		"a resume while it is paused":           {paused: true, one: true, choice: recovery.Resume},
		"a resume of wave 0 while it is paused": {paused: true, one: true, choice: recovery.Resume, wave: new(0), about: new(0), stays: true},
		"a resume while wave 0 alone asks":      {one: true, choice: recovery.Resume, about: new(0)},
		"a retry while wave 0 is at its gate":   {one: true, choice: recovery.Retry, refused: true},
	} {
		e := gated()
		e.Waves[1].Number, e.Wave(1).Skipped = 0, c.one
		if c.paused {
			e.Pause = &recovery.Request{By: "ops", At: epoch}
		}
		about, err := e.Decide(recovery.Decision{Choice: c.choice, Wave: c.wave}, epoch)
		if (err != nil) != c.refused || !cmp.Equal(about, c.about) {
			t.Errorf("%s: about %v, %v", name, about, err)
		}
		if stays := e.Pause != nil; stays != c.stays {
			t.Errorf("%s: paused afterwards: %v", name, stays)
		}
		if w := e.Wave(0); w.Skipped != (c.about != nil && c.choice == recovery.Skip) || w.GatePassed != (c.about != nil && c.choice == recovery.Resume) {
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
	_, err := e.Decide(recovery.Decision{Choice: recovery.Retry, Exclude: []recovery.SourceServerID{"s-2", "s-1", "s-9"}}, epoch)
	if err == nil {
		t.Fatal("a server that is not in the wave, and one that was launched, were left out of its retry")
	}
	if want := "nothing was decided, for not every server can be left out of the retry of wave 1: s-1 was launched already; s-9 is not in the wave; those that can be: s-2, s-3"; err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	if diff := cmp.Diff(failed(), e); diff != "" {
		t.Errorf("a refused decision changed the record:\n%s", diff)
	}
	_, err = e.Decide(recovery.Decision{Choice: recovery.Retry, Exclude: []recovery.SourceServerID{"s-2"}}, epoch)
	if a := e.Attempt(1); err != nil || a.Attempt != 2 || !slices.Equal(a.Servers, []recovery.SourceServerID{"s-3"}) {
		t.Errorf("got %+v, %v", a, err)
	}
}

// The start of a wave that was refused before anybody claimed it has no servers
// in the record; its next start lists them.
func TestAWaveThatWasRefusedBeforeItsClaimIsRetriedWhole(t *testing.T) {
	e := gated()
	e.Attempts = []recovery.Attempt{{Wave: 1, Attempt: 1, State: recovery.Refused, Refusal: &recovery.Refusal{Code: recovery.ValidationError, Message: "no"}}}
	if _, err := e.Decide(recovery.Decision{Choice: recovery.Retry, Exclude: []recovery.SourceServerID{"s-1"}}, epoch); err == nil || e.Attempt(1).Attempt != 1 {
		t.Errorf("a server of which the record knows nothing was left out: %v", err)
	}
	if _, err := e.Decide(recovery.Decision{Choice: recovery.Retry}, epoch); err != nil || e.Attempt(1).Attempt != 2 || e.Attempt(1).State != recovery.Planned {
		t.Errorf("got %+v, %v", e.Attempt(1), err)
	}
}
