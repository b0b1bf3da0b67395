package main

import (
	"database/sql"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/recovery"
)

// Each trouble with the record's file or disk is made, met by a command, and
// ended: the command says what, where and the way out, nothing is launched, and
// the very same command goes through once the cause is gone.
func TestTroubleWithTheRecordIsToldAndTheSameCommandWorksOnceItIsOver(t *testing.T) {
	if !onOwnDisks(t) {
		return
	}
	release := func() {}
	for name, c := range map[string]struct {
		fresh     bool // there is no record yet
		make, end func(t *testing.T, d disk, record string)
		args      []string
		want      string
	}{
		"the disk is full": {
			make: func(_ *testing.T, d disk, _ string) { d.fill() },
			end:  func(_ *testing.T, d disk, _ string) { d.space() },
			want: "the disk is full: make space, then try again",
		},
		"the disk is full, and there is no record yet": {
			fresh: true,
			make:  func(_ *testing.T, d disk, _ string) { d.fill() },
			end:   func(_ *testing.T, d disk, _ string) { d.space() },
			want:  "the disk is full: make space, then try again",
		},
		"the disk is read-only": {
			make: func(_ *testing.T, d disk, _ string) { d.readOnly(true) },
			end:  func(_ *testing.T, d disk, _ string) { d.readOnly(false) },
			want: "the file, those beside it (-wal, -shm), its folder or its disk is read-only: make them all writable for this user, or choose another file",
		},
		"the disk is read-only, and there is no record yet": {
			fresh: true,
			make:  func(_ *testing.T, d disk, _ string) { d.readOnly(true) },
			end:   func(_ *testing.T, d disk, _ string) { d.readOnly(false) },
			want:  "the file, those beside it (-wal, -shm), its folder or its disk is read-only: make them all writable for this user, or choose another file",
		},
		"another process holds the lock": {
			make: func(t *testing.T, _ disk, record string) {
				other, err := sql.Open("sqlite", record)
				if err != nil {
					t.Fatal(err)
				}
				other.SetMaxOpenConns(1)
				if _, err := other.Exec("BEGIN IMMEDIATE"); err != nil {
					t.Fatal(err)
				}
				release = func() { other.Close() }
			},
			end:  func(*testing.T, disk, string) { release() },
			args: []string{"--timeout", "7s"}, // else it waits for a quarter of a minute
			want: "waiting for other writers",
		},
		"it is another file": {
			make: func(t *testing.T, _ disk, record string) {
				move(t, record, record+".mine")
				if err := os.WriteFile(record, []byte(strings.Repeat("not a database\n", 100)), 0o600); err != nil {
					t.Fatal(err)
				}
			},
			end:  func(t *testing.T, _ disk, record string) { move(t, record+".mine", record) },
			want: "the file is not a SQLite database: choose another file",
		},
		"it is of a newer version": {
			make: func(t *testing.T, _ disk, record string) { setSchema(t, record, "+ 1") },
			end:  func(t *testing.T, _ disk, record string) { setSchema(t, record, "- 1") },
			want: "it was written by a newer version of Muster",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			aws, d := t.TempDir(), newDisk(t)
			s := start(t, "simulate", "--fleet", "specification", "--listen", "127.0.0.1:0", "--data", aws)
			invoke := []string{"invoke", "--fleet", "specification", "--endpoint", s.url, "--data", d.dir}
			record := filepath.Join(d.dir, recordFile)
			if !c.fresh {
				earlier := strings.Replace(example(t, "complete-example.wave-1.json"), `"exec-123"`, `"exec-earlier"`, 1)
				earlier = strings.Replace(earlier, `"subnet-db"`, `"subnet-none"`, 1) // refused: nothing is launched
				if code, _, stderr := muster(t, earlier, invoke...); code != exitRefused {
					t.Fatalf("exit code %d: %s", code, stderr)
				}
			}
			c.make(t, d, record)
			code, answer, stderr := muster(t, example(t, "complete-example.wave-1.json"), append(invoke, c.args...)...)
			if code != exitFailure || answer != "" || !strings.Contains(stderr, c.want) || !strings.Contains(stderr, record) {
				t.Errorf("exit code %d, want %d and words with %q and %s:\n%s%s", code, exitFailure, c.want, record, answer, stderr)
			}
			if n := launches(t, aws); n != 0 {
				t.Errorf("%d jobs were started", n)
			}
			c.end(t, d, record)
			code, answer, stderr = muster(t, example(t, "complete-example.wave-1.json"), invoke...)
			if want := example(t, "complete-example.wave-1.golden.json"); code != exitDone || answer != want {
				t.Errorf("once it is over: exit code %d, %s%s", code, answer, stderr)
			}
			if n := launches(t, aws); n != 1 {
				t.Errorf("%d jobs were started, want 1", n)
			}
		})
	}
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func setSchema(t *testing.T, record, change string) {
	t.Helper()
	db, err := sql.Open("sqlite", record)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var next int
	if err := db.QueryRow("SELECT user_version " + change + " FROM pragma_user_version").Scan(&next); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(fmt.Sprintf("PRAGMA user_version = %d", next)); err != nil {
		t.Fatal(err)
	}
}

