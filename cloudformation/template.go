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
	Parameters map[string]Parameter
	Conditions map[string]any
	Resources  map[string]Resource
	Outputs    map[string]Output
	Metadata   map[string]any
}

// Parameter is what a stack is given. Its rules hold for every value, the
// default included.
type Parameter struct {
	Type          string
	Default       any
	HasDefault    bool
	Description   string
	Pattern       string // AllowedPattern
	Values        []any  // AllowedValues
	Min, Max      *int   // MinValue and MaxValue of a number, else MinLength and MaxLength
	ConstraintSay string // ConstraintDescription
	NoEcho        bool
}

// Resource is one resource, or what became of it in a stack.
type Resource struct {
	Type       string
	Condition  string
	DependsOn  []string
	Policy     string // DeletionPolicy
	Replace    string // UpdateReplacePolicy
	Properties map[string]any
}

// Output is one output.
type Output struct {
	Condition, Description string
	Value                  any
}

// Parse reads a template in YAML. One error names all that is wrong: sections
// and functions that are not known here, references that lead nowhere,
// parameters and conditions that nothing uses, defaults that are not allowed.
func Parse(data []byte) (*Template, error) {
	doc, err := readYAML(data)
	if err != nil {
		return nil, err
	}
	top, ok := doc.(map[string]any)
	if !ok {
		return nil, errors.New("the template is no map")
	}
	t := &Template{Parameters: map[string]Parameter{}, Conditions: map[string]any{}, Resources: map[string]Resource{}, Outputs: map[string]Output{}}
	p := &problems{}
	for section, v := range top {
		switch section {
		case "AWSTemplateFormatVersion", "Description":
		case "Metadata":
			t.Metadata, _ = v.(map[string]any)
		case "Parameters":
			for name, fields := range p.each(section, v) {
				t.Parameters[name] = p.parameter(section+"."+name, fields)
			}
		case "Conditions":
			t.Conditions, _ = v.(map[string]any)
		case "Resources":
			for name, fields := range p.each(section, v) {
				t.Resources[name] = p.resource(section+"."+name, fields)
			}
		case "Outputs":
			for name, fields := range p.each(section, v) {
				t.Outputs[name] = p.output(section+"."+name, fields)
			}
		default:
			p.say("%s is no section that is known here", section)
		}
	}
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

func (p *problems) each(section string, v any) map[string]map[string]any {
	out := map[string]map[string]any{}
	all, ok := v.(map[string]any)
	if !ok {
		p.say("%s is no map", section)
	}
	for name, fields := range all {
		if out[name], ok = fields.(map[string]any); !ok {
			p.say("%s.%s is no map", section, name)
		}
	}
	return out
}

func (p *problems) parameter(at string, fields map[string]any) (par Parameter) {
	for key, v := range fields {
		text, _ := v.(string)
		number, isNumber := v.(int)
		switch key {
		case "Type":
			par.Type = text
		case "Default":
			par.Default, par.HasDefault = v, true
		case "Description":
			par.Description = text
		case "AllowedPattern":
			par.Pattern = text
		case "AllowedValues":
			par.Values, _ = v.([]any)
		case "ConstraintDescription":
			par.ConstraintSay = text
		case "NoEcho":
			par.NoEcho = v == true
		case "MinValue", "MinLength":
			par.Min = &number
		case "MaxValue", "MaxLength":
			par.Max = &number
		default:
			p.say("%s.%s is not known here", at, key)
		}
		if strings.HasPrefix(key, "M") && !isNumber {
			p.say("%s.%s is no number", at, key)
		}
	}
	return par
}

func (p *problems) resource(at string, fields map[string]any) (r Resource) {
	for key, v := range fields {
		text, isText := v.(string)
		switch key {
		case "Type":
			r.Type = text
		case "Condition":
			r.Condition = text
		case "DeletionPolicy":
			r.Policy = text
		case "UpdateReplacePolicy":
			r.Replace = text
		case "DependsOn":
			if isText {
				v = []any{text}
			}
			list, _ := v.([]any)
			for _, name := range list {
				r.DependsOn = append(r.DependsOn, fmt.Sprint(name))
			}
		case "Properties":
			r.Properties, _ = v.(map[string]any)
		default:
			p.say("%s.%s is not known here", at, key)
		}
	}
	if _, known := kinds[r.Type]; !known {
		p.say("%s is of the type %q, which is not known here", at, r.Type)
	}
	return r
}

func (p *problems) output(at string, fields map[string]any) (o Output) {
	for key, v := range fields {
		text, _ := v.(string)
		switch key {
		case "Condition":
			o.Condition = text
		case "Description":
			o.Description = text
		case "Value":
			o.Value = v
		default:
			p.say("%s.%s is not known here", at, key)
		}
	}
	return o
}

func (p *problems) defaults(t *Template) {
	for name, par := range t.Parameters {
		if _, err := regexp.Compile(par.Pattern); err != nil {
			p.say("Parameters.%s.AllowedPattern: %v", name, err)
		} else if par.HasDefault {
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
		follow("Resources."+name, r.Properties)
		for _, other := range r.DependsOn {
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
