package stepfunctions

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
	"unicode/utf8"
)

// Execution is one run of a state machine.
type Execution struct {
	Name  string // 1 to 80 characters
	Input []byte // JSON
}

// Options is what a run needs from the world.
type Options struct {
	Machine   string      // the state machine's name in the context object; "" is "StateMachine"
	Tasks     Tasks       // needed by a machine with tasks
	Callbacks Callbacks   // needed by a machine with tasks that wait for their token
	Observe   func(Event) // told of every event, in order; may be nil
	Pace      float64     // how many times as fast waits and retries pass, for people who watch; 0 is 1
	// Jitter gives numbers in [0, 1) that spread retries; nil: random.
	Jitter func() float64
}

// Tasks invokes functions.
type Tasks interface {
	// Invoke gives the function's answer, which is JSON. A *TaskError is an
	// error of the function or of Lambda, by the name that Retry and Catch
	// compare; any other error counts as Lambda.Unknown. The context ends with
	// the task's TimeoutSeconds and with the run's.
	Invoke(ctx context.Context, functionARN string, payload []byte) ([]byte, error)
}

// Callbacks waits for answers to task tokens.
type Callbacks interface {
	// Wait gives the output, which is JSON, that somebody answered the token
	// with, or the *TaskError, whether that happened before or happens now. Any
	// other error aborts the run.
	Wait(ctx context.Context, token string) ([]byte, error)
}

// Run drives an execution from its beginning to its end, and gives its output.
// A *Failure is an execution that failed; any other error, the context's among
// them, is a run that was aborted.
func (m *Machine) Run(ctx context.Context, e Execution, o Options) ([]byte, error) {
	r := &run{m: m, name: e.Name, Options: o, cursor: &cursor{}}
	if err := r.check(); err != nil {
		return nil, err
	}
	input, valid := parse(e.Input)
	if !valid {
		return nil, fmt.Errorf("execution %s: its input is not JSON", e.Name)
	}
	if err := limit(input, "the input"); err != nil {
		return nil, fmt.Errorf("execution %s: %w", e.Name, err)
	}
	for next := (&Event{Kind: ExecutionStarted, Input: input}); ; {
		r.happens(next)
		if r.ended != nil {
			break
		}
		var err error
		if next, err = r.next(ctx); err != nil {
			return nil, fmt.Errorf("execution %s: %w", e.Name, err)
		}
	}
	if r.ended.Kind == ExecutionFailed {
		return nil, &Failure{r.ended.Error, r.ended.Cause}
	}
	return bytes.Clone(r.ended.Output), nil
}

type run struct {
	Options
	*cursor
	m    *Machine
	name string
}

func (r *run) check() error {
	switch n := utf8.RuneCountInString(r.name); {
	case n < 1 || n > 80:
		return errors.New("the name of an execution has 1 to 80 characters")
	case r.m.hasTasks && r.Tasks == nil:
		return errors.New("the state machine has tasks, and nothing to invoke them with was given")
	case r.m.hasToken && r.Callbacks == nil:
		return errors.New("the state machine waits for tokens, and nothing to wait with was given")
	}
	if r.Machine == "" {
		r.Machine = "StateMachine"
	}
	if r.Pace <= 0 {
		r.Pace = 1
	}
	if r.Jitter == nil {
		r.Jitter = rand.Float64
	}
	return nil
}

// happens lets an event count.
func (r *run) happens(e *Event) {
	e.N, e.At = r.n+1, time.Now().UTC().Round(0)
	r.apply(e)
	if r.Observe != nil {
		seen := *e
		seen.token = ""
		r.Observe(seen)
	}
}

// next finds the event that follows, and does what it takes to know it.
func (r *run) next(ctx context.Context) (*Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r.state == "" {
		return &Event{Kind: StateEntered, State: r.m.startAt, Input: r.started.Input}, nil
	}
	within := ctx
	if r.m.timeout > 0 {
		var cancel context.CancelFunc
		within, cancel = context.WithDeadline(ctx, r.started.At.Add(r.m.timeout))
		defer cancel()
	}
	s := r.m.states[r.state]
	e, err := (*Event)(nil), within.Err()
	if err == nil {
		e, err = r.step(within, s)
	}
	var failed *TaskError
	switch {
	case errors.As(err, &failed):
		return r.handle(s, failed), nil
	case err != nil && ctx.Err() == nil && within.Err() != nil:
		return &Event{Kind: ExecutionFailed, State: s.name, Error: Timeout, Cause: "the execution took longer than the state machine's TimeoutSeconds"}, nil
	}
	return e, err
}

// handle does as Retry and Catch say about an error in a state.
func (r *run) handle(s *state, failed *TaskError) *Event {
	if s.task != nil {
		for i, retry := range s.task.retry {
			if !retry.match(failed.Name) {
				continue
			}
			if n := r.retries[i]; n < retry.most {
				until := time.Now().UTC().Add(r.paced(retry.delay(n+1, r.Jitter)))
				return &Event{Kind: RetryScheduled, State: s.name, Error: failed.Name, Cause: failed.Cause, Until: until, retrier: i}
			}
			break
		}
		for _, c := range s.task.catch {
			if !c.match(failed.Name) {
				continue
			}
			out, err := c.output(r.input, failed)
			if err == nil {
				err = limit(out, "the output")
			}
			if err == nil {
				return &Event{Kind: StateEntered, State: c.next, Input: out, Error: failed.Name, Cause: failed.Cause}
			}
			failed = err.(*TaskError)
			break
		}
	}
	return &Event{Kind: ExecutionFailed, State: s.name, Error: failed.Name, Cause: failed.Cause}
}

func (r *run) paced(d time.Duration) time.Duration { return time.Duration(float64(d) / r.Pace) }

// sleep waits until a time, or for the end of the context.
func sleep(ctx context.Context, until time.Time) error {
	left := time.Until(until)
	if left <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(left)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
