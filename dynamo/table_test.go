package dynamo_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"muster/dynamo"
	"muster/dynamotest"
)

func TestATableIsMadeOnceAndThenFound(t *testing.T) {
	for name, cfg := range map[string]func(testing.TB) aws.Config{
		"minidyn":        func(testing.TB) aws.Config { return dynamotest.New().Config() },
		"DynamoDB Local": local,
	} {
		t.Run(name, func(t *testing.T) {
			s := dynamo.New(cfg(t), "made-"+t.Name()[len(t.Name())-5:])
			for n, want := range []bool{true, false} {
				made, err := s.CreateTable(t.Context())
				if err != nil || made.New != want {
					t.Errorf("time %d: got %+v, %v; want new: %v", n+1, made, err, want)
				}
			}
		})
	}
}

func TestATableOfAnotherShapeIsRefused(t *testing.T) {
	d := dynamotest.New()
	client := dynamodb.NewFromConfig(d.Config())
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("executions"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeN}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = dynamo.New(d.Config(), "executions").CreateTable(t.Context())
	for _, want := range []string{"not Muster's", "its key is id (HASH, N), and must be pk (HASH, S), sk (RANGE, S)", "lacks the index by-change, with the key list (HASH, S), changed (RANGE, S)", "name another one"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
