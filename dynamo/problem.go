package dynamo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"muster/recovery"
)

// The SDK's errors are translated here and nowhere else: by code, status and
// type, never by text. None of them is passed on: one may hold an item, and so
// a secret.

// failure is why a call did not succeed.
type failure struct {
	code, message string
	request       string                     // AWS's id of the request; "" where no answer came
	reasons       []types.CancellationReason // of a transaction: one for each of its parts, in their order
	err           error                      // the caller's context's, where that has ended
	unclear       bool                       // this attempt, or one before it, may have taken effect
	again         bool                       // it may pass by itself
	unreached     bool                       // no connection was made
}

// passing are the codes of what passes by itself. A refusal by one of them had
// no effect.
var passing = []string{
	"ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException", "ThrottlingError",
	"TransactionConflictException", "TransactionInProgressException", "TransactionConflict", "ProvisionedThroughputExceeded",
	"LimitExceededException", "ReplicatedWriteConflictException",
}

// The codes of DynamoDB that the store itself knows what to do with.
const (
	codeCondition    = "ConditionalCheckFailed"
	codeNoTable      = "ResourceNotFoundException"
	codeTableExists  = "ResourceInUseException"
	codeUnknown      = "UnknownOperationException"
	codeValidation   = "ValidationException"
	codeReasonIsNone = "None"
)

// advice says what people can do.
var advice = map[string]string{
	codeNoTable:       "there is no such table: make it (muster table create), or name another table or region",
	codeTableExists:   "the table is being made or changed: wait until it is ACTIVE",
	codeValidation:    "the table does not take what Muster writes: see that it is Muster's (muster table create says what differs)",
	"ValidationError": "the table does not take what Muster writes: an item is larger than 400 KB, perhaps",
	"AccessDeniedException": "the role may not do this: it needs dynamodb:GetItem, BatchGetItem, Query, PutItem, UpdateItem, DeleteItem and ConditionCheckItem " +
		"on the table, dynamodb:Query on its indexes, and the use of the table's KMS key where that is one of your own",
	"UnrecognizedClientException":            "the credentials are not known there: check the account and the region",
	"ExpiredTokenException":                  "the credentials have expired: get new ones",
	"ProvisionedThroughputExceededException": "the table is busy: give it more capacity, or bill it on demand",
	"ThrottlingException":                    "the table is busy: give it more capacity, or bill it on demand",
	"RequestLimitExceeded":                   "the account's limit of DynamoDB is reached: ask AWS for a higher one",
	"InvalidSignatureException":              "the request's signature was refused: check the credentials and the clock",
}

// failed translates what the SDK answered for one attempt; ctx is the caller's,
// not the attempt's.
func failed(ctx context.Context, err error) *failure {
	f := &failure{err: ctx.Err()}
	status := 0
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) {
		status, f.request = answer.HTTPStatusCode(), answer.ServiceRequestID()
	}
	var cancelled *types.TransactionCanceledException
	var api smithy.APIError
	switch {
	case errors.As(err, &cancelled):
		f.code, f.reasons = cancelled.ErrorCode(), cancelled.CancellationReasons
		f.message = cancelled.ErrorMessage()
		f.settleReasons()
		return f
	case errors.As(err, &api) && status != 0:
		f.code, f.message = api.ErrorCode(), api.ErrorMessage()
	case status != 0:
		f.message = fmt.Sprintf("HTTP status %d, and an answer that could not be read", status)
	default:
		f.message = silence(err)
	}
	noAnswer := status == 0 && sent(err)
	f.unclear = noAnswer || status >= http.StatusInternalServerError || status > 0 && status < 300
	unread := status != 0 && f.code == ""
	f.again = f.unclear || unread || status == http.StatusTooManyRequests || slices.Contains(passing, f.code)
	f.unreached = neverConnected(err)
	return f
}

// settleReasons judges a transaction that was cancelled: what a condition or
// DynamoDB itself refused stays refused, all else passes by itself.
func (f *failure) settleReasons() {
	f.again = true
	for _, r := range f.reasons {
		if code := deref(r.Code); code != codeReasonIsNone && code != "" && !slices.Contains(passing, code) {
			f.again = false
			f.code, f.message = code, deref(r.Message)
			return
		}
	}
	for _, r := range f.reasons {
		if code := deref(r.Code); code != codeReasonIsNone && code != "" {
			f.code, f.message = code, deref(r.Message)
		}
	}
}

// neverConnected says that no connection was made, so that nothing was sent.
func neverConnected(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect") || errors.As(err, &dns)
}

// sent says that the request may have reached DynamoDB. One that could not even
// be put together (no region, no credentials) did not.
func sent(err error) bool {
	var sending *smithyhttp.RequestSendError
	var cancelled *smithy.CanceledError
	return !neverConnected(err) && (errors.As(err, &sending) || errors.As(err, &cancelled))
}

// silence says in our own words why there was no answer.
func silence(err error) string {
	var timeout net.Error
	switch {
	case neverConnected(err):
		return "no connection could be made: " + root(err).Error()
	case !sent(err):
		return "it could not be sent: " + root(err).Error()
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer came in time"
	case errors.Is(err, context.Canceled):
		return "it was interrupted before an answer came"
	}
	return "the connection broke before an answer came"
}

func root(err error) error {
	for next := err; next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// explain says which table it is about, what was being done, and what a person
// can do.
func (s *Store) explain(doing string, err error) error {
	return fmt.Errorf("execution store %s: %s: %w", s.where, doing, err)
}

// Error implements error.
func (f *failure) Error() string {
	var words []string
	if what := advice[f.code]; what != "" {
		words = append(words, what)
	}
	switch {
	case f.code != "" && f.message != "":
		words = append(words, f.code+" - "+f.message)
	case f.code != "":
		words = append(words, f.code)
	case f.message != "":
		words = append(words, f.message)
	}
	if f.request != "" {
		words = append(words, "AWS request id "+recovery.Quote(f.request))
	}
	if f.err != nil {
		words = append(words, f.err.Error())
	}
	return strings.Join(words, ": ")
}

// Unwrap gives the error of the caller's context, where that has ended.
func (f *failure) Unwrap() error { return f.err }
