package simulator

import (
	"time"
)

// describeRecoveryInstances lists recovery instances. Empty lists of ids mean all of them, as with AWS.
func (h *handling) describeRecoveryInstances(in map[string]any) (any, *apiError) {
	filters := objectAt(in, "filters")
	ids, servers := toSet(stringsAt(filters, "recoveryInstanceIDs")), toSet(stringsAt(filters, "sourceServerIDs"))
	view := h.lagging(LagInstanceList)
	var found []*instance
	var keys []string
	for _, n := range h.instances {
		if len(ids) > 0 && !ids[n.id] || len(servers) > 0 && !servers[n.server.ID] || !n.standsAt(view) {
			continue
		}
		found = append(found, n)
		keys = append(keys, n.id)
		h.touch(n.id)
	}
	return h.page(in, "items", keys, func(i int) any { return h.showInstance(found[i], view) })
}

// standsAt says whether DRS lists the instance at a moment.
func (n *instance) standsAt(t time.Time) bool {
	return !n.since.After(t) && (n.removed.IsZero() || n.removed.After(t))
}

func (h *handling) showInstance(n *instance, view time.Time) map[string]any {
	s := n.server
	out := map[string]any{
		"recoveryInstanceID":          n.id,
		"ec2InstanceID":               n.id,
		"ec2InstanceState":            h.instanceState(n.id, view),
		"sourceServerID":              s.ID,
		"arn":                         h.arn("recovery-instance", n.id),
		"tags":                        n.tags,
		"isDrill":                     n.drill,
		"pointInTimeSnapshotDateTime": stamp(n.point),
		"originEnvironment":           "ON_PREMISES",
		"agentVersion":                "5.12.2",
		"failback":                    map[string]any{"state": "FAILBACK_NOT_STARTED"},
		"dataReplicationInfo":         map[string]any{"dataReplicationState": "NOT_STARTED"},
		"recoveryInstanceProperties": map[string]any{
			"lastUpdatedDateTime": stamp(n.since),
			"identificationHints": map[string]any{"hostname": s.Hostname, "fqdn": s.FQDN, "awsInstanceID": n.id},
			"cpus":                []any{map[string]any{"cores": s.CPUs, "modelName": "Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz"}},
			"ramBytes":            int64(s.RAMGiB) << 30,
			"os":                  map[string]any{"fullString": s.OS},
		},
	}
	if n.job != "" {
		out["jobID"] = n.job
	}
	return out
}

// terminateRecoveryInstances starts a job that terminates instances, drills' and live ones alike.
func (h *handling) terminateRecoveryInstances(in map[string]any) (any, *apiError) {
	ids := stringsAt(in, "recoveryInstanceIDs")
	h.touch(ids...)
	var doomed []*instance
	seen := map[string]bool{}
	for _, id := range ids {
		n := h.instance(id)
		if n == nil {
			return nil, notFound("RecoveryInstance", id)
		}
		if seen[id] {
			return nil, invalid("Recovery instance %s is named twice.", id)
		}
		seen[id] = true
		if n.server.running != nil {
			return nil, conflict(busy)
		}
		doomed = append(doomed, n)
	}
	if e := h.withinQuotas(len(doomed)); e != nil {
		return nil, e
	}
	j := h.newJob(h.newID("drsjob"), "TERMINATE", "TERMINATE_RECOVERY_INSTANCES", nil)
	for _, n := range doomed {
		h.takes(j, n.server)
	}
	start, end := h.now.Add(shortened(terminateStart, h.speed)), h.now.Add(shortened(terminateEnd, h.speed))
	h.schedule(start, func(at time.Time) {
		j.begins(at)
		for i := range j.servers {
			j.servers[i].becomes(at, "IN_PROGRESS", doomed[i].id)
			h.ec2.setInstanceState(at, doomed[i].id, "shutting-down")
		}
	})
	h.schedule(end, func(at time.Time) {
		for i := range j.servers {
			j.servers[i].becomes(at, "TERMINATED", doomed[i].id)
			doomed[i].removed = at
			h.ec2.terminateInstance(doomed[i].id, at)
		}
		h.ends(j, at)
	})
	h.touch(j.id)
	return map[string]any{"job": h.showJob(j, h.now)}, nil
}

// How long a TERMINATE job takes until it starts, and until it is over. Not documented; a minute is what people see.
const (
	terminateStart = Duration(5 * time.Second)
	terminateEnd   = Duration(time.Minute)
)

func (r *region) instance(id string) *instance {
	for _, n := range r.instances {
		if n.id == id && n.removed.IsZero() {
			return n
		}
	}
	return nil
}
