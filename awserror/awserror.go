// Package awserror translates what AWS's SDK gives up with, of every service, by
// code, status and type, never by text. What a service's own codes mean, the
// rooms that call it say.
package awserror

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"muster/recovery"
)

// Call is what has to be known about a call to understand why it failed.
type Call struct {
	Service   string   // "DRS"
	Operation string   // "StartRecovery"
	Effect    bool     // it changes something
	Passing   []string // codes of what passes by itself, beyond those of every service
	Secrets   []string // that the request held: no message repeats them
}

// Failure is why a call failed. None of the SDK's own errors is passed on: one
// may hold a request, and so a secret.
type Failure struct {
	recovery.ServiceError
	Status    int    // of HTTP; 0: no answer came
	RequestID string // AWS's; "" where it gave none
	Unsent    bool   // it certainly never reached AWS
	Unreached bool   // no connection could be made
}

// passing are codes, beyond throttling, of what passes by itself in any service.
var passing = []string{"InternalServerException", "InternalServerError", "InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable"}

// Failure translates what the SDK gave up with.
func (c Call) Failure(err error) *Failure {
	f := &Failure{ServiceError: recovery.ServiceError{Service: c.Service, Operation: c.Operation}, Unreached: unreached(err)}
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) {
		f.Status, f.RetryAfter = answer.HTTPStatusCode(), retryAfter(answer)
		f.Err = fmt.Errorf("HTTP status %d", f.Status)
		var identified *awshttp.ResponseError
		if errors.As(err, &identified) && identified.ServiceRequestID() != "" { // which AWS's support asks for
			f.RequestID = identified.ServiceRequestID()
			f.Err = fmt.Errorf("HTTP status %d, AWS request id %s", f.Status, recovery.Quote(f.RequestID))
		}
	}
	f.Unsent = f.Status == 0 && (f.Unreached || !sent(err))
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && api.ErrorCode() != "UnknownError":
		f.Code, f.Message = api.ErrorCode(), api.ErrorMessage()
	case f.Status != 0:
		f.Message = fmt.Sprintf("HTTP status %d, and an answer that could not be read", f.Status)
	default:
		f.Message = silence(err, f)
	}
	f.Message = Scrub(f.Message, c.Secrets)
	f.judge(c)
	f.Retryable = f.Retryable || f.Status == 0 && (f.Unreached || !f.Unsent) && !distrusted(err)
	return f
}

// judge says what code and status mean.
func (f *Failure) judge(c Call) {
	lost := f.Status >= 500 || f.Status != 0 && f.Status < 300 // an answer that says nothing
	f.Ambiguous = c.Effect && !f.Throttled() && !f.Expired() && (lost || f.Status == 0 && !f.Unsent)
	f.Retryable = lost || f.Throttled() || f.Status == http.StatusTooManyRequests || slices.Contains(passing, f.Code) || slices.Contains(c.Passing, f.Code)
}

// unreached says that no connection was made, so that nothing was sent.
func unreached(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect") || errors.As(err, &dns) || distrusted(err)
}

// distrusted says that the other side's certificate was refused, which no
// retry will cure.
func distrusted(err error) bool {
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	return errors.As(err, &cert) || errors.As(err, &record)
}

// sent says that the request was given to the network. One that could not even
// be put together (no region, no credentials) was not.
func sent(err error) bool {
	var sending *smithyhttp.RequestSendError
	var cancelled *smithy.CanceledError
	return errors.As(err, &sending) || errors.As(err, &cancelled)
}

// silence says in our own words why there was no answer. The SDK's words may
// hold anything.
func silence(err error, f *Failure) string {
	var timeout net.Error
	var op *net.OpError
	switch {
	case distrusted(err):
		return "the certificate of the endpoint is not trusted: " + root(err).Error()
	case f.Unreached:
		return "no connection could be made: " + root(err).Error()
	case f.Unsent:
		return "it could not be sent: " + root(err).Error()
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer came in time"
	case errors.Is(err, context.Canceled):
		return "it was interrupted before an answer came"
	case errors.As(err, &op):
		return "the connection broke before an answer came: " + op.Error()
	}
	return "the connection broke before an answer came: " + root(err).Error()
}

// root is the innermost error: what is around it repeats the request.
func root(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

// retryAfter is how long AWS asks to wait: in seconds, as everywhere in HTTP,
// or in milliseconds in a header of its own.
func retryAfter(answer *smithyhttp.ResponseError) time.Duration {
	const longest = time.Hour // whoever asks for more is not understood
	if answer.Response == nil || answer.Response.Response == nil {
		return 0
	}
	h := answer.Response.Header
	wait := 0.0
	if s, err := strconv.ParseFloat(h.Get("Retry-After"), 64); err == nil {
		wait = s * float64(time.Second)
	}
	if ms, err := strconv.ParseFloat(h.Get("X-Amz-Retry-After"), 64); err == nil {
		wait = max(wait, ms*float64(time.Millisecond))
	}
	if wait > 0 && wait <= float64(longest) {
		return time.Duration(wait)
	}
	return 0
}

// Scrub takes secrets out of what AWS says. It repeats an external id that it
// finds malformed, and a session token where a signature does not match.
func Scrub(text string, secrets []string) string {
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, "[redacted]")
		}
	}
	return text
}

// Is says whether AWS refused with the code of a kind of error.
func Is(err error, kinds ...smithy.APIError) bool {
	var refused smithy.APIError
	return errors.As(err, &refused) && slices.ContainsFunc(kinds, func(k smithy.APIError) bool { return k.ErrorCode() == refused.ErrorCode() })
}
