package stepfunctions

import (
	"context"
	"crypto/rand"
	"errors"
	"time"
)

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
		return nil, ctx.Err() // it says nothing about the task
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
