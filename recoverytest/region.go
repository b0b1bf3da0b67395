package recoverytest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"muster/recovery"
)

// Fleet is a region that holds to its promises or does not, and what is known
// to be in it. It belongs to one test, which changes it.
type Fleet struct {
	Accounts recovery.Accounts
	Account  recovery.AccountContext
	// Servers are three or more that could be launched now and never were.
	Servers []recovery.SourceServerID
	// Pinned is an older recovery point of the first server.
	Pinned recovery.SnapshotID
	// Tags are two or more. The first server and the third carry all of them,
	// and no other does, though some carry one.
	Tags map[string]string
	// Fails is another server, whose launch will fail, and RawError is part of
	// what AWS will say about that.
	Fails    recovery.SourceServerID
	RawError string
	// Settings differ from what every server has, all of them, in DRS and in
	// the launch templates.
	Settings recovery.LaunchConfig
}

// Region holds a kind of region to its promises. For each of them it calls
// open once, which makes a fleet, fails the test itself, and cleans up after
// itself through t. It may be run in a bubble of testing/synctest: open then
// gets a bubble's t.
func Region(t *testing.T, open func(t *testing.T) Fleet, run func(t *testing.T, f func(t *testing.T))) {
	for _, promises := range [][]regionPromise{readingPromises, settingPromises, launchPromises, jobPromises} {
		for _, p := range promises {
			t.Run(p.name, func(t *testing.T) {
				run(t, func(t *testing.T) {
					g := &ground{T: t, Fleet: open(t)}
					region, err := g.Accounts.Assume(t.Context(), g.Account)
					if err != nil {
						t.Fatalf("Assume: %v", err)
					}
					g.region = region
					p.keep(g)
				})
			})
		}
	}
}

type regionPromise struct {
	name string
	keep func(g *ground)
}

// ground is one fleet under test, and short ways to use it.
type ground struct {
	*testing.T
	Fleet
	region recovery.Region
}

var readingPromises = []regionPromise{
	{"an account that cannot be entered is a refusal that left nothing behind", func(g *ground) {
		a := g.Account
		a.RoleName = "MusterTestNoSuchRole"
		_, err := g.Accounts.Assume(g.Context(), a)
		g.refused("Assume", err)
	}},
	{"an empty list is refused, for to AWS it means everything", func(g *ground) {
		_, err := g.region.SourceServers(g.Context(), nil)
		g.refused("SourceServers", err)
		_, err = g.region.RecoveryInstances(g.Context(), []recovery.SourceServerID{})
		g.refused("RecoveryInstances", err)
		_, err = g.region.RecoveryPoints(g.Context(), nil, nil)
		g.refused("RecoveryPoints", err)
		_, err = g.region.Jobs(g.Context(), recovery.JobQuery{IDs: []recovery.JobID{}})
		g.refused("Jobs", err)
		_, err = g.region.ServersByTag(g.Context(), map[string]string{})
		g.refused("ServersByTag", err)
		_, err = g.region.JobLog(g.Context(), "")
		g.refused("JobLog", err)
		_, err = g.region.Terminate(g.soon(), nil)
		g.refused("Terminate", err)
		g.refused("Configure", g.region.Configure(g.Context(), recovery.Configuration{}))
		_, err = g.region.StartRecovery(g.soon(), recovery.Launch{Type: recovery.Drill})
		g.refused("StartRecovery", err)
	}},
	{"a server that DRS does not know is missing from the answer", func(g *ground) {
		asked := append(slices.Clone(g.Servers), "s-00000000000nobody")
		servers, err := g.region.SourceServers(g.Context(), asked)
		if err != nil {
			g.Fatalf("SourceServers: %v", err)
		}
		var got []recovery.SourceServerID
		for _, s := range servers {
			got = append(got, s.ID)
			if s.LastLaunch.Running() {
				g.Errorf("server %s is being launched: %+v", s.ID, s.LastLaunch)
			}
		}
		if want := slices.Sorted(slices.Values(g.Servers)); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
			g.Errorf("got servers %v, want %v", got, want)
		}
	}},
	{"servers are found by all of their tags, and described", func(g *ground) {
		servers, err := g.region.ServersByTag(g.Context(), g.Tags)
		if err != nil {
			g.Fatalf("ServersByTag: %v", err)
		}
		want := []recovery.SourceServerID{g.Servers[0], g.Servers[2]}
		described, err := g.region.SourceServers(g.Context(), want)
		if err != nil || !slices.Equal(names(servers), names(described)) || len(servers) != len(want) {
			g.Errorf("got %v, want %v, %v", names(servers), names(described), err)
		}
	}},
	{"every server shows a usable recovery point, and the one that was asked for", func(g *ground) {
		points, err := g.region.RecoveryPoints(g.Context(), g.Servers, []recovery.SnapshotID{g.Pinned})
		if err != nil {
			g.Fatalf("RecoveryPoints: %v", err)
		}
		pinned, have := false, map[recovery.SourceServerID]bool{}
		for _, p := range points {
			have[p.Server] = have[p.Server] || !p.Taken.IsZero()
			pinned = pinned || p.ID == g.Pinned && p.Server == g.Servers[0]
		}
		if len(have) != len(g.Servers) || slices.Contains(slices.Collect(maps.Values(have)), false) || !pinned {
			g.Errorf("got %+v, want a usable one of each of %v, and %s", points, g.Servers, g.Pinned)
		}
	}},
	{"an ended context ends every method", func(g *ground) {
		over := ended(g.Context())
		for what, call := range map[string]func() error{
			"SourceServers": func() error { _, err := g.region.SourceServers(over, g.Servers); return err },
			"Configure":     func() error { return g.region.Configure(over, g.configuration()) },
			"Jobs":          func() error { _, err := g.region.Jobs(over, recovery.JobQuery{Since: time.Now()}); return err },
			"ServersByTag":  func() error { _, err := g.region.ServersByTag(over, g.Tags); return err },
			"JobLog":        func() error { _, err := g.region.JobLog(over, "drsjob-00000000000nobody"); return err },
		} {
			if err := call(); !errors.Is(err, context.Canceled) {
				g.Errorf("%s: got %v, want context.Canceled", what, err)
			}
		}
	}},
}

