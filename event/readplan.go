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
	pollEvery time.Duration
	policy    recovery.ReadinessPolicy
	replace   []recovery.InstanceID
	gone      []recovery.TreatedAsGone
}

var planKeys = union(stateKeys, keySet("planName", "planOwner", "objectives", "pollSeconds"))

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
	r.order = slices.SortedFunc(maps.Values(r.waves), func(a, b foundWave) int { return cmp.Compare(a.value.start, b.value.start) })
	if list := f.known["waves"]; list.kind() == array && list.count() == 0 {
		f.add(f.at("waves"), "is empty: "+recovery.WaveDocument{}.Least())
	}
	if len(r.order) > recovery.MostWaves {
		f.addf(f.at("waves"), "has %d waves, and a plan may have %d", len(r.order), recovery.MostWaves)
		return r
	}
	r.read(f)
	return r
}

func (f fields) pollEvery() time.Duration {
	return time.Duration(f.mayWhole("pollSeconds", 1, 3600)) * time.Second
}

// read maps what the state says of the plan to the plan's document.
func (r *readPlan) read(f fields) {
	in := reader{problems: f.problems, lax: true}
	d := recovery.PlanDocument{Plan: recovery.PlanNames{ID: r.header.plan}}
	f.may("planName", &d.Plan.Name)
	f.may("planOwner", &d.Plan.Owner)
	f.may("objectives", &d.Objectives)
	read := make([]flatWave, len(r.order))
	servers := map[recovery.ProtectionGroupID][]recovery.SourceServerID{}
	for i, found := range r.order {
		w := &read[i]
		*w = in.stateWave(found, keySet("waveNumber", "dependsOnWaves"))
		w.listed(servers)
		d.Waves = append(d.Waves, w.WaveDocument)
	}
	d.Groups = in.stateGroups(f, servers)
	for i := range read {
		r.counted = in.withServers(r.order[i], &read[i], d.Groups) || r.counted
	}
	r.plan = d.Whole()
	r.plan.Account = r.account
	for i := range r.plan.Waves {
		if w := &r.plan.Waves[i]; d.Waves[i].Account == nil {
			w.Account = r.account
		}
	}
	if f.count == 0 {
		at := func(i int) string { return r.order[i].path }
		if !r.counted {
			in.servers(r.plan, at)
		}
		in.order(r.plan, f.at("waves"), at)
	}
}

// unreadable stands for the digest of a plan that is none: no plan has it.
const unreadable = "unreadable"

// digests mark the plan that a state carries, so that one which differs from
// what an execution was begun with is found; none for a state whose servers
// only the record lists.
func digests(state value) recovery.Digests {
	var quiet problems
	r := quiet.plan(state)
	if r.counted {
		return nil
	}
	if quiet.count == 0 {
		if d, err := r.plan.Digests(); err == nil {
			return d
		}
	}
	return recovery.Digests{unreadable}
}
