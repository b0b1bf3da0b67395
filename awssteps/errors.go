package awssteps

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

// The SDK's errors are translated here and nowhere else: by code and status,
// never by text.

// isCode says whether Step Functions refused with the code of a kind of error.
func isCode(err error, kind smithy.APIError) bool {
	var refused smithy.APIError
	return errors.As(err, &refused) && refused.ErrorCode() == kind.ErrorCode()
}

// notNow are codes that say nothing against the request itself.
var notNow = map[string]bool{
	"ThrottlingException":    true,
	"ExecutionLimitExceeded": true, // of runs at the same time
	"InternalServerError":    true,
	"InternalFailure":        true,
	"ServiceUnavailable":     true,
}

// failure translates what the SDK gave up with; nil for nil. Secrets are what
// the request held that no message may repeat.
func failure(operation string, err error, secrets ...string) error {
	if err == nil {
		return nil
	}
	e := &recovery.ServiceError{Service: "Step Functions", Operation: operation}
	status := 0
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) {
		status = answer.HTTPStatusCode()
	}
	var refused smithy.APIError
	switch {
	case errors.As(err, &refused) && refused.ErrorCode() != "UnknownError":
		e.Code, e.Message = refused.ErrorCode(), refused.ErrorMessage()
	case status != 0:
		e.Message = fmt.Sprintf("HTTP status %d, and an answer that could not be read", status)
	case errors.Is(err, context.DeadlineExceeded):
		e.Message = "no answer came in time"
	case errors.Is(err, context.Canceled):
		e.Message = "it was interrupted before an answer came"
	default:
		e.Message = "no answer came: " + root(err).Error()
	}
	for _, secret := range secrets {
		e.Message = strings.ReplaceAll(e.Message, secret, "[redacted]")
	}
	e.Retryable = status == 0 || status == http.StatusTooManyRequests || status >= 500 || notNow[e.Code]
	e.Ambiguous = status == 0 || status >= 500
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
