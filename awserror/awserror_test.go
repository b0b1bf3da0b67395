package awserror_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"muster/awserror"
)

// answered is what the SDK makes of an answer that is an error.
func answered(status int, code string) error {
	err := error(&smithy.GenericAPIError{Code: code, Message: "as AWS says, with a-secret-word"})
	if code == "" {
		err = errors.New("unexpected end of JSON, with a-secret-word")
	}
	r := &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {"7"}}}}
	return &smithy.OperationError{ServiceID: "drs", Err: &smithyhttp.ResponseError{Response: r, Err: err}}
}

func unanswered(err error) error {
	return &smithy.OperationError{ServiceID: "drs", Err: &smithyhttp.RequestSendError{Err: err}}
}

// Whether a call may have taken effect, and whether it is worth another try, is
// told by what came back, the same for every service.
func TestWhatAFailureMeansIsToldByCodeStatusAndType(t *testing.T) {
	for name, c := range map[string]struct {
		err                             error
		effect                          bool
		retryable, ambiguous, unreached bool
		message                         string
	}{
		"a refusal":                       {err: answered(403, "AccessDeniedException"), effect: true},
		"a throttle":                      {err: answered(400, "ThrottlingException"), effect: true, retryable: true},
		"a throttle of EC2":               {err: answered(503, "RequestLimitExceeded"), effect: true, retryable: true},
		"a status alone that throttles":   {err: answered(429, ""), effect: true, retryable: true},
		"a code that the caller waits on": {err: answered(400, "ExecutionLimitExceeded"), effect: true, retryable: true},
		"a session that is over":          {err: answered(503, "RequestExpired"), effect: true, retryable: true},
		"a fault of the service":          {err: answered(500, "InternalServerException"), effect: true, retryable: true, ambiguous: true},
		"the same of a call that reads":   {err: answered(500, "InternalServerException"), retryable: true},
		"an answer that cannot be read":   {err: answered(200, ""), effect: true, retryable: true, ambiguous: true, message: "HTTP status 200, and an answer that could not be read"},
		"a broken connection":             {err: unanswered(io.ErrUnexpectedEOF), effect: true, retryable: true, ambiguous: true, message: "the connection broke"},
		"no answer in time":               {err: unanswered(context.DeadlineExceeded), effect: true, retryable: true, ambiguous: true, message: "no answer came in time"},
		"an interruption":                 {err: &smithy.CanceledError{Err: context.Canceled}, effect: true, retryable: true, ambiguous: true, message: "it was interrupted"},
		"no connection":                   {err: unanswered(&net.OpError{Op: "dial", Err: errors.New("refused")}), effect: true, retryable: true, unreached: true, message: "no connection could be made"},
		"no credentials":                  {err: errors.New("no credentials"), effect: true, message: "it could not be sent"},
	} {
		t.Run(name, func(t *testing.T) {
			f := awserror.Call{Service: "DRS", Operation: "StartRecovery", Effect: c.effect, Passing: []string{"ExecutionLimitExceeded"}, Secrets: []string{"a-secret-word"}}.Failure(c.err)
			if f.Retryable != c.retryable || f.Ambiguous != c.ambiguous || f.Unreached != c.unreached || !strings.Contains(f.Message, c.message) {
				t.Errorf("got %+v", f)
			}
			if strings.Contains(f.Error(), "a-secret-word") || errors.Is(f.Err, c.err) {
				t.Errorf("a secret came through: %v", f)
			}
			if f.Status != 0 && f.RetryAfter.Seconds() != 7 {
				t.Errorf("it is to be waited for %s", f.RetryAfter)
			}
		})
	}
}
