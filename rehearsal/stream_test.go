//go:build rehearsal

package rehearsal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"
)

const streamsTarget = "DynamoDBStreams_20120810."

// follow plays Lambda's event source mapping: it reads the table's stream, and
// invokes the mapping's function with the records that its filter lets pass,
// until they are told.
func (c *cloud) follow(t *testing.T) {
	t.Helper()
	mapping := c.stack.Resources["Record"].Properties
	filters := mapping["FilterCriteria"].(map[string]any)["Filters"].([]any)
	filter, err := parsePattern(fmt.Sprint(filters[0].(map[string]any)["Pattern"]))
	if err != nil || len(filters) != 1 {
		t.Fatalf("the stream's filters are %v: %v", filters, err)
	}
	iterator, err := c.table.beginning()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var following sync.WaitGroup
	t.Cleanup(func() { stop(); following.Wait() })
	following.Go(func() {
		for iterator != "" && ctx.Err() == nil {
			var records []json.RawMessage
			records, iterator, err = c.table.records(iterator)
			if err != nil {
				t.Errorf("the table's stream: %v", err)
				return
			}
			for first := range len(records) {
				if first%mapping["BatchSize"].(int) == 0 {
					batch := records[first:min(len(records), first+mapping["BatchSize"].(int))]
					if err := c.deliver(ctx, fmt.Sprint(mapping["FunctionName"]), filter, batch); err != nil && ctx.Err() == nil {
						t.Errorf("the alias notify: %v", err)
					}
				}
			}
			select { // Lambda asks four times a second
			case <-ctx.Done():
			case <-time.After(250 * time.Millisecond):
			}
		}
	})
}

// deliver invokes the function with what the filter lets pass, again for what
// was not told.
func (c *cloud) deliver(ctx context.Context, function string, filter pattern, batch []json.RawMessage) error {
	var chosen []json.RawMessage
	for _, record := range batch {
		if filter.matches(record) {
			chosen = append(chosen, record)
		}
	}
	if len(chosen) == 0 {
		return nil
	}
	event, err := json.Marshal(map[string]any{"Records": chosen})
	if err != nil {
		return err
	}
	answer, failed, err := c.lambda.invoke(ctx, streams, function, event)
	if err != nil || failed {
		return fmt.Errorf("%w: %s", err, answer)
	}
	var undone struct{ BatchItemFailures []any }
	if err := json.Unmarshal(answer, &undone); err != nil || len(undone.BatchItemFailures) > 0 {
		return fmt.Errorf("it could not tell all of it: %s", answer)
	}
	return nil
}

// beginning is where the stream's one shard begins: the mapping's
// StartingPosition is TRIM_HORIZON.
func (d *table) beginning() (iterator string, err error) {
	var described struct {
		StreamDescription struct {
			Shards []struct{ ShardID string }
		}
	}
	if err := d.call(streamsTarget+"DescribeStream", map[string]any{"StreamArn": d.stream}, &described); err != nil {
		return "", err
	}
	if n := len(described.StreamDescription.Shards); n != 1 {
		return "", fmt.Errorf("the stream has %d shards, want 1", n)
	}
	var got struct{ ShardIterator string }
	err = d.call(streamsTarget+"GetShardIterator", map[string]any{
		"StreamArn": d.stream, "ShardId": described.StreamDescription.Shards[0].ShardID, "ShardIteratorType": "TRIM_HORIZON",
	}, &got)
	return got.ShardIterator, err
}

func (d *table) records(iterator string) (records []json.RawMessage, next string, err error) {
	var got struct {
		Records           []json.RawMessage
		NextShardIterator string
	}
	err = d.call(streamsTarget+"GetRecords", map[string]any{"ShardIterator": iterator}, &got)
	return got.Records, got.NextShardIterator, err
}
