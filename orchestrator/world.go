package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

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

// speed is what an execution keeps that is begun here.
func (o *Orchestrator) speed() float64 {
	if o.Home == nil || o.Home.Speed == 1 {
		return 0
	}
	return o.Home.Speed
}

// mayAct refuses an execution of another world, and one whose plan needs what
// is not known here. errUnbound: see bound.
func (o *Orchestrator) mayAct(ctx context.Context, e *recovery.Execution) error {
	if err := e.Understood(); err != nil {
		return err
	}
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
	if err := e.Understood(); err != nil {
		return err
	}
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
// it has no job yet, one of its jobs is known here, or a witness says so. "": nobody can be asked,
// since the event does not tell the accounts of the waves that have jobs. The
// refusal is a *recovery.Error.
func (o *Orchestrator) evidence(ctx context.Context, e *recovery.Execution, accounts map[int]recovery.AccountContext) (why string, err error) {
	var all traces
	told, young := map[recovery.AccountContext]*traces{}, false
	for i := range e.Attempts {
		a := &e.Attempts[i]
		switch {
		case a.JobID != "":
			young = young || o.now().Before(a.StartedAt.Add(recovery.JobVisibility))
		case a.MayHaveJob():
			young = young || o.now().Before(a.SendDeadline.Add(recovery.Grace))
		default:
			continue
		}
		all.add(a)
		if account, is := accountOf(a, accounts); is {
			if told[account] == nil {
				told[account] = &traces{}
			}
			told[account].add(a)
		}
	}
	switch {
	case all.none():
		return "it has no job yet", nil
	case len(told) == 0:
		return "", nil
	}
	var refused []error
	for account, there := range told {
		var known []recovery.Job
		region, err := o.assume(ctx, account)
		if err == nil {
			known, err = there.known(ctx, region, e)
		}
		if len(known) > 0 {
			return fmt.Sprintf("its job %s is known there", known[0].ID), nil
		}
		refused = append(refused, lookFailure(err))
	}
	if why, err := recovery.Together(errors.Join(refused...)); err != nil {
		return "", err
	} else if why != nil {
		return "", why
	}
	if o.Home.Witness != nil && len(all.jobs) == 0 {
		for _, a := range all.sent {
			if why, err := o.Home.Witness(a); why != "" || err != nil {
				return why, err
			}
		}
	}
	_, aws, err := o.Home.acting(ctx)
	if err != nil {
		return "", err
	}
	return "", &recovery.Error{Code: recovery.WrongWorld, Retryable: young, // lists lag
		Message: fmt.Sprintf("an earlier version began execution %s, which does not say in which AWS, and %s knows %s: nothing was done. Go on with it where it was begun (muster resume %[1]s), or begin another one here",
			e.ID, aws, all)}
}

// traces are what attempts may have left behind in an AWS.
type traces struct {
	jobs []recovery.JobID
	sent []*recovery.Attempt // StartRecovery may have been called, and no job is known
}

func (t *traces) add(a *recovery.Attempt) {
	if a.JobID != "" {
		t.jobs = append(t.jobs, a.JobID)
	} else {
		t.sent = append(t.sent, a)
	}
}

func (t *traces) none() bool { return len(t.jobs)+len(t.sent) == 0 }

// known gives the first jobs of the execution that are found.
func (t *traces) known(ctx context.Context, region recovery.Region, e *recovery.Execution) ([]recovery.Job, error) {
	if len(t.jobs) > 0 {
		known, err := region.Jobs(ctx, recovery.JobQuery{IDs: t.jobs})
		if err != nil || len(known) > 0 {
			return known, err
		}
	}
	for _, a := range t.sent {
		listed, err := region.Jobs(ctx, recovery.JobQuery{Since: a.FirstSentAt.Add(-recovery.LookBack)})
		if err != nil {
			return nil, err
		}
		tags := recovery.JobTags(recovery.AttemptKey{Execution: e.ID, Wave: a.Wave, Attempt: a.Attempt}, e.Plan, "")
		for i := range listed {
			if a.Ours(&listed[i], e.Type, tags, a.Servers) {
				return listed[i:][:1], nil
			}
		}
	}
	return nil, nil
}

// String says of what nothing is known.
func (t traces) String() string {
	var text []string
	if len(t.jobs) > 0 {
		text = append(text, fmt.Sprintf("none of its jobs (%s)", words(t.jobs)))
	}
	for _, a := range t.sent {
		text = append(text, fmt.Sprintf("no job of wave %d, which may have been started elsewhere (it was sent at %s)", a.Wave, a.FirstSentAt.UTC().Format(time.RFC3339)))
	}
	return strings.Join(text, ", and ")
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
