package stepfunctions_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/stepfunctions"
)

// fails is a function that fails with these errors, one call each, and then
// answers.
func fails(names ...string) func(context.Context, int, string) (string, error) {
	return func(_ context.Context, n int, _ string) (string, error) {
		if n <= len(names) {
			return "", taskError(names[n-1])
		}
		return `"done"`, nil
	}
}

// when gives the seconds at which the function was called.
func when(w *world) func(context.Context, int, string) (string, error) {
	began, inner := time.Now(), w.invoke
	w.calls = nil
	return func(ctx context.Context, n int, payload string) (string, error) {
		w.calls[n-1] = fmt.Sprint(time.Since(began).Seconds())
		return inner(ctx, n, payload)
	}
}

func TestRetriesFollowTheirRetrier(t *testing.T) {
	e := func(n int) []string { return slices.Repeat([]string{"E"}, n) }
	for _, c := range []struct {
		name, retry string
		errors      []string
		want        string
		calls       string // the seconds of each call
	}{
		{"the defaults are three retries after 1, 2 and 4 seconds", `{"ErrorEquals": ["E"]}`, e(4), "E: because", "0 1 3 7"},
		{"a retry may succeed", `{"ErrorEquals": ["E"]}`, e(3), `"done"`, "0 1 3 7"},
		{"the interval grows by the rate", `{"ErrorEquals": ["E"], "IntervalSeconds": 3, "BackoffRate": 1.5, "MaxAttempts": 3}`, e(3), `"done"`, "0 3 7.5 14.25"},
		{"a rate of one does not grow", `{"ErrorEquals": ["E"], "IntervalSeconds": 10, "BackoffRate": 1, "MaxAttempts": 3}`, e(3), `"done"`, "0 10 20 30"},
		{"the interval is bounded", `{"ErrorEquals": ["E"], "IntervalSeconds": 4, "MaxDelaySeconds": 10, "MaxAttempts": 4}`, e(4), `"done"`, "0 4 12 22 32"},
		{"no attempts is no retry", `{"ErrorEquals": ["E"], "MaxAttempts": 0}`, e(1), "E: because", "0"},
		{"another error is not retried", `{"ErrorEquals": ["F"]}`, e(1), "E: because", "0"},
		{"the first retrier that matches counts, alone", `{"ErrorEquals": ["E"], "MaxAttempts": 1}, {"ErrorEquals": ["States.ALL"], "MaxAttempts": 9}`, e(3), "E: because", "0 1"},
		{"each retrier counts for itself", `{"ErrorEquals": ["E"], "IntervalSeconds": 1, "MaxAttempts": 2}, {"ErrorEquals": ["F"], "IntervalSeconds": 10, "MaxAttempts": 2}`,
			[]string{"E", "F", "E", "F"}, `"done"`, "0 1 11 13 33"},
		{"States.ALL is any error", `{"ErrorEquals": ["States.ALL"]}`, e(1), `"done"`, "0 1"},
		{"States.TaskFailed is any error", `{"ErrorEquals": ["States.TaskFailed"]}`, e(1), `"done"`, "0 1"},
		{"States.TaskFailed is not a timeout", `{"ErrorEquals": ["States.TaskFailed"]}`, []string{"States.Timeout"}, `States.Timeout: because`, "0"},
		{"States.Runtime is never retried", `{"ErrorEquals": ["States.ALL"]}`, []string{"States.Runtime"}, `States.Runtime: because`, "0"},
		{"States.DataLimitExceeded is not States.ALL", `{"ErrorEquals": ["States.ALL"]}`, []string{"States.DataLimitExceeded"}, `States.DataLimitExceeded: because`, "0"},
		{"States.DataLimitExceeded is not States.TaskFailed", `{"ErrorEquals": ["States.TaskFailed"]}`, []string{"States.DataLimitExceeded"}, `States.DataLimitExceeded: because`, "0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{invoke: fails(c.errors...)}
				w.invoke = when(w)
				states := `"A": {"Type": "Task", "Resource": "` + fn + `", "Retry": [` + c.retry + `], "End": true}`
				if got := outcome(w.run(t, states, `{}`)); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
				if got := strings.Join(w.calls, " "); got != c.calls {
					t.Errorf("called at %s, want %s", got, c.calls)
				}
			})
		})
	}
}

func TestJitterShortensRetriesAtRandom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{invoke: fails(slices.Repeat([]string{"E"}, 8)...)}
		began := time.Now()
		states := `"A": {"Type": "Task", "Resource": "` + fn + `", "Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 100, "BackoffRate": 1, "MaxAttempts": 8, "JitterStrategy": "FULL"}], "End": true}`
		if got := outcome(w.run(t, states, `{}`)); got != `"done"` {
			t.Errorf("got %s", got)
		}
		if passed := time.Since(began); passed <= 0 || passed >= 800*time.Second {
			t.Errorf("eight retries took %v", passed)
		}
	})
}

