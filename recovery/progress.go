package recovery

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The quotas of DRS, per account and region.
const (
	MostJobs          = 20  // that run at the same time; terminations count
	MostServersInJobs = 500 // in all running jobs
)

// Place is where quotas are counted.
type Place struct {
	AccountID string `json:"accountId"`
	Region    string `json:"region"`
}

// Load is what runs in a place.
type Load struct {
	Place
	Jobs    int `json:"jobs"`
	Servers int `json:"servers"`
}

// WaveRecord is what an execution keeps of a planned wave: all that the next
// step is decided by, and not its servers.
type WaveRecord struct {
	Number      int           `json:"waveNumber"`
	Name        string        `json:"waveName,omitempty"`
	AccountID   string        `json:"accountId"`
	Region      string        `json:"region"`
	Servers     int           `json:"servers"`              // how many
	DependsOn   []int         `json:"dependsOn,omitempty"`  // those that the plan names
	FollowsAll  bool          `json:"followsAll,omitempty"` // it names none: it follows every lower wave
	PauseBefore bool          `json:"pauseBefore,omitempty"`
	OnFailure   OnFailure     `json:"onFailure"`
	TimeLimit   time.Duration `json:"timeLimit"` // in nanoseconds
	GatePassed  bool          `json:"gatePassed,omitempty"`
	Skipped     bool          `json:"skipped,omitempty"`
}

// Place is where the wave is recovered.
func (w *WaveRecord) Place() Place { return Place{w.AccountID, w.Region} }

// Records gives what an execution of the plan keeps of its waves.
func (p *Plan) Records() []WaveRecord {
	records := make([]WaveRecord, len(p.Waves))
	for i := range p.Waves {
		w := &p.Waves[i]
		records[i] = WaveRecord{
			Number: w.Number, Name: w.Name, AccountID: w.Account.AccountID, Region: w.Account.Region, Servers: len(w.Servers),
			DependsOn: w.DependsOn, FollowsAll: len(w.DependsOn) == 0 && !w.Independent, PauseBefore: w.PauseBefore, OnFailure: w.OnFailure.OrDefault(), TimeLimit: w.TimeLimit(),
		}
	}
	return records
}

// Request is what somebody asked for, and why.
type Request struct {
	By     string    `json:"by"` // as claimed: nobody looks after it
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
	// RequestID is of the request by which it was asked for, as CloudTrail
	// knows it; "" where it did not come through AWS.
	RequestID string `json:"requestId,omitempty"`
}

func (r *Request) words(what string) string {
	words := fmt.Sprintf("%s by %s", what, Quote(r.By))
	if r.Reason != "" {
		words += ": " + r.Reason
	}
	return words
}

// Ending is how an execution ended.
type Ending struct {
	Outcome Outcome   `json:"outcome"`
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
}

// WaveStatus is how far a wave has come.
type WaveStatus string

// The statuses.
const (
	StatusPending   WaveStatus = "PENDING"
	StatusStarting  WaveStatus = "STARTING" // claimed; its job may exist
	StatusRunning   WaveStatus = "STARTED"  // its job runs
	StatusCompleted WaveStatus = "COMPLETED"
	StatusFailed    WaveStatus = "FAILED"
	StatusSkipped   WaveStatus = "SKIPPED"
)

// ServerOutcome is what became of one server in an attempt.
type ServerOutcome struct {
	Server   SourceServerID `json:"server"`
	Status   string         `json:"status"`          // PENDING, IN_PROGRESS, LAUNCHED, FAILED, TERMINATED
	Phase    string         `json:"phase,omitempty"` // of a launch under way: CLEANUP, SNAPSHOT, CONVERSION, LAUNCH
	Optional bool           `json:"optional,omitempty"`
	Instance InstanceID     `json:"instance,omitempty"`
	JobID    JobID          `json:"jobId,omitempty"`   // that launched it
	Reason   string         `json:"reason,omitempty"`  // why it is not LAUNCHED, in words
	Note     string         `json:"note,omitempty"`    // what to know of one that is
	Earlier  bool           `json:"earlier,omitempty"` // launched by an earlier attempt
}

