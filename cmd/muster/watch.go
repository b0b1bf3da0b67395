package main

import (
	"context"

	"github.com/spf13/cobra"

	"muster/recovery"
)

func (m *Main) watch() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "watch EXECUTION",
		Short: "Follow an execution that runs elsewhere",
		Long: `Watch shows an execution that another process, or a deployed Muster, drives: what
happened so far, and what happens from now on, to its end. It changes nothing and
answers nothing; what waits for a decision is told with the command that decides.
It may be interrupted at any time.

` + executionHelp + `

Exit codes are those of the execution, as of muster drill; 10 when interrupted.`,
		Example: "  muster watch last\n  muster watch last --function muster",
		Args:    cobra.ExactArgs(1),
	}
	o.world.addPlaces(cmd.Flags())
	o.addTelling(cmd.Flags())
	cmd.Flags().BoolVar(&o.noWait, "no-wait", false, "leave, with exit code 7, when a decision is awaited")
	cmd.RunE = m.onExecution(&o, looks, func(ctx context.Context, r *runner) error {
		desk, err := r.desk(false)
		if err != nil {
			return err
		}
		r.headline()
		a, err := r.watch(ctx, desk)
		if err != nil {
			return err
		}
		r.view.close()
		if err := r.report(ctx); err != nil {
			return asked(err)
		}
		return ended(recovery.Outcome(a.State))
	})
	return cmd
}
