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
	decided int // decisions that were delivered
	made    []recovery.Decision
	load    func() (*stepfunctions.Machine, error) // the state machine that drives; nil: the deployed one

	mu        sync.Mutex
	completed map[string]bool // tokens of tasks that were told to go on
	broken    int             // invocations that are yet to fail before they begin

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

// invoke delivers an event.
func (r *run) invoke(action, payload string) []byte {
	r.t.Helper()
	return r.deliver(action, func(p *process, skew time.Duration) ([]byte, error) {
		o := r.h.invocation(p, skew)
		return event.Handler{Starter: o, Workflow: workflow{p, r}, Now: o.Now}.Invoke(r.t.Context(), []byte(payload))
	})
}

// workflow is the state machine as a process reaches it.
type workflow struct {
	process *process
	run     *run
}

const decidedAnswer = "decided"

// decide delivers somebody's decision. However often it comes, everybody is
// told the same, and it is recorded once.
func (r *run) decide(q recovery.QuestionID, choice recovery.Choice) {
	r.t.Helper()
	d := recovery.Decision{Question: q, Choice: choice, Request: recovery.Request{By: "ops", At: time.Now()}}
	r.late()
	r.made = append(r.made, d)
	r.decided++
	r.deliver("decide "+string(choice), func(p *process, skew time.Duration) ([]byte, error) {
		return []byte(decidedAnswer), r.h.invocation(p, skew).Decide(r.t.Context(), r.h.wave.Execution, d)
	})
	if got := r.decisions(); got != r.decided {
		r.t.Errorf("%d decisions were made, and %d are recorded", r.decided, got)
	}
}

// late delivers every earlier decision once more: none of them means anything
// that was asked since.
func (r *run) late() {
	r.t.Helper()
	id := r.h.wave.Execution
	before, err := r.h.store.Execution(r.t.Context(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, d := range r.made {
		if err := r.h.invocation(newProcess(), 0).Decide(r.t.Context(), id, d); err != nil {
			r.t.Errorf("%s of %s, delivered again: %v", d.Choice, d.Question, err)
		}
	}
	if after, err := r.h.store.Execution(r.t.Context(), id); err != nil || after.Version != before.Version {
		r.t.Errorf("decisions that were delivered again changed the record: %v", err)
	}
}

// decisions counts those that are in the record.
func (r *run) decisions() int {
	return len(r.h.eventsOf(recovery.EventDecided)) + len(r.h.eventsOf(recovery.EventCancelled))
}

// pause delivers somebody's wish for a pause.
func (r *run) pause() {
	r.t.Helper()
	asked := recovery.Request{By: "ops", At: time.Now()}
	r.deliver("pause", func(p *process, skew time.Duration) ([]byte, error) {
		_, err := r.h.invocation(p, skew).Pause(r.t.Context(), r.h.wave.Execution, asked)
		return []byte("paused"), err
	})
}
