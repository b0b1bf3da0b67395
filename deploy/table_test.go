package deploy_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"muster/dynamo"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"
)

// wire keeps the first request of each operation, and answers none.
type wire map[string][]byte

func (w wire) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if w[operation] == nil {
		w[operation] = body
	}
	const refusal = `{"__type": "com.amazon.coral.service#AccessDeniedException", "message": "enough was seen"}`
	return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(refusal))}, nil
}

// The template's table is the one that muster makes for trials: the store knows
// no other.
func TestTheTableIsTheStores(t *testing.T) {
	w := wire{}
	store := dynamo.New(aws.Config{Region: "us-west-2", HTTPClient: w, Credentials: credentials.NewStaticCredentialsProvider("k", "s", "")}, "table")
	if _, err := store.CreateTable(t.Context()); err == nil {
		t.Fatal(errors.New("a table was made out of nothing"))
	}
	shape := func(data []byte) (s map[string]any) {
		if err := json.Unmarshal(data, &s); err != nil {
			t.Fatal(err)
		}
		for key := range s {
			switch key {
			case "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "LocalSecondaryIndexes", "BillingMode", "ProvisionedThroughput":
			default:
				delete(s, key)
			}
		}
		return s
	}
	template, err := json.Marshal(hub(t).Resources["Table"].Properties)
	if err != nil {
		t.Fatal(err)
	}
	want := shape(w["CreateTable"])
	if len(want) != 4 {
		t.Fatalf("the store makes a table of %v", want)
	}
	if diff := cmp.Diff(want, shape(template)); diff != "" {
		t.Errorf("-muster +hub.yaml: %s", diff)
	}
}
