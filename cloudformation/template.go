// Package cloudformation is a pretend CloudFormation: it reads a template and
// says what a stack made of it would hold, as values, without an account. It
// knows the functions and the kinds of resources that our own templates use,
// and refuses all others: what it has read, it has understood.
package cloudformation

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Template is a template as it is written. Values are strings, bools, ints,
// floats, []any and map[string]any; functions are maps with one key, as in the
// long form: {"Ref": …}, {"Fn::Sub": …}.
type Template struct {
	Version     string               `yaml:"AWSTemplateFormatVersion"`
	Description string               `yaml:"Description"`
	Metadata    map[string]any       `yaml:"Metadata"`
	Parameters  map[string]Parameter `yaml:"Parameters"`
	Conditions  map[string]any       `yaml:"Conditions"`
	Resources   map[string]Resource  `yaml:"Resources"`
	Outputs     map[string]Output    `yaml:"Outputs"`
}

// Parameter is what a stack is given. Its rules hold for every value, the
// default included.
type Parameter struct {
	Type          string `yaml:"Type"`
	Default       any    `yaml:"Default"` // nil: none
	Description   string `yaml:"Description"`
	Pattern       string `yaml:"AllowedPattern"`
	Values        []any  `yaml:"AllowedValues"`
	MinValue      *int   `yaml:"MinValue"`
	MaxValue      *int   `yaml:"MaxValue"`
	MinLength     *int   `yaml:"MinLength"`
	MaxLength     *int   `yaml:"MaxLength"`
	ConstraintSay string `yaml:"ConstraintDescription"`
	NoEcho        bool   `yaml:"NoEcho"`
}

// Resource is one resource, or what became of it in a stack.
type Resource struct {
	Type       string         `yaml:"Type"`
	Condition  string         `yaml:"Condition"`
	DependsOn  any            `yaml:"DependsOn"` // a name or a list of them
	Policy     string         `yaml:"DeletionPolicy"`
	Replace    string         `yaml:"UpdateReplacePolicy"`
	Properties map[string]any `yaml:"Properties"`
}

// Output is one output.
type Output struct {
	Condition   string `yaml:"Condition"`
	Description string `yaml:"Description"`
	Value       any    `yaml:"Value"`
}

// Parse reads a template in YAML. One error names all that is wrong: sections
// and functions that are not known here, references that lead nowhere,
// parameters and conditions that nothing uses, defaults that are not allowed.
func Parse(data []byte) (*Template, error) {
	t, err := readYAML(data)
	if err != nil {
		return nil, err
	}
	p := &problems{}
	p.defaults(t)
	p.references(t)
	return t, p.err()
}

// problems collects what is wrong with a template.
type problems struct{ all []string }

func (p *problems) say(format string, args ...any) {
	p.all = append(p.all, fmt.Sprintf(format, args...))
}

func (p *problems) err() error {
	if len(p.all) == 0 {
		return nil
	}
	slices.Sort(p.all)
	return errors.New(strings.Join(p.all, "\n"))
}

func (p *problems) defaults(t *Template) {
	for name, par := range t.Parameters {
		if _, err := regexp.Compile(par.Pattern); err != nil {
			p.say("Parameters.%s.AllowedPattern: %v", name, err)
		} else if par.Default != nil {
			if err := par.check(fmt.Sprint(par.Default)); err != nil {
				p.say("Parameters.%s.Default %v", name, err)
			}
		}
	}
}

// references follows every reference of the template.
func (p *problems) references(t *Template) {
	used := map[string]bool{}
	for at, condition := range t.conditionsUsed() {
		used[condition] = true
		if t.Conditions[condition] == nil {
			p.say("%s: there is no condition %s", at, condition)
		}
	}
	follow := func(at string, v any) {
		for _, ref := range refs(v, p, at) {
			used[ref.name] = true
			_, isParameter := t.Parameters[ref.name]
			r, isResource := t.Resources[ref.name]
			switch {
			case strings.HasPrefix(ref.name, "AWS::"):
				if !slices.Contains(pseudo, ref.name) {
					p.say("%s: %s is not known here", at, ref.name)
				}
			case ref.condition:
				if t.Conditions[ref.name] == nil {
					p.say("%s: there is no condition %s", at, ref.name)
				}
			case !isParameter && !isResource, isParameter && ref.attribute != "":
				p.say("%s: there is no %s", at, ref)
			case ref.attribute != "" && kinds[r.Type].attributes[ref.attribute] == "":
				p.say("%s: a %s has no attribute %s that is known here", at, r.Type, ref.attribute)
			}
		}
	}
	for name, v := range t.Conditions {
		follow("Conditions."+name, v)
	}
	for name, r := range t.Resources {
		if _, known := kinds[r.Type]; !known {
			p.say("Resources.%s is of the type %q, which is not known here", name, r.Type)
		}
		follow("Resources."+name, r.Properties)
		for _, other := range oneOrMore(r.DependsOn) {
			if _, known := t.Resources[other]; !known {
				p.say("Resources.%s: there is no %s to depend on", name, other)
			}
		}
	}
	for name, o := range t.Outputs {
		follow("Outputs."+name, o.Value)
	}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(t.Parameters)), slices.Collect(maps.Keys(t.Conditions))) {
		if !used[name] {
			p.say("nothing uses %s", name)
		}
	}
}

func (t *Template) conditionsUsed() map[string]string {
	at := map[string]string{}
	for name, r := range t.Resources {
		if r.Condition != "" {
			at["Resources."+name] = r.Condition
		}
	}
	for name, o := range t.Outputs {
		if o.Condition != "" {
			at["Outputs."+name] = o.Condition
		}
	}
	return at
}
