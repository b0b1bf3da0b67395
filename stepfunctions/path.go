package stepfunctions

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A path leads to one place in a value: what the language calls a reference
// path. $ is the value itself; a path of the context object begins with $$.
type path struct {
	text    string
	context bool
	steps   []step
}

type step struct {
	key     string
	index   int
	indexed bool
}

// parsePath reads $, $.a.b, $.a[0], $['a b'] and the same with $$.
func parsePath(text string) (*path, error) {
	p := &path{text: text}
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return nil, fmt.Errorf("%q is not a path: a path begins with $", text)
	}
	if inner, ok := strings.CutPrefix(rest, "$"); ok {
		p.context, rest = true, inner
	}
	for rest != "" {
		s, after, err := parseStep(rest)
		if err != nil {
			return nil, fmt.Errorf("path %q: %w", text, err)
		}
		p.steps, rest = append(p.steps, s), after
	}
	return p, p.checkContext()
}

func parseStep(rest string) (step, string, error) {
	several := fmt.Errorf("%q is not supported: a path leads to one place, by names and indices", rest)
	switch {
	case strings.HasPrefix(rest, "['"):
		key, after, ok := strings.Cut(rest[2:], "']")
		if !ok || key == "" || strings.ContainsAny(key, `'\`) {
			return step{}, "", several
		}
		return step{key: key}, after, nil
	case rest[0] == '[':
		inner, after, ok := strings.Cut(rest[1:], "]")
		index, err := strconv.ParseUint(inner, 10, 31)
		if !ok || err != nil {
			return step{}, "", several
		}
		return step{index: int(index), indexed: true}, after, nil
	case rest[0] == '.':
		key := rest[1:]
		if end := strings.IndexFunc(key, func(r rune) bool { return !inName(r) }); end >= 0 {
			key = key[:end]
		}
		after := rest[1+len(key):]
		if key == "" || after != "" && after[0] != '.' && after[0] != '[' {
			return step{}, "", several
		}
		return step{key: key}, after, nil
	}
	return step{}, "", several
}

func inName(r rune) bool {
	return r == '_' || r == '-' || unicode.IsLetter(r) || unicode.IsDigit(r) || r > utf8.RuneSelf && unicode.IsMark(r)
}

// contextFields is all that the context object holds.
var contextFields = map[string][]string{
	"Execution":    {"Id", "Input", "Name", "StartTime"},
	"State":        {"EnteredTime", "Name", "RetryCount"},
	"StateMachine": {"Id", "Name"},
	"Task":         {"Token"},
}

func (p *path) checkContext() error {
	if !p.context || len(p.steps) == 0 {
		return nil
	}
	fields, known := contextFields[p.steps[0].key]
	deep := len(p.steps)
	switch {
	case !known, deep > 1 && !slices.Contains(fields, p.steps[1].key), deep > 2 && p.steps[1].key != "Input":
		return fmt.Errorf("path %q: the context object has no such field", p.text)
	}
	return nil
}

// isToken says whether a path leads to what only a task that waits for its
// token has.
func (p *path) isToken() bool { return p.context && len(p.steps) > 0 && p.steps[0].key == "Task" }

// from follows the path from a value.
func (p *path) from(v value) (value, bool) {
	for _, s := range p.steps {
		m, ok := s.in(v)
		if !ok {
			return nil, false
		}
		v = m.value
	}
	return v, true
}

func (s step) in(v value) (member, bool) {
	switch {
	case s.indexed && kind(v) == isArray:
		if list := elements(v); s.index < len(list) {
			return list[s.index], true
		}
	case !s.indexed && kind(v) == isObject:
		return field(v, s.key)
	}
	return member{}, false
}

// put gives the value with another in the path's place; objects on the way
// are made where there are none. It says no where the path leads through
// something that is no object, or to an element that is not there.
func (p *path) put(in, v value) (value, bool) { return put(in, p.steps, v) }

func put(in value, steps []step, v value) (value, bool) {
	if len(steps) == 0 {
		return v, true
	}
	s := steps[0]
	if m, ok := s.in(in); ok {
		inner, ok := put(m.value, steps[1:], v)
		if !ok {
			return nil, false
		}
		return splice(in, m.at, len(m.value), inner), true
	}
	if s.indexed || kind(in) != isObject {
		return nil, false
	}
	inner, ok := put(emptyObject, steps[1:], v)
	if !ok {
		return nil, false
	}
	return withMember(in, s.key, inner), true
}
