package stepfunctions_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/stepfunctions"

	"github.com/google/go-cmp/cmp"
)

var errKilled = errors.New("killed")

// mortal is a journal whose driver is killed at the n-th entry that is new:
// after it was kept, or before.
type mortal struct {
	stepfunctions.Memory
	at   int
	kept bool
	died bool
	lost string
}

func (m *mortal) Append(ctx context.Context, execution string, n int, entry []byte) error {
	if n != m.at || m.died {
		return m.Memory.Append(ctx, execution, n, entry)
	}
	m.died = true
	m.lost = string(entry)
	if m.kept {
		if err := m.Memory.Append(ctx, execution, n, entry); err != nil {
			return err
		}
	}
	return errKilled
}

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

// withoutTokens hides what is random.
func (p *people) withoutTokens() []string {
	var calls []string
	for _, c := range p.calls {
		for i, token := range p.tokens {
			c = strings.ReplaceAll(c, token, fmt.Sprint("token", i+1))
		}
		calls = append(calls, c)
	}
	return calls
}

func (p *people) run(t *testing.T, m *stepfunctions.Machine, j stepfunctions.Journal) (string, error) {
	o := p.options()
	o.Tasks, o.Callbacks, o.Journal = p, p, j
	out, err := m.Run(t.Context(), stepfunctions.Execution{Name: "e", Input: []byte(`{"round": 1}`)}, o)
	return string(out), err
}

func TestAnExecutionThatIsKilledAnywhereGoesOnWhereItWas(t *testing.T) {
	m := load(t, everything)
	var calls []string
	var output, events string
	synctest.Test(t, func(t *testing.T) {
		p := newPeople()
		output = outcome(p.run(t, m, nil))
		calls, events = p.withoutTokens(), transcript(p.events)
	})
	want := `{"round": 2,"a":{ "said":1.0},"error":{"Error":"Always","Cause":"because"},"why":"because","answer":"yes"}`
	if output != want || len(calls) != 4 {
		t.Fatalf("got %s after %q, want %s", output, calls, want)
	}
	entries := strings.Count(events, "\n")
	for at := 1; at <= entries; at++ {
		for _, kept := range []bool{true, false} {
			t.Run(fmt.Sprintf("entry %d kept %t", at, kept), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p, j := newPeople(), &mortal{at: at, kept: kept}
					if _, err := p.run(t, m, j); !errors.Is(err, errKilled) {
						t.Fatalf("got %v, want to be killed", err)
					}
					time.Sleep(5 * time.Minute)
					if got := outcome(p.run(t, m, j)); got != want {
						t.Errorf("got %s, want %s", got, want)
					}
					if len(p.tokens) != 1 {
						t.Errorf("the people were asked with the tokens %q, want one", p.tokens)
					}
					wantCalls := calls
					if !kept && (strings.Contains(j.lost, `"TaskAnswered"`) && !strings.Contains(j.lost, "yes") || strings.Contains(j.lost, `"TaskErred"`) || strings.Contains(j.lost, `"TaskSubmitted"`)) {
						wantCalls = slices.Insert(slices.Clone(calls), repeatedAt(events, at), calls[repeatedAt(events, at)])
					}
					if diff := cmp.Diff(wantCalls, p.withoutTokens()); diff != "" {
						t.Error(diff)
					}
					// The driver that died kept an entry that it never told of.
					if kept {
						return
					}
					if diff := cmp.Diff(events, strings.ReplaceAll(transcript(p.events), resumedIn(p.events), "")); diff != "" {
						t.Error(diff)
					}
				})
			})
		}
	}
}

// repeatedAt is which call's outcome the entry at holds.
func repeatedAt(events string, at int) int {
	before := strings.Join(strings.Split(events, "\n")[:at-1], "\n")
	return strings.Count(before, "TaskErred") + strings.Count(before, "TaskAnswered") + strings.Count(before, "TaskSubmitted")
}

func resumedIn(events []stepfunctions.Event) string {
	for _, e := range events {
		if e.Kind == stepfunctions.ExecutionResumed {
			return transcript([]stepfunctions.Event{e})
		}
	}
	return "never"
}

func TestAnEndIsAnsweredAgainWithoutDoingAnything(t *testing.T) {
	for _, states := range []string{`"A": {"Type": "Task", "Resource": "` + fn + `", "End": true}`, `"A": {"Type": "Fail", "Error": "E", "Cause": "c"}`} {
		w, j := &world{invoke: answer(`{ "a":1.0}`)}, &stepfunctions.Memory{}
		o := w.options()
		o.Journal = j
		run := func() string {
			out, err := load(t, states).Run(t.Context(), stepfunctions.Execution{Name: "e", Input: []byte(`1`)}, o)
			return outcome(string(out), err)
		}
		first, calls := run(), len(w.calls)
		events := len(w.events)
		if again := run(); again != first || len(w.calls) != calls || len(w.events) != events {
			t.Errorf("got %s after %q, want %s again", again, w.calls, first)
		}
	}
}

func TestOfTwoDriversOneGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := load(t, everything)
		p, j := newPeople(), &stepfunctions.Memory{}
		var wait sync.WaitGroup
		var errs [2]error
		var outs [2]string
		for i := range 2 {
			wait.Go(func() {
				time.Sleep(time.Duration(i) * 10 * time.Minute) // the second finds the first in its wait
				outs[i], errs[i] = p.run(t, m, j)
			})
		}
		wait.Wait()
		if errs[0] == nil || !strings.Contains(errs[0].Error(), "keeping entry") {
			t.Errorf("the driver that was taken over from got %q, %v", outs[0], errs[0])
		}
		if got := outcome(outs[1], errs[1]); !strings.Contains(got, `"answer":"yes"`) {
			t.Errorf("got %s", got)
		}
		if got := p.withoutTokens(); len(got) != 4 {
			t.Errorf("got %q, want each task once", got)
		}
	})
}

func TestTwoDriversThatBeginAtOnceDoNotBothBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := load(t, `"A": {"Type": "Task", "Resource": "`+fn+`", "End": true}`)
		w := &world{invoke: func(ctx context.Context, _ int, _ string) (string, error) { return `1`, sleep(ctx, time.Minute) }}
		j := &stepfunctions.Memory{}
		var wait sync.WaitGroup
		results := make([]string, 8)
		for i := range results {
			wait.Go(func() {
				out, err := m.Run(t.Context(), stepfunctions.Execution{Name: "e", Input: []byte(`{}`)}, stepfunctions.Options{Tasks: w, Journal: j})
				results[i] = outcome(string(out), err)
			})
		}
		wait.Wait()
		ended := 0
		for _, r := range results {
			if r == `1` {
				ended++
			} else if !strings.Contains(r, "keeping entry") {
				t.Errorf("got %s", r)
			}
		}
		if ended != 1 {
			t.Errorf("%d drivers came to the end, want 1: %q", ended, results)
		}
	})
}

type unreadable struct{}

func (unreadable) Append(context.Context, string, int, []byte) error { return nil }
func (unreadable) Entries(context.Context, string) ([][]byte, error) {
	return nil, errors.New("the disk is gone")
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

// What waits for people may fail itself: the execution goes on later.
func TestARunEndsWhereNobodyCanBeWaitedFor(t *testing.T) {
	j := &stepfunctions.Memory{}
	m := load(t, waiting+`}`)
	try := func(answer func(context.Context) (string, error)) string {
		w := &world{answers: map[string]func(context.Context) (string, error){"": answer}}
		o := w.options()
		o.Journal = j
		out, err := m.Run(t.Context(), stepfunctions.Execution{Name: "e", Input: []byte(`{}`)}, o)
		return outcome(string(out), err)
	}
	if got := try(func(context.Context) (string, error) { return "", errors.New("the store is locked") }); got != "not ended: execution e: the store is locked" {
		t.Errorf("got %s", got)
	}
	if got := try(func(context.Context) (string, error) { return `1`, nil }); got != `1` {
		t.Errorf("got %s", got)
	}
}

func TestWhatCannotBeRunIsSaid(t *testing.T) {
	m := load(t, waiting+`}`)
	w := &world{}
	began := &stepfunctions.Memory{}
	pass := load(t, `"A": {"Type": "Wait", "Seconds": 60, "End": true}`)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := pass.Run(ctx, stepfunctions.Execution{Name: "e", Input: []byte(`1`)}, stepfunctions.Options{Journal: began}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	broken := &stepfunctions.Memory{}
	garbled := &stepfunctions.Memory{}
	for j, entry := range map[*stepfunctions.Memory]string{broken: `{"kind":"StateEntered"}`, garbled: `{"kind":`} {
		if err := j.Append(t.Context(), "e", 1, []byte(entry)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		m     *stepfunctions.Machine
		name  string
		input string
		o     stepfunctions.Options
		want  string
	}{
		{m, "", `{}`, w.options(), "the name of an execution has 1 to 80 characters"},
		{m, strings.Repeat("é", 81), `{}`, w.options(), "the name of an execution has 1 to 80 characters"},
		{m, "e", `{}`, stepfunctions.Options{}, "the state machine has tasks, and nothing to invoke them with was given"},
		{m, "e", `{}`, stepfunctions.Options{Tasks: w}, "the state machine waits for tokens, and nothing to wait with was given"},
		{m, "e", `{`, w.options(), "execution e: its input is not JSON"},
		{m, "e", ``, w.options(), "execution e: it was not begun before, and has no input"},
		{pass, "e", `2`, stepfunctions.Options{Journal: began}, "execution e: an execution of this name was begun with another input"},
		{load(t, `"A": {"Type": "Succeed"}`), "e", ``, stepfunctions.Options{Journal: began}, "execution e: the execution was begun with another definition of the state machine, and cannot go on with this one"},
		{pass, "e", ``, stepfunctions.Options{Journal: garbled}, "execution e: entry 1 of the journal cannot be read: unexpected end of JSON input"},
		{pass, "e", ``, stepfunctions.Options{Journal: unreadable{}}, "execution e: reading its journal: the disk is gone"},
		{pass, "e", ``, stepfunctions.Options{Journal: broken}, "execution e: the journal does not begin with the start of the execution, or begins twice"},
	} {
		input := []byte(c.input)
		if c.input == "" {
			input = nil
		}
		if _, err := c.m.Run(t.Context(), stepfunctions.Execution{Name: c.name, Input: input}, c.o); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestObserversSeeEverythingButTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople()
		p.run(t, load(t, everything), nil)
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

// slipping is a journal in which the driver that is taken over keeps one more
// entry between another one's reading and its first own entry.
type slipping struct {
	stepfunctions.Memory
	slips int
	entry []byte
}

func (s *slipping) Append(ctx context.Context, execution string, n int, entry []byte) error {
	if s.slips > 0 && strings.Contains(string(entry), "ExecutionResumed") {
		s.slips--
		if err := s.Memory.Append(ctx, execution, n, s.entry); err != nil {
			return err
		}
	}
	return s.Memory.Append(ctx, execution, n, entry)
}

func TestADriverThatKeepsAnEntryWhileItIsTakenOverIsTakenOverAllTheSame(t *testing.T) {
	m := load(t, `"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "C"}, "C": {"Type": "Succeed"}`)
	journal := &slipping{}
	first := &mortal{at: 3, kept: true}
	m.Run(t.Context(), stepfunctions.Execution{Name: "e", Input: []byte(`{}`)}, stepfunctions.Options{Journal: first})
	entries, err := first.Entries(t.Context(), "e")
	if err != nil || len(entries) != 3 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for n, entry := range entries[:2] {
		if err := journal.Append(t.Context(), "e", n+1, entry); err != nil {
			t.Fatal(err)
		}
	}
	journal.slips, journal.entry = 1, entries[2]
	if output, err := m.Run(t.Context(), stepfunctions.Execution{Name: "e"}, stepfunctions.Options{Journal: journal}); err != nil || string(output) != "{}" {
		t.Errorf("got %s, %v", output, err)
	}
}
