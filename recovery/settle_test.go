package recovery_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/recovery"
)

var (
	plansAccount  = recovery.AccountContext{AccountID: "111111111111", Region: "us-east-1", RoleName: "Role"}
	groupsAccount = recovery.AccountContext{AccountID: "222222222222", Region: "us-east-1", RoleName: "Role"}
	wavesAccount  = recovery.AccountContext{AccountID: "333333333333", Region: "us-east-1", RoleName: "Role"}
)

// stored are groups as a store has them.
func stored() map[recovery.ProtectionGroupID]*recovery.PlannedGroup {
	group := func(id recovery.ProtectionGroupID) recovery.ProtectionGroup {
		return recovery.ProtectionGroup{ID: id, LaunchConfig: recovery.LaunchConfig{recovery.InstanceType: "m5.large"}}
	}
	return map[recovery.ProtectionGroupID]*recovery.PlannedGroup{
		"pg-listed": {ProtectionGroup: group("pg-listed"), Servers: []recovery.SourceServerID{"s-1", "s-2"}, Account: &groupsAccount},
		"pg-tagged": {ProtectionGroup: group("pg-tagged"), Tags: map[string]string{"tier": "web"}},
		"pg-empty":  {ProtectionGroup: group("pg-empty")},
	}
}

func planOf(waves ...recovery.Wave) *recovery.Plan {
	p := &recovery.Plan{ID: "rp-1", Account: plansAccount}
	for i, w := range waves {
		w.Number = i + 1
		p.Waves = append(p.Waves, recovery.PlannedWave{Wave: w})
	}
	return p
}

func servers(ids ...recovery.SourceServerID) (all []recovery.Server) {
	for _, id := range ids {
		all = append(all, recovery.Server{ID: id})
	}
	return all
}

func TestAWaveTakesWhatItLeavesOutFromItsGroupAndThenFromThePlan(t *testing.T) {
	p := planOf(
		recovery.Wave{Group: "pg-listed"},
		recovery.Wave{Group: "pg-tagged"},
		recovery.Wave{Group: "pg-listed", Servers: servers("s-2"), Account: wavesAccount},
		recovery.Wave{Group: "pg-tagged", Servers: servers("s-9")},
		recovery.Wave{Servers: []recovery.Server{{ID: "s-8", LaunchConfig: recovery.LaunchConfig{}}}},
	)
	p.Waves[2].Servers[0].ID = "s-2"
	p.Waves[0].Servers = nil
	before := slices.Clone(p.Waves)
	got, err := (&recovery.Plan{ID: p.ID, Account: p.Account, Waves: append(p.Waves[1:2:2], p.Waves[2:]...)}).Settle(stored())
	if err != nil {
		t.Fatal(err)
	}
	tags := map[string]string{"tier": "web"}
	want := []recovery.PlannedWave{
		{Wave: recovery.Wave{Number: 2, Group: "pg-tagged", Account: plansAccount}, Tags: tags},
		{Wave: recovery.Wave{Number: 3, Group: "pg-listed", Servers: servers("s-2"), Account: wavesAccount}},
		{Wave: recovery.Wave{Number: 4, Group: "pg-tagged", Servers: servers("s-9"), Account: plansAccount}, Tags: tags},
		{Wave: recovery.Wave{Number: 5, Servers: p.Waves[4].Servers, Account: plansAccount}},
	}
	if diff := cmp.Diff(want, got.Waves); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(got.Groups) != 2 || got.Groups["pg-listed"].LaunchConfig[recovery.InstanceType] != "m5.large" {
		t.Errorf("the plan's groups are %v, want those of its waves with their settings", got.Groups)
	}

	whole, err := (&recovery.Plan{ID: p.ID, Account: p.Account, Waves: p.Waves[:2]}).Settle(stored())
	if err != nil || len(whole.Waves[0].Servers) != 2 || whole.Waves[0].Account != groupsAccount {
		t.Errorf("got %+v, %v; want the group's two servers in the group's account", whole, err)
	}
	if diff := cmp.Diff(before, p.Waves); diff != "" {
		t.Errorf("settling changed the plan itself (-before +after):\n%s", diff)
	}
}

func TestThePlansOwnGroupWinsOverTheStored(t *testing.T) {
	p := planOf(recovery.Wave{Group: "pg-listed", Servers: servers("s-1")})
	own := &recovery.ProtectionGroup{ID: "pg-listed", LaunchConfig: recovery.LaunchConfig{recovery.InstanceType: "c5.large"}}
	p.Groups = map[recovery.ProtectionGroupID]*recovery.ProtectionGroup{"pg-listed": own}
	got, err := p.Settle(stored())
	if err != nil || got.Groups["pg-listed"] != own || got.Waves[0].Account != plansAccount {
		t.Errorf("got %+v, %v", got, err)
	}
	p.Waves[0].Servers = nil
	if _, err := p.Settle(stored()); err == nil || !strings.Contains(err.Error(), "the plan's own protection group pg-listed has no tags") {
		t.Errorf("got %v", err)
	}
}

func TestEverythingThatAPlanLacksIsNamedAtOnce(t *testing.T) {
	p := planOf(
		recovery.Wave{Group: "pg-unknown"},
		recovery.Wave{},
		recovery.Wave{Group: "pg-empty"},
		recovery.Wave{Group: "pg-listed", Servers: servers("s-1", "s-7")},
		recovery.Wave{Group: "pg-gone", Servers: servers("s-3")},
		recovery.Wave{Servers: servers("s-1")},
	)
	p.Waves[5].DependsOn = []int{9}
	_, err := p.Settle(stored())
	if err == nil {
		t.Fatal("it was settled")
	}
	for _, want := range []string{
		"VALIDATION_ERROR: plan rp-1: ",
		"wave 1 takes its servers from protection group pg-unknown, which is not stored",
		"wave 2 has neither servers nor a protectionGroupId",
		"wave 3 lists no servers, and protection group pg-empty has neither servers nor tags",
		"wave 4 lists s-7, which is not among the servers of protection group pg-listed",
		`wave 5 takes launch settings from protection group "pg-gone", which is not stored`,
		"there is no wave 9",
		"s-1 is in wave 4 too",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %q", err, want)
		}
	}
	p = planOf(recovery.Wave{Servers: []recovery.Server{{ID: "s-1", LaunchConfig: recovery.LaunchConfig{}}}})
	p.Account = recovery.AccountContext{}
	if _, err := p.Settle(nil); err == nil || !strings.Contains(err.Error(), "wave 1 has no accountContext") {
		t.Errorf("got %v", err)
	}
}

func TestOnlyGroupsThatAWaveNeedsAreAskedFor(t *testing.T) {
	own := recovery.LaunchConfig{}
	p := planOf(
		recovery.Wave{Group: "pg-servers"},
		recovery.Wave{Group: "pg-settings", Servers: servers("s-1"), Account: wavesAccount},
		recovery.Wave{Group: "pg-configured", Servers: []recovery.Server{{ID: "s-2", LaunchConfig: own}}, Account: wavesAccount},
		recovery.Wave{Group: "pg-inline", Servers: servers("s-3"), Account: wavesAccount},
		recovery.Wave{Group: "pg-account", Servers: []recovery.Server{{ID: "s-4", LaunchConfig: own}}},
		recovery.Wave{Servers: servers("s-5")},
	)
	p.Groups = map[recovery.ProtectionGroupID]*recovery.ProtectionGroup{"pg-inline": {ID: "pg-inline"}}
	if diff := cmp.Diff([]recovery.ProtectionGroupID{"pg-account", "pg-servers", "pg-settings"}, p.GroupsNeeded()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
