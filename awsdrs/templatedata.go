package awsdrs

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"muster/recovery"
)

type (
	shownInterface = types.LaunchTemplateInstanceNetworkInterfaceSpecification
	askedInterface = types.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest
)

// templateSettings are those of our settings that a template version holds.
func templateSettings(d *types.ResponseLaunchTemplateData) recovery.LaunchConfig {
	have := recovery.LaunchConfig{}
	if d == nil {
		return have
	}
	word := func(s recovery.Setting, v string) {
		if v != "" {
			have[s] = v
		}
	}
	word(recovery.InstanceType, string(d.InstanceType))
	if p := d.IamInstanceProfile; p != nil {
		word(recovery.InstanceProfile, aws.ToString(p.Arn))
		word(recovery.InstanceProfile, aws.ToString(p.Name))
	}
	groups := d.SecurityGroupIds
	if i := primary(d.NetworkInterfaces, func(n shownInterface) (*int32, *int32) { return n.DeviceIndex, n.NetworkCardIndex }); i >= 0 {
		n := d.NetworkInterfaces[i]
		groups = n.Groups
		word(recovery.Subnet, aws.ToString(n.SubnetId))
		word(recovery.PrivateIP, aws.ToString(n.PrivateIpAddress))
		if j := primaryAddress(n.PrivateIpAddresses); j >= 0 {
			word(recovery.PrivateIP, aws.ToString(n.PrivateIpAddresses[j].PrivateIpAddress))
		}
	}
	if len(groups) > 0 {
		have[recovery.SecurityGroups] = groups
	}
	return have
}

// primary finds the network interface that is ours: device 0 of card 0, which
// is the instance's primary one, whatever its place in the list. -1: none.
func primary[N any](interfaces []N, index func(N) (device, card *int32)) int {
	i := slices.IndexFunc(interfaces, func(n N) bool {
		device, card := index(n)
		return device != nil && *device == 0 && aws.ToInt32(card) == 0
	})
	if i < 0 && len(interfaces) > 0 {
		return 0
	}
	return i
}

func primaryAddress(addresses []types.PrivateIpAddressSpecification) int {
	return slices.IndexFunc(addresses, func(a types.PrivateIpAddressSpecification) bool { return aws.ToBool(a.Primary) })
}

// changes says whether one of the settings is about to be changed.
func (t *target) changes(settings ...recovery.Setting) bool {
	return slices.ContainsFunc(t.inTemplate, func(c recovery.SettingChange) bool { return slices.Contains(settings, c.Setting) })
}

// movesGroups says that a network interface has to be added to a template that
// has security groups at its top. EC2 refuses the two together, and no version
// can be rid of what it inherits: such a version is made whole, from nothing.
func (t *target) movesGroups() bool {
	return len(t.data.NetworkInterfaces) == 0 && len(t.data.SecurityGroupIds)+len(t.data.SecurityGroups) > 0 &&
		t.changes(recovery.Subnet, recovery.PrivateIP, recovery.SecurityGroups)
}

// apply writes the settings that differ into the data of a new version.
func (t *target) apply(d *types.RequestLaunchTemplateData) error {
	if t.changes(recovery.InstanceType) {
		d.InstanceType = types.InstanceType(t.want.Text(recovery.InstanceType))
	}
	if t.changes(recovery.InstanceProfile) {
		profile := t.want.Text(recovery.InstanceProfile)
		d.IamInstanceProfile = &types.LaunchTemplateIamInstanceProfileSpecificationRequest{Name: aws.String(profile)}
		if strings.HasPrefix(profile, "arn:") {
			d.IamInstanceProfile = &types.LaunchTemplateIamInstanceProfileSpecificationRequest{Arn: aws.String(profile)}
		}
	}
	if !t.changes(recovery.Subnet, recovery.SecurityGroups, recovery.PrivateIP) {
		return nil
	}
	// The list replaces the inherited one: all interfaces go along, with all
	// that they have.
	interfaces, err := convert[[]askedInterface](t.data.NetworkInterfaces)
	if err != nil {
		return err
	}
	if len(interfaces) == 0 {
		if len(t.data.SecurityGroups) > 0 && !t.changes(recovery.SecurityGroups) {
			return errors.New("the launch template has security groups by name, which a subnet cannot be given to: ask for securityGroups too")
		}
		interfaces = []askedInterface{{DeviceIndex: aws.Int32(0), Groups: t.data.SecurityGroupIds}}
	}
	t.applyTo(&interfaces[primary(interfaces, func(n askedInterface) (*int32, *int32) { return n.DeviceIndex, n.NetworkCardIndex })])
	d.NetworkInterfaces = interfaces
	return nil
}

func (t *target) applyTo(n *askedInterface) {
	if t.changes(recovery.Subnet) {
		n.SubnetId = aws.String(t.want.Text(recovery.Subnet))
	}
	if t.changes(recovery.SecurityGroups) {
		n.Groups = t.want.List(recovery.SecurityGroups)
	}
	if !t.changes(recovery.PrivateIP) {
		return
	}
	address := aws.String(t.want.Text(recovery.PrivateIP))
	if i := primaryAddress(n.PrivateIpAddresses); i >= 0 {
		n.PrivateIpAddresses[i].PrivateIpAddress = address
		return
	}
	n.PrivateIpAddress = address
}

// convert turns what EC2 shows into what EC2 can be asked for. The two have
// the same fields under the same names in types that differ; a test holds them
// against each other.
func convert[To any](from any) (To, error) {
	var to To
	body, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(body, &to)
	}
	if err != nil {
		return to, fmt.Errorf("copying a launch template's fields: %w", err)
	}
	return to, nil
}

// sameProfile compares instance profiles by name, for an account has only one
// of a name; two ARNs are compared whole.
func sameProfile(a, b string) bool {
	if strings.HasPrefix(a, "arn:") && strings.HasPrefix(b, "arn:") {
		return a == b
	}
	return a != "" && profileName(a) == profileName(b)
}

func profileName(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }
