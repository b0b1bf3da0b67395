package recovery

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// DRS terminates what a server's last launch made when the server is launched
// again. Its list of recovery instances lags, so that an instance which is not
// in it may live all the same. A trace is what a second witness says of one.
//
// A trace proves that an instance may live. That there is none proves nothing.

// Trace says that a launch in earnest may have left an instance of a server.
type Trace struct {
	Server   SourceServerID
	Witness  string // who says so, in words: "its last launch", "the record of execution exec-1"
	JobID    JobID
	Instance InstanceID // of EC2; "" where nobody says which
	At       time.Time  // when the launch was asked for; zero: nobody says
	Ended    time.Time  // when its job ended; zero: nobody says
}

func (t Trace) String() string {
	what := t.Witness + " says that a RECOVERY launched it"
	if t.JobID != "" {
		what += fmt.Sprintf(" (job %s)", t.JobID)
	}
	if t.Instance == "" {
		return what + ", and nobody says as which instance"
	}
	return fmt.Sprintf("%s as %s", what, t.Instance)
}

// Recovered is what the store's own records know of launches in earnest: the
// newest attempt at a wave of a RECOVERY, of which a job was started, or an
// earlier one's.
type Recovered struct {
	Execution ExecutionID `json:"execution"`
	World     World       `json:"world,omitzero"` // that the execution belongs to
	Attempt   Attempt     `json:"attempt"`
	// Damage says why the record of it cannot be read: then it is no witness.
	Damage string `json:"-"`
}

// Recovered gives what the change adds to what is known of launches in earnest;
// nil where it adds nothing.
func (c *Change) Recovered() *Recovered {
	a := c.Attempt
	if a == nil || c.Execution.Type != Recovery || !a.launches() {
		return nil
	}
	slim := Attempt{Wave: a.Wave, Attempt: a.Attempt, AccountID: a.AccountID, Region: a.Region, State: a.State,
		JobID: a.JobID, StartedAt: a.StartedAt, EndedAt: a.EndedAt, JobOver: a.JobOver, Accepted: a.Accepted}
	for _, o := range a.Outcomes {
		slim.Outcomes = append(slim.Outcomes, ServerOutcome{Server: o.Server, Status: o.Status, Instance: o.Instance, JobID: o.JobID})
	}
	return &Recovered{Execution: c.Execution.ID, World: c.Execution.World, Attempt: slim}
}

// launches says whether the attempt, or one before it, may have launched
// anything.
func (a *Attempt) launches() bool { return a.JobID != "" || len(a.Outcomes) > 0 }

// launchOf gives the job that launched the server, or may have; "" where none
// did.
func (a *Attempt) launchOf(id SourceServerID) JobID {
	if o := a.Outcome(id); o != nil && o.Launched() && o.JobID != "" {
		return o.JobID
	}
	if slices.Contains(a.Accepted, id) {
		return a.JobID
	}
	return ""
}

