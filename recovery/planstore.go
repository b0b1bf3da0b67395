package recovery

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Kind is a kind of things that are kept by their ids; ids of different kinds
// are apart.
type Kind string

// The kinds.
const (
	KindPlan  Kind = "plan"
	KindGroup Kind = "protection group"
)

// PlanStore keeps things by their ids, the newest version of each: what an
// execution was begun with is frozen with it (ExecutionStore.Plan), so that
// nobody has to ask for an older one. It knows bytes alone; Plans and Groups know
// what they mean. External ids are kept in the open, as those of frozen plans are.
//
// Everything that is read was committed before the call, but for lists, which
// may be a little behind; reading may be repeated freely. An error other than
// *VersionConflict leaves open whether a put took effect: the caller puts again.
type PlanStore interface {
	// Put keeps a record in place of the one of its id, and gives the version
	// that stands after it, as Put.Over says; line makes what lists tell of that.
	// *VersionConflict: nothing was written.
	Put(ctx context.Context, k Kind, id string, record []byte, line func(Stored) ([]byte, error), put Put) (version int64, err error)
	// Get gives what is kept by an id, and its line; nil where there is nothing.
	Get(ctx context.Context, k Kind, id string) (record, line []byte, err error)
	// List gives the lines of a kind in the order of their ids' bytes, those
	// behind after, at most so many.
	List(ctx context.Context, k Kind, after string, most int) (lines [][]byte, err error)
}

// Shelf is where a PlanStore has the things of one kind: T, each with a line E in
// lists, which as JSON holds no secret.
type Shelf[T interface{ Freeze() ([]byte, error) }, E any] struct {
	kind Kind
	id   func(T) string
	line func(T, Stored) E
	thaw func([]byte) (T, error)
}

// The shelves.
var (
	Plans  = Shelf[*Plan, PlanEntry]{KindPlan, func(p *Plan) string { return string(p.ID) }, (*Plan).Entry, ThawPlan}
	Groups = Shelf[*PlannedGroup, GroupEntry]{KindGroup, func(g *PlannedGroup) string { return string(g.ID) }, (*PlannedGroup).Entry, ThawGroup}
)

// Kept is a thing as a store keeps it by its id.
type Kept[T any] struct {
	Stored
	Thing T
}

// Name says which thing it is: "plan rp-1".
func (sh Shelf[T, E]) Name(thing T) string { return string(sh.kind) + " " + sh.id(thing) }

// Put keeps a thing in place of the one of its id, and gives the version that
// stands after it. *VersionConflict: nothing was written.
func (sh Shelf[T, E]) Put(ctx context.Context, s PlanStore, thing T, put Put) (version int64, err error) {
	record, err := thing.Freeze()
	if err != nil {
		return 0, err
	}
	return s.Put(ctx, sh.kind, sh.id(thing), record, func(v Stored) ([]byte, error) { return json.Marshal(sh.line(thing, v)) }, put)
}

// Get gives what is kept by an id; nil where there is nothing.
func (sh Shelf[T, E]) Get(ctx context.Context, s PlanStore, id string) (*Kept[T], error) {
	record, line, err := s.Get(ctx, sh.kind, id)
	if err != nil || record == nil {
		return nil, err
	}
	kept := &Kept[T]{}
	if kept.Thing, err = sh.thaw(record); err == nil {
		err = json.Unmarshal(line, &kept.Stored)
	}
	if err != nil {
		return nil, damaged("%s %s: %w", sh.kind, id, err)
	}
	return kept, nil
}

// List gives lines in the order of their ids' bytes, those behind after, at most
// so many.
func (sh Shelf[T, E]) List(ctx context.Context, s PlanStore, after string, most int) ([]E, error) {
	lines, err := s.List(ctx, sh.kind, after, most)
	all := make([]E, len(lines))
	for i, line := range lines {
		if err := json.Unmarshal(line, &all[i]); err != nil {
			return nil, damaged("the list of what is kept: %w", err)
		}
	}
	return all, err
}

