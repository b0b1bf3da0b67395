package recoverytest

import (
	"fmt"
	"reflect"
	"time"

	"muster/recovery"
)

// openedPromises are about whole executions: what one was opened with, the
// plan that was frozen with it, and the list of all.
var openedPromises = []promise{
	{"every field that an execution was opened with survives", func(h *house) {
		e := opened(execution)
		e.Waves = append(e.Waves, recovery.WaveRecord{
			Number: 20, Name: "Web 日本語", AccountID: "444455556666", Region: "eu-central-1", Servers: 7, DependsOn: []int{1, 10},
			FollowsAll: true, PauseBefore: true, OnFailure: recovery.StopOnFailure, TimeLimit: 90*time.Minute + 1, GatePassed: true, Skipped: true,
		})
		e.PollEvery, e.Policy, e.Replace, e.Run = 1500*time.Millisecond, recovery.RecoveryPointPolicy, []recovery.InstanceID{"i-2", "i-1"}, 3
		e.Gone = []recovery.TreatedAsGone{{Server: "s-1", Request: recovery.Request{By: "user@example.com", At: now.Add(5), Reason: "seen", RequestID: "request-9"}}}
		e.Others = []recovery.Load{{Place: recovery.Place{AccountID: "111122223333", Region: "us-east-1"}, Jobs: 3, Servers: 250}}
		for i, request := range []**recovery.Request{&e.Pause, &e.Cancel, &e.Interrupted} {
			*request = &recovery.Request{By: fmt.Sprintf("user-%d@example.com", i), At: now.Add(time.Duration(i)), Reason: "because\n<it> is \"so\"", RequestID: fmt.Sprint("request-", i)}
		}
		e.Speed = 60.5
		e.PausedAlso, e.Pauses, e.Interruptions = []recovery.Request{*e.Pause, *e.Cancel}, 2, 3
		e.Answers = []recovery.Answered{{Question: "failed-w2-a1", Choice: recovery.Retry, By: "user@example.com", At: now.Add(7), Servers: "00ff"}}
		e.Needs = []string{"what is not there yet"}
		e.Ended = &recovery.Ending{Outcome: recovery.OutcomePartial, Reason: "one of two", At: now.Add(9)}
		e.TaskToken, e.TaskRun = recovery.NewSecret("task-token"), 3
		e.World = recovery.World{Record: "record-1", AWS: recovery.SimulatedAWS("ab12", 7, "digest", "a: \"fleet\" of ours")}
		filled(h, *e, "Version", "LastEvent", "Attempts", "Driver")
		filled(h, e.Waves[2])
		filled(h, *e.Pause)
		filled(h, e.Answers[0])
		e = h.change(h.store, e)
		same(h, "execution", h.read(h.open(), execution), e)

		e.Waves, e.Pause, e.Cancel, e.Interrupted, e.Ended, e.PollEvery, e.Others, e.Replace, e.Gone, e.Run = e.Waves[:1], nil, nil, nil, nil, 0, nil, nil, nil, 0
		e.Speed, e.PausedAlso, e.Pauses, e.Interruptions, e.Answers, e.Needs = 0, nil, 0, 0, nil, nil
		e.TaskToken, e.TaskRun = recovery.Secret{}, 0
		e.Waves[0].GatePassed = true
		e = h.change(h.open(), e)
		same(h, "execution after the next change", h.read(h.store, execution), e)
	}},
	{"changes of an attempt leave what the execution was opened with, and the other way round", func(h *house) {
		want := h.change(h.store, opened(execution))
		h.claim(h.open(), 1, "token-1", now)
		h.claim(h.store, 10, "token-10", now)
		same(h, "waves after a claim", h.read(h.store, execution).Waves, want.Waves)
		e := h.read(h.store, execution)
		e.Pause = &recovery.Request{By: "user@example.com", At: now}
		e = h.change(h.store, e)
		same(h, "number of attempts", len(e.Attempts), 2)
		same(h, "execution after a pause", h.read(h.open(), execution), e)
	}},
	{"an execution that nobody opened has no waves and no plan", func(h *house) {
		h.claim(h.store, 1, "token-1", now)
		if e := h.read(h.store, execution); e.Waves != nil || !e.TaskToken.IsZero() {
			h.Errorf("got waves %v and token %v, want none", e.Waves, e.TaskToken)
		}
		e := h.read(h.store, execution)
		e.World = recovery.World{Record: "record-1", AWS: "aws:999999999999"}
		e = h.change(h.store, e)
		same(h, "execution after it was bound to its world", h.read(h.open(), execution), e)
		for _, id := range []recovery.ExecutionID{execution, "exec-unknown"} {
			if p := h.plan(h.store, id); p != nil {
				h.Errorf("execution %s has the plan %+v, want nil", id, p)
			}
		}
	}},
	{"a frozen plan of 3,000 servers survives, and what comes later leaves it as it is", func(h *house) {
		c := opening(execution)
		c.Frozen = largePlan()
		h.commit(h.store, c)
		c.Frozen.Waves[0].Servers[0].ID, c.Frozen.Waves[0].Name = "s-forged", "forged"
		same(h, "plan", h.plan(h.open(), execution), largePlan())
		h.plan(h.store, execution).Waves[0].Servers[0].ID = "s-forged"
		h.claim(h.store, 1, "token-1", now)
		h.change(h.store, h.read(h.store, execution))
		same(h, "plan after other changes", h.plan(h.store, execution), largePlan())
	}},
	{"secrets come back as they were", func(h *house) {
		c := opening(execution)
		c.Execution.TaskToken = recovery.NewSecret("the-token's-word")
		c.Frozen = largePlan()
		h.commit(h.store, c)
		same(h, "task token", h.read(h.open(), execution).TaskToken.Reveal(), "the-token's-word")
		p := h.plan(h.open(), execution)
		same(h, "external id of the plan", p.Account.ExternalID.Reveal(), "the-plan's-word")
		same(h, "external id of a wave", p.Waves[4].Account.ExternalID.Reveal(), "the-word-of-wave-5")
		same(h, "external id where there is none", p.Waves[3].Account.ExternalID.Reveal(), "")
	}},
	{"executions are listed, those that changed last first, at most so many", func(h *house) {
		h.listed(10)
		ids := []recovery.ExecutionID{"exec-5", "exec-12", "exec-1", "exec-30", "exec-2", "exec-4"}
		var want []recovery.ExecutionID
		changed := func(id recovery.ExecutionID) {
			rest := []recovery.ExecutionID{id}
			for _, other := range want {
				if other != id {
					rest = append(rest, other)
				}
			}
			want = rest
		}
		at := now
		for i, id := range ids {
			at = at.Add(time.Second)
			if i%2 == 0 {
				h.commit(h.store, claiming(h.read(h.store, id), 1, "token-1", at)) // opened by nobody
			} else {
				e := opened(id)
				e.Plan = recovery.PlanID("rp-" + id)
				h.commit(h.store, e.WithEvent(*happened(recovery.EventNote, at, "opened")))
			}
			changed(id)
		}
		for _, id := range []recovery.ExecutionID{"exec-12", "exec-1", "exec-5", "exec-12"} {
			at = at.Add(time.Second)
			h.commit(h.open(), claiming(h.read(h.store, id), 1, "token-2", at))
			changed(id)
		}
		h.listed(100, want...)
		h.listed(len(want), want...)
		h.listed(3, want[:3]...)
		h.listed(0)
	}},
}

