package recovery_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"muster/recovery"
)

// What the witnesses say of one server, and what comes of it.
func TestWitnessesThatDisagreeAreSettledOrAskedAbout(t *testing.T) {
	now := time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)
	launched := recovery.LastLaunch{JobID: "drsjob-1", Status: "LAUNCHED", Type: "RECOVERY", At: now.Add(-20 * time.Minute)}
	job := func(status string, ended time.Time) recovery.Job {
		j := recovery.Job{ID: "drsjob-1", InitiatedBy: "START_RECOVERY", Status: recovery.JobStarted, Ended: ended,
			Participants: []recovery.Participant{{Server: "s-abc", Status: status, Instance: "i-1"}}}
		if !ended.IsZero() {
			j.Status = recovery.JobCompleted
		}
		return j
	}
	over := job("LAUNCHED", now.Add(-10*time.Minute))
	young := job("LAUNCHED", now.Add(-time.Minute))
	record := recovery.Recovered{Execution: "exec-9", Attempt: recovery.Attempt{State: recovery.Started, JobID: "drsjob-1", StartedAt: now.Add(-20 * time.Minute), Accepted: []recovery.SourceServerID{"s-abc"}}}
	ended := record
	ended.Attempt.JobOver, ended.Attempt.EndedAt = true, now.Add(-10*time.Minute)
	ended.Attempt.Outcomes = []recovery.ServerOutcome{{Server: "s-abc", Status: "LAUNCHED", Instance: "i-1", JobID: "drsjob-1"}}
	failed := ended
	failed.Attempt.Outcomes = []recovery.ServerOutcome{{Server: "s-abc", Status: "FAILED"}}
	gone := func(at time.Time, launches ...string) []recovery.TreatedAsGone {
		return []recovery.TreatedAsGone{{Server: "s-abc", Launches: launches, Request: recovery.Request{By: "ops", At: at}}}
	}
	const ready, lives, asked, waits, runs, dies = "ready", "a live recovery instance", "an instance of it may live", "looks again", "is launching it", "is being terminated"
	running := recovery.LastLaunch{JobID: "drsjob-1", Status: "IN_PROGRESS", Type: "RECOVERY", At: now.Add(-time.Minute)}
	for name, c := range map[string]struct {
		last      recovery.LastLaunch
		instances []recovery.RecoveryInstance
		jobs      []recovery.Job
		recovered []recovery.Recovered
		ec2       map[recovery.InstanceID]string // nil: not asked, or no answer
		waited    bool
		gone      []recovery.TreatedAsGone
		replace   []recovery.InstanceID
		want      string
	}{
		"nothing was ever launched":                        {want: ready},
		"a drill was":                                      {last: recovery.LastLaunch{JobID: "drsjob-1", Status: "LAUNCHED", Type: "DRILL"}, want: ready},
		"a recovery failed":                                {last: recovery.LastLaunch{JobID: "drsjob-1", Status: "FAILED", Type: "RECOVERY"}, want: ready},
		"EC2 shows it running":                             {last: launched, jobs: []recovery.Job{over}, ec2: map[recovery.InstanceID]string{"i-1": "running"}, want: lives},
		"EC2 shows it stopped":                             {last: launched, jobs: []recovery.Job{over}, ec2: map[recovery.InstanceID]string{"i-1": "stopped"}, want: lives},
		"EC2 shows it running, and it is named":            {last: launched, jobs: []recovery.Job{over}, ec2: map[recovery.InstanceID]string{"i-1": "running"}, replace: []recovery.InstanceID{"i-1"}, want: ready},
		"EC2 shows it terminated":                          {last: launched, jobs: []recovery.Job{young}, ec2: map[recovery.InstanceID]string{"i-1": "terminated"}, want: ready},
		"EC2 shows it shutting down":                       {last: launched, jobs: []recovery.Job{young}, ec2: map[recovery.InstanceID]string{"i-1": "shutting-down"}, want: ready},
		"EC2 does not know it, and lists may lag":          {last: launched, jobs: []recovery.Job{young}, ec2: map[recovery.InstanceID]string{}, want: waits},
		"EC2 does not know it, and it was waited for":      {last: launched, jobs: []recovery.Job{young}, ec2: map[recovery.InstanceID]string{}, waited: true, want: ready},
		"EC2 does not know it, long after":                 {last: launched, jobs: []recovery.Job{over}, ec2: map[recovery.InstanceID]string{}, want: ready},
		"EC2 does not answer":                              {last: launched, jobs: []recovery.Job{over}, want: asked},
		"EC2 does not answer, and a person did":            {last: launched, jobs: []recovery.Job{over}, gone: gone(now), want: ready},
		"a person answered about this launch":              {last: launched, jobs: []recovery.Job{over}, gone: gone(now.Add(-time.Hour), "drsjob-1"), want: ready},
		"a person answered about another launch":           {last: launched, jobs: []recovery.Job{over}, gone: gone(now, "drsjob-2"), want: asked},
		"a person answered while it was under way":         {last: launched, jobs: []recovery.Job{over}, gone: gone(now.Add(-15 * time.Minute)), want: asked},
		"a person answered, and lists may lag":             {last: launched, jobs: []recovery.Job{young}, ec2: map[recovery.InstanceID]string{}, gone: gone(now), want: waits},
		"a person answered of a launch without an end":     {last: launched, gone: gone(now, "drsjob-1"), waited: true, want: ready},
		"a person answered before it was launched":         {last: launched, jobs: []recovery.Job{over}, gone: gone(now.Add(-time.Hour)), want: asked},
		"a person's word against what EC2 shows":           {last: launched, jobs: []recovery.Job{over}, ec2: map[recovery.InstanceID]string{"i-1": "running"}, gone: gone(now), want: lives},
		"DRS does not know the job any more":               {last: launched, waited: true, want: asked},
		"DRS does not know the job yet":                    {last: launched, want: waits},
		"no job is named":                                  {last: recovery.LastLaunch{Status: "LAUNCHED", Type: "RECOVERY", At: now.Add(-72 * time.Hour)}, want: asked},
		"the list of jobs is older than the server's word": {last: launched, jobs: []recovery.Job{job("IN_PROGRESS", time.Time{})}, want: waits},
		"the job launched it, and others are under way":    {last: launched, jobs: []recovery.Job{job("LAUNCHED", time.Time{})}, ec2: map[recovery.InstanceID]string{"i-1": "pending"}, want: lives},
		"a recovery seems to be under way":                 {last: running, jobs: []recovery.Job{job("IN_PROGRESS", time.Time{})}, want: runs},
		"a recovery of our record seems to be under way":   {recovered: []recovery.Recovered{record}, jobs: []recovery.Job{job("IN_PROGRESS", time.Time{})}, want: runs},
		"a recovery was under way, and its job is over":    {last: running, jobs: []recovery.Job{over}, ec2: map[recovery.InstanceID]string{"i-1": "running"}, want: lives},
		"DRS lists it":                                     {last: launched, instances: []recovery.RecoveryInstance{{ID: "i-1", EC2: "i-1", Server: "s-abc", EC2State: "RUNNING", JobID: "drsjob-1"}}, want: lives},
		"DRS lists it, and EC2 knows better":               {last: launched, instances: []recovery.RecoveryInstance{{ID: "i-1", EC2: "i-1", Server: "s-abc", EC2State: "RUNNING", JobID: "drsjob-1"}}, ec2: map[recovery.InstanceID]string{"i-1": "terminated"}, want: ready},
		"DRS did not find it in EC2, and it runs":          {last: launched, jobs: []recovery.Job{over}, instances: []recovery.RecoveryInstance{{ID: "i-1", EC2: "i-1", Server: "s-abc", EC2State: "NOT_FOUND", JobID: "drsjob-1"}}, ec2: map[recovery.InstanceID]string{"i-1": "running"}, want: lives},
		"DRS did not find it in EC2, and nobody does":      {last: recovery.LastLaunch{Status: "LAUNCHED", Type: "RECOVERY", At: now.Add(-72 * time.Hour)}, instances: []recovery.RecoveryInstance{{ID: "i-1", EC2: "i-1", Server: "s-abc", EC2State: "NOT_FOUND"}}, ec2: map[recovery.InstanceID]string{}, want: ready},
		"DRS lists it as shutting down":                    {last: launched, instances: []recovery.RecoveryInstance{{ID: "i-1", EC2: "i-1", Server: "s-abc", EC2State: "SHUTTING-DOWN", JobID: "drsjob-1"}}, want: dies},
		"DRS lists it as shutting down, and it is gone":    {last: launched, instances: []recovery.RecoveryInstance{{ID: "i-1", EC2: "i-1", Server: "s-abc", EC2State: "SHUTTING-DOWN", JobID: "drsjob-1"}}, ec2: map[recovery.InstanceID]string{"i-1": "terminated"}, want: ready},
		"DRS lists it as terminated":                       {last: launched, instances: []recovery.RecoveryInstance{{ID: "i-1", EC2: "i-1", Server: "s-abc", EC2State: "TERMINATED", JobID: "drsjob-1"}}, want: ready},
		"our record, and the server remembers a drill":     {last: recovery.LastLaunch{JobID: "drsjob-2", Status: "FAILED", Type: "DRILL"}, recovered: []recovery.Recovered{record}, jobs: []recovery.Job{over}, ec2: map[recovery.InstanceID]string{"i-1": "running"}, want: lives},
		"our record, and DRS has forgotten the job":        {recovered: []recovery.Recovered{ended}, ec2: map[recovery.InstanceID]string{"i-1": "running"}, want: lives},
		"our record of an attempt that failed":             {recovered: []recovery.Recovered{failed}, want: ready},
		"our record of another server":                     {recovered: []recovery.Recovered{{Execution: "exec-9", Attempt: recovery.Attempt{State: recovery.Started, JobID: "drsjob-1", Accepted: []recovery.SourceServerID{"s-other"}}}}, want: ready},
	} {
		t.Run(name, func(t *testing.T) {
			s := recovery.Standing{Servers: []recovery.SourceServer{{ID: "s-abc", Replication: "CONTINUOUS", LastLaunch: c.last}}, Instances: c.instances,
				Jobs: c.jobs, Recovered: c.recovered, EC2: c.ec2, Asked: now, Waited: c.waited}
			r := recovery.Readiness{Policy: recovery.Continuous, Gone: c.gone, Replace: c.replace}
			wave, ids := []recovery.Server{{ID: "s-abc"}}, []recovery.SourceServerID{"s-abc"}
			if again := r.Unsettled(ids, s); again != (c.want == waits) {
				t.Fatalf("it is looked again: %v", again)
			} else if again {
				return
			}
			err := r.CheckStakes(wave, s)
			if whole := r.Check(wave, s); (whole == nil) != (err == nil) {
				t.Errorf("the check of everything says %v, and that of what is at stake %v", whole, err)
			}
			if c.want == ready {
				if err != nil {
					t.Errorf("got %v, want it ready", err)
				}
				return
			}
			var refused *recovery.Error
			if !errors.As(err, &refused) || !strings.Contains(refused.Message, c.want) || refused.Retryable != (c.want == runs || c.want == dies) || (len(refused.InDoubt) == 1) != (c.want == asked) {
				t.Errorf("got %+v, want a refusal of which a person hears %q", refused, c.want)
			}
		})
	}
}
