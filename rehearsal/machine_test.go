//go:build rehearsal

package rehearsal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"muster/deploy"
	"muster/stepfunctions"
)

// machine is Step Functions with the one state machine of the template: what
// the function calls of it, over the wire, and runs that the interpreter walks.
type machine struct {
	endpoint, arn string
	definition    *stepfunctions.Machine
	cloud         *cloud
	t             *testing.T // of the whole rehearsal
	life          context.Context
	running       sync.WaitGroup
	close         func() // ends all runs, before anything that they need ends

	mu     sync.Mutex
	runs   map[string]*run
	tokens map[string]chan []byte // what each task's token is answered with
	// trouble of runs that are still to be started, by their name.
	troubles map[string]trouble
}

func makeMachine(t *testing.T, c *cloud) *machine {
	t.Helper()
	properties := c.stack.Resources["StateMachine"].Properties
	values := map[string]string{}
	for name, v := range properties["DefinitionSubstitutions"].(map[string]any) {
		values[name] = fmt.Sprint(v)
	}
	text, err := deploy.Fill(c.bucket.get(t, "AWS::StepFunctions::StateMachine", properties["DefinitionS3Location"]), values)
	if err != nil {
		t.Fatal(err)
	}
	definition, err := stepfunctions.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	life, end := context.WithCancel(context.Background())
	m := &machine{
		arn: fmt.Sprintf("arn:aws:states:%s:%s:stateMachine:%s", region, account, properties["StateMachineName"]), definition: definition, cloud: c,
		t: t, life: life, runs: map[string]*run{}, tokens: map[string]chan []byte{}, troubles: map[string]trouble{},
	}
	server := httptest.NewServer(http.HandlerFunc(m.serve))
	t.Cleanup(server.Close)
	m.endpoint = server.URL
	m.close = func() { end(); m.running.Wait() }
	return m
}

// serve answers what the function calls.
func (m *machine) serve(w http.ResponseWriter, r *http.Request) {
	var in struct{ StateMachineARN, ExecutionARN, Name, Input, TaskToken, Output string }
	body, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(body, &in) != nil {
		refuse(w, "ValidationException", "it could not be read")
		return
	}
	var out any
	var code string
	switch operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AWSStepFunctions."); operation {
	case "StartExecution":
		out, code = m.start(in.StateMachineARN, in.Name, []byte(in.Input))
	case "DescribeExecution":
		out, code = m.describe(in.ExecutionARN)
	case "SendTaskSuccess":
		out, code = struct{}{}, m.succeed(in.TaskToken, []byte(in.Output))
	default:
		code = "UnknownOperationException"
		m.t.Errorf("Step Functions was asked for %s, which the rehearsal does not know", operation)
	}
	if code != "" {
		refuse(w, code, "refused in a rehearsal")
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_ = json.NewEncoder(w).Encode(out)
}

func refuse(w http.ResponseWriter, code, message string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": "com.amazonaws.swf.service.v2.model#" + code, "message": message})
}

// start starts a run, once by its name: the same start, while it runs, is
// answered as the first was.
func (m *machine) start(arn, name string, input []byte) (out any, code string) {
	if arn != m.arn {
		return nil, "StateMachineDoesNotExist"
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.runs[name]
	switch {
	case r == nil:
		r = m.begin(name, input)
	case r.status != statusRunning || string(r.input) != string(input):
		return nil, "ExecutionAlreadyExists"
	}
	return map[string]any{"executionArn": r.arn, "startDate": r.started}, ""
}

func (m *machine) describe(arn string) (out any, code string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.runs {
		if r.arn == arn {
			return map[string]any{"executionArn": r.arn, "stateMachineArn": m.arn, "name": r.name, "status": r.status, "startDate": r.started}, ""
		}
	}
	return nil, "ExecutionDoesNotExist"
}

// succeed answers a task's token, the first time that it is asked to.
func (m *machine) succeed(token string, output []byte) (code string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	answer, known := m.tokens[token]
	if !known {
		return "TaskDoesNotExist"
	}
	select {
	case answer <- output:
		return ""
	default:
		return "TaskTimedOut"
	}
}

// status is how a run stands; "" where there is none.
func (m *machine) status(name string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.runs[name]; r != nil {
		return r.status
	}
	return ""
}

// ended is how a run ended, and the failure that it ended with.
func (m *machine) ended(name string) (status, failure string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.runs[name]; r != nil {
		return r.status, r.failure
	}
	return "", ""
}

// waitsAt is the state in which a run waits for its token, once the invocation
// that passed that on was answered; else the last that happened in it.
func (m *machine) waitsAt(name string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.runs[name]
	if r == nil || len(r.history) == 0 {
		return "no run"
	}
	last := r.history[len(r.history)-1]
	if last.Kind == stepfunctions.TaskSubmitted {
		return last.State
	}
	return string(last.Kind) + " " + last.State
}

// befall lets trouble come over a run that is yet to be started.
func (m *machine) befall(name string, t trouble) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.troubles[name] = t
}
