package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"muster/recovery"
)

// An execution is bound to the world that it was begun in. Whatever acts on it
// elsewhere is refused before AWS is called, and before anything is written.

// errUnbound means that the execution is one of before there were worlds, and
// has to be bound before it is acted on.
var errUnbound = errors.New("the execution is not bound to a world yet")

// world is where an execution lives that is begun here.
func (o *Orchestrator) world(ctx context.Context) (recovery.World, error) {
	if o.Home == nil {
		return recovery.World{}, nil
	}
	i, aws, err := o.Home.acting(ctx)
	return recovery.World{Record: i.ID, AWS: aws}, err
}

// mayAct refuses an execution of another world. errUnbound: see bound.
func (o *Orchestrator) mayAct(ctx context.Context, e *recovery.Execution) error {
	if o.Home == nil {
		return nil
	}
	i, aws, err := o.Home.acting(ctx)
	switch {
	case err != nil:
		return err
	case e.Version == 0:
		return nil
	case e.World.IsZero():
		return errUnbound
	case !i.Owns(e.World, aws):
		return i.Foreign(e.ID, e.World, aws)
	}
	return nil
}

// mayStillAct is mayAct by what the record says now: another one may have taken
// its executions over a moment ago.
func (o *Orchestrator) mayStillAct(ctx context.Context, e *recovery.Execution) error {
	if o.Home == nil {
		return nil
	}
	o.Home.forget()
	return o.MayDrive(ctx, e)
}

// mayWrite refuses an execution of another record, and a record that another
// one has taken over. Which AWS is acted in does not matter: none is.
func (o *Orchestrator) mayWrite(ctx context.Context, e *recovery.Execution) error {
	if o.Home == nil {
		return nil
	}
	i, err := o.Home.writing(ctx)
	if err != nil || i.Version == 0 || e.World.IsZero() || i.Has(e.World.Record) {
		return err
	}
	return i.Foreign(e.ID, e.World, "")
}

// MayDrive says whether an execution may be driven from here, one that is not
// begun yet included: nil, or a *recovery.Error. It binds nothing.
func (o *Orchestrator) MayDrive(ctx context.Context, e *recovery.Execution) error {
	if err := o.mayAct(ctx, e); !errors.Is(err, errUnbound) {
		return err
	}
	return nil
}

// here leaves out what was recovered in worlds apart from this one: a rehearsal
// is no witness of what lives in AWS.
func (o *Orchestrator) here(ctx context.Context, all []recovery.Recovered) ([]recovery.Recovered, error) {
	if o.Home == nil || len(all) == 0 {
		return all, nil
	}
	_, aws, err := o.Home.acting(ctx)
	return slices.DeleteFunc(all, func(r recovery.Recovered) bool { return r.World.Apart(aws) }), err
}

// bound gives the execution for whoever acts on it: one of before is bound to
// this world first, if jobs of it are known here. accounts are those of waves
// that the event tells; an execution that was opened has them in its plan.
func (o *Orchestrator) bound(ctx context.Context, e *recovery.Execution, accounts map[int]recovery.AccountContext) (*recovery.Execution, error) {
	err := o.mayAct(ctx, e)
	if !errors.Is(err, errUnbound) {
		return e, err
	}
	if e.Waves != nil {
		plan, err := o.plan(ctx, e.ID)
		if err != nil {
			return nil, err
		}
		accounts = map[int]recovery.AccountContext{}
		for i := range plan.Waves {
			accounts[plan.Waves[i].Number] = plan.Waves[i].Account
		}
	}
	why, err := o.evidence(ctx, e, accounts)
	if err != nil || why == "" {
		return e, err
	}
	world, err := o.world(ctx)
	if err != nil {
		return nil, err
	}
	return o.amend(ctx, e.ID, func(e *recovery.Execution) (*recovery.Change, error) {
		if !e.World.IsZero() {
			return nil, o.mayAct(ctx, e)
		}
		e.World = world
		c := e.WithEvent(recovery.Event{At: o.now(), Kind: recovery.EventBound,
			Message: fmt.Sprintf("an earlier version began it; from now on it belongs to %s and to the record %s: %s", world.AWS, world.Record, why)})
		return &c, nil
	})
}

// evidence says why an execution that does not say its world is of this one:
// it has no job yet, or one of its jobs is known here. "": nobody can be asked,
// since the event does not tell the accounts of the waves that have jobs. The
// refusal is a *recovery.Error.
func (o *Orchestrator) evidence(ctx context.Context, e *recovery.Execution, accounts map[int]recovery.AccountContext) (why string, err error) {
	jobs, young := map[recovery.AccountContext][]recovery.JobID{}, false
	var all []recovery.JobID
	for i := range e.Attempts {
		a := &e.Attempts[i]
		if a.JobID == "" {
			continue
		}
		all = append(all, a.JobID)
		young = young || o.now().Before(a.StartedAt.Add(recovery.JobVisibility))
		if account, told := accountOf(a, accounts); told {
			jobs[account] = append(jobs[account], a.JobID)
		}
	}
	switch {
	case len(all) == 0:
		return "it has no job yet", nil
	case len(jobs) == 0:
		return "", nil
	}
	for account, ids := range jobs {
		region, err := o.assume(ctx, account)
		if err != nil {
			return "", err
		}
		known, err := region.Jobs(ctx, recovery.JobQuery{IDs: ids})
		if err != nil {
			return "", lookFailure(err)
		}
		if len(known) > 0 {
			return fmt.Sprintf("its job %s is known there", known[0].ID), nil
		}
	}
	_, aws, err := o.Home.acting(ctx)
	if err != nil {
		return "", err
	}
	return "", &recovery.Error{Code: recovery.WrongWorld, Retryable: young, // lists lag
		Message: fmt.Sprintf("an earlier version began execution %s, which does not say in which AWS, and %s knows none of its jobs (%s): nothing was done. Go on with it where it was begun, or begin another one here",
			e.ID, aws, words(all))}
}

// accountOf finds the account context of an attempt's wave, or that of another
// wave in the same place.
func accountOf(a *recovery.Attempt, accounts map[int]recovery.AccountContext) (recovery.AccountContext, bool) {
	if account, told := accounts[a.Wave]; told {
		return account, true
	}
	for _, wave := range slices.Sorted(maps.Keys(accounts)) {
		if accounts[wave].Place() == (recovery.Place{AccountID: a.AccountID, Region: a.Region}) {
			return accounts[wave], true
		}
	}
	return recovery.AccountContext{}, false
}

// accountsOf are those that the start of a wave tells.
func accountsOf(w *recovery.WaveStart) map[int]recovery.AccountContext {
	accounts := map[int]recovery.AccountContext{w.Wave.Number: w.Wave.Account}
	for _, d := range w.Dependencies {
		accounts[d.Wave] = d.Account
	}
	return accounts
}

func words(ids []recovery.JobID) string {
	const most = 5
	text := fmt.Sprint(ids[:min(len(ids), most)])
	if len(ids) > most {
		text = fmt.Sprintf("%s and %d more", text, len(ids)-most)
	}
	return text
}
