// Package main_test runs the built function as Lambda does. It stands outside
// of package main, so that its own binary need not hold the AWS SDK.
package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/dynamo"
	"muster/dynamotest"
	"muster/simulator"
)

// bootstrap is the function, built as it is deployed.
var bootstrap string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "execution-handler")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bootstrap = filepath.Join(dir, "bootstrap")
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags", "-s -w", "-o", bootstrap, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the function: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// runtimeAPI is Lambda's side of a function, as far as it is needed: it hands
// out invocations and takes what they come to.
type runtimeAPI struct {
	*httptest.Server
	invocations chan invocation
	results     chan result
	first       func() // called when the function first asks for work
}

type invocation struct {
	id       string
	event    []byte
	deadline time.Time
	alias    string // that the function is called by; "": none
}

// result is what the function answered: a response, or an error.
type result struct {
	id, kind string // "response" or "error"
	body     string
}

func newRuntimeAPI(t testing.TB) *runtimeAPI {
	api := &runtimeAPI{invocations: make(chan invocation, 16), results: make(chan result, 16), first: func() {}}
	var once sync.Once
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { api.first() })
		select {
		case next := <-api.invocations:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", next.id)
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(next.deadline.UnixMilli()))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", strings.TrimSuffix("arn:aws:lambda:us-east-1:999999999999:function:execution-handler:"+next.alias, ":"))
			w.Header().Set("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000")
			_, _ = w.Write(next.event)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{kind}", func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		w.WriteHeader(http.StatusAccepted)
		api.results <- result{r.PathValue("id"), r.PathValue("kind"), body.String()}
	})
	api.Server = httptest.NewServer(mux)
	t.Cleanup(api.Close)
	return api
}

// function is a running function.
type function struct {
	t    *testing.T
	api  *runtimeAPI
	cmd  *exec.Cmd
	logs *bytes.Buffer
	// What keeps its record.
	dynamodb *dynamotest.DynamoDB
	n        int
}

// environment is what a function in Lambda finds, with AWS at an endpoint.
func environment(api, aws string, more ...string) []string {
	return append([]string{
		"PATH=/nowhere", "HOME=/nowhere", "_HANDLER=bootstrap",
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(api, "http://"),
		"AWS_LAMBDA_FUNCTION_NAME=execution-handler",
		"AWS_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID=999999999999", "AWS_SECRET_ACCESS_KEY=planted-secret-key", "AWS_SESSION_TOKEN=",
		"AWS_ENDPOINT_URL=" + aws,
	}, more...)
}

// table is a DynamoDB with a table for the record, and the settings by which
// the function finds it.
func table(t testing.TB) (d *dynamotest.DynamoDB, settings []string) {
	t.Helper()
	d = dynamotest.New()
	if _, err := dynamo.New(d.Config(), "executions").CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	return d, []string{"MUSTER_STORE=dynamodb:executions", "AWS_ENDPOINT_URL_DYNAMODB=" + server.URL}
}

// startFunction runs the function with a table of its own.
func startFunction(t *testing.T, world *simulator.World, settings ...string) *function {
	t.Helper()
	d, found := table(t)
	aws := httptest.NewServer(world)
	t.Cleanup(aws.Close)
	settings = append(found, settings...)
	f := &function{t: t, api: newRuntimeAPI(t), dynamodb: d, logs: &bytes.Buffer{}}
	f.cmd = exec.Command(bootstrap)
	f.cmd.Env = environment(f.api.URL, aws.URL, settings...)
	f.cmd.Stdout, f.cmd.Stderr = f.logs, f.logs
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.stop)
	return f
}

func (f *function) stop() {
	_ = f.cmd.Process.Kill()
	_ = f.cmd.Wait()
}

// invoke gives the function an event, and so much time.
func (f *function) invoke(event []byte, within time.Duration) result {
	f.t.Helper()
	return f.invokeBy("", event, within)
}

