package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"muster/recovery"
	"muster/simulator"
)

type simulateOptions struct {
	world  worldFlags
	server serverFlags
}

func (m *Main) simulate() *cobra.Command {
	var o simulateOptions
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Serve a simulated AWS: DRS, EC2 launch templates, STS",
		Long: `Simulate serves a simulated AWS on one port until it is interrupted: Elastic
Disaster Recovery, and what a recovery needs of EC2 and STS. Any AWS client can
use it: the first lines on standard output point the AWS CLI or an SDK at it, as
the fleet's first account.

The world is in memory, and gone when the command ends, unless --data names a
folder. That folder may be one that muster invoke uses, even at the same time:
then both see the same world.`,
		Example: `  # serve the default fleet, its jobs sixty times faster than AWS's
  muster simulate --listen 127.0.0.1:4599 --speed 60 > aws.env &
  sleep 1; . ./aws.env
  aws drs describe-source-servers --endpoint-url "$AWS_ENDPOINT_URL"

  # start waves there
  muster event | muster invoke --endpoint http://127.0.0.1:4599

  # a region where every second StartRecovery is throttled
  muster simulate --fault Throttle:operation=StartRecovery,probability=0.5`,
		Args: cobra.NoArgs,
	}
	o.server.add(cmd.Flags(), "127.0.0.1:4599")
	o.world.addWorld(cmd.Flags(), "keep the simulated AWS in this `FOLDER` (default: in memory only)")
	cmd.RunE = m.command(func(ctx context.Context, _ []string) error { return m.runSimulate(ctx, o) })
	return cmd
}

func (m *Main) runSimulate(ctx context.Context, o simulateOptions) error {
	fleet, err := o.world.loadFleet()
	if err != nil {
		return err
	}
	folder := ""
	if o.world.data != "" {
		if folder, err = filepath.Abs(o.world.data); err != nil {
			return err
		}
	}
	l, err := o.server.open()
	if err != nil {
		return err
	}
	defer l.Close()
	world, err := o.world.world(fleet, folder)
	if err != nil {
		return err
	}
	defer world.Close()
	url := "http://" + l.Addr().String()
	if _, err := fmt.Fprint(m.Stdout, exports(url, fleet)); err != nil {
		return err
	}
	s := m.style()
	fmt.Fprintf(m.Stderr, "%s fleet %s at %s; interrupt to stop\n", s.good("simulated AWS:"), harmless(fleet.Name), url)
	return m.serve(ctx, &o.server, l, world, simulator.ControlPath)
}

// exports are the lines that point an AWS client at the simulated AWS, as the
// fleet's first account.
func exports(url string, fleet *simulator.Fleet) string {
	account, region := simulator.CallersAccount, "us-east-1"
	for _, id := range fleet.AccountIDs() {
		if regions := fleet.Accounts[id].Regions; len(regions) > 0 {
			account, region = id, firstRegion(regions)
			break
		}
	}
	var b strings.Builder
	for _, v := range [][2]string{
		{"AWS_ENDPOINT_URL", url},
		{"AWS_ACCESS_KEY_ID", account},
		{"AWS_SECRET_ACCESS_KEY", "simulated"},
		{"AWS_SESSION_TOKEN", ""}, // one that is left from elsewhere would be sent along
		{"AWS_REGION", region},
		{"AWS_DEFAULT_REGION", region},
		{"AWS_EC2_METADATA_DISABLED", "true"},
	} {
		fmt.Fprintf(&b, "export %s=%s\n", v[0], recovery.ShellWord(v[1]))
	}
	b.WriteString(`# AWS CLI before 2.13 (or 1.29): it ignores AWS_ENDPOINT_URL and calls AWS itself; say aws --endpoint-url "$AWS_ENDPOINT_URL" ...` + "\n")
	return b.String()
}

// firstRegion is the one with the most servers, the first by name among equals.
func firstRegion(regions map[string]*simulator.Region) string {
	best, most := "", -1
	for name, r := range regions {
		if n := len(r.Servers); n > most || n == most && name < best {
			best, most = name, n
		}
	}
	return best
}
