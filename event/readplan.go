package event

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"muster/recovery"
)

// readPlan is a plan as a state tells it.
type readPlan struct {
	header
	plan  *recovery.Plan
	order []foundWave // the waves as they stand in the state
	// counted: some waves do not list their servers any more, so that this is
	// the plan's order and not the plan.
	counted   bool
	path      string // of the document that tells it
	stored    bool   // its waves may leave servers and account to their groups
	pollEvery time.Duration
	policy    recovery.ReadinessPolicy
	replace   []recovery.InstanceID
	gone      []recovery.TreatedAsGone
}

var (
	planKeys    = union(stateKeys, keySet("planName", "planOwner", "objectives", "pollSeconds"))
	plannedKeys = union(waveKeys, keySet("waveNumber", "dependsOnWaves", "independent", "pauseBeforeWave", "onFailure", "timeoutMinutes"))
)

// mostMinutes is the most that an objective may be: a year.
const mostMinutes = 366 * 24 * 60

func union(sets ...keys) keys {
	all := keys{}
	for _, set := range sets {
		maps.Copy(all, set)
	}
	return all
}

// plan reads the whole plan that a state tells: every wave, in full.
func (p *problems) plan(state value) (r readPlan) {
	f := p.fields("state", state, planKeys)
	if state.kind() != object {
		return r
	}
	r.header = f.header()
	r.policy, r.replace, r.gone = f.policy(), f.replace(), f.gone(r.initiatedBy, r.startTime)
	r.pollEvery = f.pollEvery()
	r.read(f)
	return r
}

func (f fields) pollEvery() time.Duration {
	return time.Duration(f.mayWhole("pollSeconds", 1, 3600)) * time.Second
}

// planDocument reads a plan by itself, as put_plan takes it.
func (p *problems) planDocument(path string, doc value) *recovery.Plan {
	f := p.fields(path, doc, planKeys)
	if doc.kind() != object {
		return nil
	}
	r := readPlan{stored: true}
	r.header.plan = recovery.PlanID(f.needText("planId", func(s string) error { return recovery.PlanID(s).Check() }))
	if v := f.known["accountContext"]; v.given() {
		r.account = f.account(f.at("accountContext"), v)
	}
	r.waves = f.waves()
	r.read(f)
	p.strictPlan(path, doc)
	if r.counted {
		f.add(f.at("waves"), "say how many servers they have (serverCount), and not which: only a state may")
	}
	return r.plan
}

// read reads the plan when its header is known.
func (r *readPlan) read(f fields) {
	r.path = f.path
	r.plan = &recovery.Plan{ID: r.header.plan, Account: r.account, Objectives: f.objectives()}
	r.plan.Name, _ = f.mayText("planName")
	r.plan.Owner, _ = f.mayText("planOwner")
	r.order = slices.SortedFunc(maps.Values(r.waves), func(a, b foundWave) int { return cmp.Compare(a.value.start, b.value.start) })
	if list := f.known["waves"]; list.kind() == array && list.count() == 0 {
		f.add(f.at("waves"), "is empty: a plan has at least 1 wave")
	}
	if len(r.order) > recovery.MostWaves {
		f.addf(f.at("waves"), "has %d waves, and a plan may have %d", len(r.order), recovery.MostWaves)
		return
	}
	f.plannedWaves(r)
	if f.count == 0 {
		r.check(f.problems)
	}
}

// plannedWaves reads the waves, and each of their groups once: a plan may have
// many waves of one large group.
func (f fields) plannedWaves(r *readPlan) {
	var ids []recovery.ProtectionGroupID
	waves := make([]fields, len(r.order))
	for i, found := range r.order {
		waves[i] = f.fields(found.path, found.value, plannedKeys)
		ids = append(ids, waves[i].groupID())
	}
	groups := f.groupValues(ids...)
	tags := map[recovery.ProtectionGroupID]map[string]string{}
	for id, v := range groups {
		tags[id] = f.groupTags(id, v)
	}
	servers := map[recovery.ProtectionGroupID][]recovery.SourceServerID{}
	for _, wf := range waves {
		w := recovery.PlannedWave{}
		if !r.stored {
			w.Account = r.account
		}
		f.oneWave(wf, groups, &w.Wave, r.stored)
		w.Tags = tags[w.Group]
		r.counted = wf.planned(&w) || r.counted
		servers[w.Group] = append(servers[w.Group], w.ServerIDs()...)
		r.plan.Waves = append(r.plan.Waves, w)
	}
	r.plan.Groups = f.groups(groups, servers)
}

