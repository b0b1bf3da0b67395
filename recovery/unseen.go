package recovery

import (
	"errors"
	"fmt"
	"time"
)

// Unseen is what is known of looks at a wave that AWS refused, in a row: at the
// job that it runs, or for the job that its start may have made. It is about
// this wave alone: all others go on.
type Unseen struct {
	Code      Code      `json:"code"`
	Message   string    `json:"message"`
	Retryable bool      `json:"retryable,omitempty"` // time may cure it, with nobody's help
	Since     time.Time `json:"since,omitzero"`      // of the first
	Looks     int       `json:"looks,omitempty"`     // how many; 0: a person asked for another one, which is to come
	Again     time.Time `json:"again,omitzero"`      // of the next
}

// soonAsked is for how long a look that only a change cures (a role, a
// permission) is tried again before a person is asked. What time may cure is
// waited for as long as the wave may take.
const soonAsked = 15 * time.Minute

// NotSeen gives the attempt after a look at it that was refused: the next one
// comes after a wait that doubles from one to the next, up to five minutes.
func (a Attempt) NotSeen(why *Error, now time.Time) Attempt {
	u := Unseen{Since: wall(now)}
	if a.Unseen != nil && a.Unseen.Looks > 0 {
		u = *a.Unseen
	}
	u.Code, u.Message, u.Retryable = why.Code, why.Message, why.Retryable
	u.Again = wall(now.Add(retryWait(u.Looks)))
	u.Looks++
	a.Unseen = &u
	return a
}

// seen ends a row of refused looks. The next row, if there is one, is another
// question.
func (a *Attempt) seen() {
	if a.Unseen != nil {
		a.Unseen, a.UnseenBefore = nil, a.UnseenBefore+1
	}
}

// lookAgain has an attempt that cannot be seen looked at now.
func (a *Attempt) lookAgain() {
	was := a.Unseen
	a.seen()
	a.Unseen = &Unseen{Code: was.Code, Message: was.Message, Retryable: was.Retryable}
}

// open says whether there is anything to look at: a job that runs, or one that
// may have been made.
func (a *Attempt) open() bool { return a.Running() || a.MayHaveJob() }

// UnseenUntil is when an attempt that cannot be seen is looked at again; zero:
// the last look succeeded, or there is nothing to see.
func (a *Attempt) UnseenUntil() time.Time {
	if a.Unseen == nil || !a.open() {
		return time.Time{}
	}
	return a.Unseen.Again
}

// longUnseen says whether a wave has not been seen for so long.
func (a *Attempt) longUnseen(limit time.Duration, now time.Time) bool {
	return a.Unseen != nil && a.open() && a.Unseen.Looks > 0 && !now.Before(a.Unseen.Since.Add(limit))
}

// asksToLook says whether a person is asked about a wave that cannot be seen.
func (w *WaveRecord) asksToLook(a *Attempt, now time.Time) bool {
	if a == nil || a.Unseen == nil || w.Skipped || w.OnFailure != PauseOnFailure {
		return false
	}
	limit := w.TimeLimit
	if !a.Unseen.Retryable {
		limit = min(limit, soonAsked)
	}
	return a.longUnseen(limit, now)
}

// unseenWords says what is not seen of the wave, and why.
func (a *Attempt) unseenWords() string {
	what := fmt.Sprintf("job %s of wave %d cannot be looked at", a.JobID, a.Wave)
	if !a.Running() {
		what = fmt.Sprintf("whether the start of wave %d made a job cannot be found out", a.Wave)
	}
	return fmt.Sprintf("%s in account %s, %s: %s", what, a.AccountID, a.Region, a.Unseen.Message)
}

// Blind says why the attempt cannot be looked at; nil: the last look at it was
// not refused, or there is nothing to see.
func (a *Attempt) Blind() *Error {
	if a.Unseen == nil || !a.open() {
		return nil
	}
	return &Error{Code: a.Unseen.Code, Message: a.unseenWords(), Retryable: true}
}

// NotSeen joins why waves cannot be looked at, each a *Error that says which;
// nil: there is none.
func (e *Execution) NotSeen() error {
	var all []error
	for i := range e.Attempts {
		if why := e.Attempts[i].Blind(); why != nil {
			all = append(all, why)
		}
	}
	return errors.Join(all...)
}

// sight is the question that a wave raises which cannot be looked at.
func (a *Attempt) sight() Question {
	return Question{ID: QuestionID(fmt.Sprintf("unseen-w%d-a%d-%d", a.Wave, a.Attempt, a.UnseenBefore+1)), Reason: WaveUnseen, Wave: new(a.Wave), Choices: WaveUnseen.Choices(),
		Text: a.unseenWords() + fmt.Sprintf(" (since %s, %s)", a.Unseen.Since.Format(time.RFC3339), Count(a.Unseen.Looks, "look"))}
}
