// Package client asks a Muster for what people do: the operations of
// docs/operations.md, typed, over one function. That function may be the
// handler in this process, or a Lambda function's Invoke API.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"muster/recovery"
)

// Client asks one Muster. A refusal is a *recovery.Error; an answer that is not
// Muster's is ErrNotMuster; every other error is Invoke's own, as it came, and
// leaves open whether the operation was done. Everything may be asked for again.
// Its methods may be called at the same time if Invoke may.
type Client struct {
	// Invoke gives one event, a JSON object, to the handler and gives its answer.
	Invoke func(ctx context.Context, event []byte) (answer []byte, err error)
}

// ErrNotMuster says that something else answered than Muster's handler.
var ErrNotMuster = errors.New("the answer is not one of Muster's")

// ask asks for an operation with the parameters that are an object's members,
// and reads its answer.
func ask[A any](ctx context.Context, c Client, operation string, parameters any) (A, error) {
	var answer A
	event, err := json.Marshal(parameters)
	if err != nil {
		return answer, err
	}
	head := fmt.Appendf(nil, `{"operation":%q`, operation)
	if len(event) > len("{}") {
		head = append(head, ',')
	}
	out, err := c.Invoke(ctx, append(head, event[1:]...))
	if err != nil {
		return answer, err
	}
	var refusal struct {
		Status    int           `json:"statusCode"`
		Code      recovery.Code `json:"error"`
		Message   string        `json:"message"`
		Retryable bool          `json:"retryable"`
	}
	switch err := json.Unmarshal(out, &refusal); {
	case err != nil || refusal.Status == 0 && refusal.Code == "":
		return answer, ErrNotMuster
	case refusal.Status != 200:
		return answer, &recovery.Error{Code: refusal.Code, Message: refusal.Message, Retryable: refusal.Retryable}
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		return answer, fmt.Errorf("%w: to %s it says: %w", ErrNotMuster, operation, err)
	}
	return answer, nil
}

// IsNotFound says whether an error is the refusal of something that there is
// not.
func IsNotFound(err error) bool {
	refusal, is := errors.AsType[*recovery.Error](err)
	return is && refusal.Code == recovery.NotFound
}
