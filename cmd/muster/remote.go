package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"muster/awslambda"
	"muster/event"
	"muster/recovery"
)

// remote is a deployed Muster, which is asked by operation events.
type remote struct {
	function *awslambda.Function
	alias    string
	config   aws.Config
	confirm  string // of the execution's plan, which some decisions need; "": none
	served   bool   // by muster function, and not by AWS: nobody's credentials are known
}

// parameters of an operation. Those that are nil are left out.
type parameters map[string]any

// ask asks for an operation, and reads its answer.
func (r *remote) ask(ctx context.Context, operation string, p parameters, answer any) error {
	e := map[string]any{"operation": operation}
	for key, value := range p {
		if value != nil {
			e[key] = value
		}
	}
	payload, err := json.Marshal(e)
	if err != nil {
		return err
	}
	out, err := r.function.Invoke(ctx, payload)
	if err != nil {
		return r.explain(err)
	}
	var refusal struct {
		Status    int           `json:"statusCode"`
		Code      recovery.Code `json:"error"`
		Message   string        `json:"message"`
		Retryable bool          `json:"retryable"`
	}
	switch err := json.Unmarshal(out, &refusal); {
	case err != nil || refusal.Status == 0 && refusal.Code == "":
		return usage("Is it the execution handler, of this version or a later one?", "function %s does not answer as Muster does", r.function)
	case refusal.Status != 200:
		return &recovery.Error{Code: refusal.Code, Message: refusal.Message, Retryable: refusal.Retryable}
	}
	if err := json.Unmarshal(out, answer); err != nil {
		return fmt.Errorf("the answer of function %s to %s: %w", r.function, operation, err)
	}
	return nil
}

// explain says why there is no answer, and the way out.
func (r *remote) explain(err error) error {
	if failed, is := errors.AsType[*awslambda.Failed](err); is {
		hint := "Its log says more: aws logs tail, on the log group of the function"
		if failed.Again() {
			hint = "It is safe to ask again. " + hint
		}
		return &failure{exitFailure, fmt.Errorf("function %s failed: %w", r.function, failed), hint}
	}
	refused, is := errors.AsType[*recovery.ServiceError](err)
	if !is {
		return err
	}
	switch refused.Code {
	case awslambda.NotFound:
		return usage("Is it another name, alias, region (AWS_REGION) or account (AWS_PROFILE)?", "there is no function %s in region %s: %w", r.function, r.config.Region, refused)
	case awslambda.AccessDenied:
		return &failure{exitRefused, fmt.Errorf("you may not call function %s: %w", r.function, refused),
			fmt.Sprintf("It takes lambda:InvokeFunction on the function's alias %s%s", r.alias, otherAlias(r.alias))}
	case awslambda.NoCredentials:
		return usage("Sign in, or set AWS_PROFILE", "the call to function %s could not be signed with your AWS credentials: %w", r.function, refused)
	case awslambda.Throttled:
		return &failure{exitFailure, fmt.Errorf("function %s is called too often: %w", r.function, refused), "Ask again in a minute"}
	}
	return fmt.Errorf("asking function %s: %w", r.function, refused)
}

// otherAlias tells of the alias that allows a look without more.
func otherAlias(alias string) string {
	if alias == string(event.Operate) {
		return "; to look alone (list, show, watch), its alias read is enough"
	}
	return "; or say --function NAME:operate, if that is the one that you may call"
}
