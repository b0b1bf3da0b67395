package stepfunctions_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/stepfunctions"
)

const fn = "arn:aws:lambda:us-east-1:123456789012:function:f"

// world is all that a machine sees: functions that a test writes, and people
// who answer tokens.
type world struct {
	mu      sync.Mutex
	calls   []string // function's name and payload
	invoke  func(ctx context.Context, n int, payload string) (string, error)
	answers map[string]func(context.Context) (string, error) // by token; "" is any
	events  []stepfunctions.Event
}

func (w *world) Invoke(ctx context.Context, arn string, payload []byte) ([]byte, error) {
	w.mu.Lock()
	w.calls = append(w.calls, arn[strings.LastIndexByte(arn, ':')+1:]+" "+string(payload))
	n := len(w.calls)
	w.mu.Unlock()
	if w.invoke == nil {
		return payload, nil
	}
	out, err := w.invoke(ctx, n, string(payload))
	return []byte(out), err
}

func (w *world) Wait(ctx context.Context, token string) ([]byte, error) {
	answer := w.answers[token]
	if answer == nil {
		answer = w.answers[""]
	}
	if answer == nil {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	out, err := answer(ctx)
	return []byte(out), err
}

func (w *world) options() stepfunctions.Options {
	return stepfunctions.Options{Tasks: w, Callbacks: w, Observe: func(e stepfunctions.Event) {
		w.mu.Lock() // of two drivers of one execution
		defer w.mu.Unlock()
		w.events = append(w.events, e)
	}}
}

// run runs a definition's states from the one that is called A.
func (w *world) run(t *testing.T, states, input string) (string, error) {
	t.Helper()
	out, err := load(t, states).Run(t.Context(), stepfunctions.Execution{Name: "e", Input: []byte(input)}, w.options())
	return string(out), err
}

func load(t *testing.T, states string) *stepfunctions.Machine {
	t.Helper()
	m, err := stepfunctions.Load([]byte(`{"StartAt": "A", "States": {` + states + `}}`))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// outcome is an output, or the error's name and cause.
func outcome(out string, err error) string {
	var f *stepfunctions.Failure
	switch {
	case errors.As(err, &f):
		return f.Name + ": " + f.Cause
	case err != nil:
		return "not ended: " + err.Error()
	}
	return out
}

func taskError(name string) error { return &stepfunctions.TaskError{Name: name, Cause: "because"} }

func answer(s string) func(context.Context, int, string) (string, error) {
	return func(context.Context, int, string) (string, error) { return s, nil }
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// transcript is what happened, without times.
func transcript(events []stepfunctions.Event) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%s %s\n", e.Kind, e.State)
	}
	return b.String()
}
