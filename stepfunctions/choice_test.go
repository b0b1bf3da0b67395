package stepfunctions_test

import "testing"

// Every operator of a Choice state, where it holds and where it does not.
func TestChoicesCompareAsTheLanguageSays(t *testing.T) {
	const holds, not = `"yes"`, `"no"`
	const runtime = `States.Runtime: the choice's path "$.x" leads nowhere in the input`
	v := func(operator string) string { return `"Variable": "$.v", ` + operator }
	for _, c := range []struct{ rule, input, want string }{
		{v(`"StringEquals": "a"`), `{"v":"a"}`, holds},
		{v(`"StringEquals": "\u00e9"`), `{"v":"é"}`, holds},
		{v(`"StringEquals": "a"`), `{"v":"A"}`, not},
		{v(`"StringEquals": "1"`), `{"v":1}`, not},
		{v(`"BooleanEquals": true`), `{"v":true}`, holds},
		{v(`"BooleanEquals": false`), `{"v":true}`, not},
		{v(`"BooleanEquals": true`), `{"v":"true"}`, not},
		{v(`"IsPresent": true`), `{"v":null}`, holds},
		{v(`"IsPresent": true`), `{}`, not},
		{v(`"IsPresent": false`), `{}`, holds},
		{`"Variable": "$.x", "StringEquals": "a"`, `{}`, runtime},
		{`"Variable": "$$.Execution.Name", "StringEquals": "e"`, `{}`, holds},
		{`"Not": {` + v(`"StringEquals": "a"`) + `}`, `{"v":"b"}`, holds},
		{`"Not": {` + v(`"StringEquals": "a"`) + `}`, `{"v":"a"}`, not},
		{`"Not": {"Variable": "$.x", "StringEquals": "a"}`, `{}`, runtime},
		{`"Or": [{` + v(`"StringEquals": "a"`) + `}, {` + v(`"StringEquals": "b"`) + `}]`, `{"v":"c"}`, not},
		{`"And": [{` + v(`"IsPresent": true`) + `}, {` + v(`"StringEquals": "a"`) + `}]`, `{"v":"a"}`, holds},
		{`"And": [{` + v(`"IsPresent": true`) + `}, {` + v(`"StringEquals": "a"`) + `}]`, `{"v":"b"}`, not},
		{`"And": [{` + v(`"IsPresent": true`) + `}, {` + v(`"StringEquals": "a"`) + `}]`, `{}`, not},
		{`"Or": [{` + v(`"StringEquals": "a"`) + `}, {"Variable": "$.x", "StringEquals": "a"}]`, `{"v":"a"}`, holds},
		{`"Or": [{` + v(`"StringEquals": "a"`) + `}, {"Variable": "$.x", "StringEquals": "a"}]`, `{"v":"b"}`, runtime},
	} {
		t.Run(c.rule+" of "+c.input, func(t *testing.T) {
			states := `"A": {"Type": "Choice", "Choices": [{` + c.rule + `, "Next": "Yes"}], "Default": "No"},
				"Yes": {"Type": "Pass", "Result": "yes", "End": true}, "No": {"Type": "Pass", "Result": "no", "End": true}`
			if got := outcome((&world{}).run(t, states, c.input)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestTheFirstChoiceThatHoldsIsTaken(t *testing.T) {
	states := `"A": {"Type": "Choice", "Choices": [
			{"Variable": "$.a", "IsPresent": true, "Next": "B"},
			{"Variable": "$.b", "IsPresent": true, "Next": "C"},
			{"Variable": "$.c", "IsPresent": true, "Next": "B"}]},
		"B": {"Type": "Pass", "Result": "b", "End": true}, "C": {"Type": "Pass", "Result": "c", "End": true}`
	for input, want := range map[string]string{`{"a":1,"b":1}`: `"b"`, `{"b":1,"c":1}`: `"c"`, `{"c":1}`: `"b"`, `{}`: "States.NoChoiceMatched: no rule of the choice holds, and it has no Default"} {
		if got := outcome((&world{}).run(t, states, input)); got != want {
			t.Errorf("%s: got %s, want %s", input, got, want)
		}
	}
}
