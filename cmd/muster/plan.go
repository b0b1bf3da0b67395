package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"muster/planfile"
)

// The width of a picture where no terminal says it.
const usualWidth = 100

func (m *Main) planCommands() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Check a recovery plan, draw it, or keep it",
		Long: `A recovery plan is a YAML file: waves of servers, in which order they are
recovered, where, and with which settings. docs/plans.md describes it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(m.planCheck(), m.planShow(), m.planPut(), m.planList(), m.planGet())
	return cmd
}

func (m *Main) planCheck() *cobra.Command {
	var groups []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Name everything that is wrong with a plan",
		Long: `Check reads a plan and names everything that is wrong with it, each problem
with its line and column; of very many the first, and how many more. It looks at the files alone: whether the servers are
there and ready, AWS is asked when the plan is run.

What is probably a slip, and may be right, is a warning: a region or a size of
instances that this version does not know, an id of a server that has another
length than those of DRS, a group that no wave takes. Warnings stop nothing.

It exits with 0 when nothing is wrong, with 3 when the plan would be refused
(the problems are on standard output), and with 2 when it could not be read.`,
		Example: "  muster plan check plan.yaml\n  muster plan check plan.yaml --groups groups.yaml --json",
		Args:    cobra.ExactArgs(1),
	}
	groupsFlag(cmd, &groups)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as one JSON object")
	cmd.RunE = m.command(func(_ context.Context, args []string) error {
		file, err := m.readPlan(args[0], groups)
		wrong, isWrong := errors.AsType[*planfile.Error](err)
		switch {
		case file != nil:
			wrong = &planfile.Error{Doubts: file.Doubts}
		case !isWrong:
			return err
		}
		if asJSON {
			err = json.NewEncoder(m.Stdout).Encode(checkResult(args[0], file, wrong))
		} else {
			err = printProblems(m.Stdout, args[0], file, wrong)
		}
		if err == nil && isWrong {
			return refused
		}
		return err
	})
	return cmd
}

func groupsFlag(cmd *cobra.Command, groups *[]string) {
	cmd.Flags().StringArrayVar(groups, "groups", nil, "a `FILE` with protection groups that the plan does not define itself (may be given again)")
}

// readPlan reads a plan and the files of its groups. What is wrong with their
// text is a *planfile.Error.
func (m *Main) readPlan(name string, groups []string) (*planfile.File, error) {
	var sources []planfile.Source
	var unread []error
	for _, name := range append([]string{name}, groups...) {
		data, err := m.readInput(name)
		if err != nil {
			unread = append(unread, err)
		}
		sources = append(sources, planfile.Source{Name: name, Data: data})
	}
	if err := errors.Join(unread...); err != nil {
		return nil, usage("", "%w", err)
	}
	reader := planfile.Reader{Lookup: func(name string) (string, bool) { v := m.Env(name); return v, v != "" }}
	return reader.Read(sources[0], sources[1:]...)
}

func (m *Main) readInput(name string) ([]byte, error) {
	in := m.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, planfile.MostBytes+1)) // of one byte more the reader says that it is too much
}

// mostListedProblems is how many problems are listed for programs, and
// mostPrinted how many for people.
const (
	mostListedProblems = 1000
	mostPrinted        = 20
)

func checkResult(name string, file *planfile.File, wrong *planfile.Error) any {
	type result struct {
		OK       bool               `json:"ok"`
		File     string             `json:"file"`
		PlanID   string             `json:"planId,omitempty"`
		Waves    int                `json:"waves,omitempty"`
		Servers  int                `json:"servers,omitempty"`
		Problems []planfile.Problem `json:"problems"`
		More     int                `json:"moreProblems,omitempty"` // that are not listed
		Warnings []planfile.Problem `json:"warnings,omitempty"`
	}
	shown := wrong.Problems[:min(len(wrong.Problems), mostListedProblems)]
	r := result{OK: file != nil, File: name, Problems: append([]planfile.Problem{}, shown...), More: wrong.More + len(wrong.Problems) - len(shown), Warnings: wrong.Doubts}
	if file != nil {
		r.PlanID, r.Waves = string(file.Plan.ID), len(file.Plan.Waves)
		for i := range file.Plan.Waves {
			r.Servers += len(file.Plan.Waves[i].Servers)
		}
	}
	return r
}

func printProblems(w io.Writer, name string, file *planfile.File, wrong *planfile.Error) error {
	var out strings.Builder
	for _, p := range wrong.Problems[:min(len(wrong.Problems), mostPrinted)] {
		fmt.Fprintln(&out, harmless(p.String()))
	}
	for _, p := range wrong.Doubts[:min(len(wrong.Doubts), mostPrinted)] {
		fmt.Fprintln(&out, harmless("warning: "+p.String()))
	}
	all := len(wrong.Problems) + wrong.More
	rest := max(all-mostPrinted, 0) + max(len(wrong.Doubts)-mostPrinted, 0)
	if rest > 0 {
		fmt.Fprintf(&out, "and %s more; --json lists the first %s\n", thousands(rest), thousands(mostListedProblems))
	}
	if file == nil {
		fmt.Fprintf(&out, "%s problem%s\n", thousands(all), map[bool]string{false: "s"}[all == 1])
	} else {
		says := "nothing is wrong with plan %s"
		if wrong.Doubts != nil {
			says = "plan %s can be run; see the warnings"
		}
		fmt.Fprintf(&out, "%s: "+says+": %s\n", harmless(name), file.Plan.ID, (&planDrawing{plan: file.Plan}).size())
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// thousands writes a number as people read it: 1,234.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func (m *Main) planShow() *cobra.Command {
	var groups []string
	var asJSON, asASCII bool
	var width int
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Draw the graph of a plan's waves",
		Long: `Show draws the waves of a plan: what stands side by side goes on at the same
