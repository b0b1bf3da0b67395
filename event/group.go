package event

import (
	"slices"

	"muster/recovery"
)

// groupValues are the protection groups that an event brings along, as far as
// they are of interest: other groups are none of our business.
type groupValues map[recovery.ProtectionGroupID]value

func (f fields) groupValues(ids ...recovery.ProtectionGroupID) groupValues {
	all := f.known["protectionGroups"]
	if !all.given() {
		return nil
	}
	wanted := keys{}
	for _, id := range ids {
		if id.Check() == nil {
			wanted[string(id)] = true
		}
	}
	groups := groupValues{}
	for id, v := range f.fields(f.at("protectionGroups"), all, wanted).known {
		if v.given() {
			groups[recovery.ProtectionGroupID(id)] = v
		}
	}
	return groups
}

// tagged says whether the group's servers are found by tags.
func (g groupValues) tagged(id recovery.ProtectionGroupID) bool {
	if g[id].kind() != object {
		return false
	}
	var quiet problems // what is wrong with the group is noted where it is read
	return quiet.fields("", g[id], keySet("tags")).known["tags"].given()
}

// groups reads groups' settings. Overrides are read for the servers that are
// asked about; others are theirs.
func (f fields) groups(values groupValues, servers map[recovery.ProtectionGroupID][]recovery.SourceServerID) map[recovery.ProtectionGroupID]*recovery.ProtectionGroup {
	if len(values) == 0 {
		return nil
	}
	groups := map[recovery.ProtectionGroupID]*recovery.ProtectionGroup{}
	for id, v := range values {
		groups[id] = f.group(f.groupPath(id), v, id, servers[id])
	}
	return groups
}

func (f fields) groupPath(id recovery.ProtectionGroupID) string {
	return entry(f.at("protectionGroups"), string(id))
}

var groupKeys = keySet("launchConfig", "overrides")

func (p *problems) group(path string, v value, id recovery.ProtectionGroupID, servers []recovery.SourceServerID) *recovery.ProtectionGroup {
	g := &recovery.ProtectionGroup{ID: id}
	f := p.fields(path, v, groupKeys)
	if c := f.known["launchConfig"]; c.given() {
		g.LaunchConfig = p.launchConfig(f.at("launchConfig"), c)
	}
	overrides := f.known["overrides"]
	if !overrides.given() {
		return g
	}
	wanted := keys{}
	for _, id := range servers {
		wanted[string(id)] = id.Check() == nil
	}
	path = f.at("overrides")
	found := p.fields(path, overrides, wanted)
	g.Overrides = map[recovery.SourceServerID]recovery.LaunchConfig{}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(servers))) {
		if c := found.known[string(id)]; c.given() {
			g.Overrides[id] = p.launchConfig(entry(path, string(id)), c)
		}
	}
	return g
}

// groupTags reads by which tags a group's servers are found; nil: it says
// none.
func (f fields) groupTags(id recovery.ProtectionGroupID, v value) map[string]string {
	if v.kind() != object {
		return nil
	}
	g := f.fields(f.groupPath(id), v, keySet("tags"))
	return f.tags(g.at("tags"), g.known["tags"])
}

func (p *problems) tags(path string, all value) map[string]string {
	if !all.given() {
		return nil
	}
	if k := all.kind(); k != object {
		p.add(path, mustBe(object, k))
		return nil
	}
	tags := map[string]string{}
	for m := range all.members() {
		key := m.key.text()
		if k := m.value.kind(); k != text {
			p.add(path+"["+recovery.Quote(key)+"]", mustBe(text, k))
			continue
		}
		tags[key] = m.value.text()
	}
	if len(tags) == 0 {
		p.add(path, "is empty, which every server would have")
	}
	return tags
}
