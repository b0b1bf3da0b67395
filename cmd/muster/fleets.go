package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"muster/recovery"
	"muster/simulator"
)

func (m *Main) fleets() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "fleets [FLEET | FILE]...",
		Short: "List what the built-in fleets, or fleet files, hold",
		Long: `Fleets lists the fleets that are built in, or checks the fleet files that it is
given: every problem is named with its line and column.`,
		Example: "  muster fleets\n  muster fleets my-fleet.yaml",
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print them as JSON lines")
	cmd.RunE = m.command(func(_ context.Context, names []string) error {
		if len(names) == 0 {
			names = simulator.FleetNames()
		}
		for _, name := range names {
			fleet, err := simulator.LoadFleet(name)
			if err != nil {
				return usage("", "%w", err)
			}
			s := summarize(fleet)
			if asJSON {
				err = json.NewEncoder(m.Stdout).Encode(s)
			} else {
				_, err = fmt.Fprintf(m.Stdout, "%s  %s, %s\n    %s\n", harmless(s.Name), recovery.Count(s.Accounts, "account"), recovery.Count(s.Servers, "server"), harmless(s.Description))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return cmd
}

type fleetSummary struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Accounts    int    `json:"accounts"`
	Servers     int    `json:"servers"`
}

func summarize(f *simulator.Fleet) fleetSummary {
	s := fleetSummary{Name: f.Name, Description: f.Description, Accounts: len(f.Accounts)}
	for _, a := range f.Accounts {
		for _, r := range a.Regions {
			s.Servers += len(r.Servers)
		}
	}
	return s
}
