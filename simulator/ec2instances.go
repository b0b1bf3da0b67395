package simulator

import (
	"maps"
	"strconv"
	"strings"
	"time"
)

// ec2Instance is a virtual machine. The caller takes its address first, with takeAddress.
type ec2Instance struct {
	ID          string
	Reservation string // r-…; made from the instance's own id where it is empty. Instances that share one are listed together
	Image       string // ami-…
	Type        string
	State       string // pending, running, stopping, stopped, shutting-down or terminated; empty is running
	Subnet      string
	PrivateIP   string
	Groups      []string // security group ids
	Profile     string   // an instance profile's name or ARN
	LaunchTime  time.Time
	Tags        map[string]string

	terminated time.Time
	states     []stateChange // that came after its first
}

// stateChange is a state that an instance took on.
type stateChange struct {
	at       time.Time
	from, to string
}

// becomes takes on a state.
func (i *ec2Instance) becomes(at time.Time, state string) {
	if i.State != state {
		i.states = append(i.states, stateChange{at, i.State, state})
		i.State = state
	}
}

// stateAt is the state that the instance had at a moment after its launch.
func (i *ec2Instance) stateAt(t time.Time) string {
	state := i.State
	for n := len(i.states) - 1; n >= 0 && i.states[n].at.After(t); n-- {
		state = i.states[n].from
	}
	return state
}

// instanceStates are EC2's codes for an instance's states.
var instanceStates = map[string]int{
	"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80,
}

// afterlife is how long EC2 still lists a terminated instance: "a short interval (usually less than one hour)".
const afterlife = time.Hour

// instanceFromTemplate is an instance as the template describes it, without an identifier, a state and an address.
func instanceFromTemplate(d *templateData) ec2Instance {
	return ec2Instance{
		Image:     leaf(d.fields, "ImageId"),
		Type:      d.InstanceType(),
		Subnet:    d.Subnet(),
		PrivateIP: d.PrivateIP(),
		Groups:    d.SecurityGroups(),
		Profile:   d.InstanceProfile(),
		Tags:      d.Tags("instance"),
	}
}

// addInstance puts an instance into the world.
func (s *ec2State) addInstance(i ec2Instance) {
	if i.State == "" {
		i.State = "running"
	}
	if i.Reservation == "" {
		i.Reservation = "r-" + strings.TrimPrefix(i.ID, "i-")
	}
	i.Tags = maps.Clone(i.Tags)
	s.instances[i.ID] = &i
}

// instance gives an instance as it is; false for one that never was.
func (s *ec2State) instance(id string) (ec2Instance, bool) {
	i, ok := s.instances[id]
	if !ok {
		return ec2Instance{}, false
	}
	return *i, true
}

// setInstanceState moves an instance to another state than terminated, for which there is terminateInstance.
func (s *ec2State) setInstanceState(at time.Time, id, state string) {
	if i := s.instances[id]; i != nil && i.State != "terminated" {
		i.becomes(at, state)
	}
}

// terminateInstance ends an instance and takes its address back. It tells whether there was one to end.
func (s *ec2State) terminateInstance(id string, now time.Time) bool {
	i := s.instances[id]
	if i == nil || i.State == "terminated" {
		return false
	}
	s.releaseAddress(i.Subnet, i.PrivateIP)
	i.becomes(now, "terminated")
	i.terminated, i.PrivateIP = now, ""
	return true
}

func (s *ec2State) describeInstances(c *ec2Call) (map[string]any, *apiError) {
	ids, filters := c.list("InstanceId"), c.filters()
	c.boolean("IncludeManagedResources")
	if len(ids) > 0 && c.has("MaxResults") {
		c.fail("InvalidParameterCombination", "The parameter instancesSet cannot be used with the parameter maxResults")
	}
	visible := make(map[string]*ec2Instance)
	view := c.now.Add(-s.lag)
	for id, i := range s.instances {
		if i.LaunchTime.After(view) || i.State == "terminated" && !c.now.Before(i.terminated.Add(afterlife)) {
			continue
		}
		if state := i.stateAt(view); state != i.State {
			before := *i
			before.State = state
			i = &before
		}
		visible[id] = i
	}
	found := selected(c, visible, ids, "i-", "InvalidInstanceID", "The instance ID '%s' does not exist")
	page, next, err := ec2List[*ec2Instance]{
		key: func(i *ec2Instance) string { return i.Reservation + " " + i.ID }, least: 5, most: 1000,
		tags:       func(i *ec2Instance) map[string]string { return i.Tags },
		attributes: s.instanceAttributes,
	}.page(c, filters, found)
	if err != nil {
		return nil, err
	}
	var reservations []any
	var last string
	for _, i := range page {
		if i.Reservation != last || reservations == nil {
			reservations = append(reservations, map[string]any{
				"reservationId": i.Reservation,
				"ownerId":       s.account,
				"groupSet":      []any{}, // EC2-Classic's, empty for a VPC
				"instancesSet":  []any{},
			})
			last = i.Reservation
		}
		r := reservations[len(reservations)-1].(map[string]any)
		r["instancesSet"] = append(r["instancesSet"].([]any), s.instanceAnswer(i))
	}
	return map[string]any{"reservationSet": reservations, "nextToken": next}, nil
}

