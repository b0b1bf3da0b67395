package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"muster/client"
	"muster/event"
	"muster/recovery"
)

func (m *Main) resume() *cobra.Command {
	var o runOptions
	var takeOver bool
	var reason string
	cmd := &cobra.Command{
		Use:   "resume EXECUTION",
		Short: "Go on with an execution that was paused, or whose driver stopped",
		Long: `Resume lifts a pause, and drives an execution on from where it stands: after an
interrupt, a kill, or a restart of the machine; also one that a state machine drove
until it died. What was started is found again, and nothing is started twice. --speed
is that of the beginning; a --fault is over with the command that it was given to, and
has to be given again where it is meant to go on. With --function it goes on there,
and is followed here. One that is over is shown.

With --aws, and with --function where nobody drives it any more, a recovery goes on
only when the plan's id is typed, or given by --confirm. An execution that belongs to
another AWS, or to another record, is refused. So is one that somebody drives;
--take-over drives it in his place.

` + executionHelp + "\n\n" + runningHelp,
		Example: "  muster resume last",
		Args:    cobra.ExactArgs(1),
	}
	o.addRunning(cmd.Flags())
	o.addGoingOn(cmd.Flags())
	cmd.Flags().BoolVar(&takeOver, "take-over", false, "drive it in the place of whoever may be driving it")
	cmd.Flags().StringVar(&reason, "reason", "", "`WHY`, for the record")
	cmd.RunE = m.onExecution(&o, drives, func(ctx context.Context, r *runner) error {
		if _, err := parseAnswers(o.answers); err != nil {
			return err
		}
		a, err := r.in.EventsAfter(ctx, r.id, client.NoEvents)
		if err != nil {
			return asked(err)
		}
		if a.Ended == nil {
			if err := r.resume(ctx, a, takeOver, reason); err != nil {
				return asked(err)
			}
		}
		r.headline()
		return r.attend(ctx)
	})
	return cmd
}

func (o *runOptions) addGoingOn(flags *pflag.FlagSet) {
	flags.StringVar(&o.confirm, "confirm", "", "the plan's `ID`, to say that a recovery which nobody drives is to go on")
}

// resume lifts what holds the execution up as it was told, and nothing that
// came later.
func (r *runner) resume(ctx context.Context, a *event.Overview, takeOver bool, reason string) error {
	holds := []recovery.QuestionID{}
	for _, q := range append(questionsOf(a), aheadOf(a)...) {
		if q.ID.OfExecution() {
			holds = append(holds, q.ID)
		}
	}
	return r.confirmed(ctx, func(plan recovery.PlanID) error {
		done, err := r.in.Resume(ctx, client.Resumption{Request: r.request(ctx, reason), Questions: holds, Confirm: plan, TakeOver: takeOver})
		if text := aside(done); text != "" {
			fmt.Fprintln(r.m.Stderr, harmlessLines(text))
		}
		return err
	})
}
