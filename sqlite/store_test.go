package sqlite_test

import (
	"path/filepath"
	"testing"

	"muster/recovery"
	"muster/recoverytest"
	"muster/sqlite"
)

func TestKeepsThePromisesOfAnExecutionStore(t *testing.T) {
	recoverytest.Executions(t, func(t *testing.T) func() recovery.ExecutionStore {
		path := filepath.Join(t.TempDir(), "muster.db")
		return func() recovery.ExecutionStore { return open(t, path) }
	})
}

func open(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
