package orchestrator

import (
	"context"
	"fmt"

	"muster/recovery"
)

// Decide records what somebody decided, and who, when and why. The same
// decision again changes nothing, and is no error; what does not apply is a
// VALIDATION_ERROR that says why, and changes nothing.
func (o *Orchestrator) Decide(ctx context.Context, id recovery.ExecutionID, d recovery.Decision) error {
	_, err := o.amend(ctx, id, func(e *recovery.Execution) (*recovery.Change, error) {
		if err := o.opened(e); err != nil {
			return nil, err
		}
		return o.decision(e, d)
	})
	return err
}

// decision prepares the change that a decision makes; nil where it makes none.
func (o *Orchestrator) decision(e *recovery.Execution, said recovery.Decision) (*recovery.Change, error) {
	d, news, err := e.Decide(said, o.now())
	if err != nil {
		return nil, recovery.Errorf(recovery.ValidationError, "%v", err)
	}
	if !news {
		return nil, nil
	}
	ev := recovery.Event{At: o.now(), Kind: recovery.EventDecided, Message: decided(d), RequestID: d.RequestID, Excluded: d.Exclude,
		By: d.By, Reason: d.Reason, Choice: d.Choice, Question: d.Question}
	if d.Choice == recovery.CancelAll {
		ev.Kind = recovery.EventCancelled
	}
	if d.Choice == recovery.Retry {
		c := e.With(*e.Attempt(*d.Wave), &ev)
		return &c, nil
	}
	ev.Wave = d.Wave
	c := e.WithEvent(ev)
	return &c, nil
}

func decided(d recovery.Decision) string {
	words := fmt.Sprintf("%s decided: %s", recovery.Quote(d.By), d.Choice)
	if d.Wave != nil {
		words += fmt.Sprintf(" wave %d", *d.Wave)
	}
	if len(d.Exclude) > 0 {
		words += " without " + recovery.Listed(d.Exclude)
	}
	if len(d.Gone) > 0 {
		words += ", of which no instance of these lives: " + recovery.Listed(d.Gone)
	}
	if d.Reason != "" {
		words += ", because " + recovery.Quote(d.Reason)
	}
	return words
}

// Interrupt records that the driver stopped without an end.
func (o *Orchestrator) Interrupt(ctx context.Context, id recovery.ExecutionID, why string) (*recovery.Execution, error) {
	return o.amend(ctx, id, func(e *recovery.Execution) (*recovery.Change, error) {
		if err := o.opened(e); err != nil || e.Ended != nil || e.Interrupted != nil {
			return nil, err
		}
		e.Interrupt(recovery.Request{By: "the driver", At: o.now(), Reason: why})
		c := e.WithEvent(recovery.Event{At: o.now(), Kind: recovery.EventInterrupted, Message: why})
		return &c, nil
	})
}

// Await records that people are asked, and the token of the task that waits for
// them in a run of the state machine; run is 0 where it is not known. Without a
// token, whoever waits looks at the record again and again. It gives the
// execution as it is after that: a decision may have been faster.
//
// Of two tries of one task, which have a token each, the first may come last:
// so the task whose token gives way is woken, and asks anew if it waits still.
// A run that is not the newest was taken over from: its task is left to wait.
func (o *Orchestrator) Await(ctx context.Context, id recovery.ExecutionID, token recovery.Secret, run int) (*recovery.Execution, error) {
	return o.amend(ctx, id, func(e *recovery.Execution) (*recovery.Change, error) {
		if err := o.opened(e); err != nil || e.Ended != nil {
			return nil, err
		}
		asks := recovery.Next(e, o.now())
		late := run > 0 && run < e.NewestRun()
		if late || !token.IsZero() && e.TaskToken == token || token.IsZero() && asks.Action != recovery.DoAwaitDecision {
			return nil, nil
		}
		if !token.IsZero() && e.TaskRun == run {
			o.wake(ctx, e.TaskToken)
		}
		e.TaskToken, e.TaskRun = token, run
		c := e.WithEvent(recovery.Event{At: o.now(), Kind: recovery.EventAwaiting, Message: asks.Reason})
		return &c, nil
	})
}

// Finish records the end, if the execution is at its end; the execution that
// it gives says what comes next if it is not.
func (o *Orchestrator) Finish(ctx context.Context, id recovery.ExecutionID) (*recovery.Execution, error) {
	return o.amend(ctx, id, func(e *recovery.Execution) (*recovery.Change, error) {
		if err := o.opened(e); err != nil || e.Ended != nil {
			return nil, err
		}
		step := recovery.Next(e, o.now())
		if step.Action != recovery.DoFinish {
			return nil, nil
		}
		e.Ended = &recovery.Ending{Outcome: step.Outcome, Reason: step.Reason, At: o.now().UTC().Round(0)}
		e.TaskToken = recovery.Secret{}
		c := e.WithEvent(recovery.Event{At: o.now(), Kind: recovery.EventFinished, Message: fmt.Sprintf("%s: %s", step.Outcome, step.Reason)})
		return &c, nil
	})
}

// RecordRefusal puts a refused start into the record: one that may go through
// later is tried again after a wait that grows.
func (o *Orchestrator) RecordRefusal(ctx context.Context, id recovery.ExecutionID, wave int, r recovery.Refusal) (*recovery.Execution, error) {
	return o.amend(ctx, id, func(e *recovery.Execution) (*recovery.Change, error) {
		if err := o.opened(e); err != nil {
			return nil, err
		}
		if err := o.MayDrive(ctx, e); err != nil { // who drives it elsewhere has nothing to say about it
			return nil, err
		}
		w, a := e.Wave(wave), e.Attempt(wave)
		now := o.now()
		switch {
		case w == nil:
			return nil, recovery.Errorf(recovery.ValidationError, "execution %s has no wave %d", id, wave)
		case e.Ended != nil || r.Code == recovery.WaveInProgress:
			return nil, nil // another invocation is at it: that never counts
		case a == nil: // refused before there was a claim
			fresh := recovery.Attempt{Wave: wave, Attempt: 1, AccountID: w.AccountID, Region: w.Region}
			a = &fresh
		case a.State == recovery.Started || a.MayHaveJob() || a.State == recovery.Claimed || r.Attempt > 0 && r.Attempt < a.Attempt:
			return nil, nil // the record knows better: somebody may have decided to try again since
		}
		refused := a.State == recovery.Refused
		if refused && (!a.Refusal.Retryable || now.Before(a.RetryAt) || !a.RetryAt.IsZero() && a.Refusal.Code == r.Code && a.Refusal.Message == r.Message) {
			return nil, nil // recorded already, and when it is tried again, too
		}
		next := *a
		if !refused {
			next = next.Refuse(&recovery.Error{Code: r.Code, Message: r.Message, Retryable: r.Retryable, InDoubt: r.InDoubt})
		}
		kind, message := recovery.EventRefused, r.Message
		if next.Refusal.Retryable {
			next = next.Postpone(now)
			kind, message = recovery.EventPostponed, fmt.Sprintf("tried again in %s: %s", next.RetryAt.Sub(now), r.Message)
		}
		c := e.With(next, &recovery.Event{At: now, Kind: kind, Message: message})
		return &c, nil
	})
}

// opened holds an action to executions that begin_execution opened.
func (o *Orchestrator) opened(e *recovery.Execution) error {
	if err := o.known(e); err != nil {
		return err
	}
	if e.Waves == nil {
		return recovery.Errorf(recovery.ValidationError, "execution %s was begun by the start of a wave, without its plan: there is nothing to decide about it here", e.ID)
	}
	return nil
}
