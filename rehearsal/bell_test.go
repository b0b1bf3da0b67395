//go:build rehearsal

package rehearsal_test

import (
	"sync"
	"testing"
	"time"
)

// patience is how long anything that is waited for may take.
const patience = 2 * time.Minute

// bell rings whenever something happens anywhere, so that whoever waits for
// something looks again. Its zero value is ready.
type bell struct {
	mu   sync.Mutex
	rung chan struct{}
}

func (b *bell) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung == nil {
		b.rung = make(chan struct{})
	}
	return b.rung
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung != nil {
		close(b.rung)
		b.rung = nil
	}
}

// until waits for something that a ring tells of. Where it does not happen, it
// says what came instead, and what the function said last.
func (c *cloud) until(t *testing.T, what string, look func() (got string, happened bool)) {
	t.Helper()
	late := time.After(patience)
	for {
		next := c.bell.next()
		got, happened := look()
		if happened {
			return
		}
		select {
		case <-next:
		case <-late:
			t.Fatalf("waited %v for %s\ngot: %s\nthe function's last lines:\n%s", patience, what, got, c.function.logs.last(40))
		}
	}
}
