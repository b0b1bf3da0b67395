package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"muster/recovery"
	"muster/sqlite"
)

func TestAGlanceTellsTheNewestStartAndChangesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "executions.db")
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	glance := func(want string) {
		t.Helper()
		if got, err := sqlite.NewestStart(t.Context(), path); got != want || err != nil {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	glance("")
	for _, start := range []string{"2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", "2026-01-01T00:00:00Z"} {
		e := recovery.Execution{ID: recovery.ExecutionID("exec-" + start[:10]), Plan: "rp-1", Type: recovery.Drill, StartTime: start, InitiatedBy: "anna"}
		if err := s.Commit(t.Context(), e.WithEvent(recovery.Event{Kind: recovery.EventOpened})); err != nil {
			t.Fatal(err)
		}
	}
	glance("2026-01-03T00:00:00Z") // while it is open
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	glance("2026-01-03T00:00:00Z")
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the file is another one, %v", err)
	}
	if _, err := sqlite.NewestStart(t.Context(), filepath.Join(dir, "none.db")); err == nil {
		t.Error("there is no such file")
	}
	if _, err := os.Stat(filepath.Join(dir, "none.db")); err == nil {
		t.Error("it was made")
	}
}
