package dynamo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"muster/awserror"
	"muster/recovery"
)

const (
	attemptTimeout = 5 * time.Second  // for one answer; the SDK has no such time of its own
	callTimeout    = 30 * time.Second // from the first attempt on
	wholeTimeout   = 5 * time.Second  // for a transaction that is seen in part to be seen whole
	leastBackoff   = 20 * time.Millisecond
	mostBackoff    = 2 * time.Second
	mostUnreached  = 6 // attempts to connect: whoever names a wrong endpoint is told soon
)

// try makes a call until DynamoDB answers it, refuses it for good, or time
// runs out. It may be made again after an answer that did not come: reads
// anyway, and writes carry a token or a condition.
//
// The SDK's own retries are off: whoever writes has to know whether an earlier
// attempt of his own may have taken effect.
func (s *Store) try(ctx context.Context, send func(context.Context) error) *failure {
	var unclear bool
	began := time.Now()
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return &failure{Failure: &awserror.Failure{ServiceError: recovery.ServiceError{Ambiguous: unclear}}, ended: err}
		}
		f := s.attempt(ctx, send)
		if f == nil {
			return nil
		}
		f.Ambiguous = f.Ambiguous || unclear
		unclear = f.Ambiguous
		pause := pauseAfter(n)
		again := f.Retryable || f.Unreached && n+1 < mostUnreached
		if !again || time.Since(began)+pause > callTimeout || !sleep(ctx, pause) {
			return f
		}
	}
}

func (s *Store) attempt(ctx context.Context, send func(context.Context) error) *failure {
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	if err := send(attempt); err != nil {
		return failed(ctx, err)
	}
	return nil
}

// pauseAfter spreads what is tried again, after the nth try, counted from 0.
func pauseAfter(n int) time.Duration {
	longest := min(leastBackoff<<min(n, 10), mostBackoff)
	return longest/2 + rand.N(longest/2)
}

// sleep waits, and says whether there is time to go on.
func sleep(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return false
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// untilWhole reads until what was read is from one version: another process's
// transaction is seen in part for some milliseconds.
func (s *Store) untilWhole(ctx context.Context, read func() (whole bool, err error)) error {
	for n, began := 0, time.Now(); ; n++ {
		whole, err := read()
		if whole || err != nil {
			return err
		}
		pause := pauseAfter(n)
		if time.Since(began)+pause > wholeTimeout || !sleep(ctx, pause) {
			if err := ctx.Err(); err != nil {
				return err
			}
			return fmt.Errorf("%w: its header and its other records do not fit together, however often they are read", recovery.ErrDamaged)
		}
	}
}
