// Package wiring puts the rooms together, the same way for every command.
package wiring

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"muster/awsdrs"
	"muster/event"
	"muster/orchestrator"
	"muster/planfile"
	"muster/recovery"
	"muster/sqlite"
)

// House is what all invocations of one process share.
type House struct {
	Accounts   recovery.Accounts
	Executions recovery.ExecutionStore
	Groups     recovery.GroupStore // nil: there are no stored protection groups
}

// Accounts opens the accounts that a configuration of the AWS SDK leads to. It
// keeps sessions, connections and the pace of calls: make one and share it.
func Accounts(config aws.Config) recovery.Accounts {
	return awsdrs.New(config, awsdrs.Options{})
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

// Store is an open store of executions.
type Store interface {
	recovery.ExecutionStore
	Close() error
	// A journal of drivers: stepfunctions.Journal.
	Append(ctx context.Context, execution string, n int, entry []byte) error
	Entries(ctx context.Context, execution string) ([][]byte, error)
}

// StoreSetting is where executions are kept, as MUSTER_STORE says it.
type StoreSetting struct{ file string }

const storeForms = "sqlite:PATH, a file that is made where there is none"

// ParseStore reads a store setting and opens nothing.
func ParseStore(s string) (StoreSetting, error) {
	kind, rest, _ := strings.Cut(s, ":")
	switch {
	case s == "":
		return StoreSetting{}, errors.New("is not set; it must be " + storeForms)
	case kind == "dynamodb":
		return StoreSetting{}, fmt.Errorf("%s: DynamoDB is not available yet; for now it must be %s", recovery.Quote(s), storeForms)
	case kind != "sqlite":
		return StoreSetting{}, fmt.Errorf("%s is not a store; it must be %s", recovery.Quote(s), storeForms)
	case rest == "":
		return StoreSetting{}, fmt.Errorf("%s names no file; it must be %s", recovery.Quote(s), storeForms)
	}
	return StoreSetting{rest}, nil
}

// Open opens the store. The caller closes it.
func (s StoreSetting) Open(ctx context.Context) (Store, error) {
	return sqlite.Open(ctx, s.file)
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
