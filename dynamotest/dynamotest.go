// Package dynamotest is DynamoDB for tests: minidyn behind DynamoDB's own
// protocol, in this process, with the limits that minidyn does not have, the
// calls that were made, and faults by name.
package dynamotest

import (
	"bytes"
	"encoding/json"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/truora/minidyn/server"
)

// DynamoDB serves DynamoDB's protocol (AWS JSON 1.0) over HTTP, and through
// Config without a network. Its zero value does not work: use New. It may be
// used from many goroutines; requests are carried out one after the other.
type DynamoDB struct {
	mu      sync.Mutex
	mini    *server.Server
	done    map[string]answer // what transactions came to, by their token
	calls   []Call
	forgets bool // tokens
	faults  []*Fault
	tables  map[string]json.RawMessage // the attributes that tables were made with
}

// Call is one request that arrived.
type Call struct {
	Operation string
	Table     string // "" for what names several
	Items     int    // of a transaction, its parts; of a batch, its keys; else 1
	Body      []byte // of the request, as JSON
	Found     int    // items that a query gave
}

// Fault lets something go wrong with some requests.
type Fault struct {
	Kind      FaultKind
	Operation string // "" for all
	Times     int    // 0 for ever
	After     int    // the first so many requests are left alone
}

// FaultKind names what goes wrong.
type FaultKind string

// What can go wrong.
const (
	Throttle        FaultKind = "Throttle"        // refused, without an effect
	FailBefore      FaultKind = "FailBefore"      // HTTP status 500, without an effect
	FailAfter       FaultKind = "FailAfter"       // HTTP status 500, after the effect
	DropBefore      FaultKind = "DropBefore"      // no answer, without an effect
	DropAnswerAfter FaultKind = "DropAnswerAfter" // no answer, after the effect
	Conflict        FaultKind = "Conflict"        // another transaction is under way on the same items
	Deny            FaultKind = "Deny"            // the caller may not do it
	Garble          FaultKind = "Garble"          // an answer that is cut, after the effect
)

// New makes an empty DynamoDB, without tables.
func New() *DynamoDB {
	return &DynamoDB{mini: server.NewServer(), done: map[string]answer{}, tables: map[string]json.RawMessage{}}
}

// Config is a configuration of the SDK that reaches this DynamoDB without a
// network, so in a synctest bubble, too.
func (d *DynamoDB) Config() aws.Config {
	return aws.Config{
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		BaseEndpoint: aws.String("http://dynamodb.invalid"),
		HTTPClient:   &http.Client{Transport: transport{d}},
	}
}

// Fail adds a fault. Those that were added first come first.
func (d *DynamoDB) Fail(f Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = append(d.faults, &f)
}

// Heal takes all faults away.
func (d *DynamoDB) Heal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = nil
}

// ForgetTokens makes it forget which transactions it has carried out, as
// DynamoDB does after ten minutes.
func (d *DynamoDB) ForgetTokens() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forgets = true
	clear(d.done)
}

// Calls gives the requests that arrived, in their order.
func (d *DynamoDB) Calls() []Call {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.calls)
}

// answer is what a request came to.
type answer struct {
	status int
	header http.Header
	body   []byte
	lost   bool
}

// found counts the items that a query gave.
func (a answer) found() int {
	var out struct{ Items []json.RawMessage }
	if json.Unmarshal(a.body, &out) != nil {
		return 0
	}
	return len(out.Items)
}

// ServeHTTP implements http.Handler.
func (d *DynamoDB) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller is gone
	}
	a := d.answer(r, body)
	if a.lost {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// answer is what goes back, with the checksum that clients want.
func (d *DynamoDB) answer(r *http.Request, body []byte) answer {
	a := d.serve(r, body)
	if !a.lost {
		a.header = a.header.Clone()
		a.header.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(a.body)), 10))
	}
	return a
}

