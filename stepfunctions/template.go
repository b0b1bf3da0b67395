package stepfunctions

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A template is Parameters: an object of values as they stand, of objects, and
// of keys that end in .$ and take their values from paths.
type template struct {
	text   value // nil: an object
	from   path
	fields []field
}

type field struct {
	key string
	template
}

// UnmarshalJSON reads a template.
func (t *template) UnmarshalJSON(text []byte) error {
	if text[0] == '[' {
		return fmt.Errorf("arrays in Parameters are not known here")
	}
	if text[0] != '{' {
		t.text = append(value(nil), text...)
		return nil
	}
	for _, m := range members(text) {
		f := field{}
		key, dynamic := strings.CutSuffix(m.key, ".$")
		f.key = key
		var err error
		if dynamic {
			err = json.Unmarshal(m.value, &f.from)
		} else {
			err = json.Unmarshal(m.value, &f.template)
		}
		if err != nil {
			return err
		}
		t.fields = append(t.fields, f)
	}
	return nil
}

// fill makes the template's value of what comes in, which is all of it where
// there is no template.
func (t *template) fill(v *visit, in value) (value, error) {
	switch {
	case t == nil:
		return in, nil
	case t.text != nil:
		return t.text, nil
	case t.from.given():
		found, ok := v.find(t.from, in)
		if !ok {
			return nil, &TaskError{ParameterPathFailure, fmt.Sprintf("the path %q of Parameters leads nowhere in the input", t.from.text)}
		}
		return found, nil
	}
	out := emptyObject
	for _, f := range t.fields {
		part, err := f.fill(v, in)
		if err != nil {
			return nil, err
		}
		out = withMember(out, f.key, part)
	}
	return out, nil
}
