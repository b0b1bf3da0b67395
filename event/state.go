package event

import (
	"bytes"
	"encoding/json"
	"slices"
)

// State is a state machine's state, as it came. Patch changes its
// bytes. There is no mutable struct in between, because that is where unknown
// fields, long numbers and odd spellings get lost.
type State struct{ object value }

// Field is one top-level key of a state, and the JSON that becomes its value.
type Field struct {
	Key   string
	Value []byte
}

// Patch gives the state with fields set, in one pass over its bytes: a key
// that stands gets the new value where it stands (each time, should it stand
// twice), new keys follow the last one. Every other byte, white space
// included, is as it was. The state itself does not change.
func (s State) Patch(set ...Field) []byte {
	var out bytes.Buffer
	done, last := 0, member{}
	stands, byKey := make(map[string]bool, len(set)), make(map[string][]byte, len(set))
	for _, f := range slices.Backward(set) {
		byKey[f.Key] = f.Value // of a key that is set twice, the first counts
	}
	for m := range s.object.members() {
		last = m
		key := m.key.text()
		if val, ours := byKey[key]; ours {
			stands[key] = true
			out.Write(s.object.doc[done:m.value.start])
			out.Write(val)
			done = m.value.end
		}
	}
	end, comma, colon := s.layout(last)
	out.Write(s.object.doc[done:end])
	for _, f := range set {
		if stands[f.Key] {
			continue
		}
		out.Write(comma)
		out.Write(encode(f.Key))
		out.Write(colon)
		out.Write(f.Value)
		comma = s.comma(last)
	}
	out.Write(s.object.doc[end:])
	return out.Bytes()
}

// layout says where new keys go, and what stands before the first of them and
// between a key and its value: as the last member has it, so that a state
// that is laid out for people stays so.
func (s State) layout(last member) (end int, comma, colon []byte) {
	if last.key.doc == nil {
		return s.object.start + 1, nil, []byte(":")
	}
	colon = s.object.doc[last.key.end:last.value.start]
	if len(colon) > mostLayout {
		colon = []byte(":")
	}
	return last.value.end, s.comma(last), colon
}

// comma gives what separates a new key from the one before it.
func (s State) comma(last member) []byte {
	if last.key.doc == nil {
		return []byte(",")
	}
	begin := last.key.start
	for isSpace(s.object.doc[begin-1]) {
		begin--
	}
	space := s.object.doc[begin:last.key.start]
	if len(space) > mostLayout {
		space = nil
	}
	return append([]byte(","), space...)
}

// mostLayout is how much white space is worth repeating.
const mostLayout = 64

// encode gives the JSON of something of ours. Text is not escaped for HTML: a
// message is to be read.
func encode(v any) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("a value of ours that is no JSON: " + err.Error())
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}
