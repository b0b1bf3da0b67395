package cloudformation

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Place is where a stack is made, and its name.
type Place struct {
	Stack     string
	Account   string
	Region    string
	Partition string // aws, aws-cn, aws-us-gov, …
	Suffix    string // of its hosts: amazonaws.com, …
}

// Stack is what a template makes: resources and outputs with every function
// filled in, without those whose condition does not hold.
type Stack struct {
	Place
	Resources map[string]Resource
	Outputs   map[string]string

	template   *Template
	parameters map[string]string
	problems   problems
}

// Make makes a stack. One error names every parameter that is missing, not
// known or not allowed.
func (t *Template) Make(at Place, parameters map[string]string) (*Stack, error) {
	s := &Stack{Place: at, Resources: map[string]Resource{}, Outputs: map[string]string{}, template: t, parameters: map[string]string{}}
	for name, p := range t.Parameters {
		v, given := parameters[name]
		switch {
		case given:
		case p.Default != nil:
			v = fmt.Sprint(p.Default)
		default:
			s.problems.say("the parameter %s is missing", name)
			continue
		}
		if err := p.check(v); err != nil {
			s.problems.say("the parameter %s %v", name, err)
		}
		s.parameters[name] = v
	}
	for name := range parameters {
		if _, known := t.Parameters[name]; !known {
			s.problems.say("there is no parameter %s", name)
		}
	}
	if err := s.problems.err(); err != nil {
		return nil, err
	}
	for name, r := range t.Resources {
		if s.holds(r.Condition) {
			r.Properties, _ = s.fill(r.Properties).(map[string]any)
			s.Resources[name] = r
		}
	}
	for name, o := range t.Outputs {
		if s.holds(o.Condition) {
			s.Outputs[name] = fmt.Sprint(s.fill(o.Value))
		}
	}
	return s, s.problems.err()
}

// check says what a parameter does not allow about a value, as CloudFormation
// would.
func (p Parameter) check(v string) error {
	say := func(what string) error {
		if p.ConstraintSay != "" {
			what = p.ConstraintSay
		}
		return errors.New("is not allowed: it " + what)
	}
	size, least, most := len(v), p.MinLength, p.MaxLength
	if p.Type == "Number" {
		n, err := strconv.Atoi(v)
		if err != nil {
			return say("must be a number")
		}
		size, least, most = n, p.MinValue, p.MaxValue
	}
	switch {
	case least != nil && size < *least, most != nil && size > *most:
		return say("is too small or too large")
	case p.Pattern != "" && !regexp.MustCompile(`^(?:`+p.Pattern+`)$`).MatchString(v):
		return say("must match " + p.Pattern)
	case p.Values != nil && !slices.ContainsFunc(p.Values, func(allowed any) bool { return fmt.Sprint(allowed) == v }):
		return say(fmt.Sprintf("must be one of %v", p.Values))
	}
	return nil
}

// Of gives the resources of a type, by name.
func (s *Stack) Of(kind string) map[string]Resource {
	all := map[string]Resource{}
	for name, r := range s.Resources {
		if r.Type == kind {
			all[name] = r
		}
	}
	return all
}

// name gives a physical name that CloudFormation would make up.
func (s *Stack) name(logical string) string {
	return s.Stack + "-" + logical + "-" + strings.ToUpper(strconv.FormatInt(int64(len(s.Region+s.Account+logical)), 36)) + "EXAMPLE"
}
