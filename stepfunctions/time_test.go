package stepfunctions_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"muster/stepfunctions"
)

const waiting = `"A": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "End": true,
	"Parameters": {"FunctionName": "` + fn + `", "Payload": {"token.$": "$$.Task.Token"}}`

func TestTimePassesAsTheLanguageSays(t *testing.T) {
	wait := func(fields string) string { return `"A": {"Type": "Wait", "End": true, ` + fields + `}` }
	task := func(fields string) string {
		return `"A": {"Type": "Task", "End": true, "Resource": "` + fn + `", ` + fields + `}`
	}
	hour := func(ctx context.Context, _ int, _ string) (string, error) { return `"done"`, sleep(ctx, time.Hour) }
	quick := answer(`{}`)
	for _, c := range []struct {
		name, states, input string
		invoke              func(context.Context, int, string) (string, error)
		answer              func(context.Context) (string, error)
		want                string
		took                time.Duration
	}{
		{name: "Seconds", states: wait(`"Seconds": 90`), input: `1`, want: `1`, took: 90 * time.Second},
		{name: "SecondsPath", states: wait(`"SecondsPath": "$.n"`), input: `{"n":15}`, want: `{"n":15}`, took: 15 * time.Second},
		{name: "SecondsPath to a fraction", states: wait(`"SecondsPath": "$.n"`), input: `{"n":1.5}`, want: `States.Runtime: what the SecondsPath "$.n" leads to is no whole number from 0`},
		{name: "SecondsPath to a string", states: wait(`"SecondsPath": "$.n"`), input: `{"n":"1"}`, want: `States.Runtime: what the SecondsPath "$.n" leads to is no whole number from 0`},
		{name: "SecondsPath to nothing", states: wait(`"SecondsPath": "$.n"`), input: `{}`, want: `States.Runtime: the path "$.n" leads nowhere in the input`},
		{name: "a task may take long", states: task(`"TimeoutSeconds": 3601`), invoke: hour, want: `"done"`, took: time.Hour},
		{name: "a task may take too long", states: task(`"TimeoutSeconds": 60`), invoke: hour, want: `States.Timeout: the task took longer than TimeoutSeconds`, took: time.Minute},
		{name: "a task without a timeout has all the time", states: task(`"OutputPath": "$"`), invoke: hour, want: `"done"`, took: time.Hour},
		{name: "a timeout of a task that does not listen", states: task(`"TimeoutSeconds": 60`), want: `States.Timeout: the task took longer than TimeoutSeconds`, took: time.Hour,
			invoke: func(context.Context, int, string) (string, error) { time.Sleep(time.Hour); return `1`, nil }},

		{name: "a token is answered", states: waiting + `}`, invoke: quick, answer: func(ctx context.Context) (string, error) { return `{"yes": 1.0}`, sleep(ctx, 90*time.Hour) },
			want: `{"yes": 1.0}`, took: 90 * time.Hour},
		{name: "a token is answered by a failure", states: waiting + `}`, invoke: quick, answer: func(context.Context) (string, error) { return ``, taskError("No") }, want: `No: because`},
		{name: "a function that cannot be invoked has no token to wait for", states: waiting + `}`, invoke: fails("E"), want: `E: because`},
		{name: "nobody answers a token", states: waiting + `, "TimeoutSeconds": 86400}`, invoke: quick, want: `States.Timeout: the task took longer than TimeoutSeconds`, took: 24 * time.Hour},
		{name: "the timeout of a token begins before its function is invoked", states: waiting + `, "TimeoutSeconds": 7200}`, invoke: hour, want: `States.Timeout: the task took longer than TimeoutSeconds`, took: 2 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				w := &world{invoke: c.invoke, answers: map[string]func(context.Context) (string, error){"": c.answer}}
				if c.input == "" {
					c.input = `{}`
				}
				if got := outcome(w.run(t, c.states, c.input)); got != c.want {
					t.Errorf("got  %s\nwant %s", got, c.want)
				}
				if took := time.Since(began); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
			})
		})
	}
}

func TestPaceShortensWaitsAndRetriesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{invoke: func(ctx context.Context, n int, _ string) (string, error) {
			if n == 1 {
				return "", taskError("E")
			}
			return `1`, sleep(ctx, 20*time.Second)
		}}
		o := w.options()
		o.Pace = 10
		began := time.Now()
		out, err := load(t, `"A": {"Type": "Wait", "Seconds": 600, "Next": "B"},
			"B": {"Type": "Task", "Resource": "`+fn+`", "TimeoutSeconds": 30, "Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 50}], "End": true}`).
			Run(t.Context(), stepfunctions.Execution{Name: "e", Input: []byte(`{}`)}, o)
		if got := outcome(string(out), err); got != `1` {
			t.Errorf("got %s", got)
		}
		if took, want := time.Since(began), 60*time.Second+5*time.Second+20*time.Second; took != want {
			t.Errorf("took %v, want %v", took, want)
		}
	})
}

func TestARunThatIsCancelledStopsAtOnce(t *testing.T) {
	for name, states := range map[string]string{
		"in a Wait":         `"A": {"Type": "Wait", "Seconds": 3600, "End": true}`,
		"in a task":         `"A": {"Type": "Task", "Resource": "` + fn + `", "Retry": [{"ErrorEquals": ["States.ALL"]}], "End": true}`,
		"waiting for token": waiting + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				w := &world{invoke: func(ctx context.Context, n int, _ string) (string, error) {
					if name == "in a task" {
						return `{}`, sleep(ctx, time.Hour)
					}
					return `{}`, nil
				}}
				w.answers = map[string]func(context.Context) (string, error){"": func(ctx context.Context) (string, error) { return `{}`, sleep(ctx, time.Until(began.Add(time.Hour))) }}
				m, o := load(t, states), w.options()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if _, err := m.Run(ctx, stepfunctions.Execution{Name: "e", Input: []byte(`{}`)}, o); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v, want the context's error", err)
				}
				if took := time.Since(began); took != time.Minute {
					t.Errorf("stopped after %v", took)
				}
			})
		})
	}
}
