package stepfunctions

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// step walks through a state as far as its next event.
func (r *run) step(ctx context.Context, s *state) (*Event, error) {
	in := &scope{data: r.input, context: r.contextObject()}
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

// task goes one event further with a task: its token, its invocation, its
// answer, or what follows from that.
func (r *run) task(ctx context.Context, s *state, in *scope) (*Event, error) {
	if err := sleep(ctx, r.until); err != nil {
		return nil, err
	}
	switch {
	case r.answer != nil && r.answer.Kind == TaskErred:
		return nil, &TaskError{r.answer.Error, r.answer.Cause}
	case r.answer != nil:
		return r.answered(s, in)
	case s.task.waits && r.token == "":
		return &Event{Kind: TaskScheduled, State: s.name, token: rand.Text()}, nil
	}
	timeout, heartbeat, err := s.task.periods(in)
	if err != nil {
		return nil, err
	}
	if !s.task.waits {
		return r.invoke(ctx, s, in, time.Now(), timeout)
	}
	if !r.submitted {
		return r.invoke(ctx, s, in, r.scheduled, timeout)
	}
	return r.await(ctx, s, timeout, heartbeat)
}

func (t *task) periods(in *scope) (timeout, heartbeat time.Duration, err error) {
	timeout, heartbeat = t.timeout, t.heartbeat
	if t.timeoutPath != nil {
		if timeout, err = in.seconds(t.timeoutPath, "TimeoutSecondsPath", 1); err != nil {
			return 0, 0, err
		}
	}
	if t.heartbeatPath != nil {
		heartbeat, err = in.seconds(t.heartbeatPath, "HeartbeatSecondsPath", 1)
	}
	return timeout, heartbeat, err
}

func (r *run) invoke(ctx context.Context, s *state, in *scope, since time.Time, timeout time.Duration) (*Event, error) {
	payload, err := s.io.given(in)
	if err != nil {
		return nil, err
	}
	function := s.task.function
	if function == "" {
		name, _ := field(payload, "FunctionName")
		inner, _ := field(payload, "Payload")
		if kind(name.value) != isString {
			return nil, &TaskError{Runtime, "FunctionName is no string"}
		}
		function, payload = unquote(name.value), inner.value
	}
	if err := limit(payload, "the task's payload"); err != nil {
		return nil, err
	}
	within, cancel := limited(ctx, since, timeout)
	defer cancel()
	out, err := r.Tasks.Invoke(within, function, payload)
	if ctx.Err() != nil && err != nil {
		return nil, ctx.Err() // it says nothing about the task, which is invoked again
	}
	if within.Err() != nil && ctx.Err() == nil {
		return erred(s, &TaskError{Timeout, "the task took longer than TimeoutSeconds"}), nil
	}
	if err == nil && s.task.waits {
		return &Event{Kind: TaskSubmitted, State: s.name}, nil
	}
	var failed *TaskError
	if err != nil && !errors.As(err, &failed) {
		err = &TaskError{LambdaUnknown, err.Error()}
	}
	return answer(s, out, err)
}

// await waits for the answer to the token.
func (r *run) await(ctx context.Context, s *state, timeout, heartbeat time.Duration) (*Event, error) {
	late := &TaskError{Timeout, "nobody answered the task's token within TimeoutSeconds"}
	if heartbeat > 0 && (timeout == 0 || heartbeat < timeout) {
		timeout, late = heartbeat, &TaskError{HeartbeatTimeout, "no heartbeat came within HeartbeatSeconds"}
	}
	within, cancel := limited(ctx, r.scheduled, timeout)
	defer cancel()
	err := within.Err()
	var out []byte
	if err == nil {
		out, err = r.Callbacks.Wait(within, r.token)
	}
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil && within.Err() != nil {
		return erred(s, late), nil
	}
	return answer(s, out, err)
}

func limited(ctx context.Context, since time.Time, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, since.Add(timeout))
}

// answer is the event of a task's answer. An error that is not the task's
// ends the run, not the task.
func answer(s *state, out []byte, err error) (*Event, error) {
	var failed *TaskError
	switch {
	case errors.As(err, &failed):
		return erred(s, failed), nil
	case err != nil:
		return nil, err
	case len(out) == 0:
		out = null
	}
	v, ok := parse(out)
	if !ok {
		return erred(s, &TaskError{LambdaUnknown, "the answer is not JSON"}), nil
	}
	if errors.As(limit(v, "the task's answer"), &failed) {
		return erred(s, failed), nil
	}
	return &Event{Kind: TaskAnswered, State: s.name, Output: v}, nil
}

func erred(s *state, e *TaskError) *Event {
	return &Event{Kind: TaskErred, State: s.name, Error: e.Name, Cause: e.Cause}
}

// answered goes on with a task's answer.
func (r *run) answered(s *state, in *scope) (*Event, error) {
	result := value(r.answer.Output)
	if s.task.function == "" && !s.task.waits {
		wrapped := append(value(`{"ExecutedVersion":"$LATEST","Payload":`), result...)
		result = append(wrapped, `,"SdkHttpMetadata":{"HttpStatusCode":200},"StatusCode":200}`...)
	}
	if s.io.selector != nil {
		var err error
		if result, err = s.io.selector(&scope{data: result, context: in.context}); err != nil {
			return nil, err
		}
	}
	return r.leave(s, in, result)
}

// contextObject is what $$ is.
func (r *run) contextObject() value {
	const arn = "arn:aws:states:local:000000000000:"
	object := func(members ...any) value {
		out := emptyObject
		for i := 0; i < len(members); i += 2 {
			v, raw := members[i+1].(value)
			if !raw {
				v, _ = json.Marshal(members[i+1])
			}
			out = withMember(out, members[i].(string), v)
		}
		return out
	}
	stamp := func(t time.Time) string { return t.Format("2006-01-02T15:04:05.000Z") }
	all := object(
		"Execution", object("Id", arn+"execution:"+r.Machine+":"+r.name, "Input", value(r.started.Input), "Name", r.name, "StartTime", stamp(r.started.At)),
		"State", object("EnteredTime", stamp(r.entered), "Name", r.state, "RetryCount", r.retried()),
		"StateMachine", object("Id", arn+"stateMachine:"+r.Machine, "Name", r.Machine))
	if r.token != "" {
		all = withMember(all, "Task", object("Token", r.token))
	}
	return all
}
