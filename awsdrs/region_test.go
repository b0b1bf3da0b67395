package awsdrs_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
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
		return recoverytest.Fleet{
			Accounts: broken{h.accounts, os.Getenv(breakRegion)}, Account: account,
			Servers: serverIDs(4), Pinned: "pit-00000000000000001",
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
