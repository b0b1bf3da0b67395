package main

import (
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
		_, err := machine.Run(ctx, run, options(d.house, d.handler, d.desk, d.pace))
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
func options(h *house, handler event.Handler, desk *desk, pace float64) stepfunctions.Options {
	return stepfunctions.Options{Machine: "muster", Tasks: tasks{handler}, Callbacks: desk, Journal: h.store, Pace: min(max(pace, 1), fastest)}
}

// tasks are done by the handler, in this process.
type tasks struct{ handler event.Handler }

// Invoke implements stepfunctions.Tasks.
func (t tasks) Invoke(ctx context.Context, _ string, payload []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, lambdaTimeout)
	defer cancel()
	answer, err := t.handler.Invoke(ctx, payload)
	if err != nil {
		return nil, &stepfunctions.TaskError{Name: wiring.FailureType(err), Cause: err.Error()}
	}
	return answer, nil
}

// simulation is what the state of an execution in a simulated AWS says about
// it, so that it is resumed as it was begun. Nobody but us looks at it.
type simulation struct {
	Speed float64 `json:"speed"`
}

const simulationKey = "simulation"

// speedOf is how much faster than in AWS an execution runs.
func (h *house) speedOf(ctx context.Context, id recovery.ExecutionID) float64 {
	entries, err := h.store.Entries(ctx, string(id))
	if err != nil || len(entries) == 0 {
		return 1
	}
	var first struct {
		Input struct {
			Simulation simulation `json:"simulation"`
		} `json:"input"`
	}
	if json.Unmarshal(entries[0], &first) != nil || first.Input.Simulation.Speed <= 0 {
		return 1
	}
	return first.Input.Simulation.Speed
}

// lookStep is how often the record is looked at for somebody's decision.
const lookStep = time.Second
