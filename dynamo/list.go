package dynamo

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"muster/recovery"
)

// The index that lists executions by their last change. It holds keys alone,
// so that a change costs it next to nothing however large the header is.
const (
	indexByChange = "by-change"
	listed        = "EXECUTIONS" // its one partition
	mostGets      = 100          // items that DynamoDB reads at a time
	mostPage      = 1000         // items of a list that are asked for at a time
)

// Executions implements recovery.ExecutionStore. The index may be a little
// behind; the headers are read as they are.
func (s *Store) Executions(ctx context.Context, most int) ([]recovery.Execution, error) {
	all, err := s.executions(ctx, most)
	if err != nil {
		return nil, s.explain("listing executions", err)
	}
	return all, nil
}

// errEnough ends a query.
var errEnough = errors.New("enough")

func enough(is bool) error {
	if is {
		return errEnough
	}
	return nil
}

func (s *Store) executions(ctx context.Context, most int) ([]recovery.Execution, error) {
	if most <= 0 {
		return nil, nil
	}
	q := keyCondition("#"+attrList+" = :list", item{":list": text(listed)})
	q.IndexName, q.ConsistentRead, q.ScanIndexForward = aws.String(indexByChange), nil, aws.Bool(false)
	q.Limit = aws.Int32(int32(min(most, mostPage)))
	var keys []item
	err := s.query(ctx, q, func(i item) error {
		keys = append(keys, key(textOf(i, attrPK), textOf(i, attrSK)))
		return enough(len(keys) == most)
	})
	if err != nil {
		return nil, err
	}
	type changed struct {
		recovery.Execution
		at string
	}
	var found []changed
	for some := range slices.Chunk(keys, mostGets) {
		err := s.items(ctx, some, func(h item) error {
			c := changed{at: textOf(h, attrChanged)}
			c.ID = recovery.ExecutionID(strings.TrimPrefix(textOf(h, attrPK), executionPK("")))
			found = append(found, c)
			if err := s.readHeader(h, &found[len(found)-1].Execution); !recovery.Unreadable(err) {
				return err
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(found, func(a, b changed) int {
		return cmp.Or(strings.Compare(b.at, a.at), strings.Compare(string(a.ID), string(b.ID)))
	})
	all := make([]recovery.Execution, len(found))
	for i, c := range found {
		all[i] = c.Execution
	}
	return all, nil
}

// items reads at most a hundred items, in any order. DynamoDB may give some of
// them at a time.
func (s *Store) items(ctx context.Context, keys []item, each func(item) error) error {
	rest := map[string]types.KeysAndAttributes{s.table: {Keys: keys, ConsistentRead: aws.Bool(true)}}
	return s.untilWhole(ctx, func() (bool, error) {
		var out *dynamodb.BatchGetItemOutput
		f := s.try(ctx, func(ctx context.Context) (err error) {
			out, err = s.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: rest})
			return err
		})
		if f != nil {
			return false, f
		}
		for _, i := range out.Responses[s.table] {
			if err := each(i); err != nil {
				return false, err
			}
		}
		rest = out.UnprocessedKeys
		return len(rest) == 0, nil
	})
}
