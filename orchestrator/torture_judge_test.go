package orchestrator_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"muster/recovery"
)

// judge looks at everything once it is over.
func (st *stage) judge(ctx context.Context) {
	st.control(http.MethodDelete, "faults", "")
	for _, c := range st.world.Calls() {
		st.trace("%d %s %s %v %d %s %v %v", c.N, c.Time, c.Operation, c.Resources, c.Status, c.Code, c.Mutated, c.Faults)
		st.seen["AWS calls"]++
		for _, fault := range c.Faults {
			st.seen["fault "+fault]++
		}
		announced := slices.ContainsFunc(c.Resources, func(id string) bool { return st.announced.stood(id, c.Time) })
		if c.Mutated && isOurs(c) && !announced && slices.Contains([]string{"UpdateLaunchConfiguration", "CreateLaunchTemplateVersion", "ModifyLaunchTemplate"}, c.Operation) {
			st.problem("%s of %v was not announced in the record before it was made", c.Operation, c.Resources)
		}
	}
	e, err := st.store.Execution(ctx, "exec-1")
	if err != nil {
		st.problem("reading the record: %v", err)
		return
	}
	events, err := st.store.Events(ctx, "exec-1")
	if err := errors.Join(err, recovery.CheckChain(events)); err != nil {
		st.problem("the log: %v", err)
	}
	if n := len(events); n > 0 && events[n-1].Ref() != e.LastEvent || n == 0 && e.Version > 0 {
		st.problem("the log ends with another event than the header says")
	}
	if e.Version == 0 {
		st.seen["outcome not begun"]++
		if !st.interloper {
			st.problem("the execution was not begun")
		}
		return
	}
	st.judgeEnd(e)
	if e.Ended == nil {
		return
	}
	st.judgeJobs(e, events)
	st.judgeServers(e)
	st.judgeLives(events)
	st.judgeDecisions(events)
	st.judgeHold(ctx)
}

// judgeEnd: the execution is over, and everybody says the same of it.
func (st *stage) judgeEnd(e *recovery.Execution) {
	if e.Ended == nil {
		st.problem("the execution is not over: %+v", recovery.Next(e, st.began))
		return
	}
	st.seen["outcome "+string(e.Ended.Outcome)]++
	want := map[recovery.Outcome]string{recovery.OutcomeFailed: "FAILED", recovery.OutcomeCancelled: "CANCELLED"}[e.Ended.Outcome]
	if len(st.ends) == 0 {
		st.problem("no driver came to an end")
	}
	for _, end := range st.ends {
		if end != want {
			st.problem("a driver ended with %q, and the record says %s", end, e.Ended.Outcome)
		}
	}
	if e.Cancel != nil != (e.Ended.Outcome == recovery.OutcomeCancelled) {
		st.problem("cancelled: %+v, and the outcome is %s", e.Cancel, e.Ended.Outcome)
	}
	if e.Interrupted != nil && e.Ended.Outcome != recovery.OutcomeCancelled {
		st.problem("it ended while it was interrupted")
	}
}

