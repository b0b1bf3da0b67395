package simulator

import (
	"slices"
	"time"
)

// startRecovery accepts a recovery or a drill of some servers, as one job.
//
// As with AWS an absent isDrill means a real recovery, a model that allows 200
// servers meets a quota of 100, and a server that cannot be recovered is found
// out by the job, not by the call.
func (h *handling) startRecovery(in map[string]any) (any, *apiError) {
	drill, _ := boolAt(in, "isDrill")
	tags := stringMap(in, "tags")
	var wanted []wish
	seen := map[string]bool{}
	for _, item := range listAt(in, "sourceServers") {
		m := item.(map[string]any)
		id := stringAt(m, "sourceServerID")
		s := h.servers[id]
		if s == nil {
			return nil, invalid("Source server %s does not exist.", id)
		}
		if seen[id] {
			return nil, invalid("Source server %s is named twice.", id)
		}
		seen[id] = true
		wish := wish{server: s}
		if pit := stringAt(m, "recoverySnapshotID"); pit != "" {
			points := h.snapshots(s, h.now)
			i := slices.IndexFunc(points, func(p point) bool { return p.id == pit && p.finished })
			if i < 0 {
				return nil, invalid("Recovery snapshot %s of source server %s does not exist.", pit, id)
			}
			wish.pinned = &points[i]
		}
		wanted = append(wanted, wish)
	}
	if !h.replaying {
		if e := h.mayStart(tags, wanted); e != nil {
			return nil, e
		}
	}
	initiator := "START_RECOVERY"
	if drill {
		initiator = "START_DRILL"
	}
	j := h.newJob(h.jobID(wanted), "LAUNCH", initiator, tags)
	h.touch(j.id)
	h.launch(j, wanted, drill)
	return map[string]any{"job": h.showJob(j, h.now)}, nil
}

// wish is a server that is to be launched, and the recovery point that was asked for, if one was.
type wish struct {
	server *server
	pinned *point
}

// mayStart holds a start against permissions, quotas and other jobs.
func (h *handling) mayStart(tags map[string]string, wanted []wish) *apiError {
	if len(tags) > 0 {
		_, denied := h.oracle.call(DenyTagging)
		if denied || h.w.denied(h.caller, "drs:TagResource") {
			return accessDenied(h.caller, "drs:TagResource", h.arn("job", "*"))
		}
		if e := checkTags(nil, tags); e != nil {
			return e
		}
	}
	if e := h.withinQuotas(len(wanted)); e != nil {
		return e
	}
	for _, w := range wanted {
		if w.server.running != nil {
			return conflict(busy)
		}
	}
	return nil
}

// jobID gives the id that the fleet has for the job, or makes one.
func (h *handling) jobID(wanted []wish) string {
	for _, w := range wanted {
		if id := w.server.Launches.Job; id != "" && !w.server.fated {
			w.server.fated = true
			return id
		}
	}
	return h.newID("drsjob")
}

// The course of a launch, as parts of its duration. AWS documents none of it;
// conversion takes the longest, and it and the launch most of the time.
const (
	jobStart      = 0.02
	cleanupEnd    = 0.08
	snapshotStart = 0.10
	snapshotEnd   = 0.20
	conversionEnd = 0.60
	launchStart   = 0.62
)

// launch schedules the whole course of a job now; what each step does it decides when it comes.
func (h *handling) launch(j *job, wanted []wish, drill bool) {
	r := h.region
	longest, shortest := time.Duration(0), time.Duration(0)
	for _, w := range wanted {
		d := shortened(w.server.Launches.Duration, h.speed)
		longest = max(longest, d)
		if shortest == 0 || d < shortest {
			shortest = d
		}
	}
	r.schedule(part(h.now, shortest, jobStart), j.begins)
	for _, w := range wanted {
		s := w.server
		fate := h.fate(w)
		if fate.skipped && fate.vanishes == 0 {
			r.schedule(part(h.now, shortest, jobStart), func(at time.Time) { j.note(at, "SERVER_SKIPPED", about(s)) })
			continue
		}
		h.takes(j, s)
		s.launches = append(s.launches, lastLaunch{job: j.id, at: h.now, drill: drill, status: "PENDING", since: h.now})
		s.result = "PENDING"
		l := &launching{region: r, job: j, index: len(j.servers) - 1, server: s, fate: fate, drill: drill, caller: h.caller}
		l.schedule(h.now, part(h.now, shortest, jobStart), shortened(s.Launches.Duration, h.speed))
	}
	r.schedule(h.now.Add(longest), func(at time.Time) { r.ends(j, at) })
}

// part is the moment when a part of a duration has passed.
func part(from time.Time, d time.Duration, p float64) time.Time {
	return from.Add(time.Duration(float64(d) * p))
}

func about(s *server) map[string]any { return map[string]any{"sourceServerID": s.ID} }

// fate is how a server's launch will go.
type fate struct {
	phase    string // in which it fails; empty if it does not
	rawError string
	skipped  bool
	vanishes time.Duration // after which a skipped server leaves the job; 0: it never joins
	previous bool          // DRS falls back on the newest recovery point it has
	pinned   *point
}

// fate asks the faults, and then the fleet, what will become of a server.
func (h *handling) fate(w wish) fate {
	s := w.server
	f := fate{pinned: w.pinned}
	if fault, ok := h.oracle.server(SkipServer, s.ID); ok {
		f.skipped, f.vanishes = true, time.Duration(fault.Duration)
		return f
	}
	if s.Launches.Fate == "SKIPPED" {
		f.skipped = true
		return f
	}
	if _, ok := h.oracle.server(UsePreviousSnapshot, s.ID); ok {
		f.previous = true
	}
	if s.Replication != "CONTINUOUS" && s.Replication != "BACKLOG" && s.Replication != "CREATING_SNAPSHOT" {
		f.previous = true // nothing new arrives: there is no later point than the newest
	}
	if fault, ok := h.oracle.server(FailConversion, s.ID); ok {
		f.phase, f.rawError = "CONVERSION", or(fault.RawError, "Conversion server failed to boot: timed out waiting for the agent")
	} else if fault, ok := h.oracle.server(NoCapacity, s.ID); ok {
		f.phase, f.rawError = "LAUNCH", or(fault.RawError, "An error occurred (InsufficientInstanceCapacity) when calling the RunInstances operation (reached max retries: 4): "+
			"We currently do not have sufficient capacity in the Availability Zone you requested. Our system will be working on provisioning additional capacity.")
	} else if fault, ok := h.oracle.server(FailLaunch, s.ID); ok {
		f.phase, f.rawError = or(fault.Phase, "LAUNCH"), or(fault.RawError, "Internal failure.")
	} else if s.Launches.Fate == "FAILED" {
		f.phase, f.rawError = s.Launches.Phase, or(s.Launches.RawError, "Internal failure.")
	}
	return f
}
