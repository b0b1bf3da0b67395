package recovery_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/recovery"
)

var epoch = time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)

// anyPlan draws a plan without circles: waves depend on lower positions.
func anyPlan(t *rapid.T) *recovery.Plan {
	p := &recovery.Plan{ID: "rp-1"}
	accounts := []string{"111122223333", "444455556666"}
	numbers := rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6, 7}).Draw(t, "numbers")[:rapid.IntRange(1, 8).Draw(t, "waves")]
	if rapid.Bool().Draw(t, "sorted") {
		slices.Sort(numbers)
	}
	for i, n := range numbers {
		w := recovery.PlannedWave{}
		w.Number, w.Name = n, fmt.Sprint("wave ", n)
		w.Account = recovery.AccountContext{AccountID: rapid.SampledFrom(accounts).Draw(t, "account"), Region: "us-west-2", RoleName: "R"}
		for range rapid.IntRange(1, 100).Draw(t, "servers") {
			s := recovery.Server{ID: recovery.SourceServerID(fmt.Sprintf("s-%d-%d", n, len(w.Servers)))}
			if rapid.IntRange(0, 3).Draw(t, "impact") == 0 {
				s.Impact = recovery.Optional
			}
			w.Servers = append(w.Servers, s)
		}
		for _, before := range numbers[:i] {
			if rapid.IntRange(0, 2).Draw(t, "depends") == 0 {
				w.DependsOn = append(w.DependsOn, before)
			}
		}
		// A wave without dependencies follows every lower number, which may be a
		// later position; only independence keeps such a plan free of circles.
		w.Independent = len(w.DependsOn) == 0
		w.PauseBefore = rapid.IntRange(0, 3).Draw(t, "gate") == 0
		w.OnFailure = rapid.SampledFrom([]recovery.OnFailure{"", recovery.PauseOnFailure, recovery.StopOnFailure, recovery.ContinueOnFailure}).Draw(t, "on failure")
		p.Waves = append(p.Waves, w)
	}
	if problems := p.Check(); len(problems) > 0 {
		t.Fatalf("the plan is wrong: %v", problems)
	}
	return p
}

// run follows Next with fates and decisions that rapid draws, and holds every
// step to the rules.
type run struct {
	t     *rapid.T
	e     *recovery.Execution
	plan  *recovery.Plan
	now   time.Time
	ends  map[int]time.Time // of the running jobs, by wave
	began map[string]bool   // wave and attempt
}

func TestFollowingNextEndsAndKeepsEveryRule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPlan(t)
		r := &run{t: t, plan: p, now: epoch, ends: map[int]time.Time{}, began: map[string]bool{}}
		r.e = &recovery.Execution{ID: "exec-1", Plan: p.ID, Type: recovery.Drill, Version: 1, Waves: p.Records()}
		if rapid.Bool().Draw(t, "busy") {
			r.e.Others = []recovery.Load{{Place: recovery.Place{AccountID: "111122223333", Region: "us-west-2"}, Jobs: rapid.IntRange(0, 20).Draw(t, "others' jobs"), Servers: rapid.IntRange(0, 500).Draw(t, "others' servers")}}
		}
		for steps := 0; ; steps++ {
			if steps > 2000 {
				t.Fatalf("no end after %d steps: %+v", steps, recovery.Next(r.e, r.now))
			}
			if steps == 200 {
				r.e.Others = nil // others end some time, too
			}
			step := recovery.Next(r.e, r.now)
			if again := recovery.Next(r.e, r.now); !cmp.Equal(again, step) {
				t.Fatalf("two answers to one question: %+v and %+v", step, again)
			}
			if !r.follow(step) {
				return
			}
		}
	})
}

// follow does what the step says; false at the end.
func (r *run) follow(step recovery.Step) bool {
	switch step.Action {
	case recovery.DoStartWave:
		r.start(step)
	case recovery.DoWait:
		if step.Wait <= 0 {
			r.t.Fatalf("a wait of %s", step.Wait)
		}
		r.now = r.now.Add(step.Wait)
		r.poll()
	case recovery.DoAwaitDecision:
		r.decide(step)
	case recovery.DoFinish:
		r.checkOutcome(step)
		return false
	default:
		r.t.Fatalf("unknown step %+v", step)
	}
	return true
}

func (r *run) start(step recovery.Step) {
	t, w := r.t, r.e.Wave(step.Wave)
	key := fmt.Sprint(step.Wave, "/", step.Attempt)
	if r.began[key] {
		t.Fatalf("wave %d was started twice in attempt %d", step.Wave, step.Attempt)
	}
	for _, n := range r.e.Dependencies(w) {
		status := r.e.Status(r.e.Wave(n), r.now)
		passes := status == recovery.StatusCompleted || status == recovery.StatusSkipped ||
			status == recovery.StatusFailed && r.e.Wave(n).OnFailure == recovery.ContinueOnFailure
		if !passes {
			t.Fatalf("wave %d was started before wave %d, which is %s", step.Wave, n, status)
		}
	}
	if w.PauseBefore && !w.GatePassed {
		t.Fatalf("wave %d was started past its gate", step.Wave)
	}
	if r.e.Pause != nil || r.e.Cancel != nil || r.e.Interrupted != nil {
		t.Fatalf("wave %d was started although the execution is held", step.Wave)
	}
	if err := r.e.Admit(step.Wave, r.now); err != nil {
		t.Fatalf("wave %d was to be started, and its start is refused: %v", step.Wave, err)
	}
	a := recovery.Attempt{Wave: step.Wave, Attempt: step.Attempt, AccountID: w.AccountID, Region: w.Region}
	if last := r.e.Attempt(step.Wave); last != nil {
		a = *last
	}
	if len(a.Servers) == 0 {
		for _, s := range r.plan.Wave(step.Wave).Servers {
			a.Servers = append(a.Servers, s.ID)
		}
	}
	switch rapid.IntRange(0, 8).Draw(t, "start") {
	case 8: // the invocation dies at it
		a = a.Take("somebody", r.now)
	case 0:
		a = a.Refuse(&recovery.Error{Code: recovery.DRSAPIError, Message: "not now", Retryable: true}).Postpone(r.now)
	case 1:
		a = a.Refuse(&recovery.Error{Code: recovery.DRSAPIError, Message: "never"})
		r.began[key] = true
	default:
		a = a.Start(&recovery.Job{ID: "drsjob-1", Servers: a.Servers}, r.now)
		r.ends[step.Wave] = r.now.Add(time.Duration(rapid.IntRange(1, 200).Draw(t, "minutes")) * time.Minute)
		r.began[key] = true
	}
	r.set(a)
	if rapid.IntRange(0, 9).Draw(t, "pause") == 0 {
		r.e.AskPause(recovery.Request{By: "somebody", At: r.now})
	}
	r.checkQuotas()
}

