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
	t := r.ec2.addTemplate(s.template, "DRS-"+s.ID, r.world.started.Add(-time.Duration(s.Added)), s.Template.data(), "")
	t.Tags = map[string]string{"AWSElasticDisasterRecoveryManaged": "drs.amazonaws.com", "AWSElasticDisasterRecoverySourceServerID": s.ID}
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
			d.fields["InstanceType"] = s.Recommended
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
