// Package wiring puts the rooms together, the same way for every command.
package wiring

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"

	"muster/awsdrs"
	"muster/awssteps"
	"muster/event"
	"muster/orchestrator"
	"muster/planfile"
	"muster/recovery"
)

// House is what all invocations of one process share.
type House struct {
	Accounts   recovery.Accounts
	Executions recovery.ExecutionStore
	Frozen     *orchestrator.FrozenPlans // of them; nil: each invocation reads anew
	Plans      recovery.PlanStore        // nil: nobody asks for operations
	Groups     recovery.GroupStore       // of a file: they hide those of Plans; nil: there are none
	Machine    Machine                   // nil: nobody drives executions from here
	Waker      event.Workflow            // is told of decisions; nil: the Machine is
	Home       *orchestrator.Home        // nil: executions are bound to no world
	Gone       func(recovery.Driver) bool
}

// Machine is the state machine that drives executions.
type Machine interface {
	event.Workflow
	event.Runs
}

// Accounts opens the accounts that a configuration of the AWS SDK leads to. It
// keeps sessions, connections and the pace of calls: make one and share it.
// throttled, where it is not nil, is told of every call that AWS throttles.
func Accounts(config aws.Config, throttled func(service, operation string)) recovery.Accounts {
	return awsdrs.New(config, awsdrs.Options{Throttled: throttled})
}

// Observer is told what happens while an event is answered. It may be called
// from several goroutines at once.
type Observer func(recovery.ExecutionID, recovery.Event)

// Handler answers events. Its Invoke is what Lambda calls.
func (h House) Handler(observe Observer) event.Handler {
	o := h.Orchestrator(observe)
	return event.Handler{Starter: o, Operator: o, Records: h.Executions, Plans: h.Plans, Workflow: h.waker(), Runs: h.Machine, Elsewhere: h.Home.Elsewhere, Gone: h.Gone}
}

// Orchestrator does what an event, or somebody at a command line, asks for.
func (h House) Orchestrator(observe Observer) *orchestrator.Orchestrator {
	o := &orchestrator.Orchestrator{
		Accounts:   h.Accounts,
		Executions: h.Executions,
		Groups:     h.groups(),
		Frozen:     h.Frozen,
		Home:       h.Home,
		Observe:    observe,
	}
	if waker := h.waker(); waker != nil {
		o.Wake = func(ctx context.Context, token recovery.Secret) error {
			return waker.Succeed(ctx, token.Reveal(), []byte("{}"))
		}
	}
	return o
}

func (h House) waker() event.Workflow {
	if h.Waker == nil && h.Machine != nil {
		return h.Machine
	}
	return h.Waker
}

// groups are those of the file, and behind them those of the store.
func (h House) groups() recovery.GroupStore {
	var all first
	if h.Groups != nil {
		all = append(all, h.Groups)
	}
	if h.Plans != nil {
		all = append(all, recovery.GroupsOf{PlanStore: h.Plans})
	}
	return all
}

// first is stores of groups, of which the first that knows a group has it.
type first []recovery.GroupStore

// Group implements recovery.GroupStore.
func (f first) Group(ctx context.Context, id recovery.ProtectionGroupID) (*recovery.ProtectionGroup, error) {
	for _, groups := range f {
		if g, err := groups.Group(ctx, id); g != nil || err != nil {
			return g, err
		}
	}
	return nil, nil
}

// StateMachine is the deployed one of an ARN that awssteps.CheckARN lets pass;
// nil for none. It calls nobody.
func StateMachine(config aws.Config, arn string) Machine {
	if arn == "" {
		return nil
	}
	return awssteps.New(config, arn)
}

// Groups reads the protection groups of a file.
func Groups(file string) (recovery.GroupStore, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("protection groups: %w", err)
	}
	groups, err := planfile.ParseGroups(file, data)
	if err != nil {
		return nil, err
	}
	return groups, nil
}

// FailureType names, for whoever retries by name, why an invocation ended
// without an answer.
func FailureType(err error) string {
	switch {
	case errors.Is(err, recovery.ErrNoTime), errors.Is(err, context.DeadlineExceeded):
		return "Muster.NoTimeLeft"
	case errors.Is(err, context.Canceled):
		return "Muster.Interrupted"
	}
	return "Muster.NotRecorded"
}
