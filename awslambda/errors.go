package awslambda

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"muster/recovery"
)

// Failed is a function that ended without an answer.
type Failed struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (e *Failed) Error() string {
	if e.Message == "" {
		return e.Type
	}
	return e.Type + ": " + e.Message
}

// Again says whether the function itself asks for the same event once more.
func (e *Failed) Again() bool { return strings.HasPrefix(e.Type, "Muster.") }

// Codes of what Lambda refuses, and of what is wrong with credentials.
const (
	NotFound      = "ResourceNotFoundException"
	AccessDenied  = "AccessDeniedException"
	Throttled     = "TooManyRequestsException"
	NoCredentials = "NoCredentials" // ours: none were found, or they could not be got
)

// failure translates what the SDK gave up with: by code and status, never by
// text.
func failure(err error) error {
	e := &recovery.ServiceError{Service: "Lambda", Operation: "Invoke"}
	status := 0
	if answer, is := errors.AsType[*smithyhttp.ResponseError](err); is {
		status = answer.HTTPStatusCode()
	}
	refused, is := errors.AsType[smithy.APIError](err)
	sent, _ := errors.AsType[*smithyhttp.RequestSendError](err)
	switch {
	case is && refused.ErrorCode() != "UnknownError":
		e.Code, e.Message = refused.ErrorCode(), refused.ErrorMessage()
	case status != 0:
		e.Message = fmt.Sprintf("HTTP status %d, and an answer that could not be read: %v", status, root(err))
	case errors.Is(err, context.DeadlineExceeded):
		e.Message = "no answer came in time"
	case sent != nil:
		e.Message = "no answer came: " + root(sent).Error()
	default: // it was never sent: it could not be signed, or it is not known where to
		e.Code, e.Message = NoCredentials, root(err).Error()
	}
	lost := e.Code == "" && (status == 0 || status == http.StatusOK) // done or not, the answer did not come
	e.Retryable = lost || status == http.StatusTooManyRequests || status >= 500
	e.Ambiguous = lost || status >= 500
	return e
}

// root is the innermost error: what is around it repeats the request.
func root(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
