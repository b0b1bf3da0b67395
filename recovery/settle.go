package recovery

import (
	"errors"
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
	settled, problems := p.Take(groups, func(ProtectionGroupID) bool { return false })
	for _, problem := range settled.CheckServers() {
		if w := &settled.Waves[problem.Wave]; len(w.Servers) > 0 || w.Tags != nil { // else it was said, with its reason
			problems = append(problems, problem)
		}
	}
	var wrong []string
	for _, problem := range problems {
		wrong = append(wrong, fmt.Sprintf("wave %d %s", settled.Waves[problem.Wave].Number, problem.Text))
	}
	for _, problem := range settled.Check() {
		wrong = append(wrong, problem.Text)
	}
	if wrong != nil {
		return nil, Errorf(ValidationError, "plan %s: %s", p.ID, some(wrong, "; "))
	}
	return &settled, nil
}

// Take is Settle as far as these groups go: later says whether what is left to
// a group that is none of them ("": to none at all) is seen to later. The texts
// of the problems go on where the wave's name ends.
func (p *Plan) Take(groups map[ProtectionGroupID]*PlannedGroup, later func(ProtectionGroupID) bool) (settled Plan, problems []PlanProblem) {
	settled = *p
	settled.Waves = slices.Clone(p.Waves)
	settled.Groups = maps.Clone(p.Groups)
	for i := range settled.Waves {
		w := &settled.Waves[i]
		g := groups[w.Group]
		if p.Groups[w.Group] != nil {
			g = nil
		} else if g == nil && later(w.Group) {
			continue
		}
		server, err := w.take(g, p)
		if err != nil {
			problems = append(problems, PlanProblem{Wave: i, Dependency: -1, Server: server, Text: err.Error()})
		}
		if g == nil {
			continue
		}
		if settled.Groups == nil {
			settled.Groups = map[ProtectionGroupID]*ProtectionGroup{}
		}
		settled.Groups[w.Group] = &g.ProtectionGroup
	}
	return settled, problems
}

// take settles one wave. The error is about one of its servers, or -1.
func (w *PlannedWave) take(g *PlannedGroup, p *Plan) (server int, err error) {
	if (w.Account == AccountContext{}) {
		w.Account = p.Account
		if g != nil && g.Account != nil {
			w.Account = *g.Account
		}
		if (w.Account == AccountContext{}) {
			return -1, errors.New("has no accountContext: neither the wave, nor its group, nor the plan gives one")
		}
	}
	switch {
	case w.Tags != nil:
	case w.Servers != nil && g == nil:
		if w.Group != "" && p.Groups[w.Group] == nil && !w.Configured() {
			return -1, fmt.Errorf("takes launch settings from protection group %s, which is not stored", Quote(string(w.Group)))
		}
	case w.Servers != nil:
		w.Tags = g.Tags
		if g.Servers == nil {
			return -1, nil
		}
		for i, s := range w.Servers {
			if s.ID != "" && !slices.Contains(g.Servers, s.ID) { // "": it could not be read, which was said
				return i, fmt.Errorf("lists %s, which is not among the servers of protection group %s", s.ID, w.Group)
			}
		}
	case w.Group == "":
		return -1, errors.New("has neither servers nor a protectionGroupId to take them from")
	case p.Groups[w.Group] != nil:
		return -1, fmt.Errorf("lists no servers, and the plan's own protection group %s has no tags to find them by", w.Group)
	case g == nil:
		return -1, fmt.Errorf("takes its servers from protection group %s, which is not stored", w.Group)
	case g.Tags != nil:
		w.Tags = g.Tags
	case len(g.Servers) == 0:
		return -1, fmt.Errorf("lists no servers, and protection group %s has neither servers nor tags", w.Group)
	default:
		for _, id := range g.Servers {
			w.Servers = append(w.Servers, Server{ID: id})
		}
	}
	return -1, nil
}
