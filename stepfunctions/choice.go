package stepfunctions

import (
	"context"
	"encoding/json"
	"fmt"
)

type choice struct {
	named
	Choices []struct {
		rule
		Next string
	}
	Default string
}

func (c *choice) leads() ([]string, error) {
	var all []string
	for i, r := range c.Choices {
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("rule %d: %w", i+1, err)
		}
		all = append(all, r.Next)
	}
	if c.Default != "" {
		all = append(all, c.Default)
	}
	return all, nil
}

func (c *choice) walk(_ context.Context, v *visit, in value) (value, string, error) {
	for _, r := range c.Choices {
		if holds, err := r.holds(v, in); err != nil || holds {
			return in, r.Next, err
		}
	}
	if c.Default == "" {
		return nil, "", &TaskError{NoChoiceMatched, "no rule of the choice holds, and it has no Default"}
	}
	return in, c.Default, nil
}

// A rule is And, Or, Not or one comparison.
type rule struct {
	Comment       string
	And, Or       []rule
	Not           *rule
	Variable      path
	IsPresent     *bool
	BooleanEquals *bool
	StringEquals  *string
}

func (r *rule) check() error {
	count := 0
	for _, is := range []bool{r.And != nil, r.Or != nil, r.Not != nil, r.IsPresent != nil, r.BooleanEquals != nil, r.StringEquals != nil} {
		if is {
			count++
		}
	}
	compares := r.And == nil && r.Or == nil && r.Not == nil
	if count != 1 || compares != r.Variable.given() {
		return fmt.Errorf("has to have exactly one of And, Or, Not or a comparison of a Variable")
	}
	inner := append(append([]rule(nil), r.And...), r.Or...)
	if r.Not != nil {
		inner = append(inner, *r.Not)
	}
	for _, r := range inner {
		if err := r.check(); err != nil {
			return err
		}
	}
	return nil
}

// holds says whether a rule is true of an input. A path that leads nowhere
// fails the execution, as it does in AWS; only IsPresent takes it for an answer.
func (r *rule) holds(v *visit, in value) (bool, error) {
	switch {
	case r.Not != nil:
		holds, err := r.Not.holds(v, in)
		return !holds && err == nil, err
	case r.And != nil:
		return several(v, in, r.And, false)
	case r.Or != nil:
		return several(v, in, r.Or, true)
	}
	found, ok := v.find(r.Variable, in)
	if r.IsPresent != nil {
		return ok == *r.IsPresent, nil
	}
	if !ok {
		return false, &TaskError{Runtime, fmt.Sprintf("the choice's path %q leads nowhere in the input", r.Variable.text)}
	}
	var is any
	if err := json.Unmarshal(found, &is); err != nil {
		return false, err
	}
	if r.StringEquals != nil {
		return is == any(*r.StringEquals), nil
	}
	return is == any(*r.BooleanEquals), nil
}

// several is Or, which ends with the first rule that holds, or And, which ends
// with the first that does not.
func several(v *visit, in value, rules []rule, or bool) (bool, error) {
	for _, r := range rules {
		if holds, err := r.holds(v, in); err != nil || holds == or {
			return holds, err
		}
	}
	return !or, nil
}
