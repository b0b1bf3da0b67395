package event_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/recovery"
)

const (
	databases = `{"protectionGroupId": "pg-db", "servers": ["s-db-1", "s-db-2"], "launchConfig": {"instanceType": "r5.large", "licensing": {"osByol": true}},
		"overrides": {"s-db-2": {"instanceType": "r5.xlarge"}},
		"accountContext": {"accountId": "222222222222", "region": "us-east-1", "roleName": "Role", "externalId": "planted-id-of-the-group"}}`
	webServers = `{"protectionGroupId": "pg-web", "tags": {"tier": "web"}, "launchConfig": {}}`
	shop       = `{"planId": "rp-shop", "planName": "Web shop", "planOwner": "shop@example.com", "objectives": {"recoveryTimeMinutes": 60},
		"accountContext": {"accountId": "111111111111", "region": "us-east-1", "roleName": "Role", "externalId": "planted-id-of-the-plan"},
		"waves": [
			{"waveNumber": 1, "waveName": "Databases", "protectionGroupId": "pg-db"},
			{"waveNumber": 2, "waveName": "Web servers", "protectionGroupId": "pg-web", "pauseBeforeWave": true}
		]}`
	alone = `{"planId": "rp-alone", "accountContext": {"accountId": "111111111111", "region": "us-east-1", "roleName": "Role", "externalId": "planted-id"},
		"waves": [{"waveNumber": 1, "waveName": "Everything", "servers": [{"serverId": "s-1", "launchConfig": {"instanceType": "m5.large"}}]}]}`
)

// op makes an operation event.
func op(name string, more ...string) string {
	return `{"operation": "` + name + `"` + strings.Join(append([]string{""}, more...), ", ") + `}`
}

const (
	byMe  = `"by": "me@example.com"`
	exec1 = `"executionId": "exec-1"`
)

