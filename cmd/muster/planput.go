package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"muster/client"
	"muster/recovery"
)

// keptHelp is what the commands about plans that are kept have to say.
const keptHelp = `Plans are kept beside the record of executions: --function, --aws, --store, --fleet
and --data say which one, as for executions.`

// onKept runs a command about plans that are kept.
func (m *Main) onKept(o *runOptions, n need, do func(ctx context.Context, r *runner, args []string) error) func(*cobra.Command, []string) error {
	return m.command(func(ctx context.Context, args []string) error {
		in, err := m.invoker(ctx, &o.world, n)
		if err != nil {
			return err
		}
		defer in.Close()
		return asked(do(ctx, &runner{m: m, o: o, in: in}, args))
	})
}

func (m *Main) planPut() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "put FILE",
		Short: "Keep a plan by its id",
		Long: `Put checks a plan file, as muster plan check does, and keeps it by its id: muster
drill PLAN-ID and muster recover PLAN-ID begin executions of it. External ids that
the file takes from the environment are those of now. What was kept under that id
becomes an earlier version; two puts at the same time do not overwrite one another.

` + keptHelp,
		Example: "  muster plan put plan.yaml --function muster",
		Args:    cobra.ExactArgs(1),
	}
	o.world.addPlaces(cmd.Flags())
	cmd.Flags().StringVar(&o.world.groups, "groups", "", "a `FILE` with protection groups that the plan does not define itself")
	cmd.Flags().StringVar(&o.by, "by", "", "`WHO` puts it, for the record (default: as AWS knows you)")
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object")
	cmd.RunE = m.onKept(&o, keeps, func(ctx context.Context, r *runner, args []string) error {
		file, err := m.loadPlan(args[0], o.world.groups)
		if err != nil {
			return err
		}
		var version int64 // 0: none is kept
		switch stands, err := r.in.Plan(ctx, file.Plan.ID); {
		case err == nil:
			version = stands.Version
		case !client.IsNotFound(err):
			return err
		}
		answer, err := r.in.PutPlan(ctx, client.Put{Plan: file.Document, Replaces: &version, By: r.who(ctx)})
		if err != nil {
			return err
		}
		if o.json {
			return writeDocument(m.Stdout, answer)
		}
		_, err = fmt.Fprintf(m.Stdout, "plan %s is kept, version %d\n", answer.Plan, answer.Version)
		if len(answer.Missing) > 0 {
			fmt.Fprintf(m.Stderr, "not kept there, and needed before it is begun: protection groups %s\n", harmless(joined(answer.Missing)))
		}
		return err
	})
	return cmd
}

func (m *Main) planList() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the plans that are kept",
		Long:    "List names the plans that are kept, by id.\n\n" + keptHelp,
		Example: "  muster plan list --function muster",
		Args:    cobra.NoArgs,
	}
	o.world.addPlaces(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON, one object a line")
	cmd.RunE = m.onKept(&o, looks, func(ctx context.Context, r *runner, _ []string) error {
		all, err := r.in.Plans(ctx)
		for _, e := range all {
			if o.json {
				err = writeDocument(m.Stdout, e)
			} else {
				_, err = fmt.Fprintln(m.Stdout, planLine(e))
			}
			if err != nil {
				return err
			}
		}
		return err
	})
	return cmd
}

func planLine(e recovery.PlanEntry) string {
	return strings.TrimRight(fmt.Sprintf("%s  version %-4d  %s by %s  %s", pad(harmless(string(e.ID)), 30), e.Version, e.At.Local().Format(listedTime), harmless(e.By), harmless(e.Name)), " ")
}

func (m *Main) planGet() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:     "get PLAN-ID",
		Short:   "Print a plan that is kept, as JSON",
		Long:    "Get prints a plan that is kept, and who put it when; its external ids are left out.\n\n" + keptHelp,
		Example: "  muster plan get rp-web-shop --function muster | jq .plan.waves",
		Args:    cobra.ExactArgs(1),
	}
	o.world.addPlaces(cmd.Flags())
	cmd.RunE = m.onKept(&o, looks, func(ctx context.Context, r *runner, args []string) error {
		plan, err := r.in.Plan(ctx, recovery.PlanID(args[0]))
		if client.IsNotFound(err) {
			return &failure{exitRefused, fmt.Errorf("there is no plan %s %s", recovery.Quote(args[0]), r.in.where), "See: muster plan list" + o.world.said()}
		}
		if err != nil {
			return err
		}
		doc, err := json.Marshal(plan)
		if err != nil {
			return err
		}
		return m.writeAnswer(doc)
	})
	return cmd
}
