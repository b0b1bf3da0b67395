package simulator

import (
	"slices"
	"strings"
	"testing"
)

type wireSubnet struct {
	ID   string    `xml:"subnetId"`
	CIDR string    `xml:"cidrBlock"`
	Free int       `xml:"availableIpAddressCount"`
	Zone string    `xml:"availabilityZone"`
	VPC  string    `xml:"vpcId"`
	Tags []wireTag `xml:"tagSet>item"`
}

type wireGroup struct {
	ID          string `xml:"groupId"`
	Name        string `xml:"groupName"`
	Description string `xml:"groupDescription"`
	VPC         string `xml:"vpcId"`
}

func TestSubnetsAreDescribedByIdAndFilter(t *testing.T) {
	e := newEC2Test(t)
	tests := []struct {
		pairs []string
		want  string
	}{
		{nil, "subnet-a subnet-b subnet-c"},
		{[]string{"SubnetId.1", "subnet-b", "SubnetId.2", "subnet-a", "SubnetId.3", "subnet-b"}, "subnet-a subnet-b"},
		{[]string{"Filter.1.Name", "vpc-id", "Filter.1.Value.1", "vpc-1"}, "subnet-a subnet-b"},
		{[]string{"Filter.1.Name", "vpc-id", "Filter.1.Value.1", "vpc-1", "Filter.2.Name", "availability-zone", "Filter.2.Value.1", "us-west-2a"}, "subnet-a"},
		{[]string{"Filter.1.Name", "subnet-id", "Filter.1.Value.1", "subnet-none", "Filter.1.Value.2", "subnet-c"}, "subnet-c"},
		{[]string{"Filter.1.Name", "tag:Tier", "Filter.1.Value.1", "d*"}, "subnet-a"},
		{[]string{"Filter.1.Name", "tag-key", "Filter.1.Value.1", "Tier"}, "subnet-a"},
		{[]string{"Filter.1.Name", "tag:None", "Filter.1.Value.1", "*"}, ""},
	}
	for _, tt := range tests {
		var got struct {
			Subnets []wireSubnet `xml:"subnetSet>item"`
		}
		e.into(&got, "DescribeSubnets", tt.pairs...)
		var ids []string
		for _, n := range got.Subnets {
			ids = append(ids, n.ID)
		}
		if strings.Join(ids, " ") != tt.want {
			t.Errorf("%v: got %v, want %s", tt.pairs, ids, tt.want)
		}
		if len(ids) > 0 && ids[0] == "subnet-a" {
			if n := got.Subnets[0]; n.CIDR != "10.0.1.0/24" || n.Free != 200 || n.Zone != "us-west-2a" || n.VPC != "vpc-1" || len(n.Tags) != 1 {
				t.Errorf("got %+v", n)
			}
		}
	}
	e.refused("InvalidSubnetID.NotFound", "The subnet ID 'subnet-none' does not exist", "DescribeSubnets", "SubnetId.1", "subnet-a", "SubnetId.2", "subnet-none")
	e.refused("InvalidSubnetID.Malformed", "sn-1", "DescribeSubnets", "SubnetId.1", "sn-1")
	e.refused("InvalidParameterValue", "'color' is invalid", "DescribeSubnets", "Filter.1.Name", "color", "Filter.1.Value.1", "x")
	e.refused("InvalidParameterValue", "no values", "DescribeSubnets", "Filter.1.Name", "vpc-id")
	e.refused("InvalidParameterValue", "greater than or equal to 5", "DescribeSubnets", "MaxResults", "4")
	e.refused("InvalidParameterValue", "less than or equal to 1000", "DescribeSubnets", "MaxResults", "1001")
}

