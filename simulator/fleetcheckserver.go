package simulator

import (
	"encoding/base64"
	"fmt"
	"net/netip"
)

func (c *fleetChecker) server(path string, s *Server, servers, others, subnets, groups map[string]string) {
	c.id(path+".id", "s", s.ID)
	c.once(servers, path+".id", s.ID)
	c.tags(path+".tags", s.Tags)
	c.oneOf(path+".replication", s.Replication, replicationStates...)
	if s.ReplicationError != "" {
		c.oneOf(path+".replicationError", s.ReplicationError, model().Shapes["DataReplicationErrorString"].Enum...)
	}
	c.oneOf(path+".staging", s.Staging, "NOT_EXTENDED", "EXTENDED", "EXTENSION_ERROR")
	c.between(path+".cpus", s.CPUs, 1, 256)
	c.between(path+".ramGiB", s.RAMGiB, 1, 1<<16)
	c.typeName(path+".recommended", s.Recommended)
	for i, ip := range s.IPs {
		if _, err := netip.ParseAddr(ip); err != nil {
			c.at(fmt.Sprintf("%s.ips[%d]", path, i), "%q is not an address", ip)
		}
	}
	if len(s.Disks) == 0 {
		s.Disks = []Disk{{Device: "/dev/sda", SizeGiB: 50}}
	}
	for i, disk := range s.Disks {
		c.between(fmt.Sprintf("%s.disks[%d].sizeGiB", path, i), disk.SizeGiB, 1, 1<<16)
		if disk.Device == "" {
			c.at(fmt.Sprintf("%s.disks[%d]", path, i), "a disk needs a device")
		}
	}
	if every := s.SnapshotEvery; every != 0 && every < Duration(60e9) {
		c.at(path+".snapshotEvery", "must be 1m at least, or 0 for never")
	}
	if s.Snapshots == nil && c.places[path+".snapshots"] == nil && replicates(s.Replication) {
		s.Snapshots = []Snapshot{{Age: Duration(600e9)}}
	}
	if s.FQDN == "" {
		s.FQDN = s.Hostname
	}
	for i, p := range s.Snapshots {
		at := fmt.Sprintf("%s.snapshots[%d]", path, i)
		if p.ID != "" {
			c.id(at+".id", "pit", p.ID)
			c.once(others, at+".id", p.ID)
		}
		if p.Age > s.Added {
			c.at(at+".age", "is older than the server (added: %s)", s.Added)
		}
	}
	l := &s.Launch
	if l.Name == "" {
		l.Name = s.Hostname
	}
	if len(l.Name) > 128 {
		c.at(path+".launch.name", "is longer than 128 characters")
	}
	c.oneOf(path+".launch.launchDisposition", l.LaunchDisposition, "STARTED", "STOPPED")
	c.oneOf(path+".launch.targetInstanceTypeRightSizingMethod", l.RightSizing, "NONE", "BASIC", "IN_AWS")
	c.template(path+".template", &s.Template, others, subnets, groups)

	c.oneOf(path+".launches.fate", s.Launches.Fate, "LAUNCHED", "FAILED", "SKIPPED")
	c.oneOf(path+".launches.phase", s.Launches.Phase, launchPhases...)
	if s.Launches.Duration <= 0 {
		c.at(path+".launches.duration", "must be more than nothing")
	}
	if s.Launches.Job != "" {
		c.id(path+".launches.job", "drsjob", s.Launches.Job)
		c.once(others, path+".launches.job", s.Launches.Job)
	}
}

var replicationStates = []string{
	"STOPPED", "INITIATING", "INITIAL_SYNC", "BACKLOG", "CREATING_SNAPSHOT",
	"CONTINUOUS", "PAUSED", "RESCAN", "STALLED", "DISCONNECTED",
}

func (c *fleetChecker) template(path string, t *Template, others, subnets, groups map[string]string) {
	if t.ID != "" {
		c.id(path+".id", "lt", t.ID)
		c.once(others, path+".id", t.ID)
	}
	c.typeName(path+".instanceType", t.InstanceType)
	c.network(path, t.Subnet, t.SecurityGroups, t.PrivateIP, subnets, groups)
	for i, n := range t.Interfaces {
		at := fmt.Sprintf("%s.interfaces[%d]", path, i)
		if n.Subnet == "" {
			c.at(at, "a further interface needs a subnet")
		}
		c.network(at, n.Subnet, n.SecurityGroups, n.PrivateIP, subnets, groups)
	}
	if len(t.Interfaces) > 0 && t.Subnet == "" {
		c.at(path, "further interfaces need a first one: give the template a subnet")
	}
	devices := map[string]string{}
	for i, b := range t.BlockDevices {
		at := fmt.Sprintf("%s.blockDevices[%d]", path, i)
		if b.Device == "" {
			c.at(at, "a block device needs a device")
		}
		c.once(devices, at+".device", b.Device)
		if b.Type != "" {
			c.oneOf(at+".type", b.Type, "standard", "io1", "io2", "gp2", "gp3", "sc1", "st1")
		}
	}
	c.tags(path+".tags", t.Tags)
	c.tags(path+".volumeTags", t.VolumeTags)
	if m := t.Metadata; m != nil {
		if m.HTTPTokens != "" {
			c.oneOf(path+".metadata.httpTokens", m.HTTPTokens, "optional", "required")
		}
		if m.HTTPEndpoint != "" {
			c.oneOf(path+".metadata.httpEndpoint", m.HTTPEndpoint, "enabled", "disabled")
		}
		if m.InstanceTags != "" {
			c.oneOf(path+".metadata.instanceMetadataTags", m.InstanceTags, "enabled", "disabled")
		}
		c.between(path+".metadata.httpPutResponseHopLimit", m.HopLimit, 0, 64)
	}
	if _, err := base64.StdEncoding.DecodeString(t.UserData); err != nil {
		c.at(path+".userData", "is not base64")
	}
}

func (c *fleetChecker) network(path, subnet string, gs []string, ip string, subnets, groups map[string]string) {
	if subnet != "" && subnets[subnet] == "" {
		c.at(path+".subnet", "no subnet of this region is called %q", subnet)
	}
	for i, g := range gs {
		if groups[g] == "" {
			c.at(fmt.Sprintf("%s.securityGroups[%d]", path, i), "no security group of this region is called %q", g)
		}
	}
	if ip != "" {
		if a, err := netip.ParseAddr(ip); err != nil || !a.Is4() {
			c.at(path+".privateIp", "%q is not an IPv4 address", ip)
		}
		if subnet == "" {
			c.at(path+".privateIp", "an address needs a subnet")
		}
	}
}

func (c *fleetChecker) typeName(path, name string) {
	if !instanceType.MatchString(name) {
		c.at(path, "%q is not an instance type such as m5.large", name)
	}
}

func (c *fleetChecker) tags(path string, tags map[string]string) {
	if len(tags) > 50 {
		c.at(path, "more than 50 tags")
	}
	for _, key := range sortedKeys(tags) {
		if key == "" || len([]rune(key)) > 128 || len([]rune(tags[key])) > 256 {
			c.at(joinPath(path, key), "a tag's key has 1 to 128 characters, its value 256 at most")
		}
	}
}
