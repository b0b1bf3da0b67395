package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"muster/recovery"
)

// lambdaTimeout is the longest that an invocation in Lambda can take.
const lambdaTimeout = 15 * time.Minute

// mostEvent bounds what is read as one event; Lambda takes 6 MB.
const mostEvent = 64 << 20

type invokeOptions struct {
	world   worldFlags
	timeout time.Duration
	json    bool
	quiet   bool
	event   string // a file, "-" or ""
}

func (m *Main) invoke() *cobra.Command {
	var o invokeOptions
	cmd := &cobra.Command{
		Use:   "invoke [EVENT.json | -]",
		Short: "Give one event to the handler, and print its answer",
		Long: `Invoke gives one action event to the handler, the very code that runs in Lambda,
and prints its answer on standard output as JSON, byte for byte. How the wave is
checked, configured and started is told on standard error.

AWS is simulated, in this process. Its jobs go on from one invocation to the next:
what it holds, and the record of what was started, are kept in the --data folder.
The same event again gives the first one's answer, and starts nothing twice.
Several invocations may use one folder at the same time.

The event is read from a file, or from standard input with "-" or without a name.`,
		Example: `  # an example event for the default fleet, started
  muster event | muster invoke

  # a fleet of your own, recorded in a folder of its own
  muster invoke --fleet fleet.yaml --data /tmp/drill wave1.json

  # what happens when AWS drops the answer after it has started the job
  muster invoke --fault DropAnswerAfter:operation=StartRecovery,times=1 wave1.json

Exit codes (muster help exit-codes): 0 started, 3 refused (the answer says why),
1 our failure, 2 wrong usage, 6 interrupted.`,
		Args: cobra.MaximumNArgs(1),
	}
	o.add(cmd.Flags())
	cmd.RunE = m.command(func(ctx context.Context, args []string) error {
		if len(args) > 0 {
			o.event = args[0]
		}
		return m.runInvoke(ctx, o)
	})
	return cmd
}

func (o *invokeOptions) add(flags *pflag.FlagSet) {
	o.world.addWorld(flags, recordHelp)
	o.world.addHouse(flags)
	flags.DurationVar(&o.timeout, "timeout", lambdaTimeout, "the `TIME` of an invocation, as a Lambda function has one")
	flags.BoolVar(&o.json, "json", false, "tell what happens, errors included, as JSON lines on standard error")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "do not tell what happens")
}

func (m *Main) runInvoke(ctx context.Context, o invokeOptions) error {
	if o.timeout <= 0 {
		return usage("", "--timeout: %s is no time to work in", o.timeout)
	}
	event, err := m.readEvent(o.event)
	if err != nil {
		return err
	}
	house, err := o.world.open(ctx, m, acts)
	if err != nil {
		return err
	}
	defer house.Close()
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	var started recovery.ExecutionID
	tell := m.observer(o)
	answer, err := house.Handler(func(id recovery.ExecutionID, ev recovery.Event) {
		if ev.Kind == recovery.EventStarted || ev.Kind == recovery.EventAdopted {
			started = id
		}
		if tell != nil {
			tell(id, ev)
		}
	}).Invoke(ctx, event)
	if err != nil {
		return err
	}
	if err := m.writeAnswer(answer); err != nil {
		return err
	}
	if isRefusal(answer) {
		return refused
	}
	if started != "" && !o.quiet && !o.json {
		m.sayHowToFollow(o, started)
	}
	return nil
}

// sayHowToFollow tells where it will be seen that a launch fails: not here.
func (m *Main) sayHowToFollow(o invokeOptions, id recovery.ExecutionID) {
	event, said := "EVENT.json", o.world.said()
	if o.event != "" && o.event != "-" {
		event = recovery.ShellWord(o.event)
	}
	look := fmt.Sprintf(`jq '.action = "poll_wave_status"' %s | muster invoke -q%s | jq .status; muster show %s%s`, event, said, recovery.ShellWord(string(id)), said)
	fmt.Fprintf(m.Stderr, "  %s\n  %s\n", m.style().faint("launches take minutes, and may fail; follow them with:"), harmless(look))
}

func (m *Main) readEvent(name string) ([]byte, error) {
	from, what := m.Stdin, "standard input"
	switch name {
	case "":
		if m.StdinTerminal {
			return nil, usage("Name a file, or pipe an event in: muster event | muster invoke", "there is no event")
		}
	case "-":
	default:
		f, err := os.Open(name)
		if err != nil {
			return nil, usage("", "the event: %w", err)
		}
		defer f.Close()
		from, what = f, name
	}
	event, err := io.ReadAll(io.LimitReader(from, mostEvent+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the event from %s: %w", what, err)
	case len(event) > mostEvent:
		return nil, usage("", "the event in %s is larger than %d MiB", what, mostEvent>>20)
	}
	return event, nil
}

// writeAnswer prints the answer as it is: what is piped on is promised byte
// for byte. Only for somebody who looks at it is it laid out.
func (m *Main) writeAnswer(answer []byte) error {
	if m.StdoutTerminal {
		answer = pretty(answer)
	}
	if _, err := m.Stdout.Write(append(answer, '\n')); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}

// isRefusal tells a business error from a success. A state may hold a key
// "error" of its own, but an answer that carries a job is never an error.
func isRefusal(answer []byte) bool {
	var keys map[string]json.RawMessage
	if json.Unmarshal(answer, &keys) != nil {
		return false
	}
	_, isError := keys["error"]
	_, hasJob := keys["drsJobId"]
	return isError && !hasJob
}

// observer tells what happens, in the way that was asked for.
func (m *Main) observer(o invokeOptions) func(recovery.ExecutionID, recovery.Event) {
	switch {
	case o.quiet:
		return nil
	case o.json:
		return jsonLines(m.Stderr)
	}
	return (&lines{w: m.Stderr, style: m.style(), begun: time.Now(), speed: o.world.speed, detailed: true}).observe
}