// opened is an execution as begin_execution makes it.
func opened(id recovery.ExecutionID) *recovery.Execution {
	start := starting(id, 1)
	e := start.NewExecution()
	e.Digest = "digest-1"
	for _, number := range []int{1, 10} {
		e.Waves = append(e.Waves, recovery.WaveRecord{Number: number, Name: "Database Tier", AccountID: "123456789012", Region: "us-east-1",
			Servers: 2, OnFailure: recovery.PauseOnFailure, TimeLimit: time.Hour})
	}
	return e
}

// opening is the change that opens an execution.
func opening(id recovery.ExecutionID) recovery.Change {
	c := opened(id).WithEvent(*happened(recovery.EventNote, now, "opened"))
	c.Frozen = &recovery.Plan{ID: c.Execution.Plan, Name: "of " + string(id)}
	return c
}

// change commits the execution itself, and gives it as it has to be read back.
func (h *house) change(s recovery.ExecutionStore, e *recovery.Execution) *recovery.Execution {
	h.Helper()
	c := e.WithEvent(*happened(recovery.EventNote, now, "changed"))
	h.commit(s, c)
	after := c.Execution
	after.Version, after.Attempts = e.Version+1, e.Attempts
	return &after
}

func (h *house) plan(s recovery.ExecutionStore, id recovery.ExecutionID) *recovery.Plan {
	h.Helper()
	p, err := s.Plan(h.Context(), id)
	if err != nil {
		h.Fatalf("Plan(%s): %v", id, err)
	}
	return p
}

