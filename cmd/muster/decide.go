package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/client"
	"muster/event"
	"muster/recovery"
)

func (m *Main) decide() *cobra.Command {
	var o runOptions
	var wave int
	var exclude, gone []string
	var reason, question string
	cmd := &cobra.Command{
		Use:   "decide EXECUTION approve|retry|skip|resume|cancel",
		Short: "Answer a question of an execution",
		Long: `Decide records a decision, which the execution's driver finds within a second:

  approve  the wave behind a gate may start
  retry    try a failed wave again, with the servers that were not launched
  skip     go on without the wave
  resume   lift a pause, or go on after an interruption
  cancel   start nothing more; what runs, runs on

Every question has an id, which muster show tells: --question names it. With --wave
it is what is asked about that wave, 0 included. With neither it is looked first what
is asked: the decision is about the only question that it can answer, and where there
are several they are listed. So a decision never answers what is asked later: the
same again changes nothing, however late it comes.

A gate may be approved before it asks, with --wave. What does not apply is refused
(exit code 3), and changes nothing. Who, when and why is recorded.

` + executionHelp,
		Example: `  muster decide last approve --question gate-w4 --reason "the databases are checked"
  muster decide last retry --wave 2 --exclude s-0123456789abcdef0`,
		Args:      cobra.ExactArgs(2),
		ValidArgs: []string{"approve", "retry", "skip", "resume", "cancel"},
	}
	addDeciding(cmd, &o, &reason)
	cmd.Flags().IntVar(&wave, "wave", 0, "the `NUMBER` of the wave (default: see above)")
	cmd.Flags().StringVar(&question, "question", "", "the `ID` of the question, as muster show tells it")
	cmd.Flags().StringSliceVar(&exclude, "exclude", nil, "leave this `SERVER`, which was not launched, out of the retry; may be repeated")
	addTreatAsGone(cmd.Flags(), &gone)
	o.addGoingOn(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		choice := recovery.Choice(args[1])
		return m.onExecution(&o, decides, func(ctx context.Context, r *runner) error {
			if err := choice.Check(); err != nil {
				return usage("", "the decision %w", err)
			}
			d := recovery.Decision{Question: recovery.QuestionID(question), Choice: choice}
			if cmd.Flags().Changed("wave") {
				d.Wave = &wave
			}
			if cmd.Flags().Changed("question") {
				if err := d.Question.Check(); err != nil {
					return usage("", "--question: %s %w", recovery.Quote(question), err)
				}
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
			if d, err = r.addressed(ctx, d); err != nil {
				return asked(err)
			}
			var done client.Recorded
			err = r.confirmed(ctx, func(plan recovery.PlanID) (err error) {
				done, err = r.in.Decide(ctx, client.Decision{Request: r.request(ctx, reason), Question: d.Question, Choice: d.Choice, Wave: d.Wave, Exclude: d.Exclude, Gone: d.Gone, Confirm: plan})
				return err
			})
			if err != nil {
				return r.cannotGoOn(err)
			}
			said := "decided: " + string(d.Choice)
			if d.Question != "" {
				said += fmt.Sprintf(" (%s)", d.Question)
			}
			return r.recorded(ctx, deed{Decided: string(d.Choice), Question: d.Question}, done, said)
		})(cmd, args)
	}
	return cmd
}

// addressed gives the decision the question that it answers, where none was
// named: what is asked about the wave that was, or the only thing that it can
// answer. It looks at what is asked first, so that what is sent says what it
// was meant for.
func (r *runner) addressed(ctx context.Context, d recovery.Decision) (recovery.Decision, error) {
	if d = d.Modern(); d.Question != "" || d.Choice == recovery.CancelAll {
		return d, nil
	}
	if d.Choice == recovery.Approve && d.Wave != nil { // perhaps ahead, or once more
		d.Question = recovery.GateID(*d.Wave)
		return d, nil
	}
	a, err := r.in.EventsAfter(ctx, r.id, client.NoEvents)
	if err != nil {
		return d, err
	}
	var fits []recovery.Question
	all := append(questionsOf(a), aheadOf(a)...)
	for i, q := range all {
		ahead := i >= len(a.Questions) && q.Reason == recovery.PauseBeforeWave // which only who names the wave decides
		if d.Wave == nil && !ahead && slices.Contains(q.Choices, d.Choice) || d.Wave != nil && q.IsAbout(*d.Wave) {
			fits = append(fits, q)
		}
	}
	if len(fits) == 1 {
		d.Question = fits[0].ID
		return d, nil
	}
	which := fmt.Sprintf("nothing that execution %s asks is answered by %q", r.id, d.Choice)
	switch {
	case len(fits) > 1:
		which = fmt.Sprintf("execution %s asks several things that %q answers: say which one", r.id, d.Choice)
	case d.Wave != nil:
		which = fmt.Sprintf("execution %s asks nothing about wave %d", r.id, *d.Wave)
	case a.Ended != nil:
		which = fmt.Sprintf("execution %s is over: %s", r.id, a.State)
	}
	return d, &failure{exitRefused, errors.New(which), r.answers(questionsOf(a))}
}

// answers lists what is asked, with the commands that answer.
func (r *runner) answers(questions []recovery.Question) string {
	var lines []string
	for _, q := range questions {
		lines = append(lines, asksFor(q))
		for _, c := range q.Choices {
			lines = append(lines, fmt.Sprintf("    %s %s --question %s", r.command("decide", r.id), c, q.ID))
		}
	}
	return strings.Join(lines, "\n")
}

func addDeciding(cmd *cobra.Command, o *runOptions, reason *string) {
	o.world.addPlaces(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object: what was recorded, and what is asked next")
	cmd.Flags().StringVar(&o.by, "by", "", "`WHO` decides, for the record (default: $USER)")
	cmd.Flags().StringVar(reason, "reason", "", "`WHY`, for the record")
}

func (r *runner) request(ctx context.Context, reason string) client.Request {
	return client.Request{ID: r.id, By: r.who(ctx), Reason: reason}
}

// cannotGoOn says which command goes on with an execution, where the one that
// was given can only decide.
func (r *runner) cannotGoOn(err error) error {
	if refusal, is := errors.AsType[*recovery.Error](err); is && refusal.Code == recovery.WorkflowError && r.in.house != nil && r.in.house.Machine == nil {
		return &failure{exitRefused, fmt.Errorf("nothing drives executions from here, and execution %s needs somebody to", r.id), "to go on: " + r.command("resume", r.id)}
	}
	return asked(err)
}

// aside is what there is to say of something that was recorded.
func aside(done client.Recorded) string {
	var lines []string
	if done.WakeFailure != "" {
		lines = append(lines, "the run that waits could not be told, and finds it within a day; muster resume tells it now: "+done.WakeFailure)
	}
	for _, sent := range done.Sent {
		lines = append(lines, sent.String())
	}
	if done.Damage != "" {
		lines = append(lines, done.Damage)
	}
	return strings.Join(lines, "\n")
}

// deed is what was recorded, and how the execution stands after it, as programs
// are told it.
type deed struct {
	Execution recovery.ExecutionID     `json:"executionId"`
	Decided   string                   `json:"decided"` // the choice, or pause
	Question  recovery.QuestionID      `json:"question,omitempty"`
	State     string                   `json:"state"`
	Reason    string                   `json:"reason"`
	Decisions []event.QuestionOverview `json:"decisions"`        // what is asked now
	Driver    *event.DriverOverview    `json:"driver,omitempty"` // of one that has not ended
	Sent      []event.StartSent        `json:"startsSent,omitempty"`
	Unwoken   string                   `json:"wakeFailure,omitempty"`
}

// recorded says that what somebody asked for is in the record, and whether
// anybody drives the execution on.
func (r *runner) recorded(ctx context.Context, d deed, done client.Recorded, said string) error {
	a, err := r.in.EventsAfter(ctx, r.id, client.NoEvents)
	if err != nil { // it is recorded all the same
		a = &event.Overview{State: done.State}
	}
	if r.o.json {
		d.Execution, d.State, d.Reason, d.Decisions, d.Driver = r.id, a.State, a.Reason, append([]event.QuestionOverview{}, a.Questions...), a.Driver
		d.Sent, d.Unwoken = done.Sent, done.WakeFailure
		return writeDocument(r.m.Stdout, d)
	}
	if text := aside(done); text != "" {
		fmt.Fprintln(r.m.Stderr, harmlessLines(text))
	}
	switch i := slices.IndexFunc(append(questionsOf(a), aheadOf(a)...), func(q recovery.Question) bool { return q.Reason == recovery.PauseRequested }); {
	case a.Driver.Nobody():
		said += "; " + r.left()
	case d.Decided == "pause" && i >= 0:
		said += fmt.Sprintf("; to go on: %s resume --question %s", r.command("decide", r.id), append(questionsOf(a), aheadOf(a)...)[i].ID)
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
lets it go on. Who asks for a pause that there is already adds his reason to it.

` + executionHelp,
		Args: cobra.ExactArgs(1),
	}
	addDeciding(cmd, &o, &reason)
	cmd.RunE = m.onExecution(&o, decides, func(ctx context.Context, r *runner) error {
		done, err := r.in.Pause(ctx, r.request(ctx, reason))
		if err != nil {
			return asked(err)
		}
		return r.recorded(ctx, deed{Decided: "pause"}, done, "nothing new starts")
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
	cmd.RunE = m.onExecution(&o, decides, func(ctx context.Context, r *runner) error {
		done, err := r.in.Cancel(ctx, r.request(ctx, reason))
		if err != nil {
			return asked(err)
		}
		return r.recorded(ctx, deed{Decided: string(recovery.CancelAll)}, done, "cancelled")
	})
	return cmd
}
