package dynamo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"muster/awserror"
	"muster/recovery"
)

// failure is why a call did not succeed. Ambiguous is of this attempt, or of one
// before it.
type failure struct {
	*awserror.Failure
	reasons []types.CancellationReason // of a transaction: one for each of its parts, in their order
	ended   error                      // the caller's context's, where that has ended
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
	"AccessDeniedException": "the role may not do this: it needs dynamodb:GetItem, BatchGetItem, Query, PutItem, UpdateItem and DeleteItem " +
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
	f := &failure{Failure: awserror.Call{Service: "DynamoDB", Effect: true, Passing: passing}.Failure(err), ended: ctx.Err()}
	var cancelled *types.TransactionCanceledException
	if errors.As(err, &cancelled) {
		f.reasons, f.Ambiguous = cancelled.CancellationReasons, false
		f.settleReasons()
		return f
	}
	unread := f.Status != 0 && f.Code == ""
	f.Retryable = f.Ambiguous || unread || f.Status == http.StatusTooManyRequests || slices.Contains(passing, f.Code)
	return f
}

// settleReasons judges a transaction that was cancelled: what a condition or
// DynamoDB itself refused stays refused, all else passes by itself.
func (f *failure) settleReasons() {
	f.Retryable = true
	for _, r := range f.reasons {
		switch code := aws.ToString(r.Code); {
		case code == codeReasonIsNone || code == "":
		case !slices.Contains(passing, code):
			f.Retryable, f.Code, f.Message = false, code, aws.ToString(r.Message)
			return
		default:
			f.Code, f.Message = code, aws.ToString(r.Message)
		}
	}
}

// explain says which table it is about, what was being done, and what a person
// can do.
func (s *Store) explain(doing string, err error) error {
	return fmt.Errorf("execution store %s: %s: %w", s.where, doing, err)
}

// Error implements error.
func (f *failure) Error() string {
	words := []string{advice[f.Code], f.Detail(), "", ""}
	if f.RequestID != "" {
		words[2] = "AWS request id " + recovery.Quote(f.RequestID)
	}
	if f.ended != nil {
		words[3] = f.ended.Error()
	}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), ": ")
}

// Unwrap gives the error of the caller's context, where that has ended.
func (f *failure) Unwrap() error { return f.ended }
