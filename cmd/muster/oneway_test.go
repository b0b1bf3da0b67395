package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/client"
	"muster/cmd/wiring"
	"muster/dynamotest"
	"muster/event"
	"muster/recovery"
	"muster/simulator"
)

// stepFunctions are Step Functions, as far as they are told that a task is
// completed.
type stepFunctions struct {
	mu     sync.Mutex
	told   []string // what came
	denied bool
	status string // of every run that is asked about
}

func (s *stepFunctions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, r.Header.Get("X-Amz-Target")+" "+string(body))
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if s.denied {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"AccessDeniedException","message":"anna may not"}`)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"executionArn": "arn:aws:states:us-east-1:999999999999:execution:muster:exec-1", "name": "exec-1",
		"stateMachineArn": "arn:aws:states:us-east-1:999999999999:stateMachine:muster", "startDate": 1, "status": s.status})
}

// neverRuns takes what it is told to start, and dies.
type neverRuns struct{ event.Workflow }

func (neverRuns) Start(context.Context, string, []byte) (bool, error) { return true, nil }

func (neverRuns) Running(context.Context, string) (bool, bool, error) { return false, true, nil }

const firstGate = `version: 1
plan: {id: rp-shop, name: Shop}
accountContext: {accountId: "111122223333", region: us-west-2, roleName: DRSOrchestrationRole, externalId: muster-three-tier-1}
waves:
  - {waveNumber: 1, waveName: Databases, protectionGroupId: pg-database, pauseBeforeWave: true}
groups:
  pg-database: {servers: [s-0291ce9fa9cbfbc13], launchConfig: {instanceType: r5.2xlarge}}
