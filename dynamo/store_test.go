package dynamo_test

import (
	"crypto/rand"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"muster/dynamo"
	"muster/dynamotest"
	"muster/recovery"
	"muster/recoverytest"
)

func TestPlans(t *testing.T) {
	recoverytest.Plans(t, func(t *testing.T) func() recovery.PlanStore {
		cfg, table := dynamotest.New().Config(), "executions"
		create(t, cfg, table)
		return func() recovery.PlanStore { return dynamo.New(cfg, table) }
	})
}

func TestPlansOverDynamoDBLocal(t *testing.T) {
	cfg := local(t)
	recoverytest.Plans(t, func(t *testing.T) func() recovery.PlanStore {
		table := "executions-" + rand.Text()
		create(t, cfg, table)
		return func() recovery.PlanStore { return dynamo.New(cfg, table) }
	})
}

func TestExecutions(t *testing.T) {
	recoverytest.Executions(t, func(t *testing.T) func() recovery.ExecutionStore {
		cfg, table := dynamotest.New().Config(), "executions"
		create(t, cfg, table)
		return func() recovery.ExecutionStore { return dynamo.New(cfg, table) }
	})
}

// TestExecutionsOverDynamoDBLocal is the suite over AWS's own DynamoDB Local,
// which MUSTER_TEST_DYNAMODB names: http://127.0.0.1:8000.
func TestExecutionsOverDynamoDBLocal(t *testing.T) {
	cfg := local(t)
	recoverytest.Executions(t, func(t *testing.T) func() recovery.ExecutionStore {
		table := "executions-" + rand.Text()
		create(t, cfg, table)
		return func() recovery.ExecutionStore { return dynamo.New(cfg, table) }
	})
}

// local reaches DynamoDB Local. A test that was asked to run there and cannot,
// fails.
func local(t testing.TB) aws.Config {
	endpoint := os.Getenv("MUSTER_TEST_DYNAMODB")
	if endpoint == "" {
		t.Skip("MUSTER_TEST_DYNAMODB is not set: .ci/run sets it")
	}
	return aws.Config{
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
		BaseEndpoint: aws.String(endpoint),
	}
}

func create(t testing.TB, cfg aws.Config, table string) *dynamo.Store {
	t.Helper()
	s := dynamo.New(cfg, table)
	if _, err := s.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// opened is a store over an empty table, and the DynamoDB that it is in.
func opened(t testing.TB) (*dynamo.Store, *dynamotest.DynamoDB) {
	t.Helper()
	d := dynamotest.New()
	return create(t, d.Config(), "executions"), d
}

func TestIdentities(t *testing.T) {
	recoverytest.Identities(t, func(t *testing.T) func() recovery.IdentityStore {
		cfg, table := dynamotest.New().Config(), "executions"
		create(t, cfg, table)
		return func() recovery.IdentityStore { return dynamo.New(cfg, table) }
	})
}

func TestIdentitiesOverDynamoDBLocal(t *testing.T) {
	cfg := local(t)
	recoverytest.Identities(t, func(t *testing.T) func() recovery.IdentityStore {
		table := "executions-" + rand.Text()
		create(t, cfg, table)
		return func() recovery.IdentityStore { return dynamo.New(cfg, table) }
	})
}
