package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/event"
	"muster/recovery"
)

// mostListed is how many executions are looked through for one.
const mostListed = 10000

// find resolves EXECUTION: an id, a unique beginning of one, or last, the one
// that changed last.
func (h *house) find(ctx context.Context, name string) (recovery.ExecutionID, error) {
	all, err := h.Executions.Executions(ctx, mostListed)
	if err != nil {
		return "", err
	}
	ids := make([]recovery.ExecutionID, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	if id, err := named(ids, name); id != "" || err != nil {
		return id, err
	}
	// A driver that was killed before the record had its execution.
	if entries, err := h.store.Entries(ctx, name); err != nil || len(entries) > 0 {
		return recovery.ExecutionID(name), err
	}
	return "", usage("See: muster list", "there is no execution %s in %s", recovery.Quote(name), h.where)
}

// named finds the execution that a word means: "" where none is it.
func named(ids []recovery.ExecutionID, name string) (recovery.ExecutionID, error) {
	var found []string
	for _, id := range ids {
		if string(id) == name || name == "last" {
			return id, nil
		}
		if name != "" && strings.HasPrefix(string(id), name) {
			found = append(found, string(id))
		}
	}
	if len(found) > 1 {
		return "", usage("See: muster list", "%s is the beginning of several: %s", recovery.Quote(name), strings.Join(found[:min(len(found), 5)], ", "))
	}
	return recovery.ExecutionID(strings.Join(found, "")), nil
}

// onSource runs a command about one execution that looks at it or decides,
// wherever its record is.
func (m *Main) onSource(o *runOptions, alias event.Alias, do func(ctx context.Context, r *runner) error) func(*cobra.Command, []string) error {
	return m.command(func(ctx context.Context, args []string) error {
		src, err := m.openSource(ctx, &o.world, alias)
		if err != nil {
			return err
		}
		defer src.Close()
		r := &runner{m: m, o: o, src: src, view: silent{}}
		if r.id, err = src.find(ctx, args[0]); err != nil {
			return err
		}
		return do(ctx, r)
	})
}

// onWorld runs a command that goes on with an execution, in its world and at
// the speed that it was begun with.
func (m *Main) onWorld(o *runOptions, do func(ctx context.Context, r *runner) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		said := cmd.Flags().Changed("speed")
		var id recovery.ExecutionID
		find := m.onSource(o, event.Read, func(ctx context.Context, r *runner) error {
			id = r.id
			if rec, here := r.src.(record); here && !said && !o.world.aws && o.world.endpoint == "" {
				o.world.speed = rec.speedOf(ctx, id)
			}
			return nil
		})
		if err := find(cmd, args); err != nil {
			return err
		}
		return m.command(func(ctx context.Context, _ []string) error {
			r, err := m.openRun(ctx, o, id)
			if err != nil {
				return err
			}
			defer r.close()
			return do(ctx, r)
		})(cmd, args)
	}
}

// hereOrThere runs a command on this machine, or by the function that is said.
func (m *Main) hereOrThere(o *runOptions, here func(*cobra.Command, []string) error, there func(ctx context.Context, name string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if o.world.function == "" {
			return here(cmd, args)
		}
		return m.command(func(ctx context.Context, args []string) error { return there(ctx, args[0]) })(cmd, args)
	}
}

func (m *Main) resume() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "resume EXECUTION",
		Short: "Go on with an execution whose driver stopped",
		Long: `Resume drives an execution on from where it stands: after an interrupt, a kill,
or a restart of the machine. What was started is found again, and nothing is started
twice. A driver that still runs elsewhere is taken over from, and stops. --speed is
that of the beginning; a --fault is over with the command that it was given to, and
has to be given again where it is meant to go on. With --function it goes on there,
where it was interrupted or paused, and is followed here.

With --aws, and with --function where no run of the state machine drives it any
more, a recovery goes on only when the plan's id is typed, or given by --confirm. An
execution that belongs to another AWS, or to another record, is refused.

` + executionHelp + "\n\n" + runningHelp,
		Example: "  muster resume last",
		Args:    cobra.ExactArgs(1),
	}
	o.addRunning(cmd.Flags())
	o.addGoingOn(cmd.Flags())
	here := m.onWorld(&o, func(ctx context.Context, r *runner) error {
		if err := r.mayGoOn(ctx); err != nil {
			return err
		}
		return r.run(ctx, nil)
	})
	cmd.RunE = m.hereOrThere(&o, here, func(ctx context.Context, name string) error { return m.resumeThere(ctx, &o, name) })
	return cmd
}

const executionHelp = `EXECUTION is an id, a unique beginning of one, or "last": the one that changed last.
Say --fleet, --data, --endpoint, --aws or --function as the execution was begun with.`

