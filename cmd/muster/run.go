package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"muster/client"
	"muster/event"
	"muster/planfile"
	"muster/recovery"
)

// runOptions are those of the commands that run executions.
type runOptions struct {
	world   worldFlags
	id      string
	by      string
	poll    time.Duration
	answers []string
	gone    []string // servers of which no instance lives
	noWait  bool
	cleanup bool
	confirm string
	json    bool
	quiet   bool
}

func (o *runOptions) addTelling(flags *pflag.FlagSet) {
	flags.BoolVar(&o.json, "json", false, "print everything that happens, and the result, as JSON lines on standard output")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "do not tell what happens; print the result alone")
}

func (o *runOptions) addRunning(flags *pflag.FlagSet) {
	o.world.addPlaces(flags)
	o.addTelling(flags)
	flags.StringVar(&o.by, "by", "", "`WHO` begins and decides, for the record (default: $USER)")
	flags.StringArrayVar(&o.answers, "answer", nil, "decide ahead, `REASON=CHOICE` as in WAVE_FAILED=retry; the first for the first time that a wave asks, and so on")
	flags.BoolVar(&o.noWait, "no-wait", false, "leave, with exit code 7, when a decision is awaited")
}

func (m *Main) drill() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "drill PLAN",
		Short: "Rehearse a whole plan: launch every wave as a drill",
		Long: `Drill runs a plan file (muster plan check) to its end, wave by wave, as a drill:
the servers that it launches are DRS's drill instances, and can be cleaned up.

PLAN is a file, or the id of a plan that is kept (muster plan put). AWS is simulated,
in this process, unless --aws or --endpoint says otherwise. With --aws it is AWS
itself, with your own credentials; instances are launched and cost money. Either way
it is driven on this machine, and everything is recorded before it counts.

` + thereHelp + runningHelp,
		Example: `  muster drill examples/three-tier.yaml --speed 60
  muster drill examples/three-tier.yaml --speed 300 --answer PAUSE_BEFORE_WAVE=approve --cleanup`,
		Args: cobra.ExactArgs(1),
	}
	m.addPlanRun(cmd, &o, recovery.Drill)
	cmd.Flags().BoolVar(&o.cleanup, "cleanup", false, "at the end, terminate the instances that this drill launched")
	return cmd
}

func (m *Main) recover() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "recover PLAN",
		Short: "Recover a whole plan, in earnest",
		Long: `Recover runs a plan file to its end, wave by wave, as a recovery: what it launches
takes over, and is never cleaned up by anybody who does not confirm it. The plan's id
has to be typed first, or given by --confirm where no terminal is there to ask. PLAN
is a file, or the id of a plan that is kept (muster plan put).

AWS is simulated, in this process, unless --aws or --endpoint says otherwise; with
--aws it is AWS itself, with your own credentials.

` + thereHelp + runningHelp,
		Example: `  muster recover plan.yaml --aws
  muster recover plan.yaml --aws --confirm rp-shop --json`,
		Args: cobra.ExactArgs(1),
	}
	m.addPlanRun(cmd, &o, recovery.Recovery)
	cmd.Flags().StringVar(&o.confirm, "confirm", "", "the plan's `ID`, to say that this is meant")
	return cmd
}

const thereHelp = `The same --execution once more is no second one: it is gone on with, and followed.
With --function a deployed Muster runs it, and it is followed here. Interrupted, it
runs on; muster watch follows it again.

`

const runningHelp = `When a wave fails, or has a gate before it, you are asked here; from another terminal
muster decide answers as well. Interrupt it, or kill it: muster resume goes on.

Exit codes (muster help exit-codes): 0 every server was recovered, 4 partial,
5 failed, 6 cancelled, 7 waiting for a decision (--no-wait), 10 interrupted,
3 refused before anything was begun, 2 wrong usage, 1 our failure.`

func (m *Main) addPlanRun(cmd *cobra.Command, o *runOptions, kind recovery.ExecutionType) {
	cmd.RunE = m.command(func(ctx context.Context, args []string) error { return m.runPlan(ctx, o, kind, args[0]) })
	flags := cmd.Flags()
	o.addRunning(flags)
	flags.StringVar(&o.world.groups, "groups", "", "a `FILE` with protection groups that the plan does not define itself")
	flags.DurationVar(&o.poll, "poll", 0, "look at running jobs every so much `TIME` of AWS's (default: by their age, 15s to 1m)")
	flags.StringVar(&o.id, "execution", "", "the execution's `ID` (default: a new one)")
	addTreatAsGone(flags, &o.gone)
}

// addTreatAsGone adds the flag by which a person says that nothing lives of a
// server.
func addTreatAsGone(flags *pflag.FlagSet, gone *[]string) {
	flags.StringSliceVar(gone, "treat-as-gone", nil, "no instance of this `SERVER` lives, though DRS may say so where nothing else can settle it; may be repeated")
}

