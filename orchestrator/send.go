package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"muster/recovery"
)

const (
	// sendTries is how often StartRecovery is sent in one invocation, where the
	// one before was throttled, or answered unclearly and left no job behind.
	sendTries = 4
	// throttleWait is how long a throttled StartRecovery waits before it is sent
	// again, unless DRS says how long; doubled each time.
	throttleWait = 2 * time.Second
	// mostThrottleWait is the longest that DRS may ask to wait here. Where it asks
	// for more the start is refused for now, and tried again like any other.
	mostThrottleWait = 30 * time.Second
	// freshLook is how old a look at what is at stake may be when the claim is
	// marked as sent. What is left of SendTimeout is for the call.
	freshLook = recovery.SendTimeout / 2
)

const notClear = "whether a job was started is not clear yet; send the same event again to find out"

// unclear is an answer that leaves open whether a job exists: the claim stays
// SENT, and whoever gets the event next looks for the job first.
type unclear struct{ answer *recovery.Error }

func (u unclear) Error() string { return u.answer.Error() }

// held is an answer to a start that was not sent, since nothing new may start
// for now: the claim is given back, and whoever goes on starts it.
type held struct{ answer *recovery.Error }

func (h held) Error() string { return h.answer.Error() }

// forbidden says why nothing may be sent now, as the record was last read.
func (c *claim) forbidden() error {
	c.mu.Lock()
	exec := c.exec
	c.mu.Unlock()
	switch why, final := exec.Forbidden(c.w.Wave.Number, c.o.now()); {
	case why == nil:
		return nil
	case final:
		return why
	default:
		return held{why}
	}
}

// send marks the claim as sent, starts the job, and makes sure of an answer
// that is not clear. looked is when it was seen that nothing alive is at stake;
// before it is sent again it is looked again.
func (c *claim) send(ctx context.Context, region recovery.Region, looked time.Time) (*recovery.Job, error) {
	var last *recovery.ServiceError
	for try := 1; ; try++ {
		var job *recovery.Job
		var err error
		if try > 1 || c.o.now().Sub(looked) > freshLook {
			looked, job, err = c.guard(ctx, region)
		}
		if job == nil && err == nil {
			job, err = c.sendOnce(ctx, region, looked)
		}
		if err == nil {
			return job, nil
		}
		if last != nil && errors.Is(err, recovery.ErrNoTime) {
			return nil, c.unclear(last, notClear)
		}
		var refused *recovery.ServiceError
		if !errors.As(err, &refused) {
			return nil, err
		}
		switch {
		case refused.Conflict():
			return c.conflict(ctx, region, refused)
		case refused.Ambiguous:
			c.tell(recovery.EventLooking, "the answer of StartRecovery did not come (%s); looking for the job", refused.Detail())
			job, lookErr := c.look(ctx, region, c.o.now().Add(recovery.JobVisibility))
			if job != nil {
				return job, nil
			}
			if lookErr != nil || try == sendTries {
				return nil, c.unclear(refused, notClear)
			}
			last, c.unsent = refused, true
			c.tell(recovery.EventRetrying, "no job is to be found: sending again")
		case refused.Throttled() && try < sendTries && refused.RetryAfter <= mostThrottleWait:
			wait := max(refused.RetryAfter, throttleWait<<(try-1))
			c.unsent = true
			c.tell(recovery.EventRetrying, "StartRecovery is throttled; sending again in %s", wait)
			if sleep(ctx, wait) != nil {
				return nil, drsFailure(refused)
			}
		default:
			return nil, drsFailure(refused)
		}
	}
}

// sendOnce marks the claim SENT and calls StartRecovery, in this order: from
// the mark on, everybody knows that a job may exist.
func (c *claim) sendOnce(ctx context.Context, region recovery.Region, looked time.Time) (*recovery.Job, error) {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < recovery.SendTimeout {
		return nil, fmt.Errorf("sending StartRecovery for wave %d of execution %s: %w", c.w.Wave.Number, c.w.Execution, recovery.ErrNoTime)
	}
	// Counted from the look: what is sent late was not looked at.
	now := c.o.now()
	until := looked.Add(recovery.SendTimeout)
	c.sending = true
	err := c.update(ctx, func(a recovery.Attempt) recovery.Attempt { return a.Send(now, until) },
		&recovery.Event{At: now, Kind: recovery.EventSent, Message: "sending StartRecovery for " + recovery.Count(len(c.w.Wave.Servers), "server")})
	c.sending = false
	if err != nil {
		return nil, err
	}
	// A process that was stopped in between (its machine asleep, say) must not
	// send late: its timers may have slept with it, but the time of day has not.
	if !c.o.now().Round(0).Before(until.Round(0)) {
		return nil, fmt.Errorf("sending StartRecovery for wave %d of execution %s: %w", c.w.Wave.Number, c.w.Execution, recovery.ErrNoTime)
	}
	// What is sent is waited for, even when the invocation is interrupted, but
	// not past the deadline that the record shows to others.
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), until.Sub(c.o.now()))
	defer cancel()
	c.unsent = false
	return region.StartRecovery(call, recovery.Launch{Type: c.w.Type, Servers: c.w.Wave.Servers, Tags: c.tags()})
}

func (c *claim) tags() map[string]string {
	return recovery.JobTags(c.key(), c.w.Plan, c.w.Wave.Name)
}

func (c *claim) unclear(refused *recovery.ServiceError, what string) error {
	return unclear{&recovery.Error{Code: recovery.DRSAPIError, Retryable: true, Err: refused,
		Message: fmt.Sprintf("Failed to start recovery: %s; %s", refused.Detail(), what)}}
}

// conflict finds out whose job holds the servers: ours, sent a moment ago and
// answered to nobody, or another party's.
func (c *claim) conflict(ctx context.Context, region recovery.Region, refused *recovery.ServiceError) (*recovery.Job, error) {
	until := c.o.now().Add(recovery.JobVisibility)
	for {
		job, err := c.look(ctx, region, time.Time{})
		if job != nil {
			return job, nil
		}
		if err == nil {
			// What could not be read now is read again below.
			own, others, _ := c.holders(ctx, region)
			if own != nil {
				return own, nil
			}
			if others != "" {
				return nil, &recovery.Error{Code: recovery.DRSAPIError, Retryable: true, Err: refused,
					Message: fmt.Sprintf("Failed to start recovery: %s; held by %s", refused.Detail(), others)}
			}
		}
		if !c.o.now().Before(until) || sleep(ctx, lookStep) != nil {
			return nil, c.unclear(refused, "which job holds the servers is not to be seen; send the same event again to find out")
		}
	}
}
