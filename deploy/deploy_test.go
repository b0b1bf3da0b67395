package deploy_test

import (
	"os"
	"strings"
	"testing"

	"muster/deploy"
	"muster/stepfunctions"
)

const handler = "arn:aws:lambda:us-east-1:123456789012:function:execution-handler"

func filled(t *testing.T) []byte {
	t.Helper()
	definition, err := deploy.Fill(deploy.StateMachine, map[string]string{deploy.Handler: handler})
	if err != nil {
		t.Fatal(err)
	}
	return definition
}

func TestTheDefinitionsLoad(t *testing.T) {
	example, err := os.ReadFile("examples/specification-style.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, definition := range [][]byte{filled(t), example} {
		if _, err := stepfunctions.Load(definition); err != nil {
			t.Error(err)
		}
	}
}

func TestFillPutsEveryValueInItsPlace(t *testing.T) {
	for _, c := range []struct {
		definition, want string
		values           map[string]string
	}{
		{`{"a": "${A}", "b": "x${B_2}y${A}"}`, `{"a": "1", "b": "x2y1"}`, map[string]string{"A": "1", "B_2": "2"}},
		{`{"a": "${A}"}`, `{"a": "\"\\"}`, map[string]string{"A": `"\`}},
		{`{"a": "$.a", "b": "$$.Task.Token"}`, `{"a": "$.a", "b": "$$.Task.Token"}`, nil},
		{`{"a": "${A}", "b": "${B}"}`, "the definition needs values for A, B", nil},
		{`{}`, "the definition has no place for C", map[string]string{"C": ""}},
	} {
		out, err := deploy.Fill([]byte(c.definition), c.values)
		got := string(out)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	if strings.Contains(string(filled(t)), "${") {
		t.Error("the state machine has a place that nothing fills")
	}
}
