package orchestrator_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"muster/recovery"
	"muster/sqlite"
)

// A shelf is where a house keeps its executions: it outlives every process.
type shelf interface {
	recovery.ExecutionStore

	// through gives the store as a process reaches it: what is asked of it can
	// be disturbed with the process, and the house sees what it takes.
	through(*process, *house) recovery.ExecutionStore
}

// file is a shelf in one local file. A process is disturbed at what it asks
// of the store.
type file struct{ *sqlite.Store }

func (f file) through(p *process, h *house) recovery.ExecutionStore {
	return watchedStore{p, noting{f.Store, h}}
}

// inFile opens a new shelf in a file.
func inFile(t testing.TB) shelf {
	t.Helper()
	blank, err := blankFile()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "muster.db")
	if err := os.WriteFile(path, blank, 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return file{store}
}

// blankFile gives a store's file in which there is nothing: the schema takes
// longer to make than to copy.
var blankFile = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "muster-blank")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "muster.db")
	store, err := sqlite.Open(context.Background(), path)
	if err != nil {
		return nil, err
	}
	if err := store.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// storeTime is how long the store takes to answer, so that two who ask at the
// same time both decide on the same version.
const storeTime = 10 * time.Millisecond

// watchedStore passes calls of the store on through the process.
type watchedStore struct {
	process *process
	recovery.ExecutionStore
}

func (s watchedStore) Execution(ctx context.Context, id recovery.ExecutionID) (*recovery.Execution, error) {
	return through(s.process, "store read", func() (*recovery.Execution, error) { return s.ExecutionStore.Execution(ctx, id) })
}

func (s watchedStore) Events(ctx context.Context, id recovery.ExecutionID) ([]recovery.Event, error) {
	return through(s.process, "store events", func() ([]recovery.Event, error) { return s.ExecutionStore.Events(ctx, id) })
}

func (s watchedStore) Plan(ctx context.Context, id recovery.ExecutionID) (*recovery.Plan, error) {
	return through(s.process, "store plan", func() (*recovery.Plan, error) { return s.ExecutionStore.Plan(ctx, id) })
}

func (s watchedStore) Executions(ctx context.Context, most int) ([]recovery.Execution, error) {
	return through(s.process, "store list", func() ([]recovery.Execution, error) { return s.ExecutionStore.Executions(ctx, most) })
}

func (s watchedStore) Commit(ctx context.Context, c recovery.Change) error {
	name := "store renew"
	if c.Event != nil {
		name = "store " + string(c.Event.Kind)
	}
	_, err := through(s.process, name, func() (any, error) { return nil, s.ExecutionStore.Commit(ctx, c) })
	return err
}

// through asks the store by way of a process.
func through[T any](p *process, name string, ask func() (T, error)) (answer T, err error) {
	err = p.do(name, func() (err error) {
		answer, err = ask()
		time.Sleep(storeTime)
		return err
	})
	return answer, err
}
