package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"muster/recovery"
)

// claim is one invocation's hold on one attempt at one wave, and what it last
// knew of the record.
type claim struct {
	o     *Orchestrator
	w     *recovery.WaveStart
	token recovery.Token

	// turn is held while the record is read or written. A channel and not a
	// mutex, so that waiting for it ends with the context.
	turn    chan struct{}
	exec    *recovery.Execution
	attempt recovery.Attempt // read by held, unless the turn is held
	mu      sync.Mutex       // of attempt: it is read while its lease is renewed

	assumed []recovery.AccountContext // whose roles were told of
	found   bool                      // the job was found by looking for it
	sending bool                      // the change under way is the one that marks the claim as sent
	unsent  bool                      // it is certain that nothing of what was sent made a job
	gone    string                    // what was recorded of servers that people treat as gone
}

// waitStep is how often a waiting invocation looks for the other's answer.
const waitStep = 500 * time.Millisecond

// claim takes the wave's newest attempt for this invocation, or gives the
// answer that another one found.
func (o *Orchestrator) claim(ctx context.Context, w *recovery.WaveStart) (*claim, *Started, error) {
	c := &claim{o: o, w: w, token: o.newToken(), turn: make(chan struct{}, 1)}
	var waitedFor recovery.Token
	for {
		var taken recovery.Attempt
		exec, err := o.Executions.Execution(ctx, w.Execution)
		if err != nil {
			if waitedFor != "" && ctx.Err() != nil {
				return nil, nil, inProgress(w, err.Error())
			}
			return nil, nil, fmt.Errorf("reading the record of execution %s: %w", w.Execution, err)
		}
		if exec, err = o.bound(ctx, exec, accountsOf(w)); err != nil {
			return nil, nil, err
		}
		if w, err = o.admitted(ctx, exec, w); err != nil {
			return nil, nil, err
		}
		c.w = w
		if d := exec.Differences(w); len(d) > 0 {
			return nil, nil, recovery.Errorf(recovery.ValidationError, "the event contradicts the record: %s", strings.Join(d, "; "))
		}
		now := o.now()
		kind, message := recovery.EventClaimed, fmt.Sprintf("starting wave %d with %s", w.Wave.Number, recovery.Count(len(w.Wave.Servers), "server"))
		switch a := exec.Attempt(w.Wave.Number); {
		case a == nil:
			taken = w.NewAttempt()
		case a.State == recovery.Started:
			return nil, answer(exec, a), nil
		case a.State == recovery.Refused && a.Token == waitedFor && waitedFor != "": // "": nobody claimed it
			return nil, nil, a.Refusal.Err()
		default:
			free, until := a.Free(now)
			if !free {
				if waitedFor != a.Token {
					c.tellAbout(a, recovery.EventWaiting, fmt.Sprintf("another invocation is starting wave %d; waiting for its answer", a.Wave))
				}
				waitedFor = a.Token
				if err := sleep(ctx, min(waitStep, max(until.Sub(now), time.Millisecond))); err != nil {
					return nil, nil, inProgress(w, "this invocation's time is over")
				}
				continue
			}
			if a.State != recovery.Refused && a.State != recovery.Planned {
				kind, message = recovery.EventTakenOver, fmt.Sprintf("taking over the start of wave %d, which another invocation left %s", a.Wave, a.State)
			}
			taken = *a
			if taken.Servers == nil { // refused before there was a claim
				taken.Servers = w.Wave.ServerIDs()
			}
		}
		if exec.Version == 0 {
			exec = w.NewExecution()
			if exec.World, err = o.world(ctx); err != nil {
				return nil, nil, err
			}
		}
		c.take(exec, taken)
		err = c.write(ctx, taken.Take(c.token, now), &recovery.Event{At: now, Kind: kind, Message: message})
		switch {
		case err == nil:
			return c, nil, nil
		case errors.Is(err, recovery.ErrStale):
			continue // somebody was faster: look again
		}
		return nil, nil, fmt.Errorf("claiming wave %d of execution %s: %w", w.Wave.Number, w.Execution, err)
	}
}

func inProgress(w *recovery.WaveStart, why string) error {
	return &recovery.Error{Code: recovery.WaveInProgress, Retryable: true,
		Message: fmt.Sprintf("wave %d of execution %s is being started by another invocation, whose answer is not there yet (%s); send the same event again to get it", w.Wave.Number, w.Execution, why)}
}

