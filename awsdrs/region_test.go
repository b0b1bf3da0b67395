package awsdrs_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"muster/recovery"
	"muster/recoverytest"
	"muster/simulator"
)

// breakRegion names, in the environment, what is broken in the region of
// TestRegionKeepsItsPromises.
const breakRegion = "AWSDRS_BREAK"

func TestRegionKeepsItsPromises(t *testing.T) {
	recoverytest.Region(t, func(t *testing.T) recoverytest.Fleet {
		h := newHouse(t, fleetOf(t, 4), simulator.Options{})
		h.fault("FailLaunch:servers=" + string(serverID(4)) + ",rawError=there is no room")
		return recoverytest.Fleet{
			Accounts: broken{h.accounts, os.Getenv(breakRegion)}, Account: account,
			Servers: serverIDs(3), Pinned: "pit-00000000000000001",
			Tags: map[string]string{"Application": "hr", "Tier": "web"}, Fails: serverID(4), RawError: "there is no room",
			Settings: recovery.LaunchConfig{
				recovery.InstanceType: "r5.xlarge", recovery.Subnet: subnetB, recovery.SecurityGroups: []string{groupB},
				recovery.InstanceProfile: "new-profile", recovery.CopyTags: false, recovery.LaunchDisposition: "STOPPED",
			},
		}
	}, inBubble)
}

// Each variant breaks one thing, and the suite has to be red because of the
// promise that is about it.
func TestTheSuiteIsRedForEachBrokenRegion(t *testing.T) {
	for variant, promise := range map[string]string{
		"takes an empty list":             "an_empty_list_is_refused",
		"loses a server":                  "a_server_that_DRS_does_not_know",
		"changes without announcing":      "every_change_is_announced",
		"changes what was not let":        "nothing_is_changed_that_was_not_let",
		"names one server only":           "every_server_that_fails_is_named",
		"forgets the tags":                "what_is_started_is_a_job",
		"finds a conflict ambiguous":      "a_server_is_launched_by_one_job",
		"gives StartRecovery a deadline":  "neither_the_kind_of_launch",
		"takes an unknown type for drill": "neither_the_kind_of_launch",

		"terminates nothing without a word":   "an_empty_list_is_refused",
		"finds servers by any tag":            "servers_are_found_by_all_of_their_tags",
		"finds servers by name only":          "servers_are_found_by_all_of_their_tags",
		"never says what became of a server":  "a_job_shows_what_becomes_of_each_server",
		"names no instance of a participant":  "a_job_shows_what_becomes_of_each_server",
		"forgets whose an instance is":        "a_job_shows_what_becomes_of_each_server",
		"takes live instances for drills'":    "a_job_shows_what_becomes_of_each_server",
		"gives the log newest first":          "a_job's_log_says_why",
		"keeps AWS's words to itself":         "a_job's_log_says_why",
		"terminates all that it knows":        "what_is_terminated_is_what_was_named",
		"finds terminating twice ambiguous":   "what_is_terminated_is_what_was_named",
		"shows the launch for the terminated": "what_is_terminated_is_what_was_named",
		"gives Terminate a deadline":          "what_cannot_be_terminated",
		"terminates one after the other":      "what_cannot_be_terminated",
		"passes over unknown instances":       "what_cannot_be_terminated",
	} {
		t.Run(variant, func(t *testing.T) {
			run := exec.Command(os.Args[0], "-test.run=^TestRegionKeepsItsPromises$", "-test.timeout=60s")
			run.Env = append(os.Environ(), breakRegion+"="+variant)
			out, err := run.CombinedOutput()
			var red *exec.ExitError
			if !errors.As(err, &red) {
				t.Fatalf("the suite ran with %v, want it to fail", err)
			}
			if !regexp.MustCompile(`--- FAIL: TestRegionKeepsItsPromises/` + promise).Match(out) {
				t.Errorf("the suite is red, but not because of %q:\n%.4000s", promise, out)
			}
		})
	}
}

// broken breaks what its variant says, and nothing where there is none.
type broken struct {
	recovery.Accounts
	variant string
}

func (b broken) Assume(ctx context.Context, a recovery.AccountContext) (recovery.Region, error) {
	r, err := b.Accounts.Assume(ctx, a)
	if err != nil || b.variant == "" {
		return r, err
	}
	return brokenRegion{r, b.variant}, nil
}

type brokenRegion struct {
	recovery.Region
	variant string
}

func (b brokenRegion) SourceServers(ctx context.Context, ids []recovery.SourceServerID) ([]recovery.SourceServer, error) {
	switch {
	case b.variant == "takes an empty list" && len(ids) == 0:
		return nil, nil
	case b.variant == "loses a server" && len(ids) > 1:
		ids = ids[1:]
	}
	return b.Region.SourceServers(ctx, ids)
}