// Witnesses lists the jobs that have to be looked at before it can be judged
// whether instances of the servers live: of last launches under way, and of
// launches in earnest whose instance DRS does not list.
func (s Standing) Witnesses(servers []SourceServerID) []JobID {
	var ids []JobID
	add := func(id JobID) {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, id := range servers {
		if k := s.server(id); k != nil {
			if l := k.LastLaunch; l.Running() || l.mayHaveLeft() && !s.lists(id, l.JobID) {
				add(l.JobID)
			}
		}
		for _, r := range s.Recovered {
			if job := r.Attempt.launchOf(id); !s.lists(id, job) {
				add(job)
			}
		}
	}
	return ids
}

// mayHaveLeft says whether the launch may have left an instance that is no
// drill's.
func (l LastLaunch) mayHaveLeft() bool {
	return l.Type != string(Drill) && (l.Running() || l.Status == "LAUNCHED")
}

// lists says whether DRS lists what the job made of the server, in whatever
// state but NOT_FOUND: that EC2 did not know an instance when DRS asked says no
// more than a list that lags. Where nobody says which job it was, any instance
// of a recovery is it.
func (s Standing) lists(id SourceServerID, job JobID) bool {
	return slices.ContainsFunc(s.Instances, func(i RecoveryInstance) bool {
		return i.Server == id && i.JobID == job && (job != "" || !i.Drill) && i.EC2State != notFound
	})
}

// traces lists what the witnesses say of a server's launches in earnest, of
// which DRS lists no instance. Our own attempt that launched nothing is none.
func (s Standing) traces(id SourceServerID) []Trace {
	var all []Trace
	add := func(t Trace) {
		t.Instance = cmp.Or(t.Instance, s.lost(id, t.JobID))
		known := slices.ContainsFunc(all, func(o Trace) bool {
			return o.JobID == t.JobID && o.JobID != "" || o.Instance == t.Instance && o.Instance != ""
		})
		if !known && !s.listsInstance(t.Instance) {
			all = append(all, t)
		}
	}
	for _, r := range s.Recovered {
		job := r.Attempt.launchOf(id)
		if job == "" || s.lists(id, job) {
			continue
		}
		t := Trace{Server: id, Witness: fmt.Sprintf("the record of execution %s", r.Execution), JobID: job, At: r.Attempt.StartedAt}
		left, known := s.left(&t)
		if left || !known && s.job(job) == nil && r.Attempt.leftOf(&t) {
			add(t)
		}
	}
	if k := s.server(id); k != nil && k.LastLaunch.mayHaveLeft() && !s.lists(id, k.LastLaunch.JobID) {
		l := k.LastLaunch
		t := Trace{Server: id, Witness: "its last launch", JobID: l.JobID, At: l.At}
		left, known := s.left(&t)
		if left || !known && !l.Running() { // one under way holds the server: that is another matter
			add(t)
		}
	}
	return all
}

func (s Standing) listsInstance(id InstanceID) bool {
	return id != "" && slices.ContainsFunc(s.Instances, func(i RecoveryInstance) bool {
		return (i.ID == id || i.EC2 == id) && i.EC2State != notFound
	})
}

// lost gives the instance that a job made of the server, which DRS lists though
// EC2 did not know it; "" where there is none.
func (s Standing) lost(id SourceServerID, job JobID) InstanceID {
	for _, i := range s.Instances {
		if i.Server == id && i.JobID == job && !i.Drill && i.EC2State == notFound {
			return i.EC2
		}
	}
	return ""
}

// left says whether the trace's job left an instance of the server, as far as
// DRS shows it, and puts into the trace what the job says about it. It is not
// known while the job runs, or seems to: its list may be old.
func (s Standing) left(t *Trace) (left, known bool) {
	j := s.job(t.JobID)
	if j == nil {
		return false, false
	}
	if j.InitiatedBy == Drill.InitiatedBy() {
		return false, true
	}
	i := slices.IndexFunc(j.Participants, func(p Participant) bool { return p.Server == t.Server })
	if i >= 0 && j.Participants[i].Status == "LAUNCHED" {
		t.Instance, t.Ended = j.Participants[i].Instance, j.Ended
		return true, true
	}
	if !j.Over() || i < 0 && j.Participants == nil || i >= 0 && j.Participants[i].Status == "" {
		return false, false
	}
	return false, true
}

// leftOf is left for a job that DRS does not show any more: what the record
// says of the server has to do.
func (a *Attempt) leftOf(t *Trace) bool {
	o := a.Outcome(t.Server)
	if o == nil || !o.Done() {
		return true
	}
	t.Instance, t.Ended = o.Instance, a.EndedAt
	return o.Launched()
}

func (s Standing) job(id JobID) *Job {
	for i := range s.Jobs {
		if s.Jobs[i].ID == id {
			return &s.Jobs[i]
		}
	}
	return nil
}
