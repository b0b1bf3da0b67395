//go:build rehearsal

package rehearsal_test

import (
	"encoding/json"
	"fmt"
	"slices"
)

// pattern is an event pattern, of a rule or of a mapping's filter: fields, and
// for each the values of which one has to be there.
type pattern map[string]any

func parsePattern(text string) (p pattern, err error) {
	if err = json.Unmarshal([]byte(text), &p); err == nil {
		err = p.check()
	}
	return p, err
}

// check refuses what is not known here: anything but exact texts.
func (p pattern) check() error {
	for name, want := range p {
		switch want := want.(type) {
		case map[string]any:
			if err := pattern(want).check(); err != nil {
				return err
			}
		case []any:
			for _, v := range want {
				if _, is := v.(string); !is {
					return fmt.Errorf("the pattern of %s holds %v, which is no text", name, v)
				}
			}
		default:
			return fmt.Errorf("the pattern of %s is neither fields nor a list of values: %v", name, want)
		}
	}
	return nil
}

func (p pattern) matches(event []byte) bool {
	var fields map[string]any
	return json.Unmarshal(event, &fields) == nil && p.match(fields)
}

func (p pattern) match(fields map[string]any) bool {
	for name, want := range p {
		switch want := want.(type) {
		case map[string]any:
			inner, _ := fields[name].(map[string]any)
			if !pattern(want).match(inner) {
				return false
			}
		case []any:
			if got, is := fields[name].(string); !is || !slices.Contains(want, any(got)) {
				return false
			}
		}
	}
	return true
}
