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

// everything goes through all that an execution can go through: a retry that
// helps, an error that is caught, a wait, a choice, a loop, a token.
const everything = `
	"A": {"Type": "Task", "Resource": "` + fn + `", "Parameters": {"try.$": "$$.State.RetryCount", "round.$": "$.round"}, "ResultPath": "$.a",
		"Retry": [{"ErrorEquals": ["Once"], "IntervalSeconds": 30}], "Catch": [{"ErrorEquals": ["Always"], "ResultPath": "$.error", "Next": "Caught"}], "Next": "Again"},
	"Again": {"Type": "Choice", "Choices": [{"Variable": "$.round", "NumericEquals": 1, "Next": "Second"}], "Default": "Ask"},
	"Second": {"Type": "Pass", "Result": 2, "ResultPath": "$.round", "Next": "Pause"},
	"Pause": {"Type": "Wait", "Seconds": 3600, "Next": "A"},
	"Caught": {"Type": "Pass", "InputPath": "$.error.Cause", "ResultPath": "$.why", "Next": "Ask"},
	"Ask": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "ResultPath": "$.answer", "TimeoutSeconds": 86400,
		"Parameters": {"FunctionName": "arn:aws:lambda:us-east-1:123456789012:function:ask", "Payload": {"token.$": "$$.Task.Token", "why.$": "$.why"}}, "Next": "End"},
	"End": {"Type": "Succeed"}`

// people answers tokens, and forgets none.
type people struct {
	world
	tokens []string
}

func newPeople() *people {
	p := &people{}
	p.invoke = func(_ context.Context, _ int, payload string) (string, error) {
		switch payload {
		case `{"try":0,"round":1}`:
			return "", taskError("Once")
		case `{"try":0,"round":2}`:
			return "", taskError("Always")
		}
		return `{ "said":1.0}`, nil
	}
	p.answers = map[string]func(context.Context) (string, error){"": func(ctx context.Context) (string, error) { return `"yes"`, sleep(ctx, time.Hour) }}
	return p
}

func (p *people) Wait(ctx context.Context, token string) ([]byte, error) {
	if !slices.Contains(p.tokens, token) {
		p.tokens = append(p.tokens, token)
	}
	return p.world.Wait(ctx, token)
}

func (p *people) run(t *testing.T, m *stepfunctions.Machine) (string, error) {
	o := p.options()
	o.Tasks, o.Callbacks = p, p
	out, err := m.Run(t.Context(), stepfunctions.Execution{Name: "e", Input: []byte(`{"round": 1}`)}, o)
	return string(out), err
}

func TestAnExecutionGoesThroughEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople()
		want := `{"round": 2,"a":{ "said":1.0},"error":{"Error":"Always","Cause":"because"},"why":"because","answer":"yes"}`
		if got := outcome(p.run(t, load(t, everything))); got != want || len(p.calls) != 4 || len(p.tokens) != 1 {
			t.Errorf("got %s after %q, with the tokens %q; want %s", got, p.calls, p.tokens, want)
		}
	})
}

func TestFailuresHaveWords(t *testing.T) {
	for err, want := range map[error]string{
		&stepfunctions.Failure{Name: "E", Cause: "c"}: "the execution failed: E: c",
		&stepfunctions.Failure{Cause: "c"}:            "the execution failed: an error without a name: c",
		&stepfunctions.TaskError{Name: "E"}:           "E",
	} {
		if err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// What waits for people may fail itself: the run is aborted.
func TestARunEndsWhereNobodyCanBeWaitedFor(t *testing.T) {
	w := &world{answers: map[string]func(context.Context) (string, error){"": func(context.Context) (string, error) { return "", errors.New("the store is locked") }}}
	if got := outcome(w.run(t, waiting+`}`, `{}`)); got != "not ended: execution e: the store is locked" {
		t.Errorf("got %s", got)
	}
}

func TestWhatCannotBeRunIsSaid(t *testing.T) {
	m := load(t, waiting+`}`)
	w := &world{}
	for _, c := range []struct {
		name, input string
		o           stepfunctions.Options
		want        string
	}{
		{"", `{}`, w.options(), "the name of an execution has 1 to 80 characters"},
		{strings.Repeat("é", 81), `{}`, w.options(), "the name of an execution has 1 to 80 characters"},
		{"e", `{}`, stepfunctions.Options{}, "the state machine has tasks, and nothing to invoke them with was given"},
		{"e", `{}`, stepfunctions.Options{Tasks: w}, "the state machine waits for tokens, and nothing to wait with was given"},
		{"e", `{`, w.options(), "execution e: its input is not JSON"},
		{"e", ``, w.options(), "execution e: its input is not JSON"},
	} {
		if _, err := m.Run(t.Context(), stepfunctions.Execution{Name: c.name, Input: []byte(c.input)}, c.o); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestObserversSeeEverythingButTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople()
		p.run(t, load(t, everything))
		for i, e := range p.events {
			if e.N != i+1 {
				t.Errorf("event %d has number %d", i+1, e.N)
			}
			if strings.Contains(fmt.Sprintf("%+v %s %s", e, e.Input, e.Output), p.tokens[0]) {
				t.Errorf("%s gives the token away", e.Kind)
			}
		}
		if e := p.events[3]; e.Kind != stepfunctions.RetryScheduled || e.Error != "Once" || !e.Until.Equal(e.At.Add(30*time.Second)) {
			t.Errorf("got %+v", e)
		}
	})
}
