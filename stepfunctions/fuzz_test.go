package stepfunctions_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"muster/stepfunctions"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Whatever is loaded is either refused, in words, or can be run; neither
// breaks.
func FuzzLoad(f *testing.F) {
	for _, file := range []string{"../deploy/state-machine.asl.json", "../deploy/examples/specification-style.asl.json"} {
		definition, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(definition)
	}
	f.Add([]byte(`{"StartAt": "A", "States": {` + everything + `}}`))
	f.Add([]byte(`{"StartAt": "A", "States": {"A": {"Type": "Choice", "Choices": [{"Not": {"Or": []}, "Next": "A"}], "Default": "A"}}}`))
	f.Fuzz(func(t *testing.T, definition []byte) {
		m, err := stepfunctions.Load(definition)
		if err != nil {
			return
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w, o := &world{invoke: answer(`{}`)}, stepfunctions.Options{}
		o.Tasks, o.Callbacks = w, w
		n := 0
		o.Observe = func(e stepfunctions.Event) {
			if n++; n > 50 || e.Kind == stepfunctions.TaskSubmitted || e.Kind == stepfunctions.RetryScheduled {
				cancel()
			}
		}
		if strings.Contains(string(definition), "Wait") { // it would take its time
			return
		}
		_, _ = m.Run(ctx, stepfunctions.Execution{Name: "e", Input: []byte(`{"a": [1, {"b": null}]}`)}, o)
	})
}

// Putting a value somewhere and reading from there is the same as doing so
// with package encoding/json, and touches no other byte's meaning.
func TestPathsPutAndFindWhatPackageJSONDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := document(3).Draw(t, "document")
		key := rapid.SampledFrom([]string{"a", "b", "ü"}).Draw(t, "key")
		inner := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "inner")
		path := fmt.Sprintf("$.%s.%s", key, inner)
		m, err := stepfunctions.Load([]byte(`{"StartAt": "A", "States": {
			"A": {"Type": "Pass", "Result": [1.0], "ResultPath": "` + path + `", "Next": "B"}, "B": {"Type": "Pass", "Parameters": {"all.$": "$", "it.$": "` + path + `"}, "End": true}}}`))
		if err != nil {
			t.Fatal(err)
		}
		var want map[string]any
		if err := json.Unmarshal([]byte(doc), &want); err != nil {
			t.Fatal(err)
		}
		at, isObject := want[key].(map[string]any)
		_, there := want[key]
		out, err := m.Run(context.Background(), stepfunctions.Execution{Name: "e", Input: []byte(doc)}, stepfunctions.Options{})
		if there && !isObject {
			var failed *stepfunctions.Failure
			if !errors.As(err, &failed) || failed.Name != stepfunctions.ResultPathMatchFailure {
				t.Fatalf("got %s, %v", out, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if !there {
			at = map[string]any{}
			want[key] = at
		}
		at[inner] = []any{1.0}
		var got struct {
			All map[string]any
			It  any
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		if diff := cmp.Diff(want, got.All); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]any{1.0}, got.It); diff != "" {
			t.Error(diff)
		}
	})
}

// document is an object, written with all the freedom that JSON leaves.
func document(depth int) *rapid.Generator[string] {
	space := rapid.SampledFrom([]string{"", " ", "\n\t"})
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		b.WriteString("{" + space.Draw(t, "space"))
		keys := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{`"a"`, `"b"`, `"\u00fc"`, `"x y"`, `"}]\"\\"`}), 0, 4, rapid.ID).Draw(t, "keys")
		for i, key := range keys {
			if i > 0 {
				b.WriteString("," + space.Draw(t, "space"))
			}
			b.WriteString(key + space.Draw(t, "space") + ":" + space.Draw(t, "space"))
			simple := rapid.SampledFrom([]string{`1.50`, `-1e3`, `"a"`, `"{\"[,:\\"`, `true`, `null`, `[]`, `[ {} , "]" ]`})
			if depth > 0 && rapid.Bool().Draw(t, "object") {
				b.WriteString(document(depth-1).Draw(t, "inner"))
			} else {
				b.WriteString(simple.Draw(t, "value"))
			}
			b.WriteString(space.Draw(t, "space"))
		}
		b.WriteString("}")
		return b.String()
	})
}