`

// deployed begins an execution in a table as the function does, and has a run of
// the state machine wait at its gate, by a task whose token is planted.
func atGateInTable(t *testing.T, w worldFlags) {
	t.Helper()
	m := &Main{Stdin: strings.NewReader(firstGate), Env: func(string) string { return "" }}
	h, err := w.open(t.Context(), m, acts)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	h.Machine, h.Waker = neverRuns{}, nil
	_, s, err := m.planned("-", "")
	if err != nil {
		t.Fatal(err)
	}
	s.Type, s.ID, s.By, s.PollSeconds = recovery.Drill, "exec-1", "anna", 1
	var input []byte
	h.Machine = startsWith{neverRuns{}, &input}
	c := client.Client{Invoke: h.Handler(nil).Invoke}
	if _, err := c.StartExecution(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	state, err := h.Handler(nil).Invoke(t.Context(), fmt.Appendf(nil, `{"action":"begin_execution","state":%s}`, input))
	if err == nil {
		state, err = h.Handler(nil).Invoke(t.Context(), fmt.Appendf(nil, `{"action":"await_decision","taskToken":"planted-token","state":%s}`, state))
	}
	if err != nil || !bytes.Contains(state, []byte("gate-w1")) {
		t.Fatalf("%s, %v", state, err)
	}
}

type startsWith struct {
	wiring.Machine
	input *[]byte
}

func (s startsWith) Start(_ context.Context, _ string, input []byte) (bool, error) {
	*s.input = input
	return true, nil
}

// What people decide from their own machine, in the record of a deployed Muster,
// the run that waits hears of; and when it is gone, their machine goes on.
func TestInTheTableOfADeployedMusterADecisionWakesItsRunAndResumeGoesOnWithIt(t *testing.T) {
	someAWS(t)
	table, steps := httptest.NewServer(dynamotest.New()), &stepFunctions{}
	t.Cleanup(table.Close)
	sfn := httptest.NewServer(steps)
	t.Cleanup(sfn.Close)
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", table.URL)
	t.Setenv("AWS_ENDPOINT_URL_SFN", sfn.URL)
	if code, _, stderr := muster(t, "", "table", "create", "trial", "--endpoint", table.URL); code != exitDone {
		t.Fatal(stderr)
	}
	where := []string{"--aws", "--store", "dynamodb:trial", "--data", t.TempDir()}
	run := func(code int, args ...string) (stdout, stderr string) {
		t.Helper()
		got, stdout, stderr := muster(t, "", append(args, where...)...)
		if got != code || strings.Contains(stdout+stderr, "planted") {
			t.Fatalf("muster %s: exit code %d, want %d: %s%s", strings.Join(args, " "), got, code, stdout, stderr)
		}
		return stdout, stderr
	}
	atGateInTable(t, worldFlags{fleet: simulator.DefaultFleet, speed: 1, aws: true, store: "dynamodb:trial", data: where[4]})

	steps.denied = true
	if _, stderr := run(exitDone, "pause", "exec-1"); len(steps.told) > 0 || stderr != "" { // it waits on
		t.Errorf("a pause: told %q: %s", steps.told, stderr)
	}
	run(exitDone, "decide", "exec-1", "approve", "--wave", "1")
	if _, stderr := run(exitDone, "decide", "exec-1", "resume"); !strings.Contains(stderr, "the run that waits could not be told") || !strings.Contains(stderr, "AccessDeniedException") {
		t.Errorf("denied: %s", stderr)
	}
	steps.denied = false
	run(exitDone, "decide", "exec-1", "approve", "--wave", "1")
	if n := len(steps.told); n < 2 || !strings.Contains(steps.told[n-1], `SendTaskSuccess`) || !strings.Contains(steps.told[n-1], `"planted-token"`) {
		t.Errorf("told %q", steps.told)
	}

	// Step Functions is gone.
	sfn.Close()
	if stdout, _ := run(exitDone, "resume", "exec-1", "-q", "--no-wait"); !strings.Contains(stdout, "Drill of Shop: COMPLETED") {
		t.Errorf("resumed: %s", stdout)
	}
}

// Where it is known which state machine may drive, it is asked. A run that is
// alive, or that cannot be asked about, is taken over from when that is said.
func TestARunThatIsAliveIsTakenOverFromOnlyWhenThatIsSaid(t *testing.T) {
	someAWS(t)
	table, steps := httptest.NewServer(dynamotest.New()), &stepFunctions{status: "RUNNING"}
	t.Cleanup(table.Close)
	sfn := httptest.NewServer(steps)
	t.Cleanup(sfn.Close)
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", table.URL)
	t.Setenv("AWS_ENDPOINT_URL_SFN", sfn.URL)
	if code, _, stderr := muster(t, "", "table", "create", "trial", "--endpoint", table.URL); code != exitDone {
		t.Fatal(stderr)
	}
	data := t.TempDir()
	atGateInTable(t, worldFlags{fleet: simulator.DefaultFleet, speed: 1, aws: true, store: "dynamodb:trial", data: data})
	resume := func(want int, says string, more ...string) {
		t.Helper()
		var out, problems bytes.Buffer
		m := &Main{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &problems,
			Env: func(name string) string {
				return map[string]string{"MUSTER_STATE_MACHINE": "arn:aws:states:us-east-1:999999999999:stateMachine:muster"}[name]
			}}
		args := append([]string{"resume", "exec-1", "-q", "--no-wait", "--aws", "--store", "dynamodb:trial", "--data", data}, more...)
		if code := m.Run(t.Context(), args); code != want || !strings.Contains(problems.String(), says) || strings.Contains(out.String()+problems.String(), "planted") {
			t.Errorf("%v: exit code %d, want %d and %q: %s%s", more, code, want, says, out.String(), problems.String())
		}
	}
	resume(exitRefused, "run exec-1 of the state machine drives execution exec-1")
	resume(exitDecision, "gate-w1", "--take-over")
	steps.denied = true
	resume(exitRefused, "could not be found out, and nothing was done; to drive it in any case: takeOver (muster resume --take-over)")
	resume(exitDecision, "gate-w1", "--take-over")
	steps.denied, steps.status = false, "ABORTED"
	resume(exitDecision, "gate-w1")
}

// Today's limit of a state is none of a plan's: its waves are in the record
// before anything is driven.
func TestAPlanOfThreeThousandServersBeginsHere(t *testing.T) {
	var plan strings.Builder
	plan.WriteString(strings.Replace(firstGate[:strings.Index(firstGate, "waves:")], "rp-shop", "rp-large", 1) + "waves:\n")
	for wave := range 30 {
		fmt.Fprintf(&plan, "  - waveNumber: %d\n    waveName: Wave %[1]d\n    pauseBeforeWave: true\n    servers:\n", wave+1)
		for n := range 100 {
			fmt.Fprintf(&plan, "      - {serverId: s-%017x, hostname: host-%[1]d.shop.example.com, launchConfig: {instanceType: m5.large}}\n", wave*100+n+1)
		}
	}
	dir := t.TempDir()
	code, _, stderr := muster(t, plan.String(), "drill", "-", "--data", dir, "--execution", "exec-1", "--no-wait", "-q", "--speed", "20000")
	if code != exitDecision || !strings.Contains(stderr, "gate-w1") {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	code, stdout, stderr := muster(t, "", "show", "exec-1", "--data", dir, "--json")
	var a account
	if err := json.Unmarshal([]byte(stdout), &a); code != exitDone || err != nil || a.Servers != 3000 {
		t.Errorf("exit code %d, %d servers, %v: %s", code, a.Servers, err, stderr)
	}
}

// Interrupted, and cancelled: what is to be done next is not the same.
func TestAnInterruptIsToldFromACancelledExecution(t *testing.T) {
	dir := t.TempDir()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	watch := &watcher{on: "waits for approval", then: interrupt}
	m := &Main{Stdin: strings.NewReader(firstGate), Stdout: io.Discard, Stderr: watch, Env: func(string) string { return "" }}
	code := m.Run(ctx, []string{"drill", "-", "--data", dir, "--execution", "exec-1", "--speed", "20000"})
	if code != exitInterrupted || !strings.Contains(watch.seen.String(), "to go on: muster resume exec-1") {
		t.Errorf("interrupted: exit code %d: %s", code, watch.seen.String())
	}
	if code, _, stderr := muster(t, "", "cancel", "exec-1", "--data", dir); code != exitDone {
		t.Fatal(stderr)
	}
	if code, _, stderr := muster(t, "", "resume", "exec-1", "--data", dir, "-q"); code != exitCanceled {
		t.Errorf("cancelled: exit code %d: %s", code, stderr)
	}
}

// Plans are kept in every record, and begun from there.
func TestAPlanIsKeptBesideEveryRecord(t *testing.T) {
	dir := t.TempDir()
	plan := filepath.Join(dir, "plan.yaml")
	if err := os.WriteFile(plan, []byte(gatedShop), 0o600); err != nil {
		t.Fatal(err)
	}
	where := []string{"--data", filepath.Join(dir, "d")}
	for _, c := range []struct {
		want string
		args []string
	}{
		{"plan rp-shop is kept, version 1", []string{"plan", "put", plan}},
		{"plan rp-shop is kept, version 1", []string{"plan", "put", plan}},
		{"rp-shop ", []string{"plan", "list"}},
		{`"externalId":"[redacted]"`, []string{"plan", "get", "rp-shop"}},
		{"COMPLETED", []string{"drill", "rp-shop", "--speed", "20000", "-q", "--answer", "PAUSE_BEFORE_WAVE=approve"}},
	} {
		if code, stdout, stderr := muster(t, "", append(c.args, where...)...); code != exitDone || !strings.Contains(stdout, c.want) {
			t.Errorf("muster %s: exit code %d: %s%s", strings.Join(c.args, " "), code, stdout, stderr)
		}
	}
}

// Whoever names what there is not is told the command that lists what there is,
// in the same record.
func TestWhatThereIsNotIsToldWithTheListOfItsRecord(t *testing.T) {
	dir := t.TempDir()
	if code, _, stderr := muster(t, firstGate, "drill", "-", "--data", dir, "--execution", "exec-1", "--speed", "20000", "--no-wait", "-q"); code != exitDecision {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for hint, args := range map[string][]string{"See: muster list --data " + dir: {"show", "exec-2"}, "See: muster plan list --data " + dir: {"drill", "rp-none"}} {
		code, _, stderr := muster(t, "", append(args, "--data", dir)...)
		if code != exitUsage && code != exitRefused || !strings.Contains(stderr, hint+"\n") {
			t.Errorf("muster %s: exit code %d: %s", strings.Join(args, " "), code, stderr)
		}
		if code, _, stderr := muster(t, "", strings.Fields(strings.TrimPrefix(hint, "See: muster "))...); code != exitDone {
			t.Errorf("%s: exit code %d: %s", hint, code, stderr)
		}
	}
}

// With -q a program is given the result, as a person is.
func TestAQuietResultIsOneDocument(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{
		{"drill", "-", "--execution", "exec-1", "--speed", "20000", "--cleanup", "--answer", "PAUSE_BEFORE_WAVE=approve"},
		{"resume", "exec-1"}, {"watch", "exec-1"}, {"cleanup", "exec-1"},
	} {
		code, stdout, stderr := muster(t, firstGate, append(args, "--data", dir, "--json", "-q")...)
		if code != exitDone || strings.Count(stdout, "\n") != 1 || !strings.Contains(stdout, `"state":"COMPLETED"`) {
			t.Errorf("muster %s: exit code %d: %s%s", args[0], code, stdout, stderr)
		}
	}
}

// However long instances take to go, it is asked again in AWS's own time: waits
// that double without an end are none any more after 34 rounds.
func TestACleanUpAsksAgainAtItsPaceHoweverLongItTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		in := &invoker{Client: client.Client{Invoke: func(context.Context, []byte) ([]byte, error) {
			if asked++; asked == 100 {
				return []byte(`{"statusCode":200,"done":true}`), nil
			}
			return []byte(`{"statusCode":200,"done":false,"instancesLeft":1,"againAfterSeconds":15}`), nil
		}}, caller: func(context.Context) string { return "" }}
		o := &runOptions{by: "anna"}
		o.world.function = "muster"
		began := time.Now()
		if err := (&runner{m: &Main{}, o: o, in: in, view: silent{}}).clean(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 95*15*time.Second {
			t.Errorf("%d rounds took %s", asked, took)
		}
	})
}

// What was decided is told to programs with who drives, and to people with the
// command that goes on where nobody does.
func TestWhoDecidesIsToldThatNobodyDrives(t *testing.T) {
	dir := t.TempDir()
	if code, _, stderr := muster(t, firstGate, "drill", "-", "--data", dir, "--execution", "exec-1", "--speed", "20000", "--no-wait", "-q"); code != exitDecision {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, args := range [][]string{{"pause", "exec-1"}, {"decide", "exec-1", "approve", "--wave", "1"}, {"decide", "exec-1", "resume"}, {"cancel", "exec-1"}} {
		args = append(args, "--data", dir)
		if code, stdout, stderr := muster(t, "", args...); code != exitDone || !strings.Contains(stdout, "nobody drives it; to go on: muster resume exec-1 --data ") {
			t.Errorf("muster %s: exit code %d: %s%s", strings.Join(args, " "), code, stdout, stderr)
		}
		code, stdout, stderr := muster(t, "", append(args, "--json")...)
		var d deed
		if err := json.Unmarshal([]byte(stdout), &d); err == nil && (code != exitDone || d.Execution != "exec-1" || d.Decided == "" || d.State == "" || d.Driver != nil && !d.Driver.Nobody()) {
			t.Errorf("muster %s --json: exit code %d: %s%s", strings.Join(args, " "), code, stdout, stderr)
		}
	}
}
