package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/sqlite"
	"muster/stepfunctions"
)

var _ stepfunctions.Journal = (*sqlite.Store)(nil)

func TestAJournalKeepsEntriesInTheirOrderByteForByte(t *testing.T) {
	path := filepath.Join(t.TempDir(), "muster.db")
	s := open(t, path)
	if got, err := s.Entries(t.Context(), "exec-1"); err != nil || len(got) != 0 {
		t.Fatalf("got %q, %v; want nothing", got, err)
	}
	for _, e := range []struct {
		execution string
		n         int
		entry     string
	}{{"exec-1", 1, `{ "a":1.0}`}, {"exec-2", 1, `{}`}, {"exec-1", 2, "\"<é>\\u0000\"\n"}} {
		if err := s.Append(t.Context(), e.execution, e.n, []byte(e.entry)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := open(t, path).Entries(t.Context(), "exec-1") // another process
	if want := fmt.Sprintf("%q", []string{`{ "a":1.0}`, "\"<é>\\u0000\"\n"}); err != nil || fmt.Sprintf("%q", got) != want {
		t.Errorf("got %q, %v; want %s", got, err, want)
	}
}

func TestAJournalTakesEachNumberOnceAndWithoutGaps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "muster.db")
	a, b := open(t, path), open(t, path)
	if err := a.Append(t.Context(), "exec-1", 1, []byte(`"a"`)); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 0, -1, 3} {
		if err := b.Append(t.Context(), "exec-1", n, []byte(`"b"`)); err == nil || !strings.Contains(err.Error(), "another process drives this execution") {
			t.Errorf("entry %d: got %v", n, err)
		}
	}
	var wait sync.WaitGroup
	errs := make([]error, 10)
	for i := range errs {
		wait.Go(func() {
			errs[i] = []*sqlite.Store{a, b}[i%2].Append(t.Context(), "exec-1", 2, []byte(fmt.Sprint(i)))
		})
	}
	wait.Wait()
	kept := 0
	for _, err := range errs {
		if err == nil {
			kept++
		}
	}
	if got, err := a.Entries(t.Context(), "exec-1"); kept != 1 || err != nil || len(got) != 2 {
		t.Errorf("%d of ten were kept: %q, %v", kept, got, err)
	}
}

func TestAnExecutionGoesOnFromItsJournalInTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "muster.db")
	m, err := stepfunctions.Load([]byte(`{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 3600, "Next": "B"}, "B": {"Type": "Succeed"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		e := stepfunctions.Execution{Name: "exec-1", Input: []byte(`{"n": 1.0}`)}
		if _, err := m.Run(ctx, e, stepfunctions.Options{Journal: open(t, path)}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		out, err := m.Run(t.Context(), e, stepfunctions.Options{Journal: open(t, path)})
		if err != nil || string(out) != `{"n": 1.0}` || time.Since(began) != time.Hour {
			t.Errorf("got %s, %v after %v", out, err, time.Since(began))
		}
	})
}
