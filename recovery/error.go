package recovery

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Code is the error code of an answer: stable, for programs.
type Code string

// The codes of error answers: the contract's, WRONG_WORLD, and, from NOT_FOUND
// to WORKFLOW_ERROR, those of operations.
const (
	ValidationError   Code = "VALIDATION_ERROR"    // the event itself is wrong
	DRSAPIError       Code = "DRS_API_ERROR"       // DRS refuses, or a server is not ready
	CrossAccountError Code = "CROSS_ACCOUNT_ERROR" // the role cannot be assumed
	LaunchConfigError Code = "LAUNCH_CONFIG_ERROR" // launch settings could not be read or applied
	DependencyNotMet  Code = "DEPENDENCY_NOT_MET"  // a wave that this one depends on is not done
	WaveInProgress    Code = "WAVE_IN_PROGRESS"    // another invocation is starting this wave
	PlanInProgress    Code = "PLAN_IN_PROGRESS"    // another execution of the same plan is under way
	NotFound          Code = "NOT_FOUND"           // no execution, plan or group has that id
	WrongState        Code = "WRONG_STATE"         // it cannot be asked of the execution as it is now
	Superseded        Code = "VERSION_CONFLICT"    // the plan or group has another version than the one named
	WrongWorld        Code = "WRONG_WORLD"         // the execution, or the record, belongs elsewhere
	NotConfirmed      Code = "NOT_CONFIRMED"       // a recovery goes on only when that is confirmed
	NotAllowed        Code = "NOT_ALLOWED"         // not through the alias that the function was called by
	WorkflowError     Code = "WORKFLOW_ERROR"      // the state machine could not be started or asked
	RecordDamaged     Code = "RECORD_DAMAGED"      // somebody edited what the store holds
	UnknownAction     Code = "UNKNOWN_ACTION"
	UnknownOperation  Code = "UNKNOWN_OPERATION"
	UnknownEvent      Code = "UNKNOWN_EVENT"
)

// Error is a business failure: an answer, not an accident. Every other error
// means that Muster could not know, or could not record, what happened, and
// that the same event must be delivered again.
type Error struct {
	Code      Code
	Message   string // for people: what is wrong, and the way out
	Retryable bool   // the same event may go through later, unchanged
	// InDoubt are the servers of which only a person can say whether an instance
	// lives.
	InDoubt []InDoubt
	Err     error // the cause, where there is one
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Message) }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes a business failure that no retry will cure.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Together makes one failure of those that were joined: all their messages, and
// the code of the first that no retry will cure. What is no business failure is
// given back as it is.
func Together(err error) (*Error, error) {
	var all *Error
	var words []string
	for _, e := range flat(err) {
		one, is := errors.AsType[*Error](e)
		if !is {
			return nil, err
		}
		if all == nil || all.Retryable && !one.Retryable {
			all = new(*one)
		}
		words = append(words, one.Message)
	}
	if all != nil {
		all.Message = strings.Join(words, "; ")
	}
	return all, nil
}

func flat(err error) []error {
	joined, is := err.(interface{ Unwrap() []error })
	switch {
	case err == nil:
		return nil
	case !is:
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, flat(e)...)
	}
	return all
}

// ServiceError is what a service of AWS answered instead of a result, or why
// no answer came. The rooms that call AWS make it; everybody else judges by
// its fields and never by text.
type ServiceError struct {
	Service   string // "DRS", "EC2", "STS", "Step Functions"
	Operation string // e.g. StartRecovery
	Code      string // AWS's own code as received, e.g. ConflictException; "" when there was no answer
	Message   string // AWS's own message, or what went wrong on the way
	Retryable bool   // may go through later, unchanged
	Ambiguous bool   // the call may have taken effect all the same: no answer, or a 5xx
	// RetryAfter is how long AWS asks to wait before the call is made again; 0
	// where it does not say.
	RetryAfter time.Duration
	Err        error
}

func (e *ServiceError) Error() string {
	return fmt.Sprintf("%s %s: %s", e.Service, e.Operation, e.Detail())
}

// Detail gives "<Code> - <message>", the shape the contract's messages have;
// the code alone where AWS says nothing beside it.
func (e *ServiceError) Detail() string {
	switch {
	case e.Code == "":
		return e.Message
	case e.Message == "", e.Message == e.Code:
		return e.Code
	}
	return e.Code + " - " + e.Message
}

// Unwrap gives the cause.
func (e *ServiceError) Unwrap() error { return e.Err }

// Conflict says whether AWS refused because something else holds the resource.
func (e *ServiceError) Conflict() bool { return e.Code == "ConflictException" }

// Throttled says whether AWS refused only because of the rate of calls.
func (e *ServiceError) Throttled() bool {
	switch e.Code {
	case "ThrottlingException", "RequestLimitExceeded", "Throttling", "TooManyRequestsException":
		return true
	}
	return false
}

// Expired says whether AWS refused because the session is over: DRS, STS and EC2
// in this order.
func (e *ServiceError) Expired() bool {
	return e.Code == "ExpiredTokenException" || e.Code == "ExpiredToken" || e.Code == "RequestExpired"
}

// Unreadable says that it is one record which cannot be read, and not the store:
// the others can.
func Unreadable(err error) bool { return errors.Is(err, ErrDamaged) || errors.Is(err, ErrNewer) }

var (
	// ErrStale answers a Commit that was decided on an execution which has
	// changed since it was read. Read again, decide again.
	ErrStale = errors.New("the execution has changed since it was read")

	// ErrDamaged means that what a store holds was cut or edited by somebody
	// else: it does not say what it must.
	ErrDamaged = errors.New("the record is damaged")

	// ErrNewer means that a record may mean what this version does not know.
	ErrNewer = errors.New("it was written by a newer version of Muster")

	// ErrNoTime means that a call was not begun because it could not have
	// ended before the invocation's own deadline.
	ErrNoTime = errors.New("too little time is left before the deadline")
)
