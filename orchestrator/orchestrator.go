// Package orchestrator does what has to be done for a wave, in order. It knows
// neither JSON nor AWS: what it asks for is in package recovery's words, and
// the rooms that it is given say it in a technology's.
package orchestrator

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"muster/recovery"
)

// Orchestrator recovers waves with what it is given. Its fields are set once,
// before the first call; its methods may be called at the same time.
type Orchestrator struct {
	Accounts   recovery.Accounts
	Executions recovery.ExecutionStore
	Groups     recovery.GroupStore // nil: there is no store of protection groups
	Home       *Home               // the world that is acted in; nil: it is not known, and executions are bound to none

	// Observe is told what happens, as it happens; nil: nobody listens. It must
	// not block, and may be called from several goroutines at once.
	Observe func(recovery.ExecutionID, recovery.Event)
	// Wake completes the task that waits for a decision by its token, which is a
	// secret; one that does not wait any more is no error. nil: whoever waits
	// looks at the record by himself.
	Wake func(context.Context, recovery.Secret) error
	// Now is the time; nil: time.Now.
	Now func() time.Time
	// NewToken makes the mark of one invocation, never the same twice; nil: a
	// random one.
	NewToken func() recovery.Token

	// Frozen remembers plans for all orchestrators of a process; nil: this one
	// remembers its own.
	Frozen *FrozenPlans

	own FrozenPlans
}

// Started is a wave whose recovery job runs.
type Started struct {
	JobID       recovery.JobID
	Attempt     int
	Accepted    []recovery.SourceServerID // the servers in the job
	NotAccepted []recovery.SourceServerID // asked for, and not in the job
	Execution   *recovery.Execution       // as it stands with it; nil where Begin did not open it
}

// Execution reads the record of an execution; one that nobody knows has
// version 0.
func (o *Orchestrator) Execution(ctx context.Context, id recovery.ExecutionID) (*recovery.Execution, error) {
	e, err := o.Executions.Execution(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("reading the record of execution %s: %w", id, err)
	}
	return e, nil
}

func (o *Orchestrator) now() time.Time {
	if o.Now != nil {
		return o.Now()
	}
	return time.Now()
}

func (o *Orchestrator) newToken() recovery.Token {
	if o.NewToken != nil {
		return o.NewToken()
	}
	return recovery.Token(rand.Text())
}

func (o *Orchestrator) tell(id recovery.ExecutionID, ev recovery.Event) {
	if o.Observe == nil {
		return
	}
	if ev.At.IsZero() {
		ev.At = o.now()
	}
	o.Observe(id, ev)
}
