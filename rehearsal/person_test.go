//go:build rehearsal

package rehearsal_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"testing"
)

// person asks operations of the function, and keeps the answers.
type person struct {
	cloud *cloud
	name  string

	mu      sync.Mutex
	answers []string
}

// answer is what of any operation's answer the rehearsal looks at.
type answer struct {
	StatusCode  int
	Error       string
	Message     string
	ExecutionID string
	State       any // in words, or the whole of it where an action was refused
	Started     bool
	Woken       bool
	Run         string
	Recorded    bool
	Done        bool
	Left        int `json:"instancesLeft"`
	Gone        int `json:"instancesGone"`
	Again       int `json:"againAfterSeconds"`
	CleanedUp   int `json:"instancesCleanedUp"`
	Launched    int `json:"serversLaunched"`
	Servers     int
	Decisions   []struct {
		ID         string
		Reason     string
		WaveNumber int
		Choices    []string
	}
	Waves []struct {
		Status  string
		JobID   string
		Attempt int
	}
}

// ask asks by an alias, as a caller, and wants an answer.
func (p *person) ask(t *testing.T, caller, alias string, event map[string]any) (a answer) {
	t.Helper()
	payload, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	got, failed, err := p.cloud.lambda.invoke(t.Context(), caller, p.cloud.function.name+":"+alias, payload)
	if err != nil || failed || json.Unmarshal(got, &a) != nil {
		t.Fatalf("%v by %s came to %s (%v)\nthe function's last lines:\n%s", cmp.Or(event["operation"], event["action"]), alias, got, err, p.cloud.function.logs.last(40))
	}
	p.mu.Lock()
	p.answers = append(p.answers, string(got))
	p.mu.Unlock()
	return a
}

// do asks for something to be done, and wants it done.
func (p *person) do(t *testing.T, operation string, event map[string]any) answer {
	t.Helper()
	event["operation"], event["by"] = operation, p.name
	a := p.ask(t, operator, "operate", event)
	if a.StatusCode != 200 {
		t.Fatalf("%s: want status 200, got %+v\nthe function's last lines:\n%s", operation, a, p.cloud.function.logs.last(40))
	}
	return a
}

// look asks how an execution stands.
func (p *person) look(t *testing.T, execution string) answer {
	t.Helper()
	a := p.ask(t, reader, "read", map[string]any{"operation": "get_execution", "executionId": execution})
	if a.StatusCode != 200 {
		t.Fatalf("get_execution: want status 200, got %+v", a)
	}
	return a
}

// say tells whoever watches what happens.
func say(format string, args ...any) { fmt.Fprintf(os.Stdout, format+"\n", args...) }