func answer(e *recovery.Execution, a *recovery.Attempt) *Started {
	s := &Started{JobID: a.JobID, Attempt: a.Attempt, Accepted: a.Accepted, NotAccepted: a.NotAccepted()}
	if e.Waves != nil {
		s.Execution = e
	}
	return s
}

func (c *claim) key() recovery.AttemptKey {
	a := c.held()
	return recovery.AttemptKey{Execution: c.w.Execution, Wave: a.Wave, Attempt: a.Attempt}
}

// held gives the attempt as it was last written or read.
func (c *claim) held() recovery.Attempt {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.attempt
}

// take remembers how the record stands.
func (c *claim) take(exec *recovery.Execution, a recovery.Attempt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.exec, c.attempt = exec, a
}

func (c *claim) tell(kind recovery.EventKind, format string, args ...any) {
	a := c.held()
	c.tellAbout(&a, kind, fmt.Sprintf(format, args...))
}

func (c *claim) tellAbout(a *recovery.Attempt, kind recovery.EventKind, message string) {
	c.o.tell(c.w.Execution, recovery.Event{Kind: kind, Wave: new(a.Wave), Attempt: a.Attempt, Message: message})
}

// storeTries is how often a write whose answer is unclear is read back and,
// where it was not written, tried again.
const storeTries = 3

// update changes the attempt as long as it is ours, whatever else changes in
// the execution meanwhile. errLost means that it is ours no more.
func (c *claim) update(ctx context.Context, change func(recovery.Attempt) recovery.Attempt, ev *recovery.Event) error {
	return c.change(ctx, change, ev, false)
}

// change is update; where it tells what came of the start, an execution that is
// over meanwhile is left as it is, unless there is a job.
func (c *claim) change(ctx context.Context, change func(recovery.Attempt) recovery.Attempt, ev *recovery.Event, outcome bool) error {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for unclear := 0; ; {
		if c.sending {
			if err := c.forbidden(); err != nil {
				return err
			}
		}
		next := change(c.attempt)
		if c.exec.Ended != nil && next.State != recovery.Started {
			if outcome {
				return nil
			}
			return c.forbidden()
		}
		err := c.write(ctx, next, ev)
		if err == nil {
			return nil
		}
		if !errors.Is(err, recovery.ErrStale) {
			if unclear++; unclear == storeTries || ctx.Err() != nil {
				return err
			}
			if err := sleep(ctx, waitStep); err != nil {
				return err
			}
		}
		if err := c.reload(ctx); err != nil {
			return err
		}
	}
}

// write commits one change, and takes it over when it stands. A write whose
// answer was lost is read back: one that finds itself has won.
func (c *claim) write(ctx context.Context, next recovery.Attempt, ev *recovery.Event) error {
	change := c.exec.With(next, ev)
	err := c.o.Executions.Commit(ctx, change)
	if err != nil && !errors.Is(err, recovery.ErrStale) && c.stands(ctx, change) {
		err = nil
	}
	if err != nil {
		return err
	}
	c.take(applied(c.exec, &change), next)
	if change.Event != nil {
		c.o.tell(c.w.Execution, *change.Event)
	}
	return nil
}

func (c *claim) stands(ctx context.Context, change recovery.Change) bool {
	exec, err := c.o.Executions.Execution(ctx, c.w.Execution)
	if err != nil || exec.Version != change.Execution.Version+1 || exec.LastEvent != change.Execution.LastEvent {
		return false
	}
	a := exec.Attempt(change.Attempt.Wave)
	return a != nil && a.Token == change.Attempt.Token && reflect.DeepEqual(*a, *change.Attempt)
}

func (c *claim) reload(ctx context.Context) error {
	exec, err := c.o.Executions.Execution(ctx, c.w.Execution)
	if err != nil {
		return fmt.Errorf("reading the record of execution %s: %w", c.w.Execution, err)
	}
	a := exec.Attempt(c.w.Wave.Number)
	if a == nil || a.Token != c.token || a.State == recovery.Started || a.State == recovery.Refused {
		return errLost
	}
	c.take(exec, *a)
	return nil
}

// keepLease renews the claim's lease until stop is called. The context that
// it gives ends, with errLost as its cause, when the claim is lost.
func (c *claim) keepLease(ctx context.Context) (work context.Context, stop func()) {
	work, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for sleep(work, recovery.LeaseRenewal) == nil {
			err := c.update(work, func(a recovery.Attempt) recovery.Attempt { return a.Renew(c.o.now()) }, nil)
			if errors.Is(err, errLost) {
				cancel(errLost)
			}
		}
	}()
	return work, func() { cancel(nil); <-done }
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