// invokeBy does so by an alias.
func (f *function) invokeBy(alias string, event []byte, within time.Duration) result {
	f.t.Helper()
	f.n++
	id := fmt.Sprintf("request-%d", f.n)
	f.api.invocations <- invocation{id, event, time.Now().Add(within), alias}
	select {
	case r := <-f.api.results:
		if r.id != id {
			f.t.Fatalf("an answer to %s, want %s", r.id, id)
		}
		return r
	case <-time.After(time.Minute):
		f.stop()
		f.t.Fatalf("no answer; logs:\n%s", f.logs)
		return result{}
	}
}

func specification(t testing.TB) *simulator.World {
	t.Helper()
	fleet, err := simulator.LoadFleet("specification")
	if err != nil {
		t.Fatal(err)
	}
	world, err := simulator.New(fleet, simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { world.Close() })
	return world
}

func example(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../testdata/events", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestTheFunctionAnswersAWholeInvocation(t *testing.T) {
	world := specification(t)
	f := startFunction(t, world, "MUSTER_LOG_LEVEL=debug")
	want := strings.TrimSuffix(string(example(t, "start-wave-1.golden.json")), "\n")
	for range 2 {
		r := f.invoke(example(t, "start-wave-1.json"), time.Minute)
		if r.kind != "response" || r.body != want {
			t.Fatalf("got %s %s\nwant %s\nlogs:\n%s", r.kind, r.body, want, f.logs)
		}
	}
	starts := 0
	for _, call := range world.Calls() {
		if call.Service != "sts" && (call.Account != "123456789012" || !strings.Contains(call.Principal, "assumed-role/DRSOrchestrationRole/")) {
			t.Errorf("%s %s came from %s in account %s", call.Service, call.Operation, call.Principal, call.Account)
		}
		if call.Operation == "StartRecovery" {
			starts++
		}
	}
	if starts != 1 {
		t.Errorf("%d jobs were started, want 1", starts)
	}
	refused := f.invoke([]byte(`{"action": "no"}`), time.Minute)
	if refused.kind != "response" || !strings.Contains(refused.body, `"error":"UNKNOWN_ACTION"`) {
		t.Errorf("a business error is a %s: %s", refused.kind, refused.body)
	}
	f.stop()
	checkLogs(t, f.logs.String())
}

