package sqlite

import (
	"context"
	"errors"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"muster/recovery"
)

// Each trouble is made, met by a commit, and ended: the error names the file
// and the way out, nothing was half-written, and the same commit goes through
// once the cause is gone.
func TestTroubleIsToldAndNothingIsHalfWritten(t *testing.T) {
	for name, c := range map[string]struct {
		make, end func(t *testing.T, s *Store)
		want      string
	}{
		"the disk is full": {
			make: exec("PRAGMA max_page_count = 1"),
			end:  exec("PRAGMA max_page_count = 1000000"),
			want: "the disk is full: make space, then try again",
		},
		"the file is read-only": {
			make: exec("PRAGMA query_only = 1"),
			end:  exec("PRAGMA query_only = 0"),
			want: "is read-only: make them all writable for this user, or choose another file",
		},
		"another process holds the lock": {
			make: func(t *testing.T, s *Store) {
				exec("PRAGMA busy_timeout = 20")(t, s)
				other := connect(t, s.path)
				exec("BEGIN IMMEDIATE")(t, &Store{db: other})
				release = func() { other.Close() }
			},
			end:  func(*testing.T, *Store) { release() },
			want: "another process holds the file locked",
		},
		"the log refuses the event": {
			make: exec("CREATE TRIGGER refuse BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'refused here'); END"),
			end:  exec("DROP TRIGGER refuse"),
			want: "refused here",
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "muster.db")
			s, err := Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			e := &recovery.Execution{ID: "exec-1"}
			// More than what fits into the pages that the file has.
			ev := &recovery.Event{Kind: recovery.EventNote, Message: strings.Repeat("x", 100_000)}
			change := e.With(recovery.Attempt{Wave: 1, Attempt: 1}, ev)

			c.make(t, s)
			err = s.Commit(t.Context(), change)
			if err == nil || errors.Is(err, recovery.ErrStale) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want words with %q and the path", err, c.want)
			}
			c.end(t, s)

			read, err := s.Execution(t.Context(), "exec-1")
			if err != nil || read.Version != 0 || len(read.Attempts) != 0 {
				t.Errorf("it was half-written: %+v, %v", read, err)
			}
			if err := s.Commit(t.Context(), change); err != nil {
				t.Errorf("the same commit, once the cause is gone: %v", err)
			}
		})
	}
}

var release func() // ends the lock of "another process holds the lock"

func exec(statement string) func(*testing.T, *Store) {
	return func(t *testing.T, s *Store) {
		t.Helper()
		if _, err := s.db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWaitingForALockEndsWithTheContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "muster.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	exec("BEGIN IMMEDIATE")(t, &Store{db: connect(t, path)})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	err = s.Commit(ctx, recovery.Change{Execution: recovery.Execution{ID: "exec-1"}})
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "waiting for other writers") {
		t.Errorf("got %v, want the context's error", err)
	}
	if waited := time.Since(began); waited > 5*time.Second {
		t.Errorf("it waited %v", waited)
	}
	if _, err := s.Execution(t.Context(), "exec-1"); err != nil {
		t.Errorf("reading while another process writes: %v", err)
	}
}

func TestFilesThatCannotBeOpenedAreTold(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(dir, "damaged.db")
	raw(t, damaged, "CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(100000))")
	if err := os.Truncate(damaged, 100); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		text:                              "is not a SQLite database: choose another file",
		damaged:                           "execution store",
		dir:                               "is no file, but a folder",
		filepath.Join(text, "muster.db"):  "not a directory",
		filepath.Join(dir, "nul\x00name"): "invalid argument",
		filepath.Join(dir, strings.Repeat("n", 300)): "file name too long",
	} {
		s, err := Open(t.Context(), path)
		if err == nil {
			s.Close()
			t.Errorf("%q was opened", path)
			continue
		}
		if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: got %v, want words with %q and the path", path, err, want)
		}
	}
}

func TestAFolderThatMayNotBeWrittenIsTold(t *testing.T) {
	if os.Geteuid() == 0 {
		asNobody(t) // root may write everywhere
		return
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), filepath.Join(dir, "muster.db"))
	if err == nil || !strings.Contains(err.Error(), "check its owner and mode") {
		t.Errorf("got %v, want advice", err)
	}
}

