package simulator_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/simulator"
)

// sockets is a client of the world over a real connection.
func sockets(t *testing.T, w *simulator.World, account, region string) (*client, string) {
	t.Helper()
	server := httptest.NewUnstartedServer(w)
	server.Config.ErrorLog = nil
	server.Start()
	t.Cleanup(server.Close)
	return &client{t: t, http: redirect{server}, region: region, key: account}, server.URL
}

type redirect struct{ *httptest.Server }

func (d redirect) RoundTrip(r *http.Request) (*http.Response, error) {
	r.URL.Host = strings.TrimPrefix(d.URL, "http://")
	return d.Client().Transport.RoundTrip(r)
}

func TestAllServicesAreOnOnePort(t *testing.T) {
	w := world(t, "specification", simulator.Options{})
	c, _ := sockets(t, w, "999999999999", "us-east-1")
	c, r := c.assume(specRole, "unique-external-id")
	r.must(t, 200)
	c.drs("StartRecovery", start("s-db-01")).must(t, 202)
	c.query("ec2", "DescribeSubnets").must(t, 200)
	if got := c.query("sts", "GetCallerIdentity").must(t, 200).xml("Account"); got != specAccount {
		t.Errorf("account %s", got)
	}
}

func TestOverARealConnectionADroppedAnswerIsAClosedConnection(t *testing.T) {
	w := world(t, many(1), simulator.Options{Faults: []simulator.Fault{fault(t, "DropAnswerAfter:operation=StartRecovery,times=1")}})
	c, _ := sockets(t, w, manyAccount, manyRegion)
	if r := c.drs("StartRecovery", start(id(0))); r.err == nil {
		t.Fatalf("status %d, want a closed connection", r.status)
	}
	if got := length(t, c.drs("DescribeJobs", `{}`)); got != 1 {
		t.Errorf("%d jobs", got)
	}
}

func TestLatencyIsThatOfEveryAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, many(1), simulator.Options{Latency: 30 * time.Millisecond})
		c := root(t, w, manyAccount, manyRegion)
		began := time.Now()
		c.drs("DescribeJobs", `{}`).must(t, 200)
		c.drs("NoSuchThing", `{}`)
		c.query("sts", "GetCallerIdentity").must(t, 200)
		if took := time.Since(began); took != 90*time.Millisecond {
			t.Errorf("three answers took %v", took)
		}
	})
}

func TestRequestsWithoutASignatureAreRefused(t *testing.T) {
	w := world(t, many(1), simulator.Options{})
	for _, header := range []string{"", "Basic abc", "AWS4-HMAC-SHA256 Credential=123456789012/20250131/us-east-1/drs", "AWS4-HMAC-SHA256 Credential=////aws4_request"} {
		r, _ := http.NewRequest("POST", "http://x/DescribeJobs", strings.NewReader("{}"))
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		resp, err := w.RoundTripper().RoundTrip(r)
		if err != nil || resp.StatusCode != 403 {
			t.Errorf("%q: %v, %v", header, resp, err)
		}
	}
	c := &client{t: t, http: w.RoundTripper(), region: "nowhere", key: manyAccount}
	if r := c.drs("DescribeJobs", `{}`); r.status != 403 {
		t.Errorf("region nowhere: %d", r.status)
	}
}

func TestTheControlEndpointSetsAndClearsFaults(t *testing.T) {
	w := world(t, many(2), simulator.Options{})
	c, url := sockets(t, w, manyAccount, manyRegion)
	call := func(method, path, body string) (int, string) {
		r, _ := http.NewRequest(method, url+path, strings.NewReader(body))
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(b)
	}
	if status, body := call("POST", "/_muster/faults", `{"name":"Throttle","operation":"DescribeJobs","times":1}`); status != 201 {
		t.Fatalf("%d %s", status, body)
	}
	if status, body := call("POST", "/_muster/faults", `SlowAnswers:operation=TagResource,duration=1s`); status != 201 {
		t.Fatalf("%d %s", status, body)
	}
	c.drs("DescribeJobs", `{}`).must(t, 429)
	c.drs("DescribeJobs", `{}`).must(t, 200)
	_, body := call("GET", "/_muster/faults", "")
	var faults []struct {
		Name   string
		Struck int
	}
	if err := json.Unmarshal([]byte(body), &faults); err != nil || len(faults) != 2 || faults[0].Struck != 1 {
		t.Errorf("%v %s", err, body)
	}
	for _, bad := range []string{`{"name":"Explode"}`, `{"name":"Throttle","colour":"blue"}`, `Explode`, `{`, ``} {
		if status, body := call("POST", "/_muster/faults", bad); status != 400 || !strings.Contains(body, "error") {
			t.Errorf("%s: %d %s", bad, status, body)
		}
	}
	if status, _ := call("DELETE", "/_muster/faults?name=SlowAnswers", ""); status != 200 {
		t.Error(status)
	}
	call("DELETE", "/_muster/faults", "")
	if _, body := call("GET", "/_muster/faults", ""); strings.TrimSpace(body) != "[]" {
		t.Errorf("faults are left: %s", body)
	}
	if status, body := call("GET", "/_muster/calls?since=1", ""); status != 200 || strings.Count(body, `"operation"`) != 1 {
		t.Errorf("%d %s", status, body)
	}
	if status, body := call("GET", "/_muster/world", ""); status != 200 || !strings.Contains(body, id(1)) {
		t.Errorf("%d %s", status, body)
	}
	if status, body := call("GET", "/_muster/else", ""); status != 404 || !strings.Contains(body, "GET calls") {
		t.Errorf("%d %s", status, body)
	}
}

func TestAFaultSetAtRunTimeReachesWorldsOnTheSameJournal(t *testing.T) {
	path := t.TempDir() + "/journal"
	a, b := world(t, many(1), simulator.Options{Journal: path}), world(t, many(1), simulator.Options{Journal: path})
	r, _ := http.NewRequest("POST", "http://x/_muster/faults", strings.NewReader("Throttle:operation=DescribeJobs"))
	if resp, err := a.RoundTripper().RoundTrip(r); err != nil || resp.StatusCode != 201 {
		t.Fatal(err)
	}
	root(t, b, manyAccount, manyRegion).drs("DescribeJobs", `{}`).must(t, 429)
}
