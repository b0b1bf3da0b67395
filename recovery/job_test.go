package recovery_test

import (
	"maps"
	"testing"
	"time"

	"muster/recovery"
)

func TestWhichJobIsOurs(t *testing.T) {
	servers := []recovery.SourceServerID{"s-1", "s-2"}
	first := recovery.JobTags(recovery.AttemptKey{Execution: "exec-1", Wave: 2, Attempt: 1}, "rp-1", "Database Tier")
	second := recovery.JobTags(recovery.AttemptKey{Execution: "exec-1", Wave: 2, Attempt: 2}, "rp-1", "Database Tier")
	with := func(tags map[string]string, key, value string) map[string]string {
		tags = maps.Clone(tags)
		tags[key] = value
		return tags
	}
	without := func(tags map[string]string, keys ...string) map[string]string {
		tags = maps.Clone(tags)
		for _, key := range keys {
			delete(tags, key)
		}
		return tags
	}
	job := recovery.Job{ID: "drsjob-1", Type: "LAUNCH", InitiatedBy: "START_DRILL", Status: recovery.JobPending, Created: t0.Add(time.Second), Tags: first, Servers: servers}
	for name, c := range map[string]struct {
		change func(*recovery.Job)
		want   map[string]string // the tags that we sent; nil: those of the first attempt
		ours   bool
	}{
		"it carries our tags":                        {func(*recovery.Job) {}, nil, true},
		"it is over already":                         {func(j *recovery.Job) { j.Status = recovery.JobCompleted }, nil, true},
		"it has further tags":                        {func(j *recovery.Job) { j.Tags = with(first, "Owner", "dr-team") }, nil, true},
		"its WaveName was changed":                   {func(j *recovery.Job) { j.Tags = with(first, "WaveName", "else") }, nil, true},
		"DRS accepted fewer servers":                 {func(j *recovery.Job) { j.Servers = servers[:1] }, nil, true},
		"DRS does not name its servers":              {func(j *recovery.Job) { j.Servers = nil }, nil, true},
		"AWS's clock is two minutes behind":          {func(j *recovery.Job) { j.Created = t0.Add(-recovery.ClockSkew) }, nil, true},
		"it is as old as we look back":               {func(j *recovery.Job) { j.Created = t0.Add(-recovery.LookBack) }, nil, true},
		"it is older than we look back":              {func(j *recovery.Job) { j.Created = t0.Add(-recovery.LookBack - 1) }, nil, false},
		"it terminates":                              {func(j *recovery.Job) { j.Type = "TERMINATE" }, nil, false},
		"it was begun as a recovery":                 {func(j *recovery.Job) { j.InitiatedBy = "START_RECOVERY" }, nil, false},
		"it was begun by a failback":                 {func(j *recovery.Job) { j.InitiatedBy = "FAILBACK" }, nil, false},
		"another execution's":                        {func(j *recovery.Job) { j.Tags = with(first, "ExecutionId", "exec-2") }, nil, false},
		"another plan's":                             {func(j *recovery.Job) { j.Tags = with(first, "PlanId", "rp-2") }, nil, false},
		"another wave's":                             {func(j *recovery.Job) { j.Tags = with(first, "WaveNumber", "1") }, nil, false},
		"some of our tags are missing":               {func(j *recovery.Job) { j.Tags = without(first, "WaveNumber") }, nil, false},
		"a later attempt's, and ours is the first":   {func(j *recovery.Job) { j.Tags = second }, nil, false},
		"the second attempt's, and so is ours":       {func(j *recovery.Job) { j.Tags = second }, second, true},
		"the first attempt's, and ours is the next":  {func(*recovery.Job) {}, second, false},
		"no tags, exactly our servers, after we did": {func(j *recovery.Job) { j.Tags = nil }, nil, true},
		"the same in another order":                  {func(j *recovery.Job) { j.Tags, j.Servers = nil, []recovery.SourceServerID{"s-2", "s-1"} }, nil, true},
		"only a WaveName, exactly our servers":       {func(j *recovery.Job) { j.Tags = map[string]string{"WaveName": "Database Tier"} }, nil, false},
		"a stranger's tags, exactly our servers":     {func(j *recovery.Job) { j.Tags = map[string]string{"Owner": "someone"} }, nil, false},
		"no tags, and as old as our second":          {func(j *recovery.Job) { j.Tags, j.Created = nil, t0.Truncate(time.Second) }, nil, true},
		"no tags, and older than our sending":        {func(j *recovery.Job) { j.Tags, j.Created = nil, t0.Add(-time.Second) }, nil, false},
		"no tags, and fewer servers":                 {func(j *recovery.Job) { j.Tags, j.Servers = nil, servers[:1] }, nil, false},
		"no tags, and more servers":                  {func(j *recovery.Job) { j.Tags, j.Servers = nil, append(servers, "s-3") }, nil, false},
		"no tags, and one of ours twice":             {func(j *recovery.Job) { j.Tags, j.Servers = nil, []recovery.SourceServerID{"s-1", "s-1"} }, nil, false},
		"no tags, and DRS names no servers":          {func(j *recovery.Job) { j.Tags, j.Servers = nil, nil }, nil, false},
		"no tags, and begun as a recovery":           {func(j *recovery.Job) { j.Tags, j.InitiatedBy = nil, "START_RECOVERY" }, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			j, want := job, c.want
			if want == nil {
				want = first
			}
			c.change(&j)
			a := recovery.Attempt{FirstSentAt: t0}
			if got := a.Ours(&j, recovery.Drill, want, servers); got != c.ours {
				t.Errorf("got %v, want %v", got, c.ours)
			}
		})
	}
}

func TestARecoverysJobIsBegunAsOne(t *testing.T) {
	tags := recovery.JobTags(recovery.AttemptKey{Execution: "exec-1", Wave: 1, Attempt: 1}, "rp-1", "")
	a := recovery.Attempt{FirstSentAt: t0}
	for begin, want := range map[string]bool{"START_RECOVERY": true, "START_DRILL": false} {
		j := &recovery.Job{Type: "LAUNCH", InitiatedBy: begin, Created: t0, Tags: tags}
		if got := a.Ours(j, recovery.Recovery, tags, nil); got != want {
			t.Errorf("%s: got %v, want %v", begin, got, want)
		}
	}
}

func TestAJobIsOverOnlyWhenItIsCompleted(t *testing.T) {
	for status, want := range map[recovery.JobStatus]bool{recovery.JobPending: false, recovery.JobStarted: false, recovery.JobCompleted: true, "": false} {
		if got := (&recovery.Job{Status: status}).Over(); got != want {
			t.Errorf("%q: got %v, want %v", status, got, want)
		}
	}
}
