package dynamo

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// part is one write of a transaction, or one condition.
type part struct {
	types.TransactWriteItem
	// refused says what it means that the part's condition did not hold. It is
	// given the item as it was found, nil where there is none, or where
	// DynamoDB does not say; and whether an earlier attempt of the same
	// transaction may have taken effect. Nil means that this very transaction
	// had been written.
	refused func(found item, unclear bool) error
}

// transact writes all parts or none. What an earlier part's condition means
// comes before what a later one's does.
//
// The token makes a repeated attempt safe: DynamoDB answers one that it has
// carried out within the last ten minutes as it did the first time, whatever
// has become of the items since. Attempts are repeated for half a minute.
func (s *Store) transact(ctx context.Context, token string, parts []part) error {
	if err := tooLarge(parts); err != nil {
		return err
	}
	in := &dynamodb.TransactWriteItemsInput{ClientRequestToken: aws.String(token)}
	for _, p := range parts {
		in.TransactItems = append(in.TransactItems, p.TransactWriteItem)
	}
	f := s.try(ctx, func(ctx context.Context) error {
		_, err := s.client.TransactWriteItems(ctx, in)
		return err
	})
	if f == nil {
		return nil
	}
	for i, r := range f.reasons {
		if aws.ToString(r.Code) == codeCondition && i < len(parts) {
			return parts[i].refused(r.Item, f.Ambiguous)
		}
	}
	return f
}

// DynamoDB's limits, which it tells of without saying what was too large.
const (
	mostItem        = 400 << 10 // bytes of an item, names included
	mostTransaction = 4 << 20   // bytes of all items of a transaction
)

// tooLarge names what is larger than DynamoDB takes.
func tooLarge(parts []part) error {
	all := 0
	for _, p := range parts {
		size, sk := 0, ""
		if p.Put != nil {
			size, sk = sizeOf(p.Put.Item), textOf(p.Put.Item, attrSK)
		} else if p.Update != nil {
			size, sk = sizeOf(p.Update.Key)+sizeOf(p.Update.ExpressionAttributeValues), textOf(p.Update.Key, attrSK)
		}
		if size > mostItem {
			return fmt.Errorf("%s would be %d bytes large, and an item in DynamoDB has at most %d", sk, size, mostItem)
		}
		all += size
	}
	if all > mostTransaction {
		return fmt.Errorf("the change would be %d bytes large, and a transaction in DynamoDB has at most %d", all, mostTransaction)
	}
	return nil
}

func sizeOf(i item) int {
	size := 0
	for name, value := range i {
		size += len(name)
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			size += len(v.Value)
		case *types.AttributeValueMemberB:
			size += len(v.Value)
		default:
			size += 21 // the most that a number takes; maps are small
		}
	}
	return size
}

// newToken is a mark that nobody else makes.
func newToken() string { return rand.Text() }

// put is a part that writes an item whole, where the condition holds.
func (s *Store) put(i item, condition string, values item, refused func(item, bool) error) part {
	p := &types.Put{TableName: &s.table, Item: i}
	if condition != "" {
		p.ConditionExpression, p.ExpressionAttributeValues = aws.String(condition), values
		p.ExpressionAttributeNames = names(condition)
		p.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	return part{types.TransactWriteItem{Put: p}, refused}
}

// update is a part that sets and removes attributes of an item.
func (s *Store) update(k item, update, condition string, values item, refused func(item, bool) error) part {
	return part{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.table, Key: k, UpdateExpression: &update, ConditionExpression: &condition,
		ExpressionAttributeNames: names(update, condition), ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}, refused}
}

var placeholder = regexp.MustCompile(`#\w+`)

// names gives what # names in expressions mean: themselves, so that none is
// taken for one of DynamoDB's hundreds of reserved words.
func names(expressions ...string) map[string]string {
	all := map[string]string{}
	for _, e := range expressions {
		for _, name := range placeholder.FindAllString(e, -1) {
			all[name] = name[1:]
		}
	}
	return all
}

func marshal(v any) (string, error) {
	record, err := json.Marshal(v)
	return string(record), err
}