// TestOperationsFromPuttingAPlanToCleaningUp walks everything that people ask
// for, in an order in which they do. Its answers are kept.
func TestOperationsFromPuttingAPlanToCleaningUp(t *testing.T) {
	h := newHub(t)
	n := 0
	want := func(name, payload string) {
		t.Helper()
		n++
		golden(t, filepath.Join("operations", fmt.Sprintf("%02d-%s", n, name)), h.ask(payload))
	}
	want("list-no-plans", op("list_plans"))
	want("put-group", op("put_group", `"group": `+databases, byMe))
	want("put-tagged-group", op("put_group", `"group": `+webServers, byMe, `"replaces": 0`))
	want("put-plan", op("put_plan", `"plan": `+shop, byMe))
	want("put-plan-over-another-version", op("put_plan", `"plan": `+shop, byMe, `"replaces": 4`))
	want("put-plan-whose-groups-are-not-stored", op("put_plan", `"plan": `+strings.NewReplacer("rp-shop", "rp-later", "pg-web", "pg-later").Replace(shop), byMe))
	want("get-plan", op("get_plan", `"planId": "rp-shop"`))
	want("list-plans", op("list_plans"))
	want("list-plans-by-one", op("list_plans", `"limit": 1`))
	want("get-group", op("get_group", `"protectionGroupId": "pg-db"`))
	want("list-groups", op("list_groups", `"after": "pg-db"`))

	start := op("start_execution", `"planId": "rp-shop"`, `"executionType": "DRILL"`, exec1, byMe, `"planVersion": 1`, `"pollSeconds": 20`)
	want("start", start)
	want("start-again", start)
	want("look-before-anything-runs", op("get_execution", exec1))
	h.run("exec-1")
	want("look-at-the-gate", op("get_execution", exec1, `"eventsAfter": 5`))
	want("list-executions", op("list_executions", `"limit": 5`))
	want("decide-without-a-question", op("decide", exec1, `"choice": "approve"`, byMe))
	want("decide-what-is-not-asked", op("decide", exec1, `"question": "failed-w1-a1"`, `"choice": "retry"`, byMe))
	want("pause", op("pause", exec1, byMe, `"reason": "lunch"`))
	want("pass-the-gate-while-paused", op("decide", exec1, `"choice": "resume"`, `"waveNumber": 2`, byMe, `"reason": "the databases are checked"`))
	want("pass-it-again", op("decide", exec1, `"question": "gate-w2"`, `"choice": "approve"`, byMe))
	want("decide-otherwise-what-was-decided", op("decide", exec1, `"question": "gate-w2"`, `"choice": "skip"`, byMe))
	want("pause-for-another-reason", op("pause", exec1, byMe, `"reason": "and dinner"`))
	want("resume-wakes", op("resume", exec1, byMe))

	h.stop("exec-1")
	want("interrupted", op("execution_interrupted", `"name": "exec-1"`, `"status": "ABORTED"`, `"executionArn": "arn:aws:states:us-east-1:999999999999:execution:muster:exec-1"`))
	want("look-at-the-interruption", op("get_execution", exec1, `"waveNumber": 1`, `"eventsAfter": 11`))
	want("resume-starts-the-next-run", op("resume", exec1, byMe))
	want("interrupted-of-the-older-run", op("execution_interrupted", `"name": "exec-1"`, `"status": "FAILED"`, `"executionArn": "arn"`, `"error": "States.Runtime"`, `"cause": "no such path"`))
	h.run("exec-1-r2")
	want("interrupted-after-the-end", op("execution_interrupted", `"name": "exec-1-r2"`, `"status": "FAILED"`, `"executionArn": "arn"`))
	want("decide-after-the-end", op("decide", exec1, `"question": "pause-9"`, `"choice": "resume"`, byMe))
	want("resume-after-the-end", op("resume", exec1, byMe))
	want("start-after-the-end", start)
	want("terminate", op("terminate_instances", exec1, byMe))
	want("terminate-done", op("terminate_instances", exec1, byMe))

	want("recover-unconfirmed", op("start_execution", `"planId": "rp-shop"`, `"executionType": "RECOVERY"`, `"executionId": "exec-2"`, byMe))
	want("recover", op("start_execution", `"planId": "rp-shop"`, `"executionType": "RECOVERY"`, `"executionId": "exec-2"`, byMe, `"confirm": "rp-shop"`))
	want("start-while-another-runs", op("start_execution", `"planId": "rp-shop"`, `"executionType": "DRILL"`, `"executionId": "exec-3"`, byMe))
	want("start-another-under-the-same-id", op("start_execution", `"planId": "rp-shop"`, `"executionType": "DRILL"`, `"executionId": "exec-2"`, byMe))
	want("start-another-version", op("start_execution", `"planId": "rp-shop"`, `"planVersion": 2`, `"executionType": "DRILL"`, `"executionId": "exec-3"`, byMe))
	h.run("exec-2")
	want("terminate-what-is-under-way", op("terminate_instances", `"executionId": "exec-2"`, byMe))
	want("cancel", op("cancel_execution", `"executionId": "exec-2"`, byMe, `"reason": "the storm has passed"`))
	want("cancel-again", op("cancel_execution", `"executionId": "exec-2"`, byMe))
	h.run("exec-2")
	want("terminate-a-recovery-unconfirmed", op("terminate_instances", `"executionId": "exec-2"`, byMe))
	want("terminate-a-recovery-confirmed-wrongly", op("terminate_instances", `"executionId": "exec-2"`, `"recovery": true`, `"confirm": "exec-1"`, byMe))
	want("terminate-a-recovery", op("terminate_instances", `"executionId": "exec-2"`, `"recovery": true`, `"confirm": "exec-2"`, byMe))

	want("start-inline", op("start_execution", `"plan": `+alone, `"executionType": "DRILL"`, `"executionId": "exec-4"`, byMe, `"readinessPolicy": "RECOVERY_POINT"`, `"replaceLiveInstances": ["i-1"]`))
	h.runs["exec-4"].running = false
	h.ask(op("execution_interrupted", `"name": "exec-4"`, `"status": "TIMED_OUT"`))
	want("cancel-what-nobody-drives", op("cancel_execution", `"executionId": "exec-4"`, byMe))

	if got, want := fmt.Sprint(h.assumed[0].AccountID, h.assumed[0].ExternalID.Reveal()), "111111111111planted-id-of-the-plan"; got != want {
		t.Errorf("tags were asked for as %s, want %s", got, want)
	}
	for name, r := range h.runs {
		if bytes.Contains(r.input, []byte("planted")) || !bytes.Contains(r.input, []byte(`"serverCount"`)) || len(r.input) > 2000 {
			t.Errorf("run %s is given %s", name, r.input)
		}
	}
	golden(t, "operations/input-of-exec-1", h.runs["exec-1"].input)
	golden(t, "operations/input-of-exec-4", h.runs["exec-4"].input)
	if !bytes.Equal(h.runs["exec-1"].input, h.runs["exec-1-r2"].input) {
		t.Errorf("the second run is given\n%s\nwant what the first was:\n%s", h.runs["exec-1-r2"].input, h.runs["exec-1"].input)
	}
}

