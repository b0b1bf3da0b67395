package stepfunctions

import (
	"context"
	"fmt"
	"time"
)

// step walks through a state as far as its next event.
func (r *run) step(ctx context.Context, s *state) (*Event, error) {
	in := &scope{data: r.input, context: r.contextObject}
	if s.kind == "Fail" {
		return s.fail.event(s, in)
	}
	switch {
	case s.io.noInput:
		in.data = emptyObject
	case s.io.input != nil:
		v, err := in.need(s.io.input, "InputPath")
		if err != nil {
			return nil, err
		}
		in.data = v
	}
	switch s.kind {
	case "Task":
		return r.task(ctx, s, in)
	case "Choice":
		return r.choose(s, in)
	case "Wait":
		if err := r.wait(ctx, s, in); err != nil {
			return nil, err
		}
	case "Pass":
		result, err := s.io.given(in)
		if err != nil {
			return nil, err
		}
		if s.result != nil {
			result = s.result
		}
		return r.leave(s, in, result)
	}
	return r.exit(s, in, in.data, s.next)
}

// given is what a state's Parameters make of its input.
func (io filters) given(in *scope) (value, error) {
	if io.parameters == nil {
		return in.data, nil
	}
	return io.parameters(in)
}

// leave combines a state's result with what came in, and goes on.
func (r *run) leave(s *state, in *scope, result value) (*Event, error) {
	switch {
	case s.io.noResult:
		result = r.input
	case s.io.result != nil:
		var err error
		if result, err = s.io.result.into(r.input, result); err != nil {
			return nil, err
		}
	}
	return r.exit(s, in, result, s.next)
}

// exit enters the next state, or ends the execution where there is none.
func (r *run) exit(s *state, in *scope, out value, next string) (*Event, error) {
	switch {
	case s.io.noOutput:
		out = emptyObject
	case s.io.output != nil:
		var err error
		if out, err = (&scope{data: out, context: in.context}).need(s.io.output, "OutputPath"); err != nil {
			return nil, err
		}
	}
	if err := limit(out, "the output"); err != nil {
		return nil, err
	}
	if next == "" {
		return &Event{Kind: ExecutionSucceeded, State: s.name, Output: out}, nil
	}
	return &Event{Kind: StateEntered, State: next, Input: out}, nil
}

func (r *run) choose(s *state, in *scope) (*Event, error) {
	for _, c := range s.choices {
		is, err := c.test(in)
		if err != nil {
			return nil, err
		}
		if is {
			return r.exit(s, in, in.data, c.next)
		}
	}
	if s.orElse == "" {
		return nil, &TaskError{NoChoiceMatched, "no rule of the choice holds, and it has no Default"}
	}
	return r.exit(s, in, in.data, s.orElse)
}

func (r *run) wait(ctx context.Context, s *state, in *scope) error {
	d := s.wait.seconds
	at := s.wait.timestamp
	if p := s.wait.secondsPath; p != nil {
		seconds, err := in.seconds(p, "SecondsPath", 0)
		if err != nil {
			return err
		}
		d = seconds
	}
	if p := s.wait.timestampPath; p != nil {
		v, err := in.need(p, "TimestampPath")
		if err != nil {
			return err
		}
		var ok bool
		if at, ok = timestamp(v); !ok {
			return &TaskError{Runtime, fmt.Sprintf("what the TimestampPath %q leads to is no time", p.text)}
		}
	}
	if !at.IsZero() {
		d = at.Sub(r.entered)
	}
	return sleep(ctx, r.entered.Add(r.paced(d)))
}

func (in *scope) seconds(p *path, name string, least int) (time.Duration, error) {
	v, err := in.need(p, name)
	if err != nil {
		return 0, err
	}
	n, ok := whole(v, least, maxSeconds)
	if !ok {
		return 0, &TaskError{Runtime, fmt.Sprintf("what the %s %q leads to is no whole number from %d to %d", name, p.text, least, maxSeconds)}
	}
	return time.Duration(n) * time.Second, nil
}

func (f *fail) event(s *state, in *scope) (*Event, error) {
	e := &Event{Kind: ExecutionFailed, State: s.name, Error: f.name, Cause: f.cause}
	for _, from := range []struct {
		p    *path
		name string
		to   *string
	}{{f.namePath, "ErrorPath", &e.Error}, {f.causePath, "CausePath", &e.Cause}} {
		if from.p == nil {
			continue
		}
		v, err := in.need(from.p, from.name)
		if err != nil {
			return nil, err
		}
		if kind(v) != isString {
			return nil, &TaskError{Runtime, fmt.Sprintf("what the %s %q leads to is no string", from.name, from.p.text)}
		}
		*from.to = unquote(v)
	}
	return e, nil
}
