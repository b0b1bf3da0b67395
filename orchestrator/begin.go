package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"muster/recovery"
)

// Begin asks for an execution of a plan to be opened.
type Begin struct {
	Execution   recovery.ExecutionID
	Plan        *recovery.Plan
	Type        recovery.ExecutionType
	StartTime   string
	InitiatedBy string
	PollEvery   time.Duration // between two looks at running jobs; 0: by their age
	Policy      recovery.ReadinessPolicy
	Replace     []recovery.InstanceID // live instances that may be lost
	Gone        []recovery.TreatedAsGone
	RequestID   string // of the request that asked for it; "" where it did not come through AWS
}

// Begin opens the execution: it validates the whole plan at once, resolves
// groups that are given by tags, freezes the plan and takes hold of it. An
// execution that is known already goes on from its record.
func (o *Orchestrator) Begin(ctx context.Context, b Begin) (*recovery.Execution, error) {
	if problems := b.Plan.Check(); len(problems) > 0 {
		words := make([]string, len(problems))
		for i, p := range problems {
			words[i] = p.Text
		}
		return nil, recovery.Errorf(recovery.ValidationError, "plan %s: %s", b.Plan.ID, strings.Join(words, "; "))
	}
	if err := o.saidAhead(b.Gone); err != nil {
		return nil, err
	}
	if err := b.Plan.Understood(); err != nil {
		return nil, err
	}
	digests, err := b.Plan.Digests()
	if err != nil {
		return nil, err
	}
	known, err := o.Executions.Execution(ctx, b.Execution)
	if err != nil {
		return nil, fmt.Errorf("reading the record of execution %s: %w", b.Execution, err)
	}
	if known.Version > 0 {
		return o.goOn(ctx, b, digests)
	}
	world, err := o.world(ctx)
	if err != nil {
		return nil, err
	}
	plan, err := o.resolveTags(ctx, b.Plan)
	if err != nil {
		return nil, err
	}
	return o.open(ctx, b, known, plan, digests, world)
}

// resolveTags asks DRS, once, which servers the groups are that are given by
// their tags.
func (o *Orchestrator) resolveTags(ctx context.Context, asked *recovery.Plan) (*recovery.Plan, error) {
	plan := *asked
	plan.Waves = append([]recovery.PlannedWave(nil), asked.Waves...)
	var refused []error // all of it: nothing is begun that is not frozen whole
	for i := range plan.Waves {
		w := &plan.Waves[i]
		if len(w.Tags) == 0 {
			continue
		}
		region, err := o.assume(ctx, w.Account)
		if err == nil {
			var found []recovery.SourceServer
			if found, err = region.ServersByTag(ctx, w.Tags); err == nil {
				err = w.Fill(found)
			}
			err = drsRefusal(fmt.Sprintf("Failed to find the servers of wave %d by their tags in account %s, %s", w.Number, w.Account.AccountID, w.Account.Region), err)
		}
		refused = append(refused, err)
	}
	if why, err := recovery.Together(errors.Join(refused...)); err != nil {
		return nil, err
	} else if why != nil {
		return nil, why
	}
	if problems := plan.CheckServers(); len(problems) > 0 {
		words := make([]string, len(problems))
		for i, p := range problems {
			words[i] = fmt.Sprintf("wave %d %s", plan.Waves[p.Wave].Number, p.Text)
		}
		return nil, recovery.Errorf(recovery.ValidationError, "plan %s: %s", plan.ID, strings.Join(words, "; "))
	}
	return &plan, nil
}

// open writes the record. A plan is held by one execution at a time; a
// recovery may take it from a drill, which is cancelled and says so, and
// anybody from an execution that was cancelled, or whose record is damaged.
func (o *Orchestrator) open(ctx context.Context, b Begin, known *recovery.Execution, plan *recovery.Plan, digests recovery.Digests, world recovery.World) (*recovery.Execution, error) {
	var takeFrom recovery.ExecutionID
	unreadable := ""
	for {
		faster := false
		e, err := o.amendKnown(ctx, b.Execution, known, func(e *recovery.Execution) (*recovery.Change, error) {
			if faster = e.Version > 0; faster {
				return nil, nil
			}
			e = &recovery.Execution{ID: b.Execution, Plan: plan.ID, Type: b.Type, StartTime: b.StartTime, InitiatedBy: b.InitiatedBy, World: world,
				Waves: plan.Records(), Digest: digests[0], Needs: plan.Needs, PollEvery: b.PollEvery, Policy: b.Policy, Replace: b.Replace, Gone: b.Gone, Speed: o.speed()}
			c := e.WithEvent(recovery.Event{At: o.now(), Kind: recovery.EventOpened, RequestID: b.RequestID,
				Message: fmt.Sprintf("%s of plan %s with %d waves, by %s%s%s", b.Type, plan.ID, len(plan.Waves), recovery.Quote(b.InitiatedBy), saidGone(b.Gone), unreadable)})
			c.Frozen, c.TakeFrom = plan, takeFrom
			return &c, nil
		})
		var held *recovery.PlanHeld
		if !errors.As(err, &held) {
			if err == nil && faster { // another invocation, perhaps for something else
				return o.goOn(ctx, b, digests)
			}
			return e, err
		}
		err = o.supersede(ctx, b, held.By)
		if errors.Is(err, recovery.ErrDamaged) {
			// Nothing is driven by a record that cannot be read. What it started runs
			// on, and is seen in DRS before anything is started here.
			unreadable, err = fmt.Sprintf("; it takes the plan from execution %s, whose record cannot be read (%v)", held.By, err), nil
		}
		if err != nil {
			return nil, err
		}
		takeFrom = held.By
	}
}

