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
// DRS does not document its rates: those are learned.
func documentedRates() map[string]Rate {
	const share, margin = 0.95, 3
	reads, writes := Rate{100 - margin, 20 * share}, Rate{100 - margin, 5 * share}
	return map[string]Rate{
		"DescribeLaunchTemplateVersions": reads,
		"DescribeLaunchTemplates":        reads,
		"DescribeSubnets":                reads,
		"DescribeInstances":              reads, // those with a filter
		"DescribeSecurityGroups":         reads,
		"CreateLaunchTemplateVersion":    writes,
		"ModifyLaunchTemplate":           writes,
	}
}

// place is where AWS counts calls.
type place struct{ account, region string }

// buckets holds one token bucket for each account, region and API, shared by
// everything that calls there.
type buckets struct {
	rates map[string]Rate
	mu    sync.Mutex
	made  map[bucketKey]*bucket
}

type bucketKey struct {
	place
	api string
}

// of gives the bucket that an operation draws from. Where AWS documents no
// rate it is open until AWS throttles, and learns. StartRecovery has none: it
// is called once in a wave, and its time is measured.
func (b *buckets) of(p place, op operation) *bucket {
	if op.once {
		return nil
	}
	key := bucketKey{p, op.draws}
	if op.draws == "" {
		key.api = op.service + " " + op.name
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.made[key] == nil {
		if b.made == nil {
			b.made = make(map[bucketKey]*bucket)
		}
		r, documented := b.rates[key.api]
		b.made[key] = newBucket(r, documented)
	}
	return b.made[key]
}

// bucket paces one API. Calls queue for their turn, and only the first of the
// queue waits for a token, so that a slower pace holds for all that wait.
type bucket struct {
	turn     chan struct{}
	waiting  atomic.Int64
	limiter  *rate.Limiter
	least    rate.Limit
	most     rate.Limit
	learning bool        // there is no documented rate
	open     atomic.Bool // nothing is paced

	mu      sync.Mutex
	changed time.Time
}

// Where no rate is documented, AWS throttling shows that there is one. These
// are calls a second: the first guess, the slowest, and what is as good as none.
const (
	firstGuess = 10
	slowest    = 0.5
	asGoodAs   = 100
)

func newBucket(r Rate, documented bool) *bucket {
	b := &bucket{turn: make(chan struct{}, 1), learning: !documented}
	if documented {
		b.limiter = rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst)
		b.least, b.most = rate.Limit(r.PerSecond)/16, rate.Limit(r.PerSecond)
		return b
	}
	b.limiter = rate.NewLimiter(firstGuess, 1)
	b.least, b.most = slowest, asGoodAs
	b.open.Store(true)
	return b
}

// take waits for a token. Where the queue is so long that the token would come
// too late it answers ErrNoTime at once.
func (b *bucket) take(ctx context.Context, least time.Duration) error {
	if b == nil || b.open.Load() {
		return nil
	}
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
// too, or there is a rate that nobody told of. What is left is given up, and
// the pace halved.
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
	if b.open.CompareAndSwap(true, false) {
		b.limiter.SetLimit(firstGuess)
		return
	}
	b.limiter.SetLimit(max(b.limiter.Limit()/2, b.least))
}

// passed is told that AWS took a call: after a while of that the pace recovers.
func (b *bucket) passed() {
	if b == nil || b.open.Load() || !b.learning && b.limiter.Limit() >= b.most {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if now.Sub(b.changed) < quickAgain {
		return
	}
	b.changed = now
	b.limiter.SetLimit(min(b.limiter.Limit()*1.5, b.most))
	b.open.Store(b.learning && b.limiter.Limit() >= b.most)
}
