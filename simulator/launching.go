package simulator

import "time"

// launching is one server on its way through a launch job.
type launching struct {
	*region
	job    *job
	index  int // of its participant in the job
	server *server
	fate   fate
	drill  bool
	caller principal // with whose permissions DRS acts
	point  time.Time // the recovery point that is launched from
	failed bool
}

func (l *launching) schedule(created, started time.Time, d time.Duration) {
	step := func(at float64, do func(time.Time)) {
		when := part(created, d, at)
		if when.Before(started) {
			when = started
		}
		l.region.schedule(when, func(at time.Time) {
			if !l.failed {
				do(at)
			}
		})
	}
	step(jobStart, l.begins)
	if l.fate.skipped {
		l.region.schedule(created.Add(l.fate.vanishes), l.vanishes)
		return
	}
	step(cleanupEnd, l.cleanedUp)
	step(snapshotStart, l.snapshotBegins)
	step(snapshotEnd, l.snapshotEnds)
	step(conversionEnd, l.conversionEnds)
	step(launchStart, l.launchBegins)
	step(1, l.launched)
}

func (l *launching) note(at time.Time, event string, more ...string) {
	data := about(l.server)
	for i := 0; i+1 < len(more); i += 2 {
		data[more[i]] = more[i+1]
	}
	l.job.note(at, event, data)
}

func (l *launching) becomes(at time.Time, status, instance string) {
	l.job.servers[l.index].becomes(at, status, instance)
	last := l.server.launches[len(l.server.launches)-1]
	last.status, last.since = status, at
	l.server.launches = append(l.server.launches, last)
}

// begins: the server's turn has come, and what its last launch made is cleaned up, live or not.
func (l *launching) begins(at time.Time) {
	l.becomes(at, "IN_PROGRESS", "")
	if l.instanceOf(l.server) != nil {
		l.note(at, "CLEANUP_START")
	}
}

func (l *launching) cleanedUp(at time.Time) {
	n := l.instanceOf(l.server)
	if n == nil {
		return
	}
	l.ec2.terminateInstance(n.id, at)
	n.removed = at
	l.note(at, "CLEANUP_END", "targetInstanceID", n.id)
}

func (l *launching) snapshotBegins(at time.Time) {
	if l.fate.pinned == nil {
		l.note(at, "SNAPSHOT_START")
	}
}

// snapshotEnds settles which recovery point it is: the one asked for, a new one, or, if a new one cannot be had, the newest there is.
func (l *launching) snapshotEnds(at time.Time) {
	switch {
	case l.fate.phase == "SNAPSHOT":
		l.fails(at, "SNAPSHOT_FAIL", l.fate.rawError)
		return
	case l.denied("CreateSnapshot"):
		l.fails(at, "SNAPSHOT_FAIL", l.unauthorized("CreateSnapshot"))
		return
	case l.fate.pinned != nil:
		l.point = l.fate.pinned.expected
	case l.fate.previous:
		p, ok := newest(l.snapshots(l.server, at))
		if !ok {
			l.fails(at, "USING_PREVIOUS_SNAPSHOT_FAILED", "No recovery point is available for source server "+l.server.ID)
			return
		}
		l.point = p.expected
		l.note(at, "USING_PREVIOUS_SNAPSHOT")
	default:
		l.point = at.Add(-time.Duration(l.server.Lag))
		l.note(at, "SNAPSHOT_END")
	}
	l.note(at, "CONVERSION_START", "conversionServerID", l.made("conversion"))
}

// made makes the id of an instance that this launch makes.
func (l *launching) made(what string) string {
	return l.world.hexID("i", l.at.account, l.at.region, l.job.id, l.server.ID, what)
}

func (l *launching) conversionEnds(at time.Time) {
	if l.fate.phase == "CONVERSION" {
		l.fails(at, "CONVERSION_FAIL", l.fate.rawError, "conversionServerID", l.made("conversion"))
		return
	}
	l.note(at, "CONVERSION_END", "conversionServerID", l.made("conversion"))
}

func (l *launching) launchBegins(at time.Time) { l.note(at, "LAUNCH_START") }

