package stepfunctions

import "fmt"

// The error names that the language, and Step Functions itself, give.
const (
	All                    = "States.ALL"
	TaskFailed             = "States.TaskFailed"
	Timeout                = "States.Timeout"
	NoChoiceMatched        = "States.NoChoiceMatched"
	ResultPathMatchFailure = "States.ResultPathMatchFailure"
	ParameterPathFailure   = "States.ParameterPathFailure"
	DataLimitExceeded      = "States.DataLimitExceeded"
	Runtime                = "States.Runtime"
	LambdaUnknown          = "Lambda.Unknown"
)

// TaskError is how a task fails: what Retry and Catch of its state see. Error
// is the name that they compare.
type TaskError struct{ Name, Cause string }

func (e *TaskError) Error() string { return describe(e.Name, e.Cause) }

// Failure is how an execution failed: in a Fail state, or by an error that
// nothing caught.
type Failure struct{ Name, Cause string }

func (e *Failure) Error() string { return "the execution failed: " + describe(e.Name, e.Cause) }

func describe(name, cause string) string {
	if name == "" {
		name = "an error without a name"
	}
	if cause == "" {
		return name
	}
	return name + ": " + cause
}

// LimitBytes is how long an input, an output, a task's payload or its answer
// may be.
const LimitBytes = 256 << 10

func limit(v value, what string) error {
	if len(v) > LimitBytes {
		return &TaskError{DataLimitExceeded, fmt.Sprintf("%s has %d bytes, and %d are allowed", what, len(v), LimitBytes)}
	}
	return nil
}
