package cloudformation

import (
	"bytes"
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readYAML reads a template with CloudFormation's short functions (!Ref) as one
// with its long ones ({"Ref": …}). A key that is given twice, or that a
// template has not, is an error.
func readYAML(data []byte) (*Template, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) != 1 {
		return nil, errors.New("the file holds no document")
	}
	spellOut(doc.Content[0])
	long, err := yaml.Marshal(&doc)
	if err != nil {
		return nil, err
	}
	t := &Template{}
	strict := yaml.NewDecoder(bytes.NewReader(long))
	strict.KnownFields(true)
	return t, strict.Decode(t)
}

// spellOut makes the short functions within a node long ones.
func spellOut(n *yaml.Node) {
	for _, inner := range n.Content {
		spellOut(inner)
	}
	name, short := strings.CutPrefix(n.Tag, "!")
	if !short || strings.HasPrefix(name, "!") {
		return
	}
	arg := *n
	arg.Tag = map[yaml.Kind]string{yaml.ScalarNode: "!!str", yaml.SequenceNode: "!!seq", yaml.MappingNode: "!!map"}[n.Kind]
	switch name {
	case "Ref", "Condition":
	case "GetAtt":
		name = "Fn::GetAtt"
		if resource, attribute, dotted := strings.Cut(n.Value, "."); dotted {
			arg = yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{text(resource), text(attribute)}}
		}
	default:
		name = "Fn::" + name
	}
	*n = yaml.Node{Kind: yaml.MappingNode, Line: n.Line, Content: []*yaml.Node{text(name), &arg}}
}

func text(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }
