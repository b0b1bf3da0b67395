package orchestrator_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/event"
	"muster/recovery"
	"muster/stepfunctions"
)

// A run is one course of a story, from its first delivery to its last. One of
// the deliveries may be disturbed.
type run struct {
	t       *testing.T
	h       *house
	at      point
	past    []delivery
	decided int                                    // decisions that were delivered
	asked   []string                               // operations that mean the same however late they come
	load    func() (*stepfunctions.Machine, error) // the state machine that drives; nil: the deployed one

	mu        sync.Mutex
	completed map[string]bool // tokens of tasks that were told to go on
	runs      map[string]*machineRun
	dies      func() // the run of the state machine that drives
	broken    int    // invocations that are yet to fail before they begin

	// What is left behind, as it can be compared with another run's.
	names  names
	record any
	log    []string
}

// A delivery is something that is asked of Muster: an event, a decision, a
// clean-up. It is asked for again until somebody answers.
type delivery struct {
	name    string
	calls   []call
	answers []answered // of every invocation that gave one
}

// answered is an answer, and how far ahead the clock was of who gave it.
type answered struct {
	text string
	skew time.Duration
}

// kind tells deliveries apart by all that they do to the world outside,
// whichever servers they do it to.
func (d delivery) kind() string {
	names := make([]string, len(d.calls))
	for i, c := range d.calls {
		names[i] = c.what()
	}
	slices.Sort(names) // of a fan-out
	return d.name + ": " + strings.Join(names, ", ")
}

// A point is where a run is disturbed: at a call of its nth delivery. The zero
// point is none.
type point struct {
	delivery int // from 1
	stop     call
	how      disturbance
	again    int // how often it is delivered again, all at once
}

func (p point) String() string {
	return fmt.Sprintf("%s %s, delivered again %d×", p.how, p.stop, p.again)
}

// ask is one invocation's work, in a process whose clock is ahead by some time.
type ask func(p *process, skew time.Duration) ([]byte, error)

// deliver asks for something, and gives the last answer.
func (r *run) deliver(name string, do ask) []byte {
	r.t.Helper()
	if r.at.delivery == len(r.past)+1 {
		return r.disturb(name, do)
	}
	p := newProcess()
	answer, err := do(p, 0)
	if err != nil {
		r.t.Fatalf("%s: %v", name, err)
	}
	r.past = append(r.past, delivery{name, p.calls, []answered{{text: string(answer)}}})
	return answer
}

// disturb asks for something in a process that is disturbed, and then again.
func (r *run) disturb(name string, do ask) []byte {
	r.t.Helper()
	d := delivery{name: name}
	first := newProcess()
	first.stop, first.how = r.at.stop, r.at.how
	var wait sync.WaitGroup
	r.t.Cleanup(wait.Wait)
	r.t.Cleanup(func() { close(first.buried) })
	over := make(chan struct{})
	var firstAnswer []byte
	var firstErr error
	wait.Go(func() {
		defer close(over)
		firstAnswer, firstErr = do(first, 0)
	})
	select {
	case <-first.died:
	case <-over: // it lived to see the end
		if firstErr == nil {
			d.answers = append(d.answers, answered{text: string(firstAnswer)})
		}
	}
	if !first.reached(r.at.stop) || first.killed() == (r.at.how == answerLost) {
		r.t.Errorf("it was not %s %s: the run differs from the undisturbed one already", r.at.how, r.at.stop)
	}
	first.kill()
	r.checkHold()

	// Those who get it next have clocks two minutes apart, so that one takes over
	// while the other still waits; or the same clock, so that both try at once.
	apart := recovery.ClockSkew
	if r.at.how == killedAfter {
		apart = 0
	}
	began := time.Now()
	answers, errs := make([][]byte, r.at.again), make([]error, r.at.again)
	var again sync.WaitGroup
	for i := range answers {
		again.Go(func() { answers[i], errs[i] = do(newProcess(), time.Duration(i)*apart) })
	}
	again.Wait()
	for i := range answers {
		if errs[i] != nil {
			r.t.Fatalf("delivery %d: %v", i+1, errs[i])
		}
		d.answers = append(d.answers, answered{string(answers[i]), time.Duration(i) * apart})
	}
	r.past = append(r.past, d)
	if took, most := time.Since(began), mostCost(first, name); took > most {
		r.t.Errorf("the next invocation took %s, more than %s", took, most)
	}
	return answers[len(answers)-1]
}

// mostCost is what a killed invocation may cost the next one: the lease where
// a wave was claimed and nothing sent, the call's deadline and the grace where
// something may have been. The next one's own work comes on top.
func mostCost(p *process, name string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	own := time.Minute
	if name == cleanUp {
		own = 3 * time.Minute // terminations take one
	}
	switch {
	case p.count["store SENT"] > 0:
		return recovery.SendTimeout + recovery.Grace + own
	case p.count["store CLAIMED"] > 0:
		return recovery.Lease + own
	}
	return own
}

// handler is the function in a process, as all its aliases together reach it.
func (r *run) handler(p *process, skew time.Duration) event.Handler {
	o := r.h.invocation(p, skew)
	w := workflow{p, r}
	return event.Handler{Starter: o, Operator: o, Records: o.Executions, Workflow: w, Runs: w, Now: o.Now}
}

// invoke delivers an event.
func (r *run) invoke(action, payload string) []byte {
	r.t.Helper()
	return r.deliver(action, func(p *process, skew time.Duration) ([]byte, error) {
		return r.handler(p, skew).Invoke(r.t.Context(), []byte(payload))
	})
}
