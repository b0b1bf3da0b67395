package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/spf13/pflag"

	"muster/awslambda"
	"muster/client"
	"muster/event"
	"muster/recovery"
	"muster/simulator"
)

// addFunction adds the flag of a Muster that is deployed.
func (w *worldFlags) addFunction(flags *pflag.FlagSet) {
	flags.StringVar(&w.function, "function", "", "ask the Muster that is deployed as the Lambda function `NAME`, or ARN, with or without :ALIAS, with your own AWS settings (default alias: operate; read for what only looks)")
}

// openFunction calls nobody but the address of a function that is served here.
func (w *worldFlags) openFunction(ctx context.Context, alias event.Alias) (*invoker, error) {
	if w.aws || w.fleet != simulator.DefaultFleet || w.data != "" || w.store != "" || w.speed != 1 || w.seed != 0 || len(w.faults) > 0 {
		return nil, usage("", "--function is a Muster that is deployed: --aws, --fleet, --data, --store, --speed, --seed and --fault are about one on this machine")
	}
	name, said, region, err := awslambda.Parse(w.function)
	if err != nil {
		return nil, usage("", "--function: %w", err)
	}
	var settings aws.Config
	caller := func(context.Context) string { return "" }
	if w.endpoint != "" {
		if err := dial(ctx, w.endpoint); err != nil {
			return nil, err
		}
		settings = aws.Config{Region: cmp.Or(region, "us-east-1"), BaseEndpoint: aws.String(w.endpoint),
			Credentials: credentials.NewStaticCredentialsProvider(simulator.CallersAccount, "simulated", "")}
	} else {
		if settings, err = ownSettings(ctx); err != nil {
			return nil, err
		}
		settings.Region = cmp.Or(region, settings.Region)
		if settings.Region == "" {
			return nil, usage("Set AWS_REGION to the region of the function", "your AWS settings name no region")
		}
		caller = func(ctx context.Context) string { return callerOf(ctx, settings) }
	}
	f := lambda{awslambda.New(settings, name, cmp.Or(said, string(alias))), settings.Region, cmp.Or(said, string(alias))}
	return &invoker{Client: client.Client{Invoke: f.invoke}, where: fmt.Sprintf("at function %s", f.Function), every: 5 * time.Second, caller: caller}, nil
}

// lambda is a function by its alias; what it fails with is told to people.
type lambda struct {
	*awslambda.Function
	region, alias string
}

func (f lambda) invoke(ctx context.Context, event []byte) ([]byte, error) {
	answer, err := f.Invoke(ctx, event)
	if err != nil {
		return nil, f.explain(err)
	}
	return answer, nil
}

// explain says why there is no answer, and the way out.
func (f lambda) explain(err error) error {
	if failed, is := errors.AsType[*awslambda.Failed](err); is {
		hint := "Its log says more: aws logs tail, on the log group of the function"
		if failed.Again() {
			hint = "It is safe to ask again. " + hint
		}
		return &failure{exitFailure, fmt.Errorf("function %s failed: %w", f, failed), hint}
	}
	refused, is := errors.AsType[*recovery.ServiceError](err)
	if !is {
		return err
	}
	switch refused.Code {
	case awslambda.NotFound:
		return usage("Is it another name, alias, region (AWS_REGION) or account (AWS_PROFILE)?", "there is no function %s in region %s: %w", f, f.region, refused)
	case awslambda.AccessDenied:
		return &failure{exitRefused, fmt.Errorf("you may not call function %s: %w", f, refused),
			fmt.Sprintf("It takes lambda:InvokeFunction on the function's alias %s%s", f.alias, otherAlias(f.alias))}
	case awslambda.NoCredentials:
		return usage("Sign in, or set AWS_PROFILE", "the call to function %s could not be signed with your AWS credentials: %w", f, refused)
	case awslambda.Throttled:
		return &failure{exitFailure, fmt.Errorf("function %s is called too often: %w", f, refused), "Ask again in a minute"}
	}
	return fmt.Errorf("asking function %s: %w", f, refused)
}

// otherAlias tells of the alias that allows a look without more.
func otherAlias(alias string) string {
	if alias == string(event.Operate) {
		return "; to look alone (list, show, watch), its alias read is enough"
	}
	return "; or say --function NAME:operate, if that is the one that you may call"
}

// callerTime is how long is waited to hear who asks, and whether somebody lives
// elsewhere: nothing depends on it.
const callerTime = 3 * time.Second

// callerOf asks STS whose credentials these are.
func callerOf(ctx context.Context, settings aws.Config) string {
	ctx, cancel := context.WithTimeout(ctx, callerTime)
	defer cancel()
	out, err := sts.NewFromConfig(settings).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil || recovery.CheckText(aws.ToString(out.Arn)) != nil {
		return ""
	}
	return *out.Arn
}

// dial makes sure that somebody answers: a dead port would be asked again for
// long.
func dial(ctx context.Context, endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return usage("Give the address that muster function prints, e.g. --endpoint http://127.0.0.1:9001", "--endpoint: %s is not the URL of a server", recovery.Quote(endpoint))
	}
	asking, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	conn, err := new(net.Dialer).DialContext(asking, "tcp", net.JoinHostPort(u.Hostname(), port))
	switch op, _ := errors.AsType[*net.OpError](err); {
	case ctx.Err() != nil:
		return ctx.Err()
	case op != nil:
		return usage("Start it there (muster function), or give the address that it printed", "--endpoint: nothing answers at %s: %w", endpoint, op.Err)
	case err != nil:
		return usage("", "--endpoint: nothing answers at %s: %w", endpoint, err)
	}
	return conn.Close()
}

// base is the function without an alias that the command would choose itself.
func (w *worldFlags) base() string {
	name, alias, _, err := awslambda.Parse(w.function)
	if err != nil || alias == "" || alias == string(event.Read) || alias == string(event.Operate) {
		return strings.TrimSuffix(cmp.Or(name, w.function), ":")
	}
	return w.function
}
