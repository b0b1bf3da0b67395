package event

import (
	"fmt"
	"maps"
	"slices"

	"muster/recovery"
)

// flatPlan is a plan as states spell it, and as 0.x took it by itself.
type flatPlan struct {
	ID         recovery.PlanID              `json:"planId" need:""`
	Name       recovery.Text                `json:"planName"`
	Owner      recovery.Text                `json:"planOwner"`
	Account    *recovery.AccountDocument    `json:"accountContext"`
	Objectives *recovery.ObjectivesDocument `json:"objectives"`
	Waves      []flatWave                   `json:"waves" need:""`
	Groups     groupDocuments               `json:"protectionGroups"`
}

type flatWave struct {
	recovery.WaveDocument
	ServerCount *serverCount `json:"serverCount"` // in a state: the record lists the servers
	LaunchOrder value        `json:"launchOrder"` // says what waveNumber does
}

type serverCount int

// Check reports what is wrong with a number of servers, or nil.
func (n serverCount) Check() error {
	if n < 1 || n > recovery.MostServers {
		return fmt.Errorf("is %d, but must be from 1 to %d", n, recovery.MostServers)
	}
	return nil
}

type groupDocuments = map[recovery.ProtectionGroupID]*recovery.GroupDocument

// document gives the plan in the spelling that there is one reader for.
func (f *flatPlan) document() *recovery.PlanDocument {
	d := &recovery.PlanDocument{Version: recovery.PlanVersion, Plan: recovery.PlanNames{ID: f.ID, Name: f.Name, Owner: f.Owner},
		Account: f.Account, Objectives: f.Objectives, Groups: f.Groups}
	for _, w := range f.Waves {
		d.Waves = append(d.Waves, w.WaveDocument)
	}
	return d
}

// planDocument reads a plan by itself, as put_plan and start_execution take it.
// What it leaves to groups that it does not bring is theirs, as they are stored
// when an execution begins.
func (p *problems) planDocument(path string, doc value) *recovery.Plan {
	r := reader{problems: p, strict: true}
	f := plainFields(path, doc, keySet("version"))
	if f.known["version"].kind() != absent {
		d := new(recovery.PlanDocument)
		r.read(path, doc, d)
		return r.plan(path, d, r.groups(path+".groups", d.Groups), func(recovery.ProtectionGroupID) bool { return true })
	}
	r.lax = true
	flat := new(flatPlan)
	r.read(path, doc, flat)
	for i, w := range flat.Waves {
		if w.ServerCount != nil {
			r.add(item(path+".waves", i)+".serverCount", "says how many servers the wave has, and not which: only a state may")
		}
	}
	return r.plan(path, flat.document(), r.groups(path+".protectionGroups", flat.Groups), func(recovery.ProtectionGroupID) bool { return true })
}

// groupDocument reads a protection group by itself, as put_group takes it.
func (p *problems) groupDocument(path string, doc value) *recovery.PlannedGroup {
	r := reader{problems: p, strict: true, lax: true}
	var d struct {
		ID recovery.ProtectionGroupID `json:"protectionGroupId" need:""`
		recovery.GroupDocument
	}
	r.read(path, doc, &d)
	if doc.kind() == object && d.Servers == nil && d.Tags == nil {
		r.add(path+".servers", "or tags are missing: a group lists its servers, or has tags that find them")
	}
	return r.group(path, d.ID, &d.GroupDocument)
}

// groups checks protection groups, and gives them as plans take from them.
func (r reader) groups(path string, docs groupDocuments) map[recovery.ProtectionGroupID]*recovery.PlannedGroup {
	groups := map[recovery.ProtectionGroupID]*recovery.PlannedGroup{}
	for _, id := range slices.Sorted(maps.Keys(docs)) {
		groups[id] = r.group(entry(path, string(id)), id, docs[id])
	}
	return groups
}

// group names what is wrong with a group as a whole.
func (r reader) group(path string, id recovery.ProtectionGroupID, d *recovery.GroupDocument) *recovery.PlannedGroup {
	g := d.Asked(id)
	g.LaunchConfig = g.LaunchConfig.Over(nil) // {} where it has none: as DRS has it
	switch {
	case d.Tags != nil && d.Servers != nil:
		r.add(path+".tags", "and servers are both given: a group has one of the two")
	case d.Tags != nil && len(d.Tags) == 0:
		r.add(path+".tags", "is empty, and no tags at all would mean every server")
	}
	for _, key := range slices.Sorted(maps.Keys(d.Tags)) {
		if key == "" || len(key) > 128 || len(d.Tags[key]) > 256 {
			r.add(entry(path+".tags", key), "is no tag: a key has 1 to 128 characters, a value at most 256")
		}
	}
	listed := map[recovery.SourceServerID]bool{}
	for i, id := range d.Servers {
		if listed[id] && id != "" {
			r.addf(item(path+".servers", i), "%s is named twice", id)
		}
		listed[id] = true
	}
	wrong := r.contradicts(path+".launchConfig", recovery.Server{}, g.LaunchConfig)
	for _, id := range slices.Sorted(maps.Keys(d.Overrides)) {
		at := entry(path+".overrides", string(id))
		if d.Servers != nil && !listed[id] && id.Check() == nil {
			r.note(problem{path: at, text: "is not among the group's servers", key: true})
		}
		if !wrong {
			r.contradicts(at, recovery.Server{ID: id}, g.For(id))
		}
	}
	return g
}

