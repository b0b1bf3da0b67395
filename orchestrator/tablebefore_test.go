package orchestrator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/dynamo"
	"muster/dynamotest"
	"muster/event"
	"muster/recovery"
	"muster/simulator"
)

// A tableOfBefore is what a version left in its table: a plan and its groups, and
// a drill of it that was paused while it waits at the gate of its second wave.
// The newest is made anew by -update, those before it at the commits of their
// versions.
type tableOfBefore struct {
	Input json.RawMessage   // of the run of the state machine
	State json.RawMessage   // that goes round in it
	Items []json.RawMessage // of the table
}

const (
	newestTable = "testdata/tables/3.json" // by the first version that keeps plans as documents
	keptByOps   = `"by":"ops","executionId":"exec-kept"`
	keptAccount = `"accountContext":{"accountId":"` + target + `","region":"us-west-2","roleName":"Recoverer","externalId":"a-secret-word"}`
	tokenOfRun  = "token-of-the-run-that-waits"
)

var keptGroups = []string{
	fmt.Sprintf(`{"protectionGroupId":"pg-db",%s,"servers":[%q],"launchConfig":{"instanceType":"r5.xlarge"}}`, keptAccount, serverID(1)),
	fmt.Sprintf(`{"protectionGroupId":"pg-app","servers":[%q,%q],"launchConfig":{"instanceType":"r5.large"},"overrides":{%q:{"copyTags":true}}}`, serverID(2), serverID(3), serverID(3)),
}

const keptPlan = `{"planId":"rp-kept","planName":"Kept","planOwner":"ops@example.com",` + keptAccount + `,"waves":[
	{"waveNumber":1,"waveName":"Databases","protectionGroupId":"pg-db"},
	{"waveNumber":2,"waveName":"Applications","protectionGroupId":"pg-app","pauseBeforeWave":true,"dependsOnWaves":[1]}]}`

// keptStart begins the drill: the same again begins nothing.
const keptStart = `{"operation":"start_execution","planId":"rp-kept","executionType":"DRILL",` + keptByOps + `}`

// aHub is the function over a table and a simulated AWS, as its aliases together
// reach it, and the state machine as far as it is told something.
type aHub struct {
	*house
	db    *dynamotest.DynamoDB
	input []byte   // of the run that was started last
	woken []string // tokens
}

func newHub(t *testing.T, seed int64) *aHub {
	h := openOn(t, inTable, 0, fleet(3, "", nil), simulator.Options{Seed: seed})
	return &aHub{house: h, db: h.store.(table).db}
}

func (h *aHub) ask(payload string) []byte {
	h.t.Helper()
	o := h.invocation(newProcess(), 0)
	store := dynamo.New(h.db.Config(), tableName)
	o.Groups = recovery.GroupsOf{PlanStore: store}
	handler := event.Handler{Starter: o, Operator: o, Records: store, Plans: store, Workflow: h, Runs: h, Now: o.Now}
	answer, err := handler.Invoke(h.t.Context(), []byte(payload))
	if err != nil || bytes.Contains(answer, []byte(`"error":`)) {
		h.t.Fatalf("%s\ngot %s, %v", payload, answer, err)
	}
	return answer
}

func (h *aHub) Start(_ context.Context, _ string, input []byte) (bool, error) {
	h.input = input
	return true, nil
}

func (h *aHub) Running(context.Context, string) (running, known bool, err error) {
	return true, true, nil
}

func (h *aHub) Succeed(_ context.Context, token string, _ []byte) error {
	h.woken = append(h.woken, token)
	return nil
}

// goes on with a state, as a run of the state machine does, until people are
// asked or the execution is over.
func (h *aHub) goes(state []byte) []byte {
	h.t.Helper()
	state = h.ask(fmt.Sprintf(`{"action":"begin_execution","state":%s}`, state))
	for range 200 {
		var a struct {
			NextStep struct {
				Action     recovery.Action
				WaveNumber int
				Seconds    int
			}
		}
		if err := json.Unmarshal(state, &a); err != nil {
			h.t.Fatal(err)
		}
		switch a.NextStep.Action {
		case recovery.DoStartWave:
			state = h.ask(fmt.Sprintf(`{"action":"start_wave_recovery","wave_number":%d,"state":%s}`, a.NextStep.WaveNumber, state))
		case recovery.DoWait:
			time.Sleep(time.Duration(a.NextStep.Seconds) * time.Second)
			state = h.ask(fmt.Sprintf(`{"action":"poll_wave_status","state":%s}`, state))
		case recovery.DoAwaitDecision:
			return h.ask(fmt.Sprintf(`{"action":"await_decision","taskToken":%q,"state":%s}`, tokenOfRun, state))
		default:
			return h.ask(fmt.Sprintf(`{"action":"finish_execution","state":%s}`, state))
		}
	}
	h.t.Fatalf("it comes to no end: %s", state)
	return nil
}

