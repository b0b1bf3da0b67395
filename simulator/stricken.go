package simulator

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// strickenBefore asks for the faults that come before a call does anything. It
// gives what to answer instead of handling the call, or nil.
func (h *handling) strickenBefore() func(refuse func(*apiError) *answer) *answer {
	q := h.request
	instead := func(e *apiError) func(func(*apiError) *answer) *answer {
		return func(refuse func(*apiError) *answer) *answer { return refuse(e) }
	}
	if h.w.sessions[h.caller.Key] != nil {
		if _, ok := h.oracle.call(ExpireSessions); ok {
			h.w.expire(h.caller.Key)
			return instead(expiredKey(q.service))
		}
	}
	if _, ok := h.oracle.call(DropBefore); ok {
		return func(func(*apiError) *answer) *answer { return &answer{drop: true} }
	}
	if f, ok := h.oracle.call(Error500Before); ok {
		return instead(internal(q.service, f.Message))
	}
	if f, ok := h.oracle.call(Throttle); ok {
		wait := time.Second
		if f.Duration > 0 {
			wait = time.Duration(f.Duration)
		}
		return instead(throttled(q.service, wait, f.Message))
	}
	if f, ok := h.oracle.call(Refuse); ok {
		status := f.Status
		if status == 0 {
			status = errorStatus(f.Code)
		}
		message := f.Message
		if message == "" {
			message = f.Code
		}
		return instead(&apiError{Status: status, Code: f.Code, Message: message})
	}
	return nil
}

// strickenAfter asks for the faults that spoil the answer of a call that is done.
func (h *handling) strickenAfter(a *answer, refuse func(*apiError) *answer) *answer {
	if f, ok := h.oracle.call(Error500After); ok {
		return refuse(internal(h.request.service, f.Message))
	}
	if _, ok := h.oracle.call(DropAnswerAfter); ok {
		a.drop = true
	}
	return a
}

func internal(service, message string) *apiError {
	if message == "" {
		message = "An internal error has occurred."
	}
	switch service {
	case serviceEC2:
		return &apiError{Status: 500, Code: "InternalError", Message: message}
	case serviceSTS:
		return &apiError{Status: 500, Code: "InternalFailure", Message: message}
	}
	return &apiError{Status: 500, Code: "InternalServerException", Message: message}
}

// throttled is a service's answer to too many requests. DRS says when to come
// back, in whole seconds; the others do not.
func throttled(service string, wait time.Duration, message string) *apiError {
	switch service {
	case serviceEC2:
		return &apiError{Status: http.StatusServiceUnavailable, Code: "RequestLimitExceeded", Message: or(message, "Request limit exceeded.")}
	case serviceSTS:
		return &apiError{Status: http.StatusBadRequest, Code: "Throttling", Message: or(message, "Rate exceeded")}
	}
	seconds := strconv.Itoa(int(math.Max(1, math.Ceil(wait.Seconds()))))
	return &apiError{
		Status: http.StatusTooManyRequests, Code: "ThrottlingException", Message: or(message, "Rate exceeded"),
		Header: http.Header{"Retry-After": {seconds}},
		Extra:  map[string]any{"serviceCode": "drs"},
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// unknownOperation refuses what the simulator does not have, and says so: AWS
// may well have it.
func unknownOperation(q *request) *apiError {
	if q.service != serviceDRS {
		return unknownAction(q.operation, actionsOf(q.service))
	}
	return &apiError{
		Status: http.StatusNotFound, Code: "UnknownOperationException",
		Message: fmt.Sprintf("The simulator has no operation %s. It has: %s.", q.operation, wordList(actionsOf(serviceDRS))),
	}
}
