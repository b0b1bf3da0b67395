package deploy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"muster/stepfunctions"
)

// scenario is one way through a definition: a handler and people that answer
// by a script. The files are read by .ci/states/compare.mjs, too.
type scenario struct {
	About      string
	Definition string
	Input      json.RawMessage
	Answers    []scripted // of the functions, in the order of their invocations
	Tokens     []string   // what becomes of each task token: answer, fail, silence
	Tasks      []string   // the actions that are asked for
	End        string     // the failure, or "" where the execution succeeds
}

// scripted is one answer: the state that came with some fields set, a refusal
// that carries the state, or a failed invocation.
type scripted struct {
	Set, Refuse map[string]any
	Fail        string
}

func scenarios(t *testing.T) map[string]scenario {
	t.Helper()
	files, err := filepath.Glob("testdata/scenarios/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	all := map[string]scenario{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var s scenario
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&s); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = s
	}
	return all
}

func (s scenario) machine(t *testing.T) (*stepfunctions.Machine, []byte) {
	t.Helper()
	definition := filled(t)
	if s.Definition != "state-machine.asl.json" {
		var err error
		if definition, err = os.ReadFile(s.Definition); err != nil {
			t.Fatal(err)
		}
	}
	m, err := stepfunctions.Load(definition)
	if err != nil {
		t.Fatal(err)
	}
	return m, definition
}

// cast plays the handler and the people of a scenario.
type cast struct {
	scenario
	tasks  []string // what was asked for
	lines  []string // and with what, as JSON
	tokens []string
	states []string // that were entered
}

func (c *cast) Invoke(_ context.Context, arn string, payload []byte) ([]byte, error) {
	var event map[string]any
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	action, _ := event["action"].(string)
	if arn != handler {
		action = "approve"
	}
	c.tasks = append(c.tasks, action)
	if token, ok := event["taskToken"].(string); ok && !slices.Contains(c.tokens, token) {
		c.tokens = append(c.tokens, token)
	}
	line := compact(payload)
	for _, token := range c.tokens {
		line = strings.ReplaceAll(line, token, "TOKEN")
	}
	c.lines = append(c.lines, fmt.Sprintf(`{"function":%q,"input":%s}`, arn, line))
	if len(c.tasks) > len(c.Answers) {
		return nil, &stepfunctions.TaskError{Name: "States.Runtime", Cause: "the script is at its end"}
	}
	script := c.Answers[len(c.tasks)-1]
	if script.Fail != "" {
		return nil, &stepfunctions.TaskError{Name: script.Fail, Cause: "as the script says"}
	}
	answer := map[string]any{}
	if script.Refuse != nil {
		maps.Copy(answer, script.Refuse)
		answer["state"] = event["state"]
	} else {
		if state, ok := event["state"].(map[string]any); ok {
			maps.Copy(answer, state)
		}
		maps.Copy(answer, script.Set)
	}
	return json.Marshal(answer)
}

func (c *cast) Wait(ctx context.Context, token string) ([]byte, error) {
	n := slices.Index(c.tokens, token)
	if n < 0 || n >= len(c.Tokens) {
		return nil, errors.New("the script knows nothing about this token")
	}
	switch c.Tokens[n] {
	case "answer":
		return []byte(`{"approvedBy": "user@example.com"}`), nil
	case "fail":
		return nil, &stepfunctions.TaskError{Name: "NotNow", Cause: "as the script says"}
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func (c *cast) run(ctx context.Context, m *stepfunctions.Machine) (string, error) {
	out, err := m.Run(ctx, stepfunctions.Execution{Name: "exec-1", Input: c.Input}, stepfunctions.Options{Tasks: c, Callbacks: c,
		Observe: func(e stepfunctions.Event) {
			if e.Kind == stepfunctions.StateEntered {
				c.states = append(c.states, e.State)
			}
		}})
	return string(out), err
}

func end(err error) string {
	if err == nil {
		return ""
	}
	return strings.TrimPrefix(err.Error(), "the execution failed: ")
}

func compact(text []byte) string {
	var v any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return err.Error()
	}
	sorted, _ := json.Marshal(v) // keys in one order, whoever writes them
	return string(sorted)
}
