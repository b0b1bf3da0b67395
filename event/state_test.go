package event_test

import (
	"fmt"
	"strings"
	"testing"

	"muster/event"
)

func ExampleState() {
	state, err := event.ParseState([]byte(`{"executionId": "exec-1", "budget": 12345678901234567890.10}`))
	if err != nil {
		panic(err)
	}
	fmt.Println(string(state.Patch(event.Field{Key: "status", Value: []byte(`"STARTED"`)})))
	// Output: {"executionId": "exec-1", "budget": 12345678901234567890.10, "status": "STARTED"}
}

func TestAStateIsAnObject(t *testing.T) {
	for doc, want := range map[string]string{"[]": "must be a JSON object", "{": "the state is not JSON: unexpected end", "": "not JSON", "{}x": "offset 2"} {
		if _, err := event.ParseState([]byte(doc)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", doc, err, want)
		}
	}
}

func TestANewKeyGoesIntoAnEmptyState(t *testing.T) {
	for doc, want := range map[string]string{"{}": `{"a":1,"b":2}`, "{ \n}": `{"a":1,"b":2` + " \n}"} {
		state, err := event.ParseState([]byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(state.Patch(event.Field{Key: "a", Value: []byte("1")}, event.Field{Key: "b", Value: []byte("2")})); got != want {
			t.Errorf("%q became %q, want %q", doc, got, want)
		}
	}
}