func (b brokenRegion) ServersByTag(ctx context.Context, tags map[string]string) ([]recovery.SourceServer, error) {
	var all []recovery.SourceServer
	switch b.variant {
	case "finds servers by any tag":
		for key, value := range tags {
			some, err := b.Region.ServersByTag(ctx, map[string]string{key: value})
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
		if len(tags) > 0 {
			return all, nil
		}
	case "finds servers by name only":
		some, err := b.Region.ServersByTag(ctx, tags)
		for _, s := range some {
			all = append(all, recovery.SourceServer{ID: s.ID})
		}
		return all, err
	}
	return b.Region.ServersByTag(ctx, tags)
}

func (b brokenRegion) Jobs(ctx context.Context, q recovery.JobQuery) ([]recovery.Job, error) {
	jobs, err := b.Region.Jobs(ctx, q)
	for i := range jobs {
		for k := range jobs[i].Participants {
			p := &jobs[i].Participants[k]
			switch b.variant {
			case "never says what became of a server":
				p.Status = "IN_PROGRESS"
			case "names no instance of a participant":
				p.Instance = ""
			case "shows the launch for the terminated":
				if p.Status == "TERMINATED" {
					p.Status = "LAUNCHED"
				}
			}
		}
	}
	return jobs, err
}

func (b brokenRegion) JobLog(ctx context.Context, id recovery.JobID) ([]recovery.JobLogItem, error) {
	items, err := b.Region.JobLog(ctx, id)
	switch b.variant {
	case "gives the log newest first":
		slices.Reverse(items)
	case "keeps AWS's words to itself":
		for i := range items {
			items[i].RawError = ""
		}
	}
	return items, err
}

func (b brokenRegion) RecoveryInstances(ctx context.Context, servers []recovery.SourceServerID) ([]recovery.RecoveryInstance, error) {
	instances, err := b.Region.RecoveryInstances(ctx, servers)
	for i := range instances {
		switch b.variant {
		case "forgets whose an instance is":
			instances[i].JobID = ""
		case "takes live instances for drills'":
			instances[i].Drill = true
		}
	}
	return instances, err
}

func (b brokenRegion) Terminate(ctx context.Context, ids []recovery.InstanceID) (*recovery.Job, error) {
	switch b.variant {
	case "terminates nothing without a word":
		if len(ids) == 0 {
			return &recovery.Job{}, nil
		}
	case "terminates one after the other":
		for len(ids) > 1 {
			if job, err := b.Region.Terminate(ctx, ids[:1]); err != nil {
				return job, err
			}
			ids = ids[1:]
		}
	case "terminates all that it knows":
		all, err := b.Region.RecoveryInstances(ctx, serverIDs(3))
		if err != nil {
			return nil, err
		}
		for _, n := range all {
			if !slices.Contains(ids, n.ID) {
				ids = append(ids, n.ID)
			}
		}
	case "passes over unknown instances":
		ids = slices.DeleteFunc(slices.Clone(ids), func(id recovery.InstanceID) bool { return strings.HasPrefix(string(id), "i-0000000000000dead") })
	case "gives Terminate a deadline":
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, recovery.SendTimeout)
		defer cancel()
	}
	job, err := b.Region.Terminate(ctx, ids)
	var refused *recovery.ServiceError
	if errors.As(err, &refused) && b.variant == "finds terminating twice ambiguous" {
		refused.Ambiguous = refused.Ambiguous || refused.Conflict()
	}
	return job, err
}

func (b brokenRegion) Configure(ctx context.Context, c recovery.Configuration) error {
	before := c.Before
	switch b.variant {
	case "changes without announcing":
		c.Before = nil
	case "changes what was not let":
		var refused error
		c.Before = func(ctx context.Context, changes []recovery.ServerChange) error {
			refused = errors.Join(refused, before(ctx, changes))
			return nil
		}
		return errors.Join(b.Region.Configure(ctx, c), refused)
	case "names one server only":
		var about *recovery.ConfigError
		if err := b.Region.Configure(ctx, c); errors.As(err, &about) {
			return about
		}
		return nil
	}
	return b.Region.Configure(ctx, c)
}

func (b brokenRegion) StartRecovery(ctx context.Context, l recovery.Launch) (*recovery.Job, error) {
	switch b.variant {
	case "forgets the tags":
		l.Tags = nil
	case "takes an unknown type for drill":
		if l.Type.Check() != nil {
			l.Type = recovery.Drill
		}
	case "gives StartRecovery a deadline":
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, recovery.SendTimeout)
		defer cancel()
	}
	job, err := b.Region.StartRecovery(ctx, l)
	var refused *recovery.ServiceError
	if errors.As(err, &refused) && b.variant == "finds a conflict ambiguous" {
		refused.Ambiguous = refused.Ambiguous || refused.Conflict()
	}
	return job, err
}
