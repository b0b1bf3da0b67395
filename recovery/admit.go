package recovery

import (
	"fmt"
	"time"
)

// Admit says whether the start of a wave is allowed by the record of an
// opened execution: the error is a *Error. A start that was begun already is
// admitted until the execution is over, for it may have made a job.
func (e *Execution) Admit(wave int, now time.Time) error {
	w := e.Wave(wave)
	if w == nil {
		return Errorf(ValidationError, "wave_number: execution %s has no wave %d", e.ID, wave)
	}
	a := e.Attempt(wave)
	status := e.Status(w, now)
	if a != nil && (a.State == Started || a.MayHaveJob() && e.Ended == nil) {
		return nil
	}
	s := survey(e, now)
	refuse := func(retryable bool, format string, args ...any) error {
		return &Error{Code: DependencyNotMet, Retryable: retryable, Message: fmt.Sprintf("wave %d: ", wave) + fmt.Sprintf(format, args...)}
	}
	switch {
	case e.Ended != nil:
		return refuse(false, "execution %s is over: %s", e.ID, e.Ended.Outcome)
	case e.Cancel != nil:
		return refuse(false, "%s", e.Cancel.words("the execution was cancelled"))
	case w.Skipped:
		return refuse(false, "somebody decided to skip it")
	case e.Pause != nil:
		return refuse(true, "%s", e.Pause.words("the execution is paused"))
	case s.stopped:
		return refuse(false, "a wave has failed whose failure stops everything")
	case w.gate() != nil:
		return refuse(true, "it waits for approval")
	case status == StatusFailed && a.State == Refused && !a.Refusal.Retryable:
		return a.Refusal.Err() // the same event again gets the same answer
	case status == StatusFailed:
		return refuse(false, "it has failed; only somebody's decision to retry starts it again")
	}
	for _, n := range e.Dependencies(w) {
		if !s.settled(n) {
			return refuse(s.status[n] != StatusFailed, "it depends on wave %d, which is %s", n, s.status[n])
		}
	}
	if !s.room(w) { // others were faster since the start was decided on
		return refuse(true, "%s", noRoom(w))
	}
	return nil
}

// Forbidden says why no start of a wave may be sent, whatever was begun; nil: it
// may. What is not final may be sent later: the pause may be lifted. It is asked
// again with the very change that marks a start as sent.
func (e *Execution) Forbidden(wave int, now time.Time) (why *Error, final bool) {
	switch w := e.Wave(wave); {
	case w != nil && w.Skipped:
		return Errorf(DependencyNotMet, "wave %d: somebody decided to skip it", wave), true
	case e.Ended != nil:
		return Errorf(DependencyNotMet, "execution %s is over: %s", e.ID, e.Ended.Outcome), true
	case e.Cancel != nil:
		return Errorf(DependencyNotMet, "%s", e.Cancel.words("the execution was cancelled")), true
	case e.Pause != nil:
		return &Error{Code: DependencyNotMet, Retryable: true, Message: e.Pause.words("the execution is paused")}, false
	case survey(e, now).stopped:
		return Errorf(DependencyNotMet, "a wave has failed whose failure stops everything"), false
	}
	return nil, false
}
