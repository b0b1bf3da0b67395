package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"muster/client"
	"muster/driver"
	"muster/event"
	"muster/recovery"
	"muster/simulator"
)

// runner is one execution that a command is about, and how it is shown.
type runner struct {
	m    *Main
	o    *runOptions
	id   recovery.ExecutionID
	in   *invoker // that is asked
	view view
}

func (r *runner) close() {
	r.view.close()
	r.in.Close()
}

// viewOf shows an execution that began at a time as is asked for; look gives
// how it stands, nil: no picture of it is wanted.
func (m *Main) viewOf(o *runOptions, speed float64, begun time.Time, look func() *event.Overview) view {
	switch {
	case o.json && o.quiet:
		return silent{}
	case o.json:
		return documents{tell: jsonLines(m.Stdout)}
	case o.quiet:
		return quiet{lines: &lines{w: m.Stderr, style: m.style()}}
	}
	if look != nil && m.StderrTerminal && m.Env("TERM") != "dumb" {
		return newPicture(m.Stderr, m.style(), speed, begun, m.errorSize, look)
	}
	return &lines{w: m.Stderr, style: m.style(), speed: speed, begun: begun}
}

// desk is where the execution's questions are put, to whoever sits here if
// somebody may answer.
func (r *runner) desk(mayAnswer bool) (*desk, error) {
	given, err := parseAnswers(r.o.answers)
	if err != nil {
		return nil, err
	}
	d := &desk{view: r.view, given: given, leave: r.o.noWait, command: r.command("decide", r.id)}
	if mayAnswer && r.m.StdinTerminal && r.m.StderrTerminal && !r.o.json && !r.o.quiet {
		d.prompt = &prompt{stdin: r.m.Stdin}
	}
	return d, nil
}

// headline says what is shown.
func (r *runner) headline() {
	if !r.o.json && !r.o.quiet {
		fmt.Fprintf(r.m.Stderr, "%s\n", r.m.style().strong("Execution "+string(r.id)))
	}
}