func TestAFileThatMayNotBeWrittenIsToldByTheFirstChange(t *testing.T) {
	if os.Geteuid() == 0 {
		asNobody(t)
		return
	}
	path := filepath.Join(t.TempDir(), "muster.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	change := recovery.Change{Execution: recovery.Execution{ID: "exec-1"}}
	if err := s.Commit(t.Context(), change); err == nil || !strings.Contains(err.Error(), "is read-only: make them all writable for this user") {
		t.Errorf("got %v, want advice", err)
	}
	files, err := filepath.Glob(path + "*") // SQLite gave those beside it the same mode
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if err := os.Chmod(file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := again.Commit(t.Context(), change); err != nil {
		t.Errorf("once it may be written: %v", err)
	}
}

// asNobody runs the test again, alone, as a user who may do nothing.
func asNobody(t *testing.T) {
	t.Helper()
	const nobody = 65534
	run := osexec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	run.Dir, run.Env = "/", []string{}
	run.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := run.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as another user: %v\n%s", err, out)
	}
}

func TestADamagedExecutionKeepsTheOthersInTheList(t *testing.T) {
	path := filepath.Join(t.TempDir(), "muster.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	raw(t, path, `INSERT INTO executions (id, plan_id, type, start_time, initiated_by, version, last_event, last_event_hash, changed, opened)
		VALUES ('exec-1', 'rp-1', 'DRILL', 't', 'u', 1, 0, '', 1, '{}'), ('exec-2', 'rp-2', 'DRILL', 't', 'u', 1, 0, '', 2, NULL)`)
	all, err := s.Executions(t.Context(), 10)
	if err != nil || len(all) != 2 || all[1].ID != "exec-1" || all[1].Version == 0 {
		t.Errorf("got %+v, %v; want both", all, err)
	}
	if _, err := s.Execution(t.Context(), "exec-1"); !errors.Is(err, recovery.ErrDamaged) {
		t.Errorf("got %v, want ErrDamaged", err)
	}
	raw(t, path, `UPDATE executions SET world = '{"record":' WHERE id = 'exec-2'`)
	if all, err := s.Executions(t.Context(), 10); err != nil || len(all) != 2 || all[0].ID != "exec-2" {
		t.Errorf("got %+v, %v; want both", all, err)
	}
}

func TestADamagedRecordKeepsNoOtherFromBeingAWitness(t *testing.T) {
	for name, damage := range map[string]string{
		"emptied":              `UPDATE attempts SET record = '{}' WHERE execution_id = 'exec-1'`,
		"a world that is none": `UPDATE executions SET world = '{}' WHERE id = 'exec-1'`,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "muster.db")
			s, err := Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			record := `'{"wave":1,"attempt":1,"accountId":"123456789012","region":"us-east-1","state":"STARTED","jobId":"drsjob-1"}'`
			raw(t, path, `INSERT INTO executions (id, plan_id, type, start_time, initiated_by, version, last_event, last_event_hash, changed)
				VALUES ('exec-1', 'rp-1', 'RECOVERY', 't', 'u', 1, 0, '', 1), ('exec-2', 'rp-2', 'RECOVERY', 't', 'u', 1, 0, '', 2);
				INSERT INTO attempts (execution_id, wave, attempt, record) VALUES ('exec-1', 1, 1, `+record+`), ('exec-2', 1, 1, `+record+`);`+damage)
			found, err := s.Recovered(t.Context(), recovery.Place{AccountID: "123456789012", Region: "us-east-1"}, nil)
			damaged, whole := 0, 0
			for _, r := range found {
				switch {
				case r.Execution == "exec-1" && r.Damage != "":
					damaged++
				case r.Execution == "exec-2" && r.Attempt.JobID == "drsjob-1":
					whole++
				}
			}
			if err != nil || damaged != 1 || whole != 1 || len(found) != 2 {
				t.Errorf("got %+v, %v", found, err)
			}
		})
	}
}