// Launched says whether the server runs in the other region.
func (o ServerOutcome) Launched() bool { return o.Status == "LAUNCHED" }

// Done says whether nothing more happens to the server.
func (o ServerOutcome) Done() bool {
	return o.Status != "PENDING" && o.Status != "IN_PROGRESS" && o.Status != ""
}

// Wave gives the record of a wave, or nil.
func (e *Execution) Wave(number int) *WaveRecord {
	for i := range e.Waves {
		if e.Waves[i].Number == number {
			return &e.Waves[i]
		}
	}
	return nil
}

// Dependencies gives the numbers of the waves that have to be settled before
// the wave starts.
func (e *Execution) Dependencies(w *WaveRecord) []int {
	if !w.FollowsAll {
		return w.DependsOn
	}
	var lower []int
	for i := range e.Waves {
		if n := e.Waves[i].Number; n < w.Number {
			lower = append(lower, n)
		}
	}
	return lower
}

// Running says whether the attempt's job may still be at work.
func (a *Attempt) Running() bool { return a.State == Started && !a.JobOver }

// Status says how far a wave has come. Waves are judged by their servers and
// never by their job: a job ends COMPLETED whatever became of its launches.
func (e *Execution) Status(w *WaveRecord, now time.Time) WaveStatus {
	a := e.Attempt(w.Number)
	switch {
	case w.Skipped:
		return StatusSkipped
	case a == nil || a.State == Planned:
		return StatusPending
	case a.State == Refused:
		if a.Refusal.Retryable && (a.Refusals == 0 || now.Before(a.FirstRefusedAt.Add(w.TimeLimit))) {
			return StatusPending
		}
		return StatusFailed
	case a.State != Started:
		if a.longUnseen(w.TimeLimit, now) {
			return StatusFailed
		}
		return StatusStarting
	case !a.JobOver:
		if now.Before(a.StartedAt.Add(w.TimeLimit)) {
			return StatusRunning
		}
		return StatusFailed
	case a.Succeeded():
		return StatusCompleted
	}
	return StatusFailed
}

// Succeeded says whether every critical server of the attempt was launched.
func (a *Attempt) Succeeded() bool {
	return !slices.ContainsFunc(a.Fates(), func(o ServerOutcome) bool { return !o.Optional && !o.Launched() })
}

func (a *Attempt) allLaunched() bool {
	return a != nil && !slices.ContainsFunc(a.Fates(), func(o ServerOutcome) bool { return !o.Launched() })
}

// Fates gives what became of every server of the attempt; one of which nothing
// is known has an outcome without a status.
func (a *Attempt) Fates() []ServerOutcome {
	all := slices.Clone(a.Outcomes)
	for _, id := range a.Servers {
		if !slices.ContainsFunc(all, func(o ServerOutcome) bool { return o.Server == id }) {
			all = append(all, ServerOutcome{Server: id})
		}
	}
	return all
}

// Verdict counts the fates of the attempt's servers and names those that were
// not launched.
func (a *Attempt) Verdict() string {
	launched := 0
	var rest []string
	for _, o := range a.Fates() {
		if o.Launched() {
			launched++
			continue
		}
		words := string(o.Server)
		if o.Optional {
			words += ", optional"
		}
		rest = append(rest, fmt.Sprintf("%s: %s", words, cmp.Or(o.Reason, o.Status, "nothing is known")))
	}
	verdict := fmt.Sprintf("%d of %s launched", launched, Count(launched+len(rest), "server"))
	if len(rest) > 0 {
		verdict += "; " + strings.Join(rest, "; ")
	}
	return verdict
}

// nextAttempt numbers the attempt that a start makes: the store's, raised by
// nothing but a retry that somebody decided on.
func (e *Execution) nextAttempt(wave int) int {
	if a := e.Attempt(wave); a != nil {
		return a.Attempt
	}
	return 1
}

// pollInterval is how long to wait between two looks at a job of some age.
func (e *Execution) pollInterval(age time.Duration) time.Duration {
	if e.PollEvery > 0 {
		return e.PollEvery
	}
	switch {
	case age < 5*time.Minute:
		return 15 * time.Second
	case age < 30*time.Minute:
		return 30 * time.Second
	}
	return time.Minute
}
