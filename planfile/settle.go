package planfile

import (
	"slices"
	"strings"

	"muster/recovery"
)

// settle gives every wave what it takes from its group and from the plan, and
// names what is wrong with the whole.
func (p *planReader) settle() {
	for i := range p.waves {
		w, at := &p.plan.Waves[i], &p.waves[i]
		g := p.groups.byID[w.Group]
		if at.group.node != nil && g == nil {
			if w.Group != "" {
				p.complainAt(at.group, "the plan has no group %s; %s", w.Group, p.groups.names())
			}
			at.listed = true // do not ask for servers as well
		}
		if at.broken {
			continue
		}
		if g != nil {
			if p.plan.Groups == nil {
				p.plan.Groups = map[recovery.ProtectionGroupID]*recovery.ProtectionGroup{}
			}
			p.plan.Groups[w.Group] = &g.ProtectionGroup
		}
		p.settleAccount(w, at, g)
		p.settleServers(w, at, g)
	}
	if p.account != nil {
		p.plan.Account = *p.account
	}
	p.checkOrder()
	p.checkServers()
}

// names tells some of the groups for a message.
func (g *Groups) names() string {
	const most = 10
	if len(g.ids) == 0 {
		return "it has none at all"
	}
	var words []string
	for _, id := range g.ids[:min(most, len(g.ids))] {
		if id.Check() == nil {
			words = append(words, string(id))
		}
	}
	if len(g.ids) > most {
		words = append(words, "more")
	}
	return "it has " + strings.Join(words, ", ")
}

// settleAccount: a wave's own account over its group's over the plan's, each
// of them whole.
func (p *planReader) settleAccount(w *recovery.PlannedWave, at *writtenWave, g *group) {
	account := at.account
	if account == nil && g != nil {
		account = g.account
	}
	if account == nil {
		account = p.account
	}
	if account == nil {
		p.complainAt(at.place, "has no accountContext: neither the wave, nor its group, nor the plan gives one")
		return
	}
	w.Account = *account
}

func (p *planReader) settleServers(w *recovery.PlannedWave, at *writtenWave, g *group) {
	switch {
	case at.listed && g == nil:
		for i, bare := range at.bare {
			if bare && at.group.node == nil {
				p.complainAt(at.servers[i], "%s has no launchConfig, and the wave no protectionGroupId to take it from ({} launches it as DRS has it)", w.Servers[i].ID)
			}
		}
	case at.listed:
		w.Tags = g.tags
		for i, s := range w.Servers {
			if g.servers != nil && !slices.Contains(g.servers, s.ID) {
				p.complainAt(at.servers[i], "%s is not among the servers of group %s", s.ID, w.Group)
			}
			if len(s.LaunchConfig) > 0 {
				p.contradictions(at.servers[i].node, at.servers[i].path, s, g.For(s.ID))
			}
		}
	case g == nil:
		p.complainAt(at.place, "has neither servers nor a protectionGroupId to take them from")
	case g.tags != nil:
		w.Tags = g.tags
	case len(g.servers) == 0:
		p.complainAt(at.group, "the wave lists no servers, and group %s has neither servers nor tags", w.Group)
	default:
		for _, id := range g.servers {
			w.Servers = append(w.Servers, recovery.Server{ID: id})
		}
	}
	if g == nil {
		for i, s := range w.Servers {
			p.contradictions(at.servers[i].node, at.servers[i].path, s, nil)
		}
	}
}

func (p *planReader) complainAt(at place, format string, args ...any) {
	p.complain(at.node, at.path, format, args...)
}

// checkOrder puts what is wrong with the order of the waves at its place.
func (p *planReader) checkOrder() {
	plan, written := p.numbered()
	for _, problem := range plan.Check() {
		switch {
		case problem.Wave < 0:
			p.complain(p.root, "waves", "%s", problem.Text)
		case problem.Dependency >= 0:
			p.complainAt(written[problem.Wave].dependsOn[problem.Dependency], "%s", problem.Text)
		default:
			p.complainAt(written[problem.Wave].number, "%s", problem.Text)
		}
	}
}

// numbered is the plan without waves that have no number: others could not
// mean those.
func (p *planReader) numbered() (*recovery.Plan, []*writtenWave) {
	plan := *p.plan
	plan.Waves = nil
	var written []*writtenWave
	for i, w := range p.plan.Waves {
		if w.Number != numberless {
			plan.Waves = append(plan.Waves, w)
			written = append(written, &p.waves[i])
		}
	}
	return &plan, written
}

// checkServers puts what is wrong with the waves' servers at its place.
func (p *planReader) checkServers() {
	plan, written := p.numbered()
	for _, problem := range plan.CheckServers() {
		if len(plan.Waves[problem.Wave].Servers) == 0 {
			continue // said already, with its reason
		}
		at := written[problem.Wave]
		where := at.group
		if at.listed {
			where = at.place
			if problem.Server >= 0 {
				where = at.servers[problem.Server]
			}
		}
		p.complainAt(where, "%s", problem.Text)
	}
	p.checkTags()
}

// checkTags finds waves that would take the same servers: all that the tags of
// one group give.
func (p *planReader) checkTags() {
	first := map[recovery.ProtectionGroupID]int{}
	for i := range p.waves {
		w, at := &p.plan.Waves[i], &p.waves[i]
		if w.Tags == nil || at.listed {
			continue
		}
		if n, taken := first[w.Group]; taken {
			p.complainAt(at.group, "wave %d takes all servers of group %s already", n, w.Group)
			continue
		}
		first[w.Group] = w.Number
	}
}