// table asks DynamoDB itself.
func (h *aHub) table(operation, body string) []byte {
	h.t.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://dynamodb.invalid/", strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20261124/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := h.db.Config().HTTPClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		h.t.Fatalf("%s: %s, %v", operation, got, err)
	}
	return got
}

// leave makes what is kept.
func leave(t *testing.T) {
	h := newHub(t, 1)
	for _, g := range keptGroups {
		h.ask(`{"operation":"put_group","by":"ops","group":` + g + `}`)
	}
	h.ask(`{"operation":"put_plan","by":"ops","plan":` + keptPlan + `}`)
	h.ask(keptStart)
	left := tableOfBefore{Input: h.input, State: h.goes(h.input)}
	h.ask(`{"operation":"pause","reason":"the network is being mended",` + keptByOps + `}`)
	if err := json.Unmarshal(h.table("Scan", `{"TableName":"`+tableName+`"}`), &left); err != nil {
		t.Fatal(err)
	}
	out, err := json.MarshalIndent(left, "", " ")
	if err == nil {
		err = os.MkdirAll("testdata/tables", 0o755)
	}
	if err == nil {
		err = os.WriteFile(newestTable, append(out, '\n'), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The tables that versions left are read, and the drill in them finished by the run
// that waits in it. 2 is the last 0.x's, whose plans, groups and frozen plans are no
// documents yet.
func TestATableOfBeforeIsReadAndItsExecutionFinished(t *testing.T) {
	if *update {
		synctest.Test(t, leave)
	}
	for _, file := range []string{"testdata/tables/2.json", newestTable} {
		t.Run(file, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { finishes(t, file) })
		})
	}
}

func finishes(t *testing.T, file string) {
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var left tableOfBefore
	if err := json.Unmarshal(kept, &left); err != nil || len(left.Items) < 10 {
		t.Fatal(len(left.Items), err)
	}
	h := newHub(t, 2)
	for _, item := range left.Items {
		h.table("PutItem", fmt.Sprintf(`{"TableName":%q,"Item":%s}`, tableName, item))
	}
	time.Sleep(6 * time.Hour)

	for payload, want := range map[string][]string{
		`{"operation":"list_plans"}`:                              {`"planId":"rp-kept"`, `"version":1`, `"planOwner":"ops@example.com"`},
		`{"operation":"get_plan","planId":"rp-kept"}`:             {`"name":"Kept"`, `"pauseBeforeWave":true`, `"protectionGroupId":"pg-app"`},
		`{"operation":"list_groups"}`:                             {`"protectionGroupId":"pg-app"`, `"protectionGroupId":"pg-db"`},
		`{"operation":"get_group","protectionGroupId":"pg-app"}`:  {`"instanceType":"r5.large"`, `"copyTags":true`},
		`{"operation":"get_execution","executionId":"exec-kept"}`: {`"id":"gate-w2"`, `the network is being mended`, `"serversLaunched":1`},
		`{"operation":"list_executions"}`:                         {`"executionId":"exec-kept"`},
		keptStart:                                                 {`"state":"WAITING_FOR_DECISION"`},
	} {
		answer := h.ask(payload)
		for _, text := range want {
			if !bytes.Contains(answer, []byte(text)) {
				t.Errorf("%s\ngot %s\nwant %s in it", payload, answer, text)
			}
		}
		if bytes.Contains(answer, []byte("a-secret-word")) || bytes.Contains(answer, []byte(tokenOfRun)) {
			t.Errorf("%s\ntells a secret: %s", payload, answer)
		}
	}
	h.ask(`{"operation":"resume",` + keptByOps + `}`)
	h.ask(`{"operation":"decide","question":"gate-w2","choice":"approve",` + keptByOps + `}`)
	if fmt.Sprint(h.woken) != "["+tokenOfRun+"]" {
		t.Errorf("woken were %v", h.woken)
	}
	if end := h.goes(left.State); !bytes.Contains(end, []byte(`"COMPLETED"`)) {
		t.Errorf("the end is %s", end)
	}
	if got := fmt.Sprint(h.launchedIn()); got != "[2+3]" {
		t.Errorf("launched were %s", got)
	}
	e, err := h.store.Execution(t.Context(), "exec-kept")
	if err != nil || e.Ended == nil || e.Ended.Outcome != recovery.OutcomeCompleted {
		t.Fatalf("got %+v, %v", e, err)
	}
	events, err := h.store.Events(t.Context(), "exec-kept")
	if err != nil || e.CheckLog(events) != nil {
		t.Error(err, e.CheckLog(events))
	}
	for _, answer := range [][]byte{h.ask(`{"operation":"put_plan","by":"ops","plan":` + keptPlan + `}`), h.ask(`{"operation":"put_group","by":"ops","group":` + keptGroups[1] + `}`)} {
		if !bytes.Contains(answer, []byte(`"version":`)) {
			t.Errorf("it cannot be put again: %s", answer)
		}
	}
}
