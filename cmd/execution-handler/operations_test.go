package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

const machineARN = "arn:aws:states:us-east-1:999999999999:stateMachine:muster"

// states is Step Functions on the wire, as far as the function calls it.
type states struct {
	*httptest.Server
	mu    sync.Mutex
	calls []map[string]string // each with its operation
}

func newStates(t *testing.T) *states {
	s := &states{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		call := map[string]string{}
		_ = json.Unmarshal(body, &call)
		call["operation"] = strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AWSStepFunctions.")
		s.mu.Lock()
		defer s.mu.Unlock()
		s.calls = append(s.calls, call)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = io.WriteString(w, `{"executionArn":"arn","startDate":1.7e9,"status":"RUNNING"}`)
	}))
	t.Cleanup(s.Close)
	return s
}

// A whole day of an operator, by the aliases that a deployment has.
func TestPeopleOperateTheFunctionByItsAliases(t *testing.T) {
	s := newStates(t)
	f := startFunction(t, specification(t), "MUSTER_STATE_MACHINE="+machineARN, "AWS_ENDPOINT_URL_SFN="+s.URL)
	ask := func(alias, event string, want ...string) string {
		t.Helper()
		r := f.invokeBy(alias, []byte(event), time.Minute)
		for _, part := range want {
			if r.kind != "response" || !strings.Contains(r.body, part) {
				t.Fatalf("%s by %q: got %s %s\nwant %s\nlogs:\n%s", event, alias, r.kind, r.body, part, f.logs)
			}
		}
		return r.body
	}
	const plan = `{"planId": "rp-456", "accountContext": {"accountId": "123456789012", "region": "us-east-1", "roleName": "DRSOrchestrationRole", "externalId": "unique-external-id"},
		"waves": [{"waveNumber": 1, "waveName": "Databases", "pauseBeforeWave": true, "servers": [{"serverId": "s-db-01", "launchConfig": {}}]}]}`
	ask("operate", `{"operation": "put_plan", "by": "me@example.com", "plan": `+plan+`}`, `"version":1`)
	ask("read", `{"operation": "get_plan", "planId": "rp-456"}`, `"externalId":"[redacted]"`, `"requestId":"request-1"`)
	ask("read", `{"operation": "start_execution", "planId": "rp-456", "executionType": "DRILL", "by": "me@example.com"}`, `"statusCode":403`, `"error":"NOT_ALLOWED"`)
	for range 2 {
		ask("operate", `{"operation": "start_execution", "planId": "rp-456", "executionType": "DRILL", "executionId": "exec-1", "by": "me@example.com"}`, `"statusCode":200`)
	}
	if len(s.calls) != 2 || s.calls[0]["operation"] != "StartExecution" || s.calls[0]["name"] != "exec-1" || s.calls[0]["stateMachineArn"] != machineARN || s.calls[0]["input"] != s.calls[1]["input"] {
		t.Fatalf("Step Functions was called as %v, want the run exec-1 to be started, twice with the same input", s.calls)
	}

	state := s.calls[0]["input"]
	ask("operate", `{"action": "begin_execution", "state": `+state+`}`, `"error":"NOT_ALLOWED"`)
	state = ask("orchestrate", `{"action": "begin_execution", "state": `+state+`}`, `"action":"await_decision"`)
	ask("orchestrate", `{"action": "await_decision", "taskToken": "planted-task-token", "state": `+state+`}`, `"status":"AWAITING_DECISION"`)
	ask("orchestrate", `{"operation": "get_execution", "executionId": "exec-1"}`, `"error":"NOT_ALLOWED"`)
	ask("operate", `{"operation": "decide", "executionId": "exec-1", "question": "gate-w1", "choice": "approve", "by": "me@example.com"}`, `"woken":true`)
	if last := s.calls[len(s.calls)-1]; last["operation"] != "SendTaskSuccess" || last["taskToken"] != "planted-task-token" {
		t.Errorf("Step Functions was called as %v, want the task to be completed", last)
	}
	shown := ask("read", `{"operation": "get_execution", "executionId": "exec-1"}`, `"kind":"DECIDED"`)
	if !strings.Contains(shown, fmt.Sprintf(`"requestId":"request-%d"`, f.n-1)) {
		t.Errorf("the record does not say by which request it was decided: %s", shown)
	}
	ask("orchestrate", `{"operation": "execution_interrupted", "name": "exec-1", "status": "ABORTED", "executionArn": "arn"}`, `"recorded":true`)

	// Whoever may call the function itself, or a version of it, is held up by no alias.
	for _, called := range []string{"", "$LATEST", "7"} {
		ask(called, `{"operation": "list_executions"}`, `"state":"INTERRUPTED"`)
		ask(called, `{"action": "begin_execution", "state": {}}`, `"error":"VALIDATION_ERROR"`)
	}
	ask("live", `{"operation": "list_executions"}`, `"error":"NOT_ALLOWED"`, "there are: operate, orchestrate, read")

	f.stop()
	for _, secret := range []string{"unique-external-id", "planted-task-token", "planted-secret-key"} {
		if strings.Contains(f.logs.String(), secret) || strings.Contains(shown, secret) {
			t.Errorf("%s is told:\n%s\n%s", secret, f.logs, shown)
		}
	}
}

// The function knows its hub from the ARN by which it was invoked, and asks
// nobody.
func TestAnExecutionIsBoundToTheHubThatWasInvoked(t *testing.T) {
	world := specification(t)
	f := startFunction(t, world)
	if r := f.invoke(example(t, "start-wave-1.json"), time.Minute); r.kind != "response" {
		t.Fatalf("got %+v", r)
	}
	var event struct {
		State struct{ ExecutionID string }
	}
	if err := json.Unmarshal(example(t, "start-wave-1.json"), &event); err != nil {
		t.Fatal(err)
	}
	r := f.invokeBy("read", fmt.Appendf(nil, `{"operation": "get_execution", "executionId": %q}`, event.State.ExecutionID), time.Minute)
	if !strings.Contains(r.body, `"aws":"aws:999999999999","text":"AWS account 999999999999 (partition aws)"}`) {
		t.Errorf("got %s", r.body)
	}
	for _, c := range world.Calls() {
		if c.Operation == "GetCallerIdentity" {
			t.Error("STS was asked who it is")
		}
	}
}
