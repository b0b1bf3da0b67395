package sqlite

import (
	"fmt"
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

// testdata holds a file of every older schema, as its version of this package
// made it. Each is opened with all that it holds, goes on, and arrives at the
// schema that a new file has.
func TestAFileOfEveryOlderSchemaIsReadAndGoesOn(t *testing.T) {
	want := schemaOf(t, mustOpen(t, filepath.Join(t.TempDir(), "new.db")))
	for older := 1; older < len(migrations); older++ {
		t.Run(fmt.Sprint("schema ", older), func(t *testing.T) {
			dump, err := os.ReadFile(fmt.Sprintf("testdata/schema%d.sql", older))
			if err != nil {
				t.Fatalf("every older schema has a file that its version made: %v", err)
			}
			path := filepath.Join(t.TempDir(), "muster.db")
			raw(t, path, string(dump))
			s := mustOpen(t, path)
			if got := schemaOf(t, s); got != want {
				t.Errorf("migrated:\n%s\nnew:\n%s", got, want)
			}
			all, err := s.Executions(t.Context(), 10)
			if err != nil || len(all) == 0 {
				t.Fatalf("got %+v, %v; want executions", all, err)
			}
			for _, e := range all {
				goesOn(t, s, e.ID)
			}
		})
	}
}

// goesOn reads an execution with all that there is about it, and changes it.
func goesOn(t *testing.T, s *Store, id recovery.ExecutionID) {
	t.Helper()
	e, err := s.Execution(t.Context(), id)
	if err != nil || e.Version == 0 || len(e.Attempts) == 0 {
		t.Fatalf("got %+v, %v; want an execution with an attempt", e, err)
	}
	log, err := s.Events(t.Context(), id)
	if err != nil || e.CheckLog(log) != nil {
		t.Errorf("got %d events of %s, %v: %v", len(log), id, err, e.CheckLog(log))
	}
	plan, err := s.Plan(t.Context(), id)
	if err != nil || (plan == nil) != (e.Waves == nil) || plan != nil && plan.Account.ExternalID.IsZero() {
		t.Errorf("got plan %+v of %s, %v; want one with its external id where it was opened", plan, id, err)
	}
	if err := s.Commit(t.Context(), e.WithEvent(recovery.Event{At: time.Now(), Kind: recovery.EventNote})); err != nil {
		t.Errorf("a change of %s: %v", id, err)
	}
}

// What a driver of a version before kept is not lost: the speed goes into the
// record, and so does what an execution was to begin with.
func TestTheJournalsOfDriversGoIntoTheRecord(t *testing.T) {
	dump, err := os.ReadFile("testdata/schema4.sql")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "muster.db")
	raw(t, path, string(dump)+`
		DELETE FROM journal;
		INSERT INTO journal (execution, n, entry) SELECT id, 1, '{"kind":"ExecutionStarted","input":{"executionId":"' || id || '","simulation":{"speed":60.5}}}' FROM executions;
		INSERT INTO journal (execution, n, entry) VALUES ('exec-later', 1, '{"kind":"ExecutionStarted","input":{"executionId":"exec-later","n":1.0}}'),
			('exec-later', 2, '{"kind":"StateEntered"}'), ('exec-later-r2', 1, '{"kind":"ExecutionStarted","input":{"executionId":"exec-later","n":1.0}}');`)
	s := mustOpen(t, path)
	all, err := s.Executions(t.Context(), 10)
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	for _, e := range all {
		if e.Waves != nil && e.Speed != 60.5 {
			t.Errorf("%s has the speed %v", e.ID, e.Speed)
		}
		if state, err := s.Unbegun(t.Context(), e.ID); err != nil || state != nil {
			t.Errorf("%s was begun: got %s, %v", e.ID, state, err)
		}
	}
	for id, want := range map[recovery.ExecutionID]string{"exec-later": `{"executionId":"exec-later","n":1.0}`, "exec-later-r2": "", "exec-never": ""} {
		if state, err := s.Unbegun(t.Context(), id); err != nil || string(state) != want {
			t.Errorf("%s: got %s, %v; want %s", id, state, err, want)
		}
	}
}

func schemaOf(t *testing.T, s *Store) string {
	t.Helper()
	var schema string
	if err := s.db.QueryRow("SELECT group_concat(sql, char(10)) FROM (SELECT sql FROM sqlite_schema ORDER BY type, name)").Scan(&schema); err != nil {
		t.Fatal(err)
	}
	return schema
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
