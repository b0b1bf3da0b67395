package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"muster/client"
	"muster/event"
	"muster/recovery"
)

// need is what a command needs of the Muster that it asks.
type need int

const (
	looks   need = iota // at a record that is there
	decides             // that, and to tell whoever waits for a decision
	keeps               // a record, which is made where there is none
	acts                // that, and AWS
	drives              // that, and what drives executions
)

// invoker is the Muster that a command asks: the one place where a function and
// this process differ. Close it.
type invoker struct {
	client.Client
	where  string                       // for people: "at function muster:read", "in /…/executions.db"
	every  time.Duration                // the longest time between two looks at what is followed
	caller func(context.Context) string // who asks, as AWS knows them; "": it does not say
	house  *house                       // of the handler in this process; nil: it is a function
	runs   *runs                        // that drive here; nil: executions are driven elsewhere
	end    context.CancelFunc           // of the runs
	teller
}

// invoker opens what the flags lead to.
func (m *Main) invoker(ctx context.Context, w *worldFlags, n need) (*invoker, error) {
	if w.function != "" {
		alias := event.Operate
		if n == looks {
			alias = event.Read
		}
		return w.openFunction(ctx, alias)
	}
	h, err := w.open(ctx, m, n)
	if err != nil {
		return nil, err
	}
	i := &invoker{where: "in " + h.where, every: lookStep, caller: func(context.Context) string { return "" }, house: h, teller: teller{news: make(chan struct{}, 1)}}
	if n == drives {
		life, end := context.WithCancel(ctx)
		i.end = end
		i.runs = &runs{house: h, machine: h.Machine, who: m.who(&runOptions{}, ""), observe: i.observe, pace: w.speed, life: life, under: map[string]bool{}, broke: i.fail}
		h.Machine, h.Waker = i.runs, nil
	}
	handler := h.Handler(i.observe)
	handler.Caller.Alias = event.Operate
	handler.Elsewhere = once(handler.Elsewhere)
	i.Invoke = handler.Invoke
	return i, nil
}

// once asks whether an execution lives elsewhere the first time alone: who
// follows it looks again and again, and AWS may have to be asked. Where AWS does
// not answer soon, it is left open.
func once(elsewhere func(context.Context, recovery.World) string) func(context.Context, recovery.World) string {
	var ask sync.Once
	var why string
	return func(ctx context.Context, w recovery.World) string {
		ask.Do(func() {
			ctx, cancel := context.WithTimeout(ctx, callerTime)
			defer cancel()
			why = elsewhere(ctx, w)
		})
		return why
	}
}

// Close ends what drives here, and lets go of files.
func (i *invoker) Close() error {
	if i.runs != nil {
		i.end()
		i.runs.running.Wait()
	}
	if i.house == nil {
		return nil
	}
	return i.house.Close()
}

// teller hands on what the handler in this process tells while it happens:
// first to nobody, and then, from the beginning, to whoever follows.
type teller struct {
	news chan struct{} // something happened; nil: nobody tells

	mu     sync.Mutex
	to     func(recovery.ExecutionID, recovery.Event)
	before []observed
	broken error // why what drove here stopped before the end
}

type observed struct {
	id recovery.ExecutionID
	ev recovery.Event
}

// observe implements wiring.Observer.
func (t *teller) observe(id recovery.ExecutionID, ev recovery.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.to == nil {
		t.before = append(t.before, observed{id, ev})
	} else {
		t.to(id, ev)
	}
	t.nudge()
}

// tell hands on what was told before, among what the record has of an
// execution, and from now on everything.
func (t *teller) tell(id recovery.ExecutionID, recorded []recovery.Event, to func(recovery.ExecutionID, recovery.Event)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, ev := range recorded {
		t.before = append(t.before, observed{id, ev})
	}
	slices.SortStableFunc(t.before, func(a, b observed) int { return a.ev.At.Compare(b.ev.At) })
	for _, o := range t.before {
		to(o.id, o.ev)
	}
	t.to, t.before = to, nil
}

func (t *teller) fail(_ string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.broken = err
	t.nudge()
}

func (t *teller) failed() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.broken
}

func (t *teller) nudge() {
	select {
	case t.news <- struct{}{}:
	default:
	}
}
