package awsdrs_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"muster/awsdrs"
	"muster/recovery"
	"muster/simulator"
)

// The fleet of these tests: servers s-00000000000000001 and on, all alike but
// for their tags.
const (
	subnetA  = "subnet-0000000000000000a" // 10.0.1.0/24, vpc-0000000000000000a
	subnetB  = "subnet-0000000000000000b" // 10.0.2.0/24, vpc-0000000000000000a
	subnetC  = "subnet-0000000000000000c" // 10.0.3.0/24, vpc-0000000000000000c
	groupA   = "sg-0000000000000000a"     // vpc-0000000000000000a
	groupB   = "sg-0000000000000000b"     // vpc-0000000000000000a
	groupC   = "sg-0000000000000000c"     // vpc-0000000000000000c
	external = "wave-external-id"
)

var account = recovery.AccountContext{AccountID: "123456789012", Region: "us-east-1", RoleName: "DRSOrchestrationRole", ExternalID: recovery.NewSecret(external)}

func serverID(n int) recovery.SourceServerID {
	return recovery.SourceServerID(fmt.Sprintf("s-%017d", n))
}

func templateID(n int) string { return fmt.Sprintf("lt-%017d", n) }

func serverIDs(n int) []recovery.SourceServerID {
	ids := make([]recovery.SourceServerID, n)
	for i := range ids {
		ids[i] = serverID(i + 1)
	}
	return ids
}

