package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"muster/orchestrator"
	"muster/recovery"
	"muster/simulator"
)

// runner is one execution that a command is about, and how it is shown.
type runner struct {
	m     *Main
	o     *runOptions
	id    recovery.ExecutionID
	src   source // where it is looked at
	house *house // that drives it; nil: it is driven elsewhere
	view  view
}

func (m *Main) openRun(ctx context.Context, o *runOptions, id recovery.ExecutionID) (*runner, error) {
	if _, err := parseAnswers(o.answers); err != nil {
		return nil, err
	}
	h, err := o.world.open(ctx, m)
	if err != nil {
		return nil, err
	}
	r := &runner{m: m, o: o, id: id, src: record{h}, house: h}
	r.view = m.viewOf(o, o.world.speed, time.Now(), func() *account {
		a, err := h.tell(context.Background(), id, o.world.speed)
		if err != nil {
			return nil
		}
		return a
	})
	return r, nil
}

func (r *runner) close() {
	r.view.close()
	r.src.Close()
}

// viewOf shows an execution that began at a time as is asked for; look gives
// how it stands, nil where that is not known.
func (m *Main) viewOf(o *runOptions, speed float64, begun time.Time, look func() *account) view {
	switch {
	case o.json:
		return newDocuments(m.Stdout)
	case o.quiet:
		return quiet{lines: &lines{w: m.Stderr, style: m.style()}}
	}
	if m.StderrTerminal && m.Env("TERM") != "dumb" {
		return newPicture(m.Stderr, m.style(), speed, begun, m.errorSize, func() *account {
			if a := look(); a != nil && len(a.Waves) > 0 {
				return a
			}
			return nil
		})
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

// run drives the execution to its end, says how it ended, and cleans up where
// that was asked for.
func (r *runner) run(ctx context.Context, input []byte) error {
	orch := r.house.Orchestrator(r.view.observe)
	desk, err := r.desk(true)
	if err != nil {
		return err
	}
	desk.questions = func(ctx context.Context) ([]recovery.Question, error) { return r.house.questions(ctx, r.id) }
	desk.decide = func(ctx context.Context, d recovery.Decision) error {
		d.Request = recovery.Request{By: r.who(ctx), At: time.Now(), Reason: d.Reason}
		return orch.Decide(ctx, r.id, d)
	}
	d := &driver{id: r.id, house: r.house, handler: r.house.Handler(r.view.observe), pace: r.o.world.speed, desk: desk}
	if err := r.mayDrive(ctx); err != nil {
		return err
	}
	r.headline()
	if err := d.drive(ctx, input); err != nil {
		r.view.close()
		return r.explain(ctx, err)
	}
	e, err := r.house.Executions.Execution(ctx, r.id)
	if err != nil {
		return err
	}
	if r.o.cleanup {
		if err := r.clean(ctx, orch, false); err != nil {
			return err
		}
	}
	r.view.close()
	if err := r.report(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	return ended(e.Ended.Outcome)
}

// mayDrive refuses an execution that belongs elsewhere, before anything is done.
func (r *runner) mayDrive(ctx context.Context) error {
	e, err := r.house.Executions.Execution(ctx, r.id)
	if err != nil {
		return err
	}
	return asked(r.house.Orchestrator(nil).MayDrive(ctx, e))
}

// clean terminates what the execution launched.
func (r *runner) clean(ctx context.Context, orch *orchestrator.Orchestrator, recoveries bool) error {
	every := 15 * time.Second
	if !r.o.world.aws {
		every = time.Duration(float64(every) / min(max(r.o.world.speed, 1), fastest))
	}
	_, err := orch.Cleanup(ctx, orchestrator.Cleanup{Execution: r.id, Recovery: recoveries, By: r.who(ctx), LookEvery: every})
	if errors.Is(err, context.Canceled) {
		return &failure{exitCanceled, err, "to go on: " + r.command("cleanup", r.id)}
	}
	return asked(err)
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

// asked gives a refusal of what somebody asked for its exit code.
func asked(err error) error {
	if refusal, is := errors.AsType[*recovery.Error](err); is {
		return &failure{exitRefused, errors.New(refusal.Message), ""}
	}
	return err
}

// explain says why the driver stopped before the end, and how to go on.
func (r *runner) explain(ctx context.Context, err error) error {
	if _, said := errors.AsType[*failure](err); said {
		return err
	}
	after := context.WithoutCancel(ctx)
	e, readErr := r.house.Executions.Execution(after, r.id)
	begun := readErr == nil && e.Version > 0
	goOn := "to go on: " + r.command("resume", r.id)
	switch {
	case errors.Is(err, errAwaiting):
		q := recovery.Next(e, time.Now()).Decisions
		if len(q) > 0 {
			return r.awaiting(q, goOn)
		}
		return &failure{exitDecision, err, goOn}
	case ctx.Err() != nil && begun:
		return &failure{exitCanceled, fmt.Errorf("interrupted; jobs that were started run on, and execution %s can be resumed", r.id), goOn}
	case ctx.Err() != nil:
		return &failure{exitCanceled, fmt.Errorf("interrupted before execution %s was begun", r.id), goOn}
	}
	if after, err := r.house.store.Entries(after, string(r.id)); err == nil && len(after) == 0 {
		goOn = "nothing was begun" // the journal itself could not be kept
	}
	return &failure{exitFailure, err, goOn}
}

// awaiting is why a command left that was not to wait for people.
func (r *runner) awaiting(q []recovery.Question, goOn string) error {
	d := desk{command: r.command("decide", r.id)}
	return &failure{exitDecision, fmt.Errorf("execution %s waits for a decision: %s", r.id, q[0].Text), d.hint(q) + "\n" + goOn}
}

// command is a command line about the execution, that finds its record.
func (r *runner) command(verb string, id recovery.ExecutionID) string {
	return "muster " + verb + " " + string(id) + r.o.world.said()
}

// said repeats the flags that lead to the same record and world.
func (w *worldFlags) said() string {
	text := ""
	if w.function != "" {
		text += " --function " + shellWord(w.base())
	}
	add := func(flag, value string) { text += " --" + flag + " " + shellWord(value) }
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
func (m *Main) errorSize() (width, height int) {
	if f, ok := m.Stderr.(*os.File); ok && m.StderrTerminal {
		return terminalSize(f)
	}
	return 0, 0
}