// terminateInstances is somebody ending instances by EC2 itself, of which DRS
// hears nothing. They are gone at once.
func (s *ec2State) terminateInstances(c *ec2Call) (map[string]any, *apiError) {
	ids := c.list("InstanceId")
	if len(ids) == 0 {
		c.fail("MissingParameter", "The request must contain the parameter InstanceId")
	}
	found := selected(c, s.instances, ids, "i-", "InvalidInstanceID", "The instance ID '%s' does not exist")
	if err := c.ready(); err != nil {
		return nil, err
	}
	var set []any
	for _, i := range found {
		before := i.State
		s.terminateInstance(i.ID, c.now)
		state := func(name string) map[string]any { return map[string]any{"code": instanceStates[name], "name": name} }
		set = append(set, map[string]any{"instanceId": i.ID, "previousState": state(before), "currentState": state(i.State)})
	}
	return map[string]any{"instancesSet": set}, nil
}

// instanceAttributes are what DescribeInstances filters by.
func (s *ec2State) instanceAttributes(i *ec2Instance) map[string][]string {
	all := map[string][]string{
		"instance-id": {i.ID}, "instance-state-name": {i.State}, "instance-state-code": {strconv.Itoa(instanceStates[i.State])},
		"instance-type": {i.Type}, "subnet-id": {i.Subnet}, "network-interface.subnet-id": {i.Subnet},
		"private-ip-address": {i.PrivateIP}, "reservation-id": {i.Reservation},
		"instance.group-id": i.Groups, "network-interface.group-id": i.Groups, "vpc-id": nil, "availability-zone": nil,
	}
	if n := s.subnets[i.Subnet]; n != nil {
		all["vpc-id"], all["availability-zone"] = []string{n.VPC}, []string{n.Zone}
	}
	return all
}

func (s *ec2State) instanceAnswer(i *ec2Instance) map[string]any {
	m := map[string]any{
		"instanceId":         i.ID,
		"instanceType":       i.Type,
		"instanceState":      map[string]any{"code": instanceStates[i.State], "name": i.State},
		"launchTime":         i.LaunchTime,
		"amiLaunchIndex":     0,
		"architecture":       "x86_64",
		"virtualizationType": "hvm",
		"rootDeviceType":     "ebs",
		"tagSet":             tagSet(i.Tags),
	}
	if i.Image != "" {
		m["imageId"] = i.Image
	}
	if i.Profile != "" {
		arn := i.Profile
		if !strings.HasPrefix(arn, "arn:") {
			arn = "arn:aws:iam::" + s.account + ":instance-profile/" + arn
		}
		m["iamInstanceProfile"] = map[string]any{"arn": arn}
	}
	placement := map[string]any{"tenancy": "default"}
	m["placement"] = placement
	n := s.subnets[i.Subnet]
	if n != nil {
		placement["availabilityZone"] = n.Zone
	}
	if i.State == "terminated" { // its interface is gone, and with it the network
		return m
	}
	var groups []any
	for _, id := range i.Groups {
		name := id
		if g := s.groups[id]; g != nil {
			name = g.Name
		}
		groups = append(groups, map[string]any{"groupId": id, "groupName": name})
	}
	nic := map[string]any{"ownerId": s.account, "status": "in-use", "groupSet": groups}
	for _, at := range []map[string]any{m, nic} {
		if i.Subnet != "" {
			at["subnetId"] = i.Subnet
		}
		if n != nil {
			at["vpcId"] = n.VPC
		}
		if i.PrivateIP != "" {
			at["privateIpAddress"] = i.PrivateIP
		}
	}
	nic["networkInterfaceId"] = "eni-" + strings.TrimPrefix(i.ID, "i-")
	nic["attachment"] = map[string]any{"deviceIndex": 0, "status": "attached", "deleteOnTermination": true}
	m["groupSet"] = groups
	m["networkInterfaceSet"] = []any{nic}
	return m
}
