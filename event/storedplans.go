package event

import (
	"errors"

	"muster/recovery"
)

// mostListed is how many lines a list may have, and usuallyListed how many
// where nobody says.
const (
	mostListed    = 100
	usuallyListed = 50
)

// putPlan keeps a plan by its id.
func (a *ask) putPlan() (any, error) {
	doc, ok := a.need("plan")
	var plan *recovery.Plan
	if ok {
		plan = a.planDocument("plan", doc)
	}
	put := a.put()
	if err := a.invalid(); err != nil {
		return nil, err
	}
	version, err := a.Plans.PutPlan(a.ctx, plan, put)
	if err, is := errors.AsType[*recovery.VersionConflict](err); is {
		return a.putAgain(plan, put, err)
	}
	if err != nil {
		return nil, err
	}
	return putAnswer{Plan: plan.ID, Version: version, Missing: a.missing(plan)}, nil
}

type putAnswer struct {
	Plan    recovery.PlanID            `json:"planId,omitempty"`
	Group   recovery.ProtectionGroupID `json:"protectionGroupId,omitempty"`
	Version int64                      `json:"version"`
	// Missing are groups that the plan leaves something to, and that are not
	// stored: they have to be before it is started.
	Missing []recovery.ProtectionGroupID `json:"groupsNotStored,omitempty"`
}

// putAgain answers a put over a version that does not stand: it may be this
// very put, whose answer was lost.
func (a *ask) putAgain(plan *recovery.Plan, put recovery.Put, conflict *recovery.VersionConflict) (any, error) {
	stored, err := a.Plans.StoredPlan(a.ctx, plan.ID)
	if err != nil {
		return nil, err
	}
	if stored != nil && stored.Version == *put.Replaces+1 && stored.By == put.By && sameRecord(stored.Plan, plan) {
		return putAnswer{Plan: plan.ID, Version: stored.Version, Missing: a.missing(plan)}, nil
	}
	return nil, superseded("plan", string(plan.ID), *put.Replaces, conflict)
}

func sameRecord(a, b interface{ Freeze() ([]byte, error) }) bool {
	x, errX := a.Freeze()
	y, errY := b.Freeze()
	return errX == nil && errY == nil && string(x) == string(y)
}

func superseded(what, id string, replaces int64, conflict *recovery.VersionConflict) error {
	return recovery.Errorf(recovery.Superseded, "%s %s: it was to replace version %d, but %v; look at it, and put it over that one", what, id, replaces, conflict)
}

// put reads who puts something, and over what.
func (a *ask) put() recovery.Put {
	r := a.request()
	p := recovery.Put{By: r.By, At: r.At, RequestID: r.RequestID}
	if a.known["replaces"].given() {
		p.Replaces = new(int64(a.mayWhole("replaces", 0, mostWhole)))
	}
	return p
}

// missing lists groups that are not stored. It is a help, and no promise: a
// store that fails now says nothing.
func (a *ask) missing(plan *recovery.Plan) (missing []recovery.ProtectionGroupID) {
	for _, id := range plan.GroupsNeeded() {
		if g, err := a.Plans.StoredGroup(a.ctx, id); err == nil && g == nil {
			missing = append(missing, id)
		}
	}
	return missing
}

// storedPlan reads a plan that has to be there.
func (a *ask) storedPlan(id recovery.PlanID) (*recovery.StoredPlan, error) {
	stored, err := a.Plans.StoredPlan(a.ctx, id)
	if err == nil && stored == nil {
		err = recovery.Errorf(recovery.NotFound, "there is no plan %s; list_plans names those that there are, put_plan keeps one", id)
	}
	return stored, err
}

// hidden stands for an external id in what goes out. It is none itself, so
// that nobody puts it back by mistake.
var hidden = recovery.NewSecret("[redacted]")

// getPlan gives a plan by its id, without its external ids.
func (a *ask) getPlan() (any, error) {
	id := recovery.PlanID(a.needText("planId", func(s string) error { return recovery.PlanID(s).Check() }))
	if err := a.invalid(); err != nil {
		return nil, err
	}
	stored, err := a.storedPlan(id)
	if err != nil {
		return nil, err
	}
	plan := withExternalIDs(stored.Plan, hidden)
	return struct {
		ID recovery.PlanID `json:"planId"`
		recovery.Stored
		Plan planJSON `json:"plan"`
	}{id, stored.Stored, planOf(plan, plan.Groups, false)}, nil
}

// listPlans lists the plans that are kept, by id.
func (a *ask) listPlans() (any, error) {
	after, most := a.page()
	if err := a.invalid(); err != nil {
		return nil, err
	}
	plans, err := a.Plans.StoredPlans(a.ctx, recovery.PlanID(after), most+1)
	if err != nil {
		return nil, err
	}
	answer := struct {
		Plans []recovery.PlanEntry `json:"plans"`
		Next  recovery.PlanID      `json:"next,omitempty"` // more are behind this one
	}{append([]recovery.PlanEntry{}, plans[:min(len(plans), most)]...), ""}
	if len(plans) > most {
		answer.Next = plans[most-1].ID
	}
	return answer, nil
}

// page reads which part of a list is asked for.
func (a *ask) page() (after string, most int) {
	if after, _ = a.mayText("after"); after != "" {
		a.check("after", recovery.PlanID(after).Check()) // groups' ids are of the same form
	}
	if most = a.mayWhole("limit", 1, mostListed); most == 0 {
		most = usuallyListed
	}
	return after, most
}
