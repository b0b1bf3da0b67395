package main

import (
	"context"
	"fmt"
	"time"

	"muster/recovery"
)

// cleaned is what terminate_instances answers.
type cleaned struct {
	Done       bool                  `json:"done"`
	Left       int                   `json:"instancesLeft"`
	Gone       int                   `json:"instancesGone"`
	Terminated []recovery.InstanceID `json:"terminated"`
	Again      int                   `json:"againAfterSeconds"`
}

// cleanThere terminates what the execution launched, a little at a time, until
// all of it is gone.
func (r *runner) cleanThere(ctx context.Context, there *remote, recoveries bool) error {
	p := parameters{"executionId": r.id, "by": r.who(ctx)}
	if recoveries {
		p["recovery"], p["confirm"] = true, r.id
	}
	goOn := "to go on: " + r.command("cleanup", r.id)
	told := ""
	for pause := time.Second; ; pause *= 2 {
		var c cleaned
		err := there.ask(ctx, "terminate_instances", p, &c)
		if ctx.Err() == nil && err != nil {
			return asked(err)
		}
		if err == nil {
			now := fmt.Sprintf("%d recovery instances are terminated, %d are being terminated", c.Gone, c.Left)
			if now != told {
				told = now
				r.view.say(now)
			}
			if c.Done {
				return nil
			}
		}
		select {
		case <-time.After(min(pause, time.Duration(c.Again)*time.Second)): // some are gone quickly
		case <-ctx.Done():
			return &failure{exitCanceled, fmt.Errorf("interrupted; what is being terminated goes on to be, and what of execution %s is left, stays", r.id), goOn}
		}
	}
}

// cleanUpThere is the command that cleans up after an execution.
func (m *Main) cleanUpThere(ctx context.Context, o *runOptions, name string, recoveries bool) error {
	r, there, err := m.openThere(ctx, o)
	if err != nil {
		return err
	}
	if r.id, err = there.find(ctx, name); err != nil {
		return err
	}
	if err := m.confirmedCleanUp(ctx, o, r.id, recoveries); err != nil {
		return err
	}
	if !o.json && !o.quiet {
		r.view = &lines{w: m.Stderr, style: m.style()}
	}
	if err := r.cleanThere(ctx, there, recoveries); err != nil {
		return err
	}
	return asked(r.report(ctx))
}

func (m *Main) confirmedCleanUp(ctx context.Context, o *runOptions, id recovery.ExecutionID, recoveries bool) error {
	if !recoveries {
		return nil
	}
	return m.confirmed(ctx, o.confirm, string(id), "terminate them", "This terminates the servers that "+string(id)+" recovered")
}