func (d *DynamoDB) serve(r *http.Request, body []byte) answer {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var in request
	if err := json.Unmarshal(body, &in); err != nil {
		return refusal(http.StatusBadRequest, "SerializationException", err.Error())
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, Call{operation, in.TableName, in.items(), body, 0})
	kind := d.fault(operation)
	switch kind {
	case Throttle:
		return refusal(http.StatusBadRequest, "ThrottlingException", "Rate of requests exceeds the allowed throughput.")
	case FailBefore:
		return refusal(http.StatusInternalServerError, "InternalServerError", "The request processing has failed because of an unknown error.")
	case DropBefore:
		return answer{lost: true}
	case Deny:
		return refusal(http.StatusBadRequest, "AccessDeniedException", "User: test is not authorized to perform: dynamodb:"+operation)
	case Conflict:
		return in.conflict()
	}
	a := d.carryOut(r, operation, in, body)
	d.calls[len(d.calls)-1].Found = a.found()
	switch kind {
	case FailAfter:
		return refusal(http.StatusInternalServerError, "InternalServerError", "The request processing has failed because of an unknown error.")
	case DropAnswerAfter:
		return answer{lost: true}
	case Garble:
		a.body = a.body[:len(a.body)/2]
	}
	return a
}

// fault takes the fault that meets this request, "" where none does.
func (d *DynamoDB) fault(operation string) FaultKind {
	for i, f := range d.faults {
		if f.Operation != "" && f.Operation != operation {
			continue
		}
		if f.After > 0 {
			f.After--
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				d.faults = slices.Delete(d.faults, i, i+1)
			}
		}
		return f.Kind
	}
	return ""
}

// carryOut lets minidyn answer what keeps DynamoDB's limits. A transaction
// whose token was carried out before is answered as it was.
func (d *DynamoDB) carryOut(r *http.Request, operation string, in request, body []byte) answer {
	if refused, bad := in.check(operation); bad {
		return refused
	}
	token := in.ClientRequestToken
	if before, again := d.done[token]; again && token != "" {
		return before
	}
	inner := r.Clone(r.Context())
	inner.Body = io.NopCloser(bytes.NewReader(body))
	w := httptest.NewRecorder()
	d.mini.ServeHTTP(w, inner)
	if w.Header().Get("Content-Type") == "text/plain; charset=utf-8" { // minidyn does not know it
		return refusal(http.StatusBadRequest, "UnknownOperationException", operation)
	}
	a := answer{status: w.Code, header: w.Header(), body: w.Body.Bytes()}
	switch {
	case a.status != http.StatusOK:
		return a
	case operation == "CreateTable":
		d.tables[in.TableName] = in.AttributeDefinitions
	case operation == "DescribeTable":
		a.body = d.described(in.TableName, a.body)
	}
	if token != "" && !d.forgets {
		d.done[token] = a
	}
	return a
}

// described tells of a table what minidyn leaves out.
func (d *DynamoDB) described(table string, body []byte) []byte {
	var out map[string]map[string]json.RawMessage
	if json.Unmarshal(body, &out) != nil || out["Table"] == nil {
		return body
	}
	out["Table"]["AttributeDefinitions"] = d.tables[table]
	out["Table"]["TableStatus"] = json.RawMessage(`"ACTIVE"`)
	whole, err := json.Marshal(out)
	if err != nil {
		return body
	}
	return whole
}

func refusal(status int, code, message string) answer {
	body, _ := json.Marshal(map[string]string{"__type": "com.amazonaws.dynamodb.v20120810#" + code, "message": message})
	return answer{status: status, header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, body: body}
}

// transport carries requests without a network.
type transport struct{ d *DynamoDB }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body)
	r.Body.Close()
	if err != nil {
		return nil, err
	}
	a := t.d.answer(r, body)
	if a.lost {
		return nil, io.ErrUnexpectedEOF
	}
	return &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)), Request: r,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}, nil
}
