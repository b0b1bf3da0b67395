package stepfunctions

import "time"

// An Event is one transition of an execution.
type Event struct {
	N       int // from 1, without gaps
	At      time.Time
	Kind    Kind
	State   string
	Input   []byte // of the execution, or of the state that was entered
	Output  []byte // of the task, or of the execution that ended
	Error   string // a name, such as States.Timeout
	Cause   string
	Until   time.Time // a task is invoked again then
	retrier int
	token   string // may answer the task: no observer sees it
}

// Kind says what an event is about.
type Kind string

// The kinds, in about the words of AWS's own histories.
const (
	ExecutionStarted   Kind = "ExecutionStarted"
	StateEntered       Kind = "StateEntered"
	TaskScheduled      Kind = "TaskScheduled" // it has its token, and is about to be invoked
	TaskSubmitted      Kind = "TaskSubmitted" // it was invoked, and now its token is waited for
	TaskAnswered       Kind = "TaskAnswered"
	TaskErred          Kind = "TaskErred"
	RetryScheduled     Kind = "RetryScheduled"
	ExecutionSucceeded Kind = "ExecutionSucceeded"
	ExecutionFailed    Kind = "ExecutionFailed"
)

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

// apply moves the cursor over one event.
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
