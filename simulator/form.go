package simulator

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// form reads the parameters of a request in the query protocol and remembers which were read: what is left over at the
// end is a parameter that the simulator does not know, and silence about it would be a lie. It keeps the first error,
// so that a handler reads all it needs and asks once, with finish.
type form struct {
	values url.Values
	used   map[string]bool
	err    *apiError
}

// newForm reads values, which keep what belongs to every request (Action and Version) and are not changed.
func newForm(values url.Values) *form {
	f := &form{values: values, used: map[string]bool{"Action": true, "Version": true}}
	for _, name := range sortedKeys(values) {
		if len(values[name]) > 1 {
			f.fail("InvalidParameter", "The parameter %s is given more than once", name)
		}
	}
	return f
}

func (f *form) fail(code, format string, args ...any) {
	if f.err == nil {
		f.err = badRequest(code, format, args...)
	}
}

func badRequest(code, format string, args ...any) *apiError {
	return &apiError{Status: http.StatusBadRequest, Code: code, Message: fmt.Sprintf(format, args...)}
}

// text reads a string; an absent one is empty.
func (f *form) text(name string) string {
	f.used[name] = true
	return f.values.Get(name)
}

// has tells whether the parameter or anything below it was given.
func (f *form) has(name string) bool {
	for key := range f.values {
		if key == name || strings.HasPrefix(key, name+".") {
			return true
		}
	}
	return false
}

// required reads a string that must be there.
func (f *form) required(name string) string {
	t := f.text(name)
	if t == "" {
		f.fail("MissingParameter", "The request must contain the parameter %s", name)
	}
	return t
}

// boolean reads true or false; an absent one is false.
func (f *form) boolean(name string) bool {
	switch t := f.text(name); t {
	case "true":
		return true
	case "", "false":
	default:
		f.fail("InvalidParameterValue", "Invalid value '%s' for %s. Value must be a boolean", t, name)
	}
	return false
}

// integer reads a whole number and tells whether it was given.
func (f *form) integer(name string) (n int64, given bool) {
	t := f.text(name)
	if t == "" {
		return 0, false
	}
	n, err := strconv.ParseInt(t, 10, 64)
	if err != nil {
		f.fail("InvalidParameterValue", "Invalid value '%s' for %s. Value must be an integer", t, name)
	}
	return n, true
}

// list reads the strings name.1, name.2, … in the order of their numbers. For STS name ends in ".member".
func (f *form) list(name string) []string {
	var texts []string
	for _, i := range f.numbers(name) {
		if key := fmt.Sprintf("%s.%d", name, i); f.values.Has(key) {
			texts = append(texts, f.text(key))
		}
	}
	return texts
}

// prefixes gives the beginnings of the structures in a list: Filter.1., Filter.2., …
func (f *form) prefixes(name string) []string {
	var starts []string
	for _, i := range f.numbers(name) {
		starts = append(starts, fmt.Sprintf("%s.%d.", name, i))
	}
	return starts
}

// numbers finds which numbers follow name, in order. Gaps are allowed, as with EC2.
func (f *form) numbers(name string) []int {
	seen := make(map[int]bool)
	for key := range f.values {
		rest, ok := strings.CutPrefix(key, name+".")
		if !ok {
			continue
		}
		first, _, _ := strings.Cut(rest, ".")
		if i, ok := listNumber(first); ok {
			seen[i] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// listNumber reads an element's number: from 1, without leading zeros or signs, so that a number has one spelling.
func listNumber(t string) (int, bool) {
	i, err := strconv.Atoi(t)
	if err != nil || i < 1 || i > 1_000_000 || strconv.Itoa(i) != t {
		return 0, false
	}
	return i, true
}

// finish gives a parameter that nobody read, else the first thing that was wrong. A handler has to read all that it
// knows before, whatever it finds on the way.
func (f *form) finish() *apiError {
	for _, name := range sortedKeys(f.values) {
		if !f.used[name] {
			return badRequest("UnknownParameter", "The parameter %s is not recognized", name)
		}
	}
	return f.err
}
