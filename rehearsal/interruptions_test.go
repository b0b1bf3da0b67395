//go:build rehearsal

package rehearsal_test

import (
	"strings"
	"testing"

	"muster/stepfunctions"
)

// interrupt plays every way in which Step Functions ends a run that is not at
// its end, each while a job runs: the execution is told as interrupted, with
// the job, and goes on by one operation, in a run of its own.
func interrupt(t *testing.T, p *person) {
	c := p.cloud
	large := []byte(`"` + strings.Repeat("x", stepfunctions.LimitBytes) + `"`)
	for _, way := range []struct {
		name   string // and the execution's id
		t      trouble
		status string
		why    string
	}{
		{"stopped", trouble{end: statusAborted}, statusAborted, ""},
		{"timed-out", trouble{end: statusTimedOut}, statusTimedOut, ""},
		{"failed-in-a-state", trouble{answer: []byte(`"no answer of ours"`)}, statusFailed, stepfunctions.ResultPathMatchFailure},
		{"over-the-data-limit", trouble{answer: large}, statusFailed, stepfunctions.DataLimitExceeded},
	} {
		if !t.Run(way.name, func(t *testing.T) {
			id := "exec-" + way.name
			before := c.jobs()
			c.machine.befall(id, way.t)
			p.do(t, "start_execution", map[string]any{"planId": "rp-queues", "executionType": "DRILL", "executionId": id})
			p.hears(t, id, "was interrupted", "run "+id+", which drove it, ended: "+way.status, "muster resume "+id+" --function "+c.function.name)
			if got, failure := c.machine.ended(id); got != way.status || !strings.Contains(failure, way.why) {
				t.Errorf("the run ended %s (%s), want %s by %s", got, failure, way.status, way.why)
			}
			a := p.look(t, id)
			if a.State != "INTERRUPTED" || len(a.Decisions) != 1 || a.Decisions[0].Reason != "INTERRUPTED" || a.Waves[0].Status != "STARTED" || a.Waves[0].JobID == "" {
				t.Fatalf("got %+v, want it INTERRUPTED, with its job that runs", a)
			}
			resumed := p.do(t, "resume", map[string]any{"executionId": id})
			if !resumed.Started || resumed.Run != id+"-r2" {
				t.Fatalf("resume came to %+v, want the run %s-r2 started", resumed, id)
			}
			c.until(t, "the end of the run "+id+"-r2", func() (string, bool) {
				status := c.machine.status(id + "-r2")
				return status, status != statusRunning
			})
			if a = p.look(t, id); a.State != "COMPLETED" || c.machine.status(id+"-r2") != statusSucceeded {
				t.Fatalf("resumed, it came to %+v and its run to %s, want COMPLETED and SUCCEEDED", a, c.machine.status(id+"-r2"))
			}
			if jobs := c.jobs() - before; jobs != 1 {
				t.Errorf("%d jobs were started, want one", jobs)
			}
			say("%s: told as INTERRUPTED with job %s, resumed by %s to COMPLETED.", id, a.Waves[0].JobID, resumed.Run)
			p.cleansUp(t, id)
		}) {
			return // its plan is taken
		}
	}
}
