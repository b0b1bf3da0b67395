package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"muster/cmd/wiring"
	"muster/event"
	"muster/recovery"
)

// handler answers invocations, and logs what happens in them. It implements
// lambda.Handler: events and answers are bytes, and stay so.
type handler struct {
	house   wiring.House
	people  *notifier
	metrics *metrics
	log     *slog.Logger
}

// notifyAlias is the alias by which the function hears what people are to be
// told.
const notifyAlias = "notify"

// Invoke implements lambda.Handler. An error becomes Lambda's: Step Functions
// retries it by the name that FailureType gives.
func (h *handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	log := h.log
	var caller event.Caller
	if c, ok := lambdacontext.FromContext(ctx); ok {
		log = log.With("requestId", c.AwsRequestID)
		caller = event.Caller{Alias: aliasOf(c.InvokedFunctionArn), RequestID: c.AwsRequestID}
	}
	begun := time.Now()
	defer h.metrics.flush()
	answer, err := h.answer(ctx, log, caller, payload)
	took := slog.Int64("milliseconds", time.Since(begun).Milliseconds())
	if err != nil {
		log.Error("no answer", "error", err.Error(), "errorType", wiring.FailureType(err), took)
		return nil, messages.InvokeResponse_Error{Type: wiring.FailureType(err), Message: err.Error()}
	}
	log.Info("answered", "bytes", len(answer), took)
	return answer, nil
}

func (h *handler) answer(ctx context.Context, log *slog.Logger, caller event.Caller, payload []byte) ([]byte, error) {
	if caller.Alias == notifyAlias {
		return h.people.Invoke(ctx, log, payload)
	}
	handler := h.house.Handler(observer(log))
	handler.Caller = caller
	return handler.Invoke(ctx, payload)
}

// aliasOf gives the alias by which the function was called, as the last part of
// the ARN that was invoked.
func aliasOf(arn string) event.Alias {
	parts := strings.Split(arn, ":") // arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]
	if len(parts) < 8 {
		return ""
	}
	return wiring.AliasOf(parts[7])
}

// hub says which AWS the function acts in: that of the ARN that was invoked.
func hub(ctx context.Context) (recovery.AWS, error) {
	c, ok := lambdacontext.FromContext(ctx)
	if !ok {
		return "", errors.New("the invocation does not say which function it is of")
	}
	invoked, err := arn.Parse(c.InvokedFunctionArn)
	if err != nil {
		return "", fmt.Errorf("the invocation does not say which function it is of: %w", err)
	}
	return recovery.RealAWS(invoked.Partition, invoked.AccountID)
}

// observer logs what happens, with the words of the record.
func observer(log *slog.Logger) wiring.Observer {
	return func(id recovery.ExecutionID, ev recovery.Event) {
		attrs := []slog.Attr{
			slog.String("kind", string(ev.Kind)),
			slog.String("executionId", string(id)),
			waveOf(ev),
			slog.Int("attempt", ev.Attempt),
		}
		if ev.JobID != "" {
			attrs = append(attrs, slog.String("jobId", string(ev.JobID)))
		}
		if len(ev.Changes) > 0 {
			attrs = append(attrs, slog.Any("changes", ev.Changes))
		}
		log.LogAttrs(context.Background(), levelOf(ev.Kind), ev.Message, attrs...)
	}
}

// waveOf is the number of the wave that an event is about; of one that is about
// the execution as a whole nothing is logged.
func waveOf(ev recovery.Event) slog.Attr {
	if wave, is := ev.About(); is {
		return slog.Int("wave", wave)
	}
	return slog.Attr{}
}

// levelOf says who has to see an event: somebody, or whoever asks for more.
func levelOf(kind recovery.EventKind) slog.Level {
	switch kind {
	case recovery.EventRefused, recovery.EventTakenOver, recovery.EventLooking, recovery.EventRetrying:
		return slog.LevelWarn
	case recovery.EventAssumed, recovery.EventReady, recovery.EventConfigured:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}
