package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// onOwnDisks runs the test again, alone, in a process that may mount disks
// which nobody else sees and which are gone with it, and says whether this is
// that process. MUSTER_TEST_DISKS makes it fail where the system has no
// namespaces for everybody, instead of being skipped.
func onOwnDisks(t *testing.T) bool {
	t.Helper()
	const again = "MUSTER_TEST_ON_OWN_DISKS"
	if os.Getenv(again) == t.Name() {
		if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
			t.Fatal(err)
		}
		return true
	}
	run := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	run.Env = append(os.Environ(), again+"="+t.Name())
	run.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := run.CombinedOutput()
	var ended *exec.ExitError
	switch {
	case err != nil && !errors.As(err, &ended) && os.Getenv("MUSTER_TEST_DISKS") == "":
		t.Skipf("this system gives no namespaces: %v", err)
	case err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()):
		t.Errorf("%v\n%s", err, out)
	default:
		t.Logf("%s", out)
	}
	return false
}

// disk is a small disk of a test's own: a little more than what SQLite lets its
// write-ahead log grow to.
type disk struct {
	t   *testing.T
	dir string
}

func newDisk(t *testing.T) disk {
	t.Helper()
	d := disk{t, t.TempDir()}
	d.mount(0)
	t.Cleanup(func() {
		if err := syscall.Unmount(d.dir, 0); err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d disk) mount(flags uintptr) {
	d.t.Helper()
	if err := syscall.Mount("disk", d.dir, "tmpfs", flags, "size=8m"); err != nil {
		d.t.Fatal(err)
	}
}

// readOnly lets nobody write to the disk, or lets them again.
func (d disk) readOnly(is bool) {
	d.t.Helper()
	flags := uintptr(syscall.MS_REMOUNT)
	if is {
		flags |= syscall.MS_RDONLY
	}
	d.mount(flags)
}

// fill takes all the space that is left.
func (d disk) fill() {
	d.t.Helper()
	f, err := os.OpenFile(d.filler(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		d.t.Fatal(err)
	}
}

// space gives it back.
func (d disk) space() {
	d.t.Helper()
	if err := os.Remove(d.filler()); err != nil {
		d.t.Fatal(err)
	}
}

func (d disk) filler() string { return filepath.Join(d.dir, "filler") }