// names gives the servers' ids with their host names, in order.
func names(servers []recovery.SourceServer) []string {
	var all []string
	for _, s := range servers {
		all = append(all, string(s.ID)+" "+s.Hostname)
	}
	slices.Sort(all)
	return all
}

// refused checks that an error says what was refused, and that it left nothing
// behind.
func (g *ground) refused(what string, err error) {
	g.Helper()
	var refused *recovery.ServiceError
	if !errors.As(err, &refused) || refused.Ambiguous || refused.Message == "" {
		g.Errorf("%s: got %v, want a *recovery.ServiceError that says why and is not ambiguous", what, err)
	}
}

// soon is a context with the deadline that StartRecovery and Terminate must have.
func (g *ground) soon() context.Context {
	ctx, cancel := context.WithTimeout(g.Context(), recovery.SendTimeout)
	g.Cleanup(cancel)
	return ctx
}

// configuration asks every server for the settings, and lets all changes pass.
func (g *ground) configuration() recovery.Configuration {
	c := recovery.Configuration{
		Key:    recovery.AttemptKey{Execution: execution, Wave: 1, Attempt: 1},
		Want:   map[recovery.SourceServerID]recovery.Resolved{},
		Before: func(context.Context, []recovery.ServerChange) error { return nil },
	}
	for _, id := range g.Servers {
		resolved, problems := recovery.Server{ID: id, LaunchConfig: g.Settings}.Resolve(nil)
		if len(problems) > 0 {
			g.Fatalf("the settings contradict each other: %v", problems)
		}
		c.Want[id] = resolved
	}
	return c
}

// announce configures and gives what was announced, setting by setting.
func (g *ground) announce(c recovery.Configuration, answer error) (announced []string, err error) {
	c.Before = func(_ context.Context, changes []recovery.ServerChange) error {
		for _, server := range changes {
			for _, change := range server.Changes {
				announced = append(announced, fmt.Sprintf("%s %s: %v → %v", server.Server, change.Setting, change.Old, change.New))
			}
		}
		return answer
	}
	err = g.region.Configure(g.Context(), c)
	slices.Sort(announced)
	return announced, err
}