// Put says who puts something into a store, and over what.
type Put struct {
	By        string
	At        time.Time
	RequestID string // of the request that asked for it, as AWS knows it; "" where there was none
	// Replaces is the version that has to stand; 0: there must be none yet;
	// nil: whatever stands.
	Replaces *int64
}

// Over gives what a store keeps about the put where this version stands (0:
// none does), or a *VersionConflict. same: what stands is the very same already.
// Then nothing is written, and its version goes on standing; where the put was to
// replace the one before it, it may have been this very put, whose answer was lost.
func (p Put) Over(stands int64, same bool) (made Stored, err error) {
	switch {
	case same && (p.Replaces == nil || *p.Replaces == stands || *p.Replaces == stands-1):
		return Stored{Version: stands}, nil
	case p.Replaces != nil && *p.Replaces != stands:
		return Stored{}, &VersionConflict{Stands: stands}
	}
	return Stored{Version: stands + 1, By: p.By, At: wall(p.At), RequestID: p.RequestID}, nil
}

// Stored says which version of a thing this is, and who put it there, when.
type Stored struct {
	Version   int64     `json:"version"` // from 1, one higher with each put
	By        string    `json:"putBy"`
	At        time.Time `json:"putAt"`
	RequestID string    `json:"requestId,omitempty"`
}

// VersionConflict answers a put that would replace a version which does not
// stand. Nothing was written.
type VersionConflict struct{ Stands int64 } // 0: there is none at all

func (e *VersionConflict) Error() string {
	if e.Stands == 0 {
		return "there is none yet"
	}
	return fmt.Sprintf("version %d stands", e.Stands)
}

// PlanEntry is a plan's line in a list.
type PlanEntry struct {
	ID      PlanID `json:"planId"`
	Name    string `json:"planName,omitempty"`
	Owner   string `json:"planOwner,omitempty"`
	Waves   int    `json:"waves"`
	Servers int    `json:"servers"` // those that the plan lists itself
	Stored
}

// Key is what the plan is kept by.
func (e PlanEntry) Key() string { return string(e.ID) }

// Entry gives the plan's line in a list.
func (p *Plan) Entry(s Stored) PlanEntry {
	e := PlanEntry{ID: p.ID, Name: p.Name, Owner: p.Owner, Waves: len(p.Waves), Stored: s}
	for i := range p.Waves {
		e.Servers += len(p.Waves[i].Servers)
	}
	return e
}

// PlannedGroup is a protection group with what a plan's waves take from it.
type PlannedGroup struct {
	ProtectionGroup
	Servers []SourceServerID  // nil where tags say which they are
	Tags    map[string]string // by which DRS is asked for them at begin; nil: it is not
	Account *AccountContext   // where they are recovered; nil: the plan says
}

// GroupEntry is a protection group's line in a list.
type GroupEntry struct {
	ID      ProtectionGroupID `json:"protectionGroupId"`
	Servers int               `json:"servers"` // those that the group lists itself
	Tags    map[string]string `json:"tags,omitempty"`
	Stored
}

// Key is what the group is kept by.
func (e GroupEntry) Key() string { return string(e.ID) }

// Entry gives the group's line in a list.
func (g *PlannedGroup) Entry(s Stored) GroupEntry {
	return GroupEntry{ID: g.ID, Servers: len(g.Servers), Tags: g.Tags, Stored: s}
}

// GroupsOf makes the groups of a PlanStore known to whoever asks for a group's
// launch settings alone.
type GroupsOf struct{ PlanStore }

// Group implements GroupStore.
func (s GroupsOf) Group(ctx context.Context, id ProtectionGroupID) (*ProtectionGroup, error) {
	g, err := Groups.Get(ctx, s.PlanStore, string(id))
	if g == nil || err != nil {
		return nil, err
	}
	return &g.Thing.ProtectionGroup, nil
}
