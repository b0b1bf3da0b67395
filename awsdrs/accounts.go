// Package awsdrs is DRS and EC2 in a customer's account, through the AWS SDK:
// recovery.Accounts and recovery.Region.
//
// Everything that keeps us within AWS's limits lives here, because it is AWS's
// business and nobody else's: pacing, retries, deadlines, sessions. What
// arrives from AWS as an error leaves as a *recovery.ServiceError.
package awsdrs

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"muster/recovery"
)

// Options says how AWS is called. The zero value is right for production.
type Options struct {
	// HTTPClient carries every request; nil: one that is tuned for a hundred
	// calls at a time, over whatever transport the configuration brings.
	HTTPClient aws.HTTPClient
	// InFlight is how many requests may be under way at once; 0: 128.
	InFlight int
	// Attempts is how often a call that AWS refuses for the moment is made;
	// 0: 9. It does not apply to StartRecovery and TerminateRecoveryInstances,
	// which are sent once.
	Attempts int
	// AttemptTimeout is how long one answer is waited for; 0: 15 s.
	AttemptTimeout time.Duration
	// CallTimeout is how long a call is repeated, counted from its first
	// attempt; 0: 2 min. Waiting for a token does not count.
	CallTimeout time.Duration
	// MostBackoff is the longest pause between two attempts; 0: 20 s.
	MostBackoff time.Duration
	// LeastTime is the shortest time before a deadline at which a request is
	// still begun; 0: 1 s.
	LeastTime time.Duration
	// Pace replaces EC2's documented rates, by the API's name; nil: 95 % of them.
	Pace map[string]Rate
	// Jitter gives numbers in [0, 1) that spread repeated calls; nil: random.
	// It must be safe for concurrent use.
	Jitter func() float64
	// Throttled is told of every answer by which AWS throttles a call; nil:
	// nobody counts. It must be safe for concurrent use, and must not block.
	Throttled func(service, operation string)
}

func (o Options) withDefaults() Options {
	orElse(&o.InFlight, 128)
	orElse(&o.Attempts, 9)
	orElse(&o.AttemptTimeout, 15*time.Second)
	orElse(&o.CallTimeout, 2*time.Minute)
	orElse(&o.MostBackoff, 20*time.Second)
	orElse(&o.LeastTime, time.Second)
	if o.Pace == nil {
		o.Pace = documentedRates()
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	return o
}

func orElse[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Accounts is recovery.Accounts over STS. One lasts as long as its process:
// sessions and the pace of calls are kept across invocations. It may be used
// from many goroutines.
type Accounts struct {
	cfg     aws.Config
	opts    Options
	slots   chan struct{} // one for each request under way
	buckets buckets

	mu       sync.Mutex
	sessions map[recovery.AccountContext]*session
	assuming map[recovery.AccountContext]*assumption
}

var _ recovery.Accounts = (*Accounts)(nil)

// New makes Accounts that call AWS as the configuration says: its endpoints,
// its credentials (those that assume roles), its certificates. The
// configuration's region and retryer are not used.
func New(cfg aws.Config, opts Options) *Accounts {
	opts = opts.withDefaults()
	cfg = cfg.Copy()
	cfg.HTTPClient = tuned(opts.HTTPClient, cfg.HTTPClient, opts.InFlight)
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} } // see try
	cfg.RetryMaxAttempts = 0
	cfg.RetryMode = ""
	cfg.ClientLogMode = 0 // the SDK would log credentials and external ids
	return &Accounts{
		cfg:      cfg,
		opts:     opts,
		slots:    make(chan struct{}, opts.InFlight),
		buckets:  buckets{rates: opts.Pace},
		sessions: make(map[recovery.AccountContext]*session),
		assuming: make(map[recovery.AccountContext]*assumption),
	}
}
