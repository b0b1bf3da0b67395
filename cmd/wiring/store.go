package wiring

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"muster/dynamo"
	"muster/recovery"
)

// TableForm is how a setting names a table in DynamoDB.
const TableForm = "dynamodb:TABLE, a table that muster table create makes"

var tableName = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`)

// ParseTable reads a store setting that names a table, and calls nobody.
func ParseTable(s string) (table string, err error) {
	kind, table, _ := strings.Cut(s, ":")
	switch {
	case s == "":
		return "", errors.New("is not set; it must be " + TableForm)
	case kind != "dynamodb":
		return "", fmt.Errorf("%s is not a store; it must be %s", recovery.Quote(s), TableForm)
	case !tableName.MatchString(table):
		return "", fmt.Errorf("%s names no table, which has 3 to 255 letters, digits and _ . -; it must be %s", recovery.Quote(s), TableForm)
	}
	return table, nil
}

// Table opens the store in a table, as a configuration of the AWS SDK leads to
// it. It calls nobody; make one and share it.
func Table(config aws.Config, table string) *dynamo.Store { return dynamo.New(config, table) }
