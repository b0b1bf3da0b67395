package dynamo_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"muster/dynamotest"
	"muster/recovery"
)

// BenchmarkRecord shows what the record costs: the requests of reading an
// execution and of recording a poll, and in DynamoDB Local, which
// MUSTER_TEST_DYNAMODB names, the capacity units. Every wave has 100 servers
// unless it says otherwise.
func BenchmarkRecord(b *testing.B) {
	for _, size := range []struct{ waves, servers, events, retries int }{
		{1, 100, 0, 0}, {30, 100, 0, 0}, {30, 1, 0, 0}, {30, 100, 500, 0}, {30, 100, 0, 3},
	} {
		name := fmt.Sprintf("%d waves of %d servers, %d more events, %d retries each", size.waves, size.servers, size.events, size.retries)
		m := meter{cfg: dynamotest.New().Config()}
		if os.Getenv("MUSTER_TEST_DYNAMODB") != "" {
			m.cfg = local(b)
		}
		s := create(b, m.metered(), "bench-"+rand.Text())
		e := &recovery.Execution{ID: "exec-1", Plan: "rp-1"}
		for n := range size.waves {
			e.Waves = append(e.Waves, recovery.WaveRecord{Number: n + 1, Name: fmt.Sprint("Wave ", n+1), AccountID: "123456789012", Region: "us-east-1", Servers: size.servers})
		}
		commit(b, s, e.WithEvent(recovery.Event{At: at, Kind: recovery.EventOpened}))
		for range size.events {
			commit(b, s, read(b, s).WithEvent(recovery.Event{At: at, Kind: recovery.EventNote, Message: strings.Repeat("x", 1000)}))
		}
		for attempt := range size.retries + 1 {
			for n := range size.waves {
				commit(b, s, read(b, s).With(polled(n+1, attempt+1, size.servers), nil))
			}
		}
		b.Run(name+"/read", func(b *testing.B) {
			m.measure(b, func() { read(b, s) })
		})
		e = read(b, s)
		b.Run(name+"/poll", func(b *testing.B) {
			m.measure(b, func() {
				c := e.With(e.Attempts[0], &recovery.Event{At: at, Kind: recovery.EventProgress, Message: "1 of 100 servers launched"})
				commit(b, s, c)
				e.Version, e.LastEvent = e.Version+1, c.Execution.LastEvent
			})
		})
	}
}

// polled is an attempt as a poll leaves it.
func polled(wave, attempt, servers int) recovery.Attempt {
	a := recovery.Attempt{Wave: wave, Attempt: attempt, AccountID: "123456789012", Region: "us-east-1", State: recovery.Started, Token: "0123456789abcdef0123456789abcdef",
		LeaseUntil: at, SentAt: at, FirstSentAt: at, SendDeadline: at, StartedAt: at, JobID: "drsjob-0123456789abcdef0"}
	for i := range servers {
		id := recovery.SourceServerID(fmt.Sprintf("s-%017d", wave*1000+i))
		a.Servers, a.Accepted = append(a.Servers, id), append(a.Accepted, id)
		a.Outcomes = append(a.Outcomes, recovery.ServerOutcome{Server: id, Status: "LAUNCHED", Instance: "i-0123456789abcdef0"})
	}
	return a
}

// meter asks DynamoDB what each call consumed.
type meter struct {
	cfg             aws.Config
	requests        int
	reads, writings float64 // capacity units
}

// metered is the configuration, with every answer metered.
func (m *meter) metered() aws.Config {
	cfg := m.cfg.Copy()
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("meter", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			switch p := in.Parameters.(type) {
			case *dynamodb.QueryInput:
				p.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
			case *dynamodb.TransactWriteItemsInput:
				p.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
			}
			out, metadata, err := next.HandleInitialize(ctx, in)
			m.requests++
			switch p := out.Result.(type) {
			case *dynamodb.QueryOutput:
				if p.ConsumedCapacity != nil {
					m.reads += aws.ToFloat64(p.ConsumedCapacity.CapacityUnits)
				}
			case *dynamodb.TransactWriteItemsOutput:
				for _, c := range p.ConsumedCapacity {
					m.writings += aws.ToFloat64(c.CapacityUnits)
				}
			}
			return out, metadata, err
		}), middleware.Before)
	})
	return cfg
}

func (m *meter) measure(b *testing.B, do func()) {
	m.requests, m.reads, m.writings = 0, 0, 0
	n := 0
	for b.Loop() {
		do()
		n++
	}
	for unit, sum := range map[string]float64{"requests/op": float64(m.requests), "RCU/op": m.reads, "WCU/op": m.writings} {
		if sum > 0 {
			b.ReportMetric(sum/float64(n), unit)
		}
	}
}
