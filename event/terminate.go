package event

import (
	"muster/orchestrator"
	"muster/recovery"
)

// terminateAgain is after how many seconds it is worth to look again at what
// is being terminated.
const terminateAgain = 15

// terminateInstances terminates some of what an execution launched. It does a
// little, and says whether there is more: whoever asks, asks again until done.
func (a *ask) terminateInstances() (any, error) {
	id, r := a.needID(), a.request()
	c := orchestrator.Cleanup{Execution: id, By: r.By, RequestID: r.RequestID, Recovery: a.mayBool("recovery")}
	if c.Recovery {
		a.confirmed("confirm", string(id), "these may be servers in use")
	}
	if err := a.invalid(); err != nil {
		return nil, err
	}
	e, err := a.record(id)
	switch {
	case err != nil:
		return nil, err
	case e.Ended == nil:
		return nil, a.refusal(id, recovery.Errorf(recovery.ValidationError, "execution %s is under way: what it launches is terminated after its end", id))
	case e.Type == recovery.Recovery && !c.Recovery:
		return nil, recovery.Errorf(recovery.WrongState, "execution %s is a RECOVERY: its instances may be somebody's production; to say that they are meant: recovery true, and confirm %s", id, recovery.Quote(string(id)))
	}
	cleaned, err := a.Operator.Cleanup(a.ctx, c)
	if err != nil {
		return nil, conflict(err)
	}
	answer := struct {
		ID         recovery.ExecutionID  `json:"executionId"`
		Done       bool                  `json:"done"`
		Left       int                   `json:"instancesLeft"`
		Gone       int                   `json:"instancesGone"`
		Terminated []recovery.InstanceID `json:"terminated"` // begun by this event
		Jobs       []recovery.JobID      `json:"jobs"`
		Again      int                   `json:"againAfterSeconds,omitempty"`
	}{id, cleaned.Left == 0, cleaned.Left, cleaned.Gone, append([]recovery.InstanceID{}, cleaned.Terminated...), append([]recovery.JobID{}, cleaned.Jobs...), 0}
	if !answer.Done {
		answer.Again = terminateAgain
	}
	return answer, nil
}

// conflict makes a refusal by the record one of state: the event was well
// formed.
func conflict(err error) error {
	if refused, is := err.(*recovery.Error); is && refused.Code == recovery.ValidationError {
		return &recovery.Error{Code: recovery.WrongState, Message: refused.Message, Retryable: refused.Retryable}
	}
	return err
}
