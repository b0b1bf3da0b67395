package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"muster/awssns"
	"muster/dynamo"
	"muster/recovery"
)

// notifier is the function as its alias notify: it hears from the table's
// stream what was written into the record, and tells people. It changes
// nothing, and no recovery waits for it.
//
// A change that was recorded is in the stream, and Lambda delivers it until it
// is told: so it is told at least once, whatever became of the invocation that
// recorded it. It is told twice only where the answer of an invocation, or of
// SNS, was lost.
type notifier struct {
	executions recovery.ExecutionStore
	topic      interface { // nil: there is nobody to tell
		Publish(context.Context, awssns.Message) error
	}
	metrics *metrics
	where   place
}

// heard is what the alias notify is invoked with: changes of the table, or
// the wish for a look.
type heard struct {
	Records []change `json:"Records"`
	Look    string   `json:"look"`
}

// change is one change in a stream of DynamoDB.
type change struct {
	DynamoDB struct {
		SequenceNumber string
		NewImage       json.RawMessage
	} `json:"dynamodb"`
}

// undone tells Lambda from where on a batch is to be delivered again.
type undone struct {
	Failures []failure `json:"batchItemFailures"`
}

type failure struct {
	Item string `json:"itemIdentifier"`
}

// Invoke answers an invocation of the alias. An error, or a failure within the
// answer, makes Lambda ask again.
func (n *notifier) Invoke(ctx context.Context, log *slog.Logger, event []byte) ([]byte, error) {
	var h heard
	if err := json.Unmarshal(event, &h); err != nil || (len(h.Records) == 0) == (h.Look == "") {
		return nil, errors.New(`the alias notify takes changes of the table's stream, {"Records": […]}, or {"look": "decisions"}`)
	}
	if h.Look != "" {
		if h.Look != "decisions" {
			return nil, fmt.Errorf(`there is nothing to look at called %s; there is "decisions"`, recovery.Quote(h.Look))
		}
		return []byte("{}"), n.look(ctx, log)
	}
	answer := undone{Failures: []failure{}}
	for _, c := range h.Records {
		if err := n.tell(ctx, log, c); err != nil {
			log.Error("not told", "error", err.Error(), "sequenceNumber", c.DynamoDB.SequenceNumber)
			answer.Failures = append(answer.Failures, failure{c.DynamoDB.SequenceNumber})
			break // what follows is told after it
		}
	}
	return json.Marshal(answer)
}

func (n *notifier) tell(ctx context.Context, log *slog.Logger, c change) error {
	ev, err := dynamo.EventIn(c.DynamoDB.NewImage)
	if err != nil { // it will not be readable the next time either, and others wait behind it
		log.Error("a change of the table cannot be told", "error", err.Error(), "sequenceNumber", c.DynamoDB.SequenceNumber)
		return nil
	}
	e, err := n.executions.Execution(ctx, ev.Execution)
	var m awssns.Message
	worth := true
	switch {
	case recovery.Unreadable(err): // it stays so, and others wait behind it
		m = damagedNotice(ev, err, n.where)
	case err != nil:
		return fmt.Errorf("reading the record of execution %s: %w", ev.Execution, err)
	default:
		m, worth = notice(e, ev, n.where, time.Now())
	}
	if !worth {
		return nil
	}
	if n.topic != nil {
		if err := n.topic.Publish(ctx, m); err != nil {
			return err
		}
	}
	log.Info("told", "kind", string(ev.Kind), "executionId", string(ev.Execution), waveOf(ev), "attempt", ev.Attempt, "event", ev.Number, "published", n.topic != nil)
	if name := counted[ev.Kind]; name != "" {
		n.metrics.emit(name, 1)
	}
	return nil
}

// counted are the kinds of events that are metrics.
var counted = map[recovery.EventKind]metric{
	recovery.EventFailed:      wavesFailed,
	recovery.EventTimedOut:    wavesFailed,
	recovery.EventRefused:     wavesFailed,
	recovery.EventInterrupted: executionsInterrupted,
}

// mostLooked is how many executions, those that changed last, are looked at.
const mostLooked = 200

// look measures how long the execution that has waited longest for a decision
// has done so: 0 where none does. One whose record is damaged keeps nobody from
// being told of the others.
func (n *notifier) look(ctx context.Context, log *slog.Logger) error {
	list, err := n.executions.Executions(ctx, mostLooked)
	if err != nil {
		return fmt.Errorf("listing executions: %w", err)
	}
	var longest time.Duration
	for _, header := range list {
		if header.Ended != nil || header.Waves == nil {
			continue
		}
		e, err := n.executions.Execution(ctx, header.ID)
		if recovery.Unreadable(err) {
			log.Error("whether an execution waits cannot be read", "executionId", string(header.ID), "error", err.Error())
			continue
		}
		if err != nil {
			return fmt.Errorf("reading the record of execution %s: %w", header.ID, err)
		}
		now := time.Now()
		if recovery.Next(e, now).Action != recovery.DoAwaitDecision {
			continue
		}
		events, err := n.executions.Events(ctx, e.ID)
		if err != nil {
			return fmt.Errorf("reading the events of execution %s: %w", e.ID, err)
		}
		longest = max(longest, now.Sub(waitingSince(events)))
	}
	n.metrics.emit(decisionWait, max(0, longest.Seconds()))
	return nil
}

// waitingSince is when the wait began that a log ends in: the state machine
// says every day again that it waits.
func waitingSince(events []recovery.Event) time.Time {
	var since time.Time
	for i := len(events) - 1; i >= 0; i-- {
		since = events[i].At
		if i > 0 && events[i-1].Kind != recovery.EventAwaiting || events[i].Kind != recovery.EventAwaiting {
			break
		}
	}
	return since
}
