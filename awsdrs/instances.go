package awsdrs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"muster/recovery"
)

var describeInstances = operation{service: "EC2", name: "DescribeInstances", draws: "DescribeInstances"}

// InstanceStates asks EC2 by filter, 200 ids a call, so that an instance that
// does not exist is absent from the answer instead of failing it.
func (r *region) InstanceStates(ctx context.Context, ids []recovery.InstanceID) (map[recovery.InstanceID]string, error) {
	if len(ids) == 0 {
		return nil, describeInstances.refuse(emptyFilter)
	}
	found, err := inChunks(texts(ids), mostFilterValues, func(ids []string) ([]types.Instance, error) {
		return pages(ctx, r, describeInstances, func(ctx context.Context, s *session, token *string) (*ec2.DescribeInstancesOutput, error) {
			return s.ec2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: filter("instance-id", ids), NextToken: token})
		}, func(out *ec2.DescribeInstancesOutput) ([]types.Instance, *string, error) {
			var instances []types.Instance
			for _, reservation := range out.Reservations {
				instances = append(instances, reservation.Instances...)
			}
			return instances, out.NextToken, nil
		})
	})
	if err != nil {
		return nil, err
	}
	states := make(map[recovery.InstanceID]string, len(found))
	for _, i := range found {
		state := "unknown" // which is not the same as not there
		if i.State != nil && i.State.Name != "" {
			state = string(i.State.Name)
		}
		states[recovery.InstanceID(aws.ToString(i.InstanceId))] = state
	}
	return states, nil
}
