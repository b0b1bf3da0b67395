package recoverytest

import (
	"errors"
	"slices"
	"strings"
	"time"

	"muster/recovery"
)

var settingPromises = []regionPromise{
	{"every change is announced, and settings that are right are not changed", func(g *ground) {
		changed, err := g.announce(g.configuration(), nil)
		if err != nil {
			g.Fatalf("Configure: %v", err)
		}
		for _, id := range g.Servers {
			for setting := range g.Settings {
				if !slices.ContainsFunc(changed, func(c string) bool { return strings.HasPrefix(c, string(id)+" "+string(setting)+":") }) {
					g.Errorf("the change of %s of server %s was not announced: %v", setting, id, changed)
				}
			}
		}
		again, err := g.announce(g.configuration(), nil)
		if err != nil || len(again) > 0 {
			g.Errorf("a second time changed %v, %v; want nothing", again, err)
		}
	}},
	{"nothing is changed that was not let", func(g *ground) {
		no := errors.New("no")
		first, err := g.announce(g.configuration(), no)
		if !errors.Is(err, no) || len(first) == 0 {
			g.Errorf("got %v after announcing %v, want what Before answered", err, first)
		}
		second, _ := g.announce(g.configuration(), no)
		if !slices.Equal(first, second) {
			g.Errorf("the second time announced %v, want the same as the first: %v", second, first)
		}
	}},
	{"one server's setting changes that server's setting", func(g *ground) {
		if err := g.region.Configure(g.Context(), g.configuration()); err != nil {
			g.Fatalf("Configure: %v", err)
		}
		c, id := g.configuration(), g.Servers[1]
		c.Want[id].LaunchConfig[recovery.InstanceType] = "c6i.large"
		changed, err := g.announce(c, nil)
		if err != nil || len(changed) != 1 || !strings.HasPrefix(changed[0], string(id)+" instanceType: ") {
			g.Errorf("changed %v, %v; want the instance type of %s", changed, err, id)
		}
	}},
	{"every server that fails is named", func(g *ground) {
		c := g.configuration()
		for _, id := range g.Servers[:2] {
			c.Want[id].LaunchConfig[recovery.Subnet] = "subnet-00000000000nobody"
		}
		changed, err := g.announce(c, nil)
		if len(changed) > 0 {
			g.Errorf("changed %v, want nothing: it was known that it cannot work", changed)
		}
		for i, id := range g.Servers {
			if named := strings.Contains(errorText(err), string(id)); named != (i < 2) {
				g.Errorf("that server %s is named is %v: %v", id, named, err)
			}
		}
		var about *recovery.ConfigError
		if !errors.As(err, &about) || !slices.Equal(about.Settings, []recovery.Setting{recovery.Subnet}) {
			g.Errorf("got %v, want *recovery.ConfigErrors about the subnet", err)
		}
	}},
}

var launchPromises = []regionPromise{
	{"what is started is a job with all servers and tags, of the kind that was asked for", func(g *ground) {
		tags := map[string]string{"ExecutionId": "exec-1", "WaveName": "Database Tier"}
		l := recovery.Launch{Type: recovery.Drill, Tags: tags}
		for _, id := range g.Servers[:2] {
			l.Servers = append(l.Servers, recovery.Server{ID: id})
		}
		l.Servers[0].Snapshot = g.Pinned
		began := time.Now()
		job, err := g.region.StartRecovery(g.soon(), l)
		if err != nil {
			g.Fatalf("StartRecovery: %v", err)
		}
		for what, q := range map[string]recovery.JobQuery{"by id": {IDs: []recovery.JobID{job.ID}}, "by time": {Since: began.Add(-recovery.ClockSkew)}} {
			jobs, err := g.region.Jobs(g.Context(), q)
			i := slices.IndexFunc(jobs, func(j recovery.Job) bool { return j.ID == job.ID })
			if err != nil || i < 0 {
				g.Errorf("%s: job %s is not among %v, %v", what, job.ID, jobs, err)
				continue
			}
			j := jobs[i]
			if j.Type != "LAUNCH" || j.InitiatedBy != "START_DRILL" || j.Tags["WaveName"] != "Database Tier" || j.Tags["ExecutionId"] != "exec-1" || j.Created.IsZero() ||
				!slices.Equal(slices.Sorted(slices.Values(j.Servers)), slices.Sorted(slices.Values(g.Servers[:2]))) {
				g.Errorf("%s: got %+v", what, j)
			}
		}
		servers, err := g.region.SourceServers(g.Context(), g.Servers[:1])
		if err != nil || len(servers) != 1 || servers[0].LastLaunch.JobID != job.ID {
			g.Errorf("the server's last launch: got %+v, %v; want job %s", servers, err, job.ID)
		}
	}},
	{"a server is launched by one job at a time, and the refusal is a conflict", func(g *ground) {
		l := recovery.Launch{Type: recovery.Recovery, Servers: []recovery.Server{{ID: g.Servers[0]}}}
		if _, err := g.region.StartRecovery(g.soon(), l); err != nil {
			g.Fatalf("StartRecovery: %v", err)
		}
		_, err := g.region.StartRecovery(g.soon(), l)
		var refused *recovery.ServiceError
		if !errors.As(err, &refused) || !refused.Conflict() || refused.Ambiguous {
			g.Errorf("got %v, want a conflict", err)
		}
	}},
	{"neither the kind of launch nor its deadline is taken for granted", func(g *ground) {
		l := recovery.Launch{Type: recovery.Drill, Servers: []recovery.Server{{ID: g.Servers[0]}}}
		_, err := g.region.StartRecovery(g.Context(), l)
		g.refused("without a deadline", err)
		l.Type = ""
		_, err = g.region.StartRecovery(g.soon(), l)
		g.refused("without a type", err)
		jobs, err := g.region.Jobs(g.Context(), recovery.JobQuery{Since: time.Now().Add(-time.Hour)})
		if err != nil || len(jobs) > 0 {
			g.Errorf("jobs: got %+v, %v; want none", jobs, err)
		}
	}},
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
