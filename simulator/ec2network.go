package simulator

import (
	"fmt"
	"net/netip"
	"strings"
)

// ec2Subnet is where instances get their addresses.
type ec2Subnet struct {
	ID   string
	CIDR string // IPv4, between /16 and /28 as in AWS
	Zone string
	VPC  string
	Free int // AvailableIpAddressCount; negative in addSubnet for all that the CIDR has
	Tags map[string]string

	prefix netip.Prefix
	taken  map[netip.Addr]bool // the addresses that this simulator gave out, less than what is not free
}

// reservedAddresses is the number of addresses that AWS keeps in every subnet: the first four and the last.
const reservedAddresses = 5

// addSubnet puts a subnet into the world. It may not have more addresses free than its CIDR holds.
func (s *ec2State) addSubnet(n ec2Subnet) error {
	p, err := netip.ParsePrefix(n.CIDR)
	if err != nil || !p.Addr().Is4() || p.Bits() < 16 || p.Bits() > 28 || p != p.Masked() {
		return fmt.Errorf("subnet %s: %q is not an IPv4 CIDR block between /16 and /28", n.ID, n.CIDR)
	}
	room := 1<<(32-p.Bits()) - reservedAddresses
	if n.Free < 0 {
		n.Free = room
	}
	if n.Free > room {
		return fmt.Errorf("subnet %s: %s has only %d addresses", n.ID, n.CIDR, room)
	}
	n.prefix, n.taken = p, make(map[netip.Addr]bool)
	s.subnets[n.ID] = &n
	return nil
}

// takeAddress gives out the lowest address that is not taken; false where the subnet has none or does not exist.
func (s *ec2State) takeAddress(subnetID string) (ip string, ok bool) {
	n := s.subnets[subnetID]
	if n == nil || n.Free <= 0 {
		return "", false
	}
	for a := n.prefix.Addr(); n.prefix.Contains(a); a = a.Next() {
		if n.assignable(a) && !n.taken[a] {
			return a.String(), n.take(a)
		}
	}
	return "", false
}

// takeThisAddress gives out a certain address; false where it is taken, reserved, not the subnet's, or none is free.
func (s *ec2State) takeThisAddress(subnetID, ip string) bool {
	n := s.subnets[subnetID]
	a, err := netip.ParseAddr(ip)
	if n == nil || err != nil || n.Free <= 0 || !n.assignable(a) || n.taken[a] {
		return false
	}
	return n.take(a)
}

// releaseAddress takes an address back; one that was not given out is ignored.
func (s *ec2State) releaseAddress(subnetID, ip string) {
	n := s.subnets[subnetID]
	a, err := netip.ParseAddr(ip)
	if n == nil || err != nil || !n.taken[a] {
		return
	}
	delete(n.taken, a)
	n.Free++
}

func (n *ec2Subnet) take(a netip.Addr) bool {
	n.taken[a] = true
	n.Free--
	return true
}

// assignable tells whether an address is the subnet's and not one that AWS keeps.
func (n *ec2Subnet) assignable(a netip.Addr) bool {
	if !n.prefix.Contains(a) || !n.prefix.Contains(a.Next()) {
		return false
	}
	for range reservedAddresses - 1 {
		a = a.Prev()
	}
	return n.prefix.Contains(a)
}

