package event

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"muster/recovery"
)

// mostTold is how many problems an answer names; the rest are counted.
const mostTold = 20

// problems collects what is wrong with an event. Whoever wrote it wants to
// correct it once, so reading goes on after a problem.
type problems struct {
	told  []problem
	count int
	most  int // that are told; 0: mostTold
	// doubts are what is probably a slip, and nil where nobody asks for them.
	doubts *[]problem
}

// problem is one thing that is wrong. Its text goes on where the path ends:
// "is missing"; where it says by itself what it is about, a colon is between.
type problem struct {
	path, text string
	colon, key bool // key: it is about the key and not the value
}

func (p problem) String() string {
	if p.colon {
		return p.path + ": " + p.text
	}
	return p.path + " " + p.text
}

// add notes what is wrong at a path. The text must quote what it repeats of the
// event, and must never repeat an external id.
func (p *problems) add(path, text string) { p.note(problem{path: path, text: text}) }

// about is add for a text that is a sentence of its own.
func (p *problems) about(path, text string) { p.note(problem{path: path, text: text, colon: true}) }

func (p *problems) note(one problem) {
	p.count++
	if p.count > cmp.Or(p.most, mostTold) {
		return
	}
	if index, rest, has := strings.Cut(one.text, "] "); has && strings.HasPrefix(index, "[") { // an index belongs to the path
		one.path, one.text = one.path+index+"]", rest
	}
	p.told = append(p.told, one)
}

// addf is add with the text made only if it is told.
func (p *problems) addf(path, format string, args ...any) {
	if p.count >= cmp.Or(p.most, mostTold) {
		p.count++
		return
	}
	p.add(path, fmt.Sprintf(format, args...))
}

func (p *problems) check(path string, err error) {
	if err != nil {
		p.add(path, err.Error())
	}
}

// doubt notes what is probably a slip; "": nothing is.
func (p *problems) doubt(path, text string) {
	if p.doubts != nil && text != "" && len(*p.doubts) < p.most {
		*p.doubts = append(*p.doubts, problem{path: path, text: text})
	}
}

func (p *problems) String() string {
	var words []string
	for _, one := range p.told {
		words = append(words, one.String())
	}
	s := strings.Join(words, "; ")
	if more := p.count - len(p.told); more > 0 {
		s += fmt.Sprintf("; and %d more", more)
	}
	return s
}

// fields are those members of one object that we know.
type fields struct {
	*problems
	path  string
	known map[string]value
}

// keys says which members of an object we know.
type keys map[string]bool

func keySet(names ...string) keys {
	set := keys{}
	for _, name := range names {
		set[name] = true
	}
	return set
}

// fields reads the members of an object that are in known. One that stands
// twice is a problem: readers disagree about which of the two counts. All
// others are none of our business, however often they stand.
func (p *problems) fields(path string, v value, known keys) fields {
	f := fields{p, path, map[string]value{}}
	if k := v.kind(); k != object {
		p.add(path, mustBe(object, k))
		return f
	}
	twice := keys{}
	for m := range v.members() {
		key := m.name()
		if !known[key] {
			continue
		}
		if _, before := f.known[key]; before && !twice[key] {
			twice[key] = true
			p.note(problem{path: f.at(key), text: "is given more than once", key: true})
		}
		f.known[key] = m.value
	}
	return f
}

// onlyKnown notes the members of an object that are none that we know, for
// documents of which nothing may be lost.
func (p *problems) onlyKnown(path string, v value, known keys) {
	f, there := fields{p, path, nil}, ""
	for m := range v.members() {
		if known[m.name()] {
			continue
		}
		if p.count >= cmp.Or(p.most, mostTold) { // it is only counted: make no text of it
			p.count++
			continue
		}
		if there == "" {
			there = sorted(slices.Collect(maps.Keys(known)))
		}
		p.note(problem{path: f.at(clip(m.key.text(), 64)), text: "is not known here; there are: " + there, key: true})
	}
}

// unknown notes names that are none of those that there are.
func (p *problems) unknown(names, known []string) {
	if names != nil {
		p.addf(some(names), "%s not known here; there are: %s", map[bool]string{true: "is", false: "are"}[len(names) == 1], sorted(slices.Clone(known)))
	}
}

// at gives the path of one of the object's members. A key that is no plain word
// is quoted, so that it can neither pretend to be a path nor drive a terminal.
func (f fields) at(key string) string {
	if recovery.ProtectionGroupID(key).Check() != nil {
		return entry(f.path, key)
	}
	if f.path == "" {
		return key
	}
	return f.path + "." + key
}

// need gives a member that must be there; false: it is not, which is noted.
func (f fields) need(key string) (value, bool) {
	v := f.known[key]
	if !v.given() {
		f.add(f.at(key), "is missing")
	}
	return v, v.given()
}

// needText gives a string that must be there and pass check.
func (f fields) needText(key string, check func(string) error) string {
	if _, ok := f.need(key); !ok {
		return ""
	}
	s, ok := f.mayText(key)
	if ok {
		f.check(f.at(key), check(s))
	}
	return s
}

// mayText gives a string that may be absent or null.
func (f fields) mayText(key string) (s string, ok bool) {
	v := f.known[key]
	if !v.given() {
		return "", false
	}
	if k := v.kind(); k != text {
		f.add(f.at(key), mustBe(text, k))
		return "", false
	}
	return v.text(), true
}

// mayBool gives a boolean that may be absent or null: false then.
func (f fields) mayBool(key string) (is bool) {
	f.may(key, &is)
	return is
}

// mayWhole gives a whole number within limits that may be absent or null: 0
// then.
func (f fields) mayWhole(key string, least, most int) int {
	v := f.known[key]
	if !v.given() {
		return 0
	}
	if k := v.kind(); k != number {
		f.add(f.at(key), mustBe(number, k))
		return 0
	}
	n, isWhole, fits := whole(v.raw())
	switch {
	case !isWhole:
		f.add(f.at(key), notWhole(v))
	case !fits || n < least || n > most:
		f.addf(f.at(key), "is %s, but must be from %d to %d", short(v.raw()), least, most)
	default:
		return n
	}
	return 0
}

func mustBe(want, got kind) string {
	if got <= null {
		return "is missing"
	}
	if want == boolean {
		return fmt.Sprintf("must be true or false, not %s", got)
	}
	return fmt.Sprintf("must be %s, not %s", want, got)
}

// some tells the first of many for a message, and counts the rest; "": there are
// none.
func some[T any](all []T) string {
	const most = 10
	var words []string
	for _, one := range all[:min(len(all), most)] {
		words = append(words, fmt.Sprint(one))
	}
	text := strings.Join(words, ", ")
	if more := len(all) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func item(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// entry gives the path of a member whose key somebody chose.
func entry(path, key string) string { return fmt.Sprintf("%s[%+q]", path, key) }
