package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"muster/event"
	"muster/orchestrator"
	"muster/recovery"
)

var _ source = (*remote)(nil)

// mostRemote is how many executions a function lists.
const mostRemote = 100

func (r *remote) find(ctx context.Context, name string) (recovery.ExecutionID, error) {
	id := recovery.ExecutionID(name)
	if name != "last" && id.Check() == nil {
		_, err := r.look(ctx, id, noEvents)
		if refusal, is := errors.AsType[*recovery.Error](err); !is || refusal.Code != recovery.NotFound {
			return id, asked(err)
		}
	}
	all, err := r.list(ctx, mostRemote)
	if err != nil {
		return "", asked(err)
	}
	ids := make([]recovery.ExecutionID, len(all))
	for i, l := range all {
		ids[i] = l.ID
	}
	found, err := named(ids, name)
	if found == "" && err == nil {
		err = usage("See: muster list", "there is no execution %s at function %s", recovery.Quote(name), r.function)
	}
	return found, err
}

func (r *remote) list(ctx context.Context, most int) ([]listing, error) {
	if most > mostRemote {
		return nil, usage("", "--most: a function lists %d executions at most", mostRemote)
	}
	var answer struct {
		Executions []json.RawMessage `json:"executions"`
	}
	if err := r.ask(ctx, "list_executions", parameters{"limit": most}, &answer); err != nil {
		return nil, err
	}
	var out []listing
	for _, doc := range answer.Executions {
		var line struct {
			event.Overview
			Start string `json:"startTime"`
		}
		if err := json.Unmarshal(doc, &line); err != nil {
			return nil, err
		}
		line.Begun, _ = time.Parse(time.RFC3339, line.Start) // who began it elsewhere may have said something else
		out = append(out, listing{&account{line.Overview}, doc})
	}
	return out, nil
}

// noEvents is behind every event.
const noEvents = 999_999_999

// told is what get_execution answers.
type told struct {
	account
	Omitted     []int `json:"serverOutcomesOmitted"`
	EventsAfter int64 `json:"eventsAfter"`
}

func (r *remote) look(ctx context.Context, id recovery.ExecutionID, after int64) (*account, error) {
	a, err := r.get(ctx, id, after)
	if err != nil {
		return nil, err
	}
	return &a.account, nil
}

func (r *remote) get(ctx context.Context, id recovery.ExecutionID, after int64) (*told, error) {
	var events []recovery.Event
	for {
		a := &told{}
		if err := r.ask(ctx, "get_execution", parameters{"executionId": id, "eventsAfter": after}, a); err != nil {
			return nil, err
		}
		events = append(events, a.Events...)
		a.Events = events
		if a.EventsAfter == 0 {
			return a, nil
		}
		after = a.EventsAfter
	}
}

// whole asks for what one answer does not hold, too.
func (r *remote) whole(ctx context.Context, id recovery.ExecutionID) (*account, error) {
	a, err := r.get(ctx, id, 0)
	if err != nil {
		return nil, err
	}
	for _, wave := range a.Omitted {
		var one told
		if err := r.ask(ctx, "get_execution", parameters{"executionId": id, "eventsAfter": noEvents, "waveNumber": wave}, &one); err != nil {
			return nil, err
		}
		for i := range a.Waves {
			if a.Waves[i].Number == wave && len(one.Waves) == 1 {
				a.Waves[i] = one.Waves[0]
			}
		}
	}
	return &a.account, nil
}

// decision is what the function answers to one.
type decision struct {
	WakeFailure string `json:"wakeFailure"`
}

func (r *remote) decide(ctx context.Context, id recovery.ExecutionID, d recovery.Decision) (aside, error) {
	p := parameters{"executionId": id, "choice": d.Choice, "by": d.By}
	if d.Question != "" {
		p["question"] = d.Question
	}
	if d.Wave != nil {
		p["waveNumber"] = *d.Wave
	}
	if len(d.Exclude) > 0 {
		p["excludeServers"] = d.Exclude
	}
	if len(d.Gone) > 0 {
		p["treatAsGone"] = d.Gone
	}
	if d.Reason != "" {
		p["reason"] = d.Reason
	}
	if r.confirm != "" {
		p["confirm"] = r.confirm
	}
	var answer decision
	err := r.ask(ctx, "decide", p, &answer)
	return aside{Unwoken: answer.WakeFailure}, err
}

func (r *remote) pause(ctx context.Context, id recovery.ExecutionID, why recovery.Request) (aside, error) {
	p := parameters{"executionId": id, "by": why.By}
	if why.Reason != "" {
		p["reason"] = why.Reason
	}
	var answer struct {
		decision
		Sent []orchestrator.Marked `json:"startsSent"`
	}
	err := r.ask(ctx, "pause", p, &answer)
	return aside{answer.Sent, answer.WakeFailure}, err
}

// callerTime is how long is waited to hear who asks: nothing depends on it.
const callerTime = 3 * time.Second

// caller asks STS whose credentials these are.
func (r *remote) caller(ctx context.Context) string {
	if r.served {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, callerTime)
	defer cancel()
	out, err := sts.NewFromConfig(r.config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil || recovery.CheckText(aws.ToString(out.Arn)) != nil {
		return ""
	}
	return *out.Arn
}

// slowest: each look is a call of the function.
func (r *remote) slowest() time.Duration { return 5 * time.Second }

func (r *remote) Close() error { return nil }
