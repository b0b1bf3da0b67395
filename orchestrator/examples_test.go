package orchestrator_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"muster/awsdrs"
	"muster/event"
	"muster/orchestrator"
	"muster/planfile"
	"muster/recovery"
	"muster/simulator"
	"muster/sqlite"
)

var update = flag.Bool("update", false, "write the golden answers anew")

// examples are the specification's events and our answers to them, both in
// testdata/events. faults are what the simulated AWS does meanwhile.
var examples = []struct {
	event, golden string
	faults        []string
	stranger      bool   // the caller comes from an account that the role does not trust
	after         string // an event that comes first, and whose job is over
}{
	{event: "start-wave-1.json", golden: "start-wave-1.golden.json"},
	{event: "start-wave-1-five-servers.json", golden: "start-wave-1-five-servers.golden.json"},
	{event: "complete-example.wave-1.json", golden: "complete-example.wave-1.golden.json"},
	{event: "complete-example.wave-2.json", golden: "complete-example.wave-2.golden.json", after: "complete-example.wave-1.json"},
	{event: "start-wave-1.json", golden: "error-response.golden.json", faults: []string{"Refuse:operation=StartRecovery,code=InsufficientCapacity"}},
	{event: "start-wave-1.json", golden: "error-insufficient-capacity.golden.json",
		faults: []string{"Refuse:operation=StartRecovery,code=InsufficientCapacity,message=Not enough DRS capacity in region us-east-1"}},
	{event: "error-invalid-source-server.json", golden: "error-invalid-source-server.golden.json"},
	{event: "start-wave-1.json", golden: "error-access-denied.golden.json", stranger: true},
	{event: "event-structure.json", golden: "event-structure.golden.json"},
}

