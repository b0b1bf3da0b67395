// Command execution-handler is the Lambda function: it answers action events
// from Step Functions and operation events from people, with AWS as the SDK
// finds it.
//
// Its settings are the table in settings.go, checked when it starts.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"

	"muster/awssns"
	"muster/cmd/wiring"
	"muster/orchestrator"
)

func main() {
	ctx := context.Background()
	h, err := build(ctx, os.Getenv, os.Stderr)
	if err != nil {
		slog.New(slog.NewJSONHandler(os.Stderr, nil)).Error("the function cannot start", "error", err.Error())
		os.Exit(1)
	}
	log.SetFlags(0) // the runtime's own lines are JSON, and stay so without a date before them
	lambda.StartWithOptions(h, lambda.WithContext(ctx))
}

// build puts the function together. It calls nobody.
func build(ctx context.Context, env func(string) string, logs io.Writer) (*handler, error) {
	if env("AWS_LAMBDA_RUNTIME_API") == "" {
		return nil, fmt.Errorf("AWS_LAMBDA_RUNTIME_API is not set: this program runs in AWS Lambda; on your own machine, use: muster function")
	}
	settings, err := readSettings(env)
	if err != nil {
		return nil, err
	}
	aws, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("the AWS configuration: %w", err)
	}
	store := wiring.Table(aws, settings.table)
	where := place{function: env("AWS_LAMBDA_FUNCTION_NAME"), region: env("AWS_REGION")}
	h := &handler{metrics: newMetrics(logs, where.function), log: slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: settings.level}))}
	h.house = wiring.House{Accounts: wiring.Accounts(aws, h.metrics.throttle), Executions: store, Frozen: new(orchestrator.FrozenPlans), Plans: store, Groups: settings.groups,
		Machine: wiring.StateMachine(aws, settings.machine), Home: &orchestrator.Home{Records: store, AWS: hub}}
	h.people = &notifier{executions: store, metrics: h.metrics, where: where}
	if settings.topic != "" {
		topic, err := awssns.New(aws, settings.topic)
		if err != nil {
			return nil, fmt.Errorf("MUSTER_TOPIC %w", err)
		}
		h.people.topic = topic
	}
	return h, nil
}
