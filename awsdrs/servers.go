package awsdrs

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/drs"
	"github.com/aws/aws-sdk-go-v2/service/drs/types"

	"muster/recovery"
)

// mostServerIDs is how many ids one filter takes.
const mostServerIDs = 200

// An empty filter means everything to DRS.
const emptyFilter = "an empty list of ids means everything to AWS"

var (
	describeSourceServers     = operation{service: "DRS", name: "DescribeSourceServers"}
	describeRecoveryInstances = operation{service: "DRS", name: "DescribeRecoveryInstances"}
)

// SourceServers describes the servers, 200 a call.
func (r *region) SourceServers(ctx context.Context, ids []recovery.SourceServerID) ([]recovery.SourceServer, error) {
	if len(ids) == 0 {
		return nil, describeSourceServers.refuse(emptyFilter)
	}
	return inChunks(texts(ids), mostServerIDs, func(ids []string) ([]recovery.SourceServer, error) {
		return r.sourceServers(ctx, &types.DescribeSourceServersRequestFilters{SourceServerIDs: ids}, nil)
	})
}

// ServersByTag describes the servers that carry all of the tags, by id. DRS
// has no filter for tags: this is the one place where it is asked for
// everything, and on purpose.
func (r *region) ServersByTag(ctx context.Context, tags map[string]string) ([]recovery.SourceServer, error) {
	if len(tags) == 0 {
		return nil, describeSourceServers.refuse("no tags were named, and every server carries none")
	}
	servers, err := r.sourceServers(ctx, nil, tags)
	slices.SortStableFunc(servers, func(a, b recovery.SourceServer) int { return cmp.Compare(a.ID, b.ID) })
	// Pages are no snapshot: a server may be on two of them.
	return slices.CompactFunc(servers, func(a, b recovery.SourceServer) bool { return a.ID == b.ID }), err
}

// sourceServers describes the servers that DRS finds and that carry the tags.
func (r *region) sourceServers(ctx context.Context, filters *types.DescribeSourceServersRequestFilters, tags map[string]string) ([]recovery.SourceServer, error) {
	return pages(ctx, r, describeSourceServers, func(ctx context.Context, s *session, token *string) (*drs.DescribeSourceServersOutput, error) {
		return s.drs.DescribeSourceServers(ctx, &drs.DescribeSourceServersInput{Filters: filters, NextToken: token})
	}, func(out *drs.DescribeSourceServersOutput) ([]recovery.SourceServer, *string, error) {
		servers := make([]recovery.SourceServer, 0, len(out.Items))
		for i := range out.Items {
			if carries(out.Items[i].Tags, tags) {
				servers = append(servers, sourceServer(&out.Items[i]))
			}
		}
		return servers, out.NextToken, nil
	})
}

// carries says whether all the wanted tags are there, with these values. A tag
// without a value is not one that is absent.
func carries(have, want map[string]string) bool {
	for key, value := range want {
		if v, ok := have[key]; !ok || v != value {
			return false
		}
	}
	return true
}

func sourceServer(s *types.SourceServer) recovery.SourceServer {
	known := recovery.SourceServer{ID: recovery.SourceServerID(aws.ToString(s.SourceServerID))}
	if p := s.SourceProperties; p != nil && p.IdentificationHints != nil {
		known.Hostname = aws.ToString(p.IdentificationHints.Hostname)
	}
	if d := s.DataReplicationInfo; d != nil {
		known.Replication, known.Lag = string(d.DataReplicationState), duration(aws.ToString(d.LagDuration))
	}
	if s.StagingArea != nil {
		known.StagingArea = string(s.StagingArea.Status)
	}
	if s.LifeCycle == nil || s.LifeCycle.LastLaunch == nil {
		return known
	}
	last := s.LifeCycle.LastLaunch
	known.LastLaunch.Status = string(last.Status)
	if i := last.Initiated; i != nil {
		known.LastLaunch.JobID, known.LastLaunch.Type = recovery.JobID(aws.ToString(i.JobID)), string(i.Type)
		known.LastLaunch.At, _ = timestamp(i.ApiCallDateTime) // unknown is as good as recent
	}
	return known
}

// RecoveryInstances lists what the servers' launches left behind, 200 servers
// a call.
func (r *region) RecoveryInstances(ctx context.Context, servers []recovery.SourceServerID) ([]recovery.RecoveryInstance, error) {
	if len(servers) == 0 {
		return nil, describeRecoveryInstances.refuse(emptyFilter)
	}
	return inChunks(texts(servers), mostServerIDs, func(ids []string) ([]recovery.RecoveryInstance, error) {
		return pages(ctx, r, describeRecoveryInstances, func(ctx context.Context, s *session, token *string) (*drs.DescribeRecoveryInstancesOutput, error) {
			return s.drs.DescribeRecoveryInstances(ctx, &drs.DescribeRecoveryInstancesInput{
				Filters: &types.DescribeRecoveryInstancesRequestFilters{SourceServerIDs: ids}, NextToken: token,
			})
		}, func(out *drs.DescribeRecoveryInstancesOutput) ([]recovery.RecoveryInstance, *string, error) {
			instances := make([]recovery.RecoveryInstance, len(out.Items))
			for i, item := range out.Items {
				instances[i] = recovery.RecoveryInstance{
					ID:       recovery.InstanceID(aws.ToString(item.RecoveryInstanceID)),
					EC2:      recovery.InstanceID(aws.ToString(item.Ec2InstanceID)),
					Server:   recovery.SourceServerID(aws.ToString(item.SourceServerID)),
					Drill:    aws.ToBool(item.IsDrill), // not said is not a drill: it may be production
					EC2State: string(item.Ec2InstanceState),
					JobID:    recovery.JobID(aws.ToString(item.JobID)),
				}
			}
			return instances, out.NextToken, nil
		})
	})
}

var isoDuration = regexp.MustCompile(`^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$`)

// duration reads an ISO 8601 duration of days and less; what it cannot read is
// no duration: lag warns and never decides.
func duration(s string) time.Duration {
	m := isoDuration.FindStringSubmatch(s)
	if m == nil {
		return 0
	}
	var d time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, _ := strconv.ParseFloat(m[i+1], 64) // "" is none of that unit
		d += time.Duration(n * float64(unit))
	}
	return d
}
