package orchestrator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"muster/recovery"
)

// workflow is the state machine as a process reaches it.
type workflow struct {
	process *process
	run     *run
}

// machineRun is a run of the state machine.
type machineRun struct {
	input   []byte
	running bool
}

// Succeed tells a task that waits to go on.
func (w workflow) Succeed(_ context.Context, token string, _ []byte) error {
	return w.process.do("workflow succeed", func() error {
		w.run.mu.Lock()
		defer w.run.mu.Unlock()
		w.run.completed[token] = true
		return nil
	})
}

// Start implements event.Runs.
func (w workflow) Start(_ context.Context, name string, input []byte) (started bool, err error) {
	err = w.process.do("workflow start", func() error {
		w.run.mu.Lock()
		defer w.run.mu.Unlock()
		if started = w.run.runs[name] == nil; started {
			w.run.runs[name] = &machineRun{input, true}
		}
		return nil
	})
	return started, err
}

// Running implements event.Runs.
func (w workflow) Running(_ context.Context, name string) (running, known bool, err error) {
	err = w.process.do("workflow running", func() error {
		w.run.mu.Lock()
		defer w.run.mu.Unlock()
		m := w.run.runs[name]
		running, known = m != nil && m.running, m != nil
		return nil
	})
	return running, known, err
}

const operated = "done"

// operate delivers an operation, and gives the last answer to it. However often
// it comes, everybody is told that it is done, or of a resumption, that somebody
// drives by now.
func (r *run) operate(name, more string) []byte {
	r.t.Helper()
	r.late()
	return r.operateAs(name, name, more)
}

func (r *run) operateAs(delivery, name, more string) (last []byte) {
	r.t.Helper()
	payload := fmt.Sprintf(`{"operation":%q,%s}`, name, more)
	var mu sync.Mutex
	r.deliver(delivery, func(p *process, skew time.Duration) ([]byte, error) {
		answer, err := r.handler(p, skew).Invoke(r.t.Context(), []byte(payload))
		driven := name == "resume" && r.at.delivery > 0 && bytes.Contains(answer, []byte("drives execution"))
		if err == nil && !bytes.Contains(answer, []byte(`"statusCode":200`)) && !driven {
			err = fmt.Errorf("%s is answered %s", payload, answer)
		}
		if err != nil {
			return nil, err
		}
		mu.Lock()
		defer mu.Unlock()
		last = answer
		return []byte(operated), nil
	})
	return last
}

// forGood is operate for what means the same however late it comes once more.
func (r *run) forGood(name, more string) {
	r.t.Helper()
	r.operate(name, more)
	r.asked = append(r.asked, fmt.Sprintf(`{"operation":%q,%s}`, name, more))
}

// late delivers every earlier operation once more: none of them means anything
// that happened since.
func (r *run) late() {
	r.t.Helper()
	id := r.h.wave.Execution
	before, err := r.h.store.Execution(r.t.Context(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, payload := range r.asked {
		answer, err := r.handler(newProcess(), 0).Invoke(r.t.Context(), []byte(payload))
		if err != nil || !bytes.Contains(answer, []byte(`"statusCode":200`)) {
			r.t.Errorf("%s, delivered again: %s, %v", payload, answer, err)
		}
	}
	if after, err := r.h.store.Execution(r.t.Context(), id); err != nil || after.Version != before.Version {
		r.t.Errorf("operations that were delivered again changed the record: %v", err)
	}
}

// by says who asks, and about which execution.
func (r *run) by() string { return fmt.Sprintf(`"by":"ops","executionId":%q`, r.h.wave.Execution) }

// start has an execution of the plan begun, and gives what its run is to begin with.
func (r *run) start(p *recovery.Plan) []byte {
	r.t.Helper()
	p.Account = r.h.wave.Wave.Account
	plan, err := json.Marshal(p.Document())
	if err != nil {
		r.t.Fatal(err)
	}
	r.forGood("start_execution", fmt.Sprintf(`%s,"executionType":%q,"pollSeconds":60,"plan":%s`, r.by(), r.h.wave.Type, plan))
	return r.newest().input
}

// newest gives the run that the record says is the newest.
func (r *run) newest() *machineRun {
	r.t.Helper()
	e, err := r.h.store.Execution(r.t.Context(), r.h.wave.Execution)
	if err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.runs[e.RunName()]
	if m == nil || !m.running {
		r.t.Fatalf("run %s was not started", e.RunName())
	}
	return m
}

// decide delivers somebody's decision: what holds up the execution as a whole is
// answered by resume. It is recorded once.
func (r *run) decide(q recovery.QuestionID, choice recovery.Choice) {
	r.t.Helper()
	r.decided++
	if choice == recovery.Resume && q.OfExecution() {
		r.forGood("resume", fmt.Sprintf(`%s,"questions":[%q]`, r.by(), q))
	} else {
		r.forGood("decide", fmt.Sprintf(`%s,"question":%q,"choice":%q`, r.by(), q, choice))
	}
	r.wantDecisions()
}

// wantDecisions counts those that are in the record.
func (r *run) wantDecisions() {
	r.t.Helper()
	if got := len(r.h.eventsOf(recovery.EventDecided)) + len(r.h.eventsOf(recovery.EventCancelled)); got != r.decided {
		r.t.Errorf("%d decisions were made, and %d are recorded", r.decided, got)
	}
}

// pause delivers somebody's wish for a pause: once more, it would be another one.
func (r *run) pause() {
	r.t.Helper()
	r.operate("pause", r.by()+`,"reason":"the network is being mended"`)
}

// cancel delivers somebody's wish for the end.
func (r *run) cancel() {
	r.t.Helper()
	r.decided++
	r.forGood("cancel_execution", r.by())
	r.wantDecisions()
}

// cleanUp has the execution's instances terminated, until all are gone.
func (r *run) cleanUp() {
	r.t.Helper()
	for round := 0; !bytes.Contains(r.operateAs(cleanUp, "terminate_instances", r.by()), []byte(`"done":true`)); round++ {
		if round > 30 {
			r.t.Fatal("the clean-up comes to no end")
		}
		time.Sleep(15 * time.Second)
	}
}
