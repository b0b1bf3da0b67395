package awsdrs

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

// The SDK's errors are translated here and nowhere else: by code, status and
// type, never by text.

// codes that say "not now", beyond throttling: DRS's first, then EC2's and STS's.
var notNow = map[string]bool{
	"InternalServerException":       true,
	"ServiceQuotaExceededException": true,
	"InternalError":                 true,
	"InternalFailure":               true,
	"ServiceUnavailable":            true,
	"Unavailable":                   true,
}

// waitsForOthers says that only the end of other jobs cures the refusal: worth
// another event later, not another attempt now.
func waitsForOthers(e *recovery.ServiceError) bool {
	return e.Code == "ServiceQuotaExceededException"
}

// expired says that AWS refused because the session is over: DRS, STS and EC2
// in this order. It refuses so before it looks at the request, which therefore
// had no effect.
func expired(err error) bool {
	var refused *recovery.ServiceError
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Code {
	case "ExpiredTokenException", "ExpiredToken", "RequestExpired":
		return true
	}
	return false
}

// failure translates what the SDK answered for one attempt. handed says
// whether the request reached the network.
func (op operation) failure(err error, handed bool, secrets []string) *recovery.ServiceError {
	e := &recovery.ServiceError{Service: op.service, Operation: op.name}
	status := 0
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) {
		status = answer.HTTPStatusCode()
		e.RetryAfter = retryAfter(answer)
		e.Err = trail(err, status)
	}
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && api.ErrorCode() != "UnknownError":
		e.Code, e.Message = api.ErrorCode(), api.ErrorMessage()
	case status != 0:
		e.Message = fmt.Sprintf("HTTP status %d, and an answer that could not be read", status)
	default:
		e.Message = silence(err, handed)
	}
	e.Message = scrub(e.Message, secrets)

	refusal := status >= 300 && status < 500 || e.Throttled() || expired(e)
	unsent := !handed || neverConnected(err)
	e.Ambiguous = op.effect && !refusal && !unsent
	e.Retryable = e.Throttled() || notNow[e.Code] || slices.Contains(op.passing, e.Code) || status == http.StatusTooManyRequests ||
		status >= 500 || status != 0 && status < 300 || status == 0 && handed && !distrusted(err)
	return e
}

// neverConnected says that no connection was made, so that nothing was sent.
func neverConnected(err error) bool {
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

// silence says in our own words why there was no answer. The SDK's words may
// hold anything.
func silence(err error, handed bool) string {
	var timeout net.Error
	var op *net.OpError
	switch {
	case !handed:
		return "it could not be sent: " + root(err).Error()
	case distrusted(err):
		return "the certificate of the endpoint is not trusted: " + root(err).Error()
	case neverConnected(err):
		return "no connection could be made: " + root(err).Error()
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer came in time"
	case errors.Is(err, context.Canceled):
		return "it was interrupted before an answer came"
	case errors.As(err, &op):
		return "the connection broke before an answer came: " + op.Error()
	}
	return "the connection broke before an answer came: " + root(err).Error()
}

func root(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

// trail is what AWS's support asks for.
func trail(err error, status int) error {
	var withID *awshttp.ResponseError
	if errors.As(err, &withID) && withID.ServiceRequestID() != "" {
		return fmt.Errorf("HTTP status %d, AWS request id %s", status, recovery.Quote(withID.ServiceRequestID()))
	}
	return fmt.Errorf("HTTP status %d", status)
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

// scrub takes secrets out of what AWS says. It repeats an external id that it
// finds malformed, and a session token where a signature does not match.
func scrub(text string, secrets []string) string {
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, "[redacted]")
		}
	}
	return text
}

// refuse is our own refusal to send something.
func (op operation) refuse(format string, args ...any) error {
	return &recovery.ServiceError{Service: op.service, Operation: op.name, Message: "not sent: " + fmt.Sprintf(format, args...)}
}

// garbled is an answer that came and does not say what it must.
func (op operation) garbled(format string, args ...any) error {
	return &recovery.ServiceError{Service: op.service, Operation: op.name, Message: fmt.Sprintf(format, args...), Ambiguous: op.effect}
}
