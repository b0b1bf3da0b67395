package main

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/spf13/pflag"

	"muster/awslambda"
	"muster/event"
	"muster/recovery"
	"muster/simulator"
)

// openSource opens what the flags lead to: a function, by the alias that the
// command needs unless another was said, or a record that is there.
func (m *Main) openSource(ctx context.Context, w *worldFlags, alias event.Alias) (source, error) {
	if w.function != "" {
		return w.openFunction(ctx, alias)
	}
	h, err := w.openRecord(ctx, m)
	if err != nil {
		return nil, err
	}
	return record{h}, nil
}

// addFunction adds the flag of a Muster that is deployed.
func (w *worldFlags) addFunction(flags *pflag.FlagSet) {
	flags.StringVar(&w.function, "function", "", "ask the Muster that is deployed as the Lambda function `NAME`, or ARN, with or without :ALIAS, with your own AWS settings (default alias: operate; read for what only looks)")
}

// addKept adds the flags of what only a deployed Muster has.
func (w *worldFlags) addKept(flags *pflag.FlagSet) {
	w.fleet, w.speed = simulator.DefaultFleet, 1
	flags.StringVar(&w.endpoint, "endpoint", "", "the function that is served at `URL` (muster function), instead of one in AWS")
	w.addFunction(flags)
}

// openFunction calls nobody but the address of a function that is served here.
func (w *worldFlags) openFunction(ctx context.Context, alias event.Alias) (*remote, error) {
	if w.aws || w.fleet != simulator.DefaultFleet || w.data != "" || w.store != "" || w.speed != 1 || w.seed != 0 || len(w.faults) > 0 {
		return nil, usage("", "--function is a Muster that is deployed: --aws, --fleet, --data, --store, --speed, --seed and --fault are about one on this machine")
	}
	name, said, region, err := awslambda.Parse(w.function)
	if err != nil {
		return nil, usage("", "--function: %w", err)
	}
	r := &remote{alias: cmp.Or(said, string(alias)), served: w.endpoint != ""}
	if r.served {
		if err := dial(ctx, w.endpoint); err != nil {
			return nil, err
		}
		r.config = aws.Config{Region: cmp.Or(region, "us-east-1"), BaseEndpoint: aws.String(w.endpoint),
			Credentials: credentials.NewStaticCredentialsProvider(simulator.CallersAccount, "simulated", "")}
	} else {
		if r.config, err = config.LoadDefaultConfig(ctx); err != nil {
			return nil, usage("", "your AWS settings: %w", err)
		}
		r.config.Region = cmp.Or(region, r.config.Region)
		if r.config.Region == "" {
			return nil, usage("Set AWS_REGION to the region of the function", "your AWS settings name no region")
		}
	}
	r.function = awslambda.New(r.config, name, r.alias)
	return r, nil
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
