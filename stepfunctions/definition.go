package stepfunctions

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A Machine is a state machine that was read and found to hold nothing that
// this package does not know. It may run many executions at once.
type Machine struct {
	startAt  string
	timeout  time.Duration // of a whole execution; 0: none
	states   map[string]*state
	hasTasks bool
	hasToken bool // a task waits for its token
}

// A Problem is one thing in a definition that this package refuses.
type Problem struct {
	Place   string // a path into the definition, such as States.Wait.SecondsPath; "" is the whole
	Message string
}

func (p Problem) String() string {
	if p.Place == "" {
		return p.Message
	}
	return p.Place + ": " + p.Message
}

// A DefinitionError names all that is wrong with a definition.
type DefinitionError struct{ Problems []Problem }

func (e *DefinitionError) Error() string {
	var lines []string
	for _, p := range e.Problems {
		lines = append(lines, p.String())
	}
	return "the definition of the state machine cannot be run here:\n  " + strings.Join(lines, "\n  ")
}

// Load reads a definition in the Amazon States Language. It refuses, with a
// *DefinitionError that names every place, what is not a definition and what
// this package does not know.
func Load(definition []byte) (*Machine, error) {
	l := &loader{}
	m := l.machine(definition)
	if len(l.problems) > 0 {
		return nil, &DefinitionError{l.problems}
	}
	return m, nil
}

type loader struct{ problems []Problem }

func (l *loader) problem(place, format string, args ...any) {
	l.problems = append(l.problems, Problem{place, fmt.Sprintf(format, args...)})
}

func (l *loader) machine(definition []byte) *Machine {
	text, ok := parse(definition)
	if !ok {
		l.problem("", "the definition is not JSON: %s", whereInvalid(definition))
		return nil
	}
	f := l.fields("", text)
	if f == nil {
		return nil
	}
	m := &Machine{states: map[string]*state{}}
	f.text("Comment")
	f.constant("Version", "1.0")
	f.constant("QueryLanguage", "JSONPath")
	m.startAt = f.must("StartAt")
	m.timeout = f.seconds("TimeoutSeconds", 1)
	states, ok := f.take("States")
	if !ok {
		l.problem("States", "is missing")
	} else if s := l.fields("States", states); s != nil {
		for _, member := range s.members {
			m.states[member.key] = l.state(member.key, member.value)
			m.hasTasks = m.hasTasks || m.states[member.key].task != nil
			m.hasToken = m.hasToken || m.states[member.key].task != nil && m.states[member.key].task.waits
		}
	}
	f.end("a state machine")
	l.transitions(m)
	return m
}

// transitions checks that every state that is named is there, that every
// state that is there can be reached, and that an end can.
func (l *loader) transitions(m *Machine) {
	if m.startAt == "" {
		return
	}
	ends := false
	reached := map[string]bool{}
	var visit func(place, name string)
	visit = func(place, name string) {
		s := m.states[name]
		if s == nil {
			l.problem(place, "there is no state %q", name)
			return
		}
		if reached[name] {
			return
		}
		reached[name] = true
		ends = ends || s.ends()
		for _, t := range s.transitions {
			visit(t.place, t.to)
		}
	}
	visit("StartAt", m.startAt)
	var names []string
	for name := range m.states {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if s := m.states[name]; !reached[name] {
			l.problem(s.place, "no transition leads here")
			for _, t := range s.transitions {
				if m.states[t.to] == nil {
					l.problem(t.place, "there is no state %q", t.to)
				}
			}
		}
	}
	if !ends && len(l.problems) == 0 {
		l.problem("States", "no state that can be reached ends the execution")
	}
}

func (l *loader) stateName(place, name string) {
	if n := utf8.RuneCountInString(name); n == 0 || n > 80 {
		l.problem(place, "a state's name has 1 to 80 characters")
	}
}
