package stepfunctions_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"muster/stepfunctions"

	"github.com/google/go-cmp/cmp"
)

// Each definition is refused before anything runs, for what it says and at
// that place.
func TestWhatIsNotKnownIsRefusedWithItsPlace(t *testing.T) {
	task := func(fields string) string {
		return `"A": {"Type": "Task", "Resource": "` + fn + `", "End": true, ` + fields + `}`
	}
	choice := func(rule string) string {
		return `"A": {"Type": "Choice", "Choices": [{` + rule + `}]}, "B": {"Type": "Succeed"}`
	}
	pass := func(fields string) string { return `"A": {"Type": "Pass", "End": true, ` + fields + `}` }
	for _, c := range []struct{ states, place, message string }{
		{`"A": {"Type": "Map", "End": true}`, "States.A.Type", `states of type "Map" are not known here`},
		{`"A": {"Type": "Parallel", "End": true}`, "States.A.Type", `states of type "Parallel" are not known here`},
		{`"A": {"End": true}`, "States.A.Type", "is missing"},
		{`"A": 7`, "States.A", "has to be an object"},
		{`"A": {"Type": "Succeed"}, "A": {"Type": "Succeed"}`, "States.A", "is there twice"},
		{`"A": {"Type": "Succeed", "Type": "Succeed"}`, "States.A.Type", "is there twice"},
		{`"A": {"Type": "Succeed", "QueryLanguage": "JSONata"}`, "States.A.QueryLanguage", `only "JSONPath" is known here`},
		{`"A": {"Type": "Succeed", "Assign": {}}`, "States.A.Assign", "is not a field of a state of type Succeed that is known here"},
		{`"A": {"Type": "Succeed", "Comment": 7}`, "States.A.Comment", "has to be a string"},
		{`"A": {"Type": "Pass"}`, "States.A", "has to have a Next, or an End that is true"},
		{`"A": {"Type": "Pass", "End": false}`, "States.A", "has to have a Next, or an End that is true"},
		{`"A": {"Type": "Pass", "End": "true"}`, "States.A.End", "has to be true or false"},
		{`"A": {"Type": "Pass", "End": true, "Next": "B"}, "B": {"Type": "Succeed"}`, "States.A.End", "Next and End exclude one another"},
		{`"A": {"Type": "Pass", "Next": "X"}`, "States.A.Next", `there is no state "X"`},
		{`"A": {"Type": "Pass", "Next": ""}`, "States.A.Next", `is missing`},
		{`"A": {"Type": "Succeed"}, "B": {"Type": "Succeed"}`, "States.B", "no transition leads here"},
		{`"A": {"Type": "Succeed"}, "B": {"Type": "Pass", "Next": "X"}`, "States.B.Next", `there is no state "X"`},
		{`"A": {"Type": "Pass", "Next": "A"}`, "States", "no state that can be reached ends the execution"},
		{`"A": {"Type": "Pass", "Next": "` + strings.Repeat("B", 81) + `"}, "` + strings.Repeat("B", 81) + `": {"Type": "Succeed"}`, "States." + strings.Repeat("B", 81), "a state's name has 1 to 80 characters"},

		{pass(`"InputPath": "a"`), "States.A.InputPath", `"a" is not a path: a path begins with $`},
		{pass(`"InputPath": 1`), "States.A.InputPath", `has to be a path`},
		{pass(`"OutputPath": "$.a[*]"`), "States.A.OutputPath", `path "$.a[*]": "[*]" is not supported: a path leads to one place, by names and indices`},
		{pass(`"OutputPath": "$..a"`), "States.A.OutputPath", `path "$..a": "..a" is not supported: a path leads to one place, by names and indices`},
		{pass(`"OutputPath": "$.a[?(@.b)]"`), "States.A.OutputPath", `path "$.a[?(@.b)]": "[?(@.b)]" is not supported: a path leads to one place, by names and indices`},
		{pass(`"OutputPath": "$.a[-1]"`), "States.A.OutputPath", `path "$.a[-1]": "[-1]" is not supported: a path leads to one place, by names and indices`},
		{pass(`"OutputPath": "$.a b"`), "States.A.OutputPath", `path "$.a b": ".a b" is not supported: a path leads to one place, by names and indices`},
		{pass(`"OutputPath": "$x"`), "States.A.OutputPath", `path "$x": "x" is not supported: a path leads to one place, by names and indices`},
		{pass(`"OutputPath": "$$.Execution.RoleArn"`), "States.A.OutputPath", `path "$$.Execution.RoleArn": the context object has no such field`},
		{pass(`"OutputPath": "$$.Map"`), "States.A.OutputPath", `path "$$.Map": the context object has no such field`},
		{pass(`"OutputPath": "$$.State.Name.x"`), "States.A.OutputPath", `path "$$.State.Name.x": the context object has no such field`},
		{pass(`"ResultPath": "$$.State"`), "States.A.ResultPath", `nothing can be put into the context object`},
		{pass(`"ResultSelector": {}`), "States.A.ResultSelector", `is not a field of a state of type Pass that is known here`},
		{pass(`"Parameters": []`), "States.A.Parameters", `has to be an object`},
		{pass(`"Parameters": {"a": [{"b.$": 7}]}`), "States.A.Parameters.a[0].b.$", `has to be a path`},
		{pass(`"Parameters": {"a.$": "States.Format('{}', $.b)"}`), "States.A.Parameters.a.$", `the intrinsic function States.Format is not supported`},
		{pass(`"Parameters": {"a": 1, "a.$": "$"}`), "States.A.Parameters.a.$", `is there twice`},
		{pass(`"Parameters": {".$": "$"}`), "States.A.Parameters..$", `has no name before .$`},
		{pass(`"Parameters": {"a.$": "$$.Task.Token"}`), "States.A.Parameters.a.$", `only the Parameters of a task that waits for its token (.waitForTaskToken) may ask for it`},

		{task(`"Credentials": {}`), "States.A.Credentials", "is not a field of a state of type Task that is known here"},
		{`"A": {"Type": "Task", "End": true}`, "States.A.Resource", "is missing"},
		{`"A": {"Type": "Task", "End": true, "Resource": "arn:aws:states:::sns:publish"}`, "States.A.Resource", "is neither a Lambda function's ARN nor arn:aws:states:::lambda:invoke, with or without .waitForTaskToken"},
		{`"A": {"Type": "Task", "End": true, "Resource": "` + fn + `.waitForTaskToken"}`, "States.A.Resource", "is neither a Lambda function's ARN nor arn:aws:states:::lambda:invoke, with or without .waitForTaskToken"},
		{`"A": {"Type": "Task", "End": true, "Resource": "arn:aws:states:::lambda:invoke"}`, "States.A.Parameters", "is missing: arn:aws:states:::lambda:invoke needs FunctionName and Payload"},
		{`"A": {"Type": "Task", "End": true, "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"Payload": {}}}`, "States.A.Parameters.FunctionName", "is missing"},
		{`"A": {"Type": "Task", "End": true, "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "f"}}`, "States.A.Parameters.Payload", "is missing"},
		{`"A": {"Type": "Task", "End": true, "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "f", "Payload": {}, "InvocationType": "Event"}}`, "States.A.Parameters.InvocationType", "is not a field of arn:aws:states:::lambda:invoke that is known here"},
		{`"A": {"Type": "Task", "End": true, "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "Parameters": {"FunctionName": "f", "Payload": {}}}`, "States.A.Parameters.Payload", "does not hold $$.Task.Token: nobody could answer it"},
		{task(`"TimeoutSeconds": 0`), "States.A.TimeoutSeconds", "has to be a whole number from 1 to 99999999"},
		{task(`"TimeoutSeconds": 1.5`), "States.A.TimeoutSeconds", "has to be a whole number from 1 to 99999999"},
		{task(`"TimeoutSeconds": 1, "TimeoutSecondsPath": "$.a"`), "States.A.TimeoutSecondsPath", "TimeoutSeconds and TimeoutSecondsPath exclude one another"},
		{task(`"HeartbeatSeconds": 1`), "States.A.HeartbeatSeconds", "only a task that waits for its token (.waitForTaskToken) has a heartbeat"},
		{`"A": {"Type": "Task", "End": true, "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "TimeoutSeconds": 5, "HeartbeatSeconds": 5, "Parameters": {"FunctionName": "f", "Payload.$": "$$"}}`, "States.A.HeartbeatSeconds", "has to be less than TimeoutSeconds"},

		{task(`"Retry": {}`), "States.A.Retry", "has to be an array"},
		{task(`"Retry": [{}]`), "States.A.Retry[0].ErrorEquals", "has to be an array with at least one element"},
		{task(`"Retry": [{"ErrorEquals": [7]}]`), "States.A.Retry[0].ErrorEquals[0]", "has to be an error's name"},
		{task(`"Retry": [{"ErrorEquals": ["States.ALL", "a"]}]`), "States.A.Retry[0].ErrorEquals[0]", "States.ALL has to stand alone, and in the last place"},
		{task(`"Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["a"]}]`), "States.A.Retry[0].ErrorEquals[0]", "States.ALL has to stand alone, and in the last place"},
		{task(`"Retry": [{"ErrorEquals": ["States.Runtime"]}]`), "States.A.Retry[0].ErrorEquals[0]", "States.Runtime cannot be retried or caught"},
		{task(`"Retry": [{"ErrorEquals": ["States.Tiemout"]}]`), "States.A.Retry[0].ErrorEquals[0]", `there is no error "States.Tiemout" in the language`},
		{task(`"Retry": [{"ErrorEquals": ["a"], "IntervalSeconds": 0}]`), "States.A.Retry[0].IntervalSeconds", "has to be a whole number from 1 to 99999999"},
		{task(`"Retry": [{"ErrorEquals": ["a"], "MaxAttempts": -1}]`), "States.A.Retry[0].MaxAttempts", "has to be a whole number from 0 to 99999999"},
		{task(`"Retry": [{"ErrorEquals": ["a"], "BackoffRate": 0.5}]`), "States.A.Retry[0].BackoffRate", "has to be a number from 1.0"},
		{task(`"Retry": [{"ErrorEquals": ["a"], "MaxDelaySeconds": 0}]`), "States.A.Retry[0].MaxDelaySeconds", "has to be a whole number from 1 to 31622399"},
		{task(`"Retry": [{"ErrorEquals": ["a"], "JitterStrategy": "SOME"}]`), "States.A.Retry[0].JitterStrategy", "has to be FULL or NONE"},
		{task(`"Retry": [{"ErrorEquals": ["a"], "Next": "A"}]`), "States.A.Retry[0].Next", "is not a field of a retrier that is known here"},
		{task(`"Catch": [{"ErrorEquals": ["a"]}]`), "States.A.Catch[0].Next", "is missing"},
		{task(`"Catch": [{"ErrorEquals": ["a"], "Next": "X"}]`), "States.A.Catch[0].Next", `there is no state "X"`},
		{task(`"Catch": [{"ErrorEquals": ["a"], "Next": "A", "ResultPath": "x"}]`), "States.A.Catch[0].ResultPath", `"x" is not a path: a path begins with $`},
		{task(`"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "A"}, {"ErrorEquals": ["a"], "Next": "A"}]`), "States.A.Catch[0].ErrorEquals[0]", "States.ALL has to stand alone, and in the last place"},

		{`"A": {"Type": "Choice", "Default": "B"}, "B": {"Type": "Succeed"}`, "States.A.Choices", "has to be an array with at least one element"},
		{`"A": {"Type": "Choice", "Choices": [], "Default": "B"}, "B": {"Type": "Succeed"}`, "States.A.Choices", "has to be an array with at least one element"},
		{choice(`"Variable": "$", "IsNull": true, "Next": "B"}, {"Variable": "$", "IsNull": true, "Next": "X"`), "States.A.Choices[1].Next", `there is no state "X"`},
		{`"A": {"Type": "Choice", "Choices": [{"Variable": "$", "IsNull": true, "Next": "B"}], "Default": "X"}, "B": {"Type": "Succeed"}`, "States.A.Default", `there is no state "X"`},
		{choice(`"Variable": "$", "IsNull": true, "Next": "B", "End": true`), "States.A.Choices[0].End", "is not a field of a rule that is known here"},
		{choice(`"Variable": "$", "StringIsLike": "a", "Next": "B"`), "States.A.Choices[0].StringIsLike", "is not a field of a rule that is known here"},
		{choice(`"Variable": "$", "StringMatchesPath": "$.a", "IsNull": true, "Next": "B"`), "States.A.Choices[0].StringMatchesPath", "is not a field of a rule that is known here"},
		{choice(`"Variable": "$", "IsNull": true, "IsString": true, "Next": "B"`), "States.A.Choices[0]", "has to have exactly one of And, Or, Not or a comparison"},
		{choice(`"Variable": "$", "Next": "B"`), "States.A.Choices[0].Variable", "is not a field of a rule that is known here"},
		{choice(`"Next": "B"`), "States.A.Choices[0]", "has to have exactly one of And, Or, Not or a comparison"},
		{choice(`"IsNull": true, "Next": "B"`), "States.A.Choices[0]", "has to have a Variable"},
		{choice(`"Variable": "$", "StringEquals": 7, "Next": "B"`), "States.A.Choices[0].StringEquals", "has to be a string"},
		{choice(`"Variable": "$", "NumericEquals": "7", "Next": "B"`), "States.A.Choices[0].NumericEquals", "has to be a number"},
		{choice(`"Variable": "$", "BooleanEquals": "true", "Next": "B"`), "States.A.Choices[0].BooleanEquals", "has to be true or false"},
		{choice(`"Variable": "$", "TimestampEquals": "today", "Next": "B"`), "States.A.Choices[0].TimestampEquals", "has to be a time such as 2026-03-14T01:59:00Z"},
		{choice(`"Variable": "$", "StringMatches": "a\\b", "Next": "B"`), "States.A.Choices[0].StringMatches", `has to be a string in which \ stands before * or \ only`},
		{choice(`"Variable": "$", "IsNull": 1, "Next": "B"`), "States.A.Choices[0].IsNull", "has to be true or false"},
		{choice(`"Variable": "$", "StringEqualsPath": "a", "Next": "B"`), "States.A.Choices[0].StringEqualsPath", `"a" is not a path: a path begins with $`},
		{choice(`"And": [{"Variable": "$", "IsNull": true, "Next": "B"}], "Next": "B"`), "States.A.Choices[0].And[0].Next", "is not a field of a rule that is known here"},
		{choice(`"Or": [], "Next": "B"`), "States.A.Choices[0].Or", "has to be an array with at least one element"},
		{choice(`"Not": [], "Next": "B"`), "States.A.Choices[0].Not", "has to be an object"},
		{choice(`"Not": {"And": [{"Variable": "$.x[*]", "IsNull": true}]}, "Next": "B"`), "States.A.Choices[0].Not.And[0].Variable", `path "$.x[*]": "[*]" is not supported: a path leads to one place, by names and indices`},

		{`"A": {"Type": "Wait", "End": true}`, "States.A", "has to have exactly one of Seconds, SecondsPath, Timestamp and TimestampPath"},
		{`"A": {"Type": "Wait", "End": true, "Seconds": 1, "SecondsPath": "$"}`, "States.A", "has to have exactly one of Seconds, SecondsPath, Timestamp and TimestampPath"},
		{`"A": {"Type": "Wait", "End": true, "Seconds": "1"}`, "States.A.Seconds", "has to be a whole number from 0 to 99999999"},
		{`"A": {"Type": "Wait", "End": true, "SecondsPath": "$.a[0,1]"}`, "States.A.SecondsPath", `path "$.a[0,1]": "[0,1]" is not supported: a path leads to one place, by names and indices`},
		{`"A": {"Type": "Wait", "End": true, "Timestamp": "2026-03-14"}`, "States.A.Timestamp", "has to be a time such as 2026-03-14T01:59:00Z"},
		{`"A": {"Type": "Fail", "Error": "a", "ErrorPath": "$"}`, "States.A.ErrorPath", "Error and ErrorPath exclude one another"},
		{`"A": {"Type": "Fail", "Cause": "a", "CausePath": "$"}`, "States.A.CausePath", "Cause and CausePath exclude one another"},
		{`"A": {"Type": "Fail", "InputPath": "$"}`, "States.A.InputPath", "is not a field of a state of type Fail that is known here"},
	} {
		t.Run(c.place+" "+c.message, func(t *testing.T) {
			refused(t, `{"StartAt": "A", "States": {`+c.states+`}}`, c.place, c.message)
		})
	}
	for _, c := range []struct{ definition, place, message string }{
		{`{"StartAt": "A"}`, "States", "is missing"},
		{`{"States": {"A": {"Type": "Succeed"}}}`, "StartAt", "is missing"},
		{`{"StartAt": "X", "States": {"A": {"Type": "Succeed"}}}`, "StartAt", `there is no state "X"`},
		{`{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}, "Processor": {}}`, "Processor", "is not a field of a state machine that is known here"},
		{`{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}, "Version": "2.0"}`, "Version", `only "1.0" is known here`},
		{`{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}, "QueryLanguage": "JSONata"}`, "QueryLanguage", `only "JSONPath" is known here`},
		{`{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}, "TimeoutSeconds": -1}`, "TimeoutSeconds", "has to be a whole number from 1 to 99999999"},
		{`[]`, "", "has to be an object"},
		{"{\n  \"StartAt\": A}", "", "the definition is not JSON: line 2, column 14: invalid character 'A' looking for beginning of value"},
	} {
		t.Run(c.definition, func(t *testing.T) { refused(t, c.definition, c.place, c.message) })
	}
}

