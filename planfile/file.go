package planfile

import (
	"context"
	"slices"

	"go.yaml.in/yaml/v3"

	"muster/event"
	"muster/recovery"
)

// File is what a plan file says, whole.
type File struct {
	*event.Written
	// Doubts are what is probably a slip, and may be right: they stop nothing.
	Doubts []Problem
}

// Source is one file to read. Name is for messages.
type Source struct {
	Name string
	Data []byte
}

// Lookup reads a variable of the environment; false: it is not set.
type Lookup func(name string) (string, bool)

// Reader reads plan files.
type Reader struct {
	// Lookup reads the variables that a file names as ${NAME}. Nil: none is set.
	Lookup Lookup
}

// Read reads a plan, and the files that hold groups of it. The error, an *Error,
// names everything that is wrong with all of them.
func (r Reader) Read(plan Source, groups ...Source) (*File, error) {
	lookup := r.Lookup
	if lookup == nil {
		lookup = func(string) (string, bool) { return "", false }
	}
	pages, docs, secrets := []*page{}, [][]byte{}, recovery.Secrets{}
	for i, s := range append([]Source{plan}, groups...) {
		needs := "groups"
		if i == 0 {
			needs = "a plan and its waves"
		}
		p := read(s, needs, lookup, &secrets)
		pages, docs = append(pages, p), append(docs, p.json)
	}
	written, found := event.ReadWritten(docs[0], docs[1:]...)
	wrong := &Error{}
	for i, p := range pages {
		wrong.add(p, found[i])
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	return &File{written, wrong.Doubts}, nil
}

// Groups are the protection groups of one file. They are a recovery.GroupStore.
type Groups struct {
	ids  []recovery.ProtectionGroupID // as the file orders them
	byID map[recovery.ProtectionGroupID]*recovery.PlannedGroup
}

var _ recovery.GroupStore = (*Groups)(nil)

// ParseGroups reads the protection groups of a plan file, or of a file that
// holds nothing else. What a plan file holds besides is let pass unread, and
// so are variables of the environment. Name is the file's, for messages; the
// error is an *Error.
func ParseGroups(name string, data []byte) (*Groups, error) {
	var secrets recovery.Secrets
	return groupsOf(read(Source{name, data}, "groups", nil, &secrets))
}

// GroupsOf reads the value of a `groups:` key that somebody else's file holds.
// Name is that file's, for messages; the error is an *Error.
func GroupsOf(name string, groups *yaml.Node) (*Groups, error) {
	var secrets recovery.Secrets
	p := &page{name: name, secrets: &secrets}
	if groups == nil || groups.IsZero() {
		groups = &yaml.Node{Kind: yaml.MappingNode}
	}
	p.write(`{"groups":`, groups)
	return groupsOf(p)
}

func groupsOf(p *page) (*Groups, error) {
	byID, ids, found := event.ReadGroups(p.json)
	wrong := &Error{}
	wrong.add(p, found)
	return &Groups{ids, byID}, wrong.err()
}

// Group implements recovery.GroupStore. It never fails.
func (g *Groups) Group(_ context.Context, id recovery.ProtectionGroupID) (*recovery.ProtectionGroup, error) {
	found, ok := g.byID[id]
	if !ok {
		return nil, nil
	}
	return &found.ProtectionGroup, nil
}

// IDs lists the groups' ids in the file's order.
func (g *Groups) IDs() []recovery.ProtectionGroupID { return slices.Clone(g.ids) }

// Servers lists the servers that the file gives a group, in its order; nil
// where it gives none.
func (g *Groups) Servers(id recovery.ProtectionGroupID) []recovery.SourceServerID {
	if found, ok := g.byID[id]; ok {
		return slices.Clone(found.Servers)
	}
	return nil
}
