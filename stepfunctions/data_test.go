package stepfunctions_test

import (
	"strings"
	"testing"
)

// The rules of the language about what goes into a state and comes out of it.
func TestDataFlowsAsTheLanguageSays(t *testing.T) {
	pass := func(fields string) string { return `"A": {"Type": "Pass", "End": true` + fields + `}` }
	task := func(fields string) string {
		return `"A": {"Type": "Task", "End": true, "Resource": "` + fn + `"` + fields + `}`
	}
	invoke := func(fields string) string {
		return `"A": {"Type": "Task", "End": true, "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "` + fn + `", "Payload.$": "$"}` + fields + `}`
	}
	for _, c := range []struct{ name, states, input, answer, want, payload string }{
		{name: "a Pass state passes its input as it is", states: pass(``), input: `{ "b":1.0, "a": 1e2,"ü":"<\u00e9>" }`, want: `{ "b":1.0, "a": 1e2,"ü":"<\u00e9>" }`},
		{name: "white space around the input is not part of it", states: pass(``), input: " 1\n", want: `1`},
		{name: "a Result replaces the input", states: pass(`, "Result": {"x.$": "$.a"}`), input: `{"a":1}`, want: `{"x.$": "$.a"}`},
		{name: "a Result wins over Parameters", states: pass(`, "Parameters": {"a": 1}, "Result": 2`), input: `{}`, want: `2`},
		{name: "InputPath selects", states: pass(`, "InputPath": "$.a"`), input: `{"a":{"b": 1.50}}`, want: `{"b": 1.50}`},
		{name: "InputPath that leads nowhere is a runtime error", states: pass(`, "InputPath": "$.x"`), input: `{"a":1}`, want: `States.Runtime: the path "$.x" leads nowhere in the input`},
		{name: "OutputPath selects", states: pass(`, "OutputPath": "$.a[1]"`), input: `{"a":[1,{"b":2}]}`, want: `{"b":2}`},
		{name: "OutputPath may lead into the context object", states: pass(`, "OutputPath": "$$.Execution.Name"`), input: `{}`, want: `"e"`},
		{name: "OutputPath that leads nowhere is a runtime error", states: pass(`, "OutputPath": "$[0]"`), input: `{"a":1}`, want: `States.Runtime: the path "$[0]" leads nowhere in the input`},
		{name: "ResultPath puts the result into the raw input", states: pass(`, "InputPath": "$.a", "ResultPath": "$.b"`), input: `{"a":7, "c": 0}`, want: `{"a":7, "c": 0,"b":7}`},
		{name: "ResultPath overwrites what is there", states: pass(`, "Result": 6, "ResultPath": "$.master.detail"`), input: `{"master": {"detail": [1,2,3]}}`, want: `{"master": {"detail": 6}}`},
		{name: "ResultPath makes what is on the way", states: pass(`, "Result": 6, "ResultPath": "$.master.result.sum"`), input: `{"master": {"detail": [1,2,3]}}`, want: `{"master": {"detail": [1,2,3],"result":{"sum":6}}}`},
		{name: "ResultPath fills an empty object", states: pass(`, "Result": 6, "ResultPath": "$.a"`), input: `{ }`, want: `{"a":6 }`},
		{name: "ResultPath replaces an element that is there", states: pass(`, "Result": 6, "ResultPath": "$.a[1].b"`), input: `{"a":[0,{"b":1}]}`, want: `{"a":[0,{"b":6}]}`},
		{name: "ResultPath cannot make an element", states: pass(`, "Result": 6, "ResultPath": "$.a[2]"`), input: `{"a":[0,1]}`, want: `States.ResultPathMatchFailure: the ResultPath "$.a[2]" cannot be applied to the input`},
		{name: "ResultPath cannot be applied to a string", states: pass(`, "Result": 6, "ResultPath": "$.x"`), input: `"foo"`, want: `States.ResultPathMatchFailure: the ResultPath "$.x" cannot be applied to the input`},
		{name: "ResultPath null discards the result", states: task(`, "ResultPath": null`), input: `{"a":1}`, answer: `{"b":2}`, want: `{"a":1}`},
		{name: "of two members with one key the last counts", states: pass(`, "Result": 6, "ResultPath": "$.a"`), input: `{"a":1,"a":2}`, want: `{"a":1,"a":6}`},

		{name: "a task's answer is the output, as it is", states: task(`, "ResultPath": "$"`), input: `{}`, answer: ` {"z":1.0,  "a":12345678901234567890 } `, want: `{"z":1.0,  "a":12345678901234567890 }`},
		{name: "an answer of nothing is null", states: task(``), input: `{}`, answer: ``, want: `null`},
		{name: "Parameters build the payload, in their order", states: task(`, "Parameters": {"z": 1.0, "state.$": "$", "a": {"n.$": "$.n"}}`),
			input: `{ "n": 1e1}`, answer: `1`, payload: `{"z":1.0,"state":{ "n": 1e1},"a":{"n":1e1}}`, want: `1`},
		{name: "Parameters that lead nowhere have an error of their own", states: task(`, "Parameters": {"b.$": "$.b"}`), input: `{}`, answer: `0`,
			want: `States.ParameterPathFailure: the path "$.b" of Parameters leads nowhere in the input`},
		{name: "ResultPath puts the answer into the raw input", states: task(`, "ResultPath": "$.sum"`), input: `{"a":{"v":3}}`, answer: `7`, payload: `{"a":{"v":3}}`, want: `{"a":{"v":3},"sum":7}`},

		{name: "lambda:invoke gives the function its Payload, and the state Lambda's answer", states: invoke(``), input: `{"a":1}`, answer: `{"b": 2.0}`, payload: `{"a":1}`,
			want: `{"ExecutedVersion":"$LATEST","Payload":{"b": 2.0},"SdkHttpMetadata":{"HttpStatusCode":200},"StatusCode":200}`},
		{name: "lambda:invoke with OutputPath $.Payload gives the answer", states: invoke(`, "OutputPath": "$.Payload"`), input: `{"a":1}`, answer: `{"b": 2.0}`, want: `{"b": 2.0}`},

		{name: "a Fail state has a name and a cause", states: `"A": {"Type": "Fail", "Error": "E", "Cause": "c"}`, input: `{}`, want: `E: c`},
		{name: "a Fail state may have neither", states: `"A": {"Type": "Fail"}`, input: `{}`, want: `: `},
		{name: "a Fail state takes them from paths", states: `"A": {"Type": "Fail", "ErrorPath": "$.e", "CausePath": "$$.Execution.Name"}`, input: `{"e":"E"}`, want: `E: e`},
		{name: "a Fail state's path has to lead somewhere", states: `"A": {"Type": "Fail", "ErrorPath": "$.e"}`, input: `{}`, want: `States.Runtime: the path "$.e" leads nowhere in the input`},
		{name: "a Fail state's path has to lead to a string", states: `"A": {"Type": "Fail", "CausePath": "$.e"}`, input: `{"e":1}`, want: `States.Runtime: what the path "$.e" leads to is no string`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &world{invoke: answer(c.answer)}
			if got := outcome(w.run(t, c.states, c.input)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if c.payload != "" && (len(w.calls) != 1 || w.calls[0] != "f "+c.payload) {
				t.Errorf("the function was given %q, want %s", w.calls, c.payload)
			}
		})
	}
}

