package cloudformation

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readYAML reads a document with CloudFormation's short functions (!Ref) into
// values with its long ones ({"Ref": …}). A key that is given twice is an
// error.
func readYAML(data []byte) (any, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) != 1 {
		return nil, fmt.Errorf("the file holds no document")
	}
	return value(doc.Content[0])
}

func value(n *yaml.Node) (any, error) {
	v, err := plain(n)
	if err != nil || strings.HasPrefix(n.Tag, "!!") {
		return v, err
	}
	switch name := strings.TrimPrefix(n.Tag, "!"); name {
	case "Ref", "Condition":
		return map[string]any{name: v}, nil
	case "GetAtt":
		if text, ok := v.(string); ok {
			resource, attribute, _ := strings.Cut(text, ".")
			v = []any{resource, attribute}
		}
		return map[string]any{"Fn::GetAtt": v}, nil
	default:
		return map[string]any{"Fn::" + name: v}, nil
	}
}

func plain(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		if !strings.HasPrefix(n.Tag, "!!") {
			return n.Value, nil
		}
		var v any
		err := n.Decode(&v)
		return v, err
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			v, err := value(item)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case yaml.MappingNode:
		all := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Tag != "!!str" {
				return nil, fmt.Errorf("line %d: the key %s is no text", key.Line, key.Value)
			}
			if _, twice := all[key.Value]; twice {
				return nil, fmt.Errorf("line %d: %s is given twice", key.Line, key.Value)
			}
			v, err := value(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			all[key.Value] = v
		}
		return all, nil
	}
	return nil, fmt.Errorf("line %d: anchors are not known here", n.Line)
}
