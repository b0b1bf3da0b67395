package stepfunctions

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A path leads to one place in a value, by names and indices: $ is the value
// itself, and a path of the context object begins with $$. A field that is not
// in the definition is a path that is not given, which is the same as $; a null
// gives nothing.
type path struct {
	text  string
	steps []string // an index with its brackets
	null  bool
}

var (
	pathForm = regexp.MustCompile(`^\$\$?(\.[\pL\pN_-]+|\[[0-9]+\])*$`)
	pathStep = regexp.MustCompile(`[\pL\pN_-]+|\[[0-9]+\]`)
)

// UnmarshalJSON reads a path.
func (p *path) UnmarshalJSON(text []byte) error {
	if p.null = string(text) == "null"; p.null {
		return nil
	}
	if err := json.Unmarshal(text, &p.text); err != nil {
		return err
	}
	if !pathForm.MatchString(p.text) {
		return fmt.Errorf("path %q is not known here: a path leads to one place, by names and indices", p.text)
	}
	p.steps = pathStep.FindAllString(p.text, -1)
	return nil
}

func (p path) given() bool { return p.text != "" }

// find follows a path from a value or, where it begins with $$, from the
// context object.
func (v *visit) find(p path, in value) (value, bool) {
	if strings.HasPrefix(p.text, "$$") {
		in = v.contextObject()
	}
	for _, key := range p.steps {
		m, ok := find(in, key)
		if !ok {
			return nil, false
		}
		in = m.value
	}
	return in, true
}

// need is find where a path that leads nowhere is an error.
func (v *visit) need(p path, in value) (value, error) {
	found, ok := v.find(p, in)
	if !ok {
		return nil, &TaskError{Runtime, fmt.Sprintf("the path %q leads nowhere in the input", p.text)}
	}
	return found, nil
}

// into puts a result into what came in. A null keeps what came in.
func (p path) into(in, result value) (value, error) {
	if p.null {
		return in, nil
	}
	out, ok := put(in, p.steps, result)
	if !ok {
		return nil, &TaskError{ResultPathMatchFailure, fmt.Sprintf("the ResultPath %q cannot be applied to the input", p.text)}
	}
	return out, nil
}

// put gives the value with another in a place; objects on the way are made
// where there are none. It says no where the way leads through something that
// is no object, or to an element that is not there.
func put(in value, steps []string, v value) (value, bool) {
	if len(steps) == 0 {
		return v, true
	}
	m, there := find(in, steps[0])
	if !there {
		if steps[0][0] == '[' || in[0] != '{' {
			return nil, false
		}
		m.value = emptyObject
	}
	inner, ok := put(m.value, steps[1:], v)
	switch {
	case !ok:
		return nil, false
	case !there:
		return withMember(in, steps[0], inner), true
	}
	return slices.Concat(in[:m.at], inner, in[m.at+len(m.value):]), true
}
