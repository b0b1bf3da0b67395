package orchestrator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"muster/recovery"
)

// Poll asks for a look at the jobs of an execution's waves.
type Poll struct {
	Execution recovery.ExecutionID
	Wave      *int // nil: all that are under way
	// Accounts are the waves' as the event tells them, for an execution that
	// nobody opened; one that was opened has them in its frozen plan.
	Accounts map[int]recovery.AccountContext
	// Known is the record as it was read a moment ago; nil: it is read.
	Known *recovery.Execution
}

// Poll looks at every job that is under way, with one list of jobs for each
// account and region, and records what changed. It may be called freely.
//
// What AWS refuses is recorded for the waves that it is about, which are looked
// at again after waits that grow; all others are looked at. In an execution that
// nobody opened there is nobody to wait: the error is what was refused, as a
// *recovery.Error for each.
func (o *Orchestrator) Poll(ctx context.Context, p Poll) (*recovery.Execution, error) {
	e, err := p.Known, error(nil)
	if e == nil {
		if e, err = o.Execution(ctx, p.Execution); err != nil {
			return nil, err
		}
	}
	if err := o.known(e); err != nil {
		return nil, err
	}
	if e.Ended != nil {
		return e, nil
	}
	if e, err = o.bound(ctx, e, p.Accounts); err != nil {
		return nil, err
	}
	var plan *recovery.Plan
	if e.Waves != nil {
		if plan, err = o.plan(ctx, p.Execution); err != nil {
			return nil, err
		}
	}
	look := &looks{o: o, e: e, plan: plan, accounts: p.Accounts, only: p.Wave}
	var problems []error
	waves := look.byAccount()
	for _, account := range look.inOrder(waves) {
		problems = append(problems, look.at(ctx, account, waves[account]))
	}
	return look.e, errors.Join(problems...)
}

// inOrder gives accounts that were seen last time first: one that hangs keeps
// no other from being looked at.
func (l *looks) inOrder(waves map[recovery.AccountContext][]int) []recovery.AccountContext {
	unseen := func(account recovery.AccountContext) int {
		return len(slices.DeleteFunc(slices.Clone(waves[account]), func(n int) bool { return l.e.Attempt(n).Unseen == nil }))
	}
	return slices.SortedFunc(maps.Keys(waves), func(a, b recovery.AccountContext) int {
		return cmp.Or(cmp.Compare(unseen(a), unseen(b)), cmp.Compare(a.AccountID, b.AccountID), cmp.Compare(a.Region, b.Region), cmp.Compare(a.RoleName, b.RoleName))
	})
}

// looks is one poll of one execution.
type looks struct {
	o        *Orchestrator
	e        *recovery.Execution
	plan     *recovery.Plan
	accounts map[int]recovery.AccountContext
	only     *int
}

// byAccount groups the waves whose jobs run by the account they run in. Where
// others were seen at work and nothing of ours runs, it is looked all the same:
// waves may be waiting for the room that others take.
func (l *looks) byAccount() map[recovery.AccountContext][]int {
	waves := map[recovery.AccountContext][]int{}
	looked := map[recovery.Place]bool{}
	for i := range l.e.Attempts {
		a := &l.e.Attempts[i]
		if !a.Running() || l.only != nil && a.Wave != *l.only {
			continue
		}
		if l.only == nil && l.o.now().Before(a.UnseenUntil()) {
			continue
		}
		account := l.accounts[a.Wave]
		if l.plan != nil {
			account = l.plan.Wave(a.Wave).Account
		}
		waves[account] = append(waves[account], a.Wave)
		looked[account.Place()] = true
	}
	if l.plan == nil || l.only != nil {
		return waves
	}
	for i := range l.plan.Waves {
		account := l.plan.Waves[i].Account
		busy := slices.ContainsFunc(l.e.Others, func(o recovery.Load) bool { return o.Place == account.Place() && o.Jobs > 0 })
		if busy && !looked[account.Place()] {
			waves[account], looked[account.Place()] = nil, true
		}
	}
	return waves
}

// at looks at the jobs of some waves in one account and region.
func (l *looks) at(ctx context.Context, account recovery.AccountContext, waves []int) error {
	region, refused := l.o.assume(ctx, account)
	var jobs map[recovery.JobID]recovery.Job
	if refused == nil {
		jobs, refused = l.jobs(ctx, region, waves)
	}
	for _, n := range waves {
		var s recovery.Sighting
		err := refused
		if err == nil {
			s, err = l.sight(ctx, region, n, jobs)
		}
		if err := l.record(ctx, n, s, lookFailure(err)); err != nil {
			return err
		}
	}
	if l.plan == nil || refused != nil && len(waves) > 0 {
		return nil
	}
	if refused != nil {
		why, is := errors.AsType[*recovery.Error](lookFailure(refused))
		if !is {
			return refused
		}
		// Whoever waits there for the room that others take finds out by its start.
		l.o.tell(l.e.ID, recovery.Event{Kind: recovery.EventNote, Message: fmt.Sprintf("what others run in account %s, %s, is not known: %s", account.AccountID, account.Region, why.Message)})
	}
	return l.others(ctx, account.Place(), jobs)
}

func lookFailure(err error) error { return drsRefusal("Failed to look at the jobs", err) }

