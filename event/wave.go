package event

import (
	"cmp"
	"maps"
	"slices"

	"muster/recovery"
)

// waves are the elements of state.waves by their number. Only the one that is
// to be started is read in full: another one's servers may have been left out
// (serverCount stands for them in large plans), and a mistake in a wave of
// tomorrow must not hold up today's recovery. What is checked in all of them
// is what says which wave is which, and the shape of what orders them.
type waves map[int]foundWave

type foundWave struct {
	path      string
	value     value
	number    recovery.WaveNumber
	dependsOn []recovery.WaveNumber // whether there are such waves or not
}

// orderKeys are what a wave says of its place in the plan: what is read of
// every wave, and what else is of no interest where one is started.
var (
	orderKeys   = keySet("waveNumber", "dependsOnWaves")
	plannedKeys = union(orderKeys, keySet("independent", "pauseBeforeWave", "onFailure", "timeoutMinutes", "impactLevel"))
)

// waves reads state.waves.
func (f fields) waves() waves {
	all := waves{}
	list, ok := f.need("waves")
	if !ok {
		return nil
	}
	if k := list.kind(); k != array {
		f.add(f.at("waves"), mustBe(array, k))
		return nil
	}
	for i, v := range list.items() {
		var w struct {
			Number    recovery.WaveNumber   `json:"waveNumber" need:""`
			DependsOn []recovery.WaveNumber `json:"dependsOnWaves"`
		}
		path := item(f.at("waves"), i)
		reader{problems: f.problems, lax: true}.read(path, v, &w)
		if v.kind() != object || w.Number == numberless {
			continue
		}
		if before, twice := all[int(w.Number)]; twice {
			f.addf(path+".waveNumber", "is %d, and so is that of %s", w.Number, before.path)
			continue
		}
		w.DependsOn = slices.DeleteFunc(w.DependsOn, func(n recovery.WaveNumber) bool { return n == numberless })
		all[int(w.Number)] = foundWave{path, v, w.Number, w.DependsOn}
	}
	return all
}

// wave reads the wave that is to be started into w.
func (f fields) wave(state value, all waves, wanted int, w *waveStart) {
	found, ok := all[wanted]
	if !ok {
		if all != nil {
			f.addf("wave_number", "is %d, and no wave in state.waves has that waveNumber (there are: %s)", wanted, cmp.Or(some(slices.Sorted(maps.Keys(all))), "none"))
		}
		return
	}
	in := reader{problems: f.problems, lax: true}
	wave := in.stateWave(found, plannedKeys)
	servers := map[recovery.ProtectionGroupID][]recovery.SourceServerID{}
	wave.listed(servers)
	groups := in.stateGroups(f, servers)
	in.withServers(found, &wave, groups)
	one := (&recovery.PlanDocument{Waves: []recovery.WaveDocument{wave.WaveDocument}, Groups: groups}).Whole()
	in.servers(one, func(int) string { return found.path })
	account := w.Wave.Account
	if w.Wave = one.Waves[0].Wave; wave.Account == nil {
		w.Wave.Account = account // else the wave's own, whole: nothing is inherited
	}
	w.Groups = one.Groups
	if name := plainFields("", found.value, keySet("waveName")).known["waveName"]; name.given() {
		w.waveName = name.raw()
	}
	w.Dependencies = f.dependencies(state, all, w)
}

// stateWave reads a wave of a state.
func (r reader) stateWave(found foundWave, skip keys) (w flatWave) {
	r.skip = skip
	r.read(found.path, found.value, &w)
	w.Number, w.DependsOn = found.number, found.dependsOn
	return w
}

// listed adds the wave's servers to those of its group.
func (w *flatWave) listed(servers map[recovery.ProtectionGroupID][]recovery.SourceServerID) {
	if w.Group == "" {
		return
	}
	ids := servers[w.Group]
	for _, s := range w.Servers {
		ids = append(ids, s.ID)
	}
	servers[w.Group] = ids
}

// withServers makes sure that a wave has servers, and says whether only the
// record lists them: serverCount stands for them.
func (r reader) withServers(found foundWave, w *flatWave, groups groupDocuments) (counted bool) {
	r.listed(found.path, &w.WaveDocument)
	g := groups[w.Group]
	switch {
	case w.Servers != nil:
		return false
	case w.ServerCount == nil && (g == nil || g.Tags == nil):
		r.add(found.path+".servers", "is missing: "+recovery.Server{}.Least())
	}
	return w.ServerCount != nil
}

// servers names what is wrong with which servers the waves list.
func (r reader) servers(plan *recovery.Plan, at func(int) string) {
	for _, problem := range plan.CheckServers() {
		path := at(problem.Wave) + ".servers"
		if w := &plan.Waves[problem.Wave]; len(w.Servers) == 0 && w.Tags == nil {
			continue // said already
		}
		if problem.Server >= 0 {
			path = item(path, problem.Server)
		}
		r.add(path, problem.Text)
	}
}

// stateGroups reads the protection groups that a state brings along, as far as
// they are of interest: groups of these servers, and what they set for those.
// The rest is none of our business.
func (r reader) stateGroups(f fields, servers map[recovery.ProtectionGroupID][]recovery.SourceServerID) groupDocuments {
	all := f.known["protectionGroups"]
	if !all.given() {
		return nil
	}
	wanted := keys{}
	for id := range servers {
		wanted[string(id)] = id.Check() == nil
	}
	groups := groupDocuments{}
	given := r.fields(f.at("protectionGroups"), all, wanted).known
	for _, id := range slices.Sorted(maps.Keys(given)) {
		v := given[id]
		if !v.given() {
			continue
		}
		var g struct {
			Tags         map[string]string     `json:"tags"`
			LaunchConfig recovery.LaunchConfig `json:"launchConfig"`
			Overrides    value                 `json:"overrides"`
		}
		path := entry(f.at("protectionGroups"), id)
		r.read(path, v, &g)
		if g.Tags != nil && len(g.Tags) == 0 {
			r.add(path+".tags", "is empty, and no tags at all would mean every server")
		}
		groups[recovery.ProtectionGroupID(id)] = &recovery.GroupDocument{Tags: g.Tags, LaunchConfig: g.LaunchConfig,
			Overrides: r.stateOverrides(path+".overrides", g.Overrides, servers[recovery.ProtectionGroupID(id)])}
	}
	return groups
}

func (r reader) stateOverrides(path string, all value, servers []recovery.SourceServerID) map[recovery.SourceServerID]recovery.LaunchConfig {
	if !all.given() {
		return nil
	}
	wanted := keys{}
	for _, id := range servers {
		wanted[string(id)] = id.Check() == nil
	}
	overrides := map[recovery.SourceServerID]recovery.LaunchConfig{}
	given := r.fields(path, all, wanted).known
	for _, id := range slices.Sorted(maps.Keys(given)) {
		if v := given[id]; v.given() {
			overrides[recovery.SourceServerID(id)] = r.config(entry(path, id), v)
		}
	}
	return overrides
}
