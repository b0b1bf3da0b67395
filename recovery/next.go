package recovery

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Action is what a driver does next.
type Action string

// The actions of a Step.
const (
	DoStartWave     Action = "start_wave_recovery"
	DoWait          Action = "wait"
	DoAwaitDecision Action = "await_decision"
	DoFinish        Action = "finish"
)

// Step is the one decision about what happens next in an execution.
type Step struct {
	Action    Action
	Wave      int           // to be started
	Attempt   int           // of that wave
	Wait      time.Duration // until the next look
	Decisions []Question    // that people have to answer
	Outcome   Outcome       // of an execution that is over
	Reason    string        // in words
}

// Outcome is how an execution ended.
type Outcome string

// The outcomes.
const (
	OutcomeCompleted Outcome = "COMPLETED" // every server of every wave was launched
	OutcomePartial   Outcome = "PARTIAL"   // everything critical that was not skipped was
	OutcomeFailed    Outcome = "FAILED"
	OutcomeCancelled Outcome = "CANCELLED"
)

// Next decides what happens next in an execution, from its record and the
// time alone. It always has an answer, the same for the same record, and
// whatever the servers' fates and people's decisions, following it ends in
// finish.
//
// It never starts a wave before what it depends on, never twice in one
// attempt, never past a gate or a quota.
func Next(e *Execution, now time.Time) Step {
	if e.Ended != nil {
		return Step{Action: DoFinish, Outcome: e.Ended.Outcome, Reason: e.Ended.Reason}
	}
	s := survey(e, now)
	if step, settle := s.unsettled(); settle {
		return step
	}
	if e.Cancel != nil {
		return s.cancelled()
	}
	if e.Interrupted == nil && e.Pause == nil && !s.stopped {
		if w := s.startable(); w != nil {
			return Step{Action: DoStartWave, Wave: w.Number, Attempt: e.nextAttempt(w.Number), Reason: fmt.Sprintf("wave %d (%s) is ready", w.Number, Quote(w.Name))}
		}
	}
	if wait, reason := s.waiting(); wait > 0 {
		return Step{Action: DoWait, Wait: wait, Reason: reason}
	}
	if questions := s.questions(); len(questions) > 0 {
		return Step{Action: DoAwaitDecision, Decisions: questions, Reason: questions[0].Text}
	}
	return s.finish()
}

// surveyed is an execution looked at once: what every wave is doing.
type surveyed struct {
	e       *Execution
	now     time.Time
	waves   []*WaveRecord // by number
	status  map[int]WaveStatus
	stopped bool // a wave failed whose failure stops everything
}

func survey(e *Execution, now time.Time) *surveyed {
	s := &surveyed{e: e, now: now, status: map[int]WaveStatus{}}
	for i := range e.Waves {
		s.waves = append(s.waves, &e.Waves[i])
	}
	slices.SortFunc(s.waves, func(a, b *WaveRecord) int { return cmp.Compare(a.Number, b.Number) })
	for _, w := range s.waves {
		s.status[w.Number] = e.Status(w, now)
		if s.status[w.Number] == StatusFailed && w.OnFailure == StopOnFailure {
			s.stopped = true
		}
	}
	return s
}

// unsettled finds a start that was begun and has no outcome: its invocation
// may have died, and asking again is always safe. While nothing new may start,
// or others have filled the quotas since, only what may have been sent is
// settled: any other start would be refused.
func (s *surveyed) unsettled() (Step, bool) {
	nothingNew := s.e.Cancel != nil || s.e.Pause != nil || s.stopped
	for _, w := range s.waves {
		a := s.e.Attempt(w.Number)
		if s.status[w.Number] != StatusStarting || (nothingNew || !s.room(w)) && !a.MayHaveJob() || s.unclear(w) || w.asksToLook(a, s.now) {
			continue
		}
		return Step{Action: DoStartWave, Wave: w.Number, Attempt: a.Attempt, Reason: fmt.Sprintf("the start of wave %d has no outcome yet", w.Number)}, true
	}
	return Step{}, false
}

