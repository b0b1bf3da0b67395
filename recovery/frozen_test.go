package recovery_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/recovery"
)

func TestAFrozenPlanIsThePlanWithItsSecretsAndEveryOtherWayOfWritingItHidesThem(t *testing.T) {
	plan := &recovery.Plan{
		ID: "rp-1", Name: "Web shop", Account: recovery.AccountContext{AccountID: "111122223333", ExternalID: recovery.NewSecret("the-plans-word")},
		Waves: []recovery.PlannedWave{{
			Wave: recovery.Wave{Number: 1, Name: "Databases", Servers: []recovery.Server{{ID: "s-1", Impact: recovery.Optional,
				LaunchConfig: recovery.LaunchConfig{recovery.SecurityGroups: []string{"sg-1", "sg-2"}, recovery.CopyTags: true, recovery.InstanceType: "r5.large"}}},
				Account: recovery.AccountContext{AccountID: "444455556666", ExternalID: recovery.NewSecret("the-waves-word")}},
			Timeout: time.Hour, DependsOn: []int{2},
		}},
	}
	frozen, err := plan.Freeze()
	if err != nil {
		t.Fatal(err)
	}
	thawed, err := recovery.ThawPlan(frozen)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plan, thawed); diff != "" {
		t.Errorf("thawed it is another plan (-want +got):\n%s", diff)
	}
	plain, err := json.Marshal(plan)
	if err != nil || bytes.Contains(plain, []byte("-word")) {
		t.Errorf("json.Marshal shows an external id: %s, %v", plain, err)
	}
}

func TestAStoredGroupIsTheGroupWithItsSecretAndItsLineInAListHasNone(t *testing.T) {
	group := &recovery.PlannedGroup{
		ProtectionGroup: recovery.ProtectionGroup{ID: "pg-1", LaunchConfig: recovery.LaunchConfig{recovery.SecurityGroups: []string{"sg-1", "sg-2"}},
			Overrides: map[recovery.SourceServerID]recovery.LaunchConfig{"s-1": {recovery.SecurityGroups: []string{"sg-3"}}}},
		Tags: map[string]string{"tier": "web"}, Account: &recovery.AccountContext{AccountID: "111122223333", ExternalID: recovery.NewSecret("the-groups-word")},
	}
	frozen, err := group.Freeze()
	if err != nil {
		t.Fatal(err)
	}
	thawed, err := recovery.ThawGroup(frozen)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(group, thawed); diff != "" {
		t.Errorf("thawed it is another group (-want +got):\n%s", diff)
	}
	for _, v := range []any{group, recovery.Kept[*recovery.PlannedGroup]{Thing: group}, group.Entry(recovery.Stored{Version: 1})} {
		if plain, err := json.Marshal(v); err != nil || bytes.Contains(plain, []byte("-word")) {
			t.Errorf("json.Marshal of %T shows the external id: %s, %v", v, plain, err)
		}
	}
	for _, damaged := range []string{"", "{}", "[]", `{"externalId": "x"}`} {
		if g, err := recovery.ThawGroup([]byte(damaged)); err == nil {
			t.Errorf("%q thaws to %+v", damaged, g)
		}
	}
}

func TestWhatAStoredGroupLeavesOutIsStillLeftOut(t *testing.T) {
	for _, group := range []*recovery.PlannedGroup{
		{ProtectionGroup: recovery.ProtectionGroup{ID: "pg-1", LaunchConfig: recovery.LaunchConfig{}}, Servers: []recovery.SourceServerID{"s-1"}},
		{ProtectionGroup: recovery.ProtectionGroup{ID: "pg-2", LaunchConfig: recovery.LaunchConfig{}}, Tags: map[string]string{"tier": ""},
			Account: &recovery.AccountContext{AccountID: "123456789012", Region: "us-east-1", RoleName: "Role"}},
	} {
		frozen, err := group.Freeze()
		if err != nil {
			t.Fatal(err)
		}
		if thawed, err := recovery.ThawGroup(frozen); err != nil || !reflect.DeepEqual(thawed, group) {
			t.Errorf("got %+v, %v; want %+v", thawed, err, group)
		}
	}
}
