package recovery

import (
	"fmt"
	"maps"
	"slices"
)

// GroupsNeeded lists the groups whose servers, settings or account the plan's
// waves leave to a store, each once, sorted.
func (p *Plan) GroupsNeeded() []ProtectionGroupID {
	needed := map[ProtectionGroupID]bool{}
	for i := range p.Waves {
		w := &p.Waves[i]
		if w.Group != "" && p.Groups[w.Group] == nil && (w.Servers == nil || !w.Configured() || w.Account == AccountContext{}) {
			needed[w.Group] = true
		}
	}
	return slices.Sorted(maps.Keys(needed))
}

// Settle gives the plan with what its waves leave to their groups and to the
// plan: servers or the tags that find them, settings, and the account, where a
// wave's own wins over its group's, and that over the plan's, each of them
// whole. A group that the plan brings itself hides the one of its id in groups.
// The plan itself stays as it is.
//
// The error, a VALIDATION_ERROR, names everything that is missing and all that
// is wrong with the whole; of very much the first.
func (p *Plan) Settle(groups map[ProtectionGroupID]*PlannedGroup) (*Plan, error) {
	settled := *p
	settled.Waves = slices.Clone(p.Waves)
	settled.Groups = maps.Clone(p.Groups)
	var wrong []string
	for i := range settled.Waves {
		w := &settled.Waves[i]
		g := groups[w.Group]
		if p.Groups[w.Group] != nil {
			g = nil
		}
		if err := w.settle(g, p); err != nil {
			wrong = append(wrong, err.Error())
		}
		if g == nil {
			continue
		}
		if settled.Groups == nil {
			settled.Groups = map[ProtectionGroupID]*ProtectionGroup{}
		}
		settled.Groups[w.Group] = &g.ProtectionGroup
	}
	for _, problem := range settled.Check() {
		wrong = append(wrong, problem.Text)
	}
	for _, problem := range settled.CheckServers() {
		if w := &settled.Waves[problem.Wave]; len(w.Servers) > 0 { // else it was said, with its reason
			wrong = append(wrong, fmt.Sprintf("wave %d %s", w.Number, problem.Text))
		}
	}
	if wrong != nil {
		return nil, Errorf(ValidationError, "plan %s: %s", p.ID, some(wrong, "; "))
	}
	return &settled, nil
}

func (w *PlannedWave) settle(g *PlannedGroup, p *Plan) error {
	about := fmt.Sprintf("wave %d", w.Number)
	if (w.Account == AccountContext{}) {
		w.Account = p.Account
		if g != nil && g.Account != nil {
			w.Account = *g.Account
		}
		if (w.Account == AccountContext{}) {
			return fmt.Errorf("%s has no accountContext: neither the wave, nor its group, nor the plan gives one", about)
		}
	}
	switch {
	case w.Tags != nil:
	case w.Servers != nil && g == nil:
		if p.Groups[w.Group] == nil && !w.Configured() {
			return fmt.Errorf("%s takes launch settings from protection group %s, which is not stored", about, Quote(string(w.Group)))
		}
	case w.Servers != nil:
		w.Tags = g.Tags
		if g.Servers == nil {
			return nil
		}
		for _, s := range w.Servers {
			if !slices.Contains(g.Servers, s.ID) {
				return fmt.Errorf("%s lists %s, which is not among the servers of protection group %s", about, s.ID, w.Group)
			}
		}
	case w.Group == "":
		return fmt.Errorf("%s has neither servers nor a protectionGroupId to take them from", about)
	case p.Groups[w.Group] != nil:
		return fmt.Errorf("%s lists no servers, and the plan's own protection group %s has no tags to find them by", about, w.Group)
	case g == nil:
		return fmt.Errorf("%s takes its servers from protection group %s, which is not stored", about, w.Group)
	case g.Tags != nil:
		w.Tags = g.Tags
	case len(g.Servers) == 0:
		return fmt.Errorf("%s lists no servers, and protection group %s has neither servers nor tags", about, w.Group)
	default:
		for _, id := range g.Servers {
			w.Servers = append(w.Servers, Server{ID: id})
		}
	}
	return nil
}
