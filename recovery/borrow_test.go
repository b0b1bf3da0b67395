package recovery_test

import (
	"errors"
	"strings"
	"testing"

	"muster/recovery"
)

// Every way in which a wave of a caller's own plan is about a stored group.
func TestAPlanThatACallerBringsTakesAGroupsAccountOnlyWithTheGroupsSettings(t *testing.T) {
	account := recovery.AccountContext{AccountID: "222222222222", Region: "us-east-1", RoleName: "Role", ExternalID: recovery.NewSecret("the-groups-own")}
	groups := stored()
	groups["pg-listed"].Account, groups["pg-tagged"].Account, groups["pg-empty"].Account = &account, &account, nil
	with := func(id recovery.SourceServerID, settings recovery.LaunchConfig) recovery.Server {
		return recovery.Server{ID: id, LaunchConfig: settings}
	}
	profile := recovery.LaunchConfig{recovery.InstanceProfile: "Admin", recovery.Subnet: "subnet-1"}
	sameAccount := recovery.AccountContext{AccountID: account.AccountID, Region: "eu-west-1", RoleName: "Another"}
	for name, c := range map[string]struct {
		wave    recovery.Wave
		plan    recovery.AccountContext
		own     bool // the plan brings a group of the same id
		refused string
		account recovery.AccountContext // that the wave ends up with
	}{
		"the group's servers":                                  {wave: recovery.Wave{Group: "pg-listed"}, account: account},
		"some of its servers":                                  {wave: recovery.Wave{Group: "pg-listed", Servers: servers("s-2")}, account: account},
		"servers with its own settings":                        {wave: recovery.Wave{Group: "pg-listed", Servers: []recovery.Server{with("s-1", recovery.LaunchConfig{})}}, account: account},
		"servers with others":                                  {wave: recovery.Wave{Group: "pg-listed", Servers: []recovery.Server{with("s-1", nil), with("s-2", profile)}}, refused: "wave 1, which takes its account from protection group pg-listed as that is stored, brings launch settings of its own for s-2 (instanceProfile, subnet)"},
		"servers of a tagged group":                            {wave: recovery.Wave{Group: "pg-tagged", Servers: []recovery.Server{with("s-9", profile)}}, refused: "pg-tagged as that is stored, brings launch settings of its own for s-9"},
		"the plan has an account too, which the group's hides": {wave: recovery.Wave{Group: "pg-listed", Servers: []recovery.Server{with("s-1", profile)}}, plan: sameAccount, refused: "s-1 (instanceProfile"},
		"the plan's account gives neither role nor region":     {wave: recovery.Wave{Group: "pg-listed"}, plan: sameAccount, account: account},
		"a wave's own account takes nothing of the group's":    {wave: recovery.Wave{Group: "pg-listed", Account: sameAccount, Servers: []recovery.Server{with("s-1", profile)}}, account: sameAccount},
		"a group without an account lends none":                {wave: recovery.Wave{Group: "pg-empty", Servers: []recovery.Server{with("s-1", profile)}}, plan: sameAccount, account: sameAccount},
		"a group of the plan hides the stored one":             {wave: recovery.Wave{Group: "pg-listed", Servers: []recovery.Server{with("s-1", profile)}}, plan: sameAccount, own: true, account: sameAccount},
		"and its account with it":                              {wave: recovery.Wave{Group: "pg-listed", Servers: []recovery.Server{with("s-1", profile)}}, own: true, refused: "wave 1 has no accountContext"},
		"no group at all":                                      {wave: recovery.Wave{Servers: []recovery.Server{with("s-1", profile)}}, plan: sameAccount, account: sameAccount},
	} {
		t.Run(name, func(t *testing.T) {
			p := planOf(c.wave)
			p.Account = c.plan
			if c.own {
				p.Groups = map[recovery.ProtectionGroupID]*recovery.ProtectionGroup{"pg-listed": {ID: "pg-listed"}}
			}
			var settled *recovery.Plan
			err := p.CheckBorrowed(groups)
			if err == nil {
				settled, err = p.Settle(groups)
			}
			switch refusal, is := errors.AsType[*recovery.Error](err); {
			case c.refused != "":
				if !is || refusal.Code != recovery.ValidationError || !strings.Contains(refusal.Message, c.refused) || strings.Contains(refusal.Message, "the-groups-own") {
					t.Errorf("got %v, want %q", err, c.refused)
				}
				if is && strings.Contains(c.refused, "brings") && (!strings.Contains(refusal.Message, "put_plan") || !strings.Contains(refusal.Message, "leave those settings away")) {
					t.Errorf("%v does not say the ways out", err)
				}
			case err != nil:
				t.Error(err)
			case settled.Waves[0].Account != c.account:
				t.Errorf("it is recovered in %+v, want %+v", settled.Waves[0].Account, c.account)
			}
		})
	}
}

func TestABorrowedAccountIsRefusedWaveByWaveAndNotWithoutEnd(t *testing.T) {
	groups := stored()
	var waves []recovery.Wave
	for range 900 {
		w := recovery.Wave{Group: "pg-listed"}
		for range 100 {
			w.Servers = append(w.Servers, recovery.Server{ID: "s-1", LaunchConfig: recovery.LaunchConfig{recovery.InstanceType: "m5.large"}})
		}
		waves = append(waves, w)
	}
	err := planOf(waves...).CheckBorrowed(groups)
	if err == nil || !strings.Contains(err.Error(), "wave 2,") || !strings.Contains(err.Error(), "and 880 more") || len(err.Error()) > 20_000 {
		t.Errorf("got %.300v", err)
	}
}
