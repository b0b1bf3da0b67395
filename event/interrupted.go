package event

import (
	"fmt"

	"muster/recovery"
)

// How a run of a state machine ends when it did not end by itself.
var abnormalEnds = keySet("FAILED", "TIMED_OUT", "ABORTED")

// executionInterrupted records that the run which drove an execution ended,
// and the execution did not. The state machine's own failures end so, too,
// after the execution: nothing is recorded then.
func (a *ask) executionInterrupted() (any, error) {
	name := a.needText("name", func(s string) error { return recovery.ExecutionID(s).Check() })
	status := a.needText("status", func(s string) error {
		if abnormalEnds[s] {
			return nil
		}
		return fmt.Errorf("must be FAILED, TIMED_OUT or ABORTED, not %s", recovery.Quote(s))
	})
	why := fmt.Sprintf("run %s, which drove it, ended: %s", name, status)
	for _, key := range []string{"error", "cause"} {
		if s, ok := a.mayText(key); ok && s != "" {
			why += ": " + visible(s)
		}
	}
	a.mayText("executionArn")
	if err := a.invalid(); err != nil {
		return nil, err
	}
	id, run, err := a.runNamed(name)
	if err != nil {
		return nil, err
	}
	a.execution = id
	e, recorded, err := a.Operator.RunStopped(a.ctx, id, run, why)
	if err != nil {
		return nil, err
	}
	if recorded && e.Cancel != nil {
		if e, err = a.Starter.Finish(a.ctx, id); err != nil { // nobody else is there who would
			return nil, err
		}
	}
	reason := why
	switch {
	case e.Ended != nil:
		reason = "the execution has ended, too"
	case !recorded:
		reason = fmt.Sprintf("run %s is newer", e.RunName())
	}
	return struct {
		progress
		Recorded bool   `json:"recorded"`
		Reason   string `json:"reason"`
	}{a.progress(e), recorded, reason}, nil
}

// runNamed finds the execution that a run of this name drove.
func (a *ask) runNamed(name string) (recovery.ExecutionID, int, error) {
	// An execution that was begun from elsewhere may be called as a later run
	// is.
	if e, err := a.Starter.Execution(a.ctx, recovery.ExecutionID(name)); err != nil || e.Version > 0 {
		return recovery.ExecutionID(name), 1, err
	}
	id, run := recovery.RunOf(name)
	_, err := a.record(id)
	return id, run, err
}
