package orchestrator

import (
	"context"
	"errors"
	"fmt"

	"muster/recovery"
)

// check judges everything that could forbid the start: the waves that this
// one depends on, and the readiness of its servers.
func (c *claim) check(ctx context.Context, region recovery.Region) error {
	if err := c.dependenciesByJob(ctx); err != nil {
		return err
	}
	return c.ready(ctx, region)
}

// dependenciesBySelf settles what the event itself says is failed.
func (c *claim) dependenciesBySelf() error {
	for _, d := range c.w.Dependencies {
		if _, failed := d.Settled(); failed {
			return recovery.Errorf(recovery.DependencyNotMet, "wave %d depends on wave %d, which is %s", c.w.Wave.Number, d.Wave, d.Status)
		}
	}
	return nil
}

// dependenciesByJob settles the others by their jobs: one that runs holds this
// wave up; one that is over, or that nobody knows, does not, for state
// machines may poll in their own way and never touch the status.
func (c *claim) dependenciesByJob(ctx context.Context) error {
	for _, d := range c.w.Dependencies {
		if met, _ := d.Settled(); met {
			continue
		}
		if d.JobID == "" {
			c.tell(recovery.EventNote, "wave %d, which this one depends on, has neither a final status nor a job: going on", d.Wave)
			continue
		}
		region, err := c.assume(ctx, d.Account)
		if err != nil {
			return err
		}
		jobs, err := region.Jobs(ctx, recovery.JobQuery{IDs: []recovery.JobID{d.JobID}})
		if err != nil {
			return drsFailure(err)
		}
		if len(jobs) == 1 && !jobs[0].Over() {
			return &recovery.Error{Code: recovery.DependencyNotMet, Retryable: true,
				Message: fmt.Sprintf("wave %d depends on wave %d, whose job %s still runs (%s)", c.w.Wave.Number, d.Wave, d.JobID, jobs[0].Status)}
		}
		how := "is over, and nobody has said how it ended"
		if len(jobs) == 0 {
			how = "is not known to DRS"
		}
		c.tell(recovery.EventNote, "job %s of wave %d, which this one depends on, %s: going on", d.JobID, d.Wave, how)
	}
	return nil
}

// ready reads how the wave's servers stand, each thing at the same time as the
// others where it can be, and judges it.
func (c *claim) ready(ctx context.Context, region recovery.Region) error {
	ids := c.w.Wave.ServerIDs()
	var points <-chan error
	var pointed []recovery.RecoveryPoint
	s, err := c.standing(ctx, region, func(s recovery.Standing) {
		if points == nil {
			points = async(func() (err error) { pointed, err = c.points(ctx, region, s.Servers); return })
		}
	})
	if points != nil {
		err = errors.Join(err, <-points)
	}
	if err != nil {
		return drsFailure(err)
	}
	s.Points = pointed
	readiness := c.readiness()
	if err := readiness.Check(c.w.Wave.Servers, s); err != nil {
		return c.explained(ctx, region, readiness, s, err)
	}
	c.tell(recovery.EventReady, "%s of wave %d (%s) ready for recovery", recovery.Count(len(ids), "server"), c.w.Wave.Number, recovery.Quote(c.w.Wave.Name))
	return nil
}

func (c *claim) readiness() recovery.Readiness {
	return recovery.Readiness{Policy: c.w.Policy, Replace: c.w.Replace, Gone: c.w.Gone}
}

// explained gives a refusal with what recovery points would do about it. Where
// they cannot be read, it stays as it is.
func (c *claim) explained(ctx context.Context, region recovery.Region, readiness recovery.Readiness, s recovery.Standing, refusal error) error {
	doubt := readiness.InDoubt(c.w.Wave.Servers, s)
	if len(doubt) == 0 {
		return refusal
	}
	points, err := region.RecoveryPoints(ctx, doubt, nil)
	if err != nil {
		return refusal
	}
	s.Points, s.PointsOf = append(s.Points, points...), doubt
	return readiness.Check(c.w.Wave.Servers, s)
}

func (c *claim) points(ctx context.Context, region recovery.Region, known []recovery.SourceServer) ([]recovery.RecoveryPoint, error) {
	need := c.w.Policy.NeedPoints(c.w.Wave.Servers, known)
	if len(need) == 0 {
		return nil, nil
	}
	var wanted []recovery.SnapshotID
	for _, s := range c.w.Wave.Servers {
		if s.Snapshot != "" {
			wanted = append(wanted, s.Snapshot)
		}
	}
	return region.RecoveryPoints(ctx, need, wanted)
}

// lastJobs describes the jobs of the servers' last launches, as far as those
// are of interest.
func lastJobs(ctx context.Context, region recovery.Region, servers []recovery.SourceServer, of func(recovery.LastLaunch) bool) ([]recovery.Job, error) {
	seen := map[recovery.JobID]bool{}
	var ids []recovery.JobID
	for _, s := range servers {
		if id := s.LastLaunch.JobID; id != "" && of(s.LastLaunch) && !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return region.Jobs(ctx, recovery.JobQuery{IDs: ids})
}

// drsFailure makes the answer of what DRS refused. What is no answer of DRS, or
// an answer of ours already, goes out as it is.
func drsFailure(err error) error { return drsRefusal("Failed to start recovery", err) }

func drsRefusal(what string, err error) error {
	var refused *recovery.ServiceError
	if _, is := err.(*recovery.Error); is || !errors.As(err, &refused) || errors.Is(err, recovery.ErrNoTime) {
		return err
	}
	return &recovery.Error{Code: recovery.DRSAPIError, Message: what + ": " + refused.Detail(), Retryable: refused.Retryable, Err: err}
}

func async(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}
