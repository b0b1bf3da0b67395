package awsdrs

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"muster/recovery"
)

// Rate is how fast an API may be called: Burst calls at once, and PerSecond
// from then on.
type Rate struct {
	Burst     int
	PerSecond float64
}

// documentedRates are EC2's request token buckets less a margin: calls that
// leave evenly arrive unevenly, and others draw from the same buckets. Of the
// rate we leave 5 %, which over time hides any unevenness; of the burst 3
// calls, the most that a second of jitter can bunch up.
//
// DRS does not document its rates: there we only back off.
func documentedRates() map[string]Rate {
	const share, margin = 0.95, 3
	reads, writes := Rate{100 - margin, 20 * share}, Rate{100 - margin, 5 * share}
	return map[string]Rate{
		"DescribeLaunchTemplateVersions": reads,
		"DescribeLaunchTemplates":        reads,
		"DescribeSubnets":                reads,
		"DescribeSecurityGroups":         reads,
		"CreateLaunchTemplateVersion":    writes,
		"ModifyLaunchTemplate":           writes,
	}
}

// place is where AWS counts calls.
type place struct{ account, region string }

// buckets holds one token bucket for each account, region and API that EC2
// has one for, shared by everything that calls there.
type buckets struct {
	rates map[string]Rate
	mu    sync.Mutex
	made  map[bucketKey]*bucket
}

type bucketKey struct {
	place
	api string
}

// of gives the API's bucket, or nil where nothing paces it.
func (b *buckets) of(p place, api string) *bucket {
	r, paced := b.rates[api]
	if !paced {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	key := bucketKey{p, api}
	if b.made[key] == nil {
		if b.made == nil {
			b.made = make(map[bucketKey]*bucket)
		}
		b.made[key] = newBucket(r)
	}
	return b.made[key]
}

// bucket paces one API. Calls queue for their turn, and only the first of the
// queue waits for a token, so that a slower pace holds for all that wait.
type bucket struct {
	turn    chan struct{}
	waiting atomic.Int64
	limiter *rate.Limiter
	full    rate.Limit

	mu      sync.Mutex
	changed time.Time
}

func newBucket(r Rate) *bucket {
	return &bucket{
		turn:    make(chan struct{}, 1),
		limiter: rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst),
		full:    rate.Limit(r.PerSecond),
	}
}

// take waits for a token. Where the queue is so long that the token would come
// too late it answers ErrNoTime at once.
func (b *bucket) take(ctx context.Context, least time.Duration) error {
	ahead := b.waiting.Add(1)
	defer b.waiting.Add(-1)
	if deadline, ok := ctx.Deadline(); ok && time.Now().Add(b.wait(ahead)+least).After(deadline) {
		return recovery.ErrNoTime
	}
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := b.limiter.Wait(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return recovery.ErrNoTime // the limiter's only other reason
	}
	return nil
}

// wait estimates how long the nth of the queue waits.
func (b *bucket) wait(n int64) time.Duration {
	lacking := float64(n) - max(0, b.limiter.Tokens())
	if lacking <= 0 {
		return 0
	}
	return time.Duration(lacking / float64(b.limiter.Limit()) * float64(time.Second))
}

// Many calls are refused together; they are one reason to slow down.
const (
	slowAgain  = time.Second
	quickAgain = 5 * time.Second
)

// slow is told that AWS throttled a call all the same: somebody else draws
// too. What is left is given up, and the pace halved, down to a sixteenth.
func (b *bucket) slow() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if now.Sub(b.changed) < slowAgain {
		return
	}
	b.changed = now
	if left := int(b.limiter.Tokens()); left > 0 {
		b.limiter.AllowN(now, left)
	}
	b.limiter.SetLimit(max(b.limiter.Limit()/2, b.full/16))
}

// passed is told that AWS took a call: after a while of that the pace recovers.
func (b *bucket) passed() {
	if b == nil || b.limiter.Limit() >= b.full {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if now.Sub(b.changed) < quickAgain {
		return
	}
	b.changed = now
	b.limiter.SetLimit(min(b.limiter.Limit()*1.5, b.full))
}
