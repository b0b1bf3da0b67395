package recovery

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// What a launch puts at stake: instances that live, and traces that nothing
// settles.

// TreatedAsGone is a server of which somebody said that no instance of it
// lives, where witnesses disagree and nothing settles it.
type TreatedAsGone struct {
	Server SourceServerID `json:"server"`
	// Launches are those that were asked about. Empty: it was said ahead, about
	// launches that were over by then.
	Launches []string `json:"launches,omitempty"`
	Request
}

// InDoubt is a server of which only a person can say whether an instance lives,
// and the launches of which that is asked.
type InDoubt struct {
	Server   SourceServerID `json:"server"`
	Launches []string       `json:"launches"`
}

// AskEC2 lists the instances that EC2 has to be asked about, by id: those that
// traces lead to, and those that DRS lists as alive and nobody named, for a
// list may be old.
func (r Readiness) AskEC2(servers []SourceServerID, s Standing) []InstanceID {
	var ids []InstanceID
	add := func(id InstanceID) {
		if id != "" && !r.replaces(id) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, id := range servers {
		for _, t := range s.traces(id) {
			add(t.Instance)
		}
		for _, i := range s.Instances {
			if i.Server == id && i.Live() && !r.replaces(i.ID) {
				add(i.EC2)
			}
		}
	}
	return ids
}

func (r Readiness) replaces(id InstanceID) bool { return slices.Contains(r.Replace, id) }

// dying are EC2's states that lead nowhere else than to the end.
var dying = []string{"terminated", "shutting-down"}

// alive lists the instances that a launch of the server would destroy and that
// nobody named as lost: DRS lists them, or EC2 knows them where a trace leads.
func (r Readiness) alive(id SourceServerID, s Standing) []string {
	var live []string
	for _, i := range s.Instances {
		if i.Server == id && i.Live() && !i.ShuttingDown() && !r.replaces(i.ID) && !r.replaces(i.EC2) && !slices.Contains(dying, s.EC2[i.EC2]) {
			live = append(live, fmt.Sprintf("%s (%s)", i.ID, orUnknown(i.EC2State)))
		}
	}
	for _, t := range s.traces(id) {
		if state := s.EC2[t.Instance]; state != "" && !r.replaces(t.Instance) && !slices.Contains(dying, state) {
			live = append(live, fmt.Sprintf("%s (%s in EC2; DRS does not list it yet)", t.Instance, strings.ToUpper(state)))
		}
	}
	return live
}

// doubt is a trace that nothing settles.
type doubt struct {
	Trace
	why  string // what would have settled it, and did not
	wait bool   // lists may only lag: a later look may settle it
}

// doubts lists the traces of a server that nobody settles: neither EC2, nor a
// list, nor the time, nor a person.
func (r Readiness) doubts(id SourceServerID, s Standing) []doubt {
	var all []doubt
	for _, t := range s.traces(id) {
		if r.replaces(t.Instance) && t.Instance != "" {
			continue
		}
		// What lists may still settle is waited for, whatever anybody says.
		recent := t.recent(s.Asked) && !s.Waited
		switch state, known := s.EC2[t.Instance]; {
		case known && state != "":
			// Alive, or dying: no doubt either way.
		case t.Instance == "" && (recent || r.treatsAsGone(t) == nil):
			all = append(all, doubt{t, "so that EC2 cannot be asked", recent})
		case t.Instance != "" && s.EC2 == nil && r.treatsAsGone(t) == nil:
			all = append(all, doubt{t, "EC2 could not be asked: " + orUnknown(s.NoEC2), false})
		case t.Instance != "" && s.EC2 != nil && recent:
			all = append(all, doubt{t, "EC2 does not know it yet, or not any more", true})
		}
	}
	return all
}

// treatsAsGone gives what somebody said about the very launch: when it was asked
// about, or ahead and after its end. Nil: nobody did.
func (r Readiness) treatsAsGone(t Trace) *TreatedAsGone {
	for i := range r.Gone {
		g := &r.Gone[i]
		if g.Server != t.Server {
			continue
		}
		if ended := t.ended(); slices.Contains(g.Launches, t.launch()) || len(g.Launches) == 0 && !ended.IsZero() && !ended.After(g.At) {
			return g
		}
	}
	return nil
}

// launch names the launch, the same at every look.
func (t Trace) launch() string {
	if t.JobID != "" {
		return string(t.JobID)
	}
	return "launch of " + t.At.UTC().Format(time.RFC3339)
}

// Unsettled says whether a later look may settle what this one leaves open.
func (r Readiness) Unsettled(servers []SourceServerID, s Standing) bool {
	return slices.ContainsFunc(servers, func(id SourceServerID) bool {
		return slices.ContainsFunc(r.doubts(id, s), func(d doubt) bool { return d.wait })
	})
}

// stakes are what would be destroyed, or might be, if the server were launched.
func (r Readiness) stakes(id SourceServerID, s Standing) []obstacle {
	var all []obstacle
	if live := r.alive(id, s); len(live) > 0 {
		all = append(all, obstacle{text: fmt.Sprintf("a live recovery instance that is no drill's exists, which DRS would terminate: %s; "+
			`name it in "replaceLiveInstances" in the state if it may be lost`, strings.Join(live, ", "))})
	}
	for _, i := range s.Instances {
		if i.Server == id && i.Live() && i.ShuttingDown() && s.EC2[i.EC2] != "terminated" {
			all = append(all, obstacle{passes: true, text: fmt.Sprintf("its recovery instance %s is being terminated", i.ID)})
		}
	}
	for _, d := range r.doubts(id, s) {
		all = append(all, obstacle{doubt: d.launch(), text: fmt.Sprintf("an instance of it may live, which DRS would terminate: DRS lists none, but %s; %s; "+
			`once you have seen that none lives, name the server in "treatAsGone" (--treat-as-gone %s)`, d.Trace, d.why, id)})
	}
	return all
}

// CheckStakes judges nothing but whether a launch of the servers would destroy
// something: what is asked again right before every StartRecovery. A launch in
// earnest that seems to be under way is at stake, too: lists lag, and it may be
// over by now, so that DRS would not refuse ours.
func (r Readiness) CheckStakes(wave []Server, s Standing) error {
	return refusal(wave, func(server Server) []obstacle {
		all := r.stakes(server.ID, s)
		if known := s.server(server.ID); known != nil {
			all = append(s.underWay(known, false), all...)
		}
		return all
	})
}

// underWay lists the launches of a server that seem to be under way: with
// drills, or those in earnest alone.
func (s Standing) underWay(server *SourceServer, drills bool) (all []obstacle) {
	l := server.LastLaunch
	if s.held(server) && (drills || l.Type != string(Drill)) {
		all = append(all, obstacle{text: l.holding(), passes: true})
	}
	for _, r := range s.Recovered {
		id := r.Attempt.launchOf(server.ID)
		j := s.job(id)
		if j == nil || j.Over() || id == l.JobID {
			continue
		}
		if _, known := s.left(&Trace{Server: server.ID, JobID: id}); !known {
			all = append(all, obstacle{text: LastLaunch{JobID: id}.holding(), passes: true})
		}
	}
	return all
}

// SettledByPeople tells which doubts a person settled, with both witnesses; "" where there
// were none.
func (r Readiness) SettledByPeople(servers []SourceServerID, s Standing) string {
	asking := r
	asking.Gone = nil
	var words []string
	for _, id := range servers {
		for _, d := range asking.doubts(id, s) {
			if g := r.treatsAsGone(d.Trace); g != nil {
				words = append(words, fmt.Sprintf("server %s is treated as gone, as %s said at %s: DRS lists no recovery instance of it, and %s; %s",
					id, Quote(g.By), g.At.UTC().Format(time.RFC3339), d.Trace, d.why))
			}
		}
	}
	return strings.Join(words, ". ")
}

// longestLaunch is how long a launch may take of which nobody says when it ended.
const longestLaunch = DefaultWaveTimeout

// ended is when the launch was over at the latest; zero: nobody says.
func (t Trace) ended() time.Time {
	if t.Ended.IsZero() && !t.At.IsZero() {
		return t.At.Add(longestLaunch)
	}
	return t.Ended
}

// recent says whether lists may still lag behind the launch at a time.
func (t Trace) recent(now time.Time) bool {
	ended := t.ended()
	return ended.IsZero() || now.Before(ended.Add(Grace))
}
