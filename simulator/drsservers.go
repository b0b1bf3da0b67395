package simulator

import (
	"slices"
	"strconv"
	"time"
)

// describeSourceServers lists source servers. An empty list of ids means all of them, as with AWS.
func (h *handling) describeSourceServers(in map[string]any) (any, *apiError) {
	filters := objectAt(in, "filters")
	if stringAt(filters, "hardwareId") != "" {
		return nil, invalid("The simulator does not implement the filter hardwareId.")
	}
	ids := toSet(stringsAt(filters, "sourceServerIDs"))
	accounts := toSet(stringsAt(filters, "stagingAccountIDs"))
	view := h.lagging(LagServerList)
	var keys []string
	for _, id := range h.order {
		if len(ids) > 0 && !ids[id] || len(accounts) > 0 && !accounts[h.at.account] {
			continue
		}
		keys = append(keys, id)
	}
	return h.page(in, "items", keys, func(i int) any { return h.showServer(h.servers[keys[i]], view) })
}

func (h *handling) showServer(s *server, view time.Time) map[string]any {
	added := h.w.started.Add(-time.Duration(s.Added))
	seen := h.now.Add(-time.Duration(s.Seen))
	if s.Replication == "DISCONNECTED" || s.Replication == "STOPPED" {
		seen = h.w.started.Add(-time.Duration(s.Seen))
	}
	zone := h.at.region + "a"
	replication := map[string]any{
		"dataReplicationState":    s.Replication,
		"lagDuration":             isoSpan(time.Duration(s.Lag)),
		"stagingAvailabilityZone": zone,
		"replicatedDisks":         h.showReplicatedDisks(s),
	}
	if s.Replication == "DISCONNECTED" || s.Replication == "STOPPED" || s.Replication == "INITIATING" {
		delete(replication, "lagDuration")
	}
	if s.ReplicationError != "" {
		replication["dataReplicationError"] = map[string]any{"error": s.ReplicationError}
	}
	life := map[string]any{
		"addedToServiceDateTime":     stamp(added),
		"firstByteDateTime":          stamp(added.Add(5 * time.Minute)),
		"elapsedReplicationDuration": isoSpan(h.now.Sub(added).Truncate(time.Second)),
		"lastSeenByServiceDateTime":  stamp(seen),
	}
	if l := s.launchAt(view); l != nil {
		initiated := map[string]any{"apiCallDateTime": stamp(l.at), "type": launchType(l.drill)}
		if l.job != "" {
			initiated["jobID"] = l.job
		}
		life["lastLaunch"] = map[string]any{"initiated": initiated, "status": l.status}
	}
	staging := map[string]any{"status": s.Staging, "stagingAccountID": h.at.account}
	if s.StagingError != "" {
		staging["errorMessage"] = s.StagingError
	}
	out := map[string]any{
		"sourceServerID":       s.ID,
		"arn":                  h.arn("source-server", s.ID),
		"tags":                 s.tags,
		"lastLaunchResult":     s.result,
		"dataReplicationInfo":  replication,
		"lifeCycle":            life,
		"stagingArea":          staging,
		"replicationDirection": "FAILOVER",
		"agentVersion":         "5.12.2",
		"sourceProperties": map[string]any{
			"lastUpdatedDateTime":     stamp(seen),
			"recommendedInstanceType": s.Recommended,
			"identificationHints":     map[string]any{"hostname": s.Hostname, "fqdn": s.FQDN},
			"networkInterfaces":       h.showNetworkInterfaces(s),
			"disks":                   showDisks(s),
			"cpus":                    []any{map[string]any{"cores": s.CPUs, "modelName": "Intel(R) Xeon(R) Gold 6226R CPU @ 2.90GHz"}},
			"ramBytes":                int64(s.RAMGiB) << 30,
			"os":                      map[string]any{"fullString": s.OS},
			"supportsNitroInstances":  true,
		},
	}
	if n := h.instanceOf(s); n != nil {
		out["recoveryInstanceId"] = n.id
	}
	return out
}

func (h *handling) showReplicatedDisks(s *server) []any {
	disks := []any{}
	for _, d := range s.Disks {
		total := int64(d.SizeGiB) << 30
		done, behind := total, int64(0)
		switch s.Replication {
		case "INITIAL_SYNC":
			done = total / 3
		case "BACKLOG", "STALLED", "PAUSED", "DISCONNECTED":
			behind = total / 100
		case "INITIATING":
			done = 0
		}
		disks = append(disks, map[string]any{
			"deviceName": d.Device, "totalStorageBytes": total, "replicatedStorageBytes": done,
			"rescannedStorageBytes": 0, "backloggedStorageBytes": behind, "volumeStatus": "REGULAR",
		})
	}
	return disks
}

func (h *handling) showNetworkInterfaces(s *server) []any {
	ips := []any{}
	for _, ip := range s.IPs {
		ips = append(ips, ip)
	}
	mac := h.w.digest("mac", s.ID)
	address := "02"
	for _, b := range mac[:5] {
		address += ":" + strconv.FormatUint(uint64(b)+0x100, 16)[1:]
	}
	return []any{map[string]any{"macAddress": address, "ips": ips, "isPrimary": true}}
}

func showDisks(s *server) []any {
	disks := []any{}
	for _, d := range s.Disks {
		disks = append(disks, map[string]any{"deviceName": d.Device, "bytes": int64(d.SizeGiB) << 30})
	}
	return disks
}

func launchType(drill bool) string {
	if drill {
		return "DRILL"
	}
	return "RECOVERY"
}

// describeRecoverySnapshots lists one server's recovery points, the newest first unless asked otherwise.
func (h *handling) describeRecoverySnapshots(in map[string]any) (any, *apiError) {
	s := h.servers[stringAt(in, "sourceServerID")]
	if s == nil {
		return nil, invalid("Source server %s does not exist.", stringAt(in, "sourceServerID"))
	}
	filters := objectAt(in, "filters")
	from, to, e := span(stringAt(filters, "fromDateTime"), stringAt(filters, "toDateTime"))
	if e != nil {
		return nil, e
	}
	points := h.snapshots(s, h.lagging(LagServerList))
	if stringAt(in, "order") != "ASC" {
		slices.Reverse(points)
	}
	points = slices.DeleteFunc(points, func(p point) bool { return p.expected.Before(from) || p.expected.After(to) })
	var keys []string
	for _, p := range points {
		keys = append(keys, p.id)
	}
	return h.page(in, "items", keys, func(i int) any {
		p := points[i]
		item := map[string]any{"snapshotID": p.id, "sourceServerID": s.ID, "expectedTimestamp": stamp(p.expected)}
		if p.finished {
			item["timestamp"] = stamp(p.expected)
			snaps := []any{}
			for _, d := range s.Disks {
				snaps = append(snaps, h.w.hexID("snap", p.id, d.Device))
			}
			item["ebsSnapshots"] = snaps
		}
		return item
	})
}

// span reads a pair of dates; an absent one is no bound.
func span(from, to string) (a, b time.Time, e *apiError) {
	b = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, bound := range []struct {
		text string
		into *time.Time
	}{{from, &a}, {to, &b}} {
		if bound.text == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339Nano, bound.text)
		if err != nil {
			return a, b, invalid("%q is not a date.", bound.text)
		}
		*bound.into = t
	}
	return a, b, nil
}

func toSet(list []string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, s := range list {
		set[s] = true
	}
	return set
}
