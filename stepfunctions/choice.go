package stepfunctions

import (
	"fmt"
	"strings"
)

// A choice leads on where its test is true of the state's input.
type choice struct {
	test test
	next string
}

// A test is what a rule says about an input. A path that leads nowhere fails
// the execution, as it does in AWS; only IsPresent takes it for an answer.
type test func(*scope) (bool, error)

func (l *loader) choice(f *fields, s *state) {
	if f.has("Default") {
		s.orElse = f.must("Default")
		f.leads(s, f.at("Default"), s.orElse)
	}
	f.asked["Default"] = true
	rules := f.list("Choices")
	for i, r := range rules {
		place := fmt.Sprintf("%s[%d]", f.at("Choices"), i)
		rule := l.fields(place, r.value)
		if rule == nil {
			continue
		}
		c := choice{next: rule.must("Next")}
		rule.leads(s, rule.at("Next"), c.next)
		c.test = rule.rule()
		s.choices = append(s.choices, c)
	}
}

// list reads a field that has to be an array with something in it.
func (f *fields) list(name string) []member {
	v, ok := f.take(name)
	if !ok || kind(v) != isArray || len(elements(v)) == 0 {
		f.problem(f.at(name), "has to be an array with at least one element")
		return nil
	}
	return elements(v)
}

// rule reads a rule, which is And, Or, Not or one comparison.
func (f *fields) rule() test {
	f.text("Comment")
	before := len(f.problems)
	var found []test
	for _, m := range f.members {
		if t, ok := f.operator(m); ok {
			found = append(found, t)
		}
	}
	f.end("a rule")
	if len(found) != 1 && len(f.problems) == before {
		f.problem(f.place, "has to have exactly one of And, Or, Not or a comparison")
	}
	if len(found) == 0 {
		return nil
	}
	return found[0]
}

func (f *fields) operator(m member) (test, bool) {
	switch m.key {
	case "And", "Or":
		return f.several(m.key == "Or", f.inner(m.key, f.list(m.key))), true
	case "Not":
		f.asked["Not"] = true
		inner := f.inner("Not", []member{m})
		return func(s *scope) (bool, error) {
			is, err := inner[0](s)
			return !is && err == nil, err
		}, true
	}
	return f.comparison(m)
}

// inner reads the rules within a rule, which may not lead on by themselves.
func (f *fields) inner(name string, rules []member) []test {
	var tests []test
	for i, m := range rules {
		place := f.at(name)
		if name != "Not" {
			place = fmt.Sprintf("%s[%d]", place, i)
		}
		if rule := f.fields(place, m.value); rule != nil {
			tests = append(tests, rule.rule())
		}
	}
	return tests
}

// several is Or, which ends with the first test that is true, or And, which
// ends with the first that is not.
func (f *fields) several(or bool, tests []test) test {
	return func(s *scope) (bool, error) {
		for _, t := range tests {
			if is, err := t(s); err != nil || is == or {
				return is && err == nil, err
			}
		}
		return !or, nil
	}
}

// comparison reads an operator that compares what Variable leads to.
func (f *fields) comparison(m member) (test, bool) {
	if wants, ok := kindTests[m.key]; ok {
		variable := f.variable()
		want := f.flag(m.key)
		return func(s *scope) (bool, error) {
			v, ok := s.find(variable)
			if !ok && m.key != "IsPresent" {
				return false, s.missing(variable)
			}
			return (ok && wants(v)) == want, nil
		}, true
	}
	name, dynamic := strings.CutSuffix(m.key, "Path")
	op, ok := operators[name]
	if !ok || dynamic && name == "StringMatches" {
		return nil, false
	}
	variable := f.variable()
	literal := func(*scope) (value, error) { return m.value, nil }
	if dynamic {
		if p := f.path(m.key); p != nil {
			literal = func(s *scope) (value, error) {
				v, ok := s.find(p)
				if !ok {
					return nil, s.missing(p)
				}
				return v, nil
			}
		}
	} else if f.asked[m.key] = true; !op.wellWritten(m.value) {
		f.problem(f.at(m.key), "has to be %s", op.wants)
	}
	return func(s *scope) (bool, error) {
		v, ok := s.find(variable)
		if !ok {
			return false, s.missing(variable)
		}
		other, err := literal(s)
		if err != nil {
			return false, err
		}
		return op.takes(v) && op.takes(other) && op.holds(v, other), nil
	}, true
}

func (f *fields) variable() *path {
	if p := f.path("Variable"); p != nil {
		return p
	} else if !f.has("Variable") {
		f.problem(f.place, "has to have a Variable")
	}
	return &path{}
}

func (s *scope) missing(p *path) error {
	return &TaskError{Runtime, fmt.Sprintf("the choice's path %q leads nowhere in the input", p.text)}
}
