package simulator_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"muster/simulator"
)

// client speaks to a world as AWS's clients do, through plain net/http.
type client struct {
	t      *testing.T
	http   http.RoundTripper
	region string
	key    string
	token  string
}

// root is a client with the key of an account's root.
func root(t *testing.T, w *simulator.World, account, region string) *client {
	return &client{t: t, http: w.RoundTripper(), region: region, key: account}
}

// reply is an answer: its status, its error code, and its body as it came.
type reply struct {
	status int
	code   string
	header http.Header
	body   []byte
	err    error // of the transport
}

func (c *client) send(service, method, path, contentType, body string) reply {
	c.t.Helper()
	r, err := http.NewRequest(method, "http://simulated.example"+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	r.Header.Set("Authorization", fmt.Sprintf(
		"AWS4-HMAC-SHA256 Credential=%s/20250131/%s/%s/aws4_request, SignedHeaders=host;x-amz-date, Signature=00", c.key, c.region, service))
	if c.token != "" {
		r.Header.Set("X-Amz-Security-Token", c.token)
	}
	resp, err := c.http.RoundTrip(r)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return reply{err: err}
	}
	return reply{status: resp.StatusCode, header: resp.Header, body: b}
}

// drs calls an operation of DRS with a JSON body.
func (c *client) drs(operation, body string) reply {
	c.t.Helper()
	r := c.send("drs", "POST", "/"+operation, "application/json", body)
	r.code = r.header.Get("X-Amzn-Errortype")
	return r
}

// query calls an action of EC2 or STS.
func (c *client) query(service, action string, pairs ...string) reply {
	c.t.Helper()
	form := url.Values{"Action": {action}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r := c.send(service, "POST", "/", "application/x-www-form-urlencoded", form.Encode())
	if r.status >= 400 {
		r.code = r.xml("Code")
	}
	return r
}

// assume gives a client with a session of a role.
func (c *client) assume(arn, externalID string, more ...string) (*client, reply) {
	c.t.Helper()
	pairs := append([]string{"RoleArn", arn, "RoleSessionName", "test-session"}, more...)
	if externalID != "" {
		pairs = append(pairs, "ExternalId", externalID)
	}
	r := c.query("sts", "AssumeRole", pairs...)
	return &client{t: c.t, http: c.http, region: c.region, key: r.xml("AccessKeyId"), token: r.xml("SessionToken")}, r
}

// json decodes the body.
func (r reply) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(r.body, &v); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	return v
}

// at follows a path of keys and indexes through the body.
func (r reply) at(t *testing.T, path ...any) any {
	t.Helper()
	var v any = r.json(t)
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// xml gives the text of the first element of a name.
func (r reply) xml(name string) string {
	d := xml.NewDecoder(bytes.NewReader(r.body))
	for {
		tok, err := d.Token()
		if err != nil {
			return ""
		}
		if e, ok := tok.(xml.StartElement); ok && e.Name.Local == name {
			var s string
			if d.DecodeElement(&s, &e) == nil {
				return s
			}
		}
	}
}

func (r reply) message() string {
	var v struct{ Message string }
	if json.Unmarshal(r.body, &v) == nil {
		return v.Message
	}
	return r.xml("Message")
}

// must fails the test unless the call had the status.
func (r reply) must(t *testing.T, status int) reply {
	t.Helper()
	if r.err != nil {
		t.Fatal(r.err)
	}
	if r.status != status {
		t.Fatalf("status %d (%s), want %d: %s", r.status, r.code, status, r.body)
	}
	return r
}

// refused fails the test unless the call was refused with the status and code.
func (r reply) refused(t *testing.T, status int, code string) reply {
	t.Helper()
	if r.err != nil {
		t.Fatal(r.err)
	}
	if r.status != status || r.code != code {
		t.Fatalf("got %d %s, want %d %s: %s", r.status, r.code, status, code, r.body)
	}
	return r
}

// world makes a world from a fleet's name or, where it has more lines, its text.
func world(t *testing.T, fleet string, o simulator.Options) *simulator.World {
	t.Helper()
	f, err := simulator.LoadFleet(fleet)
	if strings.Contains(fleet, "\n") {
		f, err = simulator.ParseFleet("test", []byte(fleet))
	}
	if err != nil {
		t.Fatal(err)
	}
	w, err := simulator.New(f, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}