func (r *run) set(a recovery.Attempt) {
	if last := r.e.Attempt(a.Wave); last != nil {
		*last = a
		return
	}
	r.e.Attempts = append(r.e.Attempts, a)
}

func (r *run) checkQuotas() {
	jobs, servers := map[recovery.Place]int{}, map[recovery.Place]int{}
	for _, o := range r.e.Others {
		jobs[o.Place], servers[o.Place] = o.Jobs, o.Servers
	}
	for i := range r.e.Attempts {
		if a := &r.e.Attempts[i]; a.Running() {
			at := recovery.Place{AccountID: a.AccountID, Region: a.Region}
			jobs[at]++
			servers[at] += len(a.Accepted)
		}
	}
	for at := range jobs {
		ours := slices.ContainsFunc(r.e.Attempts, func(a recovery.Attempt) bool { return a.Running() && a.AccountID == at.AccountID })
		if ours && (jobs[at] > recovery.MostJobs || servers[at] > recovery.MostServersInJobs) {
			r.t.Fatalf("%d jobs with %d servers run in %v", jobs[at], servers[at], at)
		}
	}
}

// poll ends the jobs whose time has come, with fates that rapid draws.
func (r *run) poll() {
	for i := range r.e.Attempts {
		a := &r.e.Attempts[i]
		if !a.Running() || r.now.Before(r.ends[a.Wave]) {
			continue
		}
		for _, s := range r.plan.Wave(a.Wave).Servers {
			if !slices.Contains(a.Servers, s.ID) {
				continue
			}
			o := recovery.ServerOutcome{Server: s.ID, Status: "LAUNCHED", Optional: s.IsOptional()}
			if rapid.IntRange(0, 60).Draw(r.t, "fate") == 0 {
				o.Status, o.Reason = "FAILED", "drawn"
			}
			a.Outcomes = append(a.Outcomes, o)
		}
		a.JobOver = true
	}
}

func (r *run) decide(step recovery.Step) {
	if len(step.Decisions) == 0 {
		r.t.Fatal("a decision is awaited and nothing is asked")
	}
	q := rapid.SampledFrom(step.Decisions).Draw(r.t, "question")
	choice := rapid.SampledFrom(q.Choices).Draw(r.t, "choice")
	d := recovery.Decision{Question: q.ID, Choice: choice, Request: recovery.Request{By: "somebody", At: r.now}}
	if choice == recovery.CancelAll && rapid.IntRange(0, 3).Draw(r.t, "really cancel") > 0 {
		return
	}
	if _, _, err := r.e.Decide(d, r.now); err != nil {
		r.t.Fatalf("an offered choice does not apply: %v", err)
	}
}

// checkOutcome holds the outcome to the servers' fates.
func (r *run) checkOutcome(step recovery.Step) {
	t := r.t
	all, critical, stopped := true, true, false
	for i := range r.e.Waves {
		w := &r.e.Waves[i]
		status, a := r.e.Status(w, r.now), r.e.Attempt(w.Number)
		if status == recovery.StatusRunning && r.e.Cancel == nil {
			t.Fatalf("finished while wave %d runs", w.Number)
		}
		stopped = stopped || status == recovery.StatusFailed && w.OnFailure == recovery.StopOnFailure
		if a == nil || status != recovery.StatusCompleted {
			all = false
			critical = critical && (status == recovery.StatusSkipped || status == recovery.StatusFailed && w.OnFailure == recovery.ContinueOnFailure)
			continue
		}
		for _, o := range a.Outcomes {
			all = all && o.Launched()
			critical = critical && (o.Launched() || o.Optional)
		}
	}
	var want []recovery.Outcome
	switch {
	case r.e.Cancel != nil:
		want = []recovery.Outcome{recovery.OutcomeCancelled}
	case all:
		want = []recovery.Outcome{recovery.OutcomeCompleted}
	case stopped || !critical:
		want = []recovery.Outcome{recovery.OutcomeFailed}
	default: // nothing at all that was completed or skipped is a failure, too
		want = []recovery.Outcome{recovery.OutcomePartial, recovery.OutcomeFailed}
	}
	if !slices.Contains(want, step.Outcome) {
		t.Fatalf("the outcome is %s (%s), want one of %v", step.Outcome, step.Reason, want)
	}
}
