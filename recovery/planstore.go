package recovery

import (
	"context"
	"fmt"
	"time"
)

// PlanStore keeps recovery plans and protection groups by their ids, the
// newest version of each: what an execution was begun with is frozen with it
// (ExecutionStore.Plan), so that nobody has to ask for an older one. External
// ids are kept in the open, as those of frozen plans are.
//
// Everything that is read was committed before the call, but for lists, which
// may be a little behind; reading may be repeated freely. An error other than
// *VersionConflict leaves open whether a put took effect: the caller puts again,
// which makes one more version, or reads first.
type PlanStore interface {
	// PutPlan keeps the plan in place of the one of its id, and gives the
	// version that it made. *VersionConflict: nothing was written.
	PutPlan(ctx context.Context, p *Plan, put Put) (version int64, err error)
	// StoredPlan gives the plan of an id; nil where there is none.
	StoredPlan(ctx context.Context, id PlanID) (*StoredPlan, error)
	// StoredPlans lists plans in the order of their ids' bytes, those behind
	// after, at most so many.
	StoredPlans(ctx context.Context, after PlanID, most int) ([]PlanEntry, error)

	// PutGroup, StoredGroup and StoredGroups are the same for protection
	// groups, whose ids are apart from those of plans.
	PutGroup(ctx context.Context, g *PlannedGroup, put Put) (version int64, err error)
	StoredGroup(ctx context.Context, id ProtectionGroupID) (*StoredGroup, error)
	StoredGroups(ctx context.Context, after ProtectionGroupID, most int) ([]GroupEntry, error)
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
// none does), or a *VersionConflict.
func (p Put) Over(stands int64) (Stored, error) {
	if p.Replaces != nil && *p.Replaces != stands {
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

// PlanEntry is a plan's line in a list. As JSON it holds no secret.
type PlanEntry struct {
	ID      PlanID `json:"planId"`
	Name    string `json:"planName,omitempty"`
	Owner   string `json:"planOwner,omitempty"`
	Waves   int    `json:"waves"`
	Servers int    `json:"servers"` // those that the plan lists itself
	Stored
}

// Entry gives the plan's line in a list.
func (p *Plan) Entry(s Stored) PlanEntry {
	e := PlanEntry{ID: p.ID, Name: p.Name, Owner: p.Owner, Waves: len(p.Waves), Stored: s}
	for i := range p.Waves {
		e.Servers += len(p.Waves[i].Servers)
	}
	return e
}

// StoredPlan is a recovery plan as a store keeps it by its id. A wave of it
// that has neither servers nor tags takes those of its group, as that is
// stored when an execution begins.
type StoredPlan struct {
	PlanEntry
	Plan *Plan
}

// PlannedGroup is a protection group with what a plan's waves take from it.
type PlannedGroup struct {
	ProtectionGroup
	Servers []SourceServerID  // nil where tags say which they are
	Tags    map[string]string // by which DRS is asked for them at begin; nil: it is not
	Account *AccountContext   // where they are recovered; nil: the plan says
}

// GroupEntry is a protection group's line in a list. As JSON it holds no
// secret.
type GroupEntry struct {
	ID      ProtectionGroupID `json:"protectionGroupId"`
	Servers int               `json:"servers"` // those that the group lists itself
	Tags    map[string]string `json:"tags,omitempty"`
	Stored
}

// Entry gives the group's line in a list.
func (g *PlannedGroup) Entry(s Stored) GroupEntry {
	return GroupEntry{ID: g.ID, Servers: len(g.Servers), Tags: g.Tags, Stored: s}
}

// StoredGroup is a protection group as a store keeps it by its id.
type StoredGroup struct {
	GroupEntry
	Group *PlannedGroup
}

// GroupsOf makes the groups of a PlanStore known to whoever asks for a group's
// launch settings alone.
type GroupsOf struct{ PlanStore }

// Group implements GroupStore.
func (s GroupsOf) Group(ctx context.Context, id ProtectionGroupID) (*ProtectionGroup, error) {
	g, err := s.StoredGroup(ctx, id)
	if g == nil || err != nil {
		return nil, err
	}
	return &g.Group.ProtectionGroup, nil
}
