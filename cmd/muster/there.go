package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"muster/event"
	"muster/recovery"
)

// Executions that a deployed Muster drives.

// openThere opens a command about an execution that is driven elsewhere.
func (m *Main) openThere(ctx context.Context, o *runOptions) (*runner, *remote, error) {
	if _, err := parseAnswers(o.answers); err != nil {
		return nil, nil, err
	}
	there, err := o.world.openFunction(ctx, event.Operate)
	if err != nil {
		return nil, nil, err
	}
	return &runner{m: m, o: o, src: there, view: silent{}}, there, nil
}

// planThere reads the plan of a file, or takes a word for the id of one that
// is kept there.
func (m *Main) planThere(name, groups string) (recovery.PlanID, parameters, error) {
	_, err := os.Stat(name)
	id := recovery.PlanID(name)
	if name == "-" || err == nil || id.Check() != nil || strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml") {
		plan, err := m.loadPlan(name, groups)
		if err != nil {
			return "", nil, err
		}
		return plan.Plan.ID, parameters{"plan": documentOf(plan)}, nil
	}
	if groups != "" {
		return "", nil, usage("", "--groups is for a plan file, and there is none called %s", recovery.Quote(name))
	}
	return id, parameters{"planId": id}, nil
}

// runPlanThere begins an execution of a plan, and follows it to its end.
func (m *Main) runPlanThere(ctx context.Context, o *runOptions, kind recovery.ExecutionType, name string) error {
	plan, p, err := m.planThere(name, o.world.groups)
	if err != nil {
		return err
	}
	if err := m.mayRun(ctx, o, kind, plan); err != nil {
		return err
	}
	r, there, err := m.openThere(ctx, o)
	if err != nil {
		return err
	}
	if r.id = o.newID(plan, time.Now()); r.id.CheckDriven() != nil {
		return usage("", "--execution: %w", r.id.CheckDriven())
	}
	p["executionId"], p["executionType"], p["by"] = r.id, kind, r.who(ctx)
	if kind == recovery.Recovery {
		p["confirm"] = plan
	}
	if o.poll != 0 {
		p["pollSeconds"] = int(o.poll.Seconds())
	}
	if len(o.gone) > 0 {
		p["treatAsGone"] = o.gone
	}
	r.headline()
	var answer struct{}
	if err := there.ask(ctx, "start_execution", p, &answer); err != nil {
		return r.notStarted(ctx, map[recovery.ExecutionType]string{recovery.Drill: "drill", recovery.Recovery: "recover"}[kind], name, err)
	}
	return r.attend(ctx, there)
}

// notStarted says how to ask for the same execution again: a start whose
// answer was lost may have been one.
func (r *runner) notStarted(ctx context.Context, verb, plan string, err error) error {
	again := fmt.Sprintf("To ask for the very same execution: muster %s %s --execution %s%s", verb, shellWord(plan), r.id, r.o.world.said())
	if refusal, is := errors.AsType[*recovery.Error](err); is {
		if !refusal.Retryable && refusal.Code != recovery.WorkflowError {
			again = ""
		}
		return &failure{exitRefused, errors.New(refusal.Message), again}
	}
	if ctx.Err() != nil {
		return &failure{exitCanceled, fmt.Errorf("interrupted; whether execution %s was begun is not known", r.id), again}
	}
	if f, is := errors.AsType[*failure](err); is {
		if f.code == exitFailure {
			f.hint = again + "\n" + f.hint
		}
		return f
	}
	return &failure{exitFailure, err, again}
}

// attend follows the execution to its end, with whoever sits here deciding,
// and says how it ended.
func (r *runner) attend(ctx context.Context, there *remote) error {
	desk, err := r.desk(true)
	if err != nil {
		return err
	}
	there.confirm = r.o.confirm
	desk.decide = func(ctx context.Context, d recovery.Decision) error {
		d.Request = recovery.Request{By: r.who(ctx), Reason: d.Reason}
		note, err := there.decide(ctx, r.id, d)
		if text := note.String(); text != "" {
			r.view.say(text)
		}
		return err
	}
	a, err := r.watch(ctx, desk)
	if err != nil {
		return err
	}
	if r.o.cleanup {
		if err := r.cleanThere(ctx, there, false); err != nil {
			return err
		}
	}
	r.view.close()
	if err := r.report(context.WithoutCancel(ctx)); err != nil {
		return asked(err)
	}
	return ended(recovery.Outcome(a.State))
}

// watch shows the execution until its end.
func (r *runner) watch(ctx context.Context, desk *desk) (*account, error) {
	f, err := r.m.newFollower(ctx, r.o, r.src, r.id)
	if err == nil {
		r.view = f.view
		var a *account
		if a, err = f.follow(ctx, desk); err == nil {
			return a, nil
		}
		r.view.close()
		if errors.Is(err, errAwaiting) {
			return nil, r.awaiting(questionsOf(a), "to follow it: "+r.command("watch", r.id))
		}
	}
	goOn := "to go on watching: " + r.command("watch", r.id)
	if ctx.Err() != nil {
		return nil, &failure{exitCanceled, fmt.Errorf("interrupted; execution %s runs on, driven elsewhere", r.id), goOn}
	}
	if err = asked(err); errors.As(err, new(*failure)) {
		return nil, err
	}
	return nil, &failure{exitFailure, fmt.Errorf("execution %s could not be watched on: %w", r.id, err), goOn}
}

// resumeThere lets an execution go on, and follows it to its end.
func (m *Main) resumeThere(ctx context.Context, o *runOptions, name string) error {
	r, there, err := m.openThere(ctx, o)
	if err != nil {
		return err
	}
	if r.id, err = there.find(ctx, name); err != nil {
		return err
	}
	err = r.confirmedThere(ctx, there, func() error {
		p := parameters{"executionId": r.id, "by": r.who(ctx)}
		if there.confirm != "" {
			p["confirm"] = there.confirm
		}
		var answer decision
		return there.ask(ctx, "resume", p, &answer)
	})
	if err != nil {
		return asked(err)
	}
	r.headline()
	return r.attend(ctx, there)
}
