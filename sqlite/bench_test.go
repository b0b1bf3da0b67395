package sqlite_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"muster/recovery"
	"muster/sqlite"
)

// A large execution: 3,000 servers in 30 waves.
func large(id recovery.ExecutionID) (*recovery.Execution, *recovery.Plan) {
	p := &recovery.Plan{ID: recovery.PlanID("rp-" + id)}
	for n := 1; n <= 30; n++ {
		w := recovery.PlannedWave{Wave: recovery.Wave{Number: n, Name: fmt.Sprint("Wave ", n), Group: "pg-1", Account: start.Wave.Account}}
		for i := range recovery.MostServers {
			w.Servers = append(w.Servers, recovery.Server{ID: recovery.SourceServerID(fmt.Sprintf("s-%017d", n*1000+i)), Hostname: fmt.Sprintf("host-%d.example.com", i),
				LaunchConfig: recovery.LaunchConfig{recovery.InstanceType: "r5.xlarge", recovery.SecurityGroups: []string{"sg-0123456789abcdef0"}, recovery.CopyTags: true}})
		}
		p.Waves = append(p.Waves, w)
	}
	return &recovery.Execution{ID: id, Plan: p.ID, Type: recovery.Drill, StartTime: start.StartTime, Waves: p.Records()}, p
}

// BenchmarkOpen measures the commit that opens a large execution, its plan
// included.
func BenchmarkOpen(b *testing.B) {
	s := opened(b)
	n := 0
	for b.Loop() {
		n++
		e, p := large(recovery.ExecutionID(fmt.Sprint("exec-", n)))
		c := e.WithEvent(recovery.Event{At: at, Kind: recovery.EventNote})
		c.Frozen = p
		must(b, s.Commit(b.Context(), c))
	}
}

// BenchmarkLarge measures what happens all the time in a large execution of
// which every wave was polled: reading it, and recording another poll.
func BenchmarkLarge(b *testing.B) {
	s := opened(b)
	e, p := large("exec-1")
	c := e.WithEvent(recovery.Event{At: at, Kind: recovery.EventNote})
	c.Frozen = p
	must(b, s.Commit(b.Context(), c))
	for _, w := range p.Waves {
		e, err := s.Execution(b.Context(), "exec-1")
		must(b, err)
		a := recovery.Attempt{Wave: w.Number, Attempt: 1, State: recovery.Started, JobID: "drsjob-1", Servers: w.ServerIDs(), Accepted: w.ServerIDs()}
		for _, id := range a.Servers {
			a.Outcomes = append(a.Outcomes, recovery.ServerOutcome{Server: id, Status: "LAUNCHED", Instance: "i-0123456789abcdef0"})
		}
		must(b, s.Commit(b.Context(), e.With(a, nil)))
	}
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			_, err := s.Execution(b.Context(), "exec-1")
			must(b, err)
		}
	})
	b.Run("plan", func(b *testing.B) {
		for b.Loop() {
			_, err := s.Plan(b.Context(), "exec-1")
			must(b, err)
		}
	})
	e, err := s.Execution(b.Context(), "exec-1")
	must(b, err)
	b.Run("poll", func(b *testing.B) {
		for b.Loop() {
			a := e.Attempts[0]
			a.EndedAt = a.EndedAt.Add(time.Second)
			c := e.With(a, &recovery.Event{At: at, Kind: recovery.EventNote})
			must(b, s.Commit(b.Context(), c))
			e.Version++
			e.LastEvent = c.Execution.LastEvent
		}
	})
}

// BenchmarkExecutions lists the newest 50 of 500 executions.
func BenchmarkExecutions(b *testing.B) {
	s := opened(b)
	for n := range 500 {
		e, _ := large(recovery.ExecutionID(fmt.Sprint("exec-", n)))
		must(b, s.Commit(b.Context(), e.WithEvent(recovery.Event{At: at, Kind: recovery.EventNote})))
	}
	for b.Loop() {
		_, err := s.Executions(b.Context(), 50)
		must(b, err)
	}
}

func opened(b *testing.B) *sqlite.Store {
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "muster.db"))
	must(b, err)
	b.Cleanup(func() { s.Close() })
	return s
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
