package main

import (
	"context"
	"strings"

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
