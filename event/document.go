package event

import "muster/recovery"

// Of a plan or a group that is put, nothing is kept but what is known here. A
// key that is none is therefore a mistake, and not somebody else's business as
// it is in a state.

var (
	planDocumentKeys  = keySet("planId", "planName", "planOwner", "accountContext", "objectives", "waves", "protectionGroups")
	groupInPlanKeys   = union(groupKeys, keySet("tags"))
	waveDocumentKeys  = union(plannedKeys, keySet("launchOrder"))
	serverInPlanKeys  = union(serverKeys, keySet("impactLevel"))
	groupDocumentKeys = union(groupInPlanKeys, keySet("protectionGroupId", "servers", "accountContext"))
)

// strictPlan notes what is unknown anywhere in a plan.
func (p *problems) strictPlan(path string, doc value) {
	p.onlyKnown(path, doc, planDocumentKeys)
	f := quietly(path, doc, planDocumentKeys)
	p.onlyKnown(f.at("accountContext"), f.known["accountContext"], accountKeys)
	if list := f.known["waves"]; list.kind() == array {
		for i, wave := range list.items() {
			p.strictWave(item(f.at("waves"), i), wave)
		}
	}
	if groups := f.known["protectionGroups"]; groups.kind() == object {
		for m := range groups.members() {
			path := entry(f.at("protectionGroups"), m.name())
			p.onlyKnown(path, m.value, groupInPlanKeys)
			p.strictSettings(path, m.value)
		}
	}
}

func (p *problems) strictWave(path string, wave value) {
	p.onlyKnown(path, wave, waveDocumentKeys)
	f := quietly(path, wave, waveDocumentKeys)
	p.onlyKnown(f.at("accountContext"), f.known["accountContext"], accountKeys)
	if list := f.known["servers"]; list.kind() == array {
		for i, server := range list.items() {
			path := item(f.at("servers"), i)
			p.onlyKnown(path, server, serverInPlanKeys)
			p.strictSettings(path, server)
		}
	}
}

// strictSettings notes settings that there are none of, of a server or a group
// and its servers.
func (p *problems) strictSettings(path string, of value) {
	f := quietly(path, of, keySet("launchConfig", "overrides"))
	p.onlyKnown(f.at("launchConfig"), f.known["launchConfig"], settingKeys)
	if overrides := f.known["overrides"]; overrides.kind() == object {
		for m := range overrides.members() {
			p.onlyKnown(entry(f.at("overrides"), m.name()), m.value, settingKeys)
		}
	}
}

// quietly reads members whose own problems are noted elsewhere.
func quietly(path string, v value, known keys) fields {
	if v.kind() != object {
		return fields{&problems{}, path, map[string]value{}}
	}
	return new(problems).fields(path, v, known)
}

// strictGroup notes what is unknown, or could not be, in a group.
func (p *problems) strictGroup(path string, doc value, g *recovery.PlannedGroup) {
	p.onlyKnown(path, doc, groupDocumentKeys)
	p.strictSettings(path, doc)
	listed := map[recovery.SourceServerID]bool{}
	for i, id := range g.Servers {
		if listed[id] {
			p.addf(item(path+".servers", i), "%s is named twice", id)
		}
		listed[id] = true
	}
	_, wrong := recovery.Server{}.Resolve(g.LaunchConfig)
	for _, w := range wrong {
		p.addf(path+".launchConfig", "%s %s", w.Setting, w.Text)
	}
	for id := range g.Overrides {
		at := entry(path+".overrides", string(id))
		if g.Servers != nil && !listed[id] {
			p.add(at, "is not among the group's servers")
		}
		if _, own := (recovery.Server{ID: id}).Resolve(g.For(id)); len(wrong) == 0 {
			for _, w := range own {
				p.addf(at, "%s %s", w.Setting, w.Text)
			}
		}
	}
}