// judgeJobs: AWS's own log of what it accepted has one launch at most for each
// wave and attempt, and every job's id is in the record and in an answer.
func (st *stage) judgeJobs(e *recovery.Execution, events []recovery.Event) {
	made := map[string]recovery.JobID{} // by wave and attempt
	started := map[recovery.SourceServerID]recovery.JobID{}
	real := st.jobs()
	mayRunOn := map[string]bool{} // starts of which the end says that a job of theirs may run on
	for i := range e.Attempts {
		a := &e.Attempts[i]
		mayRunOn[fmt.Sprintf("wave %d, attempt %d", a.Wave, a.Attempt)] = a.MayHaveJob() && a.Unseen != nil && strings.Contains(e.Ended.Reason, "a job may run on")
	}
	for _, ev := range events {
		if ev.Kind == recovery.EventInterrupted && strings.Contains(ev.Message, "be looked at in account") {
			st.problem("event %d: an account that refuses to be looked at has interrupted the execution: %s", ev.Number, ev.Message)
		}
	}
	n := 0
	for _, c := range st.world.Calls() {
		if c.Operation != "StartRecovery" || !isOurs(c) {
			continue
		}
		if n == len(st.sent) {
			st.problem("AWS was asked for more launches than were sent")
			return
		}
		tags := st.sent[n]
		n++
		if !c.Mutated {
			continue
		}
		var job recovery.JobID
		for _, id := range c.Resources {
			if strings.HasPrefix(id, "drsjob-") {
				job = recovery.JobID(id)
			}
		}
		st.seen["launch jobs"]++
		attempt := tags["Attempt"]
		if attempt == "" {
			attempt = "1"
		}
		key := fmt.Sprintf("wave %s, attempt %s", tags["WaveNumber"], attempt)
		if earlier := made[key]; earlier != "" {
			st.problem("%s has two launch jobs, %s and %s", key, earlier, job)
		}
		made[key] = job
		if tags["ExecutionId"] != "exec-1" {
			st.problem("job %s has the tags %v", job, tags)
		}
		for _, p := range real[job].ParticipatingServers {
			id := recovery.SourceServerID(p.SourceServerID)
			if earlier := started[id]; earlier != "" && launchedBy(real[earlier], id) != "" {
				st.problem("server %s was launched by job %s, and is in job %s", id, earlier, job)
			}
			started[id] = job
		}
		known := slices.ContainsFunc(events, func(ev recovery.Event) bool {
			return ev.JobID == job && (ev.Kind == recovery.EventStarted || ev.Kind == recovery.EventAdopted) &&
				key == where(ev)
		})
		if !known && mayRunOn[key] {
			st.seen["jobs that nobody could look for"]++
			continue
		}
		if !known {
			st.problem("%s: job %s is not in the record", key, job)
		}
		if !slices.ContainsFunc(st.answers, func(answer string) bool { return strings.Contains(answer, string(job)) }) {
			st.problem("%s: job %s is in no answer", key, job)
		}
	}
	if n != len(st.sent) {
		st.problem("%d launches were sent, and AWS was asked for %d", len(st.sent), n)
	}
	for i := range e.Attempts {
		a := &e.Attempts[i]
		if key := fmt.Sprintf("wave %d, attempt %d", a.Wave, a.Attempt); a.JobID != made[key] && !mayRunOn[key] {
			st.problem("%s: the record has job %q, and AWS made %q", key, a.JobID, made[key])
		}
	}
}

// launchedBy gives the instance that a job launched a server as; "" where it
// did not.
func launchedBy(j realJob, server recovery.SourceServerID) recovery.InstanceID {
	for _, p := range j.ParticipatingServers {
		if p.SourceServerID == string(server) && p.LaunchStatus == "LAUNCHED" {
			return recovery.InstanceID(p.RecoveryInstanceID)
		}
	}
	return ""
}

// judgeServers: what the record says of every server is what became of it.
func (st *stage) judgeServers(e *recovery.Execution) {
	real := st.jobs()
	all := true
	for i := range st.s.plan.Waves {
		w := &st.s.plan.Waves[i]
		a := e.Attempt(w.Number)
		all = all && !e.Wave(w.Number).Skipped // whoever skipped it meant that it is not what was asked for
		for _, s := range w.Servers {
			if a == nil || a.Outcome(s.ID) == nil {
				all = false
				continue
			}
			o := a.Outcome(s.ID)
			all = all && o.Launched()
			if !o.Done() && (a.JobOver || a.State != recovery.Started) {
				st.problem("wave %d is over, and server %s is %q", w.Number, s.ID, o.Status)
			}
			if !o.Launched() {
				if instance := launchedBy(real[a.JobID], s.ID); o.Done() && instance != "" {
					st.problem("server %s runs as %s, and the record says %s (%s)", s.ID, instance, o.Status, o.Reason)
				}
				continue
			}
			if instance := launchedBy(real[o.JobID], s.ID); instance == "" || o.Instance != "" && instance != o.Instance {
				st.problem("the record says that job %s launched server %s as %s, and DRS says %q", o.JobID, s.ID, o.Instance, instance)
			}
			if o.Earlier == (o.JobID == a.JobID) {
				st.problem("server %s was launched by job %s, the newest is %s, and earlier is %v", s.ID, o.JobID, a.JobID, o.Earlier)
			}
		}
	}
	if e.Ended != nil && (e.Ended.Outcome == recovery.OutcomeCompleted) != all && e.Cancel == nil {
		st.problem("every server was launched: %v, and the outcome is %s", all, e.Ended.Outcome)
	}
}

