package sqlite_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestAKilledProcessLosesNothingThatWasCommitted runs itself as a process that
// commits, and tells after each commit, until it is killed.
func TestAKilledProcessLosesNothingThatWasCommitted(t *testing.T) {
	if path := os.Getenv("SQLITE_TEST_KILLED"); path != "" {
		s := open(t, path)
		for n := 1; ; n++ {
			claim(t, s, "exec-1")
			fmt.Println(n)
		}
	}
	path := filepath.Join(t.TempDir(), "muster.db")
	told := int64(0)
	for range 3 {
		run := exec.Command(os.Args[0], "-test.run=^TestAKilledProcessLosesNothingThatWasCommitted$")
		run.Env = append(os.Environ(), "SQLITE_TEST_KILLED="+path)
		out, err := run.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Start(); err != nil {
			t.Fatal(err)
		}
		commits := bufio.NewScanner(out)
		for n := 0; commits.Scan(); n++ {
			told++
			if n == 20 {
				if err := run.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		run.Wait() // it was killed

		s := open(t, path)
		e, err := s.Execution(t.Context(), "exec-1")
		if err != nil {
			t.Fatal(err)
		}
		log, err := s.Events(t.Context(), "exec-1")
		if err != nil {
			t.Fatal(err)
		}
		if e.Version != told && e.Version != told+1 {
			t.Errorf("%d commits were told, and the version is %d", told, e.Version)
		}
		if int64(len(log)) != e.Version || e.CheckLog(log) != nil {
			t.Errorf("version %d has %d events: %v", e.Version, len(log), e.CheckLog(log))
		}
		told = e.Version
	}
}
