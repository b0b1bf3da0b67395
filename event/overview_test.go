package event_test

import (
	"strings"
	"testing"
	"time"

	"muster/event"
	"muster/recovery"
)

// What is interrupted is told as such although a job runs: nobody looks at
// that one, and a person can make it go on now.
func TestAnInterruptedExecutionIsToldAsSuchWhileItsJobRuns(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	stopped := &recovery.Request{By: "the state machine", At: now, Reason: "run exec-1 of the state machine ended: ABORTED"}
	for _, c := range []struct {
		name      string
		change    func(*recovery.Execution)
		state     string
		reason    string
		questions int
	}{
		{"it runs", func(*recovery.Execution) {}, "RUNNING", "wave 1: job drsjob-1 runs", 0},
		{"interrupted", func(e *recovery.Execution) { e.Interrupted = stopped }, "INTERRUPTED",
			"the execution was interrupted: run exec-1 of the state machine ended: ABORTED; nobody looks after this until it is resumed: wave 1: job drsjob-1 runs", 1},
		{"interrupted, and its job is over", func(e *recovery.Execution) {
			e.Interrupted, e.Attempts[0].JobOver = stopped, true
			e.Attempts[0].Outcomes = []recovery.ServerOutcome{{Server: "s-1", Status: "LAUNCHED", Instance: "i-1"}}
		}, "INTERRUPTED", "the execution was interrupted: run exec-1 of the state machine ended: ABORTED", 1},
		{"interrupted and cancelled", func(e *recovery.Execution) { e.Interrupted, e.Cancel = stopped, &recovery.Request{By: "me", At: now} }, "CANCELLING", "", 0},
	} {
		e := &recovery.Execution{
			ID: "exec-1", Plan: "rp-1", Type: recovery.Drill, Version: 5,
			Waves: []recovery.WaveRecord{{Number: 1, Name: "App", Servers: 1, TimeLimit: time.Hour, OnFailure: recovery.PauseOnFailure}},
			Attempts: []recovery.Attempt{{Wave: 1, Attempt: 1, Servers: []recovery.SourceServerID{"s-1"}, State: recovery.Started, JobID: "drsjob-1",
				Accepted: []recovery.SourceServerID{"s-1"}, StartedAt: now}},
		}
		c.change(e)
		o := event.OverviewOf(e, &recovery.Plan{}, nil, now)
		if o.State != c.state || !strings.HasPrefix(o.Reason, c.reason) || len(o.Questions) != c.questions || o.Waves[0].JobID != "drsjob-1" {
			t.Errorf("%s: got %s (%s), %v\nwant %s (%s), %d questions", c.name, o.State, o.Reason, o.Questions, c.state, c.reason, c.questions)
		}
	}
}

// Whoever looks at an execution is told which wave cannot be looked at, and why.
func TestAnOverviewSaysWhichWaveCannotBeSeen(t *testing.T) {
	a := recovery.Attempt{Wave: 1, Attempt: 1, AccountID: "123456789012", Region: "us-east-1", State: recovery.Started, JobID: "drsjob-1", StartedAt: dawn}
	a = a.NotSeen(&recovery.Error{Code: recovery.CrossAccountError, Message: "Failed to assume role Role in account 123456789012"}, dawn)
	e := &recovery.Execution{ID: "exec-1", Version: 1, Attempts: []recovery.Attempt{a},
		Waves: []recovery.WaveRecord{{Number: 1, TimeLimit: time.Hour, OnFailure: recovery.PauseOnFailure}, {Number: 2, TimeLimit: time.Hour, FollowsAll: true}}}
	for _, after := range []time.Duration{time.Second, 16 * time.Minute} {
		o := event.OverviewOf(e, &recovery.Plan{}, nil, dawn.Add(after))
		if w := o.Waves[0]; w.Status != recovery.StatusRunning || !strings.Contains(w.Reason, "job drsjob-1 of wave 1 cannot be looked at in account 123456789012, us-east-1") || o.Waves[1].Reason != "" {
			t.Errorf("after %s it tells %+v", after, o.Waves)
		}
		if asked := len(o.Questions) == 1 && o.Questions[0].ID == "unseen-w1-a1-1"; asked != (after > time.Minute) || !strings.Contains(o.Reason, "cannot be looked at") {
			t.Errorf("after %s it asks %+v and says %q", after, o.Questions, o.Reason)
		}
	}
}
