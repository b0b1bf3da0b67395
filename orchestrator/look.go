package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/recovery"
)

// lookStep is how often a job that may exist is looked for.
const lookStep = 2 * time.Second

// findJob looks for the job of an attempt that was once sent. A nil job
// without an error means that none was made: everything that was sent is
// certainly over, and a job would be visible.
func (c *claim) findJob(ctx context.Context) (*recovery.Job, error) {
	region, err := c.assume(ctx, c.w.Wave.Account)
	if err != nil {
		return nil, err
	}
	sent := c.held()
	c.tell(recovery.EventLooking, "StartRecovery may have been called at %s; looking for its job", sent.FirstSentAt.UTC().Format(time.RFC3339))
	job, err := c.look(ctx, region, sent.SendDeadline.Add(recovery.Grace))
	if err != nil {
		return nil, drsFailure(err)
	}
	return job, nil
}

// look looks for the attempt's job until it is found, or was not there when it
// was asked for at the end of the time or later: an answer may be old by the
// time it is read. The error is that of the last look.
func (c *claim) look(ctx context.Context, region recovery.Region, until time.Time) (*recovery.Job, error) {
	for {
		asked := c.o.now()
		job, err := c.lookOnce(ctx, region)
		if job != nil {
			return job, nil
		}
		if !asked.Before(until) {
			return nil, err
		}
		if ended := sleep(ctx, lookStep); ended != nil {
			return nil, errors.Join(err, ended)
		}
	}
}

// lookOnce asks two witnesses: the list of jobs, and the servers themselves,
// which know the job of their last launch.
func (c *claim) lookOnce(ctx context.Context, region recovery.Region) (*recovery.Job, error) {
	jobs, err := region.Jobs(ctx, recovery.JobQuery{Since: c.held().FirstSentAt.Add(-recovery.LookBack)})
	if job := c.ours(jobs); job != nil {
		return job, nil
	}
	servers, serversErr := region.SourceServers(ctx, c.w.Wave.ServerIDs())
	if serversErr != nil {
		return nil, errors.Join(err, serversErr)
	}
	last, lastErr := lastJobs(ctx, region, servers, func(recovery.LastLaunch) bool { return true })
	return c.ours(last), errors.Join(err, lastErr)
}

func (c *claim) ours(jobs []recovery.Job) *recovery.Job {
	a := c.held()
	for i := range jobs {
		if a.Ours(&jobs[i], c.w.Type, c.tags(), c.w.Wave.ServerIDs()) {
			c.found = true
			return &jobs[i]
		}
	}
	return nil
}

// holders says in words which running jobs hold which of the wave's servers;
// "" when none is to be seen. Our own may have become visible only now.
func (c *claim) holders(ctx context.Context, region recovery.Region) (own *recovery.Job, others string, err error) {
	servers, err := region.SourceServers(ctx, c.w.Wave.ServerIDs())
	if err != nil {
		return nil, "", err
	}
	jobs, err := lastJobs(ctx, region, servers, recovery.LastLaunch.Running)
	if own := c.ours(jobs); own != nil {
		return own, "", nil
	}
	var words []string
	for _, j := range jobs {
		if j.Over() {
			continue
		}
		var held []string
		for _, s := range servers {
			if s.LastLaunch.JobID == j.ID || slices.Contains(j.Servers, s.ID) {
				held = append(held, string(s.ID))
			}
		}
		words = append(words, fmt.Sprintf("job %s (%s): %s", j.ID, j.InitiatedBy, strings.Join(held, ", ")))
	}
	return nil, strings.Join(words, "; "), err
}
