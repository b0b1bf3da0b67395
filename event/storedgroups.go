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

// groupDocument reads a protection group by itself.
func (p *problems) groupDocument(path string, doc value) *recovery.PlannedGroup {
	f := p.fields(path, doc, groupDocumentKeys)
	if doc.kind() != object {
		return nil
	}
	id := recovery.ProtectionGroupID(f.needText("protectionGroupId", func(s string) error { return recovery.ProtectionGroupID(s).Check() }))
	g := &recovery.PlannedGroup{ProtectionGroup: *p.group(path, doc, id, f.overridden())}
	g.LaunchConfig = g.LaunchConfig.Over(nil) // {} where it has none: as DRS has it
	for i, s := range f.listOf("servers", recovery.MostSourceServers) {
		server := recovery.SourceServerID(s)
		f.check(item(f.at("servers"), i), server.Check())
		g.Servers = append(g.Servers, server)
	}
	g.Tags = f.tags(f.at("tags"), f.known["tags"])
	switch listed, tagged := f.known["servers"].given(), f.known["tags"].given(); {
	case listed && tagged:
		f.add(f.at("tags"), "and servers are both given: a group has one of the two")
	case !listed && !tagged:
		f.add(f.at("servers"), "or tags are missing: a group lists its servers, or has tags that find them")
	}
	if v := f.known["accountContext"]; v.given() {
		g.Account = new(f.account(f.at("accountContext"), v))
		p.onlyKnown(f.at("accountContext"), v, accountKeys)
	}
	p.strictGroup(path, doc, g)
	return g
}

// overridden lists the servers for which a group has settings of their own.
func (f fields) overridden() (ids []recovery.SourceServerID) {
	v := f.known["overrides"]
	if v.kind() != object {
		return nil
	}
	for m := range v.members() {
		id := recovery.SourceServerID(m.name())
		f.check(entry(f.at("overrides"), string(id)), id.Check())
		ids = append(ids, id)
	}
	return ids
}

// groupJSON is a protection group as a document.
type groupJSON struct {
	ID recovery.ProtectionGroupID `json:"protectionGroupId"`
	planGroup
	Servers []recovery.SourceServerID `json:"servers,omitempty"`
	Account *accountJSON              `json:"accountContext,omitempty"`
}

// getGroup gives a protection group by its id, without its external id.
func (a *ask) getGroup() (any, error) {
	id := recovery.ProtectionGroupID(a.needText("protectionGroupId", func(s string) error { return recovery.ProtectionGroupID(s).Check() }))
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
	g := stored.Thing
	out := groupJSON{ID: id, planGroup: planGroup{Tags: g.Tags, LaunchConfig: configJSON(g.LaunchConfig), Overrides: overridesJSON(g.Overrides)}, Servers: g.Servers}
	if g.Account != nil {
		out.Account = new(accountJSON(*g.Account))
		if !g.Account.ExternalID.IsZero() {
			out.Account.ExternalID = hidden
		}
	}
	return struct {
		ID recovery.ProtectionGroupID `json:"protectionGroupId"`
		recovery.Stored
		Group groupJSON `json:"group"`
	}{id, stored.Stored, out}, nil
}

// listGroups lists the protection groups that are kept, by id.
func (a *ask) listGroups() (any, error) {
	groups, next, err := listed(a, recovery.Groups)
	return struct {
		Groups []recovery.GroupEntry `json:"groups"`
		Next   string                `json:"next,omitempty"` // more are behind this one
	}{groups, next}, err
}
