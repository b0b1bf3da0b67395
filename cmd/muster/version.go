package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"muster/cmd/wiring"
)

func (m *Main) version() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print which build of Muster this is",
		Example: "  muster version\n  muster version --json",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	cmd.RunE = m.command(func(context.Context, []string) error {
		b := wiring.ThisBuild()
		if asJSON {
			return json.NewEncoder(m.Stdout).Encode(b)
		}
		revision := ""
		if b.Revision != "" {
			revision = fmt.Sprintf(" (%.12s)", b.Revision)
		}
		_, err := fmt.Fprintf(m.Stdout, "muster %s%s %s %s\n", b.Version, revision, b.Platform, b.Go)
		return err
	})
	return cmd
}
