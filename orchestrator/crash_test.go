package orchestrator_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// undisturbed runs the story as it goes when nothing disturbs it.
func (s story) undisturbed(t *testing.T, newShelf func(testing.TB) shelf) (r *run) {
	synctest.Test(t, func(t *testing.T) {
		r = &run{t: t, h: s.open(t, newShelf), completed: map[string]bool{}, runs: map[string]*machineRun{}}
		s.play(r)
		r.check()
	})
	return r
}

// disturbed runs the story with one disturbance, and holds it to the run that
// had none.
func (s story) disturbed(t *testing.T, newShelf func(testing.TB) shelf, at point, want *run) {
	synctest.Test(t, func(t *testing.T) {
		r := &run{t: t, h: s.open(t, newShelf), at: at, completed: map[string]bool{}, runs: map[string]*machineRun{}}
		s.play(r)
		r.check()
		if t.Failed() {
			return
		}
		r.wantAnswersOf(want, at.delivery)
		r.wantAnswersOf(want, 0)
		if diff := cmp.Diff(want.record, r.record); diff != "" {
			t.Errorf("the record differs from that of an undisturbed run (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want.log, r.log); diff != "" {
			t.Errorf("the log differs from that of an undisturbed run (-want +got):\n%s", diff)
		}
	})
}

// wantAnswersOf wants a delivery, counted from 1, or the last one for 0, to have
// been answered as in an undisturbed run.
func (r *run) wantAnswersOf(want *run, n int) {
	r.t.Helper()
	in := func(r *run) delivery { return r.past[(n-1+len(r.past))%len(r.past)] }
	for i, got := range in(r).answers {
		want, got, skew := want.names.like(in(want).answers[0].text), r.names.like(got.text), got.skew
		if skew != 0 { // to a clock that is ahead, what is waited for may be over
			for _, answer := range []any{want, got} {
				if state, is := answer.(map[string]any); is {
					delete(state, "nextStep")
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			r.t.Errorf("answer %d to %s differs from that of an undisturbed run (-want +got):\n%s", i+1, in(r).name, diff)
		}
	}
}

func TestDisturbedAtAnyCallEveryActionEndsAsIfNothingHadBeen(t *testing.T) {
	disturbEverywhere(t, inFile, true)
}

func TestDisturbedAtAnyRequestToDynamoDBEveryActionEndsAsIfNothingHadBeen(t *testing.T) {
	disturbEverywhere(t, inTable, false)
}

// disturbEverywhere disturbs each story at the calls of every delivery that is
// not like another one before: all of them, or where it is not asked for every
// point, at a sample, but for stories that are to be disturbed whole.
func disturbEverywhere(t *testing.T, newShelf func(testing.TB) shelf, whole bool) {
	sample := sample{}
	points, calls := 0, 0
	var kinds []string
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			want := s.undisturbed(t, newShelf)
			for i, d := range want.past {
				if slices.Contains(kinds, d.kind()) {
					continue
				}
				kinds = append(kinds, d.kind())
				calls += len(d.calls)
				for _, at := range d.points(i + 1) {
					if !everyPoint && !(whole && s.whole) && !sample.takes(d, at) {
						continue
					}
					points++
					t.Run(fmt.Sprintf("%s, %s", d.name, at), func(t *testing.T) {
						t.Parallel()
						s.disturbed(t, newShelf, at, want)
					})
				}
			}
		})
	}
	t.Logf("%d points at %d calls of %d kinds of deliveries", points, calls, len(kinds))
	least := 100
	switch {
	case everyPoint:
		least = 900
	case whole:
		least = 230
	}
	if points < least || calls < 180 {
		t.Errorf("only %d points at %d calls were found: the recorded runs are not whole", points, calls)
	}
}

// points gives all points of a delivery, the nth of its run: before and after
// the effect of every call, and with its answer lost; delivered again once,
// and twice at once. A call that only reads has no effect to be killed after.
func (d delivery) points(n int) (all []point) {
	for _, stop := range d.calls {
		for _, how := range []disturbance{killedBefore, killedAfter, answerLost} {
			if how == killedAfter && stop.reads() {
				continue
			}
			all = append(all, point{n, stop, how, 1}, point{n, stop, how, 2})
		}
	}
	return all
}

// A sample of all points: of the calls that an action makes, in whichever
// circumstances, each once, delivered again now once and now twice.
type sample map[string]int

func (s sample) takes(d delivery, at point) bool {
	about := d.name + at.stop.what()
	if !at.stop.reads() {
		about += string(at.how)
	}
	s[about]++
	again := 1 + len(s)%2
	return s[about] == again
}