func refused(t *testing.T, definition, place, message string) {
	t.Helper()
	_, err := stepfunctions.Load([]byte(definition))
	var refusal *stepfunctions.DefinitionError
	if !errors.As(err, &refusal) {
		t.Fatalf("got %v, want a refusal", err)
	}
	want := stepfunctions.Problem{Place: place, Message: message}
	for _, got := range refusal.Problems {
		if got == want {
			return
		}
	}
	t.Errorf("got  %v\nwant %v", refusal.Problems, want)
}

func TestAllProblemsAreNamedAtOnce(t *testing.T) {
	_, err := stepfunctions.Load([]byte(`{"StartAt": "A", "Extra": 1, "States": {
		"A": {"Type": "Wait", "SecondsPath": "x", "Next": "C"}, "B": {"Type": "Nap"}, "D": {"Type": "Pass", "End": true, "InputPath": "$..a"}}}`))
	want := `the definition of the state machine cannot be run here:
  States.A.SecondsPath: "x" is not a path: a path begins with $
  States.B.Type: states of type "Nap" are not known here
  States.D.InputPath: path "$..a": "..a" is not supported: a path leads to one place, by names and indices
  Extra: is not a field of a state machine that is known here
  States.A.Next: there is no state "C"
  States.B: no transition leads here
  States.D: no transition leads here`
	if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
		t.Error(diff)
	}
}

func TestCommentsAndVersionsAreTaken(t *testing.T) {
	_, err := stepfunctions.Load([]byte(`{"Comment": "c", "Version": "1.0", "QueryLanguage": "JSONPath", "TimeoutSeconds": 60, "StartAt": "A", "States": {
		"A": {"Type": "Choice", "Comment": "c", "QueryLanguage": "JSONPath", "Choices": [{"Comment": "c", "Variable": "$", "IsNull": true, "Next": "B"}], "Default": "B"},
		"B": {"Type": "Task", "Resource": "` + fn + `:live", "Retry": [{"Comment": "c", "ErrorEquals": ["a"]}], "Catch": [{"Comment": "c", "ErrorEquals": ["a"], "Next": "C"}], "End": true},
		"C": {"Type": "Succeed"}}}`))
	if err != nil {
		t.Error(err)
	}
}
