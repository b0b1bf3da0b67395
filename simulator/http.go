package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxBody bounds a request's body.
const maxBody = 2 << 20

// ServeHTTP answers a request to any of the services, or to the control endpoint under /_muster/.
func (w *World) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	a := w.respond(r)
	if wait(r.Context(), a.delay) != nil || a.drop {
		panic(http.ErrAbortHandler) // the connection is closed without an answer
	}
	for name, values := range a.header {
		rw.Header()[name] = values
	}
	rw.WriteHeader(a.status)
	_, _ = rw.Write(a.body) // a client that went away needs no answer
}

// RoundTripper gives the world as a transport without sockets, whatever the
// requests' host. It works inside testing/synctest bubbles. A dropped connection
// is io.ErrUnexpectedEOF; a request whose context ends while its answer is
// delayed ends with the context's error, though what it asked for was done.
func (w *World) RoundTripper() http.RoundTripper { return roundTripper{w} }

type roundTripper struct{ world *World }

func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	a := t.world.respond(r)
	if r.Body != nil {
		r.Body.Close()
	}
	if err := wait(r.Context(), a.delay); err != nil {
		return nil, err
	}
	if a.drop {
		return nil, io.ErrUnexpectedEOF
	}
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)),
		StatusCode: a.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        a.header,
		Body:          io.NopCloser(bytes.NewReader(a.body)),
		ContentLength: int64(len(a.body)),
		Request:       r,
	}, nil
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// newAnswer makes an answer that is filled as an http.ResponseWriter.
func newAnswer() *answer { return &answer{status: http.StatusOK, header: http.Header{}} }

// Header, WriteHeader and Write make an answer an http.ResponseWriter.
func (a *answer) Header() http.Header    { return a.header }
func (a *answer) WriteHeader(status int) { a.status = status }
func (a *answer) Write(b []byte) (int, error) {
	a.body = append(a.body, b...)
	return len(b), nil
}

// respond reads a request from the wire and has it answered.
func (w *World) respond(r *http.Request) *answer {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(io.LimitReader(r.Body, maxBody+1)); err != nil {
			return &answer{drop: true}
		}
	}
	if strings.HasPrefix(r.URL.Path, ControlPath) {
		return w.control(r, body)
	}
	q, e := readRequest(r, body)
	if e != nil {
		return w.unread(q, e)
	}
	return w.handle(q)
}

// unread answers a request of which not even the service or operation could be told.
func (w *World) unread(q *request, e *apiError) *answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests++
	a := w.refuse(q, e)
	w.calls.add(Call{Time: w.tick(), Service: q.service, Operation: q.operation, Region: q.region, Status: a.status, Code: e.Code})
	a.delay = w.latency
	return a
}

// readRequest tells service, region and operation, and reads the operation's
// input. An input that cannot be read is only noted: who asks comes first.
func readRequest(r *http.Request, body []byte) (*request, *apiError) {
	q := &request{service: serviceDRS, token: r.Header.Get("X-Amz-Security-Token")}
	s, e := readScope(r.Header)
	if e != nil {
		return q, e
	}
	q.service, q.region, q.key = s.service, s.region, s.key
	switch q.service {
	case serviceDRS, serviceEC2, serviceSTS:
	default:
		q.service = serviceDRS
		return q, &apiError{Status: 404, Code: "UnknownOperationException",
			Message: fmt.Sprintf("The simulator has no service %q. It has drs, ec2 and sts.", s.service)}
	}
	if len(body) > maxBody {
		return q, &apiError{Status: http.StatusRequestEntityTooLarge, Code: "RequestEntityTooLargeException",
			Message: fmt.Sprintf("The request has more than %d bytes.", maxBody)}
	}
	if q.service == serviceDRS {
		return q, q.readREST(r, body)
	}
	return q, q.readQuery(r, body)
}

// readREST reads a request to DRS: the operation is its path, the input its
// JSON body, its query, and for tags its path.
func (q *request) readREST(r *http.Request, body []byte) *apiError {
	path := r.URL.EscapedPath()
	if arn, ok := strings.CutPrefix(path, "/tags/"); ok {
		q.operation = map[string]string{"GET": "ListTagsForResource", "POST": "TagResource", "DELETE": "UntagResource"}[r.Method]
		if q.operation == "" {
			q.operation = r.Method + " " + "/tags"
		}
		q.readBody(body)
		if plain, err := url.PathUnescape(arn); err == nil {
			q.body["resourceArn"] = plain
		}
		if keys, ok := r.URL.Query()["tagKeys"]; ok && r.Method == "DELETE" {
			list := make([]any, len(keys))
			for i, k := range keys {
				list[i] = k
			}
			q.body["tagKeys"] = list
		}
		return nil
	}
	q.operation = strings.TrimPrefix(path, "/")
	if op, ok := operations[q.operation]; ok && op.Method != r.Method {
		q.operation = r.Method + " " + q.operation
	}
	q.readBody(body)
	if q.operation == "ListStagingAccounts" {
		for _, name := range []string{"maxResults", "nextToken"} {
			if v := r.URL.Query().Get(name); v != "" {
				q.body[name] = v
				if name == "maxResults" {
					q.body[name] = json.Number(v)
				}
			}
		}
	}
	return nil
}

func (q *request) readBody(body []byte) {
	q.body = map[string]any{}
	if len(bytes.TrimSpace(body)) == 0 {
		return
	}
	if err := decodeNumbers(body, &q.body); err != nil || q.body == nil {
		q.body = map[string]any{}
		q.malformed = &apiError{Status: 400, Code: "SerializationException", Message: "The body is not a JSON object."}
	}
}

// decodeNumbers decodes one JSON value, with numbers as they are spelled.
func decodeNumbers(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}

// readQuery reads a request in the query protocol: a form in the body, or in the query of a GET.
func (q *request) readQuery(r *http.Request, body []byte) *apiError {
	form, err := url.ParseQuery(string(body))
	if err != nil || r.Method != http.MethodPost {
		form = url.Values{}
	}
	for k, v := range r.URL.Query() {
		form[k] = append(form[k], v...)
	}
	q.form = form
	q.operation = form.Get("Action")
	if err != nil {
		return &apiError{Status: 400, Code: "MalformedQueryString", Message: "The body is not a form."}
	}
	if q.operation == "" {
		return &apiError{Status: 400, Code: "MissingAction", Message: "The request must contain the parameter Action."}
	}
	return nil
}

// ok is DRS's answer with a result.
func (w *World) ok(q *request, body []byte) *answer {
	a := newAnswer()
	a.status = operations[q.operation].Status
	a.header.Set("Content-Type", "application/json")
	a.header.Set("X-Amzn-Requestid", w.requestID())
	if a.status != http.StatusNoContent {
		a.body = body
	}
	return a
}

// refuse writes an error in the service's own protocol.
func (w *World) refuse(q *request, e *apiError) *answer {
	a := newAnswer()
	if q.service != serviceDRS {
		writeQueryError(a, q.service, w.requestID(), e)
		return a
	}
	body := map[string]any{"message": e.Message}
	if s := model().Shapes[e.Code]; s == nil || s.Members["code"].Shape != "" {
		body["code"] = e.Code
	}
	for k, v := range e.Extra {
		body[k] = v
	}
	a.body, _ = json.Marshal(body) // strings, lists and maps of them
	a.status = e.Status
	for k, v := range e.Header {
		a.header[http.CanonicalHeaderKey(k)] = v
	}
	a.header.Set("Content-Type", "application/json")
	a.header.Set("X-Amzn-Errortype", e.Code)
	a.header.Set("X-Amzn-Requestid", w.requestID())
	return a
}
