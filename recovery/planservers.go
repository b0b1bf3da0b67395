package recovery

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// CheckServers names everything that is wrong with which servers the waves
// have: none at all, more than one job takes, or one that an earlier wave has
// too. The texts go on where the wave's name ends. Waves whose servers are not known yet are let pass.
func (p *Plan) CheckServers() []PlanProblem {
	var problems []PlanProblem
	complain := func(wave, server int, format string, args ...any) {
		problems = append(problems, PlanProblem{wave, -1, server, fmt.Sprintf(format, args...)})
	}
	owner := map[SourceServerID]int{}     // the wave that has it, by index
	tagged := map[ProtectionGroupID]int{} // the wave that takes all that its tags find, by number
	for i := range p.Waves {
		w := &p.Waves[i]
		first, taken := tagged[w.Group]
		switch n := len(w.Servers); {
		case n == 0 && w.Tags != nil && taken:
			complain(i, -1, "takes all servers of protection group %s, and so does wave %d", w.Group, first)
		case n == 0 && w.Tags != nil:
			tagged[w.Group] = w.Number
		case n == 0:
			complain(i, -1, "has no servers")
		case n > MostServers:
			complain(i, -1, "has %d servers, and DRS takes at most %d in one job: split it", n, MostServers)
		}
		shared := map[int][]int{} // another wave → our servers that it has, both by index
		for s := range w.Servers {
			id := w.Servers[s].ID
			if id == "" { // it could not be read, which was said
				continue
			}
			if first, taken := owner[id]; taken {
				shared[first] = append(shared[first], s)
			} else {
				owner[id] = i
			}
		}
		for _, other := range slices.Sorted(maps.Keys(shared)) {
			what := fmt.Sprintf("is in wave %d too", p.Waves[other].Number)
			if other == i {
				what = "is named twice"
			}
			complain(i, shared[other][0], "%s %s", w.someServers(shared[other]), what)
		}
	}
	return problems
}

// someServers names a few of the wave's servers.
func (w *Wave) someServers(indexes []int) string {
	const most = 3
	var words []string
	for _, s := range indexes[:min(most, len(indexes))] {
		words = append(words, string(w.Servers[s].ID))
	}
	text := strings.Join(words, ", ")
	if more := len(indexes) - most; more > 0 {
		text += fmt.Sprintf(" and %d more: each of them", more)
	} else if len(indexes) > 1 {
		text += ": each of them"
	}
	return text
}

// Fill makes what DRS found by the tags of the wave's group the wave's
// servers: all that was found; or, where the wave lists servers itself, those,
// which must be among them. The error is a VALIDATION_ERROR.
func (w *PlannedWave) Fill(found []SourceServer) error {
	about := fmt.Sprintf("wave %d, protection group %s by the tags %s in account %s, %s", w.Number, w.Group, tagText(w.Tags), w.Account.AccountID, w.Account.Region)
	if len(found) == 0 {
		return Errorf(ValidationError, "%s: no source server has them", about)
	}
	hostnames := make(map[SourceServerID]string, len(found))
	for _, s := range found {
		hostnames[s.ID] = s.Hostname
	}
	if w.Servers == nil {
		for _, id := range slices.SortedFunc(maps.Keys(hostnames), func(a, b SourceServerID) int {
			return cmp.Or(cmp.Compare(hostnames[a], hostnames[b]), cmp.Compare(a, b))
		}) {
			w.Servers = append(w.Servers, Server{ID: id, Hostname: hostnames[id]})
		}
		w.Tags = nil
		return nil
	}
	var strangers []string
	w.Servers = slices.Clone(w.Servers) // the plan as it was asked for stays as it was
	for i := range w.Servers {
		s := &w.Servers[i]
		hostname, known := hostnames[s.ID]
		if !known {
			strangers = append(strangers, string(s.ID))
		} else if s.Hostname == "" {
			s.Hostname = hostname
		}
	}
	if strangers != nil {
		return Errorf(ValidationError, "%s: the wave lists servers that do not have them: %s", about, strings.Join(strangers, ", "))
	}
	w.Tags = nil
	return nil
}

// tagText tells tags in a fixed order.
func tagText(tags map[string]string) string {
	var words []string
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		words = append(words, Quote(key)+"="+Quote(tags[key]))
	}
	return strings.Join(words, ", ")
}
