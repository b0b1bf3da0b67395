package stepfunctions_test

import (
	"strings"
	"testing"

	"muster/stepfunctions"
)

// Each definition is refused before anything runs.
func TestWhatIsNotKnownIsRefused(t *testing.T) {
	task := func(fields string) string {
		return `"A": {"Type": "Task", "Resource": "` + fn + `", "End": true, ` + fields + `}`
	}
	choice := func(rule string) string {
		return `"A": {"Type": "Choice", "Choices": [{` + rule + `}]}, "B": {"Type": "Succeed"}`
	}
	pass := func(fields string) string { return `"A": {"Type": "Pass", "End": true, ` + fields + `}` }
	const onePlace = "is not known here: a path leads to one place, by names and indices"
	const oneTest = "state A: rule 1: has to have exactly one of And, Or, Not or a comparison of a Variable"
	for _, c := range []struct{ states, want string }{
		{`"A": {"Type": "Map", "End": true}`, `state A: states of type "Map" are not known here`},
		{`"A": {"End": true}`, `state A: states of type "" are not known here`},
		{`"A": {"Type": "Succeed", "Assign": {}}`, `state A: json: unknown field "Assign"`},
		{`"A": {"Type": "Pass"}`, "state A: has to have either a Next, or an End that is true"},
		{`"A": {"Type": "Pass", "End": true, "Next": "B"}, "B": {"Type": "Succeed"}`, "state A: has to have either a Next, or an End that is true"},
		{`"A": {"Type": "Pass", "Next": "X"}`, `state A: there is no state "X"`},
		{`"B": {"Type": "Succeed"}`, `StartAt: there is no state "A"`},

		{pass(`"InputPath": "a"`), `state A: path "a" ` + onePlace},
		{pass(`"OutputPath": "$.a[*]"`), `state A: path "$.a[*]" ` + onePlace},
		{pass(`"OutputPath": "$..a"`), `state A: path "$..a" ` + onePlace},
		{pass(`"OutputPath": "$.a[-1]"`), `state A: path "$.a[-1]" ` + onePlace},
		{pass(`"OutputPath": "$.a b"`), `state A: path "$.a b" ` + onePlace},
		{pass(`"ResultSelector": {}`), `state A: json: unknown field "ResultSelector"`},
		{pass(`"Parameters": {"a": [1]}`), `state A: arrays in Parameters are not known here`},
		{pass(`"Parameters": {"a.$": "States.Format('{}', $.b)"}`), `state A: path "States.Format('{}', $.b)" ` + onePlace},

		{task(`"HeartbeatSeconds": 1`), `state A: json: unknown field "HeartbeatSeconds"`},
		{`"A": {"Type": "Task", "End": true, "Resource": "arn:aws:states:::sns:publish"}`, "state A: its Resource is neither a Lambda function's ARN nor arn:aws:states:::lambda:invoke, with or without .waitForTaskToken"},
		{task(`"Retry": [{"ErrorEquals": []}]`), "state A: ErrorEquals has to name an error"},
		{task(`"Retry": [{"ErrorEquals": ["States.ALL", "a"]}]`), "state A: States.ALL has to stand alone, and in the last place"},
		{task(`"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "A"}, {"ErrorEquals": ["a"], "Next": "A"}]`), "state A: States.ALL has to stand alone, and in the last place"},
		{task(`"Retry": [{"ErrorEquals": ["States.Runtime"]}]`), "state A: States.Runtime is no error that can be retried or caught"},
		{task(`"Retry": [{"ErrorEquals": ["States.Tiemout"]}]`), "state A: States.Tiemout is no error that can be retried or caught"},
		{task(`"Retry": [{"ErrorEquals": ["a"], "Next": "A"}]`), `state A: json: unknown field "Next"`},
		{task(`"Catch": [{"ErrorEquals": ["a"], "Next": "X"}]`), `state A: there is no state "X"`},

		{choice(`"Variable": "$", "IsPresent": true, "Next": "X"`), `state A: there is no state "X"`},
		{choice(`"Variable": "$", "StringLessThan": "a", "Next": "B"`), `state A: json: unknown field "StringLessThan"`},
		{choice(`"Variable": "$", "IsPresent": true, "StringEquals": "a", "Next": "B"`), oneTest},
		{choice(`"Variable": "$", "Next": "B"`), oneTest},
		{choice(`"IsPresent": true, "Next": "B"`), oneTest},
		{choice(`"Not": {"Next": "B"}, "Next": "B"`), `state A: json: unknown field "Next"`},
		{choice(`"Not": {"And": [{"Variable": "$"}]}, "Next": "B"`), oneTest},

		{`"A": {"Type": "Wait", "End": true}`, "state A: has to have exactly one of Seconds and SecondsPath"},
		{`"A": {"Type": "Wait", "End": true, "Seconds": 1, "SecondsPath": "$"}`, "state A: has to have exactly one of Seconds and SecondsPath"},
		{`"A": {"Type": "Wait", "End": true, "Timestamp": "2026-03-14T01:59:00Z"}`, `state A: json: unknown field "Timestamp"`},
	} {
		t.Run(c.want, func(t *testing.T) {
			refused(t, `{"StartAt": "A", "States": {`+c.states+`}}`, c.want)
		})
	}
	refused(t, `{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}, "QueryLanguage": "JSONata"}`, `unknown field "QueryLanguage"`)
	refused(t, `{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}} {}`, "more follows the value")
	refused(t, `{"StartAt": `, "unexpected EOF")
}

func refused(t *testing.T, definition, want string) {
	t.Helper()
	if _, err := stepfunctions.Load([]byte(definition)); err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestCommentsAreTaken(t *testing.T) {
	load(t, `"A": {"Type": "Choice", "Comment": "c", "Choices": [{"Comment": "c", "Variable": "$", "IsPresent": true, "Next": "B"}], "Default": "B"},
		"B": {"Type": "Task", "Resource": "`+fn+`:live", "Retry": [{"Comment": "c", "ErrorEquals": ["a"]}], "Catch": [{"Comment": "c", "ErrorEquals": ["a"], "Next": "C"}], "End": true},
		"C": {"Type": "Succeed"}`)
}