func TestNothingMayBeLongerThanTheLimit(t *testing.T) {
	long := `"` + strings.Repeat("x", 256<<10) + `"`
	half := `"` + strings.Repeat("x", 130<<10) + `"`
	caught := `"Catch": [{"ErrorEquals": ["States.DataLimitExceeded"], "ResultPath": "$.e", "Next": "B"}], "Next": "B"}, "B": {"Type": "Pass", "InputPath": "$.e.Error", "End": true}`
	all := strings.Replace(caught, "DataLimitExceeded", "ALL", 1)
	for _, c := range []struct{ name, states, input, answer, want string }{
		{"an answer", `"A": {"Type": "Task", "Resource": "` + fn + `", "End": true}`, `{}`, long, `States.DataLimitExceeded: the task's answer has 262146 bytes, and 262144 are allowed`},
		{"a payload", `"A": {"Type": "Task", "Resource": "` + fn + `", "Parameters": {"a.$": "$", "b.$": "$"}, "End": true}`, half, `1`, `States.DataLimitExceeded: the task's payload has 266255 bytes, and 262144 are allowed`},
		{"an output", `"A": {"Type": "Pass", "Parameters": {"a.$": "$", "b.$": "$"}, "End": true}`, half, ``, `States.DataLimitExceeded: the output has 266255 bytes, and 262144 are allowed`},
		{"it is caught by its name", `"A": {"Type": "Task", "Resource": "` + fn + `", ` + caught, `{}`, long, `"States.DataLimitExceeded"`},
		{"States.ALL does not catch it", `"A": {"Type": "Task", "Resource": "` + fn + `", ` + all, `{}`, long, `States.DataLimitExceeded: the task's answer has 262146 bytes, and 262144 are allowed`},
		{"an input", `"A": {"Type": "Succeed"}`, long, ``, `not ended: execution e: States.DataLimitExceeded: the input has 262146 bytes, and 262144 are allowed`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := outcome((&world{invoke: answer(c.answer)}).run(t, c.states, c.input)); got != c.want {
				t.Errorf("got  %.200s\nwant %s", got, c.want)
			}
		})
	}
}
