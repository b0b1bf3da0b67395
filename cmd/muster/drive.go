package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"muster/cmd/wiring"
	"muster/deploy"
	"muster/event"
	"muster/recovery"
	"muster/stepfunctions"
)

// driver runs one execution on this machine: the state machine that is
// deployed, and the handler that it invokes.
type driver struct {
	id      recovery.ExecutionID
	house   *house
	handler event.Handler
	desk    *desk
	pace    float64
}

// fastest bounds how much faster than in AWS the state machine waits: what a
// simulated job does in less than a twentieth of a second nobody looks at.
const fastest = 300

// errAwaiting ends a driver that is not to wait for people.
var errAwaiting = errors.New("a decision is awaited")

// drive runs the execution to its end, from where it stands. Input is nil for
// one that was begun before.
func (d *driver) drive(ctx context.Context, input []byte) error {
	machine, err := deployed()
	if err != nil {
		return err
	}
	n, fresh := 1, input != nil
	if !fresh {
		if n, input, err = d.latest(ctx); err != nil {
			return err
		}
	}
	for ; ; n, fresh = n+1, true {
		run := stepfunctions.Execution{Name: runName(d.id, n)}
		if fresh {
			run.Input = input
		}
		running, stop := context.WithCancelCause(ctx)
		_, err := machine.Run(running, run, options(d.house, tasks{d.handler, stop}, d.desk, d.pace))
		elsewhere, is := errors.AsType[*recovery.Error](context.Cause(running))
		stop(nil)
		if is {
			return asked(elsewhere)
		}
		e, readErr := d.house.Executions.Execution(context.WithoutCancel(ctx), d.id)
		switch {
		case readErr != nil:
			return errors.Join(err, readErr)
		case e.Ended != nil:
			return nil
		case err == nil || !fresh && startsAnew(err):
			continue // a run that is over, or cannot go on, and an execution that is not
		case e.Version == 0 && isFailure(err):
			return notBegun(err)
		}
		return err
	}
}

func isFailure(err error) bool {
	_, is := errors.AsType[*stepfunctions.Failure](err)
	return is
}

func startsAnew(err error) bool {
	return isFailure(err) || errors.Is(err, stepfunctions.ErrOtherDefinition)
}

// notBegun tells of a refusal that left nothing behind.
func notBegun(err error) error {
	f, _ := errors.AsType[*stepfunctions.Failure](err)
	return &failure{exitRefused, fmt.Errorf("%s: %s", f.Name, f.Cause), "nothing was begun"}
}

// runName names the n-th run of the state machine for an execution: the record
// goes on in it.
func runName(id recovery.ExecutionID, n int) string {
	if n == 1 {
		return string(id)
	}
	return fmt.Sprintf("%s-r%d", id, n)
}

// latest finds the newest run, and what the first began with.
func (d *driver) latest(ctx context.Context) (n int, input []byte, err error) {
	entries, err := d.house.store.Entries(ctx, string(d.id))
	if err != nil {
		return 0, nil, err
	}
	if len(entries) == 0 {
		return 0, nil, &failure{exitRefused, fmt.Errorf("execution %s was not driven from here: its record has no journal of a driver", d.id), ""}
	}
	var first struct {
		Input json.RawMessage `json:"input"`
	}
	if err := json.Unmarshal(entries[0], &first); err != nil {
		return 0, nil, fmt.Errorf("the journal of execution %s: %w", d.id, err)
	}
	for n = 1; ; n++ {
		entries, err := d.house.store.Entries(ctx, runName(d.id, n+1))
		if err != nil || len(entries) == 0 {
			return n, first.Input, err
		}
	}
}

// deployed is the state machine that is deployed, to be walked here.
func deployed() (*stepfunctions.Machine, error) {
	definition, err := deploy.Fill(deploy.StateMachine, map[string]string{deploy.Handler: "execution-handler"})
	if err != nil {
		return nil, err
	}
	return stepfunctions.Load(definition)
}

// options are what a run of it needs.
func options(h *house, tasks tasks, desk *desk, pace float64) stepfunctions.Options {
	return stepfunctions.Options{Machine: "muster", Tasks: tasks, Callbacks: desk, Journal: h.store, Pace: min(max(pace, 1), fastest)}
}

// tasks are done by the handler, in this process. Where the execution turns out
// to belong elsewhere (another record has taken it over, say), the run is
// stopped with that as the cause: nobody asks people about it here any more.
type tasks struct {
	handler event.Handler
	stop    context.CancelCauseFunc
}

// Invoke implements stepfunctions.Tasks.
func (t tasks) Invoke(ctx context.Context, _ string, payload []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, lambdaTimeout)
	defer cancel()
	answer, err := t.handler.Invoke(ctx, payload)
	if err != nil {
		return nil, &stepfunctions.TaskError{Name: wiring.FailureType(err), Cause: err.Error()}
	}
	if refusal := foreign(answer); refusal != nil {
		t.stop(refusal)
		return nil, refusal
	}
	return answer, nil
}

// foreign is the refusal to act on an execution that belongs elsewhere; nil
// where the answer is none.
func foreign(answer []byte) *recovery.Error {
	if !bytes.Contains(answer, []byte(recovery.WrongWorld)) {
		return nil
	}
	var refusal struct {
		Code      recovery.Code `json:"error"`
		Message   string        `json:"message"`
		Retryable bool          `json:"retryable"`
	}
	if json.Unmarshal(answer, &refusal) != nil || refusal.Code != recovery.WrongWorld || refusal.Retryable {
		return nil
	}
	return recovery.Errorf(refusal.Code, "%s", refusal.Message)
}

// lookStep is how often the record is looked at for somebody's decision.
const lookStep = time.Second

// questions are those of an execution that waits for nothing else.
func (h *house) questions(ctx context.Context, id recovery.ExecutionID) ([]recovery.Question, error) {
	e, err := h.Executions.Execution(ctx, id)
	if err != nil || e.Version == 0 {
		return nil, err
	}
	step := recovery.Next(e, time.Now())
	if step.Action != recovery.DoAwaitDecision {
		return nil, nil
	}
	return step.Decisions, nil
}