// check names what is wrong with the waves together.
func (r *readPlan) check(p *problems) {
	all := r.plan.Check()
	if !r.counted {
		for _, wrong := range r.plan.CheckServers() {
			if w := &r.plan.Waves[wrong.Wave]; !(r.stored && w.Group != "" && len(w.Servers) == 0) {
				all = append(all, wrong)
			}
		}
	}
	for _, wrong := range all {
		path := r.path + ".waves"
		if wrong.Wave >= 0 {
			path = r.order[wrong.Wave].path
		}
		switch {
		case wrong.Dependency >= 0:
			path = item(path+".dependsOnWaves", wrong.Dependency)
		case wrong.Server >= 0:
			path = item(path+".servers", wrong.Server)
		}
		p.add(path+":", wrong.Text)
	}
}

func (f fields) objectives() (o recovery.Objectives) {
	v := f.known["objectives"]
	if !v.given() {
		return o
	}
	in := f.fields(f.at("objectives"), v, keySet("recoveryTimeMinutes", "recoveryPointMinutes"))
	o.RecoveryTime = time.Duration(in.mayWhole("recoveryTimeMinutes", 0, mostMinutes)) * time.Minute
	o.RecoveryPoint = time.Duration(in.mayWhole("recoveryPointMinutes", 0, mostMinutes)) * time.Minute
	return o
}

// planned reads what a plan says of a wave, and whether the wave leaves its
// servers to the record.
func (f fields) planned(w *recovery.PlannedWave) (counted bool) {
	w.Number, _ = waveNumber(f.known["waveNumber"])
	var quiet problems // dependencies that are no numbers were noted with all waves
	w.DependsOn = fields{&quiet, f.path, f.known}.dependsOn()
	w.Independent = f.mayBool("independent")
	w.PauseBefore = f.mayBool("pauseBeforeWave")
	if s, ok := f.mayText("onFailure"); ok && s != "" {
		w.OnFailure = recovery.OnFailure(s)
		f.check(f.at("onFailure"), w.OnFailure.Check())
	}
	w.Timeout = time.Duration(f.mayWhole("timeoutMinutes", int(recovery.ShortestWaveTimeout.Minutes()), int(recovery.LongestWaveTimeout.Minutes()))) * time.Minute
	if servers := f.known["servers"]; servers.given() {
		f.impacts(servers, w.Servers)
		return false
	}
	return f.known["serverCount"].given()
}

// impacts reads how much each server matters to its wave.
func (f fields) impacts(list value, servers []recovery.Server) {
	if list.kind() != array {
		return
	}
	for i, v := range list.items() {
		if i >= len(servers) || v.kind() != object {
			continue
		}
		s := f.fields(item(f.at("servers"), i), v, keySet("impactLevel"))
		if level, ok := s.mayText("impactLevel"); ok && level != "" {
			servers[i].Impact = recovery.ImpactLevel(level)
			s.check(s.at("impactLevel"), servers[i].Impact.Check())
		}
	}
}

// unreadable stands for the digest of a plan that is none: no plan has it.
const unreadable = "unreadable"

// digest marks the plan that a state carries, so that one which differs from
// what an execution was begun with is found; "" for a state whose servers
// only the record lists.
func digest(state value) string {
	var quiet problems
	r := quiet.plan(state)
	switch {
	case r.counted:
		return ""
	case quiet.count > 0:
		return unreadable
	}
	d, err := r.plan.Digest()
	if err != nil {
		return unreadable
	}
	return d
}
