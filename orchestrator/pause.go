package orchestrator

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"muster/recovery"
)

// Pause asks that nothing new be started; what runs, runs on. From the moment
// on at which it is recorded no start is marked as sent. Starts that were marked
// before are given, with what became of them.
func (o *Orchestrator) Pause(ctx context.Context, id recovery.ExecutionID, r recovery.Request) ([]Marked, error) {
	var before *recovery.Execution
	_, err := o.amend(ctx, id, func(e *recovery.Execution) (*recovery.Change, error) {
		if err := o.opened(e); err != nil {
			return nil, err
		}
		if e.Ended != nil || e.Cancel != nil {
			return nil, recovery.Errorf(recovery.ValidationError, "execution %s is over or cancelled: there is nothing to pause", id)
		}
		known := *e
		before = &known
		if !e.AskPause(r) {
			return nil, nil
		}
		words := fmt.Sprintf("%s asked for a pause", recovery.Quote(r.By))
		if r.Reason != "" {
			words += ", because " + recovery.Quote(r.Reason)
		}
		c := e.WithEvent(recovery.Event{At: o.now(), Kind: recovery.EventPaused, RequestID: r.RequestID, By: r.By, Reason: r.Reason, Message: words})
		return &c, nil
	})
	if err != nil {
		return nil, err
	}
	return o.marked(ctx, before), nil
}

// Marked is a start that was marked as sent when somebody asked that nothing
// new be started.
type Marked struct {
	Wave    int            `json:"waveNumber"`
	Attempt int            `json:"attempt"`
	SentAt  time.Time      `json:"sentAt"`
	Became  Became         `json:"became"`
	JobID   recovery.JobID `json:"jobId,omitempty"`
}

// Became says what became of a start.
type Became string

// What may become of one.
const (
	BecameStarted Became = "STARTED"  // its job runs
	BecameNothing Became = "NOT_SENT" // it made no job, and makes none while nothing new may start
	BecameUnknown Became = "UNKNOWN"  // that is not known yet
)

// String tells of it.
func (m Marked) String() string {
	what := fmt.Sprintf("the start of wave %d was sent already, at %s: ", m.Wave, m.SentAt.UTC().Format(time.RFC3339))
	switch m.Became {
	case BecameStarted:
		return what + fmt.Sprintf("job %s runs on", m.JobID)
	case BecameNothing:
		return what + "it made no job"
	}
	return what + "whether it made a job is not known yet"
}

// markedStep is how often it is looked what became of a start.
const markedStep = time.Second

// marked gives the starts that an execution had marked as sent, and waits for
// what becomes of them, as long as one call takes.
func (o *Orchestrator) marked(ctx context.Context, before *recovery.Execution) []Marked {
	var all []Marked
	for _, a := range before.Attempts {
		if a.MayHaveJob() { // taken over by somebody who looks for it, perhaps
			all = append(all, Marked{Wave: a.Wave, Attempt: a.Attempt, SentAt: a.SentAt, Became: BecameUnknown})
		}
	}
	for began := time.Now(); len(all) > 0; {
		e, err := o.Executions.Execution(ctx, before.ID)
		if err != nil {
			return all // what is not known is said to be
		}
		open := false
		for i := range all {
			all[i].become(e.Attempt(all[i].Wave))
			open = open || all[i].Became == BecameUnknown
		}
		if !open || time.Since(began) > recovery.SendTimeout || sleep(ctx, markedStep) != nil {
			return all
		}
	}
	return all
}

func (m *Marked) become(a *recovery.Attempt) {
	switch {
	case a == nil || a.MayHaveJob() && a.Attempt == m.Attempt:
	case a.State == recovery.Started && a.Attempt == m.Attempt:
		m.Became, m.JobID = BecameStarted, cmp.Or(a.JobID, m.JobID)
	default:
		m.Became = BecameNothing
	}
}
