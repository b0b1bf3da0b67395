// Package wiring puts the rooms together, the same way for every command.
package wiring

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"

	"muster/awsdrs"
	"muster/event"
	"muster/orchestrator"
	"muster/planfile"
	"muster/recovery"
)

// House is what all invocations of one process share.
type House struct {
	Accounts   recovery.Accounts
	Executions recovery.ExecutionStore
	Groups     recovery.GroupStore // nil: there are no stored protection groups
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
	return event.Handler{Starter: h.Orchestrator(observe)}
}

// Orchestrator does what an event, or somebody at a command line, asks for.
func (h House) Orchestrator(observe Observer) *orchestrator.Orchestrator {
	return &orchestrator.Orchestrator{
		Accounts:   h.Accounts,
		Executions: h.Executions,
		Groups:     h.Groups,
		Observe:    observe,
	}
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
