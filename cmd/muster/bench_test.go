package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/cmd/wiring"
	"muster/recovery"
	"muster/simulator"
	"muster/sqlite"
)

// BenchmarkWave starts waves of servers whose every setting must be written:
// the real SDK over HTTP on loopback, a simulated AWS that takes 30 ms for each
// answer and keeps to EC2's rates, and a store on disk. More than a hundred
// servers are several waves at the same time, in one account and region, so
// that from 200 servers on EC2's buckets are what takes the time.
//
// Beside the time it shows the calls of each kind; memory is the simulator's,
// too.
func BenchmarkWave(b *testing.B) {
	for _, servers := range []int{1, 10, 100, 300} {
		b.Run(fmt.Sprintf("servers=%d", servers), func(b *testing.B) {
			calls := map[string]int{}
			n := 0
			for b.Loop() {
				b.StopTimer()
				w := newBenchWorld(b, servers)
				b.StartTimer()
				w.startAll(b, servers)
				b.StopTimer()
				for _, call := range w.world.Calls() {
					calls[call.Operation]++
					if call.Code != "" {
						b.Fatalf("%s was answered with %s", call.Operation, call.Code)
					}
				}
				w.close()
				n++
				b.StartTimer()
			}
			total := 0
			for _, operation := range slices.Sorted(maps.Keys(calls)) {
				total += calls[operation]
				b.ReportMetric(float64(calls[operation])/float64(n), operation)
			}
			b.ReportMetric(float64(total)/float64(n), "calls")
		})
	}
}

type benchWorld struct {
	world *simulator.World
	house wiring.House
	close func()
}

const (
	benchAccount = "111122223333"
	benchRegion  = "us-west-2"
	benchWave    = 100 // servers in one
)

func benchServer(i int) string { return fmt.Sprintf("s-%017d", i) }

func newBenchWorld(b *testing.B, servers int) benchWorld {
	b.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, `version: 1
accounts:
  "%s":
    roles: [{name: DRSOrchestrationRole, trusts: ["999999999999"]}]
    regions:
      %s:
        subnets: [{id: subnet-0123456789abcdef0, cidr: 10.0.0.0/16}, {id: subnet-0123456789abcdef1, cidr: 10.1.0.0/16}]
        securityGroups: [{id: sg-0123456789abcdef0}]
        servers:
`, benchAccount, benchRegion)
	for i := range servers {
		fmt.Fprintf(&text, "          - {id: %s, hostname: h%d, template: {instanceType: m5.large, subnet: subnet-0123456789abcdef0, securityGroups: [sg-0123456789abcdef0]}}\n", benchServer(i), i)
	}
	fleet, err := simulator.ParseFleet("bench.yaml", []byte(text.String()))
	if err != nil {
		b.Fatal(err)
	}
	world, err := simulator.New(fleet, simulator.Options{Latency: 30 * time.Millisecond})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(world)
	store, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "executions.db"))
	if err != nil {
		b.Fatal(err)
	}
	return benchWorld{
		world: world,
		house: wiring.House{Accounts: wiring.Accounts(local(fleet, server.URL, nil)), Executions: store},
		close: func() { store.Close(); server.Close(); world.Close() },
	}
}

// startAll starts all waves at the same time, each as an invocation of its own.
func (w benchWorld) startAll(b *testing.B, servers int) {
	b.Helper()
	var wait sync.WaitGroup
	for first := 0; first < servers; first += benchWave {
		number := first/benchWave + 1
		wait.Go(func() {
			answer, err := w.house.Handler(func(recovery.ExecutionID, recovery.Event) {}).Invoke(context.Background(), benchEvent(number, first, min(first+benchWave, servers)))
			if err != nil || isRefusal(answer) {
				b.Errorf("wave %d: %s, %v", number, answer, err)
			}
		})
	}
	wait.Wait()
}

func benchEvent(number, from, to int) []byte {
	var list []map[string]any
	for i := from; i < to; i++ {
		list = append(list, map[string]any{"serverId": benchServer(i), "launchConfig": map[string]any{
			"instanceType": "r5.xlarge", "subnet": "subnet-0123456789abcdef1", "securityGroups": []string{"sg-0123456789abcdef0"}, "copyTags": true,
		}})
	}
	event, err := json.Marshal(map[string]any{"action": "start_wave_recovery", "wave_number": number, "state": map[string]any{
		"executionId": "exec-bench", "planId": "rp-bench", "executionType": "DRILL", "currentWave": number,
		"initiatedBy": "bench", "startTime": "2025-01-31T15:30:00Z",
		"accountContext": map[string]any{"accountId": benchAccount, "region": benchRegion, "roleName": "DRSOrchestrationRole"},
		"waves":          []any{map[string]any{"waveNumber": number, "waveName": "Bench", "servers": list}},
	}})
	if err != nil {
		panic(err)
	}
	return event
}
