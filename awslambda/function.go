// Package awslambda asks a function in AWS Lambda, as people do who operate
// what is deployed.
package awslambda

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"muster/recovery"
)

// invoker is what is called of Lambda, and so the one permission that it
// takes.
type invoker interface {
	Invoke(context.Context, *lambda.InvokeInput, ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

// Function is one function, by one of its aliases. It may be called at the
// same time.
type Function struct {
	name, alias string
	client      invoker
}

var functionName = regexp.MustCompile(`^(?:arn:aws[a-z-]*:lambda:([a-z0-9-]+):[0-9]{12}:function:)?[A-Za-z0-9_-]{1,64}(?::(\$LATEST|[A-Za-z0-9_-]{1,128}))?$`)

// Parse takes apart NAME or NAME:ALIAS, where NAME is a function's name or its
// ARN: the alias, and the region of an ARN; "" for what it does not say.
func Parse(s string) (name, alias, region string, err error) {
	parts := functionName.FindStringSubmatch(s)
	if parts == nil {
		return "", "", "", fmt.Errorf("%s is not a function: it must be NAME, NAME:ALIAS, or an ARN, arn:aws:lambda:REGION:ACCOUNT:function:NAME with or without :ALIAS", recovery.Quote(s))
	}
	name = s
	if parts[2] != "" {
		name = s[:len(s)-len(parts[2])-1]
	}
	return name, parts[2], parts[1], nil
}

// tries is how often a call is sent, and between how far apart at most: what is
// asked of a function may be asked for twice.
const (
	tries     = 5
	farthest  = 5 * time.Second
	resending = time.Second
)

// New makes a function of a name and an alias, as Parse gives them, with the
// credentials and in the region of the configuration. It calls nobody.
func New(config aws.Config, name, alias string) *Function {
	return &Function{name, alias, lambda.NewFromConfig(config, func(o *lambda.Options) {
		o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) { r.MaxAttempts, r.MaxBackoff = tries, farthest })
	})}
}

// String is how the function is called: NAME:ALIAS.
func (f *Function) String() string { return f.name + ":" + f.alias }

// Invoke sends one event, which may be sent twice, and gives the answer, which
// is JSON. Its errors are *Failed, where the function ended without an answer,
// *recovery.ServiceError, where Lambda refused or did not answer, and the
// context's.
func (f *Function) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	for try := 1; ; try++ {
		out, err := f.client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &f.name, Qualifier: &f.alias, Payload: event})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			return nil, failure(err)
		}
		if out.FunctionError == nil {
			return out.Payload, nil
		}
		failed := &Failed{}
		if json.Unmarshal(out.Payload, failed) != nil || failed.Type == "" {
			failed.Type = *out.FunctionError
		}
		if try == tries || !failed.Again() {
			return nil, failed
		}
		select {
		case <-time.After(resending):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
