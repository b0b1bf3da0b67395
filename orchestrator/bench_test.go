//go:build bench

package orchestrator_test

import (
	"fmt"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"muster/awsdrs"
	"muster/orchestrator"
	"muster/simulator"
)

// TestMeasureStartingWaves prints what starting n servers costs, all of whose
// settings have to be written, in waves of at most 100 at the same time: in
// virtual time with 30 ms for every answer and AWS's rates in force, and in
// real time over HTTP on loopback without them.
func TestMeasureStartingWaves(t *testing.T) {
	fmt.Printf("\n%8s %12s %12s %10s %10s %12s %8s  %s\n", "servers", "round trips", "at AWS's pace", "wall", "memory", "allocations", "calls", "calls by kind")
	for _, n := range []int{1, 10, 100, 300} {
		trips := 0
		if n <= 100 {
			trips = measureTrips(t, n)
		} else {
			trips = measureTrips(t, 100) // of each wave
		}
		pace := measurePace(t, n)
		wall, memory, allocations, calls := measureWall(t, n)
		var kinds []string
		total := 0
		for op, count := range calls {
			kinds = append(kinds, fmt.Sprintf("%s %d", op, count))
			total += count
		}
		slices.Sort(kinds)
		fmt.Printf("%8d %12d %12s %10s %8.1fMB %12d %8d  %s\n", n, trips, pace.Round(10*time.Millisecond), wall.Round(time.Millisecond), memory, allocations, total, strings.Join(kinds, ", "))
	}
}

func measureTrips(t *testing.T, n int) (trips int) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, n, fleet(n, endless, nil), simulator.Options{Latency: answerTime})
		began := time.Now()
		if _, err := h.starter(map[string]awsdrs.Rate{}).StartWave(t.Context(), h.wave); err != nil {
			t.Fatal(err)
		}
		trips = int((time.Since(began) + answerTime - 1) / answerTime)
	})
	return trips
}

func measurePace(t *testing.T, n int) (took time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, n, fleet(n, "", nil), simulator.Options{Latency: answerTime})
		took, _ = h.startAll(h.starter(nil), 100)
	})
	return took
}

func measureWall(t *testing.T, n int) (took time.Duration, megabytes float64, allocations uint64, calls map[string]int) {
	h := open(t, n, fleet(n, endless, nil), simulator.Options{})
	server := httptest.NewServer(h.world)
	defer server.Close()
	cfg := aws.Config{Region: "us-west-2", BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider(caller, "secret", "")}
	o := &orchestrator.Orchestrator{Accounts: awsdrs.New(cfg, awsdrs.Options{Pace: map[string]awsdrs.Rate{}}), Executions: h.store}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	took, _ = h.startAll(o, 100)
	runtime.ReadMemStats(&after)
	calls = map[string]int{}
	for _, c := range h.world.Calls() {
		calls[c.Operation]++
	}
	return took, float64(after.TotalAlloc-before.TotalAlloc) / (1 << 20), after.Mallocs - before.Mallocs, calls
}

// TestMeasureLargePlans prints what whole plans cost, in virtual time: that
// calls and memory grow with the number of servers and no faster.
func TestMeasureLargePlans(t *testing.T) {
	fmt.Printf("\n%8s %8s %12s %10s %14s\n", "servers", "waves", "virtual time", "calls", "memory in all")
	for _, waves := range []int{3, 30} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		took, calls := runLarge(t, waves, 100, 10)
		runtime.ReadMemStats(&after)
		fmt.Printf("%8d %8d %12s %10d %12dMB\n", waves*100, waves, took.Round(time.Second), calls, (after.TotalAlloc-before.TotalAlloc)>>20)
	}
}
