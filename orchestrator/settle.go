package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"muster/recovery"
)

// recordTimeout is how long recording may take. It is a time of its own, for
// what happened must be recorded even when the invocation's time is over.
const recordTimeout = recordMargin - time.Second

// settle records what came of the start, whatever it was, and answers.
func (c *claim) settle(ctx context.Context, job *recovery.Job, why error) (*Started, error) {
	var refusal *recovery.Error
	var open unclear
	var wait held
	switch {
	case why == nil:
		return c.settleStarted(ctx, job)
	case errors.Is(why, errLost):
		return nil, errLost
	case errors.As(why, &open):
		c.tell(recovery.EventNote, "%s", open.answer.Message)
		return nil, open.answer
	case errors.As(why, &wait):
		return nil, c.release(ctx, wait.answer)
	case errors.As(why, &refusal):
		return nil, c.settleRefused(ctx, refusal)
	}
	return nil, c.release(ctx, why)
}

func (c *claim) settleStarted(ctx context.Context, job *recovery.Job) (*Started, error) {
	kind := recovery.EventStarted
	if c.found {
		kind = recovery.EventAdopted
	}
	started := c.held().Start(job, c.o.now())
	err := c.record(ctx, func(a recovery.Attempt) recovery.Attempt { return a.Start(job, started.StartedAt) }, &recovery.Event{
		At: started.StartedAt, Kind: kind, JobID: job.ID,
		Message: fmt.Sprintf("job %s recovers %d of %s", job.ID, len(started.Accepted), recovery.Count(len(started.Servers), "server")),
	})
	if err != nil {
		return nil, fmt.Errorf("recording job %s of wave %d of execution %s: %w", job.ID, started.Wave, c.w.Execution, err)
	}
	return answer(c.exec, &started), nil
}

func (c *claim) settleRefused(ctx context.Context, refusal *recovery.Error) error {
	err := c.record(ctx, func(a recovery.Attempt) recovery.Attempt { return a.Refuse(refusal) },
		&recovery.Event{At: c.o.now(), Kind: recovery.EventRefused, Message: refusal.Error()})
	if err != nil {
		return fmt.Errorf("recording why wave %d of execution %s was refused (%s): %w", c.w.Wave.Number, c.w.Execution, refusal.Message, err)
	}
	return refusal
}

// abandon gives the claim up when it could not be found out whether a job
// exists. Nothing is refused: it is looked for again, after waits that grow
// where AWS refused the look.
func (c *claim) abandon(ctx context.Context, why error) (*Started, error) {
	if errors.Is(why, errLost) {
		return nil, errLost
	}
	var refused *recovery.Error
	if !errors.As(why, &refused) {
		return nil, c.release(ctx, why)
	}
	now := c.o.now()
	unseen := func(a recovery.Attempt) recovery.Attempt { return a.Release(now).NotSeen(refused, now) }
	later := unseen(c.held())
	err := c.record(ctx, unseen, &recovery.Event{At: now, Kind: recovery.EventPostponed,
		Message: fmt.Sprintf("whether the start that was sent at %s made a job could not be found out, looked for again in %s: %s",
			later.FirstSentAt.UTC().Format(time.RFC3339), later.Unseen.Again.Sub(now).Round(time.Second), refused.Message)})
	if errors.Is(err, errLost) {
		return nil, errLost
	}
	return nil, why
}

// release ends the lease of a claim whose invocation stops before it sent
// anything, so that the next one need not wait for it. What was sent keeps its
// deadline, unless it is certain that it made no job: then it counts as not
// sent.
func (c *claim) release(ctx context.Context, why error) error {
	message := "stopped before anything was sent: "
	if a := c.held(); a.MayHaveJob() {
		message = "stopped before it was known whether what was sent made a job: "
	}
	free := func(a recovery.Attempt) recovery.Attempt { return a.Release(c.o.now()) }
	switch a := c.held(); {
	case c.unsent && a.MayHaveJob():
		message = "what was sent made no job, and counts as not sent: "
		free = func(a recovery.Attempt) recovery.Attempt { return a.Unsend(c.o.now()) }
	case a.State != recovery.Claimed:
		return why
	}
	err := c.record(ctx, free, &recovery.Event{At: c.o.now(), Kind: recovery.EventReleased, Message: message + why.Error()})
	if errors.Is(err, errLost) {
		return errLost
	}
	return why // the lease ends by itself where it could not be ended
}

// record is update with a time of its own, for the invocation's may be over.
// Where the invocation still has time (its machine may have slept through the
// first try), it is tried again.
func (c *claim) record(ctx context.Context, change func(recovery.Attempt) recovery.Attempt, ev *recovery.Event) error {
	for try := 1; ; try++ {
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
		err := c.change(own, change, ev, true)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil || try == storeTries {
			return err
		}
	}
}
