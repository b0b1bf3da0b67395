package stepfunctions

// An Event is one transition of an execution, as an observer sees it.
type Event struct {
	Kind  Kind
	State string
	Data  string // the input, the answer, the error or the output
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
