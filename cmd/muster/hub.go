package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"muster/orchestrator"
	"muster/recovery"
)

func (m *Main) hub() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hub",
		Short: "Tell which record of executions this is, or take over a copy of one",
		Long: `A record of executions has an id of its own, made once and kept in it; a restored
copy and a replica have the same one. Executions are driven from one record alone.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(m.hubShow(), m.hubAdopt())
	return cmd
}

func (m *Main) hubShow() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Tell which record of executions this is",
		Long: `Show tells the id of the record that the flags lead to, which AWS its hub is in,
where it was made, from which record it took executions over, and which one has
taken its own over. It changes nothing.`,
		Example: "  muster hub show --aws --store dynamodb:muster",
		Args:    cobra.NoArgs,
	}
	o.world.addRecordPlaces(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object")
	cmd.RunE = m.command(func(ctx context.Context, _ []string) error {
		h, err := o.world.open(ctx, m, looks)
		if err != nil {
			return err
		}
		defer h.Close()
		i, err := h.Home.Identity(ctx)
		if err != nil {
			return err
		}
		return m.tellIdentity(i, h.Home.Records.Here(), "", o.json)
	})
	return cmd
}

// tellIdentity prints which record one is. notFenced says why the record that
// it has taken over just now could not be fenced.
func (m *Main) tellIdentity(i recovery.Identity, here recovery.RecordPlace, notFenced string, asJSON bool) error {
	if asJSON {
		return writeDocument(m.Stdout, struct {
			recovery.Identity
			Here      recovery.RecordPlace `json:"here"`
			Copy      bool                 `json:"copy"` // it is elsewhere than it says
			NotFenced string               `json:"notFenced,omitempty"`
		}{i, here, i.Version > 0 && i.Where != here, notFenced})
	}
	return writeIdentity(m.Stdout, i, here)
}

func writeIdentity(w io.Writer, i recovery.Identity, here recovery.RecordPlace) (err error) {
	row := func(name, format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintf(w, "%-16s %s\n", name, harmless(fmt.Sprintf(format, args...)))
		}
	}
	by := func(r recovery.Request) string {
		return fmt.Sprintf("at %s, by %s, because %s", r.At.UTC().Format(time.RFC3339), recovery.Quote(r.By), recovery.Quote(r.Reason))
	}
	if i.Version == 0 {
		row("Record", "has no id yet: nothing was driven from it")
		row("Here", "%s", here)
		return err
	}
	row("Record", "%s", i.ID)
	row("Here", "%s", here)
	if i.Where != here {
		row("Made", "%s: this is a copy of it, or it was moved here", i.Where)
	}
	row("Hub", "%s", cmp.Or(i.AWS, "nothing was done in AWS itself"))
	if a := i.Adopted; a != nil {
		row("Adopted from", "%s (%s) %s", a.From, a.Where, by(a.Request))
		if !a.Fenced {
			row("Not fenced", "%s does not know; muster hub adopt tries again", a.Where)
		}
	}
	for _, f := range i.Former {
		row("Was", "%s", f.Record)
	}
	if f := i.Fenced; f != nil {
		row("Taken over", "by %s (%s) %s", f.Record, f.Where, by(f.Request))
	}
	return err
}

func (m *Main) hubAdopt() *cobra.Command {
	var o runOptions
	var reason string
	cmd := &cobra.Command{
		Use:   "adopt",
		Short: "Take over the executions of a restored copy, and fence the other record",
		Long: `Adopt gives a record that is a copy an id of its own, so that its executions are
driven from it, and writes into the record that it is a copy of that it has done so:
nothing is driven from there any more. Whoever drives from there at this moment
notices within a minute. Where the other record cannot be reached, that is said;
see then that nothing drives executions from it. The same for a replica, for a record
that was taken over, and for one whose hub was moved to another account.

The record's id (muster hub show) has to be typed first, or given by --confirm.`,
		Example: `  muster hub adopt --aws --store dynamodb:muster-restored --reason "us-east-1 is lost" --confirm 7rk2mcqyh4vdx3ta`,
		Args:    cobra.NoArgs,
	}
	o.world.addRecordPlaces(cmd.Flags())
	cmd.Flags().StringVar(&o.by, "by", "", "`WHO` adopts it, for the record (default: $USER)")
	cmd.Flags().StringVar(&reason, "reason", "", "`WHY`, for both records; needed")
	cmd.Flags().StringVar(&o.confirm, "confirm", "", "the record's `ID`, to say that this is meant")
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object")
	cmd.RunE = m.command(func(ctx context.Context, _ []string) error { return m.runAdopt(ctx, &o, reason) })
	return cmd
}

func (m *Main) runAdopt(ctx context.Context, o *runOptions, reason string) error {
	if err := recovery.CheckText(reason); err != nil {
		return usage("Say why, for both records", "--reason %w", err)
	}
	h, err := o.world.open(ctx, m, looks)
	if err != nil {
		return err
	}
	defer h.Close()
	i, err := h.Home.Adoptable(ctx)
	if err != nil {
		return asked(err)
	}
	from, where := i.Predecessor()
	what := fmt.Sprintf("This takes over the executions of the record %s (%s), and fences it where it can be reached", from, where)
	if err := m.confirmed(ctx, o.confirm, string(i.ID), "adopt them", what); err != nil {
		return err
	}
	adopted, err := h.Home.Adopt(ctx, recovery.Request{By: m.who(o, ""), At: time.Now(), Reason: reason})
	if err != nil {
		return asked(err)
	}
	if adopted.NotFenced != "" {
		fmt.Fprintf(m.Stderr, "%s\n", m.style().bad(harmless(notFenced(adopted))))
	}
	return m.tellIdentity(adopted.Identity, h.Home.Records.Here(), adopted.NotFenced, o.json)
}

func notFenced(a *orchestrator.Adopted) string {
	return fmt.Sprintf("The old record (%s, id %s) could not be fenced: make sure that nothing drives executions from it. It could not be, because %s", a.Adopted.Where, a.Adopted.From, a.NotFenced)
}
