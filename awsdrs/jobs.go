package awsdrs

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/drs"
	"github.com/aws/aws-sdk-go-v2/service/drs/types"

	"muster/awserror"
	"muster/recovery"
)

// mostJobIDs is how many job ids one filter takes.
const mostJobIDs = 1000

var (
	describeJobs = operation{service: "DRS", name: "DescribeJobs"}
	// StartRecovery has no client token: a second call is a second launch.
	startRecovery       = operation{service: "DRS", name: "StartRecovery", effect: true, once: true}
	describeJobLogItems = operation{service: "DRS", name: "DescribeJobLogItems"}
)

// Jobs describes jobs by id, or those made since a time, newest first.
func (r *region) Jobs(ctx context.Context, q recovery.JobQuery) ([]recovery.Job, error) {
	if len(q.IDs) == 0 && q.Since.IsZero() {
		return nil, describeJobs.refuse(emptyFilter)
	}
	if len(q.IDs) == 0 {
		// AWS may compare in whole seconds.
		from := q.Since.UTC().Truncate(time.Second).Format(time.RFC3339)
		return r.jobs(ctx, types.DescribeJobsRequestFilters{FromDate: aws.String(from)})
	}
	jobs, err := inChunks(texts(q.IDs), mostJobIDs, func(ids []string) ([]recovery.Job, error) {
		return r.jobs(ctx, types.DescribeJobsRequestFilters{JobIDs: ids})
	})
	slices.SortStableFunc(jobs, func(a, b recovery.Job) int { return b.Created.Compare(a.Created) })
	return jobs, err
}

func (r *region) jobs(ctx context.Context, filters types.DescribeJobsRequestFilters) ([]recovery.Job, error) {
	return pages(ctx, r, describeJobs, func(ctx context.Context, s *session, token *string) (*drs.DescribeJobsOutput, error) {
		return s.drs.DescribeJobs(ctx, &drs.DescribeJobsInput{Filters: &filters, NextToken: token})
	}, func(out *drs.DescribeJobsOutput) ([]recovery.Job, *string, error) {
		jobs := make([]recovery.Job, len(out.Items))
		for i := range out.Items {
			// A job whose time is unknown would not be taken for ours: better no
			// answer than that one.
			var err error
			if jobs[i], err = job(&out.Items[i]); err != nil {
				return nil, nil, describeJobs.garbled("the time of job %s: %v", aws.ToString(out.Items[i].JobID), err)
			}
		}
		return jobs, out.NextToken, nil
	})
}

func job(j *types.Job) (recovery.Job, error) {
	made, err := timestamp(j.CreationDateTime)
	known := recovery.Job{
		ID:          recovery.JobID(aws.ToString(j.JobID)),
		Type:        string(j.Type),
		InitiatedBy: string(j.InitiatedBy),
		Status:      recovery.JobStatus(j.Status),
		Created:     made,
		Tags:        j.Tags,
	}
	known.Ended, _ = timestamp(j.EndDateTime) // unknown is as good as recent
	if j.ParticipatingServers == nil {
		return known, err
	}
	known.Servers = make([]recovery.SourceServerID, len(j.ParticipatingServers))
	known.Participants = make([]recovery.Participant, len(j.ParticipatingServers))
	for i, p := range j.ParticipatingServers {
		known.Servers[i] = recovery.SourceServerID(aws.ToString(p.SourceServerID))
		known.Participants[i] = recovery.Participant{
			Server:   known.Servers[i],
			Status:   string(p.LaunchStatus),
			Instance: recovery.InstanceID(aws.ToString(p.RecoveryInstanceID)),
		}
	}
	return known, err
}

// JobLog reads a job's log, oldest first.
func (r *region) JobLog(ctx context.Context, id recovery.JobID) ([]recovery.JobLogItem, error) {
	if id == "" {
		return nil, describeJobLogItems.refuse("no job was named")
	}
	var secrets []string
	items, err := pages(ctx, r, describeJobLogItems, func(ctx context.Context, s *session, token *string) (*drs.DescribeJobLogItemsOutput, error) {
		secrets = s.secrets
		return s.drs.DescribeJobLogItems(ctx, &drs.DescribeJobLogItemsInput{JobID: aws.String(string(id)), NextToken: token})
	}, func(out *drs.DescribeJobLogItemsOutput) ([]recovery.JobLogItem, *string, error) {
		items := make([]recovery.JobLogItem, len(out.Items))
		for i := range out.Items {
			items[i] = logItem(&out.Items[i], secrets)
		}
		return items, out.NextToken, nil
	})
	if err != nil {
		return nil, err
	}
	return oldestFirst(items), nil
}

// logItem never fails: a log explains, and what it says about a failure is
// worth having without its time.
func logItem(l *types.JobLog, secrets []string) recovery.JobLogItem {
	at, _ := timestamp(l.LogDateTime)
	item := recovery.JobLogItem{At: at, Event: string(l.Event)}
	d := l.EventData
	if d == nil {
		return item
	}
	item.Server = recovery.SourceServerID(aws.ToString(d.SourceServerID))
	item.Instance = recovery.InstanceID(cmp.Or(aws.ToString(d.TargetInstanceID), aws.ToString(d.ConversionServerID)))
	item.RawError = awserror.Scrub(aws.ToString(d.RawError), secrets)
	return item
}

// oldestFirst puts a log in order. DRS does not say which way round it lists,
// and its times are in whole seconds: within one, its own order is kept.
func oldestFirst(items []recovery.JobLogItem) []recovery.JobLogItem {
	if n := len(items); n > 0 && items[0].At.After(items[n-1].At) {
		slices.Reverse(items)
	}
	slices.SortStableFunc(items, func(a, b recovery.JobLogItem) int { return a.At.Compare(b.At) })
	return items
}

// StartRecovery starts the job. It is sent once, and again only where AWS
// refused because the session had expired.
func (r *region) StartRecovery(ctx context.Context, l recovery.Launch) (*recovery.Job, error) {
	in, err := launchInput(ctx, l)
	if err != nil {
		return nil, err
	}
	r.freshen(ctx)
	out, err := call(ctx, r, startRecovery, func(ctx context.Context, s *session) (*drs.StartRecoveryOutput, error) {
		return s.drs.StartRecovery(ctx, in)
	})
	if err != nil {
		return nil, err
	}
	if out.Job == nil || aws.ToString(out.Job.JobID) == "" {
		return nil, startRecovery.garbled("DRS accepted, and its answer names no job")
	}
	started, _ := job(out.Job) // its id is what counts; its time may be unreadable
	return &started, nil
}

func launchInput(ctx context.Context, l recovery.Launch) (*drs.StartRecoveryInput, error) {
	if _, ok := ctx.Deadline(); !ok {
		return nil, startRecovery.refuse("there is no deadline by which the call is over")
	}
	if len(l.Servers) == 0 {
		return nil, startRecovery.refuse("no servers were named")
	}
	if err := l.Type.Check(); err != nil { // isDrill decides about production: nothing is taken for granted
		return nil, startRecovery.refuse("execution type %v", err)
	}
	in := &drs.StartRecoveryInput{IsDrill: aws.Bool(l.Type == recovery.Drill), Tags: l.Tags}
	for _, s := range l.Servers {
		server := types.StartRecoveryRequestSourceServer{SourceServerID: aws.String(string(s.ID))}
		if s.Snapshot != "" { // absent is the newest data
			server.RecoverySnapshotID = aws.String(string(s.Snapshot))
		}
		in.SourceServers = append(in.SourceServers, server)
	}
	return in, nil
}
