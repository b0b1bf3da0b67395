package planfile

import (
	"time"

	"go.yaml.in/yaml/v3"

	"muster/recovery"
)

// place is where something stands in a file.
type place struct {
	node *yaml.Node
	path string
}

// writtenWave is what the file says of one wave beside what the plan keeps:
// where, and what is to be settled.
type writtenWave struct {
	place
	number    place   // of its waveNumber
	group     place   // of its protectionGroupId
	dependsOn []place // of each dependency
	listed    bool    // it names its servers itself
	servers   []place // of each server's id
	bare      []bool  // of each server: it has no settings of its own
	account   *recovery.AccountContext
	broken    bool // it is no mapping
}

// numberless is the number of a wave whose own is missing or wrong: there may
// be several, and none is meant by any other.
const numberless = -1

func (p *planReader) readWaves(n *yaml.Node, path string) {
	p.list(n, path, func(n *yaml.Node, path string) {
		wave, written := p.wave(n, path)
		p.plan.Waves = append(p.plan.Waves, wave)
		p.waves = append(p.waves, written)
	})
	if len(p.waves) == 0 {
		p.complain(n, path, "a plan has at least one wave")
	}
}

func (p *planReader) wave(n *yaml.Node, path string) (recovery.PlannedWave, writtenWave) {
	w := recovery.PlannedWave{Wave: recovery.Wave{Number: numberless}}
	at := writtenWave{place: place{n, path}}
	given := p.mapping(n, path, keys{
		"waveNumber": func(n *yaml.Node, path string) {
			if number, ok := p.waveNumber(n, path); ok {
				w.Number, at.number = number, place{n, path}
			}
		},
		"waveName": func(n *yaml.Node, path string) { w.Name = p.checked(n, path, recovery.CheckText) },
		"protectionGroupId": func(n *yaml.Node, path string) {
			at.group = place{n, path}
			w.Group = recovery.ProtectionGroupID(p.checked(n, path, func(s string) error { return recovery.ProtectionGroupID(s).Check() }))
		},
		"accountContext": func(n *yaml.Node, path string) { at.account = p.checker.account(n, path) },
		"dependsOnWaves": func(n *yaml.Node, path string) {
			p.list(n, path, func(n *yaml.Node, path string) {
				if number, ok := p.waveNumber(n, path); ok {
					w.DependsOn = append(w.DependsOn, number)
					at.dependsOn = append(at.dependsOn, place{n, path})
				}
			})
		},
		"independent":     func(n *yaml.Node, path string) { w.Independent = p.flag(n, path) },
		"pauseBeforeWave": func(n *yaml.Node, path string) { w.PauseBefore = p.flag(n, path) },
		"onFailure": func(n *yaml.Node, path string) {
			w.OnFailure = recovery.OnFailure(p.checked(n, path, func(s string) error { return recovery.OnFailure(s).Check() }))
		},
		"timeoutMinutes": func(n *yaml.Node, path string) { w.Timeout = p.timeout(n, path) },
		"servers":        func(n *yaml.Node, path string) { w.Servers = p.waveServers(n, path, &at) },
	})
	at.broken = given == nil
	if !at.broken && !given["waveNumber"] {
		p.complain(n, path, "waveNumber is missing")
	}
	if w.Independent && len(w.DependsOn) > 0 {
		p.complain(n, join(path, "independent"), "a wave that is independent waits for none, and this one has dependsOnWaves")
	}
	return w, at
}

func (p *planReader) waveNumber(n *yaml.Node, path string) (int, bool) {
	number, ok := p.number(n, path)
	if !ok {
		return 0, false
	}
	if err := recovery.CheckWaveNumber(number); err != nil {
		p.complain(n, path, "%v", err)
		return 0, false
	}
	return number, true
}

func (p *planReader) timeout(n *yaml.Node, path string) time.Duration {
	minutes, ok := p.number(n, path)
	if !ok {
		return 0
	}
	timeout := time.Duration(minutes) * time.Minute
	if recovery.CheckWaveTimeout(timeout) != nil {
		p.complain(n, path, "is %d, but a wave is given from %d to %d minutes", minutes,
			int(recovery.ShortestWaveTimeout.Minutes()), int(recovery.LongestWaveTimeout.Minutes()))
		return 0
	}
	return timeout
}

// waveServers reads the servers that a wave names itself.
func (p *planReader) waveServers(n *yaml.Node, path string, at *writtenWave) []recovery.Server {
	at.listed = true
	var servers []recovery.Server
	seen := map[recovery.SourceServerID]bool{}
	p.list(n, path, func(n *yaml.Node, path string) {
		s, id, bare := p.server(n, path)
		if s.ID == "" {
			return
		}
		if seen[s.ID] {
			p.complain(id.node, id.path, "%s is named twice", s.ID)
			return
		}
		seen[s.ID] = true
		servers = append(servers, s)
		at.servers = append(at.servers, id)
		at.bare = append(at.bare, bare)
	})
	if n := unfold(n); n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		p.complain(n, path, "is empty; leave the key out for all of the group's servers")
	}
	return servers
}

// server reads one server of a wave: the server, where its id stands, and
// whether it has no settings of its own.
func (p *planReader) server(n *yaml.Node, path string) (s recovery.Server, id place, bare bool) {
	given := p.mapping(n, path, keys{
		"serverId": func(n *yaml.Node, path string) {
			id = place{n, path}
			s.ID = recovery.SourceServerID(p.checked(n, path, func(s string) error { return recovery.SourceServerID(s).Check() }))
		},
		"hostname": func(n *yaml.Node, path string) { s.Hostname = p.checked(n, path, recovery.CheckText) },
		"impactLevel": func(n *yaml.Node, path string) {
			s.Impact = recovery.ImpactLevel(p.checked(n, path, func(s string) error { return recovery.ImpactLevel(s).Check() }))
		},
		"launchConfig": func(n *yaml.Node, path string) { s.LaunchConfig = p.launchConfig(n, path) },
		"recoverySnapshotID": func(n *yaml.Node, path string) {
			if n.Kind == yaml.ScalarNode && (n.Value == "AUTO" || n.Value == "") {
				return // both are the newest data
			}
			s.Snapshot = recovery.SnapshotID(p.checked(n, path, func(s string) error { return recovery.SnapshotID(s).Check() }))
		},
	})
	if given != nil && !given["serverId"] {
		p.complain(n, path, "serverId is missing")
	}
	return s, id, !given["launchConfig"]
}