// fleetOf makes a fleet of n servers. more goes into their region as it is.
func fleetOf(t *testing.T, n int, more ...string) *simulator.Fleet {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, `version: 1
accounts:
  "123456789012":
    roles:
      - {name: DRSOrchestrationRole, trusts: ["999999999999"], externalId: %s}
      - {name: ReadOnly, trusts: ["999999999999"], deny: ["drs:Start*", "drs:Update*", "ec2:Create*", "ec2:Modify*"]}
      - {name: NoTags, trusts: ["999999999999"], deny: ["drs:TagResource"]}
    regions:
      us-east-1:
        subnets:
          - {id: %s, cidr: 10.0.1.0/24, zone: us-east-1a, vpc: vpc-0000000000000000a}
          - {id: %s, cidr: 10.0.2.0/24, zone: us-east-1a, vpc: vpc-0000000000000000a}
          - {id: %s, cidr: 10.0.3.0/24, zone: us-east-1a, vpc: vpc-0000000000000000c}
        securityGroups:
          - {id: %s, name: a, vpc: vpc-0000000000000000a}
          - {id: %s, name: b, vpc: vpc-0000000000000000a}
          - {id: %s, name: c, vpc: vpc-0000000000000000c}
`, external, subnetA, subnetB, subnetC, groupA, groupB, groupC)
	for _, m := range more {
		b.WriteString(m)
	}
	b.WriteString("        servers:\n")
	for i := 1; i <= n; i++ {
		tags := `Tier: web`
		if i%2 == 0 {
			tags = `Tier: data, Retired: ""`
		}
		fmt.Fprintf(&b, `          - id: %s
            hostname: host-%d
            tags: {Application: hr, %s}
            lag: PT3S
            snapshots: [{age: 10m}, {age: 70m}, {id: pit-%017d, age: 24h}]
            launch: {name: host-%d, copyTags: true}
            template:
              id: %s
              instanceType: m5.large
              subnet: %s
              securityGroups: [%s]
              instanceProfile: old-profile
              interfaces: [{subnet: %s, securityGroups: [%s], description: administration}]
              blockDevices: [{device: /dev/sda1, sizeGiB: 64, type: io2, iops: 8000, encrypted: true, keep: true}]
              tags: {CostCentre: "4711"}
              metadata: {httpTokens: required, httpEndpoint: enabled, httpPutResponseHopLimit: 2}
`, serverID(i), i, tags, i, i, templateID(i), subnetA, groupA, subnetB, groupA)
	}
	f, err := simulator.ParseFleet("test", []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// house is a simulated AWS, and Accounts that call it.
type house struct {
	*testing.T
	world    *simulator.World
	accounts *awsdrs.Accounts
	wire     *wire
}

func newHouse(t *testing.T, fleet *simulator.Fleet, o simulator.Options, tune ...func(*awsdrs.Options)) *house {
	t.Helper()
	w, err := simulator.New(fleet, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	h := &house{T: t, world: w, wire: &wire{next: w.RoundTripper(), bodies: map[string][]string{}}}
	opts := awsdrs.Options{HTTPClient: &http.Client{Transport: h.wire}}
	for _, f := range tune {
		f(&opts)
	}
	h.accounts = awsdrs.New(callersConfig(), opts)
	return h
}

func callersConfig() aws.Config {
	return aws.Config{Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("999999999999", "secret", "")}
}

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, test func(t *testing.T)) { t.Helper(); synctest.Test(t, test) }

func (h *house) region() recovery.Region {
	h.Helper()
	r, err := h.accounts.Assume(h.Context(), account)
	if err != nil {
		h.Fatalf("Assume: %v", err)
	}
	return r
}

// fault sets a fault by its line, as people do.
func (h *house) fault(line string) {
	h.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://simulated/_muster/faults", strings.NewReader(line))
	if err != nil {
		h.Fatal(err)
	}
	answer, err := h.world.RoundTripper().RoundTrip(r)
	if err != nil {
		h.Fatal(err)
	}
	if body, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusCreated {
		h.Fatalf("fault %q: %s", line, body)
	}
}

func (h *house) clearFaults() {
	h.Helper()
	r, _ := http.NewRequest(http.MethodDelete, "http://simulated/_muster/faults", nil)
	if _, err := h.world.RoundTripper().RoundTrip(r); err != nil {
		h.Fatal(err)
	}
}

// calls counts the calls that AWS saw, by operation.
func (h *house) calls() map[string]int {
	counts := map[string]int{}
	for _, c := range h.world.Calls() {
		counts[c.Operation]++
	}
	return counts
}

// writes counts the calls that changed launch settings.
func (h *house) writes() map[string]int {
	counts := map[string]int{}
	for _, c := range h.world.Calls() {
		switch c.Operation {
		case "UpdateLaunchConfiguration", "CreateLaunchTemplateVersion", "ModifyLaunchTemplate", "StartRecovery":
			counts[c.Operation]++
		}
	}
	return counts
}

func (h *house) throttled() (n int) {
	for _, c := range h.world.Calls() {
		if c.Status == 429 || c.Status == 503 {
			n++
		}
	}
	return n
}

// server is what the world says about a server's launch settings.
func (h *house) server(id recovery.SourceServerID) simulator.ServerSummary {
	h.Helper()
	for _, r := range h.world.Summary().Regions {
		for _, s := range r.Servers {
			if s.ID == string(id) {
				return s
			}
		}
	}
	h.Fatalf("the world has no server %s", id)
	return simulator.ServerSummary{}
}

// wire keeps what is sent, by operation, and what cut cuts.
type wire struct {
	next http.RoundTripper
	mu   sync.Mutex
	// cut, where set, may answer instead of the world.
	cut     func(operation string, nth int) error
	bodies  map[string][]string
	headers []http.Header
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	operation := strings.TrimPrefix(r.URL.Path, "/")
	if i := bytes.Index(body, []byte("Action=")); operation == "" && i >= 0 {
		operation, _, _ = strings.Cut(string(body[i+len("Action="):]), "&")
	}
	w.mu.Lock()
	w.bodies[operation] = append(w.bodies[operation], string(body))
	w.headers = append(w.headers, r.Header)
	nth, cut := len(w.bodies[operation]), w.cut
	w.mu.Unlock()
	if cut != nil {
		if err := cut(operation, nth); err != nil {
			return nil, err
		}
	}
	return w.next.RoundTrip(r)
}

// sent gives the bodies of an operation's requests.
func (w *wire) sent(operation string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.bodies[operation]...)
}

// within gives a context that ends after d.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// want makes a resolved launch configuration of pairs.
func want(t *testing.T, id recovery.SourceServerID, pairs ...any) recovery.Resolved {
	t.Helper()
	c := recovery.LaunchConfig{}
	for i := 0; i < len(pairs); i += 2 {
		if err := c.Set(string(pairs[i].(recovery.Setting)), pairs[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	r, problems := recovery.Server{ID: id, LaunchConfig: c}.Resolve(nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return r
}

func same[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
