package stepfunctions

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Execution is one run of a state machine.
type Execution struct {
	Name  string
	Input []byte // JSON
}

// Options is what a run needs from the world.
type Options struct {
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
	data, valid := parse(e.Input)
	if !valid {
		return nil, fmt.Errorf("execution %s: its input is not JSON", e.Name)
	}
	if err := limit(data, "the input"); err != nil {
		return nil, fmt.Errorf("execution %s: %w", e.Name, err)
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	v := &visit{Options: o, execution: e.Name}
	v.happens(ExecutionStarted, string(data))
	for next := m.startAt; next != ""; {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("execution %s: %w", e.Name, err)
		}
		v.state = next
		v.happens(StateEntered, string(data))
		var err error
		data, next, err = m.states[v.state].walk(ctx, v, data)
		if err == nil {
			err = limit(data, "the output")
		}
		if err != nil {
			return nil, v.failed(err)
		}
	}
	v.happens(ExecutionSucceeded, string(data))
	return bytes.Clone(data), nil
}

// failed is the end of an execution by an error that nothing caught, which is
// a *Failure unless the run was aborted.
func (v *visit) failed(err error) error {
	failure, is := errors.AsType[*Failure](err)
	if erred, was := errors.AsType[*TaskError](err); was {
		failure, is = &Failure{erred.Name, erred.Cause}, true
	}
	if !is {
		return fmt.Errorf("execution %s: %w", v.execution, err)
	}
	v.happens(ExecutionFailed, failure.Error())
	return failure
}

// A visit is the state that an execution is in.
type visit struct {
	Options
	execution string
	state     string
	token     string // of the task, where it waits for it
}

func (v *visit) happens(kind Kind, data string) {
	if v.Observe != nil {
		v.Observe(Event{kind, v.state, data})
	}
}

// contextObject is what $$ is, as far as the definitions ask for it.
func (v *visit) contextObject() value {
	var c struct {
		Execution struct{ Name string }
		Task      struct {
			Token string `json:",omitempty"`
		}
	}
	c.Execution.Name, c.Task.Token = v.execution, v.token
	out, _ := json.Marshal(c) // strings can always be encoded
	return out
}

// sleep waits at the pace of the run, or for the end of the context.
func (v *visit) sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(time.Duration(float64(d) / cmp.Or(v.Pace, 1)))
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