func (s *ec2State) describeSubnets(c *ec2Call) (map[string]any, *apiError) {
	ids, filters := c.list("SubnetId"), c.filters()
	found := selected(c, s.subnets, ids, "subnet-", "InvalidSubnetID", "The subnet ID '%s' does not exist")
	page, next, err := ec2List[*ec2Subnet]{
		key: func(n *ec2Subnet) string { return n.ID }, least: 5, most: 1000,
		tags: func(n *ec2Subnet) map[string]string { return n.Tags },
		attributes: func(n *ec2Subnet) map[string][]string {
			zone, cidr := []string{n.Zone}, []string{n.CIDR}
			return map[string][]string{"subnet-id": {n.ID}, "vpc-id": {n.VPC}, "availability-zone": zone, "availabilityZone": zone,
				"cidr-block": cidr, "cidr": cidr, "cidrBlock": cidr, "state": {"available"}}
		},
	}.page(c, filters, found)
	if err != nil {
		return nil, err
	}
	list := make([]any, len(page))
	for i, n := range page {
		list[i] = map[string]any{
			"subnetId":                n.ID,
			"subnetArn":               s.arn("subnet/" + n.ID),
			"state":                   "available",
			"vpcId":                   n.VPC,
			"cidrBlock":               n.CIDR,
			"availableIpAddressCount": n.Free,
			"availabilityZone":        n.Zone,
			"defaultForAz":            false,
			"mapPublicIpOnLaunch":     false,
			"ownerId":                 s.account,
			"tagSet":                  tagSet(n.Tags),
		}
	}
	return map[string]any{"subnetSet": list, "nextToken": next}, nil
}

// ec2SecurityGroup exists so that it can be named; its rules are not simulated.
type ec2SecurityGroup struct {
	ID          string
	Name        string
	Description string
	VPC         string
	Tags        map[string]string
}

func (s *ec2State) addSecurityGroup(g ec2SecurityGroup) {
	if g.Name == "" {
		g.Name = g.ID
	}
	if g.Description == "" {
		g.Description = g.Name
	}
	s.groups[g.ID] = &g
}

func (s *ec2State) describeSecurityGroups(c *ec2Call) (map[string]any, *apiError) {
	ids, names, filters := c.list("GroupId"), c.list("GroupName"), c.filters()
	byName := make(map[string]*ec2SecurityGroup)
	for _, id := range sortedKeys(s.groups) {
		byName[s.groups[id].Name] = s.groups[id]
	}
	for _, name := range names {
		g := byName[name]
		if g == nil {
			c.fail("InvalidGroup.NotFound", "The security group '%s' does not exist", name)
			continue
		}
		ids = append(ids, g.ID)
	}
	found := selected(c, s.groups, ids, "sg-", "InvalidGroup", "The security group '%s' does not exist")
	page, next, err := ec2List[*ec2SecurityGroup]{
		key: func(g *ec2SecurityGroup) string { return g.ID }, least: 5, most: 1000,
		tags: func(g *ec2SecurityGroup) map[string]string { return g.Tags },
		attributes: func(g *ec2SecurityGroup) map[string][]string {
			return map[string][]string{"group-id": {g.ID}, "group-name": {g.Name}, "vpc-id": {g.VPC}}
		},
	}.page(c, filters, found)
	if err != nil {
		return nil, err
	}
	list := make([]any, len(page))
	for i, g := range page {
		list[i] = map[string]any{
			"groupId":          g.ID,
			"groupName":        g.Name,
			"groupDescription": g.Description,
			"vpcId":            g.VPC,
			"ownerId":          s.account,
			"securityGroupArn": s.arn("security-group/" + g.ID),
			"tagSet":           tagSet(g.Tags),
		}
	}
	return map[string]any{"securityGroupInfo": list, "nextToken": next}, nil
}

// selected gives the resources that ids name, or all of them where none is named. An id that names nothing fails the
// call: EC2 answers all or nothing. Identifiers are held against their prefix only, since a fleet may have any.
func selected[T any](c *ec2Call, all map[string]T, ids []string, prefix, code, notFound string) []T {
	if len(ids) == 0 {
		ids = sortedKeys(all)
	}
	var found []T
	seen := make(map[string]bool)
	for _, id := range ids {
		r, ok := all[id]
		switch {
		case !strings.HasPrefix(id, prefix):
			c.fail(code+".Malformed", `Invalid id: "%s" (expecting "%s...")`, id, prefix)
		case !ok:
			c.fail(code+".NotFound", notFound, id)
		case !seen[id]:
			found = append(found, r)
		}
		seen[id] = true
	}
	return found
}
