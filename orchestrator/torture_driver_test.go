package orchestrator_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"muster/driver"
	"muster/event"
	"muster/recovery"
	"muster/stepfunctions"
)

// drive drives the execution to its end, unless another driver takes it over.
// Each driver is the deployed state machine or the loop, as the seed has it;
// where one dies, the next goes on from the record.
func (st *stage) drive() {
	st.mu.Lock()
	st.driver++
	me := st.driver
	st.mu.Unlock()
	input := st.s.state()
	for try := 1; me == 1 && st.draw("begun by an operation")%3 == 0 && try <= 3; try++ {
		if _, err := st.operate(fmt.Sprintf("begin %d", try), st.begins("exec-1", st.s.kind, "ops@example.com")); err == nil {
			st.met("begun by an operation")
			break
		}
	}
	st.mu.Lock()
	if st.input != nil {
		input = st.input
	}
	st.mu.Unlock()
	invoked := 0
	for try := 1; try <= 100; try++ {
		run, err := st.nextRun(fmt.Sprintf("driver %d, try %d", me, try), me > 1 || try > 1)
		if err != nil {
			st.problem("the next run: %v", err)
			return
		}
		ctx, die := context.WithCancelCause(st.ctx)
		st.runs(run, true)
		d := &drives{st: st, life: ctx, number: me, invoked: invoked, pause: time.Second, die: die}
		outcome := "" // as a state machine ends with it
		if st.draw("driver", me, try)%2 == 0 {
			st.met("driven by the state machine")
			_, err = st.machine.Run(ctx, stepfunctions.Execution{Name: run, Input: input}, stepfunctions.Options{
				Tasks: d, Callbacks: st, Jitter: func() float64 { return st.fraction("jitter", me, try, d.invoked) },
			})
		} else {
			st.met("driven by the loop")
			loop := driver.Driver{Invoke: func(ctx context.Context, payload []byte) ([]byte, error) { return d.Invoke(ctx, "", payload) },
				Patient: true, Beat: d.beat, Every: driverBeat, Look: 20 * time.Minute}
			if err = loop.Drive(ctx, input); err == nil {
				outcome = st.outcome(ctx)
			}
		}
		st.runs(run, false)
		dead := context.Cause(ctx) != nil
		die(nil)
		invoked = d.invoked
		var failed *stepfunctions.Failure
		var refused *driver.Refused
		switch {
		case err == nil:
			st.ended(outcome)
			return
		case errors.As(err, &failed):
			st.ended(failed.Name)
			return
		case errors.As(err, &refused):
			st.ended(refused.Code)
			return
		case st.ctx.Err() != nil:
			st.problem("the execution comes to no end")
			return
		case !dead && !errors.As(err, new(*driver.Replaced)):
			st.problem("driver %d ends with %v", me, err)
			return
		}
		st.trace("driver %d: %v", me, err)
		if !st.newest(me) {
			return
		}
		time.Sleep(d.pause)
	}
	st.problem("the execution's drivers come to nothing")
}

var errKilled = errors.New("the driver was killed")

// nextRun names the run that a driver is: as people have it who resume, the
// next one where there was a driver before.
func (st *stage) nextRun(name string, later bool) (string, error) {
	e, err := st.store.Execution(st.ctx, "exec-1")
	if err == nil && later && e.Version > 0 && e.Ended == nil {
		if st.draw(name, "is resumed")%3 != 0 && st.resumes(name, e) {
			e, err = st.store.Execution(st.ctx, "exec-1")
		} else {
			e, err = st.actor(name).orchestrator().NextRun(st.ctx, "exec-1", e.NewestRun(), recovery.Request{By: "<" + name + ">"})
		}
		if refused, is := errors.AsType[*recovery.Error](err); is && refused.Code == recovery.WrongState {
			e, err = st.store.Execution(st.ctx, "exec-1") // it is over by now
		}
	}
	if err != nil {
		return "", err
	}
	return e.RunName(), nil
}

