package dynamo_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"muster/dynamo"
	"muster/dynamotest"
	"muster/recovery"
)

var at = time.Date(2026, 2, 3, 4, 5, 6, 789012345, time.UTC)

// begun is an execution that was opened, with a plan and its first wave claimed.
func begun(t testing.TB, s *dynamo.Store) *recovery.Execution {
	t.Helper()
	e := &recovery.Execution{ID: "exec-1", Plan: "rp-1", Type: recovery.Drill, StartTime: "2026-02-03T04:05:06Z", InitiatedBy: "user@example.com",
		Waves: []recovery.WaveRecord{{Number: 1, Name: "Databases"}, {Number: 2, Name: "Web"}}}
	c := e.WithEvent(recovery.Event{At: at, Kind: recovery.EventOpened})
	c.Frozen = &recovery.Plan{ID: "rp-1", Name: "Web shop"}
	commit(t, s, c)
	return claim(t, s, 1, "token-1")
}

// claim claims a wave, and gives the execution after it.
func claim(t testing.TB, s *dynamo.Store, wave int, token recovery.Token) *recovery.Execution {
	t.Helper()
	commit(t, s, claiming(read(t, s), wave, token))
	return read(t, s)
}

func claiming(e *recovery.Execution, wave int, token recovery.Token) recovery.Change {
	a := recovery.Attempt{Wave: wave, Attempt: 1, Servers: []recovery.SourceServerID{"s-1"}}
	if earlier := e.Attempt(wave); earlier != nil {
		a = *earlier
	}
	return e.With(a.Take(token, at), &recovery.Event{At: at, Kind: recovery.EventClaimed, Message: string(token)})
}

func read(t testing.TB, s *dynamo.Store) *recovery.Execution {
	t.Helper()
	e, err := s.Execution(t.Context(), "exec-1")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func commit(t testing.TB, s *dynamo.Store, c recovery.Change) {
	t.Helper()
	if err := s.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func TestAWriteWhoseAnswerWasLostHasWon(t *testing.T) {
	for _, kind := range []dynamotest.FaultKind{dynamotest.DropAnswerAfter, dynamotest.FailAfter, dynamotest.DropBefore, dynamotest.FailBefore, dynamotest.Throttle, dynamotest.Conflict, dynamotest.Garble} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, d := opened(t)
				e := begun(t, s)
				d.Fail(dynamotest.Fault{Kind: kind, Operation: "TransactWriteItems", Times: 2})
				commit(t, s, claiming(e, 2, "token-2"))
				d.Fail(dynamotest.Fault{Kind: kind, Operation: "TransactWriteItems", Times: 2})
				if err := s.Commit(t.Context(), claiming(e, 2, "token-3")); !errors.Is(err, recovery.ErrStale) {
					t.Errorf("another change on the same version: got %v, want ErrStale", err)
				}
				d.Fail(dynamotest.Fault{Kind: kind, Operation: "TransactWriteItems", Times: 2})
				if driven, err := s.Drive(t.Context(), "exec-1", "", recovery.Driver{ID: "d-1"}); err != nil || !driven {
					t.Errorf("got %v, %v; want it driven", driven, err)
				}
				after := read(t, s)
				log, err := s.Events(t.Context(), "exec-1")
				if err != nil || after.CheckLog(log) != nil || after.Version != 3 || after.Attempt(2).Token != "token-2" {
					t.Errorf("got %+v with %d events, %v; want version 3, of token-2", after, len(log), err)
				}
			})
		})
	}
}

// DynamoDB forgets tokens after ten minutes, and a stand-in may not know them:
// the header says whose write made it what it is.
func TestAWriteWhoseAnswerWasLostIsKnownByItsMark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := opened(t)
		e := begun(t, s)
		d.ForgetTokens()
		d.Fail(dynamotest.Fault{Kind: dynamotest.DropAnswerAfter, Operation: "TransactWriteItems", Times: 1})
		commit(t, s, claiming(e, 2, "token-2"))
		if after := read(t, s); after.Version != e.Version+1 {
			t.Errorf("got version %d, want one change", after.Version)
		}
	})
}

func TestWhatStaysUnclearIsNotCalledStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := opened(t)
		e := begun(t, s)
		d.Fail(dynamotest.Fault{Kind: dynamotest.DropAnswerAfter, Operation: "TransactWriteItems"})
		err := s.Commit(t.Context(), claiming(e, 2, "token-2"))
		if err == nil || errors.Is(err, recovery.ErrStale) || !strings.Contains(err.Error(), "the connection broke before an answer came") {
			t.Errorf("got %v, want that no answer came", err)
		}
	})
}

func TestACallEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := opened(t)
		e := begun(t, s)
		d.Fail(dynamotest.Fault{Kind: dynamotest.Throttle})
		began := time.Now()
		if _, err := s.Execution(t.Context(), "exec-1"); err == nil || !strings.Contains(err.Error(), "the table is busy") {
			t.Errorf("got %v, want that the table is busy", err)
		}
		if took := time.Since(began); took < 25*time.Second || took > 30*time.Second {
			t.Errorf("it was tried for %v, want half a minute", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began = time.Now()
		if err := s.Commit(ctx, claiming(e, 2, "token-2")); err == nil || time.Since(began) > 3*time.Second {
			t.Errorf("with three seconds: got %v after %v", err, time.Since(began))
		}
	})
}

func TestProblemsAreToldInWords(t *testing.T) {
	s, d := opened(t)
	e := begun(t, s)
	for name, c := range map[string]struct {
		store *dynamo.Store
		fault dynamotest.FaultKind
		calls int
		want  []string
	}{
		"no table":       {dynamo.New(d.Config(), "nowhere"), "", 1, []string{"dynamodb:nowhere in us-east-1", "there is no such table", "muster table create"}},
		"no permission":  {s, dynamotest.Deny, 1, []string{"dynamodb:executions in us-east-1", "the role may not do this", "KMS key", "is not authorized to perform"}},
		"nobody answers": {dynamo.New(unreachable(), "executions"), "", 0, []string{"no connection could be made"}},
		"no region":      {dynamo.New(aws.Config{Credentials: d.Config().Credentials}, "executions"), "", 0, []string{"dynamodb:executions in no region", "it could not be sent"}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.fault != "" {
				d.Fail(dynamotest.Fault{Kind: c.fault})
				defer d.Heal()
			}
			before := len(d.Calls())
			_, err := c.store.Execution(t.Context(), "exec-1")
			if calls := len(d.Calls()) - before; c.calls > 0 && calls != c.calls {
				t.Errorf("%d calls, want %d: it does not pass by itself", calls, c.calls)
			}
			commitErr := c.store.Commit(t.Context(), claiming(e, 2, "token-2"))
			for _, err := range []error{err, commitErr} {
				if err == nil {
					t.Fatal("got no error")
				}
				for _, want := range c.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%v\nlacks %q", err, want)
					}
				}
			}
		})
	}
	if after := read(t, s); after.Version != e.Version {
		t.Errorf("got version %d, want that nothing was written", after.Version)
	}
	commit(t, s, claiming(e, 2, "token-2")) // the same goes through once the cause is gone
}

func unreachable() aws.Config {
	cfg := dynamotest.New().Config()
	cfg.HTTPClient, cfg.BaseEndpoint = nil, aws.String("http://127.0.0.1:1")
	return cfg
}

func TestWhatANewerVersionWroteIsRefused(t *testing.T) {
	s, d := opened(t)
	begun(t, s)
	set(t, d, "EXECUTION", "schema", &types.AttributeValueMemberN{Value: "99"})
	_, err := s.Execution(t.Context(), "exec-1")
	if !errors.Is(err, recovery.ErrNewer) || !strings.Contains(err.Error(), "its schema is number 99, this version knows those up to 1") {
		t.Errorf("got %v, want that a newer version wrote it", err)
	}
	if all, err := s.Executions(t.Context(), 10); err != nil || len(all) != 1 || all[0].ID != "exec-1" {
		t.Errorf("the list is %+v, %v; want that it names the execution", all, err)
	}
}

// A query may see a part of a transaction: the header, and not yet the attempt.
func TestAnAttemptThatIsOlderThanTheHeaderIsNotDecidedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := opened(t)
		want := begun(t, s)
		set(t, d, "WAVE#0001", "version", &types.AttributeValueMemberN{Value: "1"})
		go func() {
			time.Sleep(time.Second)
			set(t, d, "WAVE#0001", "version", &types.AttributeValueMemberN{Value: "2"})
		}()
		if got := read(t, s); got.Version != want.Version || len(got.Attempts) != 1 {
			t.Errorf("got %+v, want %+v", got, want)
		}
		set(t, d, "WAVE#0001", "version", &types.AttributeValueMemberN{Value: "1"})
		if _, err := s.Execution(t.Context(), "exec-1"); !errors.Is(err, recovery.ErrDamaged) {
			t.Errorf("where it stays so: got %v, want ErrDamaged", err)
		}
	})
}

// set changes an attribute behind the store's back.
func set(t testing.TB, d *dynamotest.DynamoDB, sk, name string, value types.AttributeValue) {
	t.Helper()
	_, err := dynamodb.NewFromConfig(d.Config()).UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String("executions"), UpdateExpression: aws.String("SET #name = :value"),
		Key:                       map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "EXECUTION#exec-1"}, "sk": &types.AttributeValueMemberS{Value: sk}},
		ExpressionAttributeNames:  map[string]string{"#name": name},
		ExpressionAttributeValues: map[string]types.AttributeValue{":value": value},
	})
	if err != nil {
		t.Error(err)
	}
}
