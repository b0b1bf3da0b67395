package orchestrator

import (
	"context"
	"errors"
	"slices"
	"time"

	"muster/recovery"
)

// standing looks at how the wave's servers stand, always afresh. Where
// witnesses disagree and lists may only lag, it looks until they agree, or
// until no list can lag any more. known is told of the servers at each look,
// before the others have answered; nil: nobody wants to know.
func (c *claim) standing(ctx context.Context, region recovery.Region, known func(recovery.Standing)) (recovery.Standing, error) {
	ids, readiness := c.w.Wave.ServerIDs(), c.readiness()
	for began := time.Now(); ; {
		waited := time.Since(began)
		s, err := c.lookAtServers(ctx, region, known)
		if err != nil || !readiness.Unsettled(ids, s) {
			return s, err
		}
		if s.Waited = waited >= recovery.JobVisibility; s.Waited {
			return s, nil
		}
		if waited == 0 {
			c.tell(recovery.EventWaiting, "whether instances of earlier recoveries live is not certain, for lists may lag; looking again for up to %s", recovery.JobVisibility)
		}
		if err := sleep(ctx, lookStep); err != nil {
			return s, err
		}
	}
}

// lookAtServers asks every witness once: DRS for servers and instances, and our
// own records; then for the jobs that these lead to; then EC2 for instances
// about which they do not agree.
func (c *claim) lookAtServers(ctx context.Context, region recovery.Region, known func(recovery.Standing)) (s recovery.Standing, err error) {
	ids, readiness := c.w.Wave.ServerIDs(), c.readiness()
	s.Asked = c.o.now()
	instances := async(func() (err error) { s.Instances, err = region.RecoveryInstances(ctx, ids); return })
	recovered := async(func() (err error) {
		if s.Recovered, err = c.o.Executions.Recovered(ctx, c.w.Wave.Account.Place(), ids); err == nil {
			s.Recovered, err = c.o.here(ctx, slices.DeleteFunc(s.Recovered, c.unreadable))
		}
		return err
	})
	s.Servers, err = region.SourceServers(ctx, ids)
	if err = errors.Join(err, <-instances, <-recovered); err != nil {
		return s, err
	}
	if known != nil {
		known(s)
	}
	if jobs := s.Witnesses(ids); len(jobs) > 0 {
		if s.Jobs, err = region.Jobs(ctx, recovery.JobQuery{IDs: jobs}); err != nil {
			return s, err
		}
	}
	if ask := readiness.AskEC2(ids, s); len(ask) > 0 {
		s.EC2, err = region.InstanceStates(ctx, ask)
		if refused, is := errors.AsType[*recovery.ServiceError](err); is {
			s.NoEC2, err = refused.Detail(), nil
		}
	}
	return s, err
}

// unreadable tells of a record that is no witness: DRS and EC2 are asked alone
// about what it may have said.
func (c *claim) unreadable(r recovery.Recovered) bool {
	if r.Damage != "" {
		c.tell(recovery.EventNote, "what execution %s has recovered here cannot be read, and is no witness: %s", r.Execution, r.Damage)
	}
	return r.Damage != ""
}

// guard looks right before StartRecovery is sent whether it would destroy
// anything that lives, and at what time it looked. What somebody else starts
// later than that still runs when DRS hears of ours, which it refuses then.
//
// A job of our own that has become visible meanwhile is given instead.
func (c *claim) guard(ctx context.Context, region recovery.Region) (looked time.Time, own *recovery.Job, err error) {
	c.mu.Lock()
	exec := c.exec
	c.mu.Unlock()
	fenced := async(func() error { return c.o.mayStillAct(ctx, exec) })
	s, err := c.standing(ctx, region, nil)
	if fenced := <-fenced; fenced != nil {
		return looked, nil, fenced
	}
	if err != nil {
		return looked, nil, drsFailure(err)
	}
	if a := c.held(); a.MayHaveJob() {
		if own := c.ours(s.Jobs); own != nil {
			return looked, own, nil
		}
	}
	readiness := c.readiness()
	if err := readiness.CheckStakes(c.w.Wave.Servers, s); err != nil {
		return looked, nil, err
	}
	return s.Asked, nil, c.noteGone(ctx, readiness.SettledByPeople(c.w.Wave.ServerIDs(), s))
}

// noteGone records, once, what people answered for.
func (c *claim) noteGone(ctx context.Context, words string) error {
	if words == "" || words == c.gone {
		return nil
	}
	c.gone = words
	return c.update(ctx, func(a recovery.Attempt) recovery.Attempt { return a },
		&recovery.Event{At: c.o.now(), Kind: recovery.EventTreatedAsGone, Message: words})
}

// saidAhead refuses what somebody says is gone at a time that is still to come.
func (o *Orchestrator) saidAhead(gone []recovery.TreatedAsGone) error {
	for _, g := range gone {
		if g.At.After(o.now().Add(recovery.ClockSkew)) {
			return recovery.Errorf(recovery.ValidationError, "treatAsGone is about launches that were over at startTime, and that lies in the future (%s): give the time in UTC at which you have seen that nothing lives", g.At.UTC().Format(time.RFC3339))
		}
	}
	return nil
}
