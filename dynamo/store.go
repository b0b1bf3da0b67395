// Package dynamo keeps executions in one DynamoDB table that any number of
// processes on any number of machines may use at the same time.
package dynamo

import (
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/logging"

	"muster/recovery"
)

// Store is a recovery.ExecutionStore in a table. One lasts as long as its
// process, and may be used from many goroutines.
type Store struct {
	client *dynamodb.Client
	config aws.Config
	table  string
	region string
	where  string // for people: the table and its region
	clock  clock
}

var _ recovery.ExecutionStore = (*Store)(nil)

// New makes a Store that reaches the table as the configuration says: its
// region, its endpoint, its credentials. The configuration's retryer is not
// used. It calls nobody: a table that is missing is told by the first call.
func New(cfg aws.Config, table string) *Store {
	return &Store{client: client(cfg), config: cfg, table: table, region: cfg.Region, where: "dynamodb:" + table + " in " + region(cfg)}
}

func client(cfg aws.Config) *dynamodb.Client {
	return dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
		o.Retryer = aws.NopRetryer{} // see try
		o.ClientLogMode = 0          // the SDK would log records
		o.Logger = logging.Nop{}     // and its warnings, in a form that is not ours
	})
}

func region(cfg aws.Config) string {
	if cfg.Region == "" {
		return "no region"
	}
	return cfg.Region
}

// clock gives each change of an execution its place in the list of all. There
// is no order of commits across the items of a table to read it from, so it is
// the time, but never earlier than that of any change this process has seen:
// what was decided on something comes after it, whatever the clocks say.
type clock struct {
	mu   sync.Mutex
	last time.Time
}

// next is the place of a change.
func (c *clock) next() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now().UTC(); now.After(c.last) {
		c.last = now
	} else {
		c.last = c.last.Add(1)
	}
	return c.last.Format(changedForm)
}

// saw is told the place of a change that was read.
func (c *clock) saw(changed string) {
	at, err := time.Parse(changedForm, changed)
	if err != nil {
		return // no place of ours; the order of a list is nothing to fail for
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.After(c.last) {
		c.last = at
	}
}

// changedForm sorts as text as it does in time.
const changedForm = "2006-01-02T15:04:05.000000000Z"
