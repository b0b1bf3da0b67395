package dynamo

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"muster/recovery"
)

// Execution implements recovery.ExecutionStore: one query, whose cost grows
// with the number of waves, and neither with the log nor with earlier attempts.
func (s *Store) Execution(ctx context.Context, id recovery.ExecutionID) (*recovery.Execution, error) {
	var e *recovery.Execution
	err := s.untilWhole(ctx, func() (whole bool, err error) {
		e, whole, err = s.execution(ctx, id)
		return whole, err
	})
	if err != nil {
		return nil, s.explain("reading execution "+string(id), err)
	}
	return e, nil
}

// execution reads header and attempts. A query may see a part of another
// process's transaction: the header says with which version each attempt was
// written, and an attempt from before that is not one to decide on.
func (s *Store) execution(ctx context.Context, id recovery.ExecutionID) (*recovery.Execution, bool, error) {
	e := &recovery.Execution{ID: id}
	var header item
	written := map[string]int64{} // wave → the version that came of writing its attempt
	q := keyCondition("#"+attrPK+" = :pk AND #"+attrSK+" >= :from", item{":pk": text(executionPK(id)), ":from": text(skHeader)})
	err := s.query(ctx, q, func(i item) error {
		if textOf(i, attrSK) == skHeader {
			header = i
			return s.readHeader(i, e)
		}
		a, err := recovery.ReadAttempt(recovery.AttemptKey{Execution: id, Wave: int(numberOf(i, attrWave)), Attempt: int(numberOf(i, attrAttempt))}, []byte(textOf(i, attrRecord)))
		if err != nil {
			return err
		}
		e.Attempts = append(e.Attempts, a)
		written[waveName(a.Wave)] = numberOf(i, attrVersion)
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	slices.SortFunc(e.Attempts, func(a, b recovery.Attempt) int { return a.Wave - b.Wave })
	if header == nil {
		return e, len(e.Attempts) == 0, nil
	}
	for name := range header {
		if isWaveName(name) && written[name] < numberOf(header, name) {
			return nil, false, nil
		}
	}
	return e, true, nil
}

func (s *Store) readHeader(h item, e *recovery.Execution) error {
	if err := known(h); err != nil {
		return err
	}
	s.clock.saw(textOf(h, attrChanged))
	e.Plan, e.Type = recovery.PlanID(textOf(h, attrPlanID)), recovery.ExecutionType(textOf(h, attrType))
	e.StartTime, e.InitiatedBy = textOf(h, attrStartTime), textOf(h, attrInitiatedBy)
	e.Version = numberOf(h, attrVersion)
	e.LastEvent = recovery.EventRef{Number: numberOf(h, attrLastEvent), Hash: textOf(h, attrLastEventHash)}
	e.Driver = recovery.ReadDriver(textOf(h, attrDriver))
	var err error
	if e.World, err = recovery.ReadWorld(textOf(h, attrWorld)); err != nil {
		return err
	}
	return e.ReadOpened([]byte(textOf(h, attrOpened)))
}

// known refuses what a newer version wrote: it may mean what this one does not
// know.
func known(h item) error {
	if n := numberOf(h, attrSchema); n > schema {
		return fmt.Errorf("%w (its schema is number %d, this version knows those up to %d): use that version", recovery.ErrNewer, n, schema)
	}
	return nil
}

// Events implements recovery.ExecutionStore.
func (s *Store) Events(ctx context.Context, id recovery.ExecutionID) ([]recovery.Event, error) {
	var events []recovery.Event
	err := s.query(ctx, prefixed(executionPK(id), skEvent), func(i item) error {
		var ev recovery.Event
		if err := json.Unmarshal([]byte(textOf(i, attrRecord)), &ev); err != nil {
			return fmt.Errorf("%s: %w", textOf(i, attrSK), err)
		}
		events = append(events, ev)
		return nil
	})
	if err != nil {
		return nil, s.explain("reading the events of execution "+string(id), err)
	}
	return events, nil
}

// item reads one item, nil where there is none.
func (s *Store) item(ctx context.Context, k item) (item, error) {
	var out *dynamodb.GetItemOutput
	f := s.try(ctx, func(ctx context.Context) (err error) {
		out, err = s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.table, Key: k, ConsistentRead: aws.Bool(true)})
		return err
	})
	if f != nil {
		return nil, f
	}
	return out.Item, nil
}

// keyCondition is a query for what has these keys.
func keyCondition(condition string, values item) dynamodb.QueryInput {
	return dynamodb.QueryInput{KeyConditionExpression: &condition, ExpressionAttributeNames: names(condition), ExpressionAttributeValues: values, ConsistentRead: aws.Bool(true)}
}

// prefixed is a query for the items of a partition whose sort keys begin so.
func prefixed(pk, sk string) dynamodb.QueryInput {
	return keyCondition("#"+attrPK+" = :pk AND begins_with(#"+attrSK+", :sk)", item{":pk": text(pk), ":sk": text(sk)})
}

// query reads all that a query finds, page by page, until each has enough.
func (s *Store) query(ctx context.Context, q dynamodb.QueryInput, each func(item) error) error {
	q.TableName = &s.table
	for {
		var out *dynamodb.QueryOutput
		f := s.try(ctx, func(ctx context.Context) (err error) {
			out, err = s.client.Query(ctx, &q)
			return err
		})
		if f != nil {
			return f
		}
		for _, i := range out.Items {
			if err := each(i); err == errEnough {
				return nil
			} else if err != nil {
				return err
			}
		}
		if len(out.LastEvaluatedKey) == 0 {
			return nil
		}
		q.ExclusiveStartKey = out.LastEvaluatedKey
	}
}
