package dynamo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Made says what CreateTable did.
type Made struct {
	New      bool // there was no such table before
	Recovery bool // it can be brought back to any moment of the last 35 days
}

// CreateTable makes the table, billed on demand, encrypted with AWS's own key,
// with point-in-time recovery where the endpoint knows that, and waits until it
// can be used. A table that is there is left as it is but for its point-in-time
// recovery, and is an error where it has another shape. It may be called again.
func (s *Store) CreateTable(ctx context.Context) (Made, error) {
	made, err := s.create(ctx)
	if err != nil {
		return made, s.explain("making the table", err)
	}
	return made, nil
}

func (s *Store) create(ctx context.Context) (made Made, err error) {
	f := s.try(ctx, func(ctx context.Context) error {
		_, err := s.client.CreateTable(ctx, s.definition())
		return err
	})
	made.New = f == nil
	if f != nil && f.Code != codeTableExists {
		return made, f
	}
	if err := s.ready(ctx); err != nil {
		return made, err
	}
	f = s.try(ctx, func(ctx context.Context) error {
		_, err := s.client.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{TableName: &s.table,
			PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)}})
		return err
	})
	switch {
	case f == nil:
		made.Recovery = true
	case f.Code != codeUnknown: // as DynamoDB Local has it
		return made, f
	}
	return made, nil
}

// definition is the table's shape; deployments by other means must have the same.
func (s *Store) definition() *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName: &s.table, BillingMode: types.BillingModePayPerRequest,
		KeySchema:        keys(attrPK, attrSK),
		SSESpecification: &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String(indexByChange), KeySchema: keys(attrList, attrChanged),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		}},
	}
	for _, name := range []string{attrPK, attrSK, attrList, attrChanged} {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS})
	}
	return in
}

func keys(hash, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: aws.String(hash), KeyType: types.KeyTypeHash},
		{AttributeName: aws.String(sort), KeyType: types.KeyTypeRange},
	}
}

const (
	tableStep    = time.Second
	tableTimeout = 5 * time.Minute
)

// ready waits until the table and its index can be used.
func (s *Store) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, tableTimeout)
	defer cancel()
	for {
		var out *dynamodb.DescribeTableOutput
		f := s.try(ctx, func(ctx context.Context) (err error) {
			out, err = s.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &s.table})
			return err
		})
		switch {
		case f != nil && f.Code != codeNoTable: // not visible yet
			return f
		case f == nil:
			if err := s.differs(out.Table); err != nil {
				return err
			}
			if usable(out.Table) {
				return nil
			}
		}
		if !sleep(ctx, tableStep) {
			return errors.New("the table is not ready yet: wait until it is ACTIVE, then try again")
		}
	}
}

func usable(t *types.TableDescription) bool {
	if t.TableStatus != types.TableStatusActive && t.TableStatus != types.TableStatusUpdating {
		return false
	}
	return !slices.ContainsFunc(t.GlobalSecondaryIndexes, func(i types.GlobalSecondaryIndexDescription) bool {
		return aws.ToString(i.IndexName) == indexByChange && i.IndexStatus != types.IndexStatusActive
	})
}

// differs names every way in which a table is not one that the store can use.
func (s *Store) differs(t *types.TableDescription) error {
	want := s.definition()
	var errs []error
	differ := func(what, got, want string) {
		if got != want {
			errs = append(errs, fmt.Errorf("%s is %s, and must be %s", what, got, want))
		}
	}
	differ("its key", schemaWords(t.KeySchema, t.AttributeDefinitions), schemaWords(want.KeySchema, want.AttributeDefinitions))
	index := want.GlobalSecondaryIndexes[0]
	i := slices.IndexFunc(t.GlobalSecondaryIndexes, func(i types.GlobalSecondaryIndexDescription) bool { return aws.ToString(i.IndexName) == indexByChange })
	if i < 0 {
		errs = append(errs, fmt.Errorf("it lacks the index %s, with the key %s", indexByChange, schemaWords(index.KeySchema, want.AttributeDefinitions)))
	} else {
		differ("the key of its index "+indexByChange, schemaWords(t.GlobalSecondaryIndexes[i].KeySchema, t.AttributeDefinitions), schemaWords(index.KeySchema, want.AttributeDefinitions))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("there is a table of this name that is not Muster's: %w; name another one", err)
	}
	return nil
}

// schemaWords says a key as "pk (HASH, S), sk (RANGE, S)".
func schemaWords(schema []types.KeySchemaElement, attributes []types.AttributeDefinition) string {
	var words []string
	for _, k := range schema {
		kind := types.ScalarAttributeType("?")
		for _, a := range attributes {
			if aws.ToString(a.AttributeName) == aws.ToString(k.AttributeName) {
				kind = a.AttributeType
			}
		}
		words = append(words, fmt.Sprintf("%s (%s, %s)", aws.ToString(k.AttributeName), k.KeyType, kind))
	}
	return strings.Join(words, ", ")
}
