package cloudformation

import (
	"regexp"
	"slices"
)

// ref is a reference to a parameter, a resource, its attribute or a condition.
type ref struct {
	name, attribute string
	condition       bool
}

func (r ref) String() string {
	if r.attribute != "" {
		return r.name + "." + r.attribute
	}
	return r.name
}

// variable is ${Name} or ${Name.Attribute} in a text of Fn::Sub, or ${!Text},
// which stands for ${Text}.
var variable = regexp.MustCompile(`\$\{(!?)([^}]*)\}`)

// refs gives every reference within a value.
func refs(v any, p *problems, at string) (all []ref) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			all = append(all, refs(item, p, at)...)
		}
	case map[string]any:
		name, arg, isFunction := function(v)
		if !isFunction {
			for _, item := range v {
				all = append(all, refs(item, p, at)...)
			}
			return all
		}
		if !slices.Contains(functions, name) {
			p.say("%s: the function %s is not known here", at, name)
			return nil
		}
		list, _ := arg.([]any)
		text, _ := arg.(string)
		switch name {
		case "Ref":
			return []ref{{name: text}}
		case "Condition":
			return []ref{{name: text, condition: true}}
		case "Fn::GetAtt":
			if len(list) != 2 {
				p.say("%s: Fn::GetAtt needs a resource and an attribute", at)
				return nil
			}
			resource, _ := list[0].(string)
			attribute, _ := list[1].(string)
			return []ref{{name: resource, attribute: attribute}}
		case "Fn::If":
			if len(list) == 3 {
				condition, _ := list[0].(string)
				return append(refs(list[1:], p, at), ref{name: condition, condition: true})
			}
			p.say("%s: Fn::If needs three values", at)
		case "Fn::Sub":
			return subRefs(arg, p, at)
		default:
			return refs(arg, p, at)
		}
	}
	return all
}

func subRefs(arg any, p *problems, at string) (all []ref) {
	text, own := subParts(arg)
	used := map[string]bool{}
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		if m[1] == "!" {
			continue
		}
		if _, isOwn := own[m[2]]; isOwn {
			used[m[2]] = true
			continue
		}
		all = append(all, reference(m[2]))
	}
	if len(all)+len(used) == 0 {
		p.say("%s: Fn::Sub has nothing to fill in in %q", at, text)
	}
	for name, v := range own {
		if !used[name] {
			p.say("%s: the text of Fn::Sub has no ${%s}", at, name)
		}
		all = append(all, refs(v, p, at)...)
	}
	return all
}

// subParts gives the text of an Fn::Sub, and the values that it brings.
func subParts(arg any) (string, map[string]any) {
	if list, ok := arg.([]any); ok && len(list) == 2 {
		text, _ := list[0].(string)
		own, _ := list[1].(map[string]any)
		return text, own
	}
	text, _ := arg.(string)
	return text, nil
}
