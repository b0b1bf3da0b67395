package simulator_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"muster/simulator"
)

func TestTheJournalIsItsOwnersAlone(t *testing.T) {
	fleet, err := simulator.LoadFleet(simulator.DefaultFleet)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "simulator.jsonl")
	begin := func() error {
		w, err := simulator.New(fleet, simulator.Options{Journal: path})
		if err == nil {
			err = w.Close()
		}
		return err
	}
	chmod := func(name string, mode os.FileMode) {
		t.Helper()
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := begin(); err != nil {
		t.Fatal(err)
	}
	chmod(path, 0o666)
	if err := begin(); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may use it: %v, %v", info.Mode(), err)
	}
	chmod(dir, 0o777)
	if err := begin(); err == nil || !strings.Contains(err.Error(), "everybody may write into the folder of "+path+" (mode 0777)") {
		t.Errorf("in a folder for everybody: %v", err)
	}
	chmod(dir, 0o777|os.ModeSticky)
	if err := begin(); err != nil {
		t.Error(err)
	}
	if os.Geteuid() != 0 {
		if os.Getenv("MUSTER_TEST_DISKS") != "" {
			t.Fatal("MUSTER_TEST_DISKS is set, and this is not root: only root can give files away")
		}
		t.Skip("only root can give files away")
	}
	if err := os.Chown(path, 65534, -1); err != nil {
		t.Fatal(err)
	}
	if err := begin(); err == nil || !strings.Contains(err.Error(), path+" belongs to user 65534 (mode 0600)") {
		t.Errorf("of somebody else: %v", err)
	}
}

// A pipe would be waited for, for ever.
func TestAJournalThatIsNoRegularFileIsRefused(t *testing.T) {
	fleet, err := simulator.LoadFleet(simulator.DefaultFleet)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "simulator.jsonl")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	refused := make(chan [2]error, 1)
	go func() {
		_, begun := simulator.New(fleet, simulator.Options{Journal: path})
		_, looked := simulator.JournalIdentity(path)
		refused <- [2]error{begun, looked}
	}()
	select {
	case errs := <-refused:
		for _, err := range errs {
			if err == nil || !strings.Contains(err.Error(), path+" is no file") {
				t.Errorf("got %v", err)
			}
		}
	case <-time.After(10 * time.Second):
		t.Error("it is waited for")
	}
}
