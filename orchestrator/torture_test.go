package orchestrator_test

import (
	"flag"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	tortureSeeds = flag.Uint64("torture.seeds", usualSeeds, "how many random schedules are played")
	tortureFirst = flag.Uint64("torture.first", 1, "the first of their seeds")
	tortureSeed  = flag.Uint64("torture.seed", 0, "the one seed that is played, twenty times; 0: none")
)

// replays is how often one seed is played to see that it goes the same way
// each time.
const replays = 20

// mostFailures is how many seeds may fail before no more are played.
const mostFailures = 5

// Whole executions, from begin_execution to the end, by the deployed state
// machine and the function's own events, under everything that may go wrong.
// make torture plays thousands.
func TestRandomSchedulesKeepEveryPromise(t *testing.T) {
	if *tortureSeed != 0 {
		replay(t, *tortureSeed)
		return
	}
	began := time.Now()
	var next atomic.Uint64
	var enough atomic.Bool
	var mu sync.Mutex
	seen, failed := map[string]int{}, map[uint64]verdict{}
	workers := runtime.GOMAXPROCS(0)
	t.Run("workers", func(t *testing.T) {
		for w := range workers {
			t.Run(fmt.Sprint(w+1), func(t *testing.T) {
				t.Parallel()
				for {
					n := next.Add(1) - 1
					if n >= *tortureSeeds || enough.Load() {
						return
					}
					seed := *tortureFirst + n
					v := play(t, scheduleOf(seed))
					mu.Lock()
					for what, times := range v.seen {
						seen[what] += times
					}
					if len(v.problems) > 0 {
						failed[seed] = v
						fmt.Printf("seed %d fails: %s\n", seed, v.problems[0])
						enough.Store(len(failed) >= mostFailures)
					}
					if n > 0 && n%1000 == 0 {
						fmt.Printf("%d schedules, %.1f per second, %d failed\n", n, float64(n)/time.Since(began).Seconds(), len(failed))
					}
					mu.Unlock()
				}
			})
		}
	})
	for _, seed := range slices.Sorted(maps.Keys(failed)) {
		shrink(t, seed)
	}
	if !testing.Verbose() {
		return
	}
	took := time.Since(began)
	fmt.Printf("%d schedules from seed %d on in %s on %d processors: %.1f per second, %d failed\n",
		*tortureSeeds, *tortureFirst, took.Round(time.Second), workers, float64(*tortureSeeds)/took.Seconds(), len(failed))
	for _, what := range slices.Sorted(maps.Keys(seen)) {
		fmt.Printf("%10d  %s\n", seen[what], what)
	}
}

// shrink leaves out of a failing schedule one mishap after the other, as long
// as it still fails, and tells what is left.
func shrink(t *testing.T, seed uint64) {
	t.Helper()
	s := scheduleOf(seed)
	v := play(t, s)
	for again := true; again; {
		again = false
		for i := len(s.mishaps) - 1; i >= 0; i-- {
			smaller := s
			smaller.mishaps = slices.Delete(slices.Clone(s.mishaps), i, i+1)
			if w := play(t, smaller); len(w.problems) > 0 {
				s, v, again = smaller, w, true
			}
		}
	}
	t.Errorf("seed %d:\n  %s\nWhat it takes (%s, %s store, poll %s):\n%s\nThe event log:\n  %s\nAgain: make torture SEED=%d",
		seed, strings.Join(v.problems, "\n  "), s.kind, s.store, s.poll, s.told(), strings.Join(v.log, "\n  "), seed)
}

// told tells of a schedule.
func (s *schedule) told() string {
	var lines []string
	for i := range s.plan.Waves {
		w := &s.plan.Waves[i]
		lines = append(lines, fmt.Sprintf("  wave %d: servers %v, depends on %v, independent %v, gate %v, on failure %s, timeout %s",
			w.Number, w.ServerIDs(), w.DependsOn, w.Independent, w.PauseBefore, w.OnFailure, w.TimeLimit()))
	}
	for _, m := range s.mishaps {
		lines = append(lines, "  "+m.String())
	}
	return strings.Join(lines, "\n")
}

// replay plays one seed again and again.
func replay(t *testing.T, seed uint64) {
	failures, digests := 0, map[string]int{}
	for range replays {
		v := play(t, scheduleOf(seed))
		digests[v.digest]++
		if len(v.problems) > 0 {
			failures++
		}
	}
	fmt.Printf("seed %d: %d of %d replays fail; they went %d different ways\n", seed, failures, replays, len(digests))
	if failures > 0 {
		shrink(t, seed)
	}
}

// A seed means the same run again: the same calls at the same times, the same
// log, the same answers.
func TestASeedPlaysTheSameEveryTime(t *testing.T) {
	for seed := *tortureFirst; seed < *tortureFirst+min(*tortureSeeds, 100)/5; seed++ {
		s := scheduleOf(seed)
		want := play(t, s).digest
		for range 2 {
			if got := play(t, s).digest; got != want {
				t.Errorf("seed %d went another way", seed)
			}
		}
	}
}
