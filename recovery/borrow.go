package recovery

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// CheckBorrowed holds a plan that a caller brings himself to what he may make
// of stored groups: where a wave takes a group's account, and so an external id
// that he need not know, its servers are launched with the group's settings,
// and with none of his own. A wave that names its account takes nothing of the
// group's, and a group that the plan brings hides the stored one.
//
// The error, a VALIDATION_ERROR, names every wave, server and setting.
func (p *Plan) CheckBorrowed(groups map[ProtectionGroupID]*PlannedGroup) error {
	var wrong []string
	for i := range p.Waves {
		w := &p.Waves[i]
		if !p.borrows(w, groups) {
			continue
		}
		var own []string
		for _, s := range w.Servers {
			if len(s.LaunchConfig) > 0 {
				own = append(own, fmt.Sprintf("%s (%s)", s.ID, settingNames(s.LaunchConfig)))
			}
		}
		if own != nil {
			wrong = append(wrong, fmt.Sprintf("wave %d, which takes its account from protection group %s as that is stored, brings launch settings of its own for %s", w.Number, w.Group, some(own, ", ")))
		}
	}
	if wrong == nil {
		return nil
	}
	return Errorf(ValidationError, "plan %s: %s; leave those settings away, and the group's own are taken, or put the plan (put_plan) and start it by its planId", p.ID, some(wrong, "; "))
}

// borrows says whether a wave takes the account of a stored group.
func (p *Plan) borrows(w *PlannedWave, groups map[ProtectionGroupID]*PlannedGroup) bool {
	g := groups[w.Group]
	return g != nil && p.Groups[w.Group] == nil && g.Account != nil && w.Account == AccountContext{}
}

func settingNames(c LaunchConfig) string {
	var names []string
	for _, s := range slices.Sorted(maps.Keys(c)) {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

// some joins the first of many, and counts the rest.
func some(words []string, between string) string {
	const most = 20
	if len(words) <= most {
		return strings.Join(words, between)
	}
	return fmt.Sprintf("%s%sand %d more", strings.Join(words[:most], between), between, len(words)-most)
}
