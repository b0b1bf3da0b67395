package event

import "muster/recovery"

// putGroup keeps a protection group by its id.
func (a *ask) putGroup() (any, error) {
	group, version, err := keep(a, recovery.Groups, "group", a.groupDocument)
	if err != nil {
		return nil, err
	}
	return putAnswer{Group: group.ID, Version: version}, nil
}

// getGroup gives a protection group by its id, without its external id.
func (a *ask) getGroup() (any, error) {
	var id recovery.ProtectionGroupID
	a.must("protectionGroupId", &id)
	if err := a.invalid(); err != nil {
		return nil, err
	}
	stored, err := recovery.Groups.Get(a.ctx, a.Plans, string(id))
	if err != nil {
		return nil, err
	}
	if stored == nil {
		return nil, recovery.Errorf(recovery.NotFound, "there is no protection group %s; list_groups names those that there are, put_group keeps one", id)
	}
	type group struct {
		ID recovery.ProtectionGroupID `json:"protectionGroupId"`
		*recovery.GroupDocument
	}
	g := stored.Thing.Document()
	if g.Account != nil && !g.Account.ExternalID.IsZero() {
		g.Account.ExternalID.Secret = hidden
	}
	return struct {
		ID recovery.ProtectionGroupID `json:"protectionGroupId"`
		recovery.Stored
		Group group `json:"group"`
	}{id, stored.Stored, group{id, g}}, nil
}

// listGroups lists the protection groups that are kept, by id.
func (a *ask) listGroups() (any, error) {
	groups, next, err := listed(a, recovery.Groups)
	return struct {
		Groups []recovery.GroupEntry `json:"groups"`
		Next   string                `json:"next,omitempty"` // more are behind this one
	}{groups, next}, err
}
