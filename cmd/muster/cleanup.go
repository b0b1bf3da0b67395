package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"muster/client"
)

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
	cmd.RunE = m.onExecution(&o, acts, func(ctx context.Context, r *runner) error {
		if recoveries {
			if err := m.confirmed(ctx, o.confirm, string(r.id), "terminate them", "This terminates the servers that "+string(r.id)+" recovered"); err != nil {
				return err
			}
		}
		a, err := r.in.EventsAfter(ctx, r.id, client.NoEvents)
		if err != nil {
			return asked(err)
		}
		r.view = m.viewOf(&o, a.Speed, a.Begun, nil)
		r.in.tell(r.id, nil, r.view.observe)
		if err := r.clean(ctx, recoveries); err != nil {
			return err
		}
		return asked(r.report(ctx))
	})
	return cmd
}

// clean terminates what the execution launched, a little at a time, until all
// of it is gone.
func (r *runner) clean(ctx context.Context, recoveries bool) error {
	t := client.Termination{ID: r.id, By: r.who(ctx)}
	if recoveries {
		t.Recovery, t.Confirm = true, r.id
	}
	pace := 1.0
	if !r.o.world.aws {
		pace = min(max(r.o.world.speed, 1), fastest)
	}
	told := ""
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		done, err := r.in.TerminateInstances(ctx, t)
		if err != nil && ctx.Err() == nil {
			return asked(err)
		}
		if now := fmt.Sprintf("%d recovery instances are terminated, %d are being terminated", done.Gone, done.Left); err == nil && now != told {
			told = now
			r.view.say(now)
			if r.o.json && !r.o.quiet {
				_ = writeDocument(r.m.Stdout, done) // who closed our standard output does not want to know
			}
		}
		if err == nil && done.Done {
			return nil
		}
		select {
		case <-time.After(time.Duration(float64(min(pause, time.Duration(done.Again)*time.Second)) / pace)): // some are gone quickly
			if ctx.Err() == nil {
				continue
			}
		case <-ctx.Done():
		}
		return &failure{exitInterrupted, fmt.Errorf("interrupted; what is being terminated goes on to be, and what of execution %s is left, stays", r.id),
			"to go on: " + r.command("cleanup", r.id)}
	}
}
