package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"muster/recovery"
	"muster/simulator"
)

// Main is the command line. Tests run the very same, in-process.
type Main struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Env            func(string) string
	// Whether somebody sits there.
	StdinTerminal, StdoutTerminal, StderrTerminal bool

	limits limits // of clients of what serves; none: usualLimits
	ran    bool   // a command of ours was reached: what is wrong is not the way it was called
}

// Run runs one command line and gives its exit code.
func (m *Main) Run(ctx context.Context, args []string) int {
	root := m.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	f := asFailure(plainly(err), m.ran)
	if !m.ran && f.hint == "" { // a command that was reached has said what is wrong
		f.hint = "Try: muster help"
		cmd, rest, findErr := root.Find(args)
		if near := nearest(cmd, rest); near != "" {
			f.hint = "Try: " + near
		} else if findErr == nil && cmd != root {
			f.hint = "Try: " + cmd.CommandPath() + " --help"
		}
	}
	f.report(m.Stderr, slices.Contains(args, "--json"), m.style())
	return f.code
}

// plainly says in our own words what is wrong with a flag's value, where the
// library of flags has those of Go.
func plainly(err error) error {
	wrong, is := errors.AsType[*pflag.InvalidValueError](err)
	if !is {
		return err
	}
	wants := map[string]string{"float64": "a number such as 60 or 0.5", "duration": "a duration such as 30s or 5m", "bool": "true or false",
		"int": "a whole number", "int64": "a whole number"}[wrong.GetFlag().Value.Type()]
	if wants == "" {
		return err
	}
	return fmt.Errorf("--%s: %s is not %s", wrong.GetFlag().Name, recovery.Quote(wrong.GetValue()), wants)
}

// style is how text on standard error looks.
func (m *Main) style() style {
	return style(m.StderrTerminal && m.Env("NO_COLOR") == "" && m.Env("TERM") != "dumb")
}

func (m *Main) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "muster",
		Short: "Recover fleets of servers on AWS Elastic Disaster Recovery, wave by wave",
		Long: `Muster starts the recovery of servers on AWS Elastic Disaster Recovery (DRS),
wave by wave: it checks that the servers are ready, brings their launch settings
to what the plan asks for, and starts one recovery job for each wave, once.

Everything here runs against a simulated AWS on this machine, unless --aws or
--function says otherwise: without them, and without a --store in DynamoDB, nothing
reaches a real account, and your AWS settings are neither read nor changed.`,
		Example: `  # rehearse a whole plan
  muster drill examples/three-tier.yaml --speed 60

  # start a wave: an example event for the default fleet, and its answer
  muster event > wave.json
  muster invoke wave.json

  # the same at a Muster that is deployed in AWS
  muster drill plan.yaml --function muster

  # look at the same simulated AWS with the AWS CLI
  muster simulate --listen 127.0.0.1:4599`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(m.Stdin)
	root.SetOut(m.Stdout)
	root.SetErr(m.Stderr)
	root.Version = versionLine()
	root.SetVersionTemplate("{{.Version}}\n")
	root.AddCommand(m.invoke(), m.event(), m.simulate(), m.function(), m.fleets(), m.planCommands(), m.drill(), m.recover(), m.resume(), m.list(), m.show(), m.watch(), m.decide(), m.pause(), m.cancel(), m.cleanUp(), m.backup(), m.hub(), m.table(),
		m.version(), exitCodesHelp(), faultsHelp())
	root.InitDefaultHelpCmd()
	if help, _, err := root.Find([]string{"help"}); err == nil {
		help.Run, help.RunE = nil, helpAbout
	}
	return root
}

// helpAbout is the help command, for which a word that means nothing is a
// mistake like any other.
func helpAbout(help *cobra.Command, words []string) error {
	cmd, rest, err := help.Root().Find(words)
	if err == nil && len(rest) == 0 {
		cmd.InitDefaultHelpFlag()
		return cmd.Help()
	}
	hint := "Try: muster help"
	if near := nearest(cmd, rest); near != "" {
		hint = "Try: " + strings.Replace(near, "muster", "muster help", 1)
	}
	return usage(hint, "there is nothing called %s to tell about", recovery.Quote(strings.Join(words, " ")))
}

// nearest is the command that was perhaps meant, where the first of the words
// below a command is none; or "".
func nearest(cmd *cobra.Command, words []string) string {
	if len(words) == 0 || !cmd.HasSubCommands() {
		return ""
	}
	cmd.SuggestionsMinimumDistance = 2
	if names := cmd.SuggestionsFor(words[0]); len(names) > 0 {
		return cmd.CommandPath() + " " + names[0]
	}
	return ""
}

func exitCodesHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What the exit codes of all commands mean",
		Long:  "The exit codes, the same for every command:\n\n" + exitTable(),
	}
}

func faultsHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "faults",
		Short: "What can be made to go wrong in the simulated AWS",
		Long: `A fault goes wrong by name, with --fault NAME[:KEY=VALUE,…] or in a fleet file:

` + faultTable() + `

Keys that every fault takes: operation, servers (s-1+s-2), account, region, times
(0: for ever), after, perServer, probability. Some take, or need, more: duration
(lags, delays, Retry-After), phase (SNAPSHOT, CONVERSION or LAUNCH), status, code,
message, rawError. A wrong key or value is named, with what would be right.

  --fault Throttle:operation=UpdateLaunchConfiguration,times=3
  --fault DropAnswerAfter:operation=StartRecovery,times=1
  --fault FailLaunch:servers=s-0291ce9fa9cbfbc13,phase=CONVERSION`,
	}
}

// faultTable renders what each fault does for the help.
func faultTable() string {
	var b strings.Builder
	for _, name := range simulator.FaultNames() {
		fmt.Fprintf(&b, "  %-20s %s\n", name, simulator.FaultMeaning(name))
	}
	return strings.TrimRight(b.String(), "\n")
}

// command wraps what a command does, so that its errors are told from those
// of the way it was called.
func (m *Main) command(do func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		m.ran = true
		return do(cmd.Context(), args)
	}
}

// oneLine joins a list for a help text.
func oneLine(words []string) string { return strings.Join(words, ", ") }
