package simulator

import (
	"strings"
	"time"
)

// What DRS and the world do with EC2.

func newEC2(r *region) *ec2State {
	s := newEC2State(r.at.account, r.at.region)
	vpc := r.world.hexID("vpc", r.at.account, r.at.region)
	for _, n := range r.fleet.Subnets {
		// The fleet was checked: the only errors that addSubnet has cannot be.
		_ = s.addSubnet(ec2Subnet{ID: n.ID, CIDR: n.CIDR, Zone: n.Zone, VPC: or(n.VPC, vpc), Free: n.Free})
	}
	for _, g := range r.fleet.SecurityGroups {
		s.addSecurityGroup(ec2SecurityGroup{ID: g.ID, Name: g.Name, VPC: or(g.VPC, vpc)})
	}
	return s
}

// addTemplate makes a server's launch template, as old as the server.
func (r *region) addTemplate(s *server) {
	data, _ := templateDataFromFleet(s.Template.tree())
	t := r.ec2.addTemplate(s.template, "DRS-"+s.ID, r.world.started.Add(-time.Duration(s.Added)), data, "")
	t.Tags = map[string]string{"AWSElasticDisasterRecoveryManaged": "drs.amazonaws.com", "AWSElasticDisasterRecoverySourceServerID": s.ID}
}

// tree is the template as templateDataFromFleet takes it.
func (t *Template) tree() map[string]any {
	m := map[string]any{"instanceType": t.InstanceType}
	put := func(key string, v any, set bool) {
		if set {
			m[key] = v
		}
	}
	put("subnet", t.Subnet, t.Subnet != "")
	put("securityGroups", anys(t.SecurityGroups), len(t.SecurityGroups) > 0)
	put("privateIp", t.PrivateIP, t.PrivateIP != "")
	put("instanceProfile", t.InstanceProfile, t.InstanceProfile != "")
	put("keyName", t.KeyName, t.KeyName != "")
	put("userData", t.UserData, t.UserData != "")
	put("ebsOptimized", true, t.EBSOptimized)
	put("monitoring", true, t.Monitoring)
	put("tags", anyMap(t.Tags), len(t.Tags) > 0)
	put("volumeTags", anyMap(t.VolumeTags), len(t.VolumeTags) > 0)
	var interfaces, devices []any
	for _, n := range t.Interfaces {
		i := map[string]any{"subnet": n.Subnet}
		if len(n.SecurityGroups) > 0 {
			i["securityGroups"] = anys(n.SecurityGroups)
		}
		if n.PrivateIP != "" {
			i["privateIp"] = n.PrivateIP
		}
		if n.Description != "" {
			i["description"] = n.Description
		}
		interfaces = append(interfaces, i)
	}
	put("interfaces", interfaces, interfaces != nil)
	for _, b := range t.BlockDevices {
		d := map[string]any{"device": b.Device}
		if b.SizeGiB > 0 {
			d["size"] = b.SizeGiB
		}
		if b.Type != "" {
			d["type"] = b.Type
		}
		if b.IOPS > 0 {
			d["iops"] = b.IOPS
		}
		if b.Throughput > 0 {
			d["throughput"] = b.Throughput
		}
		if b.Encrypted {
			d["encrypted"] = true
		}
		if b.KMSKey != "" {
			d["kmsKey"] = b.KMSKey
		}
		if b.Keep {
			d["keep"] = true
		}
		devices = append(devices, d)
	}
	put("blockDevices", devices, devices != nil)
	if o := t.Metadata; o != nil {
		meta := map[string]any{}
		for key, v := range map[string]string{
			"httpTokens": o.HTTPTokens, "httpEndpoint": o.HTTPEndpoint, "instanceMetadataTags": o.InstanceTags,
		} {
			if v != "" {
				meta[key] = v
			}
		}
		if o.HopLimit > 0 {
			meta["httpPutResponseHopLimit"] = o.HopLimit
		}
		put("metadata", meta, len(meta) > 0)
	}
	return m
}

func anyMap(m map[string]string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// addFleetInstance puts an instance of the fleet into EC2. One that DRS no
// longer finds is not there.
func (r *region) addFleetInstance(n *instance, state string) {
	if state == "NOT_FOUND" {
		return
	}
	_, data, _ := r.ec2.defaultVersion(n.server.template)
	i := instanceFromTemplate(data)
	i.ID, i.State, i.LaunchTime = n.id, strings.ToLower(state), n.since
	if ip, ok := r.ec2.takeAddress(i.Subnet); ok {
		i.PrivateIP = ip
	}
	r.ec2.addInstance(i)
}

// instanceState is DRS's word for the state of an EC2 instance at a moment.
func (r *region) instanceState(id string, t time.Time) string {
	i, ok := r.ec2.instance(id)
	if !ok {
		return "NOT_FOUND"
	}
	return strings.ToUpper(i.stateAt(t))
}

// writeTemplate is DRS writing a template version of its own.
func (r *region) writeTemplate(s *server, now time.Time) {
	r.ec2.writeVersionByDRS(s.template, now, func(d *templateData) {
		if s.settings.RightSizing != "NONE" {
			d.SetInstanceType(s.Recommended)
		}
	})
}

// ec2 handles an action of EC2.
func (h *handling) ec2Action() (any, *apiError) {
	q := h.request
	if !h.replaying {
		if e := h.may("ec2:"+q.operation, "arn:aws:ec2:"+h.at.region+":"+h.at.account+":*"); e != nil {
			return nil, e
		}
	}
	for _, key := range sortedKeys(q.form) {
		for _, v := range q.form[key] {
			for _, prefix := range []string{"lt-", "i-", "subnet-", "sg-"} {
				if strings.HasPrefix(v, prefix) {
					h.touch(v)
				}
			}
		}
	}
	h.ec2.lag = 0
	if q.operation == "DescribeInstances" {
		if f, ok := h.oracle.call(LagInstanceList); ok {
			h.ec2.lag = time.Duration(f.Duration)
		}
	}
	return h.ec2.handle(q.operation, q.form, h.now, func(prefix string) string {
		return h.newID(strings.TrimSuffix(prefix, "-"))
	}, h.caller.ARN)
}