// startable gives the lowest wave that may start now.
func (s *surveyed) startable() *WaveRecord {
	for _, w := range s.waves {
		if s.status[w.Number] == StatusPending && s.ready(w) && w.gate() == nil && !s.retryLater(w) && s.room(w) {
			return w
		}
	}
	return nil
}

// ready says whether everything that the wave depends on is settled.
func (s *surveyed) ready(w *WaveRecord) bool {
	return !slices.ContainsFunc(s.e.Dependencies(w), func(n int) bool { return !s.settled(n) })
}

// settled says whether those that depend on a wave may go on.
func (s *surveyed) settled(n int) bool {
	switch s.status[n] {
	case StatusCompleted, StatusSkipped:
		return true
	case StatusFailed:
		w := s.e.Wave(n)
		return w != nil && w.OnFailure == ContinueOnFailure
	}
	return false
}

// retryLater says whether the wave was refused, may be tried again, and not yet.
func (s *surveyed) retryLater(w *WaveRecord) bool {
	a := s.e.Attempt(w.Number)
	return a != nil && a.State == Refused && s.now.Before(a.RetryAt)
}

// room says whether the wave fits into its account's quotas, next to
// everything that we and others run there.
func (s *surveyed) room(w *WaveRecord) bool {
	jobs, servers := s.load(w.Place())
	return jobs < MostJobs && servers+w.Servers <= MostServersInJobs
}

// unclear says whether a start was sent, nobody could look for its job, and it
// is not looked for again yet.
func (s *surveyed) unclear(w *WaveRecord) bool {
	a := s.e.Attempt(w.Number)
	return a != nil && a.MayHaveJob() && s.now.Before(a.UnseenUntil())
}

func noRoom(w *WaveRecord) string {
	return fmt.Sprintf("waits for room in the quotas of account %s, %s", w.AccountID, w.Region)
}

func (s *surveyed) load(at Place) (jobs, servers int) {
	for _, l := range s.e.Others {
		if l.Place == at {
			jobs, servers = jobs+l.Jobs, servers+l.Servers
		}
	}
	for _, w := range s.waves {
		if a := s.e.Attempt(w.Number); a != nil && w.Place() == at && a.Running() {
			jobs, servers = jobs+1, servers+len(a.Accepted)
		}
	}
	return jobs, servers
}

// waiting says how long to wait where something happens by itself: a job
// ends, a refusal may be tried again, quotas get room.
func (s *surveyed) waiting() (time.Duration, string) {
	var wait time.Duration
	var reasons []string
	sooner := func(d time.Duration, reason string) {
		d = max(d, time.Second)
		if wait == 0 || d < wait {
			wait = d
		}
		reasons = append(reasons, reason)
	}
	for _, w := range s.waves {
		a := s.e.Attempt(w.Number)
		if w.asksToLook(a, s.now) {
			continue // whoever is asked is waited for by this wave alone
		}
		if a != nil && a.Running() {
			switch {
			case s.status[w.Number] != StatusRunning && !s.holdsUp(w, a):
			case a.Unseen != nil:
				sooner(a.Unseen.Again.Sub(s.now), a.unseenWords())
			default:
				sooner(s.e.pollInterval(s.now.Sub(a.StartedAt)), fmt.Sprintf("wave %d: job %s runs", w.Number, a.JobID))
			}
			continue
		}
		if s.unclear(w) {
			if s.status[w.Number] == StatusStarting {
				sooner(a.Unseen.Again.Sub(s.now), a.unseenWords())
			}
			continue
		}
		begun := s.status[w.Number] == StatusStarting // and not sent, or it would have been settled
		if s.e.Pause != nil || s.e.Interrupted != nil || s.stopped || s.status[w.Number] != StatusPending && !begun || !s.ready(w) || w.gate() != nil {
			continue
		}
		switch {
		case s.retryLater(w):
			sooner(a.RetryAt.Sub(s.now), fmt.Sprintf("wave %d was refused and is tried again", w.Number))
		case !s.room(w):
			sooner(time.Minute, fmt.Sprintf("wave %d %s", w.Number, noRoom(w)))
		}
	}
	return wait, strings.Join(reasons, "; ")
}