// resumes has somebody resume an execution, perhaps after the function was told
// that its run ended, and says whether that was done. They lift no pause.
func (st *stage) resumes(name string, e *recovery.Execution) bool {
	if running, _, _ := st.Running(st.ctx, e.RunName()); !running && st.draw(name, "is told of")%2 == 0 {
		_, err := st.operate(name+", told of", map[string]any{"operation": "execution_interrupted", "name": e.RunName(), "status": "ABORTED"})
		st.met(fmt.Sprintf("told of a run that ended: %v", err == nil))
	}
	e, err := st.store.Execution(st.ctx, "exec-1")
	if err != nil {
		return false
	}
	by := name + ", resumed"
	op := map[string]any{"operation": "resume", "executionId": "exec-1", "by": "<" + by + ">", "confirm": st.s.plan.ID}
	named := []recovery.QuestionID{}
	if q, is := e.Interruption(); is {
		named = append(named, q.ID)
		st.mu.Lock()
		st.words["<"+by+">"] = mishap{kind: decided, question: q.ID, choice: recovery.Resume}
		st.mu.Unlock()
	}
	op["questions"] = named
	if st.draw(name, "takes over")%2 == 0 {
		op["takeOver"] = true
	}
	answer, err := st.operate(by, op)
	st.met(fmt.Sprintf("resumed by an operation, take over %v: %v", op["takeOver"] != nil, err == nil))
	return err == nil && bytes.Contains(answer, []byte(`"started":true`)) // else a run drives, and was only woken
}

// runs notes that a run of the execution goes on, or does not any more.
func (st *stage) runs(name string, running bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.running[name] = running
}

// Start implements event.Runs: the drivers are there, and begin by themselves.
func (st *stage) Start(_ context.Context, name string, input []byte) (bool, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if strings.HasPrefix(name, "exec-1") {
		st.input = input
	}
	return true, nil
}

// Running implements event.Runs.
func (st *stage) Running(_ context.Context, name string) (running, known bool, err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	running, known = st.running[name]
	return running, known, nil
}

// handler is the function in an actor's process, as all its aliases together
// reach it.
func (st *stage) handler(a *actor) event.Handler {
	o := a.orchestrator()
	return event.Handler{Starter: o, Operator: o, Records: o.Executions, Workflow: st, Runs: st, Now: o.Now}
}

const driverBeat = 37 * time.Second

// outcome is how the execution ended, as a state machine tells it.
func (st *stage) outcome(ctx context.Context) string {
	e, err := st.store.Execution(ctx, "exec-1")
	switch {
	case err != nil || e.Ended == nil:
		st.problem("the loop ended, and the execution did not: %v", err)
	case e.Ended.Outcome != recovery.OutcomeCompleted && e.Ended.Outcome != recovery.OutcomePartial:
		return string(e.Ended.Outcome)
	}
	return ""
}

func (st *stage) newest(driver int) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return driver == st.driver
}

func (st *stage) ended(how string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.ends = append(st.ends, how)
}

// drives is one process that drives. It may be killed before or after any
// invocation.
type drives struct {
	st      *stage
	life    context.Context
	number  int
	invoked int           // invocations of the function
	pause   time.Duration // until another one comes
	die     context.CancelCauseFunc
	asking  atomic.Bool // people sit there
}

// beat is replaced where another driver took over.
func (d *drives) beat(context.Context) error {
	if d.st.newest(d.number) {
		return nil
	}
	return &driver.Replaced{By: "another"}
}

// Invoke implements stepfunctions.Tasks.
func (d *drives) Invoke(ctx context.Context, _ string, payload []byte) ([]byte, error) {
	d.invoked++
	time.Sleep(d.st.latency("driver", fmt.Sprint(d.number), -d.invoked, 0))
	m := d.killed()
	if m != nil && !m.after {
		d.die(errKilled)
		return nil, ctx.Err()
	}
	answer, err := d.st.invoke(payload)
	if m != nil {
		d.die(errKilled)
		return nil, ctx.Err()
	}
	if bytes.Contains(payload, []byte(`"looks":true`)) && d.asking.CompareAndSwap(false, true) {
		d.st.goes(func() {
			defer d.asking.Store(false)
			_, _ = d.st.Wait(d.life, fmt.Sprintf("no token of driver %d", d.number)) // the loop sees for itself what they decided
		})
	}
	return answer, err
}

// killed is what kills the process around this invocation; nil: nothing.
func (d *drives) killed() *mishap {
	for i, m := range d.st.s.mishaps {
		if m.kind == driverDies && m.nth == d.invoked && d.st.first("driver killed", i) {
			d.st.struck(m)
			d.pause = m.lasts
			return &m
		}
	}
	return nil
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
	type result struct {
		answer []byte
		err    error
	}
	over := make(chan result, 1)
	ctx, cancel := context.WithTimeout(st.ctx, st.s.lambda)
	st.goes(func() {
		defer cancel()
		answer, err := st.handler(a).Invoke(ctx, payload)
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
