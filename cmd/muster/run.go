package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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

AWS is simulated, in this process, unless --aws or --endpoint says otherwise. With
--aws it is AWS itself, with your own credentials; instances are launched and cost
money. Either way the state machine that is deployed is walked on this machine, and
everything it does is recorded before it counts.

` + thereHelp + runningHelp,
		Example: `  muster drill examples/three-tier.yaml --speed 60
  muster drill examples/three-tier.yaml --speed 300 --answer PAUSE_BEFORE_WAVE=approve --cleanup`,
		Args: cobra.ExactArgs(1),
	}
	m.addPlanRun(cmd, &o)
	cmd.Flags().BoolVar(&o.cleanup, "cleanup", false, "at the end, terminate the instances that this drill launched")
	cmd.RunE = m.command(func(ctx context.Context, args []string) error {
		return m.runPlan(ctx, &o, recovery.Drill, args[0])
	})
	return cmd
}

func (m *Main) recover() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "recover PLAN",
		Short: "Recover a whole plan, in earnest",
		Long: `Recover runs a plan file to its end, wave by wave, as a recovery: what it launches
takes over, and is never cleaned up by anybody who does not confirm it. The plan's id
has to be typed first, or given by --confirm where no terminal is there to ask.

AWS is simulated, in this process, unless --aws or --endpoint says otherwise; with
--aws it is AWS itself, with your own credentials.

` + thereHelp + runningHelp,
		Example: `  muster recover plan.yaml --aws
  muster recover plan.yaml --aws --confirm rp-shop --json`,
		Args: cobra.ExactArgs(1),
	}
	m.addPlanRun(cmd, &o)
	cmd.Flags().StringVar(&o.confirm, "confirm", "", "the plan's `ID`, to say that this is meant")
	cmd.RunE = m.command(func(ctx context.Context, args []string) error {
		return m.runPlan(ctx, &o, recovery.Recovery, args[0])
	})
	return cmd
}

const thereHelp = `With --function a deployed Muster runs it, and it is followed here: PLAN is a file, or
the id of a plan that is kept there (muster plan put). Interrupted, it runs on;
muster watch follows it again.

`

const runningHelp = `When a wave fails, or has a gate before it, you are asked here; from another terminal
muster decide answers as well. Interrupt it, or kill it: muster resume goes on.

Exit codes (muster help exit-codes): 0 every server was recovered, 4 partial,
5 failed, 6 cancelled or interrupted, 7 waiting for a decision (--no-wait),
3 refused before anything was begun, 2 wrong usage, 1 our failure.`

func (m *Main) addPlanRun(cmd *cobra.Command, o *runOptions) {
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

// runPlan begins an execution of a plan file, and runs it to its end.
func (m *Main) runPlan(ctx context.Context, o *runOptions, kind recovery.ExecutionType, file string) error {
	if o.world.function != "" {
		return m.runPlanThere(ctx, o, kind, file)
	}
	plan, err := m.loadPlan(file, o.world.groups)
	if err != nil {
		return err
	}
	if err := m.mayRun(ctx, o, kind, plan.Plan.ID); err != nil {
		return err
	}
	now := time.Now().UTC()
	id := o.newID(plan.Plan.ID, now)
	if err := id.CheckDriven(); err != nil {
		return usage("", "--execution: %w", err)
	}
	r, err := m.openRun(ctx, o, id)
	if err != nil {
		return err
	}
	defer r.close()
	known, err := r.house.Executions.Execution(ctx, id)
	if err != nil {
		return err
	}
	if known.Version > 0 {
		return usage("To go on with it: "+r.command("resume", id), "there is an execution %s already", id)
	}
	input := event.StateOf(event.Opening{Plan: plan.Plan, Groups: plan.Groups.ByID(), Execution: id, Type: kind, InitiatedBy: r.who(ctx), StartTime: now.Format(time.RFC3339)})
	return r.run(ctx, o.extended(input))
}

// mayRun makes sure that a plan may be run as the flags say, and that a
// recovery is meant.
func (m *Main) mayRun(ctx context.Context, o *runOptions, kind recovery.ExecutionType, plan recovery.PlanID) error {
	if o.poll != 0 && (o.poll < time.Second || o.poll > time.Hour) {
		return usage("", "--poll: %s is not from 1s to 1h", o.poll)
	}
	if _, err := serversOf("treat-as-gone", o.gone); err != nil {
		return err
	}
	if kind != recovery.Recovery {
		return nil
	}
	if err := m.confirmed(ctx, o.confirm, string(plan), "recover", fmt.Sprintf("This launches the servers of plan %s in earnest", plan)); err != nil {
		return err
	}
	o.confirm = string(plan) // should its run break, whoever sits here has it go on
	return nil
}

// extended puts into the state what the plan does not say.
func (o *runOptions) extended(input []byte) []byte {
	state, err := event.ParseState(input)
	if err != nil {
		return input // begin_execution says why
	}
	var set []event.Field
	if o.poll > 0 {
		set = append(set, event.Field{Key: "pollSeconds", Value: fmt.Appendf(nil, "%d", int(o.poll.Seconds()))})
	}
	if !o.world.aws && o.world.speed != 1 {
		set = append(set, event.Field{Key: simulationKey, Value: fmt.Appendf(nil, `{"speed":%v}`, o.world.speed)})
	}
	if len(o.gone) > 0 {
		list, _ := json.Marshal(o.gone) // texts
		set = append(set, event.Field{Key: "treatAsGone", Value: list})
	}
	return state.Patch(set...)
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
func (r *runner) who(ctx context.Context) string {
	if r.o.by != "" {
		return r.o.by
	}
	return cmp.Or(r.src.caller(ctx), r.m.Env("USER"), r.m.Env("LOGNAME"), "somebody at the command line")
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
			return &failure{exitCanceled, errors.New("nothing was typed; nothing was done"), ""}
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
