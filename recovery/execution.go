package recovery

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Execution is one run of a plan, as the store holds it: what it is, and the
// newest attempt at each wave. Its JSON is what Opened keeps, less the token.
type Execution struct {
	ID          ExecutionID   `json:"-"`
	Plan        PlanID        `json:"-"`
	Type        ExecutionType `json:"-"`
	StartTime   string        `json:"-"` // as the event gave it
	InitiatedBy string        `json:"-"`
	Version     int64         `json:"-"` // one higher with each change; 0: not in the store yet
	LastEvent   EventRef      `json:"-"`
	World       World         `json:"-"` // where it lives; zero: it is one of before, and not bound yet
	Attempts    []Attempt     `json:"-"` // the newest of each wave, by wave number

	// What begin_execution opened; an execution that the start of a wave opened
	// has none of it.
	Digest      string          `json:"digest"` // of the plan as it was asked for; see Digests
	Waves       []WaveRecord    `json:"waves"`
	Needs       []string        `json:"needs,omitempty"`     // see Plan.Needs
	PollEvery   time.Duration   `json:"pollEvery,omitempty"` // between two looks at running jobs; 0: by their age
	Policy      ReadinessPolicy `json:"readinessPolicy,omitempty"`
	Replace     []InstanceID    `json:"replaceLiveInstances,omitempty"` // live instances that may be lost
	Gone        []TreatedAsGone `json:"treatAsGone,omitempty"`
	Run         int             `json:"run,omitempty"`    // of the state machine that drives it, the newest; 0 is the first, as 1 is
	Others      []Load          `json:"others,omitempty"` // what others run, as last seen
	Pause       *Request        `json:"pause,omitempty"`  // asked for, and not resumed yet
	Cancel      *Request        `json:"cancel,omitempty"`
	Interrupted *Request        `json:"interrupted,omitempty"` // the driver stopped, and nobody resumed yet
	Ended       *Ending         `json:"ended,omitempty"`
	TaskToken   Secret          `json:"-"`                 // of the state machine's task that waits for a decision; "" when none does
	TaskRun     int             `json:"taskRun,omitempty"` // in which run it waits; 0: that is not known

	// Speed is how many times faster than in AWS a simulated one runs; 0 in AWS.
	Speed  float64 `json:"speed,omitempty"`
	Driver *Driver `json:"-"` // the process that drives it, or drove it last; written by Drive alone

	PausedAlso    []Request  `json:"pausedAlso,omitempty"`    // by whom else the pause was asked for
	Pauses        int        `json:"pauses,omitempty"`        // how many were asked for; 0 as well in records of before
	Interruptions int        `json:"interruptions,omitempty"` // how many there were; 0 as well in records of before
	Answers       []Answered `json:"answers,omitempty"`       // the newest, oldest first
}

// EventRef points at an event of an execution's log.
type EventRef struct {
	Number int64
	Hash   string
}

// Attempt gives the newest attempt at a wave, or nil.
func (e *Execution) Attempt(wave int) *Attempt {
	for i := range e.Attempts {
		if e.Attempts[i].Wave == wave {
			return &e.Attempts[i]
		}
	}
	return nil
}

// Differences names every way in which an event contradicts what the record
// says this execution is. A DRILL's record never answers a RECOVERY.
func (e *Execution) Differences(w *WaveStart) []string {
	if e.Version == 0 {
		return nil
	}
	var d []string
	differ := func(what, recorded, got string) {
		if recorded != got {
			d = append(d, fmt.Sprintf("%s is %s in the record of execution %s and %s in the event", what, Quote(recorded), e.ID, Quote(got)))
		}
	}
	differ("planId", string(e.Plan), string(w.Plan))
	differ("executionType", string(e.Type), string(w.Type))
	differ("startTime", e.StartTime, w.StartTime)
	if !w.Digests.Of(e.Digest) {
		d = append(d, fmt.Sprintf("the event's waves or accounts are not those that execution %s was begun with", e.ID))
	}
	if a := e.Attempt(w.Wave.Number); a != nil && len(a.Servers) > 0 {
		wave := fmt.Sprintf("wave %d: ", a.Wave)
		differ(wave+"accountId", a.AccountID, w.Wave.Account.AccountID)
		differ(wave+"region", a.Region, w.Wave.Account.Region)
		if !sameServers(a.Servers, w.Wave.ServerIDs()) {
			d = append(d, wave+"its servers differ from those in the record: "+serverDifference(a.Servers, w.Wave.ServerIDs()))
		}
	}
	return d
}

func serverDifference(recorded, got []SourceServerID) string {
	var words []string
	for _, id := range recorded {
		if !slices.Contains(got, id) {
			words = append(words, string(id)+" is missing")
		}
	}
	for _, id := range got {
		if !slices.Contains(recorded, id) {
			words = append(words, string(id)+" is new")
		}
	}
	return strings.Join(words, ", ")
}

// WaveStart asks for one wave of an execution to be started.
type WaveStart struct {
	Execution    ExecutionID
	Plan         PlanID
	Type         ExecutionType
	StartTime    string
	InitiatedBy  string
	Wave         Wave
	Policy       ReadinessPolicy
	Replace      []InstanceID
	Gone         []TreatedAsGone
	Dependencies []Dependency
	// Groups are protection groups that came with the event, for callers
	// without a store of groups; they win over the store's.
	Groups map[ProtectionGroupID]*ProtectionGroup
	// Digests are of the plan that the event carries; none where it carries none.
	Digests Digests
}

// NewExecution is the record that a wave's start opens when nobody did before.
func (w *WaveStart) NewExecution() *Execution {
	return &Execution{ID: w.Execution, Plan: w.Plan, Type: w.Type, StartTime: w.StartTime, InitiatedBy: w.InitiatedBy}
}

// NewAttempt is the first attempt at the wave, claimed by nobody yet.
func (w *WaveStart) NewAttempt() Attempt {
	return Attempt{
		Wave: w.Wave.Number, Attempt: 1,
		AccountID: w.Wave.Account.AccountID, Region: w.Wave.Account.Region,
		Servers: w.Wave.ServerIDs(),
	}
}
