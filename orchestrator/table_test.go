package orchestrator_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"muster/dynamo"
	"muster/dynamotest"
	"muster/recovery"
)

// table is a shelf in a table of DynamoDB. A process is disturbed at what goes
// over the wire, below the store, whose own repetitions have to get over it.
type table struct {
	*dynamo.Store
	db *dynamotest.DynamoDB
}

const tableName = "muster"

// inTable opens a new shelf in a table.
func inTable(t testing.TB) shelf {
	t.Helper()
	db := dynamotest.New()
	store := dynamo.New(db.Config(), tableName)
	if _, err := store.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return table{store, db}
}

func (s table) through(p *process, h *house) recovery.ExecutionStore {
	cfg := s.db.Config()
	cfg.HTTPClient = &http.Client{Transport: tableWire{p, cfg.HTTPClient.(*http.Client).Transport}}
	return noting{dynamo.New(cfg, tableName), h}
}

// tableWire passes requests to DynamoDB on through a process.
type tableWire struct {
	process *process
	next    http.RoundTripper
}

func (w tableWire) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer, err := through(w.process, tableRequestName(r.Header.Get("X-Amz-Target"), body), func() (*http.Response, error) { return w.next.RoundTrip(r) })
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// tableRequestName names a request as calls of a store are named: a
// transaction by the event that it records, a query by what it reads.
func tableRequestName(target string, body []byte) string {
	_, operation, _ := strings.Cut(target, ".")
	if operation != "TransactWriteItems" {
		return "store " + operation
	}
	var in struct {
		TransactItems []struct {
			Put struct {
				Item struct{ Kind struct{ S string } }
			}
		}
	}
	if json.Unmarshal(body, &in) == nil {
		for _, i := range in.TransactItems {
			if i.Put.Item.Kind.S != "" {
				return "store " + i.Put.Item.Kind.S
			}
		}
	}
	return "store renew"
}
