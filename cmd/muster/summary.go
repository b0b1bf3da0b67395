package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"muster/event"
	"muster/recovery"
)

// account is an execution's overview, as this program shows it.
type account event.Overview

// report tells how the execution ended.
func (r *runner) report(ctx context.Context) error {
	a, err := r.in.Execution(ctx, r.id)
	if err != nil {
		return err
	}
	if r.o.json {
		a.Events = nil // they were told
		return writeDocument(r.m.Stdout, a)
	}
	text := (*account)(a).summary(r.m.outStyle())
	if !r.o.quiet {
		text = "\n" + text
	}
	_, err = fmt.Fprint(r.m.Stdout, text)
	return err
}

// outStyle is how text on standard output looks.
func (m *Main) outStyle() style {
	return style(m.StdoutTerminal && m.Env("NO_COLOR") == "" && m.Env("TERM") != "dumb")
}

// summary is the account as a manager reads it.
func (a *account) summary(s style) string {
	var b strings.Builder
	what := map[recovery.ExecutionType]string{recovery.Drill: "Drill", recovery.Recovery: "Recovery"}[a.Type]
	fmt.Fprintf(&b, "%s of %s: %s\n", what, s.strong(harmless(cmp.Or(a.PlanName, string(a.Plan)))), paintState(a.State, s))
	fmt.Fprintf(&b, "%s\n\n", s.faint(harmless(fmt.Sprintf("%s · plan %s · by %s · begun %s", a.ID, a.Plan, a.By, a.Begun.Local().Format("2006-01-02 15:04:05 MST")))))
	a.waveTable(&b, s)
	b.WriteString("\n")
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-16s %s\n", name, harmless(fmt.Sprintf(format, args...)))
	}
	took := human(time.Duration(a.Seconds) * time.Second)
	if a.Speed != 0 {
		took += fmt.Sprintf(" of simulated time (%v times as fast here)", a.Speed)
	}
	name := "Recovery time"
	if a.Ended == nil {
		name = "So far"
	}
	switch objective := human(time.Duration(a.Objective) * time.Second); {
	case a.Objective == 0:
		row(name, "%s", took)
	case a.Seconds > a.Objective:
		row(name, "%s; the objective is %s: MISSED", took, objective)
	case a.Ended == nil:
		row(name, "%s; the objective is %s", took, objective)
	case a.State == string(recovery.OutcomeCompleted):
		row(name, "%s; the objective is %s: met", took, objective)
	default: // no objective is met by less than everything
		row(name, "%s; the objective is %s for all servers", took, objective)
	}
	row("Servers", "%d of %d recovered", a.Recovered, a.Servers)
	if a.State != string(recovery.OutcomeCompleted) {
		row("State", "%s", a.Reason)
	}
	for _, ev := range a.Events {
		switch ev.Kind {
		case recovery.EventFailed, recovery.EventTimedOut:
			wave, _ := ev.About()
			row("Went wrong", "wave %d: %s", wave, ev.Message)
		case recovery.EventDecided, recovery.EventCancelled, recovery.EventPaused:
			row("Decided", "%s", ev.Message)
		}
	}
	if a.CleanedUp > 0 {
		row("Cleaned up", "%d recovery instances terminated", a.CleanedUp)
	}
	return b.String()
}

func paintState(state string, s style) string {
	switch state {
	case string(recovery.OutcomeCompleted):
		return s.good(state)
	case string(recovery.OutcomeFailed), event.StateDamaged:
		return s.bad(state)
	}
	return s.busy(state)
}

func (a *account) waveTable(b *strings.Builder, s style) {
	names := textWidth("wave")
	for i := range a.Waves {
		names = max(names, textWidth(title(&a.Waves[i])))
	}
	fmt.Fprintf(b, "  %s  %-9s  %-8s  %s\n", s.faint(pad("wave", names)), s.faint("state    "), s.faint("servers "), s.faint("took"))
	for i := range a.Waves {
		w, took := &a.Waves[i], ""
		if w.Seconds > 0 {
			took = human(time.Duration(w.Seconds) * time.Second)
		}
		if w.Attempt > 1 {
			took += fmt.Sprintf(", %d attempts", w.Attempt)
		}
		fmt.Fprintf(b, "  %s  %-9s  %-8s  %s\n", pad(title(w), names), w.Status, fmt.Sprintf("%d of %d", w.Launched, w.Planned), took)
	}
}

func title(w *event.WaveOverview) string { return harmless(fmt.Sprintf("%d %s", w.Number, w.Name)) }

// human writes a duration as people say it.
func human(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}

const undriven = "nobody drives it"

// left says that nobody drives the execution, and the command that goes on.
func (r *runner) left() string { return undriven + "; to go on: " + r.command("resume", r.id) }
