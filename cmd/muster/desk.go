package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"muster/recovery"
)

// errAwaiting ends a command that is not to wait for people.
var errAwaiting = errors.New("a decision is awaited")

// desk is where questions are put to people, and their answers come in: from
// this terminal, from another process, or from the command line.
type desk struct {
	questions func(context.Context) ([]recovery.Question, error) // that are open now
	decide    func(context.Context, recovery.Decision) error     // a refusal is a *recovery.Error
	every     time.Duration                                      // is looked whether somebody else decided; 0: lookStep
	view      view
	given     answers
	leave     bool    // nobody is waited for
	prompt    *prompt // nil: nobody sits there
	command   string  // that decides from elsewhere
}

// Wait implements stepfunctions.Callbacks: it waits until no decision is
// awaited any more, whoever decided.
func (d *desk) Wait(ctx context.Context, _ string) ([]byte, error) {
	var asked []recovery.Question
	for {
		questions, err := d.questions(ctx)
		if err != nil {
			return nil, err
		}
		if len(questions) == 0 {
			d.view.answered()
			return []byte("{}"), nil
		}
		if choice, ok := d.given.next(questions); ok {
			if err := d.apply(ctx, choice); err != nil {
				return nil, err
			}
			continue
		}
		if d.leave {
			return nil, errAwaiting
		}
		questions = d.inOrder(questions)
		if !reflect.DeepEqual(questions, asked) {
			asked = questions
			d.view.ask(questions, d.hint(questions))
		}
		heard, err := d.listen(ctx, questions[0])
		if err != nil {
			return nil, err
		}
		if heard { // what is asked now is shown anew
			asked = nil
		}
	}
}

// inOrder puts the question first that stands before somebody already.
func (d *desk) inOrder(questions []recovery.Question) []recovery.Question {
	if d.prompt == nil || d.prompt.shown == nil {
		return questions
	}
	i := slices.IndexFunc(questions, func(q recovery.Question) bool { return q.ID == d.prompt.shown.ID })
	if i <= 0 {
		return questions
	}
	return append([]recovery.Question{questions[i]}, slices.Delete(slices.Clone(questions), i, i+1)...)
}

// hint says how to answer the first of the questions.
func (d *desk) hint(questions []recovery.Question) string {
	q := questions[0]
	if d.prompt != nil {
		return d.prompt.show(q)
	}
	which := ""
	if q.ID != "" {
		which = " --question " + string(q.ID)
	}
	answer := fmt.Sprintf("to answer: %s %s%s", d.command, joinedBy("|", q.Choices), which)
	if len(q.InDoubt) > 0 {
		answer += fmt.Sprintf("\nonce you have seen that none lives: %s %s%s", d.command, recovery.Retry, which)
		for _, id := range q.InDoubt {
			answer += " --treat-as-gone " + string(id)
		}
	}
	return answer
}

// listen waits for a line from the terminal, or for the time to look again.
func (d *desk) listen(ctx context.Context, q recovery.Question) (heard bool, err error) {
	var lines chan string
	if d.prompt != nil {
		lines = d.prompt.lines
	}
	select {
	case line, ok := <-lines:
		if !ok { // the terminal is gone: others may decide
			d.prompt = nil
			return true, nil
		}
		if decision, made := d.prompt.typed(line, q); made {
			return true, d.apply(ctx, decision)
		}
		return true, nil
	case <-time.After(cmp.Or(d.every, lookStep)):
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

func read(from io.Reader, lines chan<- string) {
	defer close(lines)
	scanner := bufio.NewScanner(from)
	for scanner.Scan() {
		lines <- scanner.Text()
	}
}

// apply records a decision. One that came too late changes nothing, and is
// told.
func (d *desk) apply(ctx context.Context, decision recovery.Decision) error {
	err := d.decide(ctx, decision)
	if refusal, is := errors.AsType[*recovery.Error](err); is {
		d.view.say(refusal.Message)
		return nil
	}
	return err
}

// answers are decisions that were made ahead, for each kind of question.
type answers struct {
	choices map[recovery.QuestionReason][]recovery.Choice
	used    map[string]int
}

func parseAnswers(texts []string) (answers, error) {
	a := answers{map[recovery.QuestionReason][]recovery.Choice{}, map[string]int{}}
	for _, text := range texts {
		word, choice, ok := strings.Cut(text, "=")
		reason, answer := recovery.QuestionReason(word), recovery.Choice(choice)
		if !ok || !slices.Contains(recovery.QuestionReasons, reason) {
			return a, usage("", "--answer: %s is not REASON=CHOICE, with a REASON of %s", recovery.Quote(text), joined(recovery.QuestionReasons))
		}
		if reason == recovery.PauseBeforeWave && answer == recovery.Resume { // the old word
			answer = recovery.Approve
		}
		if !slices.Contains(reason.Choices(), answer) {
			return a, usage("", "--answer: %s: %s is answered by one of: %s", recovery.Quote(text), reason, joined(reason.Choices()))
		}
		a.choices[reason] = append(a.choices[reason], answer)
	}
	return a, nil
}

// next gives the next answer that was made ahead: the first for the first
// time that a wave asks, the second for the second.
func (a answers) next(questions []recovery.Question) (recovery.Decision, bool) {
	for _, q := range questions {
		key := q.Subject()
		n := a.used[key]
		if n >= len(a.choices[q.Reason]) || !slices.Contains(q.Choices, a.choices[q.Reason][n]) {
			continue
		}
		a.used[key]++
		return recovery.Decision{Question: q.ID, Choice: a.choices[q.Reason][n], Request: recovery.Request{Reason: "answered ahead"}}, true
	}
	return recovery.Decision{}, false
}

func joined[S ~string](words []S) string { return joinedBy(", ", words) }

func joinedBy[S ~string](between string, words []S) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return strings.Join(texts, between)
}
