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
		if asJSON {
			return json.NewEncoder(m.Stdout).Encode(wiring.ThisBuild())
		}
		_, err := fmt.Fprintln(m.Stdout, versionLine())
		return err
	})
	return cmd
}

// versionLine is what --version prints, too.
func versionLine() string {
	b := wiring.ThisBuild()
	revision := ""
	if b.Revision != "" {
		revision = fmt.Sprintf(" (%.12s)", b.Revision)
	}
	return fmt.Sprintf("muster %s%s %s %s", b.Version, revision, b.Platform, b.Go)
}
