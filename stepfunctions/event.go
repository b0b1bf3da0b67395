package stepfunctions

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// An Event is one transition of an execution. It was kept in the journal
// before anything followed from it.
type Event struct {
	N          int       `json:"-"` // from 1, without gaps
	At         time.Time `json:"at"`
	Kind       Kind      `json:"kind"`
	State      string    `json:"state,omitempty"`
	Input      []byte    `json:"-"`               // of the execution, or of the state that was entered
	Output     []byte    `json:"-"`               // of the task, or of the execution that ended
	Error      string    `json:"error,omitempty"` // a name, such as States.Timeout
	Cause      string    `json:"cause,omitempty"`
	Until      time.Time `json:"until,omitzero"` // a task is invoked again then
	Definition string    `json:"definition,omitempty"`
	retrier    int
	token      string // may answer the task: it is for the journal only
}

// Kind says what an event is about.
type Kind string

// The kinds, in about the words of AWS's own histories.
const (
	ExecutionStarted   Kind = "ExecutionStarted"
	ExecutionResumed   Kind = "ExecutionResumed" // by another driver, or after one was killed
	StateEntered       Kind = "StateEntered"
	TaskScheduled      Kind = "TaskScheduled" // its token is kept, and it is about to be invoked
	TaskSubmitted      Kind = "TaskSubmitted" // it was invoked, and now its token is waited for
	TaskAnswered       Kind = "TaskAnswered"
	TaskErred          Kind = "TaskErred"
	RetryScheduled     Kind = "RetryScheduled"
	ExecutionSucceeded Kind = "ExecutionSucceeded"
	ExecutionFailed    Kind = "ExecutionFailed"
)

// secret is what the journal keeps and no observer sees.
type secret struct {
	Retrier int    `json:"retrier,omitempty"`
	Token   string `json:"token,omitempty"`
}

// entry writes an event for the journal. Inputs and outputs go in byte for
// byte, which package json would not do.
func (e *Event) entry() []byte {
	head, _ := json.Marshal(struct {
		*Event
		secret
	}{e, secret{e.retrier, e.token}})
	out := value(head)
	if e.Input != nil {
		out = withMember(out, "input", e.Input)
	}
	if e.Output != nil {
		out = withMember(out, "output", e.Output)
	}
	return out
}

func readEntry(n int, entry []byte) (*Event, error) {
	var e struct {
		Event
		secret
		Input  value `json:"input"`
		Output value `json:"output"`
	}
	if err := json.Unmarshal(entry, &e); err != nil {
		return nil, fmt.Errorf("entry %d of the journal cannot be read: %w", n, err)
	}
	e.Event.N, e.Event.Input, e.Event.Output, e.Event.retrier, e.Event.token = n, e.Input, e.Output, e.Retrier, e.Token
	return &e.Event, nil
}

// A cursor is where an execution stands: what its events amount to.
type cursor struct {
	n         int // events so far
	started   *Event
	ended     *Event
	state     string // "" before the first
	input     value
	entered   time.Time
	retries   map[int]int // of this visit to the state, by retrier
	token     string
	scheduled time.Time // when the token was made
	submitted bool
	answer    *Event    // the task's, TaskAnswered or TaskErred
	until     time.Time // the next invocation waits
}

func (c *cursor) retried() (sum int) {
	for _, n := range c.retries {
		sum += n
	}
	return sum
}

// apply moves the cursor over one event: the same one whether it happens now
// or is read from the journal.
func (c *cursor) apply(e *Event) {
	c.n = e.N
	switch e.Kind {
	case ExecutionStarted:
		c.started = e
	case StateEntered:
		*c = cursor{n: e.N, started: c.started, state: e.State, input: e.Input, entered: e.At, retries: map[int]int{}}
	case TaskScheduled:
		c.token, c.scheduled = e.token, e.At
	case TaskSubmitted:
		c.submitted = true
	case TaskAnswered, TaskErred:
		c.answer = e
	case RetryScheduled:
		c.retries[e.retrier]++
		c.until, c.token, c.submitted, c.answer = e.Until, "", false, nil
	case ExecutionSucceeded, ExecutionFailed:
		c.ended = e
	}
}

// replay reads a journal.
func replay(entries [][]byte) (*cursor, error) {
	c := &cursor{}
	for i, entry := range entries {
		e, err := readEntry(i+1, entry)
		if err != nil {
			return nil, err
		}
		if (i == 0) != (e.Kind == ExecutionStarted) {
			return nil, errors.New("the journal does not begin with the start of the execution, or begins twice")
		}
		c.apply(e)
	}
	return c, nil
}
