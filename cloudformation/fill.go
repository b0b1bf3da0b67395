package cloudformation

import (
	"fmt"
	"strings"
)

var functions = []string{"Ref", "Condition", "Fn::Equals", "Fn::GetAtt", "Fn::If", "Fn::Join", "Fn::Not", "Fn::Select", "Fn::Split", "Fn::Sub"}

var pseudo = []string{"AWS::AccountId", "AWS::NoValue", "AWS::Partition", "AWS::Region", "AWS::StackName", "AWS::URLSuffix"}

// nothing is what AWS::NoValue leaves: neither a key nor an item.
type nothing struct{}

// function says whether a map is a call of a function.
func function(v map[string]any) (name string, arg any, is bool) {
	if len(v) != 1 {
		return "", nil, false
	}
	for name, arg = range v {
		is = name == "Ref" || name == "Condition" && isText(arg) || strings.HasPrefix(name, "Fn::")
	}
	return name, arg, is
}

func isText(v any) bool { _, is := v.(string); return is }

// fill gives a value with every function in it filled in. The template's
// references are known to lead somewhere.
func (s *Stack) fill(v any) any {
	switch v := v.(type) {
	case []any:
		list := []any{}
		for _, item := range v {
			if item = s.fill(item); !isNothing(item) {
				list = append(list, item)
			}
		}
		return list
	case map[string]any:
		if name, arg, is := function(v); is {
			return s.call(name, arg)
		}
		all := map[string]any{}
		for key, item := range v {
			if item = s.fill(item); !isNothing(item) {
				all[key] = item
			}
		}
		return all
	}
	return v
}

func isNothing(v any) bool { _, is := v.(nothing); return is }

func (s *Stack) call(name string, arg any) any {
	list, _ := arg.([]any)
	switch {
	case name == "Ref":
		return s.refer(ref{name: fmt.Sprint(arg)})
	case name == "Condition":
		return s.holds(fmt.Sprint(arg))
	case name == "Fn::GetAtt":
		return s.refer(ref{name: fmt.Sprint(list[0]), attribute: fmt.Sprint(list[1])})
	case name == "Fn::Sub":
		return s.sub(arg)
	case name == "Fn::If":
		if s.holds(fmt.Sprint(list[0])) {
			return s.fill(list[1])
		}
		return s.fill(list[2])
	}
	filled, _ := s.fill(arg).([]any)
	switch {
	case name == "Fn::Not" && len(filled) == 1:
		return filled[0] != true
	case len(filled) != 2:
	case name == "Fn::Equals":
		return fmt.Sprint(filled[0]) == fmt.Sprint(filled[1])
	case name == "Fn::Join":
		return strings.Join(texts(filled[1]), fmt.Sprint(filled[0]))
	case name == "Fn::Split":
		var parts []any
		for _, part := range strings.Split(fmt.Sprint(filled[1]), fmt.Sprint(filled[0])) {
			parts = append(parts, part)
		}
		return parts
	case name == "Fn::Select":
		n, isNumber := filled[0].(int)
		if parts := texts(filled[1]); isNumber && n >= 0 && n < len(parts) {
			return parts[n]
		}
	}
	s.problems.say("%s does not fit %v", name, arg)
	return ""
}

func texts(v any) (all []string) {
	list, _ := v.([]any)
	for _, item := range list {
		all = append(all, fmt.Sprint(item))
	}
	return all
}

func (s *Stack) sub(arg any) string {
	text, own := subParts(arg)
	return variable.ReplaceAllStringFunc(text, func(found string) string {
		name := found[2 : len(found)-1]
		if literal, is := strings.CutPrefix(name, "!"); is {
			return "${" + literal + "}"
		}
		if v, is := own[name]; is {
			return fmt.Sprint(s.fill(v))
		}
		return fmt.Sprint(s.refer(reference(name)))
	})
}

func reference(text string) ref {
	if strings.HasPrefix(text, "AWS::") {
		return ref{name: text}
	}
	name, attribute, _ := strings.Cut(text, ".")
	return ref{name: name, attribute: attribute}
}

// holds says whether a condition holds; none always does.
func (s *Stack) holds(condition string) bool {
	return condition == "" || s.fill(s.template.Conditions[condition]) == true
}

func (s *Stack) refer(r ref) any {
	switch r.name {
	case "AWS::AccountId":
		return s.Account
	case "AWS::NoValue":
		return nothing{}
	case "AWS::Partition":
		return s.Partition
	case "AWS::Region":
		return s.Region
	case "AWS::StackName":
		return s.Stack
	case "AWS::URLSuffix":
		return s.Suffix
	}
	if p, is := s.template.Parameters[r.name]; is {
		if p.Type == "CommaDelimitedList" {
			return s.call("Fn::Split", []any{",", s.parameters[r.name]})
		}
		return s.parameters[r.name]
	}
	return s.physical(r)
}
