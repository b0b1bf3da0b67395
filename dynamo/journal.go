package dynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Append keeps the n-th entry, counted from 1, of an execution's journal: what
// its driver did. An n that is there already, or that would leave a gap, is an
// error and changes nothing.
func (s *Store) Append(ctx context.Context, execution string, n int, entry []byte) error {
	if err := s.append(ctx, execution, n, entry); err != nil {
		return s.explain("keeping the journal of execution "+execution, err)
	}
	return nil
}

func (s *Store) append(ctx context.Context, execution string, n int, entry []byte) error {
	other := fmt.Errorf("entry %d does not follow those that are there: another process drives this execution", n)
	if n < 1 {
		return other
	}
	token := newToken()
	i := key(journalPK(execution), entrySK(n))
	i[attrEntry], i[attrWrite] = text(string(entry)), text(token)
	parts := []part{s.put(i, absent, nil, func(found item, _ bool) error {
		if textOf(found, attrWrite) == token {
			return nil // our own, whose answer was lost
		}
		return other
	})}
	if n > 1 {
		present := "attribute_exists(#" + attrPK + ")"
		parts = append(parts, part{types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName: &s.table, Key: key(journalPK(execution), entrySK(n-1)),
			ConditionExpression: aws.String(present), ExpressionAttributeNames: names(present),
		}}, func(item, bool) error { return other }})
	}
	return s.transact(ctx, token, parts)
}

// Entries gives the journal of an execution in its order, nothing where there
// is none.
func (s *Store) Entries(ctx context.Context, execution string) ([][]byte, error) {
	var entries [][]byte
	err := s.query(ctx, prefixed(journalPK(execution), skEntry), func(i item) error {
		entries = append(entries, []byte(textOf(i, attrEntry)))
		return nil
	})
	if err != nil {
		return nil, s.explain("reading the journal of execution "+execution, err)
	}
	return entries, nil
}