func differs(id recovery.ExecutionID) error {
	return recovery.Errorf(recovery.ValidationError, "execution %s was begun with another plan, type or account; use a new execution id", id)
}

// supersede makes the holder of the plan let go, where that is allowed, and
// has nothing to do where somebody else was faster: the same event, perhaps.
func (o *Orchestrator) supersede(ctx context.Context, b Begin, holder recovery.ExecutionID) error {
	e, err := o.amend(ctx, holder, func(e *recovery.Execution) (*recovery.Change, error) {
		switch {
		case e.Cancel != nil || e.Ended != nil:
			return nil, nil
		case b.Type != recovery.Recovery || e.Type != recovery.Drill:
			return nil, &recovery.Error{Code: recovery.PlanInProgress, Retryable: true,
				Message: fmt.Sprintf("plan %s is under way in execution %s (%s); wait for its end, resume it, or cancel it", b.Plan.ID, holder, e.Type)}
		}
		return o.decision(e, recovery.Decision{Choice: recovery.CancelAll,
			Request: recovery.Request{By: b.InitiatedBy, At: o.now(), RequestID: b.RequestID, Reason: fmt.Sprintf("recovery %s takes the plan from this drill", b.Execution)}})
	})
	switch {
	case err != nil || e.Ended != nil:
	case e.Interrupted != nil && e.TaskToken.IsZero(): // nobody drives it who would record its end
		_, err = o.Finish(ctx, holder)
	default:
		o.wake(ctx, e.TaskToken) // no recovery waits for a drill that cannot be told
	}
	return err
}

// Continue goes on with an execution that was begun before, for an event that
// does not list its plan's servers any more: of b.Plan the id is enough.
func (o *Orchestrator) Continue(ctx context.Context, b Begin) (*recovery.Execution, error) {
	return o.goOn(ctx, b, nil)
}

// goOn continues an execution that was begun before: a driver is there again.
func (o *Orchestrator) goOn(ctx context.Context, b Begin, digests recovery.Digests) (*recovery.Execution, error) {
	e, err := o.amend(ctx, b.Execution, func(e *recovery.Execution) (*recovery.Change, error) {
		if err := o.known(e); err != nil {
			return nil, err
		}
		if e.Waves == nil {
			return nil, recovery.Errorf(recovery.ValidationError, "execution %s was begun by the start of a wave, without its plan; use a new execution id", b.Execution)
		}
		if err := o.mayAct(ctx, e); err != nil {
			return nil, err
		}
		if !digests.Of(e.Digest) || e.Type != b.Type || e.Plan != b.Plan.ID {
			return nil, differs(b.Execution)
		}
		if e.Ended != nil || e.Interrupted == nil && e.TaskToken.IsZero() {
			return nil, nil
		}
		// While a question is open its task waits, and who begins is late: a
		// first try that was still alive when the second had gone on.
		if !e.TaskToken.IsZero() && recovery.Next(e, o.now()).Action == recovery.DoAwaitDecision {
			return nil, nil
		}
		// It may be late here, too, so that no token is forgotten that was not
		// told.
		if o.wake(ctx, e.TaskToken) {
			e.TaskToken = recovery.Secret{}
		} else if e.Interrupted == nil {
			return nil, nil
		}
		e.GoOn(recovery.Request{By: "a driver", At: o.now(), RequestID: b.RequestID})
		c := e.WithEvent(recovery.Event{At: o.now(), Kind: recovery.EventContinued, Message: "a driver goes on from the record"})
		return &c, nil
	})
	if !errors.Is(err, errUnbound) {
		return e, err
	}
	if e, err = o.Execution(ctx, b.Execution); err == nil {
		_, err = o.bound(ctx, e, nil)
	}
	if err != nil {
		return nil, err
	}
	return o.goOn(ctx, b, digests)
}

// saidGone tells of which servers whoever begins says that nothing lives.
func saidGone(gone []recovery.TreatedAsGone) string {
	if len(gone) == 0 {
		return ""
	}
	var ids []recovery.SourceServerID
	for _, g := range gone {
		ids = append(ids, g.Server)
	}
	return ", who says that no instance of these lives: " + recovery.Listed(ids)
}
