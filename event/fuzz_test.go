package event_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"muster/event"
	"muster/recovery"
)

// FuzzInvoke: whatever comes in, one answer goes out, and it is JSON. Either a
// wave was started, once, with ids that can break out of nothing, or all six
// keys say why not.
func FuzzInvoke(f *testing.F) {
	names, err := filepath.Glob(filepath.Join("..", "testdata", "events", "*.json"))
	if err != nil || len(names) == 0 {
		f.Fatalf("no examples to begin with: %v", err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(tiny))
	const wave, failure = `,"wave_number":1}`, `,"failure":{"error":"DRS_API_ERROR","message":"m","executionId":"exec-1","waveNumber":1,"retryable":true}}`
	for _, state := range []string{
		twoWaves, string(stateOf(f, tiny)), string(event.StateOf(opening())),
		strings.Replace(twoWaves, `"servers": [{"serverId": "s-3", "launchConfig": {}}]`, `"serverCount": 1`, 1),
		strings.Replace(twoWaves, `"currentWave"`, `"interruption": {"Error": "Lambda.Unknown", "Cause": "{\"errorMessage\":\"x\"}"}, "pollSeconds": 2, "nextStep": {}, "pollFailure": 1, "currentWave"`, 1),
	} {
		for action, rest := range map[string]string{"begin_execution": "}", "start_wave_recovery": wave, "poll_wave_status": wave, "record_wave_refusal": failure, "await_decision": `,"taskToken":` + quoted + `}`, "finish_execution": "}"} {
			f.Add([]byte(`{"action":"` + action + `","state":` + state + rest))
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		if isOperation(payload) {
			return // FuzzOperation's
		}
		inAnOpenedExecution(t, payload)
		r := &region{job: "drsjob-1"}
		answer, err := event.Handler{Starter: r, Now: r.now}.Invoke(context.Background(), payload)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(answer) || !utf8.Valid(answer) {
			t.Fatalf("not JSON: %q", answer)
		}
		if r.exec != nil {
			next(t, answer)
			return
		}
		if len(r.asked) == 0 {
			failed(t, answer)
			return
		}
		if len(r.asked) > 1 {
			t.Fatalf("started %d times", len(r.asked))
		}
		trusted(t, r.asked[0])
		if len(answer) > limit {
			t.Fatalf("an answer of %d bytes", len(answer))
		}
		var state map[string]json.RawMessage
		if err := json.Unmarshal(answer, &state); err != nil || string(state["drsJobId"]) != `"drsjob-1"` {
			t.Fatalf("the job's id is lost: %s", answer)
		}
	})
}

// inAnOpenedExecution gives an event to a handler whose record has an
// execution: the answer says what comes next, or why not.
func inAnOpenedExecution(t *testing.T, payload []byte) {
	t.Helper()
	w := newWalk(t)
	w.do("begin_execution", twoWaves)
	answer, err := event.Handler{Starter: &w.region, Workflow: &w.workflow, Now: w.now}.Invoke(context.Background(), payload)
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(answer) || !utf8.Valid(answer) {
		t.Fatalf("not JSON: %q", answer)
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(answer, &keys); err != nil {
		t.Fatalf("no object: %v in %s", err, answer)
	}
	if _, is := keys["nextStep"]; !is || keys["error"] != nil {
		failed(t, answer)
	}
}

// trusted fails unless everything that goes into names of AWS and of files
// has passed its check.
func trusted(t *testing.T, w recovery.WaveStart) {
	t.Helper()
	errs := []error{w.Execution.Check(), w.Plan.Check(), w.Type.Check(), w.Policy.Check(), recovery.CheckWaveNumber(w.Wave.Number),
		recovery.CheckAccountID(w.Wave.Account.AccountID), recovery.CheckRegion(w.Wave.Account.Region), recovery.CheckRoleName(w.Wave.Account.RoleName)}
	if w.Wave.Group != "" {
		errs = append(errs, w.Wave.Group.Check())
	}
	for _, s := range w.Wave.Servers {
		errs = append(errs, s.ID.Check())
		if s.Snapshot != "" {
			errs = append(errs, s.Snapshot.Check())
		}
	}
	for _, d := range w.Dependencies {
		if d.JobID != "" {
			errs = append(errs, d.JobID.Check())
		}
		errs = append(errs, recovery.CheckAccountID(d.Account.AccountID))
	}
	for _, err := range errs {
		if err != nil {
			t.Fatalf("%v in %+v", err, w)
		}
	}
	if n := len(w.Wave.Servers); n < 1 || n > recovery.MostServers {
		t.Fatalf("%d servers", n)
	}
}

// isOperation says whether people ask, and not a state machine.
func isOperation(payload []byte) bool {
	var e struct{ Action, Operation any }
	_ = json.Unmarshal(payload, &e)
	action, _ := e.Action.(string)
	operation, _ := e.Operation.(string)
	return action == "" && operation != ""
}

// FuzzOperation gives anything that people could ask for to a handler whose
// execution waits at a gate. Whatever it is, there is an answer that says how
// it went, nothing secret is in it, and no job is started.
func FuzzOperation(f *testing.F) {
	for _, payload := range []string{
		op("start_execution", `"planId": "rp-shop"`, `"executionType": "RECOVERY"`, exec1, byMe, `"planVersion": 1`, `"confirm": "rp-shop"`, `"pollSeconds": 20`),
		op("start_execution", `"plan": `+alone, `"executionType": "DRILL"`, byMe, `"readinessPolicy": "RECOVERY_POINT"`, `"replaceLiveInstances": ["i-1"]`),
		op("get_execution", exec1, `"waveNumber": 1`, `"eventsAfter": 2`), op("list_executions", `"limit": 3`), op("pause", exec1, byMe, `"reason": "x"`), op("resume", exec1, byMe),
		op("decide", exec1, `"choice": "retry"`, `"waveNumber": 2`, `"excludeServers": ["s-1"]`, byMe), op("cancel_execution", exec1, byMe),
		op("terminate_instances", exec1, byMe, `"recovery": true`, `"confirm": "exec-1"`), op("put_plan", `"plan": `+shop, byMe, `"replaces": 1`), op("get_plan", `"planId": "rp-shop"`),
		op("list_plans", `"after": "a"`), op("put_group", `"group": `+databases, byMe), op("get_group", `"protectionGroupId": "pg-db"`), op("list_groups"),
		op("execution_interrupted", `"name": "exec-1"`, `"status": "FAILED"`, `"executionArn": "arn"`, `"error": "x"`, `"cause": "y"`),
	} {
		f.Add([]byte(strings.ReplaceAll(payload, "planted", "brought"))) // what comes back must not be what was stored
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		if !isOperation(payload) {
			return
		}
		h := atTheGate(t)
		jobs := len(h.jobs)
		answer := h.ask(string(payload))
		if !utf8.Valid(answer) {
			t.Fatalf("not UTF-8: %q", answer)
		}
		var told struct{ StatusCode int }
		if err := json.Unmarshal(answer, &told); err != nil || told.StatusCode < 200 || told.StatusCode > 599 {
			t.Fatalf("it does not say how it went: %v in %s", err, answer)
		}
		if told.StatusCode != 200 {
			failed(t, answer)
		}
		if len(h.jobs) != jobs {
			t.Fatalf("a job was started: %s", answer)
		}
	})
}

// FuzzPatch compares a patch with what encoding/json makes of the same
// document: the key has the value, every other member is as it was, and
// setting it back gives the first bytes again.
func FuzzPatch(f *testing.F) {
	for _, doc := range []string{`{}`, ` { } `, `{"a":1}`, `{"a" : 1 , "a":2}`, `{"\u0061":[1,{"a":2}],"b":"}"}`, "{\r\n\t\"x\" : 1e400\r\n}\n", `{"a":"\\","b":"\"a\":"}`, `{"":0}`, `{"\ud800":1}`} {
		for _, key := range []string{"a", "", "\ufffd", `"`, "é"} {
			f.Add([]byte(doc), key, []byte(`"new"`))
		}
	}
	f.Fuzz(func(t *testing.T, doc []byte, key string, val []byte) {
		state, err := event.ParseState(doc)
		if err != nil || !utf8.Valid(doc) || !utf8.ValidString(key) || !json.Valid(val) {
			t.Skip()
		}
		val = bytes.TrimSpace(val)
		got := state.Patch(event.Field{Key: key, Value: val}, event.Field{Key: key + "2", Value: []byte("2")})
		want := members(t, doc)
		for _, set := range []pair{{key, string(val)}, {key + "2", "2"}} {
			stands := false
			for i := range want {
				if want[i].key == set.key {
					want[i].value, stands = set.value, true
				}
			}
			if !stands {
				want = append(want, set)
			}
		}
		if after := members(t, got); !same(after, want) {
			t.Fatalf("%q with %q = %s is %q", doc, key, val, got)
		}
		var old []event.Field
		for _, m := range members(t, doc) {
			old = append(old, event.Field{Key: m.key, Value: []byte(m.value)})
		}
		if !twice(old) {
			back, err := event.ParseState(got)
			if err != nil {
				t.Fatal(err)
			}
			undone, first := string(back.Patch(old...)), strings.TrimSpace(string(doc))
			end := len(strings.TrimRight(first[:len(first)-1], " \t\r\n"))
			if !strings.HasPrefix(undone, first[:end]) || !strings.HasSuffix(undone, first[end:]) && len(old) > 0 {
				t.Fatalf("%q, set and set back, is %q", doc, undone)
			}
		}
	})
}

type pair struct{ key, value string }

// members reads an object with encoding/json alone.
func members(t *testing.T, doc []byte) (all []pair) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(doc))
	if _, err := d.Token(); err != nil {
		t.Fatalf("%v in %q", err, doc)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			t.Fatalf("%v in %q", err, doc)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatalf("%v in %q", err, doc)
		}
		all = append(all, pair{key.(string), string(value)})
	}
	return all
}

func same(a, b []pair) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func twice(fields []event.Field) bool {
	seen := map[string]bool{}
	for _, f := range fields {
		if seen[f.Key] {
			return true
		}
		seen[f.Key] = true
	}
	return false
}
