package sqlite

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"muster/recovery"
)

// testdata/schema1.sql is a file that the first schema's version of this
// package made, dumped.
func TestAFileOfTheFirstSchemaIsReadAndGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "muster.db")
	dump, err := os.ReadFile("testdata/schema1.sql")
	if err != nil {
		t.Fatal(err)
	}
	raw(t, path, string(dump))
	s := mustOpen(t, path)

	// exec-9 was begun first and changed last.
	all, err := s.Executions(t.Context(), 10)
	if err != nil || len(all) != 2 || all[0].ID != "exec-9" || all[1].ID != "exec-10" {
		t.Fatalf("got %+v, %v; want exec-9 and exec-10", all, err)
	}
	e, err := s.Execution(t.Context(), "exec-9")
	if err != nil || e.Version != 2 || len(e.Attempts) != 1 || e.Attempts[0].JobID != "drsjob-1" || e.Waves != nil {
		t.Errorf("got %+v, %v; want version 2 with its job, opened by nobody", e, err)
	}
	log, err := s.Events(t.Context(), "exec-9")
	if err != nil || len(log) != 2 || recovery.CheckChain(log) != nil || log[1].Ref() != e.LastEvent {
		t.Errorf("got %d events, %v, chained %v; want 2", len(log), err, recovery.CheckChain(log))
	}
	if p, err := s.Plan(t.Context(), "exec-9"); p != nil || err != nil {
		t.Errorf("got plan %+v, %v; want none", p, err)
	}

	// They hold no plan, and both go on beside an execution that does.
	whole := &recovery.Execution{ID: "exec-11", Plan: e.Plan, Type: recovery.Drill, Waves: []recovery.WaveRecord{{Number: 1}}}
	happened := recovery.Event{At: time.Now(), Kind: recovery.EventNote}
	c := whole.WithEvent(happened)
	c.Frozen = &recovery.Plan{ID: e.Plan}
	for _, c := range []recovery.Change{c, all[1].WithEvent(happened)} {
		if err := s.Commit(t.Context(), c); err != nil {
			t.Error(err)
		}
	}
	all, err = s.Executions(t.Context(), 2)
	if err != nil || len(all) != 2 || all[0].ID != "exec-10" || all[1].ID != "exec-11" {
		t.Errorf("got %+v, %v; want exec-10 and exec-11", all, err)
	}
}

// Whoever migrates a file of the first schema arrives at what a new file has.
func TestANewFileHasTheSchemaOfAMigratedOne(t *testing.T) {
	dir := t.TempDir()
	dump, err := os.ReadFile("testdata/schema1.sql")
	if err != nil {
		t.Fatal(err)
	}
	raw(t, filepath.Join(dir, "old.db"), string(dump))
	var schemas [2]string
	for i, name := range []string{"old.db", "new.db"} {
		s := mustOpen(t, filepath.Join(dir, name))
		if err := s.db.QueryRow("SELECT group_concat(sql, char(10)) FROM (SELECT sql FROM sqlite_schema ORDER BY type, name)").Scan(&schemas[i]); err != nil {
			t.Fatal(err)
		}
	}
	if schemas[0] != schemas[1] {
		t.Errorf("migrated:\n%s\nnew:\n%s", schemas[0], schemas[1])
	}
}

func mustOpen(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
