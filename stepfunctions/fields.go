package stepfunctions

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// fields reads an object of a definition field by field, and then says what
// nobody asked for.
type fields struct {
	*loader
	place   string
	members []member
	asked   map[string]bool
}

func (l *loader) fields(place string, v value) *fields {
	if kind(v) != isObject {
		l.problem(place, "has to be an object")
		return nil
	}
	f := &fields{l, place, members(v), map[string]bool{}}
	seen := map[string]bool{}
	for _, m := range f.members {
		if seen[m.key] {
			l.problem(f.at(m.key), "is there twice")
		}
		seen[m.key] = true
	}
	return f
}

// at gives the place of a field.
func (f *fields) at(name string) string {
	if f.place == "" {
		return name
	}
	return f.place + "." + name
}

func (f *fields) take(name string) (value, bool) {
	f.asked[name] = true
	for _, m := range f.members {
		if m.key == name {
			return m.value, true
		}
	}
	return nil, false
}

func (f *fields) has(name string) bool {
	return slices.ContainsFunc(f.members, func(m member) bool { return m.key == name })
}

// end names the fields that were not asked for.
func (f *fields) end(of string) {
	for _, m := range f.members {
		if !f.asked[m.key] {
			f.problem(f.at(m.key), "is not a field of %s that is known here", of)
		}
	}
}

func (f *fields) text(name string) string {
	v, ok := f.take(name)
	if !ok {
		return ""
	}
	if kind(v) != isString {
		f.problem(f.at(name), "has to be a string")
		return ""
	}
	return unquote(v)
}

// must is text that may not be missing or empty.
func (f *fields) must(name string) string {
	before := len(f.problems)
	s := f.text(name)
	if s == "" && len(f.problems) == before {
		f.problem(f.at(name), "is missing")
	}
	return s
}

func (f *fields) constant(name, want string) {
	if v, ok := f.take(name); ok && (kind(v) != isString || unquote(v) != want) {
		f.problem(f.at(name), "only %q is known here", want)
	}
}

func (f *fields) flag(name string) bool {
	v, ok := f.take(name)
	if ok && kind(v) != isBoolean {
		f.problem(f.at(name), "has to be true or false")
	}
	return ok && string(v) == "true"
}

// maxSeconds is the longest time that the language's implementation in AWS
// takes.
const maxSeconds = 99_999_999

func (f *fields) seconds(name string, least int) time.Duration {
	n, ok := f.integer(name, least, maxSeconds)
	if !ok {
		return 0
	}
	return time.Duration(n) * time.Second
}

func (f *fields) integer(name string, least, most int) (int, bool) {
	v, ok := f.take(name)
	if !ok {
		return 0, false
	}
	n, ok := whole(v, least, most)
	if !ok {
		f.problem(f.at(name), "has to be a whole number from %d to %d", least, most)
	}
	return n, ok
}

func whole(v value, least, most int) (int, bool) {
	if kind(v) != isNumber {
		return 0, false
	}
	n := number(v)
	return int(n), n == math.Trunc(n) && n >= float64(least) && n <= float64(most)
}

// path reads a field that is a path, nil where there is none.
func (f *fields) path(name string) *path {
	v, ok := f.take(name)
	if !ok {
		return nil
	}
	return f.loader.path(f.at(name), v, false)
}

// path reads a path; token says whether the task's token may be asked for.
func (l *loader) path(place string, v value, token bool) *path {
	if kind(v) != isString {
		l.problem(place, "has to be a path")
		return nil
	}
	text := unquote(v)
	if name, _, ok := strings.Cut(text, "("); ok && !strings.HasPrefix(text, "$") {
		l.problem(place, "the intrinsic function %s is not supported", name)
		return nil
	}
	p, err := parsePath(text)
	if err == nil && p.isToken() && !token {
		err = errors.New("only the Parameters of a task that waits for its token (.waitForTaskToken) may ask for it")
	}
	if err != nil {
		l.problem(place, "%v", err)
		return nil
	}
	return p
}

func whereInvalid(text []byte) string {
	var any json.RawMessage
	err := json.Unmarshal(text, &any)
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return fmt.Sprint(err)
	}
	before := text[:min(int(syntax.Offset), len(text))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - (bytes.LastIndexByte(before, '\n') + 1)
	return fmt.Sprintf("line %d, column %d: %v", line, max(column, 1), err)
}
