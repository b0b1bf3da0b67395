package awsdrs

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/drs"
	"github.com/aws/aws-sdk-go-v2/service/drs/types"

	"muster/recovery"
)

var describeRecoverySnapshots = operation{service: "DRS", name: "DescribeRecoverySnapshots"}

// RecoveryPoints reads the newest recovery points of every server, all servers
// at the same time (DRS answers for one a call), and no more pages than it
// needs: it leaves a server once it has a usable one, unless one that is
// wanted was not found yet anywhere.
func (r *region) RecoveryPoints(ctx context.Context, servers []recovery.SourceServerID, wanted []recovery.SnapshotID) ([]recovery.RecoveryPoint, error) {
	if len(servers) == 0 {
		return nil, describeRecoverySnapshots.refuse("no servers were named")
	}
	missing := &wantedPoints{ids: slices.Clone(wanted)}
	found, errs := each(servers, func(id recovery.SourceServerID) ([]recovery.RecoveryPoint, error) {
		return r.pointsOf(ctx, id, missing)
	})
	if len(errs) > 0 {
		return nil, errs[0]
	}
	return slices.Concat(found...), nil
}

func (r *region) pointsOf(ctx context.Context, id recovery.SourceServerID, missing *wantedPoints) ([]recovery.RecoveryPoint, error) {
	enough, pinned := false, false
	return pages(ctx, r, describeRecoverySnapshots, func(ctx context.Context, s *session, token *string) (*drs.DescribeRecoverySnapshotsOutput, error) {
		return s.drs.DescribeRecoverySnapshots(ctx, &drs.DescribeRecoverySnapshotsInput{
			SourceServerID: aws.String(string(id)), Order: types.RecoverySnapshotsOrderDesc, NextToken: token,
		})
	}, func(out *drs.DescribeRecoverySnapshotsOutput) ([]recovery.RecoveryPoint, *string, error) {
		var points []recovery.RecoveryPoint
		for _, item := range out.Items {
			taken, err := timestamp(item.Timestamp)
			if err != nil {
				return nil, nil, describeRecoverySnapshots.garbled("the time of recovery point %s: %v", aws.ToString(item.SnapshotID), err)
			}
			p := recovery.RecoveryPoint{ID: recovery.SnapshotID(aws.ToString(item.SnapshotID)), Server: id, Taken: taken}
			pinned = missing.found(p.ID) || pinned
			enough = enough || !taken.IsZero()
			if !taken.IsZero() {
				points = append(points, p)
			}
		}
		if enough && (pinned || missing.none()) {
			return points, nil, nil
		}
		return points, out.NextToken, nil
	})
}

// wantedPoints are the recovery points that somebody pinned, less those found.
type wantedPoints struct {
	mu  sync.Mutex
	ids []recovery.SnapshotID
}

func (w *wantedPoints) found(id recovery.SnapshotID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := len(w.ids)
	w.ids = slices.DeleteFunc(w.ids, func(wanted recovery.SnapshotID) bool { return wanted == id })
	return len(w.ids) < before
}

func (w *wantedPoints) none() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.ids) == 0
}

// timestamp reads a time as DRS writes it; absent is the zero time.
func timestamp(s *string) (time.Time, error) {
	if aws.ToString(s) == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339, *s)
}
