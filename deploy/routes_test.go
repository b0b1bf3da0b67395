package deploy_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the transcripts anew")

// The transcripts are what .ci/states compares another engine with.
func TestEveryScenarioAsksForItsTasksAndEndsAsItShould(t *testing.T) {
	for name, s := range scenarios(t) {
		t.Run(name, func(t *testing.T) {
			m, _ := s.machine(t)
			synctest.Test(t, func(t *testing.T) {
				c := &cast{scenario: s}
				out, err := c.run(t.Context(), m)
				if diff := cmp.Diff(s.Tasks, c.tasks); diff != "" {
					t.Error(diff)
				}
				if got := end(err); got != s.End {
					t.Errorf("ended with %q, want %q", got, s.End)
				}
				last := fmt.Sprintf(`{"error":%q}`, end(err))
				if err == nil {
					last = fmt.Sprintf(`{"output":%s}`, compact([]byte(out)))
				}
				transcript(t, name, strings.Join(append(c.lines, last), "\n")+"\n")
			})
		})
	}
}

func transcript(t *testing.T, name, got string) {
	t.Helper()
	file := "testdata/transcripts/" + name + ".jsonl"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// Every transition that a definition has is taken by some scenario.
func TestTheScenariosTakeEveryRoute(t *testing.T) {
	missing := map[string]map[string]bool{}
	for name, s := range scenarios(t) {
		m, definition := s.machine(t)
		if missing[s.Definition] == nil {
			missing[s.Definition] = routes(t, definition)
		}
		synctest.Test(t, func(t *testing.T) {
			c := &cast{scenario: s}
			if _, err := c.run(t.Context(), m); end(err) != s.End {
				t.Errorf("%s: ended with %v", name, err)
			}
			for i := 1; i < len(c.states); i++ {
				delete(missing[s.Definition], c.states[i-1]+" → "+c.states[i])
			}
		})
	}
	for definition, left := range missing {
		if len(left) > 0 {
			t.Errorf("%s: no scenario goes %s", definition, strings.Join(slices.Sorted(maps.Keys(left)), ", "))
		}
	}
}

// routes reads the transitions of a definition, without the package that is
// tested with them.
func routes(t *testing.T, definition []byte) map[string]bool {
	t.Helper()
	type to struct{ Next string }
	var machine struct {
		States map[string]struct {
			to
			Default        string
			Choices, Catch []to
		}
	}
	if err := json.Unmarshal(definition, &machine); err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for name, s := range machine.States {
		for _, next := range append(append([]to{{s.Next}, {s.Default}}, s.Choices...), s.Catch...) {
			if next.Next != "" {
				all[name+" → "+next.Next] = true
			}
		}
	}
	return all
}

// The definition follows the handler: what it says about the waves is in the
// state alone.
func TestTheStateMachineHasNoWaveNumberInIt(t *testing.T) {
	var machine struct{ States map[string]json.RawMessage }
	if err := json.Unmarshal(filled(t), &machine); err != nil {
		t.Fatal(err)
	}
	for name, s := range machine.States {
		var v any
		if err := json.Unmarshal(s, &v); err != nil {
			t.Fatal(err)
		}
		walk(v, "", func(key string, v any) {
			if _, number := v.(float64); number && strings.Contains(strings.ToLower(key), "wave") {
				t.Errorf("%s: %s is %v", name, key, v)
			}
		})
	}
}

func walk(v any, key string, see func(string, any)) {
	see(key, v)
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			walk(inner, k, see)
		}
	case []any:
		for _, inner := range v {
			walk(inner, key, see)
		}
	}
}

// Jobs may be running: no task's error leads to an end by itself.
func TestEveryTaskIsRetriedAndCaught(t *testing.T) {
	var machine struct {
		States map[string]struct {
			Type  string
			Retry []struct{ ErrorEquals []string }
			Catch []struct {
				ErrorEquals []string
				Next        string
			}
		}
	}
	if err := json.Unmarshal(filled(t), &machine); err != nil {
		t.Fatal(err)
	}
	for name, s := range machine.States {
		if s.Type != "Task" {
			continue
		}
		var retried []string
		for _, r := range s.Retry {
			retried = append(retried, r.ErrorEquals...)
		}
		for _, want := range []string{"Lambda.Unknown", "Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException", "Lambda.TooManyRequestsException", "States.TaskFailed"} {
			if !slices.Contains(retried, want) {
				t.Errorf("%s does not retry %s", name, want)
			}
		}
		if len(s.Catch) == 0 || !slices.Equal(s.Catch[len(s.Catch)-1].ErrorEquals, []string{"States.ALL"}) {
			t.Errorf("%s does not catch everything", name)
			continue
		}
		for _, c := range s.Catch {
			if kind := machine.States[c.Next].Type; kind == "Fail" || kind == "Succeed" {
				t.Errorf("%s: an error leads to %s, which is an end", name, c.Next)
			}
		}
	}
}
