package event

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"muster/recovery"
)

// reader reads the values of a document into the tagged types of recovery, and
// notes everything that is wrong with them. A type says itself what it accepts
// (Check), what looks like a slip (Doubt), and what it looks like (Example).
type reader struct {
	*problems
	// strict: a key that is none of ours is a mistake, since nothing is kept of
	// a document but what is known. In a state it is somebody else's business.
	strict bool
	// lax: an empty text says nothing, and texts for people are as they like, as
	// in states and in what 0.x took.
	lax  bool
	skip keys // members that are none of ours this time
}

// may reads a member that may be absent or null into what to points to, as
// states are read; must reads one that has to be there.
func (f fields) may(key string, to any) {
	if v := f.known[key]; v.given() {
		reader{problems: f.problems, lax: true}.read(f.at(key), v, to)
	}
}

func (f fields) must(key string, to any) {
	if _, is := f.need(key); is {
		f.may(key, to)
	}
}

// read reads a value into what to points to.
func (r reader) read(path string, v value, to any) { r.bind(path, v, reflect.ValueOf(to).Elem()) }

func (r reader) bind(path string, v value, to reflect.Value) {
	switch special := to.Addr().Interface().(type) {
	case *value:
		*special = v
		return
	case *recovery.LaunchConfig:
		*special = r.config(path, v)
		return
	case *recovery.OpenSecret: // never quote it: it alone keeps others from our role
		if r.is(path, text, v, to) {
			r.check(path, recovery.CheckExternalID(v.text()))
			special.Secret = recovery.NewSecret(v.text())
		}
		return
	case *recovery.AccountDocument:
		if r.object(path, v, to); *special == (recovery.AccountDocument{}) {
			special.RoleName = unread
		}
		return
	}
	switch to.Kind() {
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		r.bind(path, v, to.Elem())
	case reflect.Struct:
		r.object(path, v, to)
	case reflect.Slice:
		r.list(path, v, to)
	case reflect.Map:
		r.entries(path, v, to)
	case reflect.Bool:
		if r.is(path, boolean, v, to) {
			to.SetBool(v.raw()[0] == 't')
		}
	case reflect.Int:
		r.whole(path, v, to)
	case reflect.String:
		_, snapshot := to.Interface().(recovery.SnapshotID)
		if r.is(path, text, v, to) {
			if snapshot && (v.text() == "" || v.text() == "AUTO") {
				return // the newest data
			}
			to.SetString(v.text())
			r.judge(path, to)
		} else if to.Type() == reflect.TypeFor[recovery.ProtectionGroupID]() {
			to.SetString(unread)
		}
	}
}

// unread stands where something is given that could not be read, so that nobody
// says as well that nothing is given; numberless is the number of what has none.
// None is meant by any other.
const (
	unread     = "?"
	numberless = -1
)

// is says whether a value is of a kind, and notes that it is not.
func (r reader) is(path string, want kind, v value, to reflect.Value) bool {
	got := v.kind()
	if got == want {
		return true
	}
	says := mustBe(want, got)
	if example, has := to.Interface().(interface{ Example() string }); has && r.strict {
		says = strings.Replace(says, want.String(), want.String()+" such as "+example.Example(), 1)
	}
	if want == text && (got == number || got == boolean) && r.strict {
		says += ": put it between quotes"
	}
	r.add(path, says)
	return false
}

// judge asks a type what it says to its value: whether it may be.
func (r reader) judge(path string, of reflect.Value) bool {
	if _, free := of.Interface().(recovery.Text); free && r.lax {
		return true
	}
	if checked, is := of.Interface().(interface{ Check() error }); is {
		if err := checked.Check(); err != nil {
			r.add(path, err.Error())
			return false
		}
	}
	if doubted, is := of.Interface().(interface{ Doubt() string }); is {
		r.doubt(path, doubted.Doubt())
	}
	return true
}

// tooManyDigits stands for numbers of more digits than whole reads: no number of ours
// has so many.
const tooManyDigits = mostWhole + 1

func (r reader) whole(path string, v value, to reflect.Value) {
	to.SetInt(numberless)
	if !r.is(path, number, v, to) {
		return
	}
	n, isWhole, fits := whole(v.raw())
	switch {
	case !isWhole:
		r.add(path, notWhole(v))
	case !fits:
		to.SetInt(tooManyDigits)
		says := "is " + strconv.Itoa(tooManyDigits) + ", which is too large"
		if checked, is := to.Interface().(interface{ Check() error }); is {
			says = checked.Check().Error()
		}
		to.SetInt(numberless)
		r.add(path, strings.Replace(says, strconv.Itoa(tooManyDigits), short(v.raw()), 1))
	default:
		to.SetInt(int64(n))
		if !r.judge(path, to) {
			to.SetInt(numberless)
		}
	}
}

// members are those that an object of a type has.
type members struct {
	known  keys
	fields []field
}

type field struct {
	name  string
	index []int
	need  bool
}

var shapes sync.Map // of reflect.Type to *members

func membersOf(t reflect.Type) *members {
	if found, ok := shapes.Load(t); ok {
		return found.(*members)
	}
	s := &members{known: keys{}}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			continue
		}
		_, need := f.Tag.Lookup("need")
		s.fields = append(s.fields, field{name, f.Index, need})
		s.known[name] = true
	}
	shapes.Store(t, s)
	return s
}