// jobs lists what runs there: since the first of our jobs was begun, which
// shows what others run, too; and by id what that list does not show.
func (l *looks) jobs(ctx context.Context, region recovery.Region, waves []int) (map[recovery.JobID]recovery.Job, error) {
	since := l.o.now()
	for _, n := range waves {
		if at := l.e.Attempt(n).StartedAt; at.Before(since) {
			since = at
		}
	}
	listed, err := region.Jobs(ctx, recovery.JobQuery{Since: since.Add(-time.Hour)})
	if err != nil {
		return nil, err
	}
	jobs := map[recovery.JobID]recovery.Job{}
	for _, j := range listed {
		jobs[j.ID] = j
	}
	var missing []recovery.JobID
	for _, n := range waves {
		if id := l.e.Attempt(n).JobID; jobs[id].ID == "" {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return jobs, nil
	}
	byID, err := region.Jobs(ctx, recovery.JobQuery{IDs: missing})
	for _, j := range byID {
		jobs[j.ID] = j
	}
	return jobs, err
}

// sight reads what is to be seen of one wave.
func (l *looks) sight(ctx context.Context, region recovery.Region, n int, jobs map[recovery.JobID]recovery.Job) (s recovery.Sighting, err error) {
	before := l.e.Attempt(n)
	j, listed := jobs[before.JobID]
	if !listed {
		return s, nil
	}
	s.Job = &j
	// The log tells the phase of every launch, and why one failed.
	if s.Log, err = region.JobLog(ctx, j.ID); err != nil {
		return s, err
	}
	need := before.NeedsServers(s.Job)
	if len(need) == 0 {
		return s, nil
	}
	servers, err := region.SourceServers(ctx, need)
	s.Last = map[recovery.SourceServerID]recovery.LastLaunch{}
	for _, server := range servers {
		s.Last[server.ID] = server.LastLaunch
	}
	return s, err
}

// record judges one wave's servers by what was seen, and records what changed:
// in an opened execution also why it could not be looked at, where AWS refused
// that. What else went wrong is given back.
func (l *looks) record(ctx context.Context, n int, s recovery.Sighting, failure error) error {
	refused, is := errors.AsType[*recovery.Error](failure)
	if failure != nil && (!is || l.plan == nil) {
		return failure
	}
	before := l.e.Attempt(n)
	return l.amend(ctx, func(e *recovery.Execution) (*recovery.Change, error) {
		a := e.Attempt(n)
		if a == nil || a.JobID != before.JobID || a.JobOver || e.Ended != nil {
			return nil, nil // somebody else looked already
		}
		now := l.o.now()
		next := a.Seen(s, l.optional(n), now)
		if refused != nil {
			next = a.NotSeen(refused, now)
		}
		ev := recovery.Event{At: now, Kind: recovery.EventProgress, JobID: a.JobID, Message: next.Progress(a)}
		if w := e.Wave(n); w != nil {
			next.TimedOut = next.TimedOut || !next.JobOver && !now.Before(next.StartedAt.Add(w.TimeLimit))
		}
		switch {
		case next.JobOver && !a.JobOver:
			ev.Kind, ev.Message = recovery.EventCompleted, next.Verdict()
			if !next.Succeeded() {
				ev.Kind = recovery.EventFailed
			}
		case next.TimedOut && !a.TimedOut:
			ev.Kind, ev.Message = recovery.EventTimedOut, fmt.Sprintf("TIMED_OUT; job %s still runs: %s", next.JobID, next.Verdict())
		case refused != nil && now.Before(a.UnseenUntil()):
			return nil, nil // another poll was faster
		case refused != nil:
			ev.Kind, ev.Message = recovery.EventPostponed, fmt.Sprintf("looked at again in %s: %s", next.Unseen.Again.Sub(now).Round(time.Second), next.Blind().Message)
		case a.Unseen != nil:
			ev.Message = strings.TrimPrefix(ev.Message+"; it can be looked at again", "; ")
		case reflect.DeepEqual(next.Outcomes, a.Outcomes):
			return nil, nil
		}
		c := e.With(next, &ev)
		return &c, nil
	})
}

// amend changes the execution as it was last seen.
func (l *looks) amend(ctx context.Context, decide func(*recovery.Execution) (*recovery.Change, error)) error {
	e, err := l.o.amendKnown(ctx, l.e.ID, l.e, decide)
	if err == nil {
		l.e = e
	}
	return err
}

func (l *looks) optional(n int) func(recovery.SourceServerID) bool {
	return func(id recovery.SourceServerID) bool {
		if l.plan == nil {
			return false
		}
		for _, s := range l.plan.Wave(n).Servers {
			if s.ID == id {
				return s.IsOptional()
			}
		}
		return false
	}
}

// others records what other parties run there, which quotas count as well.
func (l *looks) others(ctx context.Context, at recovery.Place, jobs map[recovery.JobID]recovery.Job) error {
	load := recovery.Load{Place: at}
	for _, j := range jobs {
		ours := slices.ContainsFunc(l.e.Attempts, func(a recovery.Attempt) bool { return a.JobID == j.ID })
		if !ours && !j.Over() {
			load.Jobs, load.Servers = load.Jobs+1, load.Servers+len(j.Servers)
		}
	}
	return l.amend(ctx, func(e *recovery.Execution) (*recovery.Change, error) {
		was := map[recovery.Place]recovery.Load{}
		for _, o := range e.Others {
			was[o.Place] = o
		}
		if was[at] == load || load.Jobs == 0 && was[at].Jobs == 0 || e.Ended != nil {
			return nil, nil
		}
		was[at] = load
		c := recovery.Change{Execution: *e}
		c.Execution.Attempts = nil
		c.Execution.Others = slices.SortedFunc(maps.Values(was), func(a, b recovery.Load) int {
			return cmp.Or(cmp.Compare(a.AccountID, b.AccountID), cmp.Compare(a.Region, b.Region))
		})
		return &c, nil
	})
}