// TestWhatAnOperationLacksIsNamed asks for every operation that there is with
// nothing beside its name, about things that there are none of, and with what
// it does not know.
func TestWhatAnOperationLacksIsNamed(t *testing.T) {
	h := newHub(t)
	missing, unknown := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for _, name := range operationNames(t, h) {
		missing[name] = h.ask(op(name))
		unknown[name] = h.ask(op(name, `"wave": 1`, `"execution_id": "x"`, byMe))
	}
	golden(t, "operations/missing", encoded(t, missing))
	golden(t, "operations/unknown-parameters", encoded(t, unknown))

	notFound := map[string]json.RawMessage{}
	for _, payload := range []string{
		op("start_execution", `"planId": "rp-none"`, `"executionType": "DRILL"`, byMe, exec1),
		op("get_execution", exec1), op("pause", exec1, byMe), op("resume", exec1, byMe), op("decide", exec1, `"question": "gate-w1"`, `"choice": "skip"`, byMe),
		op("cancel_execution", exec1, byMe), op("terminate_instances", exec1, byMe), op("get_plan", `"planId": "rp-none"`),
		op("get_group", `"protectionGroupId": "pg-none"`), op("execution_interrupted", `"name": "exec-1-r2"`, `"status": "FAILED"`, `"executionArn": "arn"`),
	} {
		answer := h.ask(payload)
		if f := failed(t, answer); f.Error != recovery.NotFound {
			t.Errorf("%s: got %s, want NOT_FOUND", payload, answer)
		}
		notFound[operationOf(t, payload)] = answer
	}
	golden(t, "operations/not-found", encoded(t, notFound))
	golden(t, "operations/unknown", h.ask(op("restart")))
}

func TestWhatIsWrongWithAPlanOrAGroupIsNamedAllAtOnce(t *testing.T) {
	h := newHub(t)
	golden(t, "operations/wrong-plan", h.ask(op("put_plan", `"plan": {"planId": "rp 1", "owner": "me", "accountContext": {"accountId": "1", "region": "us-east-1", "roleName": "Role", "external": "x"}, "waves": [
		{"waveNumber": 1, "servers": [{"serverId": "s-1", "launchConfig": {"instanceTyp": "m5.large"}, "impact": "OPTIONAL"}], "onFailur": "STOP"},
		{"waveNumber": 2, "dependsOnWaves": [7]},
		{"waveNumber": 3, "protectionGroupId": "pg-1", "serverCount": 3}
	], "protectionGroups": {"pg-1": {"launchConfig": {"size": 1}, "overrides": {"s-1": {"colour": "red"}}, "servers": []}}}`, byMe, `"replaces": -1`)))
	golden(t, "operations/wrong-group", h.ask(op("put_group", `"group": {"protectionGroupId": "pg-1", "servers": ["s-1", "s-1", "x"], "tags": {}, "launchConfig": {"instanceType": "m5.large", "targetInstanceTypeRightSizingMethod": "BASIC", "size": 1},
		"overrides": {"s-2": {"copyTags": "yes"}}, "accountContext": {"accountId": "1"}, "account": "2"}`, byMe)))
	golden(t, "operations/wrong-start", h.ask(op("start_execution", `"planId": "rp-1"`, `"plan": `+alone, `"executionType": "TEST"`, `"executionId": "exec-1-r2"`,
		`"pollSeconds": 0`, `"readinessPolicy": "ANY"`, `"replaceLiveInstances": ["x"]`, `"by": ""`)))
	h.ask(op("put_plan", `"plan": `+shop, byMe))
	golden(t, "operations/groups-are-missing", h.ask(op("start_execution", `"planId": "rp-shop"`, `"executionType": "DRILL"`, byMe, exec1)))
	if n := len(h.jobs) + len(h.runs); n > 0 {
		t.Errorf("something was begun: %v %v", h.jobs, h.runs)
	}
}

