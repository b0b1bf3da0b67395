package recoverytest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/recovery"
)

// jobPromises are about what becomes of jobs. They wait for them.
var jobPromises = []regionPromise{
	{"a job shows what becomes of each server, and each instance says whose it is", func(g *ground) {
		for i, kind := range []recovery.ExecutionType{recovery.Drill, recovery.Recovery} {
			id := g.Servers[i]
			first := g.start(kind, id)
			if p := first.Participants; len(p) != 1 || p[0].Server != id || !(recovery.LastLaunch{Status: p[0].Status}).Running() {
				g.Errorf("%s, at first: got participants %+v, want server %s on its way", kind, p, id)
			}
			over := g.end(first.ID)
			if len(over.Participants) != 1 {
				g.Fatalf("%s: got participants %+v, want server %s", kind, over.Participants, id)
			}
			p := over.Participants[0]
			if p.Server != id || p.Status != "LAUNCHED" || p.Instance == "" {
				g.Errorf("%s: got %+v, want server %s launched, and its instance", kind, p, id)
			}
			n := g.instance(id)
			if n == nil || n.ID != p.Instance || n.JobID != over.ID || n.Drill != (kind == recovery.Drill) {
				g.Errorf("%s: got instance %+v, want %s, of job %s, and whether it is a drill's", kind, n, p.Instance, over.ID)
			}
		}
	}},
	{"a job's log says why a launch failed, in AWS's words, oldest first", func(g *ground) {
		over := g.end(g.start(recovery.Drill, g.Fails, g.Servers[0]).ID)
		for _, p := range over.Participants {
			if failed := p.Server == g.Fails; (p.Status == "FAILED") != failed || (p.Instance == "") != failed {
				g.Errorf("got participant %+v; server %s fails, and no other", p, g.Fails)
			}
		}
		log, err := g.region.JobLog(g.Context(), over.ID)
		if err != nil || len(log) == 0 {
			g.Fatalf("JobLog: got %+v, %v", log, err)
		}
		if log[0].Event != "JOB_START" || log[len(log)-1].Event != "JOB_END" ||
			!slices.IsSortedFunc(log, func(a, b recovery.JobLogItem) int { return a.At.Compare(b.At) }) {
			g.Errorf("the log is not oldest first: %+v", log)
		}
		why := map[recovery.SourceServerID]string{}
		for _, l := range log {
			why[l.Server] += l.RawError
		}
		if !strings.Contains(why[g.Fails], g.RawError) || why[g.Servers[0]] != "" {
			g.Errorf("got reasons %v, want of server %s alone: %s", why, g.Fails, g.RawError)
		}
	}},
	{"what is terminated is what was named, by a job of its own", func(g *ground) {
		launched := g.end(g.start(recovery.Drill, g.Servers[:2]...).ID)
		doomed := g.instance(g.Servers[0])
		if doomed == nil {
			g.Fatalf("server %s has no instance after job %+v", g.Servers[0], launched)
		}
		job, err := g.region.Terminate(g.soon(), []recovery.InstanceID{doomed.ID})
		if err != nil {
			g.Fatalf("Terminate: %v", err)
		}
		if job.ID == launched.ID || job.Type != "TERMINATE" || job.Created.IsZero() {
			g.Errorf("got %+v", job)
		}
		_, err = g.region.Terminate(g.soon(), []recovery.InstanceID{doomed.ID})
		var refused *recovery.ServiceError
		if !errors.As(err, &refused) || !refused.Conflict() || refused.Ambiguous {
			g.Errorf("terminating it again meanwhile: got %v, want a conflict", err)
		}
		over := g.end(job.ID)
		if p := over.Participants; len(p) != 1 || p[0].Server != g.Servers[0] || p[0].Status != "TERMINATED" {
			g.Errorf("got participants %+v, want server %s terminated", p, g.Servers[0])
		}
		if n := g.instance(g.Servers[0]); n != nil {
			g.Errorf("instance %+v is still there", n)
		}
		if g.instance(g.Servers[1]) == nil {
			g.Errorf("the instance of server %s is gone, and nobody named it", g.Servers[1])
		}
	}},
	{"what cannot be terminated is a refusal that terminated nothing", func(g *ground) {
		g.end(g.start(recovery.Drill, g.Servers[0]).ID)
		n := g.instance(g.Servers[0])
		if n == nil {
			g.Fatalf("server %s has no instance", g.Servers[0])
		}
		_, err := g.region.Terminate(g.Context(), []recovery.InstanceID{n.ID})
		g.refused("without a deadline", err)
		_, err = g.region.Terminate(g.soon(), []recovery.InstanceID{n.ID, "i-0000000000000dead"})
		g.refused("with one that is unknown", err)
		many := []recovery.InstanceID{n.ID}
		for i := range 200 {
			many = append(many, recovery.InstanceID(fmt.Sprintf("i-%017d", i)))
		}
		_, err = g.region.Terminate(g.soon(), many)
		g.refused("more than 200", err)
		if left := g.instance(g.Servers[0]); left == nil || *left != *n {
			g.Errorf("got %+v, want %+v", left, n)
		}
		jobs, err := g.region.Jobs(g.Context(), recovery.JobQuery{Since: time.Now().Add(-time.Hour)})
		if err != nil || slices.ContainsFunc(jobs, func(j recovery.Job) bool { return j.Type != "LAUNCH" }) {
			g.Errorf("jobs: got %+v, %v; want the launch only", jobs, err)
		}
	}},
}

// start launches servers.
func (g *ground) start(kind recovery.ExecutionType, servers ...recovery.SourceServerID) *recovery.Job {
	g.Helper()
	l := recovery.Launch{Type: kind}
	for _, id := range servers {
		l.Servers = append(l.Servers, recovery.Server{ID: id})
	}
	job, err := g.region.StartRecovery(g.soon(), l)
	if err != nil {
		g.Fatalf("StartRecovery: %v", err)
	}
	return job
}

// end waits for a job's end.
func (g *ground) end(id recovery.JobID) recovery.Job {
	g.Helper()
	for range 4 * 60 { // an hour
		jobs, err := g.region.Jobs(g.Context(), recovery.JobQuery{IDs: []recovery.JobID{id}})
		if err != nil {
			g.Fatalf("Jobs: %v", err)
		}
		if len(jobs) == 1 && jobs[0].Over() {
			return jobs[0]
		}
		time.Sleep(15 * time.Second)
	}
	g.Fatalf("job %s does not end", id)
	return recovery.Job{}
}

// instance gives the recovery instance that a server has, or nil.
func (g *ground) instance(server recovery.SourceServerID) *recovery.RecoveryInstance {
	g.Helper()
	all, err := g.region.RecoveryInstances(g.Context(), []recovery.SourceServerID{server})
	if err != nil {
		g.Fatalf("RecoveryInstances: %v", err)
	}
	var found *recovery.RecoveryInstance
	for i, n := range all {
		if n.Server != server || found != nil {
			g.Fatalf("got instances %+v, want one of server %s at most", all, server)
		}
		if n.EC2State != "TERMINATED" && n.EC2State != "NOT_FOUND" {
			found = &all[i]
		}
	}
	return found
}
