package stepfunctions_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/stepfunctions"

	"github.com/google/go-cmp/cmp"
)

// everything goes through all that an execution can go through: a retry that
// helps, an error that is caught, a wait, a choice, a loop, a token.
const everything = `
	"A": {"Type": "Task", "Resource": "` + fn + `", "Parameters": {"round.$": "$.round"}, "ResultPath": "$.a",
		"Retry": [{"ErrorEquals": ["Once"], "IntervalSeconds": 30}], "Catch": [{"ErrorEquals": ["Always"], "ResultPath": "$.error", "Next": "Caught"}], "Next": "Again"},
	"Again": {"Type": "Choice", "Choices": [{"Variable": "$.round", "StringEquals": "first", "Next": "Second"}], "Default": "Ask"},
	"Second": {"Type": "Pass", "Result": "second", "ResultPath": "$.round", "Next": "Pause"},
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
	p.invoke = func(_ context.Context, n int, payload string) (string, error) {
		switch {
		case n == 1:
			return "", taskError("Once")
		case payload == `{"round":"second"}`:
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
	out, err := m.Run(t.Context(), stepfunctions.Execution{Name: "e", Input: []byte(`{"round": "first"}`)}, o)
	return string(out), err
}

func TestAnExecutionGoesThroughEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople()
		want := `{"round": "second","a":{ "said":1.0},"error":{"Error":"Always","Cause":"because"},"why":"because","answer":"yes"}`
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

func TestAnInputThatIsNotJSONIsRefused(t *testing.T) {
	for _, input := range []string{`{`, ``} {
		if _, err := (&world{}).run(t, `"A": {"Type": "Succeed"}`, input); err == nil || err.Error() != "execution e: its input is not JSON" {
			t.Errorf("got %v", err)
		}
	}
}

func TestObserversSeeEverythingButTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople()
		p.run(t, load(t, everything))
		want := `ExecutionStarted 
StateEntered A
TaskErred A
RetryScheduled A
TaskAnswered A
StateEntered Again
StateEntered Second
StateEntered Pause
StateEntered A
TaskErred A
StateEntered Caught
StateEntered Ask
TaskScheduled Ask
TaskSubmitted Ask
TaskAnswered Ask
StateEntered End
ExecutionSucceeded End
`
		if diff := cmp.Diff(want, transcript(p.events)); diff != "" {
			t.Error(diff)
		}
		for _, e := range p.events {
			if strings.Contains(e.Data, p.tokens[0]) {
				t.Errorf("%s gives the token away", e.Kind)
			}
		}
	})
}
