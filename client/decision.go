package client

import (
	"context"

	"muster/event"
	"muster/recovery"
)

// Request says who asks for something about an execution, and why.
type Request struct {
	ID     recovery.ExecutionID `json:"executionId"`
	By     string               `json:"by"`
	Reason string               `json:"reason,omitempty"`
}

// Decision answers a question of an execution.
type Decision struct {
	Request
	Question recovery.QuestionID       `json:"question,omitempty"` // only the choice cancel needs none
	Choice   recovery.Choice           `json:"choice"`
	Wave     *int                      `json:"waveNumber,omitempty"`     // of the question; another one is refused
	Exclude  []recovery.SourceServerID `json:"excludeServers,omitempty"` // of a retry: servers to leave out
	Gone     []recovery.SourceServerID `json:"treatAsGone,omitempty"`    // of a retry: servers of which no instance lives
	Confirm  recovery.PlanID           `json:"confirm,omitempty"`        // the plan's id, by which a RECOVERY that nobody drives goes on
}

// Resumption lifts a pause, and goes on with an execution that nobody drives.
type Resumption struct {
	Request
	// Questions are those that hold the execution up, as they were read before:
	// a pause or an interruption that came later stays. nil: whatever holds it
	// up when this arrives.
	Questions []recovery.QuestionID `json:"questions,omitzero"`
	Confirm   recovery.PlanID       `json:"confirm,omitempty"`  // as of Decision
	TakeOver  bool                  `json:"takeOver,omitempty"` // from a driver that may be at work
}

// Recorded is what became of something that was asked for: it stands in the
// record.
type Recorded struct {
	Progress
	Woken       bool              `json:"woken"`       // a run that waited was told
	WakeFailure string            `json:"wakeFailure"` // why it could not be; ""
	Sent        []event.StartSent `json:"startsSent"`  // before a pause
	Damage      string            `json:"damage"`      // of a resumption: where the log was cut or edited
}

// Decide records a decision.
func (c Client) Decide(ctx context.Context, d Decision) (Recorded, error) {
	return ask[Recorded](ctx, c, "decide", d)
}

// Pause records that nothing new is to be started; what runs, runs on.
func (c Client) Pause(ctx context.Context, r Request) (Recorded, error) {
	return ask[Recorded](ctx, c, "pause", r)
}

// Cancel records that nothing more is to be started.
func (c Client) Cancel(ctx context.Context, r Request) (Recorded, error) {
	return ask[Recorded](ctx, c, "cancel_execution", r)
}

// Resume makes an execution go on.
func (c Client) Resume(ctx context.Context, r Resumption) (Recorded, error) {
	return ask[Recorded](ctx, c, "resume", r)
}

// Termination asks for the recovery instances of an execution to be terminated.
type Termination struct {
	ID       recovery.ExecutionID `json:"executionId"`
	By       string               `json:"by"`
	Recovery bool                 `json:"recovery,omitempty"` // those of a RECOVERY, too
	Confirm  recovery.ExecutionID `json:"confirm,omitempty"`  // the execution's id, which that needs
}

// Terminated is how far that has come.
type Terminated struct {
	ID         recovery.ExecutionID  `json:"executionId"`
	Done       bool                  `json:"done"` // false: ask again
	Left       int                   `json:"instancesLeft"`
	Gone       int                   `json:"instancesGone"`
	Terminated []recovery.InstanceID `json:"terminated"`                  // begun by this call
	Again      int                   `json:"againAfterSeconds,omitempty"` // when it is worth to ask again, in AWS's time
}

// TerminateInstances terminates some of what an execution launched.
func (c Client) TerminateInstances(ctx context.Context, t Termination) (Terminated, error) {
	return ask[Terminated](ctx, c, "terminate_instances", t)
}
