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

// desk is where questions are put to people, and their answers come in: from
// this terminal, from another process, or from the command line.
type desk struct {
	questions func(context.Context) ([]recovery.Question, error) // that are open now
	decide    func(context.Context, recovery.Decision) error     // a refusal is a *recovery.Error
	every     time.Duration                                      // is looked whether somebody else decided; 0: lookStep
	view      view
	given     answers
	leave     bool      // nobody is waited for
	stdin     io.Reader // nil: nobody sits there
	lines     chan string
	command   string // that decides from elsewhere
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
		if !reflect.DeepEqual(questions, asked) {
			asked = questions
			d.view.ask(questions, d.hint(questions))
		}
		if err := d.listen(ctx, questions[0]); err != nil {
			return nil, err
		}
	}
}

// questions are those of an execution that waits for nothing else.
func (h *house) questions(ctx context.Context, id recovery.ExecutionID) ([]recovery.Question, error) {
	e, err := h.Executions.Execution(ctx, id)
	if err != nil || e.Version == 0 {
		return nil, err
	}
	step := recovery.Next(e, time.Now())
	if step.Action != recovery.DoAwaitDecision {
		return nil, nil
	}
	return step.Decisions, nil
}

// hint says how to answer.
func (d *desk) hint(questions []recovery.Question) string {
	q := questions[0]
	if d.stdin != nil {
		words := make([]string, len(q.Choices))
		for i, c := range q.Choices {
			words[i] = fmt.Sprintf("[%c]%s", c[0], c[1:])
		}
		return strings.Join(words, "  ") + "  > "
	}
	words := make([]string, len(q.Choices))
	for i, c := range q.Choices {
		words[i] = string(c)
	}
	wave := ""
	if q.Wave != nil {
		wave = fmt.Sprintf(" --wave %d", *q.Wave)
	}
	answer := fmt.Sprintf("to answer: %s %s%s", d.command, strings.Join(words, "|"), wave)
	if len(q.InDoubt) > 0 {
		answer += fmt.Sprintf("\nonce you have seen that none lives: %s %s%s", d.command, recovery.Retry, wave)
		for _, id := range q.InDoubt {
			answer += " --treat-as-gone " + string(id)
		}
	}
	return answer
}

// listen waits for a line from the terminal, or for the time to look again.
func (d *desk) listen(ctx context.Context, q recovery.Question) error {
	if d.stdin != nil && d.lines == nil {
		d.lines = make(chan string)
		go read(d.stdin, d.lines)
	}
	select {
	case line, ok := <-d.lines:
		if !ok { // the terminal is gone: others may decide
			d.lines, d.stdin = nil, nil
			d.view.ask([]recovery.Question{q}, d.hint([]recovery.Question{q}))
			return nil
		}
		choice, ok := chosen(line, q.Choices)
		if !ok {
			d.view.ask([]recovery.Question{q}, d.hint([]recovery.Question{q}))
			return nil
		}
		return d.apply(ctx, recovery.Decision{Choice: choice, Wave: q.Wave})
	case <-time.After(cmp.Or(d.every, lookStep)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func read(from io.Reader, lines chan<- string) {
	defer close(lines)
	scanner := bufio.NewScanner(from)
	for scanner.Scan() {
		lines <- scanner.Text()
	}
}

// chosen understands a choice by its word or first letter.
func chosen(line string, choices []recovery.Choice) (recovery.Choice, bool) {
	word := strings.ToLower(strings.TrimSpace(line))
	i := slices.IndexFunc(choices, func(c recovery.Choice) bool { return word == string(c) || word == string(c[:1]) })
	if i < 0 {
		return "", false
	}
	return choices[i], true
}

// apply records a decision. One that came too late changes nothing.
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

var reasons = []recovery.QuestionReason{recovery.PauseBeforeWave, recovery.PauseRequested, recovery.WaveFailed, recovery.WaveRefused, recovery.Interrupted}

func parseAnswers(texts []string) (answers, error) {
	a := answers{map[recovery.QuestionReason][]recovery.Choice{}, map[string]int{}}
	for _, text := range texts {
		reason, choice, ok := strings.Cut(text, "=")
		if !ok || !slices.Contains(reasons, recovery.QuestionReason(reason)) {
			return a, usage("", "--answer: %s is not REASON=CHOICE, with a REASON of %s", recovery.Quote(text), joined(reasons))
		}
		if err := recovery.Choice(choice).Check(); err != nil {
			return a, usage("", "--answer: %s: the choice %w", recovery.Quote(text), err)
		}
		a.choices[recovery.QuestionReason(reason)] = append(a.choices[recovery.QuestionReason(reason)], recovery.Choice(choice))
	}
	return a, nil
}

// next gives the next answer that was made ahead: the first for the first
// time that a wave asks, the second for the second.
func (a answers) next(questions []recovery.Question) (recovery.Decision, bool) {
	for _, q := range questions {
		key := q.Subject()
		if n := a.used[key]; n < len(a.choices[q.Reason]) {
			a.used[key]++
			return recovery.Decision{Choice: a.choices[q.Reason][n], Wave: q.Wave, Request: recovery.Request{Reason: "answered ahead"}}, true
		}
	}
	return recovery.Decision{}, false
}

func joined[S ~string](words []S) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return strings.Join(texts, ", ")
}