// checkLogs wants every line to be JSON that names its request, and none to
// hold a secret.
func checkLogs(t *testing.T, logs string) {
	t.Helper()
	kinds := map[string]bool{}
	for line := range strings.Lines(logs) {
		var entry struct{ Msg, RequestID, Kind, ExecutionID string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Msg == "" || !strings.HasPrefix(entry.RequestID, "request-") {
			t.Errorf("a log line is %s", line)
		}
		kinds[entry.Kind] = true
	}
	for _, kind := range []string{"CLAIMED", "ASSUMED", "READY", "CONFIGURING", "CONFIGURED", "SENT", "STARTED"} {
		if !kinds[kind] {
			t.Errorf("the log does not tell %s:\n%s", kind, logs)
		}
	}
	for _, secret := range []string{"unique-external-id", "planted-secret-key"} {
		if strings.Contains(logs, secret) {
			t.Errorf("the log holds %s:\n%s", secret, logs)
		}
	}
}

func TestAnErrorIsLambdasAndNamesItself(t *testing.T) {
	world := specification(t)
	f := startFunction(t, world)
	// Three seconds are too few to start anything in: the deadline was heard.
	r := f.invoke(example(t, "start-wave-1.json"), 3*time.Second)
	if r.kind != "error" || !strings.Contains(r.body, `"errorType":"Muster.NoTimeLeft"`) || !strings.Contains(r.body, "too little time") {
		t.Errorf("got %+v", r)
	}
	if n := len(world.Calls()); n != 0 {
		t.Errorf("%d calls were made", n)
	}
	// The function lives on, and the same event goes through.
	if r := f.invoke(example(t, "start-wave-1.json"), time.Minute); r.kind != "response" || !strings.Contains(r.body, "drsjob-1234567890abcdef0") {
		t.Errorf("got %+v", r)
	}
}

func TestGroupsComeFromAFile(t *testing.T) {
	world := specification(t)
	dir := t.TempDir()
	groups := filepath.Join(dir, "groups.yaml")
	if err := os.WriteFile(groups, []byte("groups: {pg-app: {launchConfig: {instanceType: m5.4xlarge}}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := startFunction(t, world, "MUSTER_GROUPS="+groups)
	r := f.invoke([]byte(`{"action": "start_wave_recovery", "wave_number": 1, "state": {"executionId": "exec-g", "planId": "rp-1",
		"accountContext": {"accountId": "123456789012", "region": "us-east-1", "roleName": "DRSOrchestrationRole"},
		"waves": [{"waveNumber": 1, "waveName": "App Tier", "protectionGroupId": "pg-app", "servers": [{"serverId": "s-app-01"}]}],
		"currentWave": 1, "executionType": "DRILL", "initiatedBy": "u", "startTime": "2025-01-31T15:30:00Z"}}`), time.Minute)
	f.stop()
	if r.kind != "response" || !strings.Contains(f.logs.String(), `"new":"m5.4xlarge","from":"protection group"`) {
		t.Errorf("got %+v\nlogs:\n%s", r, f.logs)
	}
}

func TestWrongSettingsAreNamedAllAtOnce(t *testing.T) {
	api := newRuntimeAPI(t)
	for _, c := range []struct {
		name     string
		settings []string
		want     []string
	}{
		{"none at all", nil, []string{"MUSTER_STORE is not set; it must be dynamodb:TABLE"}},
		{"all wrong", []string{"MUSTER_STORE=redis:x", "MUSTER_GROUPS=/nowhere/groups.yaml", "MUSTER_LOG_LEVEL=loud"},
			[]string{`MUSTER_STORE \"redis:x\" is not a store`, "MUSTER_GROUPS protection groups: open /nowhere/groups.yaml", `MUSTER_LOG_LEVEL \"loud\" is not debug, info, warn or error`}},
		{"a file", []string{"MUSTER_STORE=sqlite:/tmp/executions.db"}, []string{"is a file on one machine", "it must be dynamodb:TABLE"}},
		{"no state machine", []string{"MUSTER_STORE=dynamodb:executions", "MUSTER_STATE_MACHINE=muster"}, []string{`MUSTER_STATE_MACHINE \"muster\" is not the ARN of a state machine: arn:aws:states:REGION:ACCOUNT:stateMachine:NAME`}},
		{"no table", []string{"MUSTER_STORE=dynamodb:"}, []string{"names no table"}},
		{"not in Lambda", []string{"AWS_LAMBDA_RUNTIME_API="}, []string{"runs in AWS Lambda", "muster function"}},
	} {
		cmd := exec.Command(bootstrap)
		cmd.Env = environment(api.URL, "http://127.0.0.1:1", c.settings...)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 1 {
			t.Errorf("%s: ended with %v", c.name, err)
		}
		if lines := strings.Count(string(out), "\n"); lines != 1 {
			t.Errorf("%s: %d lines, want one", c.name, lines)
		}
		for _, want := range c.want {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s: %s\nlacks %s", c.name, out, want)
			}
		}
	}
}

// What serves one machine has no place in the function.
func TestTheFunctionHoldsNothingOfOneMachine(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-tags", "lambda.norpc", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if !slices.Contains(packages, "muster/dynamo") {
		t.Errorf("the function lacks muster/dynamo; it holds %v", packages)
	}
	for _, p := range packages {
		for _, banned := range []string{"muster/sqlite", "modernc.org/", "database/sql", "muster/simulator", "muster/stepfunctions", "muster/dynamotest", "github.com/truora/", "github.com/spf13/"} {
			if strings.HasPrefix(p, banned) {
				t.Errorf("the function holds %s", p)
			}
		}
	}
}

// BenchmarkStart shows how long it takes from exec until the function asks
// for work, and how large it is. It asserts nothing: machines differ.
func BenchmarkStart(b *testing.B) {
	info, err := os.Stat(bootstrap)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		asked := make(chan struct{})
		api := newRuntimeAPI(b)
		api.first = func() { close(asked) }
		cmd := exec.Command(bootstrap)
		cmd.Env = environment(api.URL, "http://127.0.0.1:1", "MUSTER_STORE=dynamodb:executions")
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		<-asked
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		api.Close()
	}
	b.ReportMetric(float64(info.Size())/1e6, "MB")
}
