package sqlite_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Two processes write while backups are made: each backup is of one moment.
func TestABackupIsOfOneMomentWhoeverWritesMeanwhile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "muster.db")
	store := open(t, path)
	claim(t, store, "exec-1")
	var writing sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		other := open(t, path)
		writing.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					increment(t, other, "exec-1")
				}
			}
		})
	}
	last := int64(0)
	for _, name := range []string{"1.db", "2.db", "3.db", "4.db"} {
		b, err := store.Backup(t.Context(), filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(b.Path)
		if err != nil || info.Mode().Perm() != 0o600 || info.Size() != b.Bytes || b.Executions != 1 {
			t.Errorf("%+v is a file %v, %v; want mode 600, its size and one execution", b, info, err)
		}
		copied := open(t, b.Path)
		e, err := copied.Execution(t.Context(), "exec-1")
		if err != nil {
			t.Fatal(err)
		}
		log, err := copied.Events(t.Context(), "exec-1")
		if err != nil || e.CheckLog(log) != nil || int64(len(log)) != e.Version || e.Version < last {
			t.Errorf("%s has version %d after %d and %d events: %v, %v", name, e.Version, last, len(log), err, e.CheckLog(log))
		}
		last = e.Version
		increment(t, copied, "exec-1") // it is a store like any other
	}
	close(stop)
	writing.Wait()
	if unfinished, _ := filepath.Glob(filepath.Join(dir, "*.unfinished-*")); len(unfinished) > 0 {
		t.Errorf("%q is left behind", unfinished)
	}
}

func TestABackupOverwritesNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "muster.db"))
	claim(t, s, "exec-1")
	taken := filepath.Join(dir, "taken.db")
	if err := os.WriteFile(taken, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	dangling := filepath.Join(dir, "link.db")
	if err := os.Symlink(filepath.Join(dir, "nowhere"), dangling); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		taken:                              fs.ErrExist,
		dangling:                           fs.ErrExist,
		dir:                                fs.ErrExist,
		filepath.Join(dir, "muster.db"):    fs.ErrExist,
		filepath.Join(dir, "none", "b.db"): fs.ErrNotExist,
	} {
		if b, err := s.Backup(t.Context(), path); !errors.Is(err, want) {
			t.Errorf("%s: got %v, %v; want %v", path, b, err, want)
		}
	}
	if text, err := os.ReadFile(taken); string(text) != "mine" {
		t.Errorf("the file that was there holds %q, %v", text, err)
	}
	if e, err := s.Execution(t.Context(), "exec-1"); err != nil || e.Version != 1 {
		t.Errorf("the store holds %+v, %v", e, err)
	}
}

func TestABackupThatFailsLeavesNothingBehind(t *testing.T) {
	dir, to := t.TempDir(), t.TempDir()
	s := open(t, filepath.Join(dir, "muster.db"))
	claim(t, s, "exec-1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if b, err := s.Backup(ctx, filepath.Join(to, "backup.db")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v; want the context's error", b, err)
	}
	if left, err := os.ReadDir(to); len(left) > 0 || err != nil {
		t.Errorf("%v (%v) is left behind", left, err)
	}
	if _, err := s.Backup(t.Context(), filepath.Join(to, "backup.db")); err != nil {
		t.Errorf("the next one: %v", err)
	}
}
