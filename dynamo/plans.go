package dynamo

import (
	"context"

	"muster/recovery"
)

var _ recovery.PlanStore = (*Store)(nil)

// PutPlan implements recovery.PlanStore.
func (s *Store) PutPlan(ctx context.Context, p *recovery.Plan, put recovery.Put) (int64, error) {
	return plans.put(ctx, s, string(p.ID), p, put, func(v recovery.Stored) any { return p.Entry(v) })
}

// StoredPlan implements recovery.PlanStore.
func (s *Store) StoredPlan(ctx context.Context, id recovery.PlanID) (*recovery.StoredPlan, error) {
	found := &recovery.StoredPlan{}
	known, err := plans.get(ctx, s, string(id), &found.PlanEntry, func(record []byte) (err error) {
		found.Plan, err = recovery.ThawPlan(record)
		return err
	})
	if err != nil || !known {
		return nil, err
	}
	return found, nil
}

// StoredPlans implements recovery.PlanStore.
func (s *Store) StoredPlans(ctx context.Context, after recovery.PlanID, most int) ([]recovery.PlanEntry, error) {
	return list[recovery.PlanEntry](ctx, s, plans, string(after), most)
}

// PutGroup implements recovery.PlanStore.
func (s *Store) PutGroup(ctx context.Context, g *recovery.PlannedGroup, put recovery.Put) (int64, error) {
	return groups.put(ctx, s, string(g.ID), g, put, func(v recovery.Stored) any { return g.Entry(v) })
}

// StoredGroup implements recovery.PlanStore.
func (s *Store) StoredGroup(ctx context.Context, id recovery.ProtectionGroupID) (*recovery.StoredGroup, error) {
	found := &recovery.StoredGroup{}
	known, err := groups.get(ctx, s, string(id), &found.GroupEntry, func(record []byte) (err error) {
		found.Group, err = recovery.ThawGroup(record)
		return err
	})
	if err != nil || !known {
		return nil, err
	}
	return found, nil
}

// StoredGroups implements recovery.PlanStore.
func (s *Store) StoredGroups(ctx context.Context, after recovery.ProtectionGroupID, most int) ([]recovery.GroupEntry, error) {
	return list[recovery.GroupEntry](ctx, s, groups, string(after), most)
}