// serversOf reads ids of servers that a flag gave.
func serversOf(flag string, words []string) (ids []recovery.SourceServerID, err error) {
	for _, word := range words {
		id := recovery.SourceServerID(word)
		if err := id.Check(); err != nil {
			return nil, usage("", "--%s: %w", flag, err)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// planned reads the plan of a file, or takes a word for the id of one that is
// kept.
func (m *Main) planned(name, groups string) (recovery.PlanID, client.Start, error) {
	_, err := os.Stat(name)
	id := recovery.PlanID(name)
	if name == "-" || err == nil || id.Check() != nil || strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml") {
		plan, err := m.loadPlan(name, groups)
		if err != nil {
			return "", client.Start{}, err
		}
		return plan.Plan.ID, client.Start{Plan: plan.Document}, nil
	}
	if groups != "" {
		return "", client.Start{}, usage("", "--groups is for a plan file, and there is none called %s", recovery.Quote(name))
	}
	return id, client.Start{PlanID: id}, nil
}

// runPlan begins an execution of a plan, and follows it to its end.
func (m *Main) runPlan(ctx context.Context, o *runOptions, kind recovery.ExecutionType, name string) error {
	plan, s, err := m.planned(name, o.world.groups)
	if err != nil {
		return err
	}
	if s.Gone, err = m.mayRun(ctx, o, kind, plan); err != nil {
		return err
	}
	if _, err := parseAnswers(o.answers); err != nil {
		return err
	}
	if s.ID = o.newID(plan, time.Now()); s.ID.CheckDriven() != nil {
		return usage("", "--execution: %w", s.ID.CheckDriven())
	}
	in, err := m.invoker(ctx, &o.world, drives)
	if err != nil {
		return err
	}
	r := &runner{m: m, o: o, id: s.ID, in: in, view: silent{}}
	defer r.close()
	s.Type, s.By, s.PollSeconds = kind, r.who(ctx), int(o.poll.Seconds())
	if kind == recovery.Recovery {
		s.Confirm = plan
	}
	r.headline()
	if _, err := in.StartExecution(ctx, s); err != nil {
		return r.notStarted(ctx, map[recovery.ExecutionType]string{recovery.Drill: "drill", recovery.Recovery: "recover"}[kind], name, err)
	}
	return r.attend(ctx)
}

// notStarted says how to ask for the same execution again: a start whose
// answer was lost may have been one.
func (r *runner) notStarted(ctx context.Context, verb, plan string, err error) error {
	again := fmt.Sprintf("To ask for the very same execution: muster %s %s --execution %s%s", verb, recovery.ShellWord(plan), r.id, r.o.world.said())
	if refusal, is := errors.AsType[*recovery.Error](err); is && !refusal.Retryable && refusal.Code != recovery.WorkflowError {
		again = ""
	}
	if client.IsNotFound(err) {
		return &failure{exitRefused, fmt.Errorf("there is no plan %s %s, and no file of that name here", recovery.Quote(plan), r.in.where), "See: muster plan list" + r.o.world.said()}
	}
	if ctx.Err() != nil {
		return &failure{exitInterrupted, fmt.Errorf("interrupted; whether execution %s was begun is not known", r.id), again}
	}
	f, is := errors.AsType[*failure](asked(err))
	switch {
	case !is:
		return &failure{exitFailure, err, again}
	case f.hint == "":
		f.hint = again
	case f.code == exitFailure:
		f.hint = again + "\n" + f.hint
	}
	return f
}

// mayRun makes sure that a plan may be run as the flags say, and that a
// recovery is meant. It gives the servers of which nothing lives.
func (m *Main) mayRun(ctx context.Context, o *runOptions, kind recovery.ExecutionType, plan recovery.PlanID) ([]recovery.SourceServerID, error) {
	if o.poll != 0 && (o.poll < time.Second || o.poll > time.Hour) {
		return nil, usage("", "--poll: %s is not from 1s to 1h", o.poll)
	}
	gone, err := serversOf("treat-as-gone", o.gone)
	if err != nil || kind != recovery.Recovery {
		return gone, err
	}
	err = m.confirmed(ctx, o.confirm, string(plan), "recover", fmt.Sprintf("This launches the servers of plan %s in earnest", plan))
	o.confirm = string(plan) // should its run break, whoever sits here has it go on
	return gone, err
}

// newID is the id that an execution gets.
func (o *runOptions) newID(plan recovery.PlanID, now time.Time) recovery.ExecutionID {
	if o.id != "" {
		return recovery.ExecutionID(o.id)
	}
	return event.NewExecutionID(plan, now)
}

// loadPlan reads a plan file. What is wrong with it is usage.
func (m *Main) loadPlan(name, groups string) (*planfile.File, error) {
	var others []string
	if groups != "" {
		others = append(others, groups)
	}
	file, err := m.readPlan(name, others)
	if _, said := errors.AsType[*failure](err); err != nil && !said {
		return nil, usage("", "%w", err)
	}
	return file, err
}

// who is the person that the record names: as said, or as AWS knows them, or
// as this machine does.
func (m *Main) who(o *runOptions, caller string) string {
	return cmp.Or(o.by, caller, m.Env("USER"), m.Env("LOGNAME"), "somebody at the command line")
}

func (r *runner) who(ctx context.Context) string {
	if r.o.by != "" {
		return r.o.by
	}
	return r.m.who(r.o, r.in.caller(ctx))
}

// confirmed makes sure that somebody means it.
func (m *Main) confirmed(ctx context.Context, given, want, verb, what string) error {
	if given == "" && m.StdinTerminal && m.StderrTerminal {
		fmt.Fprintf(m.Stderr, "%s.\nType %s to %s: ", harmless(what), m.style().strong(want), verb)
		lines := make(chan string, 1)
		go func() {
			line, _ := bufio.NewReader(m.Stdin).ReadString('\n')
			lines <- strings.TrimSpace(line)
		}()
		select {
		case given = <-lines:
		case <-ctx.Done():
			return ctx.Err()
		}
		if given == "" {
			return &failure{exitInterrupted, errors.New("nothing was typed; nothing was done"), ""}
		}
	}
	switch given {
	case want:
		return nil
	case "":
		return usage(fmt.Sprintf("To say that this is meant: --confirm %s", want), "%s, and nobody is here to confirm it", lowerFirst(what))
	}
	return usage("", "%s is not %s; nothing was done", recovery.Quote(given), want)
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }
