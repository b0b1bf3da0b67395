package cloudformation

import "fmt"

// Statement is one statement of a policy. A single action or resource is a
// list of one.
type Statement struct {
	Sid                string
	Effect             string
	Actions, Resources []string
	Condition          map[string]any
}

// Statements gives the statements of a resource's PolicyDocument.
func (s *Stack) Statements(resource string) ([]Statement, error) {
	r, made := s.Resources[resource]
	if !made {
		return nil, fmt.Errorf("there is no resource %s", resource)
	}
	document, _ := r.Properties["PolicyDocument"].(map[string]any)
	list, _ := document["Statement"].([]any)
	if len(list) == 0 {
		return nil, fmt.Errorf("%s holds no policy", resource)
	}
	var all []Statement
	for i, v := range list {
		fields, _ := v.(map[string]any)
		one := Statement{Actions: oneOrMore(fields["Action"]), Resources: oneOrMore(fields["Resource"])}
		one.Sid, _ = fields["Sid"].(string)
		one.Effect, _ = fields["Effect"].(string)
		one.Condition, _ = fields["Condition"].(map[string]any)
		if one.Effect != "Allow" || len(one.Actions) == 0 {
			return nil, fmt.Errorf("%s: statement %d (%s) allows no action", resource, i+1, one.Sid)
		}
		all = append(all, one)
	}
	return all, nil
}

func oneOrMore(v any) []string {
	if text, ok := v.(string); ok {
		return []string{text}
	}
	return texts(v)
}
