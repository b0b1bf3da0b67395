package orchestrator_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"muster/event"
	"muster/stepfunctions"
)

// drive drives the execution to its end, unless another driver takes it over.
func (st *stage) drive() {
	st.mu.Lock()
	st.driver++
	me := st.driver
	st.mu.Unlock()
	for try := 1; try <= 100; try++ {
		d := &driver{st: st, number: me}
		_, err := st.machine.Run(st.ctx, stepfunctions.Execution{Name: "exec-1", Input: st.s.state()}, stepfunctions.Options{
			Tasks: d, Callbacks: st, Journal: d,
			Jitter: func() float64 { return st.fraction("jitter", me, try, d.entries) },
		})
		var failed *stepfunctions.Failure
		switch {
		case err == nil:
			st.ended("")
			return
		case errors.As(err, &failed):
			st.ended(failed.Name)
			return
		case st.ctx.Err() != nil:
			st.problem("the execution comes to no end")
			return
		}
		st.trace("driver %d: %v", me, err)
		st.mu.Lock()
		newest := me == st.driver
		st.mu.Unlock()
		if !newest {
			return
		}
		time.Sleep(d.pause)
	}
	st.problem("the execution's drivers come to nothing")
}

func (st *stage) ended(how string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.ends = append(st.ends, how)
}

// A driver is one process that walks the state machine. It may be killed at
// any entry of its journal.
type driver struct {
	st      *stage
	number  int
	entries int           // of its journal
	invoked int           // invocations of the function
	pause   time.Duration // until another one comes
}

// Invoke implements stepfunctions.Tasks.
func (d *driver) Invoke(_ context.Context, _ string, payload []byte) ([]byte, error) {
	d.invoked++
	time.Sleep(d.st.latency("driver", fmt.Sprint(d.number), -d.invoked, 0))
	return d.st.invoke(payload)
}

// Entries implements stepfunctions.Journal.
func (d *driver) Entries(ctx context.Context, execution string) ([][]byte, error) {
	return d.st.journal.Entries(ctx, execution)
}

// Append implements stepfunctions.Journal.
func (d *driver) Append(ctx context.Context, execution string, n int, entry []byte) error {
	d.entries, d.pause = n, time.Second
	time.Sleep(d.st.latency("driver", fmt.Sprint(d.number), n, 0))
	for i, m := range d.st.s.mishaps {
		if m.kind != driverDies || m.nth != n || !d.st.first("driver killed", i) {
			continue
		}
		d.st.struck(m)
		d.pause = m.lasts
		if m.after {
			if err := d.st.journal.Append(ctx, execution, n, entry); err != nil {
				return err
			}
		}
		return errKilled
	}
	return d.st.journal.Append(ctx, execution, n, entry)
}

// first says whether something is asked for the first time.
func (st *stage) first(what string, i int) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	key := fmt.Sprintf("first %s %d", what, i)
	if st.said[key] != nil {
		return false
	}
	st.said[key] = errKilled
	return true
}

// invoke is an invocation of the function, in a process of its own.
func (st *stage) invoke(payload []byte) ([]byte, error) {
	st.mu.Lock()
	st.invocations++
	n := st.invocations
	st.mu.Unlock()
	if n > mostInvocations {
		if n == mostInvocations+1 {
			st.problem("the execution runs in circles: %d invocations, the last of them with %.300s", mostInvocations, payload)
		}
		st.giveUp()
	}
	for _, m := range st.s.mishaps {
		if m.kind != duplicate || m.nth != n {
			continue
		}
		st.struck(m)
		for i := range m.times {
			st.at(m.at+st.latency("duplicate", fmt.Sprint(n), i, 0), func() {
				st.deliver(fmt.Sprintf("invocation %d, again %d", n, i+1), payload)
			})
		}
	}
	return st.deliver(fmt.Sprintf("invocation %d", n), payload)
}

// deliver gives one event to the function.
func (st *stage) deliver(name string, payload []byte) ([]byte, error) {
	a := st.actor(name)
	o := a.orchestrator()
	type result struct {
		answer []byte
		err    error
	}
	over := make(chan result, 1)
	ctx, cancel := context.WithTimeout(st.ctx, st.s.lambda)
	st.goes(func() {
		defer cancel()
		answer, err := event.Handler{Starter: o, Workflow: st, Now: o.Now}.Invoke(ctx, payload)
		over <- result{answer, err}
	})
	timeout := time.NewTimer(st.s.lambda + time.Millisecond)
	defer timeout.Stop()
	select {
	case r := <-over:
		return st.answered(name, payload, r.answer, r.err)
	case <-a.dead:
	case <-timeout.C:
		a.dies(mishap{kind: "out of its time"})
	}
	return nil, &stepfunctions.TaskError{Name: stepfunctions.LambdaUnknown, Cause: "the process is gone"}
}

func (st *stage) answered(name string, payload, answer []byte, err error) ([]byte, error) {
	if err != nil {
		st.trace("%s fails: %v", name, err)
		st.noSecret(name+"'s error", err.Error(), payload)
		st.met("invocation failed")
		return nil, &stepfunctions.TaskError{Name: "Muster.NotRecorded", Cause: err.Error()}
	}
	st.trace("%s answers %s", name, answer)
	st.noSecret(name+"'s answer", strings.ReplaceAll(string(answer), `"externalId":"a-secret-word"`, ""), payload)
	st.mu.Lock()
	defer st.mu.Unlock()
	st.answers = append(st.answers, string(answer))
	return answer, nil
}

// Succeed implements event.Workflow.
func (st *stage) Succeed(_ context.Context, token string, _ []byte) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	done := st.task(token)
	select {
	case <-done:
	default:
		close(done)
	}
	return nil
}

// task gives the channel that is closed when the token's task is completed.
// The stage is locked.
func (st *stage) task(token string) chan struct{} {
	if st.tokens[token] == nil {
		st.tokens[token] = make(chan struct{})
		st.secrets = append(st.secrets, token)
	}
	return st.tokens[token]
}