time, and a line leads from each wave to those that wait for it. A line that is
crossed without a corner is not met.

The picture is as wide as the terminal (100 columns where there is none), or as
--width says. A plan that is too wide for it is told as a list. A plan that
something is wrong with is not drawn; see muster plan check.`,
		Example: "  muster plan show plan.yaml\n  muster plan show plan.yaml --ascii --width 80",
		Args:    cobra.ExactArgs(1),
	}
	groupsFlag(cmd, &groups)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the graph as one JSON object")
	cmd.Flags().BoolVar(&asASCII, "ascii", false, "draw with the characters of ASCII alone")
	cmd.Flags().IntVar(&width, "width", 0, "how many `COLUMNS` the picture may take")
	cmd.RunE = m.command(func(_ context.Context, args []string) error {
		if width < 0 {
			return usage("", "--width must be at least 1")
		}
		file, err := m.readPlan(args[0], groups)
		if err != nil {
			return usage("", "%w", err)
		}
		if asJSON {
			return json.NewEncoder(m.Stdout).Encode(planGraphOf(file.Plan))
		}
		d := planDrawing{
			plan: file.Plan, width: cmp.Or(width, m.terminalWidth(), usualWidth), ascii: asASCII || m.onlyASCII(),
			style: m.outStyle(),
		}
		_, err = io.WriteString(m.Stdout, d.String())
		return err
	})
	return cmd
}

// terminalWidth is how wide standard output's terminal is; 0: there is none.
func (m *Main) terminalWidth() int {
	width, _ := sizeOf(m.Stdout, m.StdoutTerminal)
	return width
}

// onlyASCII says whether a terminal is there that shows no more than ASCII.
func (m *Main) onlyASCII() bool {
	if !m.StdoutTerminal {
		return false
	}
	locale := strings.ToLower(cmp.Or(m.Env("LC_ALL"), m.Env("LC_CTYPE"), m.Env("LANG")))
	unicode := locale == "" || strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
	return !unicode || m.Env("TERM") == "dumb"
}