func (r reader) object(path string, v value, to reflect.Value) {
	switch unreadable := to.Addr().Interface().(type) {
	case *recovery.WaveDocument:
		unreadable.Number, unreadable.Group = numberless, unread
	case *recovery.Server:
		unreadable.LaunchConfig = recovery.LaunchConfig{}
	}
	if !r.is(path, object, v, to) {
		return
	}
	to.SetZero()
	shape := membersOf(to.Type())
	known := shape.known
	if r.skip != nil {
		known = keys{}
		for key := range shape.known {
			known[key] = !r.skip[key]
		}
	}
	f := r.members(path, v, known)
	for _, field := range shape.fields {
		switch v := f.known[field.name]; {
		case !v.given():
			if field.need && !r.skip[field.name] {
				r.add(f.at(field.name), "is missing")
				if number := to.FieldByIndex(field.index); number.CanInt() {
					number.SetInt(numberless)
				}
			}
		case r.lax && !field.need && v.kind() == text && v.text() == "":
		default:
			r.bind(f.at(field.name), v, to.FieldByIndex(field.index))
		}
	}
}

// members gives the members of an object that are known. Others are mistakes
// where everything has to be known.
func (r reader) members(path string, v value, known keys) fields {
	if r.strict {
		r.onlyKnown(path, v, known)
	}
	return r.fields(path, v, known)
}

// mostItems is how many elements of a list, or members of a mapping, are read: a
// region has no more servers.
const mostItems = recovery.MostSourceServers

func (r reader) list(path string, v value, to reflect.Value) {
	to.Set(reflect.MakeSlice(to.Type(), 0, 0))
	if !r.is(path, array, v, to) {
		return
	}
	n := v.count()
	if some, is := reflect.Zero(to.Type().Elem()).Interface().(interface{ Least() string }); is && n == 0 {
		r.add(path, "is empty: "+some.Least())
	}
	if n > mostItems {
		r.addf(path, "has %d elements, more than %d", n, mostItems)
		return
	}
	to.Set(reflect.MakeSlice(to.Type(), n, n))
	for i, v := range v.items() {
		r.bind(item(path, i), v, to.Index(i))
	}
}

func (r reader) entries(path string, v value, to reflect.Value) {
	if !r.is(path, object, v, to) {
		return
	}
	to.Set(reflect.MakeMap(to.Type()))
	for m := range v.members() {
		if to.Len() == mostItems {
			r.addf(path, "has more than %d members", mostItems)
			return
		}
		key := reflect.New(to.Type().Key()).Elem()
		key.SetString(clip(m.key.text(), 256))
		at := entry(path, key.String())
		if checked, is := key.Interface().(interface{ Check() error }); is && checked.Check() != nil {
			r.note(problem{path: at, text: checked.Check().Error(), key: true})
		}
		if to.MapIndex(key).IsValid() {
			r.note(problem{path: at, text: "is given more than once", key: true})
			continue
		}
		into := reflect.New(to.Type().Elem()).Elem()
		if into.Kind() == reflect.Pointer { // what says nothing is there all the same
			into.Set(reflect.New(into.Type().Elem()))
		}
		if m.value.given() {
			r.bind(at, m.value, into)
		}
		to.SetMapIndex(key, into)
	}
}

// settingKeys are the settings' own keys in a document: those with a dot in
// their name are nested, and may be given flat where everything is ours.
var settingKeys, flatKeys = func() (nested, flat keys) {
	nested, flat = keys{}, keys{}
	for _, s := range recovery.Settings() {
		outer, _, _ := strings.Cut(string(s), ".")
		nested[outer], flat[outer], flat[string(s)] = true, true, true
	}
	return nested, flat
}()

// config reads launch settings; null inherits.
func (r reader) config(path string, v value) recovery.LaunchConfig {
	c := recovery.LaunchConfig{}
	known := settingKeys
	if r.strict {
		known = flatKeys
	}
	f := r.members(path, v, known)
	nested := map[string]fields{}
	for _, s := range recovery.Settings() {
		in, key := f, string(s)
		outer, inner, dotted := strings.Cut(key, ".")
		if dotted && f.known[outer].given() {
			if _, read := nested[outer]; !read {
				nested[outer] = r.members(f.at(outer), f.known[outer], keySet(innerSettings(outer)...))
			}
			in, key = nested[outer], inner
		}
		v := in.known[key]
		if !v.given() {
			continue
		}
		if err := c.Set(string(s), plain(v)); err != nil {
			r.add(in.at(key), err.Error())
		} else {
			r.doubt(in.at(key), s.Doubt(c[s]))
		}
	}
	return c
}

func innerSettings(outer string) (inner []string) {
	for _, s := range recovery.Settings() {
		if name, is := strings.CutPrefix(string(s), outer+"."); is {
			inner = append(inner, name)
		}
	}
	return slices.Clip(inner)
}

// plain gives a value as encoding/json would, as far as a setting can use it.
func plain(v value) any {
	switch v.kind() {
	case text:
		return v.text()
	case boolean:
		return v.raw()[0] == 't'
	case array:
		list := []any{}
		for _, e := range v.items() {
			if e.kind() == array {
				list = append(list, struct{}{})
				continue
			}
			list = append(list, plain(e))
		}
		return list
	}
	return struct{}{} // a number or an object; no setting is one
}