// listed wants these executions in the list, each as it is read but for its
// attempts. A list may be a little behind, and is given a second.
func (h *house) listed(most int, want ...recovery.ExecutionID) {
	h.Helper()
	var all, got []recovery.Execution
	for _, id := range want {
		e := *h.read(h.store, id)
		e.Attempts = nil
		all = append(all, e)
	}
	other := h.open()
	for range 10 {
		var err error
		if got, err = other.Executions(h.Context(), most); err != nil {
			h.Fatalf("Executions(%d): %v", most, err)
		}
		if len(got) == 0 && len(all) == 0 || reflect.DeepEqual(got, all) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	h.Fatalf("list of at most %d:\n got %+v\nwant %+v", most, got, all)
}

// largePlan is a plan of 30 waves of 100 servers, in ten accounts.
func largePlan() *recovery.Plan {
	p := &recovery.Plan{
		ID: "rp-456", Name: "Everything", Owner: "user@example.com",
		Account:    recovery.AccountContext{AccountID: "123456789012", Region: "us-east-1", RoleName: "Role", ExternalID: recovery.NewSecret("the-plan's-word")},
		Objectives: recovery.Objectives{RecoveryTime: 4 * time.Hour, RecoveryPoint: time.Minute},
		Groups:     map[recovery.ProtectionGroupID]*recovery.ProtectionGroup{},
		Needs:      []string{"what is not there yet"},
	}
	for n := 1; n <= 30; n++ {
		group := recovery.ProtectionGroupID(fmt.Sprint("pg-", n))
		p.Groups[group] = &recovery.ProtectionGroup{ID: group, LaunchConfig: recovery.LaunchConfig{recovery.OSByol: true}}
		w := recovery.PlannedWave{
			Wave: recovery.Wave{Number: n, Name: fmt.Sprint("Wave ", n), Group: group,
				Account: recovery.AccountContext{AccountID: fmt.Sprintf("%012d", n%10), Region: "us-east-1", RoleName: "Role"}},
			Independent: n%3 == 0, PauseBefore: n%7 == 0, OnFailure: recovery.ContinueOnFailure, Timeout: time.Duration(n) * time.Minute,
			Tags: map[string]string{"tier": fmt.Sprint(n)},
		}
		if n%5 == 0 {
			w.Account.ExternalID = recovery.NewSecret(fmt.Sprint("the-word-of-wave-", n))
		}
		if n > 6 {
			w.DependsOn = []int{n - 6, n - 5}
		}
		for i := range recovery.MostServers {
			s := recovery.Server{ID: recovery.SourceServerID(fmt.Sprintf("s-%017d", n*1000+i)), Hostname: fmt.Sprintf("host-%d.example.com", i), Snapshot: "pit-1", Impact: recovery.Optional}
			switch i % 3 {
			case 0:
				s.LaunchConfig = recovery.LaunchConfig{recovery.InstanceType: "r5.xlarge", recovery.SecurityGroups: []string{"sg-2", "sg-1"}, recovery.CopyTags: true}
			case 1:
				s.LaunchConfig = recovery.LaunchConfig{} // as DRS has it, which is not nil: as the group has it
			}
			w.Servers = append(w.Servers, s)
		}
		p.Waves = append(p.Waves, w)
	}
	return p
}
