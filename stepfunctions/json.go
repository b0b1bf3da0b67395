package stepfunctions

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// A value is valid JSON text without space around it. Values are read where
// they stand and changed by replacing bytes, never decoded and encoded again.
type value = json.RawMessage

var emptyObject = value("{}")

// parse checks a text that comes from outside.
func parse(text []byte) (value, bool) {
	return bytes.TrimSpace(text), json.Valid(text)
}

// A member is a value of an object or an array, with the place where it begins
// there. An element's key is its index in brackets.
type member struct {
	key   string
	value value
	at    int
}

// members gives what an object or an array holds, in its own order, and
// nothing of any other value.
func members(whole value) []member {
	var list []member
	if whole[0] != '{' && whole[0] != '[' {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(whole))
	_, _ = d.Token() // whole is valid: nothing here fails
	for d.More() {
		key := fmt.Sprintf("[%d]", len(list))
		if whole[0] == '{' {
			token, _ := d.Token()
			key = token.(string)
		}
		var v value
		_ = d.Decode(&v)
		list = append(list, member{key, v, int(d.InputOffset()) - len(v)})
	}
	return list
}

// find gives a member. Of several with one key the last counts, as it does in
// AWS.
func find(whole value, key string) (found member, ok bool) {
	for _, m := range members(whole) {
		if m.key == key {
			found, ok = m, true
		}
	}
	return found, ok
}

// withMember gives an object with one more member at its end.
func withMember(object value, key string, v value) value {
	last := len(bytes.TrimRight(object[:len(object)-1], " \t\r\n"))
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(key) // a string can always be encoded
	more := append(append(bytes.TrimSpace(b.Bytes()), ':'), v...)
	if object[last-1] != '{' {
		more = append([]byte{','}, more...)
	}
	return slices.Concat(object[:last], more, object[last:])
}
