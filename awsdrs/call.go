package awsdrs

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"muster/recovery"
)

// operation is what has to be known about a call before it is made.
type operation struct {
	service, name string
	draws         string   // the EC2 API from whose bucket it draws; "" where no rate is documented
	effect        bool     // it changes something
	once          bool     // never repeated, whatever happens
	passing       []string // codes, beyond those of every call, of what passes by itself in a moment
}

// passingTries is how often a call is repeated because of such a code.
const passingTries = 6

// try makes a call until it succeeds, AWS refuses it for good, or time runs out.
//
// The SDK's own retries are off. Each attempt has to draw a token of its own
// and to end in a time of its own, a pause that would outlast the deadline is
// not begun, and the caller is to learn what AWS said last rather than that a
// context ended. That leaves nothing of the SDK's loop but its back-off, whose
// formula this is.
func (a *Accounts) try(ctx context.Context, p place, op operation, secrets []string, send func(context.Context) error) error {
	var last *recovery.ServiceError
	var giveUp time.Time
	for n := 1; ; n++ {
		if err := a.enter(ctx, p, op); err != nil {
			if last != nil {
				return last
			}
			return err
		}
		if n == 1 {
			giveUp = time.Now().Add(a.opts.CallTimeout)
		}
		refused, err := a.attempt(ctx, op, secrets, send)
		if err != nil {
			return err
		}
		b := a.buckets.of(p, op)
		if refused == nil {
			b.passed()
			return nil
		}
		if refused.Throttled() {
			b.slow()
			if a.opts.Throttled != nil {
				a.opts.Throttled(op.service, op.name)
			}
		}
		refused.Ambiguous = refused.Ambiguous || last != nil && last.Ambiguous
		last = refused
		pause, again := a.again(op, refused, n)
		if !again || !endsBefore(ctx, pause+a.opts.LeastTime) || time.Now().Add(pause).After(giveUp) {
			return last
		}
		if sleep(ctx, pause) != nil {
			return last
		}
	}
}

// enter waits until a request may be sent, and takes its place among those
// under way; attempt gives it back.
func (a *Accounts) enter(ctx context.Context, p place, op operation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !endsBefore(ctx, a.opts.LeastTime) {
		return recovery.ErrNoTime
	}
	if err := a.buckets.of(p, op).take(ctx, a.opts.LeastTime); err != nil {
		return err
	}
	select {
	case a.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if !endsBefore(ctx, a.opts.LeastTime) {
		<-a.slots
		return recovery.ErrNoTime
	}
	return nil
}

// attempt sends one request. It answers AWS's refusal, or an error that is
// none of AWS's: that of the caller's context.
func (a *Accounts) attempt(ctx context.Context, op operation, secrets []string, send func(context.Context) error) (*recovery.ServiceError, error) {
	defer func() { <-a.slots }()
	attempt := ctx
	if !op.once {
		var cancel context.CancelFunc
		attempt, cancel = context.WithTimeout(attempt, a.opts.AttemptTimeout)
		defer cancel()
	}
	err := send(attempt)
	if err == nil {
		return nil, nil
	}
	refused := op.failure(err, secrets)
	if refused.Code != "" || ctx.Err() == nil {
		return refused, nil
	}
	if !refused.Ambiguous {
		return nil, ctx.Err()
	}
	refused.Err = ctx.Err()
	return refused, nil
}

// again says whether a call is to be repeated after its nth attempt, and after
// how long a pause.
func (a *Accounts) again(op operation, refused *recovery.ServiceError, n int) (time.Duration, bool) {
	base, most := 50*time.Millisecond, a.opts.Attempts
	switch {
	case refused.Throttled():
		base = time.Second
	case slices.Contains(op.passing, refused.Code):
		base, most = 250*time.Millisecond, passingTries
	}
	switch {
	case op.once:
		return 0, false
	case !refused.Retryable, refused.Code == quotaExceeded, n >= most:
		return 0, false
	}
	longest := min(float64(base)*math.Pow(2, float64(n-1)), float64(a.opts.MostBackoff))
	jitter := a.opts.Jitter()
	pause := time.Duration(jitter * longest)
	if asked := refused.RetryAfter; asked > 0 { // a floor; spread behind it, for others got the same answer
		pause = max(pause, asked+time.Duration(jitter*float64(time.Second)))
	}
	return pause, true
}

// endsBefore says whether something that takes d can end before ctx's deadline.
func endsBefore(ctx context.Context, d time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || !time.Now().Add(d).After(deadline)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ownReason says that an error is about one caller's time and not about the
// call.
func ownReason(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, recovery.ErrNoTime)
}
