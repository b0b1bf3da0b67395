package sqlite_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"muster/sqlite"
)

func TestAFileOfOursThatOthersMayUseIsTakenFromThem(t *testing.T) {
	path := filepath.Join(t.TempDir(), "muster.db")
	first := open(t, path) // so that the files beside it stay
	claim(t, first, "exec-1")
	names := []string{path, path + "-wal", path + "-shm"}
	for _, mode := range []fs.FileMode{0o644, 0o660, 0o606, 0o777} {
		for _, name := range names {
			if err := os.Chmod(name, mode); err != nil {
				t.Fatal(err)
			}
		}
		claimed, err := open(t, path).Execution(t.Context(), "exec-1")
		if err != nil || claimed.Version != 1 {
			t.Errorf("mode %o: %v", mode, err)
		}
		for _, name := range names {
			if info, err := os.Stat(name); err != nil || info.Mode().Perm() != mode&0o600 {
				t.Errorf("%s had mode %o, and has %v, %v", filepath.Base(name), mode, info.Mode(), err)
			}
		}
	}
}

func TestAFolderIntoWhichEverybodyMayWriteIsRefused(t *testing.T) {
	elsewhere := filepath.Join(t.TempDir(), "muster.db")
	open(t, elsewhere)
	for _, c := range []struct {
		mode    fs.FileMode
		refused bool
	}{{0o777, true}, {0o702, true}, {0o777 | fs.ModeSticky, false}, {0o775, false}, {0o755, false}} {
		for _, linked := range []bool{false, true} {
			dir := t.TempDir()
			path := filepath.Join(dir, "it's.db")
			if linked {
				if err := os.Symlink(elsewhere, path); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(dir, c.mode); err != nil {
				t.Fatal(err)
			}
			s, err := sqlite.Open(t.Context(), path)
			if err == nil {
				s.Close()
			}
			if (err != nil) != c.refused || c.refused && !strings.Contains(err.Error(), fmt.Sprintf("(mode %04o)", c.mode.Perm())) || c.refused && !strings.Contains(err.Error(), "chmod o-w '"+dir+"'") {
				t.Errorf("mode %v: %v", c.mode, err)
			}
			if _, err := os.Lstat(path); c.refused && !linked && err == nil {
				t.Errorf("mode %v: the file was made", c.mode)
			}
		}
	}
	// What a name leads to counts as well.
	dir := t.TempDir()
	path := filepath.Join(dir, "link.db")
	if err := os.Symlink(elsewhere, path); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(elsewhere), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), filepath.Dir(elsewhere)) {
		t.Errorf("by a link: %v", err)
	}
}

func TestAFileOfSomebodyElseIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("MUSTER_TEST_DISKS") != "" {
			t.Fatal("MUSTER_TEST_DISKS is set, and this is not root: only root can give files away")
		}
		t.Skip("only root can give files away")
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		path := filepath.Join(t.TempDir(), "muster.db")
		claim(t, open(t, path), "exec-1")
		if err := os.Chown(path+suffix, 65534, -1); err != nil {
			t.Fatal(err)
		}
		_, err := sqlite.Open(t.Context(), path)
		want := fmt.Sprintf("%s belongs to user 65534 (mode 0600), who can change what it says, and not to you, user 0: to make it yours, chown 0 '%[1]s' && chmod 600 '%[1]s'", path+suffix)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}

// A pipe would be waited for, for ever.
func TestWhatIsNoRegularFileIsRefused(t *testing.T) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		for kind, put := range map[string]func(string) error{
			"a named pipe": func(path string) error { return syscall.Mkfifo(path, 0o600) },
			"a folder":     func(path string) error { return os.Mkdir(path, 0o700) },
			"a device":     func(path string) error { return os.Symlink("/dev/zero", path) },
		} {
			path := filepath.Join(t.TempDir(), "muster.db")
			if err := put(path + suffix); err != nil {
				t.Fatal(err)
			}
			refused := make(chan error, 1)
			go func() {
				_, err := sqlite.Open(t.Context(), path)
				refused <- err
			}()
			select {
			case err := <-refused:
				if err == nil || !strings.Contains(err.Error(), path+suffix+" is no file, but "+kind) {
					t.Errorf("%s%s: %v", kind, suffix, err)
				}
			case <-time.After(10 * time.Second):
				t.Errorf("%s%s: it is waited for", kind, suffix)
			}
		}
	}
}
