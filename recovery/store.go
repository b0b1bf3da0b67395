package recovery

import (
	"context"
	"fmt"
)

// ExecutionStore keeps executions. Every change is one transaction, decided on
// one version of the execution: whoever decided on an older one gets ErrStale
// and changes nothing.
type ExecutionStore interface {
	// Execution reads an execution, all that was committed before the call. Its
	// attempts are never older than its version, so that a Commit decided on
	// them is either right or stale. An id that the store does not know gives
	// an Execution of version 0; a record that does not say what it must, e.g.
	// an attempt that was emptied, is ErrDamaged. It may be called freely.
	Execution(ctx context.Context, id ExecutionID) (*Execution, error)

	// Commit writes a change whole or not at all. ErrStale means that the
	// execution's version is no longer Change.Version: nothing was written. Any
	// other error means that the change may or may not have been written: the
	// caller reads again and looks for its token. A Commit whose own answer was
	// lost must not be repeated blindly; reading first is always safe.
	Commit(ctx context.Context, c Change) error

	// Events reads the execution's log from its first event on. It may be
	// called freely.
	Events(ctx context.Context, id ExecutionID) ([]Event, error)

	// Plan reads the plan that was frozen when the execution was opened; nil
	// where none was. It may be called freely.
	Plan(ctx context.Context, id ExecutionID) (*Plan, error)

	// Recovered gives what Change.Recovered said of the newest attempts in a
	// place, all that was committed before the call; of other servers, too. One
	// that cannot be read keeps none of the others back: see Damage. It may be
	// called freely.
	Recovered(ctx context.Context, at Place, servers []SourceServerID) ([]Recovered, error)

	// Drive writes who drives an execution, where the driver that it replaces
	// is still the one of that mark, "" for none, or is itself; false: it is
	// another, and nothing was written. It changes no version. Of an execution
	// that the store does not know nothing is written either. It may be called
	// again after an error.
	Drive(ctx context.Context, id ExecutionID, replaces string, d Driver) (bool, error)

	// Executions lists executions, those that changed last first, at most so
	// many, without their attempts. It may be called freely, and may be a
	// little behind. One that is damaged keeps none of the others back: it is
	// listed as far as it can be read, and Execution says what is wrong.
	Executions(ctx context.Context, most int) ([]Execution, error)
}

// PlanHeld answers a Commit that would open a second execution of a plan while
// another one is under way. Nothing was written.
type PlanHeld struct{ By ExecutionID }

func (e *PlanHeld) Error() string {
	return fmt.Sprintf("execution %s of the same plan is under way", e.By)
}

// Change is one transaction on one execution.
//
// An execution that has Waves holds its plan from its first change until the
// one that ends it.
type Change struct {
	Execution Execution // what it is; its Version is the one that was read, and Attempts is not written
	Attempt   *Attempt  // the one attempt that changes, or nil
	Event     *Event    // appended to the log, or nil where nothing happened that an auditor would ask for

	// Frozen is the plan, with the change that opens the execution; nil with
	// any other.
	Frozen *Plan
	// TakeFrom is the execution that may be made to let go of the plan, with
	// the change that opens this one.
	TakeFrom ExecutionID
}

// WithEvent prepares a change of the execution itself, and an event about it.
func (e *Execution) WithEvent(ev Event) Change {
	ev.Execution = e.ID
	chained := ev.After(e.LastEvent)
	c := Change{Execution: *e, Event: &chained}
	c.Execution.Attempts = nil
	c.Execution.LastEvent = chained.Ref()
	return c
}

// With prepares the change that puts an attempt, and an event about it, into
// the execution.
func (e *Execution) With(a Attempt, ev *Event) Change {
	a = a.recorded()
	c := Change{Execution: *e, Attempt: &a}
	c.Execution.Attempts = nil
	if ev != nil {
		chained := *ev
		chained.Execution, chained.Wave, chained.Attempt = e.ID, new(a.Wave), a.Attempt
		chained = chained.After(e.LastEvent)
		c.Event = &chained
		c.Execution.LastEvent = chained.Ref()
	}
	return c
}

// GroupStore keeps protection groups.
type GroupStore interface {
	// Group gives the group, or nil when the store does not know it. An error
	// means that the store could not say; it is never "no defaults". It may be
	// called freely.
	Group(ctx context.Context, id ProtectionGroupID) (*ProtectionGroup, error)
}
