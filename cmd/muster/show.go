package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/client"
	"muster/event"
	"muster/recovery"
)

func (m *Main) list() *cobra.Command {
	var o runOptions
	most := 20
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List executions, those that changed last first",
		Args:  cobra.NoArgs,
	}
	o.world.addPlaces(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON, one object a line")
	cmd.Flags().IntVar(&most, "most", most, "how `MANY`")
	cmd.RunE = m.command(func(ctx context.Context, _ []string) error {
		if most < 1 || most > mostListed {
			return usage("", "--most must be from 1 to %d", mostListed)
		}
		if err := m.chooseFolder(ctx, &o.world, ""); err != nil {
			return err
		}
		in, err := m.invoker(ctx, &o.world, looks)
		if err != nil {
			return err
		}
		defer in.Close()
		all, err := in.Executions(ctx, client.List{Limit: most, CheckLogs: in.house != nil})
		if err != nil {
			return asked(err)
		}
		if len(all) == 0 {
			fmt.Fprintf(m.Stderr, "no executions yet %s\n", harmless(in.where))
		}
		for _, l := range all {
			if o.json {
				err = writeDocument(m.Stdout, l)
			} else {
				_, err = fmt.Fprintln(m.Stdout, listed(l, m.outStyle()))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return cmd
}

func (m *Main) show() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "show EXECUTION",
		Short: "Show an execution: its waves, servers and events",
		Long: `Show tells what the record says of an execution: how far it is, what it waits for,
every wave, every server with its instance or the reason why there is none, and
everything that happened. It needs no driver to run, and disturbs none. A log that
does not fit the rest of the record, cut at its end or edited, is told (exit code 1).

` + executionHelp,
		Example: "  muster show last\n  muster show last --json | jq '.waves[].serverOutcomes[] | select(.status != \"LAUNCHED\")'",
		Args:    cobra.ExactArgs(1),
	}
	o.world.addPlaces(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object")
	cmd.RunE = m.onExecution(&o, looks, func(ctx context.Context, r *runner) error {
		a, err := r.in.Execution(ctx, r.id)
		if err != nil {
			return asked(err)
		}
		if o.json {
			err = writeDocument(m.Stdout, a)
		} else {
			_, err = fmt.Fprint(m.Stdout, (*account)(a).whole(m.outStyle(), r))
		}
		if err == nil && a.Damage != "" {
			err = &failure{exitFailure, fmt.Errorf("execution %s: %s", r.id, a.Damage), damagedHint}
		}
		return err
	})
	return cmd
}

// mostListed is how many executions one list has.
const mostListed = 1000

// listed is an execution's line in a list.
func listed(l client.Line, s style) string {
	begun, state := strings.Repeat(" ", len(listedTime)), paintState(l.State, s)
	if at, err := time.Parse(time.RFC3339, l.Begun); err == nil { // who began it elsewhere may have said something else
		begun = at.Local().Format(listedTime)
	}
	if l.Driver.Nobody() {
		state += "  " + s.faint(undriven)
	}
	return fmt.Sprintf("%s  %s  %-8s  %s", pad(harmless(string(l.ID)), 44), begun, l.Type, state)
}

const listedTime = "2006-01-02 15:04"

const damagedHint = "What is shown may not be what happened. Keep the record as it is, compare it with a backup, and with the jobs that DRS lists, before anything is started again."

// whole is the account with everything in it.
func (a *account) whole(s style, r *runner) string {
	var b strings.Builder
	b.WriteString(a.summary(s))
	if a.World != nil {
		fmt.Fprintf(&b, "%-16s %s\n", "World", harmless(a.World.Text))
		if a.World.Elsewhere != "" {
			fmt.Fprintf(&b, "%-16s %s\n", s.busy("Elsewhere"), harmless(a.World.Elsewhere))
		}
	}
	switch {
	case a.Driver.Nobody():
		fmt.Fprintf(&b, "%-16s %s\n", s.busy("Driver"), harmless(r.left()))
	case a.Driver != nil:
		fmt.Fprintf(&b, "%-16s %s\n", "Driver", harmless(a.Driver.String()))
	}
	for _, q := range a.Questions {
		d := desk{command: r.command("decide", r.id)}
		fmt.Fprintf(&b, "%-16s %s\n%-16s %s\n", s.busy("?"), asksFor(recovery.Question(q)), "", harmless(d.hint([]recovery.Question{recovery.Question(q)})))
	}
	for i := range a.Waves {
		w := &a.Waves[i]
		fmt.Fprintf(&b, "\n%s  %s  %s\n", s.strong(title(w)), w.Status, s.faint(string(w.JobID)))
		if w.Reason != "" {
			fmt.Fprintf(&b, "  %s\n", byServer(harmless(w.Reason)))
		}
		for _, f := range w.Fates {
			note := cmp.Or(f.Reason, f.Note)
			if f.Optional {
				note = strings.TrimSpace("optional; " + note)
			}
			fmt.Fprintf(&b, "  %-20s %s %-12s %-20s %s\n", f.Server, pad(harmless(f.Hostname), 14), cmp.Or(f.Phase, f.Status, "-"), f.Instance, harmless(note))
		}
	}
	b.WriteString("\n")
	speed := cmp.Or(a.Speed, 1)
	for _, ev := range a.Events {
		b.WriteString(eventLine(s, ev, event.Scaled(ev.At.Sub(a.Begun), speed)) + "\n")
	}
	return b.String()
}
