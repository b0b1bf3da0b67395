package event

import "muster/recovery"

// dependencies reads what the state says about the waves that the wave
// depends on. Their names are made of numbers, so which keys are ours is known
// only now: hence a second look at the state.
func (f fields) dependencies(state value, all waves, w *waveStart) (deps []recovery.Dependency) {
	own := all[w.Wave.Number]
	read := keySet(waveKey(w.Wave.Number, "JobId"), waveKey(w.Wave.Number, "Status"))
	for _, number := range own.dependsOn {
		n := int(number)
		if _, exists := all[n]; !exists {
			continue
		}
		read[waveKey(n, "JobId")], read[waveKey(n, "Status")] = true, true
	}
	said := f.fields("state", state, read)
	path := own.path + ".dependsOnWaves"
	seen := map[int]bool{}
	for _, number := range own.dependsOn {
		n := int(number)
		other, exists := all[n]
		switch {
		case n == w.Wave.Number:
			f.addf(path, "names wave %d itself", n)
		case !exists:
			f.addf(path, "names wave %d, which state.waves does not have", n)
		case !seen[n]: // to say it twice changes nothing
			seen[n] = true
			deps = append(deps, said.dependency(n, other))
		}
	}
	f.dependencyAccounts(all, deps, w)
	return deps
}

// dependency reads what the state says about one wave's outcome.
func (f fields) dependency(n int, other foundWave) recovery.Dependency {
	d := recovery.Dependency{Wave: n}
	d.Status, _ = f.mayText(waveKey(n, "Status"))
	if id, ok := f.mayText(waveKey(n, "JobId")); ok && id != "" {
		d.JobID = recovery.JobID(id)
		f.check(f.at(waveKey(n, "JobId")), d.JobID.Check())
	}
	return d
}

// dependencyAccounts says where each dependency's job is looked for: in that
// wave's own account.
func (f fields) dependencyAccounts(all waves, deps []recovery.Dependency, w *waveStart) {
	if len(deps) == 0 {
		return
	}
	var quiet problems
	shared := quiet.account("", f.known["accountContext"])
	for i := range deps {
		other := all[deps[i].Wave]
		own := f.fields(other.path, other.value, keySet("accountContext"))
		deps[i].Account = shared
		if v := own.known["accountContext"]; v.given() {
			deps[i].Account = f.account(own.at("accountContext"), v)
		}
	}
}
