package stepfunctions

import (
	"context"
	"fmt"
	"sync"
)

// A Journal keeps what happened in executions. It has methods of builtin
// types only, so that a store need not know this package.
type Journal interface {
	// Append keeps the n-th entry of an execution, counted from 1, durably.
	// An n that is there already, or that would leave a gap, is an error: then
	// somebody else drives the execution. It is not retried.
	Append(ctx context.Context, execution string, n int, entry []byte) error
	// Entries gives all entries of an execution in their order, none for an
	// execution that is not known.
	Entries(ctx context.Context, execution string) ([][]byte, error)
}

// Memory is a Journal that is lost with its process. Its zero value is empty.
type Memory struct {
	mu      sync.Mutex
	entries map[string][][]byte
}

var _ Journal = (*Memory)(nil)

// Append implements Journal.
func (m *Memory) Append(_ context.Context, execution string, n int, entry []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if has := len(m.entries[execution]); n != has+1 {
		return fmt.Errorf("entry %d does not follow the %d that are there", n, has)
	}
	if m.entries == nil {
		m.entries = map[string][][]byte{}
	}
	m.entries[execution] = append(m.entries[execution], append([]byte(nil), entry...))
	return nil
}

// Entries implements Journal.
func (m *Memory) Entries(_ context.Context, execution string) ([][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([][]byte(nil), m.entries[execution]...), nil
}
