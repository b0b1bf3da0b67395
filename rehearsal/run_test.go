//go:build rehearsal

package rehearsal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"muster/stepfunctions"
)

// Step Functions' own words for how a run stands.
const (
	statusRunning   = "RUNNING"
	statusSucceeded = "SUCCEEDED"
	statusFailed    = "FAILED"
	statusTimedOut  = "TIMED_OUT"
	statusAborted   = "ABORTED"
)

// run is one execution of the state machine. The machine's lock guards what
// changes.
type run struct {
	machine   *machine
	name, arn string
	input     []byte
	started   float64 // seconds since 1970
	trouble   trouble
	stop      context.CancelFunc

	status  string
	history []stepfunctions.Event
	failure string
}

// trouble is what befalls a run while its first job runs. The zero value is
// none.
type trouble struct {
	end    string // stopped by a person (ABORTED), or by its time-out (TIMED_OUT)
	answer []byte // in the place of what a look at the waves answers
}

// begin makes a run and lets it go. The machine is locked.
func (m *machine) begin(name string, input []byte) *run {
	ctx, stop := context.WithCancel(m.life)
	r := &run{machine: m, name: name, arn: fmt.Sprintf("arn:aws:states:%s:%s:execution:%s:%s", region, account, m.cloud.stack.Stack, name),
		input: input, started: float64(time.Now().Unix()), trouble: m.troubles[name], stop: stop, status: statusRunning}
	m.runs[name] = r
	m.running.Go(func() { r.walk(ctx) })
	return r
}

// walk drives the run to its end, and reports that.
func (r *run) walk(ctx context.Context) {
	_, err := r.machine.definition.Run(ctx, stepfunctions.Execution{Name: r.name, Input: r.input}, stepfunctions.Options{
		Tasks: r, Callbacks: r, Observe: r.observe, Pace: speed,
	})
	failure, failed := errors.AsType[*stepfunctions.Failure](err)
	switch {
	case failed:
		r.end(statusFailed, failure.Error())
	case err == nil:
		r.end(statusSucceeded, "")
	case ctx.Err() == nil:
		r.machine.t.Errorf("run %s: %v", r.name, err)
	}
}

// end records how the run ended, the first time, and tells EventBridge.
func (r *run) end(status, failure string) {
	m := r.machine
	m.mu.Lock()
	if r.status != statusRunning {
		m.mu.Unlock()
		return
	}
	r.status, r.failure = status, failure
	m.mu.Unlock()
	r.stop()
	m.cloud.bell.ring()
	m.running.Go(func() { m.cloud.statusChanged(r) })
}

func (r *run) observe(e stepfunctions.Event) {
	r.machine.mu.Lock()
	r.history = append(r.history, e)
	r.machine.mu.Unlock()
	if e.Kind == stepfunctions.StateEntered && e.State == "Wait" && r.trouble.end != "" {
		r.end(r.trouble.end, "")
	}
	r.machine.cloud.bell.ring()
}

// Invoke implements stepfunctions.Tasks: by Lambda's Invoke API, as whom the
// state machine's role allows it.
func (r *run) Invoke(ctx context.Context, arn string, payload []byte) ([]byte, error) {
	var asked struct{ Action, TaskToken string }
	if err := json.Unmarshal(payload, &asked); err != nil {
		return nil, err
	}
	if asked.TaskToken != "" {
		r.machine.mu.Lock()
		r.machine.tokens[asked.TaskToken] = make(chan []byte, 1)
		r.machine.mu.Unlock()
	}
	answer, failed, err := r.machine.cloud.lambda.invoke(ctx, stateMachine, arn, payload)
	if err != nil {
		return nil, err
	}
	if failed {
		var told struct{ ErrorType, ErrorMessage string }
		_ = json.Unmarshal(answer, &told)
		return nil, &stepfunctions.TaskError{Name: told.ErrorType, Cause: string(answer)}
	}
	if asked.Action == "poll_wave_status" && r.trouble.answer != nil {
		return r.trouble.answer, nil
	}
	return answer, nil
}

// Wait implements stepfunctions.Callbacks.
func (r *run) Wait(ctx context.Context, token string) ([]byte, error) {
	r.machine.mu.Lock()
	answer := r.machine.tokens[token]
	r.machine.mu.Unlock()
	select {
	case output := <-answer:
		return output, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
