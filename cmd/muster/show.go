package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

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
		if most < 1 {
			return usage("", "--most must be at least 1")
		}
		src, err := m.openSource(ctx, &o.world, event.Read)
		if err != nil {
			return err
		}
		defer src.Close()
		all, err := src.list(ctx, most)
		if err != nil {
			return asked(err)
		}
		if len(all) == 0 {
			fmt.Fprintln(m.Stderr, "no executions yet")
		}
		for _, l := range all {
			if o.json {
				err = writeDocument(m.Stdout, l.document)
			} else {
				_, err = fmt.Fprintln(m.Stdout, l.line(m.outStyle()))
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
	cmd.RunE = m.onSource(&o, event.Read, func(ctx context.Context, r *runner) error {
		a, err := r.src.whole(ctx, r.id)
		if err != nil {
			return asked(err)
		}
		if rec, here := r.src.(record); here {
			rec.placed(ctx, a)
		}
		if o.json {
			err = writeDocument(m.Stdout, a)
		} else {
			_, err = fmt.Fprint(m.Stdout, a.whole(m.outStyle(), r.command("decide", r.id)))
		}
		if err == nil && a.Damage != "" {
			err = &failure{exitFailure, fmt.Errorf("execution %s: %s", r.id, a.Damage), damagedHint}
		}
		return err
	})
	return cmd
}

// line is the account in a list.
func (a *account) line(s style) string {
	begun, state := strings.Repeat(" ", len(listedTime)), a.paintState(s)
	if !a.Begun.IsZero() {
		begun = a.Begun.Local().Format(listedTime)
	}
	if a.Damage != "" {
		state = s.bad(event.StateDamaged)
	}
	return fmt.Sprintf("%s  %s  %-8s  %s", pad(harmless(string(a.ID)), 44), begun, a.Type, state)
}

const listedTime = "2006-01-02 15:04"

const damagedHint = "What is shown may not be what happened. Keep the record as it is, compare it with a backup, and with the jobs that DRS lists, before anything is started again."

// whole is the account with everything in it.
func (a *account) whole(s style, decide string) string {
	var b strings.Builder
	b.WriteString(a.summary(s))
	if a.World != nil {
		fmt.Fprintf(&b, "%-16s %s\n", "World", harmless(a.World.Text))
		if a.World.Elsewhere != "" {
			fmt.Fprintf(&b, "%-16s %s\n", s.busy("Elsewhere"), harmless(a.World.Elsewhere))
		}
	}
	for _, q := range a.Questions {
		d := desk{command: decide}
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