// What the store gave back, put again, is the same plan but for its secrets,
// which nobody puts back by mistake.
func TestAPlanAndAGroupGoRound(t *testing.T) {
	h := newHub(t)
	h.ask(op("put_plan", `"plan": `+shop, byMe))
	h.ask(op("put_group", `"group": `+databases, byMe))
	var got struct{ Plan, Group json.RawMessage }
	read := func(payload string) {
		t.Helper()
		if err := json.Unmarshal(h.ask(payload), &got); err != nil {
			t.Fatal(err)
		}
	}
	read(op("get_plan", `"planId": "rp-shop"`))
	read(op("get_group", `"protectionGroupId": "pg-db"`))
	for _, payload := range []string{op("put_plan", `"plan": `+string(got.Plan), byMe), op("put_group", `"group": `+string(got.Group), byMe)} {
		f := failed(t, h.ask(payload))
		if f.Error != recovery.ValidationError || !strings.Contains(f.Message, "externalId is not an external id") || strings.Contains(f.Message, ";") {
			t.Errorf("an external id that was hidden is put back: %+v", f)
		}
		payload = strings.NewReplacer("[redacted]", "planted-id-of-the-plan").Replace(payload)
		want := `"version":1` // it is the same
		if strings.Contains(payload, "put_group") {
			want = `"version":2` // it has another external id
		}
		if answer := h.ask(payload); !bytes.Contains(answer, []byte(want)) {
			t.Errorf("got %s, want %s", answer, want)
		}
	}
	if bytes.Contains(got.Plan, []byte("protectionGroups")) {
		t.Errorf("the plan brings groups of its own, which hide the stored ones: %s", got.Plan)
	}
	again := got
	read(op("get_plan", `"planId": "rp-shop"`))
	read(op("get_group", `"protectionGroupId": "pg-db"`))
	if diff := cmp.Diff(string(again.Plan)+string(again.Group), string(got.Plan)+string(got.Group)); diff != "" {
		t.Errorf("they changed on the way (-before +after):\n%s", diff)
	}
}

func TestAPutWhoseAnswerWasLostIsNotPutTwice(t *testing.T) {
	h := newHub(t)
	for _, payload := range []string{op("put_plan", `"plan": `+shop, byMe, `"replaces": 0`), op("put_group", `"group": `+databases, byMe, `"replaces": 0`)} {
		for range 2 {
			if answer := h.ask(payload); !bytes.Contains(answer, []byte(`"version":1`)) {
				t.Errorf("got %s, want version 1", answer)
			}
		}
		if f := failed(t, h.ask(strings.Replace(payload, "Role", "Roller", 1))); f.Error != recovery.Superseded {
			t.Errorf("another put over the same version: got %+v", f)
		}
	}
}

// operationNames are those that the handler itself names.
func operationNames(t testing.TB, h *hub) []string {
	t.Helper()
	return namesIn(t, h.ask(op("?")))
}

func namesIn(t testing.TB, answer []byte) []string {
	t.Helper()
	_, list, ok := strings.Cut(failed(t, answer).Message, "there are: ")
	if !ok {
		t.Fatalf("it names none: %s", answer)
	}
	return strings.Split(list, ", ")
}

func operationOf(t testing.TB, payload string) string {
	t.Helper()
	var e struct{ Operation string }
	if err := json.Unmarshal([]byte(payload), &e); err != nil {
		t.Fatalf("%v in %s", err, payload)
	}
	return e.Operation
}

func encoded(t testing.TB, v any) []byte {
	t.Helper()
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// golden holds an answer to the one that is kept, laid out for people.
func golden(t testing.TB, name string, got []byte) {
	t.Helper()
	var laidOut bytes.Buffer
	if err := json.Indent(&laidOut, bytes.TrimSpace(got), "", "  "); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	laidOut.WriteByte('\n')
	file := filepath.Join("testdata", filepath.FromSlash(name)+".golden.json")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, laidOut.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), laidOut.String()); diff != "" {
		t.Errorf("%s changed (-want +got):\n%s", name, diff)
	}
}
