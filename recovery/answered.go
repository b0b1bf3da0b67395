package recovery

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Answered is a question that was answered, as the record keeps it, so that
// the same answer is known when it comes again.
type Answered struct {
	Question QuestionID `json:"question"`
	Choice   Choice     `json:"choice"`
	By       string     `json:"by"`
	At       time.Time  `json:"at"`
	Servers  string     `json:"servers,omitempty"` // a digest of those that a retry names
}

// mostAnswered is how many answers an execution keeps, the newest. A question
// whose answer is kept no more is known by not being asked.
const mostAnswered = 100

// answered finds the answer of a question, nil where none is kept.
func (e *Execution) answered(id QuestionID) *Answered {
	if i := slices.IndexFunc(e.Answers, func(a Answered) bool { return a.Question == id }); i >= 0 {
		return &e.Answers[i]
	}
	return nil
}

// answer keeps the answer of a question.
func (e *Execution) answer(d Decision) {
	all := append(slices.Clone(e.Answers), Answered{d.Question, d.Choice, d.By, d.At, d.servers()})
	e.Answers = all[max(0, len(all)-mostAnswered):]
}

func (a *Answered) String() string {
	return fmt.Sprintf("%s decided %s at %s", Quote(a.By), a.Choice, a.At.UTC().Format(time.RFC3339))
}

// servers is a digest of the servers that a decision names; "" where it names
// none.
func (d *Decision) servers() string {
	if len(d.Exclude)+len(d.Gone) == 0 {
		return ""
	}
	exclude, gone := words(d.Exclude), words(d.Gone)
	slices.Sort(exclude)
	slices.Sort(gone)
	sum := sha256.Sum256([]byte(strings.Join(exclude, ",") + ";" + strings.Join(gone, ",")))
	return hex.EncodeToString(sum[:8])
}

// mostPausedAlso is how many requests for a pause are kept beside the first.
const mostPausedAlso = 10

// AskPause records that somebody asks for a pause. The same request again, or
// one that says nothing new, changes nothing: news is false.
func (e *Execution) AskPause(r Request) (news bool) {
	if e.Pause == nil {
		e.Pauses, e.Pause, e.PausedAlso = e.Pauses+1, &r, nil
		return true
	}
	same := func(other Request) bool { return other.By == r.By && other.Reason == r.Reason }
	if same(*e.Pause) || slices.ContainsFunc(e.PausedAlso, same) {
		return false
	}
	if len(e.PausedAlso) < mostPausedAlso {
		e.PausedAlso = append(slices.Clone(e.PausedAlso), r)
	}
	return true
}

// liftPause ends a pause. From now on they are counted, also where a version
// of before asked for it.
func (e *Execution) liftPause() {
	e.Pauses, e.Pause, e.PausedAlso = max(e.Pauses, 1), nil, nil
}

// Interrupt records that nobody drives the execution any more.
func (e *Execution) Interrupt(r Request) {
	e.Interruptions, e.Interrupted = e.Interruptions+1, &r
}

// GoOn records that a driver goes on where the execution was interrupted: that
// is an answer, too.
func (e *Execution) GoOn(r Request) {
	if e.Interrupted == nil {
		return
	}
	e.answer(Decision{Question: e.interruptionID(), Choice: Resume, Request: r})
	e.endInterruption()
}

func (e *Execution) endInterruption() {
	e.Interruptions, e.Interrupted = max(e.Interruptions, 1), nil
}