func TestSecurityGroupsAreDescribedByIdNameAndFilter(t *testing.T) {
	e := newEC2Test(t)
	for _, tt := range []struct {
		pairs []string
		want  string
	}{
		{nil, "sg-1 sg-2"},
		{[]string{"GroupId.1", "sg-2"}, "sg-2"},
		{[]string{"GroupName.1", "web"}, "sg-1"},
		{[]string{"Filter.1.Name", "group-id", "Filter.1.Value.1", "sg-2"}, "sg-2"},
		{[]string{"Filter.1.Name", "vpc-id", "Filter.1.Value.1", "vpc-1"}, "sg-1"},
	} {
		var got struct {
			Groups []wireGroup `xml:"securityGroupInfo>item"`
		}
		e.into(&got, "DescribeSecurityGroups", tt.pairs...)
		var ids []string
		for _, g := range got.Groups {
			ids = append(ids, g.ID)
		}
		if strings.Join(ids, " ") != tt.want {
			t.Errorf("%v: got %v, want %s", tt.pairs, ids, tt.want)
		}
	}
	e.refused("InvalidGroup.NotFound", "The security group 'sg-none' does not exist", "DescribeSecurityGroups", "GroupId.1", "sg-none")
	e.refused("InvalidGroup.NotFound", "none", "DescribeSecurityGroups", "GroupName.1", "none")
}

func TestASubnetGivesEachAddressOnce(t *testing.T) {
	e := newEC2Test(t)
	if !e.takeThisAddress("subnet-b", "10.0.2.5") || e.takeThisAddress("subnet-b", "10.0.2.5") {
		t.Error("an address must be given once")
	}
	for _, ip := range []string{"10.0.2.0", "10.0.2.3", "10.0.2.15", "10.0.3.5", "garbage", ""} {
		if e.takeThisAddress("subnet-b", ip) {
			t.Errorf("%q was given", ip)
		}
	}
	var got []string
	for {
		ip, ok := e.takeAddress("subnet-b")
		if !ok {
			break
		}
		got = append(got, ip)
	}
	want := strings.Fields("10.0.2.4 10.0.2.6 10.0.2.7 10.0.2.8 10.0.2.9 10.0.2.10 10.0.2.11 10.0.2.12 10.0.2.13 10.0.2.14")
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	e.releaseAddress("subnet-b", "10.0.2.9")
	e.releaseAddress("subnet-b", "10.0.2.9")
	e.releaseAddress("subnet-none", "10.0.2.9")
	if n := e.subnets["subnet-b"].Free; n != 1 {
		t.Errorf("%d are free, want 1", n)
	}
	if ip, ok := e.takeAddress("subnet-b"); !ok || ip != "10.0.2.9" {
		t.Errorf("got %s, %t", ip, ok)
	}
	if _, ok := e.takeAddress("subnet-c"); ok {
		t.Error("a full subnet gave an address")
	}
	if _, ok := e.takeAddress("subnet-none"); ok {
		t.Error("a subnet that does not exist gave an address")
	}
}

func TestASubnetMustBeOneThatAWSWouldHave(t *testing.T) {
	e := newEC2Test(t)
	for _, n := range []ec2Subnet{
		{ID: "subnet-x", CIDR: "10.0.0.0/29", Free: -1},
		{ID: "subnet-x", CIDR: "10.0.0.0/15", Free: -1},
		{ID: "subnet-x", CIDR: "10.0.0.1/24", Free: -1},
		{ID: "subnet-x", CIDR: "fd00::/24", Free: -1},
		{ID: "subnet-x", CIDR: "10.0.0.0/28", Free: 12},
		{ID: "subnet-x", CIDR: ""},
	} {
		if e.addSubnet(n) == nil {
			t.Errorf("%+v was added", n)
		}
	}
}

func TestFiltersKnowWildcards(t *testing.T) {
	for _, tt := range []struct {
		pattern, v string
		want       bool
	}{
		{"m5.large", "m5.large", true}, {"m5.large", "m5-large", false}, {"m5.*", "m5.large", true}, {"*", "", true},
		{"*a*b", "xaxxb", true}, {"*a*b", "xaxx", false}, {"a?c", "aüc", true}, {"a?c", "ac", false}, {"a/*", "a/b/c", true},
		{`a\*`, "a*", true}, {`a\*`, "ab", false}, {`a\?`, "a?", true}, {`a\\b`, `a\b`, true}, {"[a]", "[a]", true}, {"[a]", "a", false}, {"", "", true}, {"", "a", false},
	} {
		if got := wildcard(tt.pattern, tt.v); got != tt.want {
			t.Errorf("%q against %q: got %t", tt.pattern, tt.v, got)
		}
	}
}