// launched makes the EC2 instance, from what the launch template says by now.
func (l *launching) launched(at time.Time) {
	if l.fate.phase == "LAUNCH" {
		l.fails(at, "LAUNCH_FAILED", l.fate.rawError)
		return
	}
	s := l.server
	id := l.made("target")
	if wrong := l.runInstance(id, at); wrong != "" {
		l.fails(at, "LAUNCH_FAILED", wrong)
		return
	}
	l.instances = append(l.instances, &instance{
		id: id, server: s, job: l.job.id, drill: l.drill, tags: clone(s.tags), point: l.point, since: at,
	})
	l.becomes(at, "LAUNCHED", id)
	s.result = "SUCCEEDED"
}

// runInstance is RunInstances as DRS calls it; it gives EC2's error, empty for success.
func (l *launching) runInstance(id string, at time.Time) string {
	s := l.server
	for _, action := range []string{"RunInstances", "CreateTags", "AttachVolume", "StartInstances"} {
		if l.denied(action) {
			return l.unauthorized(action)
		}
	}
	_, data, ok := l.ec2.defaultVersion(s.template)
	if !ok {
		return ec2Says("InvalidLaunchTemplateId.NotFound", "The specified launch template, with template ID "+s.template+", does not exist.")
	}
	i := instanceFromTemplate(data)
	if i.Profile != "" && l.world.denied(l.caller, "iam:PassRole") {
		return l.unauthorized("RunInstances")
	}
	if s.settings.RightSizing != "NONE" {
		i.Type = s.Recommended
	}
	for _, g := range i.Groups {
		if l.ec2.groups[g] == nil {
			return ec2Says("InvalidGroup.NotFound", "The security group '"+g+"' does not exist")
		}
	}
	i.ID, i.State, i.LaunchTime = id, "running", at
	if s.settings.LaunchDisposition == "STOPPED" {
		i.State = "stopped"
	}
	if i.Tags == nil {
		i.Tags = map[string]string{}
	}
	if s.settings.CopyTags {
		for k, v := range s.tags {
			if _, own := i.Tags[k]; !own { // the template's own word is the later one
				i.Tags[k] = v
			}
		}
	}
	i.Tags["AWSElasticDisasterRecoverySourceServerID"] = s.ID
	if i.Subnet == "" {
		l.ec2.addInstance(i)
		return ""
	}
	if l.ec2.subnets[i.Subnet] == nil {
		return ec2Says("InvalidSubnetID.NotFound", "The subnet ID '"+i.Subnet+"' does not exist")
	}
	if s.settings.CopyPrivateIP && len(s.IPs) > 0 {
		i.PrivateIP = s.IPs[0]
	}
	if i.PrivateIP != "" {
		if !l.ec2.takeThisAddress(i.Subnet, i.PrivateIP) {
			return ec2Says("InvalidIPAddress.InUse", "Address "+i.PrivateIP+" is in use or not in the subnet "+i.Subnet+".")
		}
	} else if ip, ok := l.ec2.takeAddress(i.Subnet); ok {
		i.PrivateIP = ip
	} else {
		return ec2Says("InsufficientFreeAddressesInSubnet", "There are not enough free addresses in subnet '"+i.Subnet+"' to satisfy the requested number of instances.")
	}
	l.ec2.addInstance(i)
	return ""
}

func ec2Says(code, message string) string {
	return "An error occurred (" + code + ") when calling the RunInstances operation: " + message
}

func (l *launching) denied(action string) bool { return l.world.denied(l.caller, "ec2:"+action) }

func (l *launching) unauthorized(action string) string {
	return "An error occurred (UnauthorizedOperation) when calling the " + action + " operation: " +
		accessDenied(l.caller, "ec2:"+action, "").Message
}

func (l *launching) fails(at time.Time, event, rawError string, more ...string) {
	l.failed = true
	l.note(at, event, append(more, "rawError", rawError)...)
	l.becomes(at, "FAILED", "")
	l.server.result = "FAILED"
}

// vanishes: the server leaves the job's participants, as servers that DRS skips late do.
func (l *launching) vanishes(at time.Time) {
	l.failed = true
	l.note(at, "SERVER_SKIPPED")
	l.becomes(at, "FAILED", "")
	l.server.result = "FAILED"
	l.job.servers[l.index].gone = at
}
