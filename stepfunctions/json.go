package stepfunctions

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// A value is valid JSON text without space around it. Values are read where
// they stand and changed by replacing bytes, never decoded and encoded again.
type value = json.RawMessage

var (
	null        = value("null")
	emptyObject = value("{}")
)

// parse checks a text that comes from outside.
func parse(text []byte) (value, bool) {
	if !json.Valid(text) {
		return nil, false
	}
	return bytes.TrimSpace(text), true
}

// A member is a key with its value and where the value begins in its object.
type member struct {
	key   string
	value value
	at    int
}

// members gives what an object holds, in its own order.
func members(object value) []member {
	var list []member
	for i := skipSpace(object, 1); object[i] != '}'; {
		keyEnd := skipValue(object, i)
		key := unquote(object[i:keyEnd])
		i = skipSpace(object, skipSpace(object, keyEnd)+1) // the colon
		end := skipValue(object, i)
		list = append(list, member{key, object[i:end:end], i})
		if i = skipSpace(object, end); object[i] == ',' {
			i = skipSpace(object, i+1)
		}
	}
	return list
}

// field finds a member. Of several with one key the last counts, as it does
// in AWS.
func field(object value, key string) (found member, ok bool) {
	for _, m := range members(object) {
		if m.key == key {
			found, ok = m, true
		}
	}
	return found, ok
}

// elements gives what an array holds.
func elements(array value) []member {
	var list []member
	for i := skipSpace(array, 1); array[i] != ']'; {
		end := skipValue(array, i)
		list = append(list, member{value: array[i:end:end], at: i})
		if i = skipSpace(array, end); array[i] == ',' {
			i = skipSpace(array, i+1)
		}
	}
	return list
}

// splice gives whole with the value at a place replaced by another.
func splice(whole value, at, length int, by value) value {
	out := make(value, 0, len(whole)-length+len(by))
	out = append(out, whole[:at]...)
	out = append(out, by...)
	return append(out, whole[at+length:]...)
}

// withMember gives an object with one more member at its end.
func withMember(object value, key string, v value) value {
	closing := len(object) - 1
	last := closing // behind the last thing that is not space
	for isSpace(object[last-1]) {
		last--
	}
	out := append(value(nil), object[:last]...)
	if object[last-1] != '{' {
		out = append(out, ',')
	}
	out = append(append(append(out, quote(key)...), ':'), v...)
	return append(out, object[last:]...)
}

func skipSpace(text []byte, i int) int {
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// skipValue finds the end of the value that begins at i, in valid JSON.
func skipValue(text []byte, i int) int {
	switch text[i] {
	case '"':
		return skipString(text, i)
	case '{', '[':
		for depth := 0; ; {
			switch text[i] {
			case '"':
				i = skipString(text, i) - 1
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
			if i++; depth == 0 {
				return i
			}
		}
	}
	for i < len(text) && !isSpace(text[i]) && text[i] != ',' && text[i] != '}' && text[i] != ']' && text[i] != ':' {
		i++
	}
	return i
}

func skipString(text []byte, i int) int {
	for i++; text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func unquote(text value) string {
	var s string
	_ = json.Unmarshal(text, &s) // it is valid
	return s
}

func quote(s string) value {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string can always be encoded
	return bytes.TrimSpace(b.Bytes())
}

// The kinds of values.
const (
	isObject  = '{'
	isArray   = '['
	isString  = '"'
	isBoolean = 't'
	isNull    = 'n'
	isNumber  = '0'
)

func kind(v value) byte {
	switch c := v[0]; c {
	case '{', '[', '"', 't', 'n':
		return c
	case 'f':
		return isBoolean
	}
	return isNumber
}

// number reads a number as AWS compares it: in IEEE 754 double precision.
func number(v value) float64 {
	f, _ := strconv.ParseFloat(string(v), 64) // out of range: an infinity
	return f
}
