package event

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"muster/recovery"
)

// Written is a plan as somebody wrote it, whole: every wave has its servers, or
// the tags by which DRS is asked for them, and its account.
type Written struct {
	Plan *recovery.Plan
	// Document is what was written, with the groups of all files: as put_plan
	// takes it.
	Document *recovery.PlanDocument
}

// Finding is something about a document that whoever wrote it should see.
type Finding struct {
	Offset int    // in the document, of the value or of the key that it is about
	Path   string // of the value; "": the document itself
	Text   string
	Doubt  bool // it is probably a slip, and may be right
}

// MostFindings is how many problems of a document are told.
const MostFindings = 1000

// Findings are those of one document, in its order, and how many problems there
// are beside those.
type Findings struct {
	All  []Finding
	More int
}

// hand reads one document that people wrote.
type hand struct {
	reader
	doc    value
	doubts []problem
}

func newHand(doc []byte) *hand {
	h := &hand{doc: document(doc)}
	h.reader = reader{problems: &problems{most: MostFindings, doubts: &h.doubts}, strict: true}
	return h
}

// ReadWritten reads a plan's document, and the documents that hold groups of
// it, all of them valid JSON. The findings are those of each document in turn;
// where something is wrong with any, the plan is not to be used.
func ReadWritten(plan []byte, groups ...[]byte) (*Written, []Findings) {
	hands := []*hand{newHand(plan)}
	d := &recovery.PlanDocument{}
	h := hands[0]
	h.read("", h.doc, d)
	known := h.groups("groups", d.Groups)
	for _, doc := range groups {
		h := newHand(doc)
		hands = append(hands, h)
		for id, g := range h.groupsDocument() {
			if known[id] != nil {
				h.note(problem{path: entry("groups", string(id)), text: "the plan has a group of this id already", colon: true, key: true})
				continue
			}
			if d.Groups == nil {
				d.Groups = groupDocuments{}
			}
			d.Groups[id], known[id] = g, h.group(entry("groups", string(id)), id, g)
		}
	}
	taken := map[recovery.ProtectionGroupID]bool{}
	for i := range d.Waves {
		id := d.Waves[i].Group
		taken[id] = true
		if known[id] == nil && id != "" && id.Check() == nil {
			h.about(item("waves", i)+".protectionGroupId", "the plan has no group "+string(id)+"; "+idsOf(known))
		}
	}
	for id := range membersIn(h.doc, "groups") {
		if !taken[id] && len(h.doubts) < MostFindings {
			h.doubts = append(h.doubts, problem{path: entry("groups", string(id)), text: "is a group that no wave takes", key: true})
		}
	}
	read := h.plan("", d, known, func(id recovery.ProtectionGroupID) bool { return id != "" }) // said already
	var all []Findings
	for _, h := range hands {
		all = append(all, h.findings())
	}
	return &Written{read, d}, all
}

// ReadGroups reads a document that holds protection groups, with or without a
// plan, whose rest is let pass unread; and in which order it has them.
func ReadGroups(doc []byte) (map[recovery.ProtectionGroupID]*recovery.PlannedGroup, []recovery.ProtectionGroupID, Findings) {
	h := newHand(doc)
	groups := h.groups("groups", h.groupsDocument())
	return groups, slices.Collect(membersIn(h.doc, "groups")), h.findings()
}

func (h *hand) groupsDocument() groupDocuments {
	var d struct {
		Version    recovery.DocumentVersion `json:"version"`
		Needs      value                    `json:"needs"`
		Groups     groupDocuments           `json:"groups" need:""`
		Plan       value                    `json:"plan"`
		Account    value                    `json:"accountContext"`
		Objectives value                    `json:"objectives"`
		Waves      value                    `json:"waves"`
	}
	h.read("", h.doc, &d)
	return d.Groups
}

// membersIn lists the keys of an object in a document, as it orders them.
func membersIn(doc value, key string) func(func(recovery.ProtectionGroupID) bool) {
	return func(yield func(recovery.ProtectionGroupID) bool) {
		all := plainFields("", doc, keySet(key)).known[key]
		if all.kind() != object {
			return
		}
		for m := range all.members() {
			if !yield(recovery.ProtectionGroupID(m.key.text())) {
				return
			}
		}
	}
}

// idsOf lists groups that may be taken, for a message.
func idsOf(groups map[recovery.ProtectionGroupID]*recovery.PlannedGroup) string {
	ids := slices.DeleteFunc(slices.Sorted(maps.Keys(groups)), func(id recovery.ProtectionGroupID) bool { return id.Check() != nil })
	return "it has " + cmp.Or(some(ids), "none at all")
}

// findings gives what was found, each with its place.
func (h *hand) findings() (f Findings) {
	places := places{}
	for i, p := range slices.Concat(h.told, h.doubts) {
		f.All = append(f.All, Finding{places.locate(h.doc, p.path, p.key), p.path, p.text, i >= len(h.told)})
	}
	slices.SortStableFunc(f.All, func(a, b Finding) int { return cmp.Compare(a.Offset, b.Offset) })
	f.More = h.count - len(h.told)
	return f
}

// places finds what stands at paths. It goes through each object and array
// once, however much is found in it: what it holds, by where it begins.
type places map[int]map[string]held

// held is what a key, or an index, leads to: where it stands twice the first one
// and the last.
type held struct{ first, last member }

func (p places) in(v value) map[string]held {
	if p[v.start] != nil {
		return p[v.start]
	}
	all := map[string]held{}
	switch v.kind() {
	case object:
		for m := range v.members() {
			h, twice := all[m.name()]
			if !twice {
				h.first = m
			}
			h.last = m
			all[m.name()] = h
		}
	case array:
		for i, item := range v.items() {
			all[strconv.Itoa(i)] = held{member{value: item}, member{value: item}}
		}
	}
	p[v.start] = all
	return all
}

// locate gives the offset of what stands at a path, or of what should hold it;
// of a member, on request, the offset of its key.
func (p places) locate(v value, path string, ofKey bool) int {
	at := v.start
	for path != "" {
		found, rest := p.step(v, path, ofKey)
		if found.value.doc == nil {
			break
		}
		v, path, at = found.value, rest, found.value.start
		if ofKey && rest == "" && found.key.doc != nil {
			at = found.key.start
		}
	}
	return at
}

// step follows a path for one member or element. Where a key stands twice, it is
// the last one that is wrong, and the first one in which something else is.
func (p places) step(v value, path string, last bool) (found member, rest string) {
	key, quoted := "", strings.HasPrefix(path, `["`)
	if quoted {
		literal, err := strconv.QuotedPrefix(path[1:])
		if err != nil {
			return member{}, ""
		}
		key, _ = strconv.Unquote(literal)
		rest = strings.TrimPrefix(path[1+len(literal):], "]")
	} else if index, is := strings.CutPrefix(path, "["); is {
		key, rest, _ = strings.Cut(index, "]")
	} else {
		path = strings.TrimPrefix(path, ".")
		end := strings.IndexAny(path+".", ".[")
		key, rest = path[:end], path[end:]
	}
	h := p.in(v)[key]
	if last && rest == "" {
		return h.last, rest
	}
	return h.first, rest
}
