package dynamotest

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// request is what has to be known about any request.
type request struct {
	TableName            string
	ClientRequestToken   string
	Item                 value
	AttributeDefinitions json.RawMessage
	TransactItems        []map[string]struct {
		Item                      value
		Key                       value
		ExpressionAttributeValues value
	}
	RequestItems map[string]struct{ Keys []value }
}

// value is an item, or its attributes, as they are on the wire.
type value map[string]json.RawMessage

func (in request) items() int {
	n := len(in.TransactItems)
	for _, r := range in.RequestItems {
		n += len(r.Keys)
	}
	return max(n, 1)
}

// DynamoDB's limits, which minidyn does not know.
const (
	mostItem        = 400 << 10
	mostTransaction = 4 << 20
	mostParts       = 100
	mostKeys        = 100
	mostToken       = 36
)

// check refuses what DynamoDB does.
func (in request) check(operation string) (answer, bool) {
	invalid := func(format string, args ...any) (answer, bool) {
		return refusal(http.StatusBadRequest, "ValidationException", fmt.Sprintf(format, args...)), true
	}
	if in.Item.size() > mostItem {
		return invalid("Item size has exceeded the maximum allowed size")
	}
	if len(in.ClientRequestToken) > mostToken {
		return invalid("Value at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to %d", mostToken)
	}
	if operation == "BatchGetItem" && in.items() > mostKeys {
		return invalid("Too many items requested for the BatchGetItem call")
	}
	if operation != "TransactWriteItems" {
		return answer{}, false
	}
	if n := len(in.TransactItems); n < 1 || n > mostParts {
		return invalid("Member must have length between 1 and %d, and it has %d", mostParts, n)
	}
	all := 0
	for _, part := range in.TransactItems {
		for _, p := range part {
			size := p.Item.size() + p.Key.size() + p.ExpressionAttributeValues.size()
			if size > mostItem {
				return invalid("Item size to update has exceeded the maximum allowed size")
			}
			all += size
		}
	}
	if all > mostTransaction {
		return invalid("Collection size of %d bytes exceeds the limit of a transaction", all)
	}
	return answer{}, false
}

// conflict is the answer to a transaction that meets another one.
func (in request) conflict() answer {
	reasons := make([]map[string]string, in.items())
	for i := range reasons {
		reasons[i] = map[string]string{"Code": "None"}
	}
	reasons[0] = map[string]string{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
	body, _ := json.Marshal(map[string]any{"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
		"message": "Transaction cancelled, please refer cancellation reasons for specific reasons", "CancellationReasons": reasons})
	return answer{status: http.StatusBadRequest, header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, body: body}
}

// size is that of the attributes, names included.
func (v value) size() int {
	size := 0
	for name, raw := range v {
		size += len(name)
		var typed struct {
			S string
			B []byte
			N string
			M value
		}
		if json.Unmarshal(raw, &typed) == nil {
			size += len(typed.S) + len(typed.B) + len(typed.N) + typed.M.size()
		}
	}
	return size
}