// attend follows the execution to its end, with whoever sits here deciding,
// cleans up where that was asked for, and says how it ended.
func (r *runner) attend(ctx context.Context) error {
	desk, err := r.desk(true)
	if err != nil {
		return err
	}
	desk.decide = func(ctx context.Context, d recovery.Decision) error {
		done, err := r.in.Decide(ctx, client.Decision{Request: r.request(ctx, d.Reason), Question: d.Question, Choice: d.Choice, Confirm: recovery.PlanID(r.o.confirm)})
		if text := aside(done); text != "" {
			r.view.say(text)
		}
		return err
	}
	a, err := r.watch(ctx, desk)
	if err != nil {
		return err
	}
	if r.o.cleanup {
		if err := r.clean(ctx, false); err != nil {
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
func (r *runner) watch(ctx context.Context, desk *desk) (*event.Overview, error) {
	f, err := r.m.newFollower(ctx, r.o, r.in, r.id)
	if err == nil {
		r.view = f.view
		f.left = r.left()
		var a *event.Overview
		if a, err = f.follow(ctx, desk); err == nil {
			return a, nil
		}
		r.view.close()
		if errors.Is(err, errAwaiting) {
			if r.o.json { // a program is told what it waits for, too
				if err := r.report(ctx); err != nil {
					return nil, err
				}
			}
			return nil, r.awaiting(questionsOf(a))
		}
	}
	var why error
	switch err = asked(err); {
	case ctx.Err() != nil && r.in.runs != nil:
		why = fmt.Errorf("interrupted; jobs that were started run on, and execution %s can be resumed", r.id)
	case ctx.Err() != nil:
		why = fmt.Errorf("interrupted; execution %s runs on, driven elsewhere", r.id)
	case errors.As(err, new(*driver.Replaced)):
		r.in.runs = nil
		why = fmt.Errorf("%w; execution %s runs on, driven there", err, r.id)
	case errors.As(err, new(*failure)):
		return nil, err
	case r.in.runs != nil:
		return nil, &failure{exitFailure, err, r.goOn()}
	default:
		return nil, &failure{exitFailure, fmt.Errorf("execution %s could not be watched on: %w", r.id, err), r.goOn()}
	}
	return nil, &failure{exitInterrupted, why, r.goOn()}
}

// goOn says how to go on with what this command left.
func (r *runner) goOn() string {
	if r.in.runs != nil {
		return "to go on: " + r.command("resume", r.id)
	}
	return "to go on watching: " + r.command("watch", r.id)
}

// confirmed asks for something, and once more where a recovery that nobody
// drives goes on by it, and that is confirmed. A rehearsal needs nobody's word.
func (r *runner) confirmed(ctx context.Context, ask func(recovery.PlanID) error) error {
	err := ask(recovery.PlanID(r.o.confirm))
	if refusal, is := errors.AsType[*recovery.Error](err); !is || refusal.Code != recovery.NotConfirmed {
		return err
	}
	a, err := r.in.EventsAfter(ctx, r.id, client.NoEvents)
	if err != nil {
		return err
	}
	if r.in.house == nil || r.o.world.aws {
		what := fmt.Sprintf("This goes on launching the servers of plan %s in earnest", a.Plan)
		if err := r.m.confirmed(ctx, r.o.confirm, string(a.Plan), "go on", what); err != nil {
			return err
		}
	}
	r.o.confirm = string(a.Plan)
	return ask(a.Plan)
}

// ended gives an outcome its exit code; the result has said the rest.
func ended(o recovery.Outcome) error {
	switch o {
	case recovery.OutcomeCompleted:
		return nil
	case recovery.OutcomePartial:
		return &failure{code: exitPartial}
	case recovery.OutcomeCancelled:
		return &failure{code: exitCanceled}
	}
	return &failure{code: exitFailed}
}

// asked gives the failure of what somebody asked for its exit code.
func asked(err error) error {
	if errors.Is(err, client.ErrNotMuster) {
		return usage("Is it the execution handler, of this version or a later one?", "the function does not answer as Muster does: %w", err)
	}
	refusal, is := errors.AsType[*recovery.Error](err)
	switch {
	case !is:
		return err
	case refusal.Code == recovery.RecordDamaged:
		return &failure{exitFailure, errors.New(refusal.Message), damagedHint}
	}
	return &failure{exitRefused, errors.New(refusal.Message), ""}
}

// awaiting is why a command left that was not to wait for people.
func (r *runner) awaiting(q []recovery.Question) error {
	d := desk{command: r.command("decide", r.id)}
	return &failure{exitDecision, fmt.Errorf("execution %s waits for a decision: %s", r.id, q[0].Text), d.hint(q) + "\n" + r.goOn()}
}

// command is a command line about the execution, that finds its record.
func (r *runner) command(verb string, id recovery.ExecutionID) string {
	return "muster " + verb + " " + string(id) + r.o.world.said()
}

// said repeats the flags that lead to the same record and world.
func (w *worldFlags) said() string {
	text := ""
	if w.function != "" {
		text += " --function " + recovery.ShellWord(w.base())
	}
	add := func(flag, value string) { text += " --" + flag + " " + recovery.ShellWord(value) }
	if w.aws {
		text += " --aws"
	}
	if w.fleet != simulator.DefaultFleet {
		add("fleet", w.fleet)
	}
	if w.endpoint != "" {
		add("endpoint", w.endpoint)
	}
	if w.data != "" {
		add("data", w.data)
	}
	if w.store != "" {
		add("store", w.store)
	}
	if w.seed != 0 {
		add("seed", strconv.FormatInt(w.seed, 10))
	}
	return text
}

// errorSize is how large the terminal of standard error is.
func (m *Main) errorSize() (width, height int) { return sizeOf(m.Stderr, m.StderrTerminal) }
