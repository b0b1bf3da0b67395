package recovery

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// QuestionID names one question of an execution for good: what is asked later
// has another id, so that an answer never meets a question that whoever gave it
// has not seen.
//
//	gate-w3         may wave 3 start
//	failed-w2-a1    attempt 1 at wave 2 failed
//	refused-w2-a1   attempt 1 at wave 2 could not be started
//	unseen-w2-a1-3  attempt 1 at wave 2 could not be looked at, for the third time
//	pause-1         the first pause that was asked for
//	interrupted-2   the second interruption
type QuestionID string

// Check reports what is wrong with the form of an id, or nil.
func (id QuestionID) Check() error {
	if len(id) > 64 || strings.Trim(string(id), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || id == "" {
		return fmt.Errorf("is not the id of a question, such as gate-w3")
	}
	return nil
}

func attemptID(what string, a *Attempt) QuestionID {
	return QuestionID(fmt.Sprintf("%s-w%d-a%d", what, a.Wave, a.Attempt))
}

// about reads the wave that an id names, and the attempt at it: 0 of a gate.
func (id QuestionID) about() (wave, attempt int, is bool) {
	if n, err := fmt.Sscanf(string(id), "gate-w%d", &wave); n == 1 && err == nil {
		return wave, 0, true
	}
	for _, form := range []string{"failed-w%d-a%d", "refused-w%d-a%d", "unseen-w%d-a%d"} {
		if n, err := fmt.Sscanf(string(id), form, &wave, &attempt); n == 2 && err == nil {
			return wave, attempt, true
		}
	}
	return 0, 0, false
}

// OfExecution says whether it is about the execution as a whole, and no wave.
func (id QuestionID) OfExecution() bool {
	return strings.HasPrefix(string(id), "pause-") || strings.HasPrefix(string(id), "interrupted-")
}

// Records of before did not count: there, what is asked now is the first.
func (e *Execution) pauseID() QuestionID {
	return QuestionID(fmt.Sprintf("pause-%d", max(e.Pauses, 1)))
}

func (e *Execution) interruptionID() QuestionID {
	return QuestionID(fmt.Sprintf("interrupted-%d", max(e.Interruptions, 1)))
}

// Question is something that only a person can decide.
type Question struct {
	ID      QuestionID
	Reason  QuestionReason
	Wave    *int // nil: about the execution as a whole
	Choices []Choice
	Text    string
	// InDoubt are the servers of a refused wave of which only a person can say
	// whether an instance lives: Decision.Gone names those of which none does.
	InDoubt []SourceServerID
}

// IsAbout says whether the question is about this wave.
func (q *Question) IsAbout(wave int) bool { return q.Wave != nil && *q.Wave == wave }

// Subject names what is asked about, however often it is asked.
func (q *Question) Subject() string {
	if q.Wave == nil {
		return string(q.Reason)
	}
	return fmt.Sprintf("%s of wave %d", q.Reason, *q.Wave)
}

// String names the question, and how it can be answered.
func (q *Question) String() string {
	return fmt.Sprintf("%s (%s: %s)", q.ID, q.Reason, strings.Join(words(q.Choices), ", "))
}

func words[S ~string](all []S) []string {
	texts := make([]string, len(all))
	for i, s := range all {
		texts[i] = string(s)
	}
	return texts
}

// QuestionReason says why a person is asked.
type QuestionReason string

// The reasons.
const (
	PauseBeforeWave QuestionReason = "PAUSE_BEFORE_WAVE"
	PauseRequested  QuestionReason = "PAUSE_REQUESTED"
	WaveFailed      QuestionReason = "WAVE_FAILED"
	WaveRefused     QuestionReason = "WAVE_REFUSED"
	WaveUnseen      QuestionReason = "WAVE_UNSEEN" // retry: look again
	Interrupted     QuestionReason = "INTERRUPTED"
)

// QuestionReasons are all of them.
var QuestionReasons = []QuestionReason{PauseBeforeWave, PauseRequested, WaveFailed, WaveRefused, WaveUnseen, Interrupted}

// Choices are what a question of this kind can be answered by, at most.
func (r QuestionReason) Choices() []Choice {
	switch r {
	case PauseBeforeWave:
		return []Choice{Approve, Skip, CancelAll}
	case WaveFailed, WaveRefused, WaveUnseen:
		return []Choice{Retry, Skip, CancelAll}
	}
	return []Choice{Resume, CancelAll}
}

// Interruption is what an execution asks while it is interrupted: it may be
// answered although jobs run, which nobody looks at until it is.
func (e *Execution) Interruption() (q Question, interrupted bool) {
	if e.Interrupted == nil || e.Cancel != nil || e.Ended != nil {
		return Question{}, false
	}
	return Question{ID: e.interruptionID(), Reason: Interrupted, Choices: Interrupted.Choices(), Text: "the execution was interrupted: " + e.Interrupted.Reason}, true
}

// PauseQuestion is what an execution asks while it is paused, although jobs
// may run.
func (e *Execution) PauseQuestion() (q Question, paused bool) {
	if e.Pause == nil || e.Cancel != nil || e.Ended != nil {
		return Question{}, false
	}
	text := e.Pause.words("a pause was asked for")
	for i := range e.PausedAlso {
		text += "; " + e.PausedAlso[i].words("and")
	}
	return Question{ID: e.pauseID(), Reason: PauseRequested, Choices: PauseRequested.Choices(), Text: text}, true
}

// QuestionAbout is what may be decided about a wave now: what it asks, or will
// ask at its gate; nil where that is nothing.
func (e *Execution) QuestionAbout(w *WaveRecord, now time.Time) *Question {
	if a := e.Attempt(w.Number); w.asksToLook(a, now) {
		return new(a.sight())
	}
	switch e.Status(w, now) {
	case StatusPending:
		return w.gate()
	case StatusFailed:
		if w.OnFailure == PauseOnFailure {
			return new(e.failure(w, now))
		}
	}
	return nil
}

// Answerable are all questions that may be answered now, those among them that
// are not asked yet.
func (e *Execution) Answerable(now time.Time) (all []Question) {
	if e.Ended != nil || e.Cancel != nil {
		return nil
	}
	if q, is := e.Interruption(); is {
		all = append(all, q)
	}
	if q, is := e.PauseQuestion(); is {
		all = append(all, q)
	}
	for i := range e.Waves {
		if q := e.QuestionAbout(&e.Waves[i], now); q != nil {
			all = append(all, *q)
		}
	}
	return all
}

// question finds one that may be answered now.
func (e *Execution) question(id QuestionID, now time.Time) *Question {
	all := e.Answerable(now)
	if i := slices.IndexFunc(all, func(q Question) bool { return q.ID == id }); i >= 0 {
		return &all[i]
	}
	return nil
}

// failure is the question that a failed wave raises, with what happened.
func (e *Execution) failure(w *WaveRecord, now time.Time) Question {
	a := e.Attempt(w.Number)
	q := Question{ID: attemptID("failed", a), Reason: WaveFailed, Wave: new(w.Number), Choices: WaveFailed.Choices()}
	switch {
	case a.State == Refused:
		q.ID, q.Reason = attemptID("refused", a), WaveRefused
		for _, in := range a.Refusal.InDoubt {
			q.InDoubt = append(q.InDoubt, in.Server)
		}
		q.Text = fmt.Sprintf("wave %d could not be started: %s", w.Number, a.Refusal.Message)
	case !a.JobOver:
		q.Choices = []Choice{Skip, CancelAll}
		q.Text = fmt.Sprintf("wave %d: TIMED_OUT after %s; job %s still runs", w.Number, w.TimeLimit, a.JobID)
	default:
		q.Text = fmt.Sprintf("wave %d failed: %s", w.Number, a.Verdict())
	}
	return q
}
