package simulator

import (
	_ "embed"
	"strings"
	"sync"
)

// templateField says how one field of a launch template is spelled, of which kind it is, and what is inside.
type templateField struct {
	Wire    string                    // its element in an answer: blockDeviceMappingSet
	Kind    string                    // text, flag, number, object, texts (a list of them), objects
	Element string                    // a list's elements in an answer
	Fields  map[string]*templateField // an object's, or those of a list's objects, by the name in a request
}

// templateFields is the top of RequestLaunchTemplateData.
var templateFields = sync.OnceValue(func() *templateField {
	root := newTemplateField("", "object", "")
	path := []*templateField{root}
	for line := range strings.Lines(strings.TrimSpace(templateFieldTable)) {
		words := strings.Fields(line)
		depth := len(line) - len(strings.TrimLeft(line, "\t"))
		name := words[0]
		kind, element, _ := strings.Cut(words[2], ":")
		wire := words[1]
		if wire == "-" {
			wire = lowerFirst(name)
		}
		f := newTemplateField(wire, kind, element)
		path[depth].Fields[name] = f
		path = append(path[:depth+1], f)
	}
	return root
})

func newTemplateField(wire, kind, element string) *templateField {
	if element == "" {
		element = "item"
	}
	return &templateField{Wire: wire, Kind: kind, Element: element, Fields: make(map[string]*templateField)}
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// templateFieldTable has a line for each field: its name in a request, its element in an answer ("-" for the same name
// with a small first letter), and its kind (with the element of a list's members, where that is not "item").
// Indentation is nesting. EC2 spells hardly any list the same way in both directions. Derived from AWS's public API
// model of EC2 (2016-11-15), Apache License 2.0; see NOTICE.
//
//go:embed templatefields.txt
var templateFieldTable string
