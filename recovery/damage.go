package recovery

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Whoever may write to a store may change what it holds. What is read is held
// to what it must say, so that a record which was cut or edited is told as
// damaged, and never taken for one in which nothing happened: that would
// launch servers a second time.

// ReadAttempt reads the record of an attempt, which must say itself that it is
// the one that its key names.
func ReadAttempt(key AttemptKey, record []byte) (Attempt, error) {
	var a Attempt
	if err := json.Unmarshal(record, &a); err != nil {
		return Attempt{}, damaged("attempt %d at wave %d: %w", key.Attempt, key.Wave, err)
	}
	if a.Wave != key.Wave || a.Attempt != key.Attempt {
		return Attempt{}, damaged("attempt %d at wave %d says that it is attempt %d at wave %d", key.Attempt, key.Wave, a.Attempt, a.Wave)
	}
	if !slices.Contains(claimStates, a.State) {
		return Attempt{}, damaged("attempt %d at wave %d has the state %s, which there is not", key.Attempt, key.Wave, Quote(string(a.State)))
	}
	if a.State == Refused && a.Refusal == nil {
		return Attempt{}, damaged("attempt %d at wave %d was refused, and does not say why", key.Attempt, key.Wave)
	}
	return a, nil
}

// CheckLog says where an execution's log of events, or the record beside it,
// was cut or edited, or gives nil. Execution and log must have been read as of
// one version.
//
// It finds what was changed in one place. Whoever may write to the store can
// write execution and log anew, so that they agree: then nothing tells.
func (e *Execution) CheckLog(log []Event) error {
	if err := CheckChain(log); err != nil {
		return damaged("%w", err)
	}
	var last EventRef
	if len(log) > 0 {
		last = log[len(log)-1].Ref()
	}
	switch {
	case last.Number < e.LastEvent.Number:
		return damaged("the log ends with event %d, and the execution's last is event %d: its end was cut off", last.Number, e.LastEvent.Number)
	case last.Number > e.LastEvent.Number:
		return damaged("the log ends with event %d, and the execution's last is event %d: something was added", last.Number, e.LastEvent.Number)
	case last != e.LastEvent:
		return damaged("event %d is not the one that the execution knows as its last", last.Number)
	}
	for i := range log {
		if err := e.checkEvent(&log[i]); err != nil {
			return err
		}
	}
	return nil
}

// checkEvent holds the record to what an event of the log tells of it.
func (e *Execution) checkEvent(ev *Event) error {
	switch {
	case ev.Execution != "" && ev.Execution != e.ID: // "": written before events said it
		return damaged("event %d is of execution %s", ev.Number, Quote(string(ev.Execution)))
	case ev.Kind == EventOpened && e.Waves == nil:
		return damaged("event %d opened the execution, and what it was opened with is gone", ev.Number)
	case ev.Attempt == 0:
		return nil
	}
	wave, _ := ev.About() // an attempt is one at a wave
	switch a := e.Attempt(wave); {
	case a == nil || a.Attempt < ev.Attempt:
		return damaged("event %d is of attempt %d at wave %d, which is gone", ev.Number, ev.Attempt, wave)
	case a.Attempt == ev.Attempt && ev.JobID != "" && a.JobID != ev.JobID:
		return damaged("event %d tells of job %s of wave %d, and the record of job %s", ev.Number, ev.JobID, wave, Quote(string(a.JobID)))
	}
	return nil
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrDamaged, fmt.Errorf(format, args...))
}
