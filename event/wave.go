package event

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"muster/recovery"
)

// waves are the elements of state.waves by their number. Only the one that is
// to be started is read in full: another one's servers may have been left out
// (serverCount stands for them in large plans), and a mistake in a wave of
// tomorrow must not hold up today's recovery. What is checked in all of them
// is what says which wave is which, and the shape of what orders them.
type waves map[int]foundWave

type foundWave struct {
	path  string
	value value
}

var (
	everyWaveKeys = keySet("waveNumber", "dependsOnWaves")
	waveKeys      = keySet("waveName", "protectionGroupId", "servers", "serverCount", "accountContext")
	serverKeys    = keySet("serverId", "hostname", "launchConfig", "recoverySnapshotID")
)

// waves reads state.waves.
func (f fields) waves() waves {
	all := waves{}
	if _, ok := f.need("waves"); !ok {
		return nil
	}
	list, ok := f.mayArray("waves")
	if !ok {
		return nil
	}
	for i, v := range list.items() {
		path := item(f.at("waves"), i)
		w := f.fields(path, v, everyWaveKeys)
		if v.kind() != object {
			continue
		}
		w.dependsOn()
		numberValue, ok := w.need("waveNumber")
		if !ok {
			continue
		}
		n, wrong := waveNumber(numberValue)
		if wrong != "" {
			f.add(w.at("waveNumber"), wrong)
			continue
		}
		if before, twice := all[n]; twice {
			f.addf(w.at("waveNumber"), "is %d, and so is that of %s", n, before.path)
			continue
		}
		all[n] = foundWave{path, v}
	}
	return all
}

// numbers names some of the waves, for a message.
func (w waves) numbers() string {
	if len(w) == 0 {
		return "none"
	}
	const most = 10
	var all []int
	for n := range w {
		all = append(all, n)
	}
	slices.Sort(all)
	var words []string
	for _, n := range all[:min(most, len(all))] {
		words = append(words, strconv.Itoa(n))
	}
	if more := len(all) - most; more > 0 {
		words = append(words, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(words, ", ")
}

// wave reads the wave that is to be started into w.
func (f fields) wave(state value, all waves, wanted int, w *waveStart) {
	found, ok := all[wanted]
	if !ok {
		if all != nil {
			f.addf("wave_number", "is %d, and no wave in state.waves has that waveNumber (there are: %s)", wanted, all.numbers())
		}
		return
	}
	wf := f.fields(found.path, found.value, waveKeys)
	groups := f.groupValues(wf.groupID())
	w.Wave.Number = wanted
	w.waveName = f.oneWave(wf, groups, &w.Wave, false)
	w.Groups = f.groups(groups, map[recovery.ProtectionGroupID][]recovery.SourceServerID{w.Wave.Group: w.Wave.ServerIDs()})
	w.Dependencies = f.dependencies(state, all, w)
}

// oneWave reads a wave, whose account is the state's so far, and gives its
// name as it came. A wave of a plan that is stored may leave its servers to its
// group.
func (f fields) oneWave(wf fields, groups groupValues, w *recovery.Wave, stored bool) (name []byte) {
	w.Name, name = wf.name()
	if v := wf.known["accountContext"]; v.given() {
		w.Account = f.account(wf.at("accountContext"), v) // the wave's own, whole: nothing is inherited
	}
	if id, ok := wf.mayText("protectionGroupId"); ok && id != "" {
		w.Group = recovery.ProtectionGroupID(id)
		f.check(wf.at("protectionGroupId"), w.Group.Check())
	}
	if wf.known["servers"].given() || !wf.counted() && !groups.tagged(w.Group) && !(stored && w.Group != "") {
		w.Servers = wf.servers(w.Group != "")
	}
	return name
}

// counted says whether only the record lists the wave's servers: serverCount
// stands for them.
func (f fields) counted() bool {
	v := f.known["serverCount"]
	if !v.given() {
		return false
	}
	f.mayWhole("serverCount", 1, recovery.MostServers)
	return true
}

// group gives the id of the wave's group, whatever it looks like.
func (f fields) groupID() recovery.ProtectionGroupID {
	return recovery.ProtectionGroupID(name(f.known["protectionGroupId"]))
}

// name gives a wave's name as text and as the bytes it came in.
func (f fields) name() (string, []byte) {
	s, ok := f.mayText("waveName")
	if !ok {
		return "", nil
	}
	return s, f.known["waveName"].raw()
}

// servers reads a wave's servers.
func (f fields) servers(grouped bool) []recovery.Server {
	list, ok := f.mayArray("servers")
	if !ok {
		if !f.known["servers"].given() {
			f.add(f.at("servers"), "is missing: a wave needs at least 1 server")
		}
		return nil
	}
	switch count := list.count(); {
	case count == 0:
		f.add(f.at("servers"), "is empty: a wave needs at least 1 server")
	case count > recovery.MostServers:
		f.addf(f.at("servers"), "has %d servers, and DRS takes at most %d in one wave", count, recovery.MostServers)
	}
	var servers []recovery.Server
	first := map[recovery.SourceServerID]string{}
	for i, v := range list.items() {
		if i == recovery.MostServers {
			break // the wave has to be cut anyway
		}
		path := item(f.at("servers"), i)
		s := f.server(path, v, grouped)
		if before, twice := first[s.ID]; twice {
			f.addf(path+".serverId", "%s is also that of %s", recovery.Quote(string(s.ID)), before)
		} else if s.ID != "" {
			first[s.ID] = path
		}
		servers = append(servers, s)
	}
	return servers
}

// server reads one server. Every server needs a launch configuration from
// somewhere: its own, or its group's. Where there is neither, nobody has said
// how it is to be launched; an empty {} says it: as DRS has it.
func (p *problems) server(path string, v value, grouped bool) (s recovery.Server) {
	f := p.fields(path, v, serverKeys)
	if v.kind() != object {
		return s
	}
	s.ID = recovery.SourceServerID(f.needText("serverId", func(s string) error { return recovery.SourceServerID(s).Check() }))
	s.Hostname, _ = f.mayText("hostname")
	if c := f.known["launchConfig"]; c.given() {
		s.LaunchConfig = p.launchConfig(f.at("launchConfig"), c)
	} else if !grouped {
		f.add(f.at("launchConfig"), "is missing, and the wave has no protectionGroupId to take it from ({} launches the server as DRS has it)")
	}
	if id, ok := f.mayText("recoverySnapshotID"); ok && id != "" && id != "AUTO" {
		s.Snapshot = recovery.SnapshotID(id)
		f.check(f.at("recoverySnapshotID"), s.Snapshot.Check())
	}
	return s
}
