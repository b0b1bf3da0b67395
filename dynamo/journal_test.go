package dynamo_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"muster/dynamo"
	"muster/dynamotest"
	"muster/stepfunctions"
)

var _ stepfunctions.Journal = (*dynamo.Store)(nil)

func TestAJournalTakesEachNumberOnceAndWithoutGaps(t *testing.T) {
	d := dynamotest.New()
	a := create(t, d.Config(), "executions")
	b := dynamo.New(d.Config(), "executions")
	if got, err := a.Entries(t.Context(), "exec-1"); err != nil || len(got) != 0 {
		t.Fatalf("got %q, %v; want nothing", got, err)
	}
	first := `{ "a":1.0}`
	if err := a.Append(t.Context(), "exec-1", 1, []byte(first)); err != nil {
		t.Fatal(err)
	}
	if err := b.Append(t.Context(), "exec-1-r2", 1, []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 0, -1, 3} {
		if err := b.Append(t.Context(), "exec-1", n, []byte(first)); err == nil || !strings.Contains(err.Error(), "another process drives this execution") {
			t.Errorf("entry %d: got %v", n, err)
		}
	}
	var wait sync.WaitGroup
	errs := make([]error, 10)
	for i := range errs {
		wait.Go(func() {
			errs[i] = []*dynamo.Store{a, b}[i%2].Append(t.Context(), "exec-1", 2, []byte(fmt.Sprint(i)))
		})
	}
	wait.Wait()
	kept := 0
	for _, err := range errs {
		if err == nil {
			kept++
		}
	}
	got, err := b.Entries(t.Context(), "exec-1")
	if kept != 1 || err != nil || len(got) != 2 || string(got[0]) != first {
		t.Errorf("%d were kept, and the journal is %q, %v; want one, and %q before it", kept, got, err, first)
	}
}