// holdsUp says whether the job of a wave that has timed out is waited for all
// the same: a person will be asked, and cannot have it retried before its job
// is over. A job that hangs is not waited for without end.
func (s *surveyed) holdsUp(w *WaveRecord, a *Attempt) bool {
	return s.status[w.Number] == StatusFailed && w.OnFailure == PauseOnFailure && s.e.Cancel == nil &&
		s.now.Before(a.StartedAt.Add(2*w.TimeLimit))
}

// questions lists what people have to decide before anything can go on.
func (s *surveyed) questions() []Question {
	var q []Question
	if asked, is := s.e.Interruption(); is {
		q = append(q, asked)
	}
	if asked, is := s.e.PauseQuestion(); is {
		q = append(q, asked)
	}
	for _, w := range s.waves {
		if s.stopped {
			return q // nothing new starts, whatever anybody decides
		}
		asked := s.e.QuestionAbout(w, s.now)
		if asked != nil && (s.status[w.Number] != StatusPending || s.ready(w)) { // a gate is asked about once the wave could start
			q = append(q, *asked)
		}
	}
	return q
}

func (s *surveyed) cancelled() Step {
	for _, w := range s.waves {
		if a := s.e.Attempt(w.Number); s.unclear(w) && !w.Skipped && !a.longUnseen(soonAsked, s.now) {
			return Step{Action: DoWait, Wait: max(a.Unseen.Again.Sub(s.now), time.Second), Reason: "it was cancelled; looking again: " + a.unseenWords()}
		}
	}
	return Step{Action: DoFinish, Outcome: OutcomeCancelled, Reason: s.e.Cancel.words("cancelled") + s.runsOn()}
}

// runsOn names the jobs that go on after the end: DRS cannot stop them.
func (s *surveyed) runsOn() string {
	var jobs []string
	for _, w := range s.waves {
		if a := s.e.Attempt(w.Number); a != nil && a.Running() {
			jobs = append(jobs, fmt.Sprintf("%s (wave %d)", a.JobID, w.Number))
		}
	}
	words := ""
	if len(jobs) > 0 {
		words = "; still running, for DRS cannot stop them: " + strings.Join(jobs, ", ")
	}
	for _, w := range s.waves {
		if a := s.e.Attempt(w.Number); a != nil && a.MayHaveJob() {
			words += fmt.Sprintf("; a job may run on: whether the start of wave %d made a job could not be found out: look at the jobs of account %s, %s, in DRS", w.Number, w.AccountID, w.Region)
		}
	}
	return words
}

// finish is what is left when nothing runs, nothing can start, and nobody has
// to be asked.
func (s *surveyed) finish() Step {
	counts := map[WaveStatus]int{}
	complete := true
	for _, w := range s.waves {
		status := s.status[w.Number]
		counts[status]++
		a := s.e.Attempt(w.Number)
		complete = complete && status == StatusCompleted && a.allLaunched()
	}
	step := Step{Action: DoFinish}
	switch {
	case complete:
		step.Outcome, step.Reason = OutcomeCompleted, "every server of every wave was launched"
	case s.stopped, counts[StatusPending] > 0, counts[StatusCompleted]+counts[StatusSkipped] == 0:
		step.Outcome, step.Reason = OutcomeFailed, s.tally(counts)
	default:
		step.Outcome, step.Reason = OutcomePartial, s.tally(counts)
	}
	step.Reason += s.runsOn()
	return step
}

func (s *surveyed) tally(counts map[WaveStatus]int) string {
	var words []string
	for _, status := range []WaveStatus{StatusCompleted, StatusSkipped, StatusFailed, StatusStarting, StatusPending} {
		if counts[status] > 0 {
			words = append(words, fmt.Sprintf("%d %s", counts[status], status))
		}
	}
	return "waves: " + strings.Join(words, ", ")
}
