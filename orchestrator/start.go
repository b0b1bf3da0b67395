package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"muster/recovery"
)

// recordMargin is kept back from an invocation's time to record what happened.
const recordMargin = 5 * time.Second

// errLost means that another invocation owns the claim now: ours stops, and
// gives that one's answer.
var errLost = errors.New("another invocation has taken over the start of this wave")

// StartWave starts the wave's recovery job: once, however often and however
// concurrently it is asked to. The same question gets the first one's answer.
//
// A *recovery.Error is an answer: nothing was launched (or, where the message
// says that it is unclear, it is being looked for). Any other error means that
// what happened could not be known or recorded, and that the same question
// must be asked again, which is always safe.
func (o *Orchestrator) StartWave(ctx context.Context, w recovery.WaveStart) (*Started, error) {
	if err := o.saidAhead(w.Gone); err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		if time.Until(deadline) <= recordMargin {
			return nil, fmt.Errorf("starting wave %d of execution %s: %w", w.Wave.Number, w.Execution, recovery.ErrNoTime)
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-recordMargin))
		defer cancel()
	}
	for {
		c, earlier, err := o.claim(ctx, &w) // waits for, and gives, another invocation's answer
		if earlier != nil || err != nil {
			return earlier, err
		}
		started, err := c.start(ctx)
		if errors.Is(err, errLost) {
			continue
		}
		return started, err
	}
}

// start is the wave's whole way from the claim to the answer.
func (c *claim) start(ctx context.Context) (*Started, error) {
	work, stop := c.keepLease(ctx)
	defer stop()
	if a := c.held(); a.MayHaveJob() {
		job, err := c.findJob(work)
		if job != nil {
			return c.settle(ctx, job, nil)
		}
		if err != nil {
			return c.abandon(ctx, cause(work, err))
		}
		c.unsent = true
		if err := c.forbidden(); err != nil {
			return c.settle(ctx, nil, err)
		}
	}
	region, err := c.prepare(work) // may be repeated freely
	if err != nil {
		return c.settle(ctx, nil, cause(work, err))
	}
	looked, job, err := c.guard(work, region) // right before it is sent
	if job != nil || err != nil {
		return c.settle(ctx, job, cause(work, err))
	}
	stop() // from here on the deadline of the sending protects the claim
	job, err = c.send(ctx, region, looked)
	return c.settle(ctx, job, err)
}

// cause prefers the reason why work was cut short to the errors that the cut
// made.
func cause(work context.Context, err error) error {
	why := context.Cause(work)
	if why == nil {
		return err
	}
	if errors.Is(why, errLost) {
		return errLost
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("interrupted before anything was sent: %w", why)
	}
	return err
}
