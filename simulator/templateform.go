package simulator

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// numbered is a list while it is read: Foo.1, Foo.2, … may come in any order.
type numbered map[int]any

// readTemplateData reads the parameters below prefix (LaunchTemplateData) into a tree. What is not in the table of
// fields stays unread, and so the call is refused, as by EC2.
func readTemplateData(f *form, prefix string) *templateData {
	root := make(map[string]any)
	for _, key := range sortedKeys(f.values) {
		rest, ok := strings.CutPrefix(key, prefix+".")
		if !ok {
			continue
		}
		value := f.values.Get(key)
		field := place(root, templateFields(), strings.Split(rest, "."), value)
		if field == nil {
			continue // left unread, for finish to refuse
		}
		f.used[key] = true
		checkLeaf(f, field, key, value)
	}
	if len(root) == 0 {
		f.fail("MissingParameter", "The request must contain the parameter %s", prefix)
	}
	return &templateData{fields: settle(root).(map[string]any)}
}

// place puts one value into the tree and gives its field, nil where EC2 has no such field.
func place(m map[string]any, known *templateField, path []string, value string) *templateField {
	name, rest := path[0], path[1:]
	f := known.Fields[name]
	if f == nil {
		return nil
	}
	switch f.Kind {
	case "object":
		if len(rest) == 0 {
			return nil
		}
		inside, _ := m[name].(map[string]any)
		if inside == nil {
			inside = make(map[string]any)
		}
		m[name] = inside
		return place(inside, f, rest, value)
	case "texts", "objects":
		if len(rest) == 0 {
			return nil
		}
		i, ok := listNumber(rest[0])
		if !ok {
			return nil
		}
		list, _ := m[name].(numbered)
		if list == nil {
			list = make(numbered)
		}
		m[name] = list
		if f.Kind == "texts" {
			if len(rest) > 1 {
				return nil
			}
			list[i] = value
			return f
		}
		if len(rest) == 1 {
			return nil
		}
		inside, _ := list[i].(map[string]any)
		if inside == nil {
			inside = make(map[string]any)
		}
		list[i] = inside
		return place(inside, f, rest[1:], value)
	}
	if len(rest) > 0 {
		return nil
	}
	m[name] = value
	return f
}

// settle turns numbered lists into lists.
func settle(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, e := range v {
			v[name] = settle(e)
		}
	case numbered:
		list := make([]any, 0, len(v))
		for _, i := range slices.Sorted(maps.Keys(v)) {
			list = append(list, settle(v[i]))
		}
		return list
	}
	return v
}

// checkLeaf refuses a value of the wrong type. What a value means (whether such an instance type exists) EC2 looks at
// when an instance is launched, not here.
func checkLeaf(f *form, field *templateField, key, value string) {
	switch field.Kind {
	case "flag":
		if value != "true" && value != "false" {
			f.fail("InvalidParameterValue", "Invalid value '%s' for %s. Value must be a boolean", value, key)
		}
	case "number":
		if _, err := strconv.ParseInt(value, 10, 32); err != nil {
			f.fail("InvalidParameterValue", "Invalid value '%s' for %s. Value must be an integer", value, key)
		}
	}
	if field.Wire == "privateIpAddress" {
		if a, err := netip.ParseAddr(value); err != nil || !a.Is4() {
			f.fail("InvalidParameterValue", "Value (%s) for parameter %s is invalid. Invalid IPv4 address", value, key)
		}
	}
}