// judgeDecisions: whatever somebody said is in the record once if it was
// taken, never if it was refused, and at most once if nobody knows.
func (st *stage) judgeDecisions(events []recovery.Event) {
	for name, err := range st.said {
		if strings.HasPrefix(name, "first ") {
			continue
		}
		times := 0
		for _, ev := range events {
			if ev.By == "<"+name+">" && slices.Contains([]recovery.EventKind{recovery.EventDecided, recovery.EventCancelled, recovery.EventPaused}, ev.Kind) {
				times++
			}
		}
		var refused *recovery.Error
		switch {
		case times > 1:
			st.problem("what %s said was applied %d times", name, times)
		case errors.As(err, &refused) && times > 0:
			st.problem("what %s said was refused (%v), and applied", name, err)
		case err == nil && times == 0 && !st.mayPass(name, events):
			st.problem("what %s said was taken, and is not in the record", name)
		}
	}
}

// mayPass says whether what was said may be taken without a word of it in the
// record: somebody else said the same before.
func (st *stage) mayPass(name string, events []recovery.Event) bool {
	m := st.words["<"+name+">"]
	said := recovery.Decision{Question: m.question, Choice: m.choice, Wave: m.wave}.Modern()
	return slices.ContainsFunc(events, func(ev recovery.Event) bool {
		switch ev.Kind {
		case recovery.EventDecided:
			return ev.Question == said.Question && ev.Choice == said.Choice && m.kind != pauseAsked
		case recovery.EventCancelled:
			return said.Choice == recovery.CancelAll
		case recovery.EventContinued: // a driver that goes on is an answer, too
			// Where a cancel came between, whoever resumes has it driven to its end.
			drives := strings.HasPrefix(ev.Message, recovery.Quote("<"+name+">")+" has run ")
			return said.Choice == recovery.Resume && (drives || strings.HasPrefix(string(said.Question), "interrupted-"))
		}
		return false
	})
}

// judgeHold: the plan is held until the end, and by nobody afterwards. It is
// asked of the store itself: the orchestrator would take a plan from an
// execution that is over, whether it let go of it or not.
func (st *stage) judgeHold(ctx context.Context) {
	next := recovery.Execution{ID: "exec-3", Plan: st.s.plan.ID, Type: recovery.Drill, Waves: st.s.plan.Records()}
	c := next.WithEvent(recovery.Event{At: st.began, Kind: recovery.EventOpened})
	c.Frozen = st.s.plan
	other, err := st.store.Execution(ctx, "exec-2")
	if err != nil {
		st.problem("reading the record of the other execution: %v", err)
		return
	}
	// A drill that was begun first may have lost the plan to this recovery.
	taken := st.interloper && other.Cancel == nil
	if err := st.store.Commit(ctx, c); taken != (err != nil) {
		st.problem("another execution holds the plan: %v; and opening one more after the end gives %v", taken, err)
	}
}

// eventLog gives the execution's log, a line for each event.
func (st *stage) eventLog() (lines []string) {
	events, err := st.store.Events(st.t.Context(), "exec-1")
	if err != nil {
		return []string{err.Error()}
	}
	for _, ev := range events {
		lines = append(lines, fmt.Sprintf("%3d %10s %-12s %s: %s", ev.Number, ev.At.Sub(st.began).Round(1e6), ev.Kind, where(ev), ev.Message))
	}
	return lines
}