// Nothing is pretended here but AWS, and that on the wire: event, orchestrator,
// store and the AWS SDK are those that run in Lambda.
func TestTheSpecificationsExamplesRunAgainstTheSimulatedAWS(t *testing.T) {
	for _, x := range examples {
		t.Run(x.golden, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := specification(t, x.faults...)
				if x.after != "" {
					s.invoke(t, readExample(t, x.after))
					time.Sleep(time.Hour)
				}
				if x.stranger {
					s.caller = "888888888888"
				}
				got := append(s.invoke(t, readExample(t, x.event)), '\n')
				if *update {
					if err := os.WriteFile(examplePath(x.golden), got, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				if diff := cmp.Diff(string(readExample(t, x.golden)), string(got)); diff != "" {
					t.Errorf("the answer changed (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// No example is left out, neither an event nor an answer.
func TestEveryGoldenAnswerIsGivenInATest(t *testing.T) {
	given := map[string]bool{}
	for _, x := range examples {
		given[x.event], given[x.golden] = true, true
	}
	all, err := filepath.Glob(examplePath("*.json"))
	if err != nil || len(all) < len(examples) {
		t.Fatalf("%d examples are there (%v)", len(all), err)
	}
	for _, file := range all {
		name := filepath.Base(file)
		var e struct{ Action string }
		isEvent := json.Unmarshal(readExample(t, name), &e) == nil && e.Action != ""
		if (isEvent || strings.HasSuffix(name, ".golden.json")) && !given[name] {
			t.Errorf("%s is in no test", name)
		}
	}
}

// What the specification shows of the call of StartRecovery: the servers, the
// four tags, and always isDrill.
func TestStartRecoveryIsCalledAsTheSpecificationShows(t *testing.T) {
	for kind, drill := range map[string]string{"DRILL": "true", "RECOVERY": "false"} {
		for snapshot, sent := range map[string]string{
			`"recoverySnapshotID": "AUTO", `: ``,
			`"recoverySnapshotID": "", `:     ``,
			``:                               ``,
			`"recoverySnapshotID": "pit-1234567890abcdef0", `: `"recoverySnapshotID":"pit-1234567890abcdef0",`,
		} {
			t.Run(kind+" "+snapshot, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := specification(t)
					e := replaceOnce(t, string(readExample(t, "start-wave-1.json")), `"serverId": "s-1234567890abcdef0"`, snapshot+`"serverId": "s-1234567890abcdef0"`)
					e = replaceOnce(t, e, `"DRILL"`, `"`+kind+`"`)
					s.invoke(t, []byte(e))
					want := `{"isDrill":` + drill + `,"sourceServers":[{` + sent + `"sourceServerID":"s-1234567890abcdef0"}],"tags":{` +
						`"ExecutionId":"exec-a1b2c3d4-e5f6-7890-abcd-ef1234567890","PlanId":"rp-b2c3d4e5-f6a7-8901-bcde-f12345678901","WaveName":"Database Tier","WaveNumber":"1"}}`
					got := s.sent("/StartRecovery")
					if len(got) != 1 {
						t.Fatalf("StartRecovery was sent %d times", len(got))
					}
					if diff := cmp.Diff(members(t, want), members(t, got[0])); diff != "" {
						t.Errorf("StartRecovery was sent differently (-want +got):\n%s", diff)
					}
				})
			})
		}
	}
}

// specified is the simulated AWS of the specification's examples, a store, and
// all requests that were sent.
type specified struct {
	world  *simulator.World
	store  *sqlite.Store
	groups *planfile.Groups
	caller string

	// dir holds all that is written: the record, and the simulated AWS's journal.
	dir     string
	observe func(recovery.ExecutionID, recovery.Event)

	mu       sync.Mutex
	requests []sentRequest
	secrets  []string // that AWS gave out
}

type sentRequest struct {
	path   string
	header http.Header
	body   string
}

func specification(t *testing.T, faults ...string) *specified {
	t.Helper()
	fleet, err := simulator.LoadFleet("specification")
	if err != nil {
		t.Fatal(err)
	}
	return inFleet(t, fleet, faults...)
}

func inFleet(t *testing.T, fleet *simulator.Fleet, faults ...string) *specified {
	t.Helper()
	var err error
	s := &specified{caller: simulator.CallersAccount, dir: t.TempDir()}
	o := simulator.Options{Journal: filepath.Join(s.dir, "simulator.jsonl")}
	for _, text := range faults {
		f, err := simulator.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		o.Faults = append(o.Faults, f)
	}
	if s.groups, err = planfile.GroupsOf(fleet.Name, &fleet.Groups); err != nil {
		t.Fatal(err)
	}
	if s.world, err = simulator.New(fleet, o); err != nil {
		t.Fatal(err)
	}
	if s.store, err = sqlite.Open(t.Context(), filepath.Join(s.dir, "executions.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.store.Close(); s.world.Close() })
	return s
}

// handler is a handler of its own, as a fresh process has it.
func (s *specified) handler() event.Handler {
	cfg := aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider(s.caller, callersKey, "")}
	return event.Handler{Starter: &orchestrator.Orchestrator{
		Accounts:   awsdrs.New(cfg, awsdrs.Options{HTTPClient: &http.Client{Transport: s}, Jitter: func() float64 { return 0.5 }}),
		Executions: s.store,
		Groups:     s.groups,
		Observe:    s.observe,
	}}
}

// callersKey is the secret key of whoever invokes.
const callersKey = "Kx9PlantedSecretKey"

// invoke gives one event to a handler of its own, and gives its answer.
func (s *specified) invoke(t *testing.T, payload []byte) []byte {
	t.Helper()
	answer, err := s.handler().Invoke(t.Context(), payload)
	if err != nil {
		t.Fatalf("there was no answer: %v", err)
	}
	return answer
}

var sessionSecret = regexp.MustCompile(`<(SecretAccessKey|SessionToken)>([^<]+)<`)

// RoundTrip keeps a request, passes it on, and keeps the secrets that come back.
func (s *specified) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	s.mu.Lock()
	s.requests = append(s.requests, sentRequest{r.URL.EscapedPath(), r.Header.Clone(), string(body)})
	s.mu.Unlock()
	answer, err := s.world.RoundTripper().RoundTrip(r)
	if err != nil || answer.Header.Get("Content-Type") == "application/json" {
		return answer, err
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(text))
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range sessionSecret.FindAllStringSubmatch(string(text), -1) {
		s.secrets = append(s.secrets, m[2])
	}
	return answer, nil
}

// sent gives the bodies that were sent to a path.
func (s *specified) sent(path string) (bodies []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if r.path == path {
			bodies = append(bodies, r.body)
		}
	}
	return bodies
}

func members(t *testing.T, doc string) (m map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(doc), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func examplePath(name string) string { return filepath.Join("..", "testdata", "events", name) }

func readExample(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(examplePath(name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func replaceOnce(t *testing.T, doc, old, with string) string {
	t.Helper()
	if strings.Count(doc, old) != 1 {
		t.Fatalf("%q stands %d times in the event", old, strings.Count(doc, old))
	}
	return strings.Replace(doc, old, with, 1)
}
