package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"muster/event"
	"muster/planfile"
	"muster/recovery"
)

// keptHelp is what the commands about plans that are kept have to say.
const keptHelp = `Plans are kept by a Muster that is deployed: --function says which.`

// documentOf gives a plan file as a deployed Muster takes it.
func documentOf(file *planfile.File) json.RawMessage {
	return event.DocumentOf(file.Plan, file.Groups.ByID())
}

// onKept runs a command about plans that are kept.
func (m *Main) onKept(o *runOptions, alias event.Alias, do func(ctx context.Context, r *runner, there *remote, args []string) error) func(*cobra.Command, []string) error {
	return m.command(func(ctx context.Context, args []string) error {
		if o.world.function == "" {
			return usage("Say which: --function NAME", "plans are kept by a deployed Muster")
		}
		there, err := o.world.openFunction(ctx, alias)
		if err != nil {
			return err
		}
		return asked(do(ctx, &runner{m: m, o: o, src: there}, there, args))
	})
}

func (m *Main) planPut() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "put FILE",
		Short: "Keep a plan at a deployed Muster",
		Long: `Put checks a plan file, as muster plan check does, and keeps it by its id: muster
drill PLAN-ID and muster recover PLAN-ID begin executions of it. External ids that
the file takes from the environment are those of now. What was kept under that id
becomes an earlier version; two puts at the same time do not overwrite one another.

` + keptHelp,
		Example: "  muster plan put plan.yaml --function muster",
		Args:    cobra.ExactArgs(1),
	}
	o.world.addKept(cmd.Flags())
	cmd.Flags().StringVar(&o.world.groups, "groups", "", "a `FILE` with protection groups that the plan does not define itself")
	cmd.Flags().StringVar(&o.by, "by", "", "`WHO` puts it, for the record (default: as AWS knows you)")
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object")
	cmd.RunE = m.onKept(&o, event.Operate, func(ctx context.Context, r *runner, there *remote, args []string) error {
		file, err := m.loadPlan(args[0], o.world.groups)
		if err != nil {
			return err
		}
		version, err := there.version(ctx, file.Plan.ID)
		if err != nil {
			return err
		}
		var answer struct {
			Plan    recovery.PlanID              `json:"planId"`
			Version int64                        `json:"version"`
			Missing []recovery.ProtectionGroupID `json:"groupsNotStored,omitempty"`
		}
		if err := there.ask(ctx, "put_plan", parameters{"plan": documentOf(file), "replaces": version, "by": r.who(ctx)}, &answer); err != nil {
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

// version is which version of a plan is kept; 0: none.
func (r *remote) version(ctx context.Context, id recovery.PlanID) (int64, error) {
	var plan recovery.Stored
	err := r.ask(ctx, "get_plan", parameters{"planId": id}, &plan)
	if refusal, is := errors.AsType[*recovery.Error](err); is && refusal.Code == recovery.NotFound {
		return 0, nil
	}
	return plan.Version, err
}

func (m *Main) planList() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the plans that a deployed Muster keeps",
		Long:    "List names the plans that are kept, by id.\n\n" + keptHelp,
		Example: "  muster plan list --function muster",
		Args:    cobra.NoArgs,
	}
	o.world.addKept(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON, one object a line")
	cmd.RunE = m.onKept(&o, event.Read, func(ctx context.Context, _ *runner, there *remote, _ []string) error {
		for p := (parameters{}); ; {
			var answer struct {
				Plans []recovery.PlanEntry `json:"plans"`
				Next  recovery.PlanID      `json:"next"`
			}
			if err := there.ask(ctx, "list_plans", p, &answer); err != nil {
				return err
			}
			for _, e := range answer.Plans {
				var err error
				if o.json {
					err = writeDocument(m.Stdout, e)
				} else {
					_, err = fmt.Fprintln(m.Stdout, planLine(e))
				}
				if err != nil {
					return err
				}
			}
			if answer.Next == "" {
				return nil
			}
			p["after"] = answer.Next
		}
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
		Short:   "Print a plan that a deployed Muster keeps, as JSON",
		Long:    "Get prints a plan that is kept, and who put it when; its external ids are left out.\n\n" + keptHelp,
		Example: "  muster plan get rp-web-shop --function muster | jq .plan.waves",
		Args:    cobra.ExactArgs(1),
	}
	o.world.addKept(cmd.Flags())
	cmd.RunE = m.onKept(&o, event.Read, func(ctx context.Context, _ *runner, there *remote, args []string) error {
		var answer json.RawMessage
		if err := there.ask(ctx, "get_plan", parameters{"planId": args[0]}, &answer); err != nil {
			return err
		}
		return m.writeAnswer(answer)
	})
	return cmd
}
