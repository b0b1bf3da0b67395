package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"muster/recovery"
)

// view shows an execution while it runs.
type view interface {
	observe(recovery.ExecutionID, recovery.Event)
	ask(questions []recovery.Question, hint string)
	answered() // no question is open any more
	say(string)
	close()
}

// lines is the view of a log: a line for everything that happens.
type lines struct {
	mu       sync.Mutex
	w        io.Writer
	style    style
	speed    float64
	begun    time.Time
	detailed bool                 // with settings that change; of several executions, by their ids
	about    recovery.ExecutionID // that was told of last
}

func (l *lines) write(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = io.WriteString(l.w, text) // who closed our standard error does not want to know
}

func (l *lines) observe(id recovery.ExecutionID, ev recovery.Event) {
	if !l.detailed && (ev.Kind == recovery.EventClaimed || ev.Kind == recovery.EventAwaiting) {
		return // the next line says it
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	if l.detailed && id != l.about {
		fmt.Fprintf(&b, "%s\n", l.style.strong("Execution "+harmless(string(id))))
	}
	l.about = id
	fmt.Fprintln(&b, eventLine(l.style, ev, since(l.begun, ev, l.speed)))
	if l.detailed {
		changes(&b, l.style, ev.Changes)
	}
	_, _ = io.WriteString(l.w, b.String()) // who closed our standard error does not want to know
}

// eventLine is an event as one line of text.
func eventLine(s style, ev recovery.Event, at time.Duration) string {
	m, known := marks[ev.Kind]
	if !known {
		m.mark, m.word, m.look = "·", harmless(strings.ToLower(string(ev.Kind))), style.faint
	}
	wave := ""
	if n, is := ev.About(); is {
		wave = fmt.Sprintf("wave %d", n)
	}
	message := harmless(ev.Message)
	if ev.Kind == recovery.EventRefused {
		message = byServer(message)
	}
	return fmt.Sprintf("%s  %-8s %s %-12s %s", s.faint(clock(at)), wave, m.look(s, m.mark), m.word, message)
}

func (l *lines) ask(questions []recovery.Question, hint string) {
	var b strings.Builder
	for _, q := range questions {
		fmt.Fprintf(&b, "%s %s\n", l.style.busy("?"), asksFor(q))
	}
	b.WriteString("  " + harmless(hint))
	if !strings.HasSuffix(hint, "> ") {
		b.WriteString("\n")
	}
	l.write(b.String())
}

// asksFor is a question in words, with its id.
func asksFor(q recovery.Question) string {
	text := harmless(q.Text)
	if q.ID != "" {
		text += fmt.Sprintf(" (%s)", harmless(string(q.ID)))
	}
	return text
}

func (l *lines) answered()       {}
func (l *lines) say(text string) { l.write("  " + harmless(text) + "\n") }
func (l *lines) close()          {}

// silent is the view of nobody.
type silent struct{}

func (silent) observe(recovery.ExecutionID, recovery.Event) {}
func (silent) ask([]recovery.Question, string)              {}
func (silent) answered()                                    {}
func (silent) say(string)                                   {}
func (silent) close()                                       {}

// quiet tells nothing but what it waits for: else it would seem to hang.
type quiet struct {
	silent
	lines *lines
}

func (q quiet) ask(questions []recovery.Question, hint string) { q.lines.ask(questions, hint) }

// documents is the view of a program: everything that happens as a line of
// JSON.
type documents struct {
	silent
	tell func(recovery.ExecutionID, recovery.Event)
}

func (d documents) observe(id recovery.ExecutionID, ev recovery.Event) { d.tell(id, ev) }

// writeDocument writes something of ours as one line of JSON.
func writeDocument(w io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, harmless(string(line))+"\n")
	return err
}

// clock writes a duration as a clock shows it.
func clock(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}
