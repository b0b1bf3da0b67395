package awsdrs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"muster/recovery"
)

// mostFilterValues is how many values one EC2 filter takes.
const mostFilterValues = 200

var (
	describeSubnets        = operation{service: "EC2", name: "DescribeSubnets", draws: "DescribeSubnets"}
	describeSecurityGroups = operation{service: "EC2", name: "DescribeSecurityGroups", draws: "DescribeSecurityGroups"}
)

// network is what is known of the account's subnets and security groups.
type network struct {
	subnets map[string]subnet
	groups  map[string]string // security group → its VPC
}

type subnet struct {
	vpc  string
	cidr netip.Prefix
}

// lookUpAsked looks up the subnets and security groups that are asked for, all
// servers' together.
func (w *configuration) lookUpAsked(ctx context.Context) error {
	subnets, groups := map[string]bool{}, map[string]bool{}
	for _, t := range w.targets {
		if s := t.want.Text(recovery.Subnet); s != "" {
			subnets[s] = true
		}
		for _, g := range t.want.List(recovery.SecurityGroups) {
			groups[g] = true
		}
	}
	done := make(chan error, 1)
	go func() { done <- w.lookUpGroups(ctx, slices.Sorted(maps.Keys(groups))) }()
	return errors.Join(w.lookUpSubnets(ctx, slices.Sorted(maps.Keys(subnets))), <-done)
}

// lookUpOwn looks up the subnets that templates have already, where an address
// is to be given in them.
func (w *configuration) lookUpOwn(ctx context.Context) error {
	own := map[string]bool{}
	for _, t := range w.targets {
		if s := t.subnet(); t.want.Text(recovery.PrivateIP) != "" && s != "" && w.net.subnets[s] == (subnet{}) {
			own[s] = true
		}
	}
	return w.lookUpSubnets(ctx, slices.Sorted(maps.Keys(own)))
}

// lookUpSubnets asks by filter, so that a subnet which does not exist is
// absent from the answer instead of failing it.
func (w *configuration) lookUpSubnets(ctx context.Context, ids []string) error {
	found, err := inChunks(ids, mostFilterValues, func(ids []string) ([]types.Subnet, error) {
		return pages(ctx, w.region, describeSubnets, func(ctx context.Context, s *session, token *string) (*ec2.DescribeSubnetsOutput, error) {
			return s.ec2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{Filters: filter("subnet-id", ids), NextToken: token})
		}, func(out *ec2.DescribeSubnetsOutput) ([]types.Subnet, *string, error) {
			return out.Subnets, out.NextToken, nil
		})
	})
	if err != nil {
		return w.failAsking(recovery.Subnet, "looking up its subnet", err)
	}
	if w.net.subnets == nil {
		w.net.subnets = make(map[string]subnet)
	}
	for _, s := range found {
		cidr, _ := netip.ParsePrefix(aws.ToString(s.CidrBlock)) // invalid holds no address
		w.net.subnets[aws.ToString(s.SubnetId)] = subnet{aws.ToString(s.VpcId), cidr}
	}
	return nil
}

func (w *configuration) lookUpGroups(ctx context.Context, ids []string) error {
	found, err := inChunks(ids, mostFilterValues, func(ids []string) ([]types.SecurityGroup, error) {
		return pages(ctx, w.region, describeSecurityGroups, func(ctx context.Context, s *session, token *string) (*ec2.DescribeSecurityGroupsOutput, error) {
			return s.ec2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: filter("group-id", ids), NextToken: token})
		}, func(out *ec2.DescribeSecurityGroupsOutput) ([]types.SecurityGroup, *string, error) {
			return out.SecurityGroups, out.NextToken, nil
		})
	})
	if err != nil {
		return w.failAsking(recovery.SecurityGroups, "looking up its security groups", err)
	}
	w.net.groups = make(map[string]string)
	for _, g := range found {
		w.net.groups[aws.ToString(g.GroupId)] = aws.ToString(g.VpcId)
	}
	return nil
}

func filter(name string, values []string) []types.Filter {
	return []types.Filter{{Name: aws.String(name), Values: values}}
}

// failAsking fails every server that the failed call was for.
func (w *configuration) failAsking(s recovery.Setting, doing string, err error) error {
	var errs []error
	for _, t := range w.targets {
		_, asks := t.want.LaunchConfig[s]
		if _, address := t.want.LaunchConfig[recovery.PrivateIP]; asks || s == recovery.Subnet && address {
			errs = append(errs, t.fail(doing, err, s))
		}
	}
	return errors.Join(errs...)
}

// dependsOnTemplate says that whether the settings fit together cannot be seen
// without the template: then it is read before anything is changed, even if
// DRS is going to write it.
func (t *target) dependsOnTemplate() bool {
	w := t.want
	return w.Text(recovery.Subnet) == "" && (w.Text(recovery.PrivateIP) != "" || w.List(recovery.SecurityGroups) != nil)
}

// subnet is where the server will be: as asked for, else as the template has
// it; "" where neither says, or the template was not read.
func (t *target) subnet() string {
	if s := t.want.Text(recovery.Subnet); s != "" {
		return s
	}
	return templateSettings(t.data).Text(recovery.Subnet)
}

// check finds what cannot work, as far as it can be seen: at launch it would
// fail deep inside the job, minutes later.
func (w *configuration) check(t *target) error {
	const doing = "checking its settings"
	var errs []error
	wrong := func(s recovery.Setting, format string, args ...any) {
		errs = append(errs, t.fail(doing, fmt.Errorf(format, args...), s))
	}
	where := "account " + w.region.account.AccountID + ", " + w.region.account.Region
	id := t.subnet()
	in, known := w.net.subnets[id]
	if !known && t.want.Text(recovery.Subnet) != "" {
		wrong(recovery.Subnet, "%s does not exist in %s", id, where)
	}

	groups := t.want.List(recovery.SecurityGroups)
	missing := slices.DeleteFunc(slices.Clone(groups), func(g string) bool { _, ok := w.net.groups[g]; return ok })
	if len(missing) > 0 {
		wrong(recovery.SecurityGroups, "%s: no such security group in %s", strings.Join(missing, ", "), where)
	}
	for _, g := range groups {
		if vpc := w.net.groups[g]; known && vpc != "" && in.vpc != "" && vpc != in.vpc {
			wrong(recovery.SecurityGroups, "%s belongs to %s, but %s is in %s", g, vpc, id, in.vpc)
		}
	}
	if t.data != nil && id == "" && len(groups) > 0 {
		wrong(recovery.SecurityGroups, "security groups need a subnet, and neither the launch configuration nor the launch template names one")
	}

	asked := t.want.Text(recovery.PrivateIP)
	has := templateSettings(t.data).Text(recovery.PrivateIP)
	switch {
	case asked != "" && t.data != nil && id == "":
		wrong(recovery.PrivateIP, "%s needs a subnet, and neither the launch configuration nor the launch template names one", asked)
	case asked != "" && known && !in.holds(asked):
		wrong(recovery.PrivateIP, "%s does not lie in %s (%s)", asked, id, in.cidr)
	case asked == "" && has != "" && known && !in.holds(has):
		wrong(recovery.Subnet, "the launch template gives the address %s, which does not lie in %s (%s); ask for another privateIp", has, id, in.cidr)
	}
	return errors.Join(errs...)
}

func (s subnet) holds(address string) bool {
	ip, err := netip.ParseAddr(address)
	return err == nil && s.cidr.Contains(ip)
}