// contradicts names the settings of a server, over its group's, that AWS could
// not do together.
func (r reader) contradicts(path string, s recovery.Server, group recovery.LaunchConfig) bool {
	_, wrong := s.Resolve(group)
	for _, w := range wrong {
		r.addf(path, "%s %s", w.Setting, w.Text)
	}
	return len(wrong) > 0
}

// plan gives the plan that a document says, with what its waves take from these
// groups, and names what is wrong with the whole. later: see recovery.Plan.Take.
func (r reader) plan(path string, d *recovery.PlanDocument, groups map[recovery.ProtectionGroupID]*recovery.PlannedGroup, later func(recovery.ProtectionGroupID) bool) *recovery.Plan {
	waves := join(path, "waves")
	at := func(i int) string { return item(waves, i) }
	for i, need := range d.Needs {
		r.add(item(join(path, "needs"), i), recovery.Quote(need)+" is nothing that this version of Muster knows")
	}
	for i := range d.Waves {
		w := &d.Waves[i]
		r.listed(at(i), w)
		if w.Independent && len(w.DependsOn) > 0 {
			r.add(at(i)+".independent", "and dependsOnWaves are both given: a wave that is independent waits for none")
		}
	}
	plan, problems := d.Asked().Take(groups, later)
	for i := range plan.Waves {
		w := &plan.Waves[i]
		for j, s := range d.Waves[i].Servers {
			if len(s.LaunchConfig) > 0 {
				r.contradicts(item(at(i)+".servers", j)+".serverId", w.Servers[j], plan.Groups[w.Group].For(s.ID))
			}
		}
	}
	said := map[int]bool{}
	tell := func(problem recovery.PlanProblem, of string) {
		path := at(problem.Wave)
		switch listed := d.Waves[problem.Wave].Servers != nil; {
		case listed && problem.Server >= 0:
			path = item(path+".servers", problem.Server) + ".serverId"
		case !listed && d.Waves[problem.Wave].Group != "":
			path += ".protectionGroupId"
		}
		r.about(path, of+problem.Text)
	}
	for _, problem := range problems {
		said[problem.Wave] = true
		tell(problem, "the wave ")
	}
	for _, problem := range plan.CheckServers() {
		w := &plan.Waves[problem.Wave]
		switch none := len(w.Servers) == 0 && w.Tags == nil; {
		case none && (w.Group != "" || said[problem.Wave] || d.Waves[problem.Wave].Servers != nil):
		case problem.Server >= 0:
			tell(problem, "")
		default:
			tell(problem, "the wave ")
		}
	}
	r.order(&plan, waves, at)
	return &plan
}

func join(path, key string) string { return fields{path: path}.at(key) }

// order names what is wrong with the order of the waves that have a number.
func (r reader) order(plan *recovery.Plan, path string, at func(int) string) {
	numbered, places := *plan, []int{}
	numbered.Waves = nil
	for i, w := range plan.Waves {
		if w.Number != numberless {
			numbered.Waves, places = append(numbered.Waves, w), append(places, i)
		}
	}
	for _, problem := range numbered.Check() {
		if problem.Wave < 0 {
			r.add(path, problem.Text)
			continue
		}
		where, w := at(places[problem.Wave]), &numbered.Waves[problem.Wave]
		switch {
		case problem.Dependency < 0:
			where += ".waveNumber"
		case w.DependsOn[problem.Dependency] == numberless:
			continue // said already
		default:
			where = item(where+".dependsOnWaves", problem.Dependency)
		}
		r.about(where, problem.Text)
	}
}

// listed names what is wrong with the servers that a wave lists. Somebody has to
// say how each is launched: it itself, or its group; an empty {} says it: as DRS
// has it.
func (r reader) listed(path string, w *recovery.WaveDocument) {
	for i, s := range w.Servers {
		if !r.lax && s.Hostname != "" {
			r.check(item(path+".servers", i)+".hostname", recovery.CheckText(s.Hostname))
		}
		if s.LaunchConfig == nil && w.Group == "" {
			r.add(item(path+".servers", i)+".launchConfig", "is missing, and the wave has no protectionGroupId to take it from ({} launches the server as DRS has it)")
		}
	}
}

// plainFields reads members whose own problems are noted elsewhere.
func plainFields(path string, v value, known keys) fields {
	if v.kind() != object {
		return fields{&problems{}, path, map[string]value{}}
	}
	return new(problems).fields(path, v, known)
}
