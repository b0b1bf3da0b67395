package main

import (
	"fmt"
	"strings"
	"time"

	"muster/awssns"
	"muster/recovery"
)

// place is where the function stands, for the commands that people are told.
type place struct{ function, region string }

// command is what to type, whatever region one's own settings name.
func (p place) command(words string, id recovery.ExecutionID, more ...string) string {
	return fmt.Sprintf("    AWS_REGION=%s muster %s %s%s --function %s", p.region, words, id, strings.Join(append([]string{""}, more...), " "), p.function)
}

// toldOf are the kinds of events that people are told of; deploy/hub.yaml
// lets the function hear of these alone.
var toldOf = []recovery.EventKind{
	recovery.EventOpened, recovery.EventAwaiting, recovery.EventFailed, recovery.EventTimedOut, recovery.EventRefused,
	recovery.EventInterrupted, recovery.EventFinished,
}

// notice says what people are told of an event, and whether they are at all.
// It says what has to be done as of now: an answer that is not awaited any
// more is not asked for.
func notice(e *recovery.Execution, ev recovery.Event, at place, now time.Time) (m awssns.Message, worth bool) {
	what := fmt.Sprintf("%s %s", e.Type, e.ID)
	wave, ofWave := ev.About()
	look := "Look at it:\n" + at.command("show", e.ID)
	var subject, next string
	switch ev.Kind {
	case recovery.EventOpened:
		subject, next = what+" has started", fmt.Sprintf("It has %s, %s.\n\nFollow it:\n%s", recovery.Count(len(e.Waves), "wave"), recovery.Count(servers(e), "server"), at.command("watch", e.ID))
	case recovery.EventAwaiting:
		step := recovery.Next(e, now)
		if step.Action != recovery.DoAwaitDecision {
			return m, false
		}
		subject, next = what+" waits for a decision", questions(e, step.Decisions, at)+"\n"+look
	case recovery.EventFailed:
		subject, next = fmt.Sprintf("%s: wave %d failed", what, wave), look
	case recovery.EventTimedOut:
		subject, next = fmt.Sprintf("%s: wave %d took too long", what, wave), look
	case recovery.EventRefused:
		if a := e.Attempt(wave); a != nil && a.Attempt == ev.Attempt && (a.Refusal == nil || a.Refusal.Retryable) {
			return m, false // it is tried again, or was already
		}
		subject, next = fmt.Sprintf("%s: wave %d could not be started", what, wave), look
	case recovery.EventInterrupted:
		subject, next = what+" was interrupted", "Jobs may be running, and nobody looks at them until it goes on.\n\nGo on:\n"+at.command("resume", e.ID)+"\n\n"+look
	case recovery.EventFinished:
		subject, next = what+" is over", look
		if e.Ended != nil {
			subject = fmt.Sprintf("%s: %s", what, e.Ended.Outcome)
		}
		if e.Type == recovery.Drill {
			next += "\n\nTerminate its recovery instances:\n" + at.command("cleanup", e.ID)
		}
	default:
		return m, false
	}
	about := fmt.Sprintf("%s of plan %s", what, e.Plan)
	if ofWave {
		about += fmt.Sprintf(", wave %d", wave)
		if w := e.Wave(wave); w != nil && w.Name != "" {
			about += fmt.Sprintf(" (%s)", recovery.Quote(w.Name))
		}
	}
	return awssns.Message{
		Subject:    "Muster: " + subject,
		Text:       fmt.Sprintf("%s, %s\n\n%s\n\n%s\n", about, ev.At.UTC().Format("2006-01-02 15:04:05 UTC"), ev.Message, next),
		Attributes: map[string]string{"kind": string(ev.Kind), "executionId": string(e.ID), "planId": string(e.Plan), "executionType": string(e.Type)},
	}, true
}

// damagedNotice is what people are told of an event whose execution cannot be
// read any more.
func damagedNotice(ev recovery.Event, damage error, at place) awssns.Message {
	return awssns.Message{
		Subject: fmt.Sprintf("Muster: %s: its record is damaged", ev.Execution),
		Text: fmt.Sprintf("Execution %s, %s\n\n%s\n\nSomebody cut or edited its record, and nothing of it goes on: %v\n\nLook at it:\n%s\n",
			ev.Execution, ev.At.UTC().Format("2006-01-02 15:04:05 UTC"), ev.Message, damage, at.command("show", ev.Execution)),
		Attributes: map[string]string{"kind": string(ev.Kind), "executionId": string(ev.Execution)},
	}
}

func servers(e *recovery.Execution) (n int) {
	for i := range e.Waves {
		n += e.Waves[i].Servers
	}
	return n
}

// questions tells what is asked, and the command of every answer.
func questions(e *recovery.Execution, asked []recovery.Question, at place) string {
	var b strings.Builder
	for _, q := range asked {
		fmt.Fprintf(&b, "%s: %s (%s)\n\n", q.Reason, q.Text, q.ID)
		for _, choice := range q.Choices {
			b.WriteString(at.command("decide", e.ID, string(choice), "--question "+string(q.ID)) + "\n")
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}
