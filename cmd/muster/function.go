package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"muster/event"
)

type functionOptions struct {
	invokeOptions
	server serverFlags
}

func (m *Main) function() *cobra.Command {
	var o functionOptions
	cmd := &cobra.Command{
		Use:   "function",
		Short: "Serve the handler as Lambda's Invoke API does",
		Long: `Function answers POST /2015-03-31/functions/NAME/invocations, Lambda's Invoke API,
with the handler, until it is interrupted: "aws lambda invoke", muster ... --function
NAME --endpoint URL, and any local Step Functions engine can call it. Every function
name is the same handler; by the aliases read, operate and orchestrate it answers as
a deployed one does. Executions that start_execution begins are driven here, by the
state machine that is deployed, at --speed, for as long as the function is served;
resume goes on with those that a function before it left.

It is for AWS's clients: a request that a web page could have sent is refused. An
invocation that is not signed must be of the content type application/json.

A business error is an answer like any other. When it could not be known or
recorded what happened, the answer carries X-Amz-Function-Error, as Lambda's
does, and the same event may be sent again.`,
		Example: `  muster function --listen 127.0.0.1:9001 &
  muster event > wave.json
  aws lambda invoke --endpoint-url http://127.0.0.1:9001 --function-name execution-handler \
      --payload file://wave.json --cli-binary-format raw-in-base64-out answer.json`,
		Args: cobra.NoArgs,
	}
	o.server.add(cmd.Flags(), "127.0.0.1:9001")
	o.add(cmd.Flags())
	cmd.RunE = m.command(func(ctx context.Context, _ []string) error { return m.runFunction(ctx, o) })
	return cmd
}

func (m *Main) runFunction(ctx context.Context, o functionOptions) error {
	if o.timeout <= 0 {
		return usage("", "--timeout: %s is no time to work in", o.timeout)
	}
	l, err := o.server.open()
	if err != nil {
		return err
	}
	defer l.Close()
	house, err := o.world.open(ctx, m, acts)
	if err != nil {
		return err
	}
	defer house.Close()
	fmt.Fprintf(m.Stderr, "%s at http://%s; interrupt to stop\n", m.style().good("function:"), l.Addr())
	// Invocations outlive an interrupt for as long as serve lets them.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	observe := m.observer(o.invokeOptions)
	driven := &runs{house: house, machine: house.Machine, who: m.who(&runOptions{}, ""), observe: observe, pace: o.world.speed, life: life, under: map[string]bool{}}
	house.Machine = driven
	driven.broke = func(run string, err error) { interrupted(life, house, run, err) }
	defer driven.running.Wait()
	api := &invokeAPI{timeout: o.timeout, life: life, handler: func(c event.Caller) handler {
		h := house.Handler(observe)
		h.Caller = c
		return h
	}}
	defer api.wait()
	defer end()
	return m.serve(ctx, &o.server, l, api, "")
}

// interrupted tells the function that a run is over before its execution, as a
// deployed one is by the rule that watches its runs. What cannot be recorded
// the next resume finds out.
func interrupted(life context.Context, h *house, run string, why error) {
	ended := map[string]string{"operation": "execution_interrupted", "name": run, "status": "ABORTED", "cause": why.Error()}
	if life.Err() != nil {
		ended["cause"] = "muster function was stopped"
	}
	payload, err := json.Marshal(ended)
	if err == nil {
		_, _ = h.Handler(nil).Invoke(context.WithoutCancel(life), payload)
	}
}
