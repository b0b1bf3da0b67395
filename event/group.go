package event

import (
	"slices"

	"muster/recovery"
)

// groups reads the wave's group where the event brings it along. Other
// groups, and overrides for servers of other waves, are theirs.
func (f fields) groups(w *recovery.Wave) map[recovery.ProtectionGroupID]*recovery.ProtectionGroup {
	all := f.known["protectionGroups"]
	if !all.given() {
		return nil
	}
	path, wanted := f.at("protectionGroups"), keys{}
	if w.Group.Check() == nil {
		wanted[string(w.Group)] = true
	}
	v := f.fields(path, all, wanted).known[string(w.Group)]
	if !v.given() {
		return nil
	}
	return map[recovery.ProtectionGroupID]*recovery.ProtectionGroup{
		w.Group: f.group(entry(path, string(w.Group)), v, w),
	}
}

var groupKeys = keySet("launchConfig", "overrides")

func (p *problems) group(path string, v value, w *recovery.Wave) *recovery.ProtectionGroup {
	g := &recovery.ProtectionGroup{ID: w.Group}
	f := p.fields(path, v, groupKeys)
	if c := f.known["launchConfig"]; c.given() {
		g.LaunchConfig = p.launchConfig(f.at("launchConfig"), c)
	}
	overrides := f.known["overrides"]
	if !overrides.given() {
		return g
	}
	servers := keys{}
	for _, s := range w.Servers {
		servers[string(s.ID)] = s.ID.Check() == nil
	}
	path = f.at("overrides")
	found := p.fields(path, overrides, servers)
	g.Overrides = map[recovery.SourceServerID]recovery.LaunchConfig{}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(w.ServerIDs()))) {
		if c := found.known[string(id)]; c.given() {
			g.Overrides[id] = p.launchConfig(entry(path, string(id)), c)
		}
	}
	return g
}
