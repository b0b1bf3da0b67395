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
		{v(`"StringEqualsPath": "$.o"`), `{"v":"a","o":"a"}`, holds},
		{v(`"StringEqualsPath": "$.o"`), `{"v":"a","o":7}`, not},
		{v(`"StringEqualsPath": "$.x"`), `{"v":"a"}`, runtime},
		{v(`"StringEqualsPath": "$$.Execution.Name"`), `{"v":"e"}`, holds},
		{v(`"StringLessThan": "b"`), `{"v":"a"}`, holds},
		{v(`"StringLessThan": "b"`), `{"v":"b"}`, not},
		{v(`"StringLessThanPath": "$.o"`), `{"v":"a","o":"b"}`, holds},
		{v(`"StringGreaterThan": "b"`), `{"v":"c"}`, holds},
		{v(`"StringGreaterThan": "b"`), `{"v":"b"}`, not},
		{v(`"StringGreaterThanPath": "$.o"`), `{"v":"a","o":"b"}`, not},
		{v(`"StringLessThanEquals": "b"`), `{"v":"b"}`, holds},
		{v(`"StringLessThanEquals": "b"`), `{"v":"c"}`, not},
		{v(`"StringLessThanEqualsPath": "$.o"`), `{"v":"b","o":"b"}`, holds},
		{v(`"StringGreaterThanEquals": "b"`), `{"v":"b"}`, holds},
		{v(`"StringGreaterThanEquals": "b"`), `{"v":"a"}`, not},
		{v(`"StringGreaterThanEqualsPath": "$.o"`), `{"v":"b","o":"b"}`, holds},
		{v(`"StringMatches": "foo*.log"`), `{"v":"foo23.log"}`, holds},
		{v(`"StringMatches": "*.log"`), `{"v":"zebra.log"}`, holds},
		{v(`"StringMatches": "foo*.*"`), `{"v":"foobar.zebra"}`, holds},
		{v(`"StringMatches": "a\\*"`), `{"v":"a*"}`, holds},
		{v(`"StringMatches": "a\\*"`), `{"v":"ab"}`, not},
		{v(`"StringMatches": "a\\\\b"`), `{"v":"a\\b"}`, holds},
		{v(`"StringMatches": "a.c"`), `{"v":"abc"}`, not},
		{v(`"StringMatches": "*"`), `{"v":"a\nb"}`, holds},
		{v(`"StringMatches": "*"`), `{"v":7}`, not},
		{v(`"NumericEquals": 1`), `{"v":1.0}`, holds},
		{v(`"NumericEquals": 1e2`), `{"v":100}`, holds},
		{v(`"NumericEquals": 1`), `{"v":"1"}`, not},
		{v(`"NumericEqualsPath": "$.o"`), `{"v":-0.5,"o":-5e-1}`, holds},
		{v(`"NumericLessThan": 2`), `{"v":1.9}`, holds},
		{v(`"NumericLessThan": 2`), `{"v":2}`, not},
		{v(`"NumericLessThanPath": "$.o"`), `{"v":9,"o":10}`, holds},
		{v(`"NumericGreaterThan": 2`), `{"v":2.1}`, holds},
		{v(`"NumericGreaterThan": 2`), `{"v":2}`, not},
		{v(`"NumericGreaterThanPath": "$.o"`), `{"v":9,"o":10}`, not},
		{v(`"NumericLessThanEquals": 2`), `{"v":2}`, holds},
		{v(`"NumericLessThanEquals": 2`), `{"v":2.5}`, not},
		{v(`"NumericLessThanEqualsPath": "$.o"`), `{"v":1,"o":1}`, holds},
		{v(`"NumericGreaterThanEquals": 2`), `{"v":2}`, holds},
		{v(`"NumericGreaterThanEquals": 2`), `{"v":1}`, not},
		{v(`"NumericGreaterThanEqualsPath": "$.o"`), `{"v":1,"o":1}`, holds},
		{v(`"BooleanEquals": true`), `{"v":true}`, holds},
		{v(`"BooleanEquals": false`), `{"v":true}`, not},
		{v(`"BooleanEquals": true`), `{"v":"true"}`, not},
		{v(`"BooleanEqualsPath": "$.o"`), `{"v":false,"o":false}`, holds},
		{v(`"TimestampEquals": "2026-03-14T01:59:00Z"`), `{"v":"2026-03-14T02:59:00.000+01:00"}`, holds},
		{v(`"TimestampEquals": "2026-03-14T01:59:00Z"`), `{"v":"2026-03-14t01:59:00z"}`, not},
		{v(`"TimestampEqualsPath": "$.o"`), `{"v":"2026-03-14T01:59:00Z","o":"2026-03-14T01:59:00Z"}`, holds},
		{v(`"TimestampLessThan": "2026-03-14T01:59:00Z"`), `{"v":"2026-03-14T01:58:59.999Z"}`, holds},
		{v(`"TimestampLessThan": "2026-03-14T01:59:00Z"`), `{"v":"2026-03-14T01:59:00Z"}`, not},
		{v(`"TimestampLessThanPath": "$.o"`), `{"v":"2026-03-14T01:59:00Z","o":"2026-03-15T01:59:00Z"}`, holds},
		{v(`"TimestampGreaterThan": "2026-03-14T01:59:00Z"`), `{"v":"2026-03-14T01:59:01Z"}`, holds},
		{v(`"TimestampGreaterThan": "2026-03-14T01:59:00Z"`), `{"v":"2026-03-14T01:59:00Z"}`, not},
		{v(`"TimestampGreaterThanPath": "$.o"`), `{"v":"2026-03-14T01:59:00Z","o":"soon"}`, not},
		{v(`"TimestampLessThanEquals": "2026-03-14T01:59:00Z"`), `{"v":"2026-03-14T01:59:00Z"}`, holds},
		{v(`"TimestampLessThanEquals": "2026-03-14T01:59:00Z"`), `{"v":"2026-03-14T01:59:01Z"}`, not},
		{v(`"TimestampLessThanEqualsPath": "$.o"`), `{"v":"2026-03-14T01:59:00Z","o":"2026-03-14T01:59:00Z"}`, holds},
		{v(`"TimestampGreaterThanEquals": "2026-03-14T01:59:00Z"`), `{"v":"2026-03-14T01:59:00Z"}`, holds},
		{v(`"TimestampGreaterThanEquals": "2026-03-14T01:59:00Z"`), `{"v":"2026-03-14T01:58:59Z"}`, not},
		{v(`"TimestampGreaterThanEqualsPath": "$.o"`), `{"v":"2026-03-14T01:59:00Z","o":"2026-03-14T01:59:00Z"}`, holds},
		{v(`"IsNull": true`), `{"v":null}`, holds},
		{v(`"IsNull": true`), `{"v":0}`, not},
		{v(`"IsNull": false`), `{"v":0}`, holds},
		{v(`"IsPresent": true`), `{"v":null}`, holds},
		{v(`"IsPresent": true`), `{}`, not},
		{v(`"IsPresent": false`), `{}`, holds},
		{v(`"IsNumeric": true`), `{"v":1e3}`, holds},
		{v(`"IsNumeric": true`), `{"v":"1"}`, not},
		{v(`"IsString": true`), `{"v":""}`, holds},
		{v(`"IsString": true`), `{"v":[]}`, not},
		{v(`"IsBoolean": true`), `{"v":false}`, holds},
		{v(`"IsBoolean": true`), `{"v":null}`, not},
		{v(`"IsTimestamp": true`), `{"v":"2026-03-14T01:59:00Z"}`, holds},
		{v(`"IsTimestamp": true`), `{"v":"2026-03-14"}`, not},
		{`"Variable": "$.x", "IsNull": true`, `{}`, runtime},
		{`"Variable": "$.x", "StringEquals": "a"`, `{}`, runtime},
		{`"Variable": "$$.State.Name", "StringEquals": "A"`, `{}`, holds},
		{`"Not": {` + v(`"StringEquals": "a"`) + `}`, `{"v":"b"}`, holds},
		{`"Not": {` + v(`"StringEquals": "a"`) + `}`, `{"v":"a"}`, not},
		{`"Not": {"Variable": "$.x", "StringEquals": "a"}`, `{}`, runtime},
		{`"And": [{` + v(`"IsNumeric": true`) + `}, {` + v(`"NumericLessThan": 3`) + `}]`, `{"v":2}`, holds},
		{`"And": [{` + v(`"IsNumeric": true`) + `}, {` + v(`"NumericLessThan": 3`) + `}]`, `{"v":3}`, not},
		{`"And": [{` + v(`"IsPresent": true`) + `}, {` + v(`"NumericLessThan": 3`) + `}]`, `{}`, not},
		{`"Or": [{` + v(`"StringEquals": "a"`) + `}, {"Not": {` + v(`"IsString": true`) + `}}]`, `{"v":7}`, holds},
		{`"Or": [{` + v(`"StringEquals": "a"`) + `}, {` + v(`"StringEquals": "b"`) + `}]`, `{"v":"c"}`, not},
		{`"Or": [{` + v(`"StringEquals": "a"`) + `}, {"Variable": "$.x", "IsNull": true}]`, `{"v":"a"}`, holds},
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
			{"Variable": "$", "NumericGreaterThan": 10, "Next": "B"},
			{"Variable": "$", "NumericGreaterThan": 5, "Next": "C"},
			{"Variable": "$", "NumericGreaterThan": 4, "Next": "B"}]},
		"B": {"Type": "Pass", "Result": "b", "End": true}, "C": {"Type": "Pass", "Result": "c", "End": true}`
	for input, want := range map[string]string{"11": `"b"`, "6": `"c"`, "5": `"b"`, "4": "States.NoChoiceMatched: no rule of the choice holds, and it has no Default"} {
		if got := outcome((&world{}).run(t, states, input)); got != want {
			t.Errorf("%s: got %s, want %s", input, got, want)
		}
	}
}