// launches counts the launch jobs in the journal of a simulated AWS.
func launches(t *testing.T, aws string) int {
	t.Helper()
	journal, err := os.ReadFile(filepath.Join(aws, "simulator.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(journal), `"service":"drs","operation":"StartRecovery"`)
}

// The record's disk becomes full while a drill runs: it ends and says so, and
// is gone on with to the same end, nothing launched twice.
// Who kills a driver and resumes at once may be its parent, which has not heard
// of its end yet.
func TestADriverThatWasKilledIsGoneBeforeItsParentHears(t *testing.T) {
	killed := osexec.Command("sleep", "60")
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	defer killed.Wait()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	d := recovery.Driver{Where: fmt.Sprintf("pid %d on %s", killed.Process.Pid, host)}
	if processGone(d) {
		t.Error("it is taken for gone while it runs")
	}
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); !processGone(d); {
		if time.Since(began) > 10*time.Second {
			t.Fatal("it is not taken for gone once it was killed")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestADrillWhoseDiskIsFullEndsAndIsResumed(t *testing.T) {
	if !onOwnDisks(t) {
		return
	}
	aws, d := t.TempDir(), newDisk(t)
	plan := filepath.Join(t.TempDir(), "plan.yaml")
	if err := os.WriteFile(plan, []byte(gatedShop), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, "simulate", "--listen", "127.0.0.1:0", "--data", aws, "--speed", "300")
	where := []string{"--endpoint", s.url, "--data", d.dir}
	how := append([]string{"-q", "--answer", "PAUSE_BEFORE_WAVE=resume"}, where...)
	type ending struct {
		code   int
		stderr string
	}
	ended := make(chan ending)
	go func() {
		code, _, stderr := muster(t, "", append([]string{"drill", plan, "--execution", "exec-1", "--poll", "1s"}, how...)...)
		ended <- ending{code, stderr}
	}()
	for launches(t, aws) == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	d.fill()
	const full, goOn = "the disk is full: make space, then try again", "to go on: muster resume exec-1"
	if e := <-ended; e.code != exitFailure || !strings.Contains(e.stderr, full) || !strings.Contains(e.stderr, goOn) {
		t.Errorf("exit code %d, want %d, the cause and the way on: %s", e.code, exitFailure, e.stderr)
	}
	backup := append([]string{"backup", filepath.Join(d.dir, "backup.db")}, where...)
	if code, _, stderr := muster(t, "", backup...); code != exitFailure || !strings.Contains(stderr, full) {
		t.Errorf("a backup to the full disk: exit code %d: %s", code, stderr)
	}
	if left, err := filepath.Glob(filepath.Join(d.dir, "backup*")); len(left) > 0 || err != nil {
		t.Errorf("the backup left %q behind", left)
	}
	if n := launches(t, aws); n != 1 {
		t.Errorf("%d jobs were started, want 1", n)
	}
	d.space()
	if code, stdout, stderr := muster(t, "", append([]string{"resume", "exec-1"}, how...)...); code != exitDone || !strings.Contains(stdout, string(recovery.OutcomeCompleted)) {
		t.Errorf("once there is space: exit code %d: %s%s", code, stdout, stderr)
	}
	if n := launches(t, aws); n != 2 {
		t.Errorf("%d jobs were started, want 2", n)
	}
	if code, stdout, stderr := muster(t, "", backup...); code != exitDone {
		t.Errorf("the backup, once there is space: exit code %d: %s%s", code, stdout, stderr)
	}
}