func TestRetriersCountAnewWithEachVisit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{invoke: func(_ context.Context, n int, _ string) (string, error) {
			if n%3 != 0 {
				return "", taskError("E")
			}
			return fmt.Sprintf(`{"again": %t}`, n < 6), nil
		}}
		out, err := w.run(t, `"A": {"Type": "Task", "Resource": "`+fn+`", "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 2}], "Next": "B"},
			"B": {"Type": "Choice", "Choices": [{"Variable": "$.again", "BooleanEquals": true, "Next": "A"}], "Default": "C"}, "C": {"Type": "Succeed"}`, `{}`)
		if got := outcome(out, err); got != `{"again": false}` {
			t.Errorf("got %s", got)
		}
	})
}

func TestCatchersFollowTheLanguage(t *testing.T) {
	for _, c := range []struct{ name, catch, error, want string }{
		{"the error replaces what came in", `{"ErrorEquals": ["E"], "Next": "B"}`, "E", `{"Error":"E","Cause":"because"}`},
		{"ResultPath puts it into what came in", `{"ErrorEquals": ["E"], "ResultPath": "$.x.e", "Next": "B"}`, "E", `{"a": 1,"x":{"e":{"Error":"E","Cause":"because"}}}`},
		{"ResultPath null keeps what came in", `{"ErrorEquals": ["E"], "ResultPath": null, "Next": "B"}`, "E", `{"a": 1}`},
		{"ResultPath that cannot be applied fails the execution", `{"ErrorEquals": ["E"], "ResultPath": "$.a.b", "Next": "B"}`, "E", `States.ResultPathMatchFailure: the ResultPath "$.a.b" cannot be applied to the input`},
		{"another error is not caught", `{"ErrorEquals": ["F"], "Next": "B"}`, "E", `E: because`},
		{"the first catcher that matches counts", `{"ErrorEquals": ["F", "E"], "ResultPath": null, "Next": "B"}, {"ErrorEquals": ["States.ALL"], "Next": "C"}`, "E", `{"a": 1}`},
		{"States.ALL is any error", `{"ErrorEquals": ["States.ALL"], "ResultPath": null, "Next": "B"}`, "Lambda.Unknown", `{"a": 1}`},
		{"States.ALL is a timeout", `{"ErrorEquals": ["States.ALL"], "ResultPath": null, "Next": "B"}`, "States.Timeout", `{"a": 1}`},
		{"States.ALL is not States.Runtime", `{"ErrorEquals": ["States.ALL"], "ResultPath": null, "Next": "B"}`, "States.Runtime", `States.Runtime: because`},
		{"States.TaskFailed is any error", `{"ErrorEquals": ["States.TaskFailed"], "ResultPath": null, "Next": "B"}`, "E", `{"a": 1}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			states := `"A": {"Type": "Task", "Resource": "` + fn + `", "Catch": [` + c.catch + `], "Next": "B"}, "B": {"Type": "Pass", "Next": "C"}, "C": {"Type": "Succeed"}`
			if got := outcome((&world{invoke: fails(c.error)}).run(t, states, `{"a": 1}`)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestErrorsOfTheDataAreCaughtOrEndTheExecution(t *testing.T) {
	states := func(fields string) string {
		return `"A": {"Type": "Task", "Resource": "` + fn + `", ` + fields + `, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}], "Next": "B"}, "B": {"Type": "Pass", "InputPath": "$.Error", "End": true}`
	}
	for fields, want := range map[string]string{
		`"Parameters": {"x.$": "$.x"}`: `"States.ParameterPathFailure"`,
		`"ResultPath": "$.a.b"`:        `"States.ResultPathMatchFailure"`,
		`"OutputPath": "$.x"`:          `States.Runtime: the path "$.x" leads nowhere in the input`,
	} {
		if got := outcome((&world{}).run(t, states(fields), `{"a": 0}`)); got != want {
			t.Errorf("%s: got %s, want %s", fields, got, want)
		}
	}
}

func TestAnErrorWithoutANameIsLambdaUnknown(t *testing.T) {
	states := `"A": {"Type": "Task", "Resource": "` + fn + `", "Catch": [{"ErrorEquals": ["Lambda.Unknown"], "Next": "B"}], "Next": "B"}, "B": {"Type": "Succeed"}`
	for _, invoke := range []func(context.Context, int, string) (string, error){
		func(context.Context, int, string) (string, error) { return "", errors.New("the answer is not JSON") },
		answer(`{"half": `),
	} {
		if got, want := outcome((&world{invoke: invoke}).run(t, states, `{}`)), `{"Error":"Lambda.Unknown","Cause":"the answer is not JSON"}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	wrapped := func(context.Context, int, string) (string, error) {
		return "", fmt.Errorf("invoking: %w", &stepfunctions.TaskError{Name: "E", Cause: "c"})
	}
	if got := outcome((&world{invoke: wrapped}).run(t, states, `{}`)); got != "E: c" {
		t.Errorf("got %s", got)
	}
}
