package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"muster/recovery"
)

// prompt is what somebody who sits at a terminal is asked. A line that he types
// belongs to the question that stood before him when he typed it, whatever was
// answered elsewhere meanwhile: it never means what is asked instead.
type prompt struct {
	stdin   io.Reader
	lines   chan string
	shown   *recovery.Question // nil: none that he did not answer yet
	confirm recovery.Choice    // that he is asked to type once more; "": none
}

// show puts a question before him, and gives the hint that goes with it. One
// that is asked in place of another he did not answer waits until he says that
// he has seen it.
func (p *prompt) show(q recovery.Question) (hint string) {
	if p.lines == nil {
		p.lines = make(chan string, 64)
		go read(p.stdin, p.lines)
	}
	if p.shown == nil {
		p.drop()
		p.shown = &q
	}
	switch {
	case p.shown.ID != q.ID:
		p.confirm = ""
		return fmt.Sprintf("%s is not asked any more. To answer this one, press Enter first  > ", p.shown.ID)
	case p.confirm != "":
		return fmt.Sprintf("%s: to %s, which loses something, type the word %[2]s  > ", about(q), p.confirm)
	}
	words := make([]string, len(q.Choices))
	for i, c := range q.Choices {
		words[i] = fmt.Sprintf("[%c]%s", c[0], c[1:])
	}
	return about(q) + ": " + strings.Join(words, "  ") + "  > "
}

// drop forgets what was typed before anything was asked.
func (p *prompt) drop() {
	for {
		select {
		case _, open := <-p.lines:
			if open {
				continue
			}
		default:
		}
		return
	}
}

// typed understands a line: the choice that it makes about the question that
// stands before him, if it makes one.
func (p *prompt) typed(line string, now recovery.Question) (d recovery.Decision, made bool) {
	shown, confirm := p.shown, p.confirm
	p.shown, p.confirm = nil, ""
	if shown == nil || shown.ID != now.ID {
		return d, false
	}
	choice, ok := chosen(line, shown.Choices)
	switch {
	case !ok:
		return d, false
	case confirm != "" && (choice != confirm || !strings.EqualFold(strings.TrimSpace(line), string(confirm))):
		return d, false
	case confirm == "" && loses(choice):
		p.shown, p.confirm = shown, choice
		return d, false
	}
	return recovery.Decision{Question: shown.ID, Choice: choice}, true
}

// loses says whether a choice gives something up.
func loses(c recovery.Choice) bool { return c == recovery.CancelAll || c == recovery.Skip }

// chosen understands a choice by its word or first letter, and resume as the
// old word at a gate.
func chosen(line string, choices []recovery.Choice) (recovery.Choice, bool) {
	word := strings.ToLower(strings.TrimSpace(line))
	i := slices.IndexFunc(choices, func(c recovery.Choice) bool {
		return word == string(c) || word == string(c[:1]) || c == recovery.Approve && word == string(recovery.Resume)
	})
	if i < 0 {
		return "", false
	}
	return choices[i], true
}

// about says what a question is about.
func about(q recovery.Question) string {
	if q.Wave == nil {
		return "the execution"
	}
	return fmt.Sprintf("wave %d", *q.Wave)
}
