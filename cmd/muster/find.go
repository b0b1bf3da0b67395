package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"muster/client"
	"muster/recovery"
)

const executionHelp = `EXECUTION is an id, a unique beginning of one, or "last": the one that changed last.
Say --fleet, --data, --endpoint, --aws or --function as the execution was begun with.`

// mostNamed is how many executions are named of which a word is the beginning.
const mostNamed = 5

// find resolves EXECUTION: an id, a unique beginning of one, or last, the one
// that changed last. The hint says how to see which there are.
func (i *invoker) find(ctx context.Context, name, hint string) (recovery.ExecutionID, error) {
	id := recovery.ExecutionID(name)
	if name != "last" && id.Check() == nil {
		_, err := i.EventsAfter(ctx, id, client.NoEvents)
		if refusal, is := errors.AsType[*recovery.Error](err); err == nil || is && refusal.Code == recovery.RecordDamaged {
			return id, nil
		}
		if !client.IsNotFound(err) {
			return "", asked(err)
		}
	}
	list := client.List{Limit: mostNamed + 1, Prefix: name}
	if name == "last" {
		list = client.List{Limit: 1}
	}
	found, err := i.Executions(ctx, list)
	switch {
	case err != nil:
		return "", asked(err)
	case len(found) == 0 || name == "":
		return "", usage(hint, "there is no execution %s %s", recovery.Quote(name), i.where)
	case len(found) > 1:
		ids := make([]string, 0, mostNamed)
		for _, l := range found[:min(len(found), mostNamed)] {
			ids = append(ids, string(l.ID))
		}
		return "", usage(hint, "%s is the beginning of several: %s", recovery.Quote(name), strings.Join(ids, ", "))
	}
	return found[0].ID, nil
}

// onExecution runs a command about one execution. What acts on it in a
// simulated AWS does so at the speed that it was begun with, unless another one
// is said.
func (m *Main) onExecution(o *runOptions, n need, do func(ctx context.Context, r *runner) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		m.ran = true
		ctx := cmd.Context()
		if n >= acts && o.world.function == "" && !o.world.aws && o.world.endpoint == "" && !cmd.Flags().Changed("speed") {
			err := m.withExecution(ctx, o, looks, args[0], func(ctx context.Context, r *runner) error {
				a, err := r.in.EventsAfter(ctx, r.id, client.NoEvents)
				if err == nil && a.Speed != 0 {
					o.world.speed = a.Speed
				}
				return asked(err)
			})
			if err != nil {
				return err
			}
		}
		if n == looks {
			if err := m.chooseFolder(ctx, &o.world, args[0]); err != nil {
				return err
			}
		}
		return m.withExecution(ctx, o, n, args[0], do)
	}
}

func (m *Main) withExecution(ctx context.Context, o *runOptions, n need, name string, do func(ctx context.Context, r *runner) error) error {
	in, err := m.invoker(ctx, &o.world, n)
	if err != nil {
		return err
	}
	r := &runner{m: m, o: o, in: in, view: silent{}}
	defer r.close()
	if r.id, err = in.find(ctx, name, "See: muster list"+o.world.said()); err != nil {
		return err
	}
	return do(ctx, r)
}
