package orchestrator

import (
	"context"
	"fmt"

	"muster/recovery"
)

// An execution is driven by one run of a state machine after another. The
// record knows the newest, so that two people who resume it at once make one
// run, and so that the end of an older one is not taken for the driver's.

// NextRun makes the run that follows the given one the execution's newest, for
// somebody to start. Where another call was faster, it is the newest already.
func (o *Orchestrator) NextRun(ctx context.Context, id recovery.ExecutionID, after int, r recovery.Request) (*recovery.Execution, error) {
	return o.amend(ctx, id, func(e *recovery.Execution) (*recovery.Change, error) {
		if err := o.opened(e); err != nil {
			return nil, err
		}
		if e.Ended != nil {
			return nil, recovery.Errorf(recovery.WrongState, "execution %s is over: %s", id, e.Ended.Outcome)
		}
		if e.NewestRun() != after {
			return nil, nil
		}
		e.Run, e.TaskToken = after+1, recovery.Secret{} // the task that gave it out went with its run
		c := e.WithEvent(recovery.Event{At: o.now(), Kind: recovery.EventContinued, RequestID: r.RequestID,
			Message: fmt.Sprintf("%s has run %s started, which drives from here on", recovery.Quote(r.By), e.RunName())})
		return &c, nil
	})
}

// Evict makes the process that drives the execution stop, at its next beat:
// somebody else drives from now on.
func (o *Orchestrator) Evict(ctx context.Context, e *recovery.Execution, r recovery.Request) error {
	now := o.now()
	_, err := o.Executions.Drive(ctx, e.ID, e.Driver.Mark(), recovery.Driver{ID: string(o.newToken()), Who: r.By, Where: "took it over", Since: now, Seen: now, Left: true})
	return err
}

// RunStopped records that a run of the state machine ended and the execution
// did not: nobody drives it any more. It changes nothing, and says so, where
// the execution has ended too, or where a newer run drives it.
func (o *Orchestrator) RunStopped(ctx context.Context, id recovery.ExecutionID, run int, why string) (e *recovery.Execution, recorded bool, err error) {
	e, err = o.amend(ctx, id, func(e *recovery.Execution) (*recovery.Change, error) {
		recorded = false
		if err := o.opened(e); err != nil || e.Ended != nil || run < e.NewestRun() {
			return nil, err
		}
		recorded = true
		if e.Interrupted != nil && e.TaskToken.IsZero() && run == e.NewestRun() {
			return nil, nil
		}
		// No task waits any more for the token to come back.
		e.Run, e.TaskToken = run, recovery.Secret{}
		if e.Interrupted == nil {
			e.Interrupt(recovery.Request{By: "the driver", At: o.now(), Reason: why})
		}
		c := e.WithEvent(recovery.Event{At: o.now(), Kind: recovery.EventInterrupted, Message: why})
		return &c, nil
	})
	return e, recorded, err
}
