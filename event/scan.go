package event

import (
	"bytes"
	"encoding/json"
	"iter"
)

// value is a JSON value where it stands in a document. The document must have
// passed json.Valid: nothing here looks for errors.
//
// Values are looked into on demand and never kept as a tree, so that ten
// megabytes of brackets cost ten megabytes and not a gigabyte. The zero value
// is what is absent.
type value struct {
	doc        []byte
	start, end int
}

// member is one key and its value in an object.
type member struct{ key, value value }

// document gives the one value of a valid document.
func document(doc []byte) value {
	start := skipSpace(doc, 0)
	return value{doc, start, skipValue(doc, start)}
}

func (v value) raw() []byte { return v.doc[v.start:v.end] }

// alone gives the same value as a document of its own: offsets begin at 0.
func (v value) alone() value { return value{v.raw(), 0, v.end - v.start} }

type kind int

const (
	absent kind = iota
	null
	boolean
	number
	text
	array
	object
)

func (k kind) String() string {
	return [...]string{"absent", "null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

func (v value) kind() kind {
	if v.doc == nil {
		return absent
	}
	switch v.doc[v.start] {
	case 'n':
		return null
	case 't', 'f':
		return boolean
	case '"':
		return text
	case '[':
		return array
	case '{':
		return object
	}
	return number
}

// given says whether there is something: null is how JSON says that there is
// not.
func (v value) given() bool { return v.kind() > null }

// text decodes a string, escapes and all. A surrogate without its other half
// becomes U+FFFD, which no identifier may contain.
func (v value) text() string {
	inner := v.doc[v.start+1 : v.end-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	var s string
	if err := json.Unmarshal(v.raw(), &s); err != nil {
		panic("a string in a valid document that does not decode: " + err.Error())
	}
	return s
}

// longestKey is more than any key that we read takes, every character escaped.
const longestKey = 6*128 + 2

// name gives a member's key, or "" for one that is too long to be of
// interest: nobody should make us decode ten megabytes of escapes.
func (m member) name() string {
	if m.key.end-m.key.start > longestKey {
		return ""
	}
	return m.key.text()
}

// members goes through an object in its own order, duplicates included.
func (v value) members() iter.Seq[member] {
	return func(yield func(member) bool) {
		i := skipSpace(v.doc, v.start+1)
		for v.doc[i] == '"' {
			key := value{v.doc, i, skipString(v.doc, i)}
			i = skipSpace(v.doc, skipSpace(v.doc, key.end)+1)
			val := value{v.doc, i, skipValue(v.doc, i)}
			if !yield(member{key, val}) {
				return
			}
			i = skipComma(v.doc, val.end)
		}
	}
}

// items goes through an array.
func (v value) items() iter.Seq2[int, value] {
	return func(yield func(int, value) bool) {
		i := skipSpace(v.doc, v.start+1)
		for n := 0; v.doc[i] != ']'; n++ {
			item := value{v.doc, i, skipValue(v.doc, i)}
			if !yield(n, item) {
				return
			}
			i = skipComma(v.doc, item.end)
		}
	}
}

// count gives the number of an array's elements.
func (v value) count() (n int) {
	for range v.items() {
		n++
	}
	return n
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

func skipSpace(doc []byte, i int) int {
	for i < len(doc) && isSpace(doc[i]) {
		i++
	}
	return i
}

func skipComma(doc []byte, i int) int {
	i = skipSpace(doc, i)
	if doc[i] == ',' {
		i = skipSpace(doc, i+1)
	}
	return i
}

// skipString looks for a quote that no backslash escapes: one after an even
// number of them.
func skipString(doc []byte, i int) int {
	for from := i + 1; ; {
		quote := from + bytes.IndexByte(doc[from:], '"')
		backslashes := 0
		for quote-backslashes > from && doc[quote-backslashes-1] == '\\' {
			backslashes++
		}
		if backslashes%2 == 0 {
			return quote + 1
		}
		from = quote + 1
	}
}

func skipValue(doc []byte, i int) int {
	for depth := 0; ; {
		switch doc[i] {
		case '"':
			i = skipString(doc, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		default: // a scalar, or what stands between the values of a container
			if depth == 0 {
				return skipScalar(doc, i)
			}
			i++
		}
		if depth == 0 {
			return i
		}
	}
}

func skipScalar(doc []byte, i int) int {
	for i < len(doc) && !isSpace(doc[i]) && doc[i] != ',' && doc[i] != ']' && doc[i] != '}' {
		i++
	}
	return i
}
