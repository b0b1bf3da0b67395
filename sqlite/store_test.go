package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/recovery"
	"muster/recoverytest"
	"muster/sqlite"

	"go.uber.org/goleak"
)

func TestKeepsThePromisesOfAnExecutionStore(t *testing.T) {
	recoverytest.Executions(t, func(t *testing.T) func() recovery.ExecutionStore {
		path := filepath.Join(t.TempDir(), "muster.db")
		return func() recovery.ExecutionStore { return open(t, path) }
	})
}

// What happens in virtual time works in a bubble, two processes included, and
// leaves nothing behind that would keep the bubble from ending.
func TestWorksInABubbleOfVirtualTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "muster.db")
	synctest.Test(t, func(t *testing.T) {
		a, b := open(t, path), open(t, path)
		began := time.Now()
		var wait sync.WaitGroup
		for i := range 20 {
			wait.Go(func() {
				time.Sleep(time.Duration(i%3) * time.Minute)
				increment(t, []*sqlite.Store{a, b}[i%2], "exec-1")
			})
		}
		wait.Wait()
		if e, err := a.Execution(t.Context(), "exec-1"); err != nil || e.Version != 20 {
			t.Errorf("got %+v, %v; want version 20", e, err)
		}
		if passed := time.Since(began); passed > 3*time.Minute {
			t.Errorf("%v of virtual time passed", passed)
		}
	})
}

func TestCloseLeavesNothingRunning(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "muster.db"))
	if err != nil {
		t.Fatal(err)
	}
	claim(t, s, "exec-1")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestSeveralProcessesShareTheFile runs itself as processes that open a file
// that is not there yet, all at once, and write into one execution.
func TestSeveralProcessesShareTheFile(t *testing.T) {
	const processes, each = 6, 15
	if path := os.Getenv("SQLITE_TEST_SHARED"); path != "" {
		s := open(t, path)
		for range each {
			increment(t, s, "exec-1")
		}
		return
	}
	path := filepath.Join(t.TempDir(), "new", "muster.db")
	var wait sync.WaitGroup
	for range processes {
		wait.Go(func() {
			run := exec.Command(os.Args[0], "-test.run=^TestSeveralProcessesShareTheFile$")
			run.Env = append(os.Environ(), "SQLITE_TEST_SHARED="+path)
			if out, err := run.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	wait.Wait()
	s := open(t, path)
	e, err := s.Execution(t.Context(), "exec-1")
	if err != nil || e.Version != processes*each {
		t.Errorf("got %+v, %v; want version %d", e, err, processes*each)
	}
	log, err := s.Events(t.Context(), "exec-1")
	if err != nil || len(log) != processes*each || e.CheckLog(log) != nil {
		t.Errorf("got %d events, %v, chained %v; want %d", len(log), err, e.CheckLog(log), processes*each)
	}
}

// BenchmarkCommit measures durable commits: of a claim as it is renewed, with
// an event.
func BenchmarkCommit(b *testing.B) {
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "muster.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	e := start.NewExecution()
	for b.Loop() {
		c := change(e)
		if err := s.Commit(b.Context(), c); err != nil {
			b.Fatal(err)
		}
		*e = c.Execution
		e.Version++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}

func BenchmarkExecution(b *testing.B) {
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "muster.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if err := s.Commit(b.Context(), change(start.NewExecution())); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Execution(b.Context(), start.Execution); err != nil {
			b.Fatal(err)
		}
	}
}

var (
	at    = time.Date(2026, 2, 3, 4, 5, 6, 789012345, time.UTC)
	start = recovery.WaveStart{
		Execution: "exec-1", Plan: "rp-456", Type: recovery.Drill, StartTime: "2026-02-03T04:05:06Z", InitiatedBy: "user@example.com",
		Wave: recovery.Wave{Number: 1, Servers: []recovery.Server{{ID: "s-1"}}, Account: recovery.AccountContext{AccountID: "123456789012", Region: "us-east-1"}},
	}
)

func change(e *recovery.Execution) recovery.Change {
	return e.With(start.NewAttempt().Take("token-1", at), &recovery.Event{At: at, Kind: recovery.EventClaimed, Message: "starting wave 1"})
}

func open(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// try commits one change, decided on what it reads.
func try(t *testing.T, s *sqlite.Store, id recovery.ExecutionID) error {
	e, err := s.Execution(t.Context(), id)
	if err != nil {
		return err
	}
	if e.Version == 0 {
		e = start.NewExecution()
		e.ID = id
	}
	return s.Commit(t.Context(), change(e))
}

func claim(t *testing.T, s *sqlite.Store, id recovery.ExecutionID) {
	t.Helper()
	if err := try(t, s, id); err != nil {
		t.Fatal(err)
	}
}

func increment(t *testing.T, s *sqlite.Store, id recovery.ExecutionID) {
	for {
		err := try(t, s, id)
		if err == nil {
			return
		}
		if !errors.Is(err, recovery.ErrStale) {
			t.Error(fmt.Errorf("incrementing: %w", err))
			return
		}
	}
}
