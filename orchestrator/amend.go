package orchestrator

import (
	"context"
	"errors"
	"fmt"

	"muster/recovery"
)

// amend changes an execution. decide is given the execution as it is and
// prepares the change, or nil where nothing has to change; it is asked again,
// with what has become of the execution, when somebody else was faster or an
// answer of the store was lost: so it finds nothing to change where its change
// stands already.
//
// The execution that is given back is the one after the change.
func (o *Orchestrator) amend(ctx context.Context, id recovery.ExecutionID, decide func(*recovery.Execution) (*recovery.Change, error)) (*recovery.Execution, error) {
	return o.amendKnown(ctx, id, nil, decide)
}

// amendKnown is amend for a caller that has read the execution a moment ago:
// it is not read again unless somebody changed it meanwhile. decide must leave
// what it is given as it is.
func (o *Orchestrator) amendKnown(ctx context.Context, id recovery.ExecutionID, e *recovery.Execution, decide func(*recovery.Execution) (*recovery.Change, error)) (*recovery.Execution, error) {
	for unclear := 0; ; e = nil {
		if e == nil {
			var err error
			if e, err = o.Executions.Execution(ctx, id); err != nil {
				return nil, fmt.Errorf("reading the record of execution %s: %w", id, err)
			}
		}
		if err := o.mayWrite(ctx, e); err != nil {
			return nil, err
		}
		c, err := decide(e)
		if err != nil || c == nil {
			return e, err
		}
		err = o.Executions.Commit(ctx, *c)
		if err == nil {
			if c.Event != nil {
				o.tell(id, *c.Event)
			}
			return applied(e, c), nil
		}
		var held *recovery.PlanHeld
		if errors.Is(err, recovery.ErrStale) {
			continue
		}
		if unclear++; errors.As(err, &held) || unclear == storeTries || ctx.Err() != nil {
			return nil, err
		}
		if err := sleep(ctx, waitStep); err != nil {
			return nil, err
		}
	}
}

// applied gives the execution after a change.
func applied(e *recovery.Execution, c *recovery.Change) *recovery.Execution {
	after := c.Execution
	after.Version++
	after.Attempts = nil
	replaced := c.Attempt == nil
	for _, a := range e.Attempts {
		if c.Attempt != nil && a.Wave == c.Attempt.Wave {
			a, replaced = *c.Attempt, true
		}
		after.Attempts = append(after.Attempts, a)
	}
	if !replaced {
		after.Attempts = append(after.Attempts, *c.Attempt)
	}
	return &after
}

// known reads an execution that has to be there.
func (o *Orchestrator) known(e *recovery.Execution) error {
	if e.Version == 0 {
		return recovery.Errorf(recovery.ValidationError, "there is no execution %s", e.ID)
	}
	return nil
}
