//go:build rehearsal

package rehearsal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"muster/cloudformation"
)

// table is the template's, in DynamoDB Local.
type table struct {
	endpoint, name string
	stream         string // its ARN
}

// makeTable makes the table that the template describes: its properties have
// DynamoDB's own names.
func makeTable(t *testing.T, stack *cloudformation.Stack) *table {
	t.Helper()
	d := &table{endpoint: os.Getenv("MUSTER_TEST_DYNAMODB")}
	if d.endpoint == "" {
		t.Fatal("MUSTER_TEST_DYNAMODB is not set: make deploy-rehearsal starts DynamoDB Local and sets it to its endpoint")
	}
	d.name = strings.TrimPrefix(fmt.Sprint(stack.Resources["Function"].Properties["Environment"].(map[string]any)["Variables"].(map[string]any)["MUSTER_STORE"]), "dynamodb:")
	asked := map[string]any{"TableName": d.name}
	for _, name := range []string{"BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"} {
		asked[name] = stack.Resources["Table"].Properties[name]
	}
	stream := stack.Resources["Table"].Properties["StreamSpecification"].(map[string]any)
	asked["StreamSpecification"] = map[string]any{"StreamEnabled": true, "StreamViewType": stream["StreamViewType"]}
	var made struct {
		TableDescription struct{ LatestStreamArn string }
	}
	if err := d.call("DynamoDB_20120810.CreateTable", asked, &made); err != nil {
		t.Fatal(err)
	}
	if d.stream = made.TableDescription.LatestStreamArn; d.stream == "" {
		t.Fatal("the table was made without its stream")
	}
	return d
}

// call makes one call of DynamoDB, or of its streams. The function's access key
// leads to the same tables.
func (d *table) call(target string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequest(http.MethodPost, d.endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", target)
	r.Header.Set("Authorization", signed(account, "dynamodb"))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: HTTP status %d: %s", target, response.StatusCode, answer)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, out)
}
