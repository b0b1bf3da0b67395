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
	plan, version, err := keep(a, recovery.Plans, "plan", a.planDocument)
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

type shelvable interface{ Freeze() ([]byte, error) }

// keep puts the document that a parameter is on its shelf.
func keep[T shelvable, E any](a *ask, on recovery.Shelf[T, E], parameter string, read func(string, value) T) (thing T, version int64, err error) {
	if doc, ok := a.need(parameter); ok {
		thing = read(parameter, doc)
	}
	put := a.put()
	if err := a.invalid(); err != nil {
		return thing, 0, err
	}
	version, err = on.Put(a.ctx, a.Plans, thing, put)
	if conflict, is := errors.AsType[*recovery.VersionConflict](err); is {
		err = recovery.Errorf(recovery.Superseded, "%s: it was to replace version %d, but %v; look at it, and put it over that one", on.Name(thing), *put.Replaces, conflict)
	}
	return thing, version, err
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
		if g, err := recovery.Groups.Get(a.ctx, a.Plans, string(id)); err == nil && g == nil {
			missing = append(missing, id)
		}
	}
	return missing
}

// storedPlan reads a plan that has to be there.
func (a *ask) storedPlan(id recovery.PlanID) (*recovery.Kept[*recovery.Plan], error) {
	stored, err := recovery.Plans.Get(a.ctx, a.Plans, string(id))
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
	var id recovery.PlanID
	a.must("planId", &id)
	if err := a.invalid(); err != nil {
		return nil, err
	}
	stored, err := a.storedPlan(id)
	if err != nil {
		return nil, err
	}
	plan := withExternalIDs(stored.Thing, hidden)
	return struct {
		ID recovery.PlanID `json:"planId"`
		recovery.Stored
		Plan *recovery.PlanDocument `json:"plan"`
	}{id, stored.Stored, plan.Document()}, nil
}

// listPlans lists the plans that are kept, by id.
func (a *ask) listPlans() (any, error) {
	plans, next, err := listed(a, recovery.Plans)
	return struct {
		Plans []recovery.PlanEntry `json:"plans"`
		Next  string               `json:"next,omitempty"` // more are behind this one
	}{plans, next}, err
}

// listed gives a page of what is on a shelf.
func listed[T shelvable, E interface{ Key() string }](a *ask, on recovery.Shelf[T, E]) (lines []E, next string, err error) {
	after, most := a.page()
	if err := a.invalid(); err != nil {
		return nil, "", err
	}
	lines, err = on.List(a.ctx, a.Plans, after, most+1)
	if len(lines) > most {
		lines = lines[:most]
		next = lines[most-1].Key()
	}
	return lines, next, err
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