func (m *Main) decide() *cobra.Command {
	var o runOptions
	var wave int
	var exclude, gone []string
	var reason string
	cmd := &cobra.Command{
		Use:   "decide EXECUTION resume|retry|skip|cancel",
		Short: "Answer a question of an execution",
		Long: `Decide records a decision, which the execution's driver finds within a second:

  resume   go on: past a gate, a pause, an interruption
  retry    try a failed wave again, with the servers that were not launched
  skip     go on without the wave
  cancel   start nothing more; what runs, runs on

With --wave it is about that wave alone, 0 included. Without, resume lifts a pause or
an interruption; any other decision is about the only wave that asks.

A gate may be passed before it asks. What does not apply is refused (exit code 3),
and changes nothing. Who, when and why is recorded.

` + executionHelp,
		Example:   "  muster decide last resume --wave 4 --reason \"the databases are checked\"\n  muster decide last retry --wave 2 --exclude s-0123456789abcdef0",
		Args:      cobra.ExactArgs(2),
		ValidArgs: []string{"resume", "retry", "skip", "cancel"},
	}
	addDeciding(cmd, &o, &reason)
	cmd.Flags().IntVar(&wave, "wave", 0, "the `NUMBER` of the wave (default: see above)")
	cmd.Flags().StringSliceVar(&exclude, "exclude", nil, "leave this `SERVER`, which was not launched, out of the retry; may be repeated")
	addTreatAsGone(cmd.Flags(), &gone)
	o.addGoingOn(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		choice := recovery.Choice(args[1])
		return m.onSource(&o, event.Operate, func(ctx context.Context, r *runner) error {
			if err := choice.Check(); err != nil {
				return usage("", "the decision %w", err)
			}
			d := recovery.Decision{Choice: choice, Request: r.request(ctx, reason)}
			if cmd.Flags().Changed("wave") {
				d.Wave = &wave
			}
			var err error
			if d.Exclude, err = serversOf("exclude", exclude); err != nil {
				return err
			}
			if d.Gone, err = serversOf("treat-as-gone", gone); err != nil {
				return err
			}
			if len(exclude)+len(gone) > 0 && choice != recovery.Retry {
				return usage("", "--exclude and --treat-as-gone are for a retry")
			}
			var note string
			do := func() (err error) {
				note, err = r.src.decide(ctx, r.id, d)
				return err
			}
			if there, is := r.src.(*remote); is {
				err = r.confirmedThere(ctx, there, do)
			} else {
				err = do()
			}
			return r.done("decided: "+string(choice), note, err)
		})(cmd, args)
	}
	return cmd
}

func addDeciding(cmd *cobra.Command, o *runOptions, reason *string) {
	o.world.addPlaces(cmd.Flags())
	cmd.Flags().StringVar(&o.by, "by", "", "`WHO` decides, for the record (default: $USER)")
	cmd.Flags().StringVar(reason, "reason", "", "`WHY`, for the record")
}

func (r *runner) request(ctx context.Context, reason string) recovery.Request {
	return recovery.Request{By: r.who(ctx), At: time.Now(), Reason: reason}
}

// done says that what somebody asked for was done, or was refused.
func (r *runner) done(said, note string, err error) error {
	if err != nil {
		return asked(err)
	}
	if note != "" {
		fmt.Fprintln(r.m.Stderr, harmlessLines(note))
	}
	_, err = fmt.Fprintf(r.m.Stdout, "%s: %s\n", r.id, said)
	return err
}

func (m *Main) pause() *cobra.Command {
	var o runOptions
	var reason string
	cmd := &cobra.Command{
		Use:   "pause EXECUTION",
		Short: "Start no more waves until somebody says resume",
		Long: `Pause starts no more waves; what runs, runs on. muster decide EXECUTION resume
lets it go on.

` + executionHelp,
		Args: cobra.ExactArgs(1),
	}
	addDeciding(cmd, &o, &reason)
	cmd.RunE = m.onSource(&o, event.Operate, func(ctx context.Context, r *runner) error {
		note, err := r.src.pause(ctx, r.id, r.request(ctx, reason))
		return r.done("nothing new starts; to go on: "+r.command("decide", r.id)+" resume", note, err)
	})
	return cmd
}

func (m *Main) cancel() *cobra.Command {
	var o runOptions
	var reason string
	cmd := &cobra.Command{
		Use:   "cancel EXECUTION",
		Short: "End an execution: nothing more is started",
		Long: `Cancel ends an execution. Jobs that run cannot be stopped in DRS, and run on: the
execution's end names them. Where no driver runs, muster resume records that end.

` + executionHelp,
		Args: cobra.ExactArgs(1),
	}
	addDeciding(cmd, &o, &reason)
	cmd.RunE = m.onSource(&o, event.Operate, func(ctx context.Context, r *runner) error {
		note, err := r.src.decide(ctx, r.id, recovery.Decision{Choice: recovery.CancelAll, Request: r.request(ctx, reason)})
		return r.done("cancelled; if no driver runs, its end is recorded by: "+r.command("resume", r.id), note, err)
	})
	return cmd
}

func (m *Main) cleanUp() *cobra.Command {
	var o runOptions
	var recoveries bool
	cmd := &cobra.Command{
		Use:   "cleanup EXECUTION",
		Short: "Terminate the instances that a drill launched",
		Long: `Cleanup terminates the recovery instances that the execution's own jobs launched,
and no other, and waits until they are gone. It can be interrupted and repeated.
Those of a recovery are left alone without --recovery and --confirm EXECUTION-ID.

` + executionHelp,
		Example: "  muster cleanup last",
		Args:    cobra.ExactArgs(1),
	}
	o.world.addPlaces(cmd.Flags())
	o.addTelling(cmd.Flags())
	cmd.Flags().StringVar(&o.by, "by", "", "`WHO` asks for it, for the record (default: $USER)")
	cmd.Flags().BoolVar(&recoveries, "recovery", false, "terminate the instances of a recovery, too: servers that may be in use")
	cmd.Flags().StringVar(&o.confirm, "confirm", "", "the execution's `ID`, to say that this is meant")
	here := m.onWorld(&o, func(ctx context.Context, r *runner) error {
		if err := r.mayDrive(ctx); err != nil {
			return err
		}
		if err := m.confirmedCleanUp(ctx, &o, r.id, recoveries); err != nil {
			return err
		}
		if err := r.clean(ctx, r.house.Orchestrator(r.view.observe), recoveries); err != nil {
			return err
		}
		return r.report(ctx)
	})
	cmd.RunE = m.hereOrThere(&o, here, func(ctx context.Context, name string) error { return m.cleanUpThere(ctx, &o, name, recoveries) })
	return cmd
}
