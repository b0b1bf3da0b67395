package sqlite_test

import (
	"path/filepath"
	"testing"

	"muster/recovery"
	"muster/recoverytest"
)

func TestKeepsThePromisesOfAPlanStore(t *testing.T) {
	recoverytest.Plans(t, func(t *testing.T) func() recovery.PlanStore {
		path := filepath.Join(t.TempDir(), "muster.db")
		return func() recovery.PlanStore { return open(t, path) }
	})
}

func TestKeepsThePromisesOfAnIdentityStore(t *testing.T) {
	recoverytest.Identities(t, func(t *testing.T) func() recovery.IdentityStore {
		path := filepath.Join(t.TempDir(), "muster.db")
		return func() recovery.IdentityStore { return open(t, path) }
	})
}
