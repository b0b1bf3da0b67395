package client

import (
	"context"
	"encoding/json"

	"muster/recovery"
)

// Put keeps a plan or a protection group by its id.
type Put struct {
	Plan     any    `json:"plan,omitempty"` // a document: *recovery.PlanDocument, or JSON
	Group    any    `json:"group,omitempty"`
	Replaces *int64 `json:"replaces,omitempty"` // the version that has to stand; 0: none; nil: whatever stands
	By       string `json:"by"`
}

// Kept is what a Put made.
type Kept struct {
	Plan    recovery.PlanID            `json:"planId,omitempty"`
	Group   recovery.ProtectionGroupID `json:"protectionGroupId,omitempty"`
	Version int64                      `json:"version"`
	// Missing are groups that the plan needs, and that are not kept yet.
	Missing []recovery.ProtectionGroupID `json:"groupsNotStored,omitempty"`
}

// StoredPlan is a plan that is kept. Its external ids are left out.
type StoredPlan struct {
	ID recovery.PlanID `json:"planId"`
	recovery.Stored
	Plan json.RawMessage `json:"plan"`
}

// StoredGroup is a protection group that is kept, without its external id.
type StoredGroup struct {
	ID recovery.ProtectionGroupID `json:"protectionGroupId"`
	recovery.Stored
	Group json.RawMessage `json:"group"`
}

// PutPlan keeps a plan.
func (c Client) PutPlan(ctx context.Context, p Put) (Kept, error) {
	return ask[Kept](ctx, c, "put_plan", p)
}

// Plan gives the plan of an id.
func (c Client) Plan(ctx context.Context, id recovery.PlanID) (StoredPlan, error) {
	return ask[StoredPlan](ctx, c, "get_plan", map[string]any{"planId": id})
}

// Plans lists the plans that are kept, by id.
func (c Client) Plans(ctx context.Context) ([]recovery.PlanEntry, error) {
	return all(ctx, c, "list_plans", func(p page) []recovery.PlanEntry { return p.Plans })
}

// PutGroup keeps a protection group.
func (c Client) PutGroup(ctx context.Context, p Put) (Kept, error) {
	return ask[Kept](ctx, c, "put_group", p)
}

// Group gives the protection group of an id.
func (c Client) Group(ctx context.Context, id recovery.ProtectionGroupID) (StoredGroup, error) {
	return ask[StoredGroup](ctx, c, "get_group", map[string]any{"protectionGroupId": id})
}

// Groups lists the protection groups that are kept, by id.
func (c Client) Groups(ctx context.Context) ([]recovery.GroupEntry, error) {
	return all(ctx, c, "list_groups", func(p page) []recovery.GroupEntry { return p.Groups })
}

type page struct {
	Plans  []recovery.PlanEntry  `json:"plans"`
	Groups []recovery.GroupEntry `json:"groups"`
	Next   string                `json:"next"` // more are behind this id; "": none
}

func all[E any](ctx context.Context, c Client, operation string, of func(page) []E) (entries []E, err error) {
	for next := ""; ; {
		parameters := map[string]any{}
		if next != "" {
			parameters["after"] = next
		}
		p, err := ask[page](ctx, c, operation, parameters)
		if err != nil {
			return nil, err
		}
		entries = append(entries, of(p)...)
		if next = p.Next; next == "" {
			return entries, nil
		}
	}
}
