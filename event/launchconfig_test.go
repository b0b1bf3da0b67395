package event_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/recovery"
)

func TestEverySettingIsReadFromWhereDRSHasIt(t *testing.T) {
	w := accepted(t, setting(t, `"instanceType":"r5.xlarge","subnet":"subnet-db","securityGroups":["sg-1","sg-2"],"instanceProfile":"P","privateIp":"10.0.0.1",`+
		`"copyPrivateIp":false,"copyTags":true,"launchDisposition":"STOPPED","licensing":{"osByol":true},"targetInstanceTypeRightSizingMethod":"NONE",`+
		`"postLaunchEnabled":false,"name":"n"`))
	want := recovery.LaunchConfig{
		recovery.InstanceType: "r5.xlarge", recovery.Subnet: "subnet-db", recovery.SecurityGroups: []string{"sg-1", "sg-2"}, recovery.InstanceProfile: "P",
		recovery.PrivateIP: "10.0.0.1", recovery.CopyPrivateIP: false, recovery.CopyTags: true, recovery.LaunchDisposition: "STOPPED", recovery.OSByol: true,
		recovery.RightSizing: "NONE", recovery.PostLaunchEnabled: false, recovery.LaunchName: "n",
	}
	if len(want) != len(recovery.Settings()) {
		t.Errorf("this test knows %d settings of %d", len(want), len(recovery.Settings()))
	}
	if diff := cmp.Diff(want, w.Wave.Servers[0].LaunchConfig); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestNullInheritsAndUnknownKeysAreNoSettings(t *testing.T) {
	w := accepted(t, setting(t, `"instanceType":null,"licensing":null,"copyTags":null,"colour":"blue","licensing.osByol":7,"Subnet":[]`))
	if c := w.Wave.Servers[0].LaunchConfig; len(c) != 0 {
		t.Errorf("got %v", c)
	}
	w = accepted(t, setting(t, `"licensing":{"osByol":null,"more":{}}`))
	if c := w.Wave.Servers[0].LaunchConfig; len(c) != 0 {
		t.Errorf("got %v", c)
	}
}

func TestAWrongSettingIsNamedByItsPath(t *testing.T) {
	for members, want := range map[string]string{
		`"instanceType":5`:                                ".instanceType must be a string",
		`"instanceType":""`:                               ".instanceType is empty",
		`"instanceType":"large"`:                          `.instanceType "large" is not an EC2 instance type`,
		`"securityGroups":"sg-1"`:                         ".securityGroups must be a list of strings",
		`"securityGroups":[]`:                             ".securityGroups is an empty list",
		`"securityGroups":["sg-1",2]`:                     ".securityGroups[1] must be a string",
		`"securityGroups":["sg-1",["sg-2"]]`:              ".securityGroups[1] must be a string",
		`"securityGroups":[null]`:                         ".securityGroups[0] must be a string",
		`"securityGroups":["sg-1","sg-1"]`:                `.securityGroups[1] "sg-1" is named twice`,
		`"copyTags":"true"`:                               ".copyTags must be true or false",
		`"copyTags":1e400`:                                ".copyTags must be true or false",
		`"licensing":true`:                                ".licensing must be an object, not a boolean",
		`"licensing":{"osByol":"yes"}`:                    ".licensing.osByol must be true or false",
		`"privateIp":"10.0.0.256"`:                        `.privateIp "10.0.0.256" is not an IPv4 address`,
		`"launchDisposition":"started"`:                   `.launchDisposition "started" must be one of STARTED, STOPPED`,
		`"targetInstanceTypeRightSizingMethod":"AUTO"`:    ".targetInstanceTypeRightSizingMethod \"AUTO\" must be one of NONE, BASIC, IN_AWS",
		`"securityGroups":[` + manySecurityGroups() + `]`: ".securityGroups is a list of 17, and a network interface takes 16 at most",
	} {
		if f := refused(t, setting(t, members)); !strings.HasPrefix(f.Message, "state.waves[0].servers[0].launchConfig"+want) {
			t.Errorf("%s: got %q, want %q", members, f.Message, want)
		}
	}
	f := refused(t, edit(t, tiny, `"launchConfig":{}`, `"launchConfig":[]`))
	if f.Message != "state.waves[0].servers[0].launchConfig must be an object, not an array" {
		t.Errorf("got %q", f.Message)
	}
}

func manySecurityGroups() string {
	return strings.TrimSuffix(strings.Repeat(`"sg-1",`, 17), ",")
}

// Somebody must have said how a server is launched: itself, or its group.
func TestAServerNeedsALaunchConfigurationFromSomewhere(t *testing.T) {
	for _, none := range []string{``, `,"launchConfig":null`} {
		payload := edit(t, tiny, `,"launchConfig":{}`, none)
		f := refused(t, payload)
		if want := "state.waves[0].servers[0].launchConfig is missing, and the wave has no protectionGroupId"; !strings.HasPrefix(f.Message, want) {
			t.Errorf("got %q, want %q", f.Message, want)
		}
		w := accepted(t, edit(t, payload, `"waveNumber":1`, `"waveNumber":1,"protectionGroupId":"pg-1"`))
		if w.Wave.Group != "pg-1" || w.Wave.Configured() {
			t.Errorf("got %+v", w.Wave)
		}
	}
	accepted(t, tiny) // {} says: as DRS has it
}

func TestAnEventMayBringItsProtectionGroup(t *testing.T) {
	with := func(groups string) string {
		return edit(t, tiny, `"waveNumber":1`, `"waveNumber":1,"protectionGroupId":"pg-1"`, `"startTime":"now"`, `"startTime":"now","protectionGroups":`+groups)
	}
	w := accepted(t, with(`{"pg-1":{"launchConfig":{"instanceType":"t3.medium"},"overrides":{"s-1":{"subnet":"subnet-1"},"s-9":"another wave's"}},"pg-2":0}`))
	want := map[recovery.ProtectionGroupID]*recovery.ProtectionGroup{"pg-1": {
		ID:           "pg-1",
		LaunchConfig: recovery.LaunchConfig{recovery.InstanceType: "t3.medium"},
		Overrides:    map[recovery.SourceServerID]recovery.LaunchConfig{"s-1": {recovery.Subnet: "subnet-1"}},
	}}
	if diff := cmp.Diff(want, w.Groups); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, none := range []string{`{}`, `null`, `{"pg-1":null}`, `{"pg-2":{}}`} {
		if w := accepted(t, with(none)); len(w.Groups) != 0 {
			t.Errorf("%s: got %v", none, w.Groups)
		}
	}
	for groups, want := range map[string]string{
		`[]`:                                   "state.protectionGroups must be an object, not an array",
		`{"pg-1":7}`:                           `state.protectionGroups["pg-1"] must be an object, not a number`,
		`{"pg-1":{"launchConfig":7}}`:          `state.protectionGroups["pg-1"].launchConfig must be an object, not a number`,
		`{"pg-1":{"launchConfig":{"name":7}}}`: `state.protectionGroups["pg-1"].launchConfig.name must be a string`,
		`{"pg-1":{"overrides":{"s-1":{"subnet":"x"}}}}`: `state.protectionGroups["pg-1"].overrides["s-1"].subnet "x" is not an id`,
		`{"pg-1":{"overrides":[]}}`:                     `state.protectionGroups["pg-1"].overrides must be an object, not an array`,
		`{"pg-1":{},"pg-1":{}}`:                         "state.protectionGroups.pg-1 is given more than once",
	} {
		if f := refused(t, with(groups)); !strings.HasPrefix(f.Message, want) {
			t.Errorf("%s: got %q, want %q", groups, f.Message, want)
		}
	}
}

func TestTheNewestDataIsSpelledInThreeWaysAndAPointInTimeIsPinned(t *testing.T) {
	for spelling, want := range map[string]recovery.SnapshotID{`"AUTO"`: "", `""`: "", `null`: "", `"pit-1"`: "pit-1"} {
		w := accepted(t, edit(t, tiny, `"serverId":"s-1"`, `"serverId":"s-1","recoverySnapshotID":`+spelling))
		if got := w.Wave.Servers[0].Snapshot; got != want {
			t.Errorf("%s is read as %q", spelling, got)
		}
	}
	for _, wrong := range []string{`"auto"`, `"LATEST"`, `7`} {
		if f := refused(t, edit(t, tiny, `"serverId":"s-1"`, `"serverId":"s-1","recoverySnapshotID":`+wrong)); !strings.Contains(f.Message, "servers[0].recoverySnapshotID") {
			t.Errorf("%s: %q", wrong, f.Message)
		}
	}
}

func TestAWavesOwnAccountReplacesTheStatesWhole(t *testing.T) {
	own := func(account string) string {
		return edit(t, tiny, `"roleName":"Role"`, `"roleName":"Role","externalId":"shared"`, `"waveNumber":1`, `"waveNumber":1,"accountContext":`+account)
	}
	w := accepted(t, own(`{"accountId":"222222222222","region":"eu-west-1","roleName":"Other"}`))
	if want := (recovery.AccountContext{AccountID: "222222222222", Region: "eu-west-1", RoleName: "Other"}); w.Wave.Account != want {
		t.Errorf("got %+v: the external id of another account goes nowhere", w.Wave.Account)
	}
	if w := accepted(t, own(`null`)); w.Wave.Account.ExternalID.Reveal() != "shared" {
		t.Errorf("got %+v", w.Wave.Account)
	}
	f := refused(t, own(`{"accountId":"222222222222"}`))
	if want := "state.waves[0].accountContext.region is missing; state.waves[0].accountContext.roleName is missing"; f.Message != want {
		t.Errorf("got %q, want %q", f.Message, want)
	}
	if f := refused(t, own(`[]`)); f.Message != "state.waves[0].accountContext must be an object, not an array" {
		t.Errorf("got %q", f.Message)
	}
}

func TestReadinessIsAskedForByName(t *testing.T) {
	w := accepted(t, stateField(t, `"readinessPolicy":"RECOVERY_POINT","replaceLiveInstances":["i-1","i-2"]`))
	if w.Policy != recovery.RecoveryPointPolicy || len(w.Replace) != 2 || w.Replace[1] != "i-2" {
		t.Errorf("got %s, %v", w.Policy, w.Replace)
	}
	for _, wrong := range []string{`"readinessPolicy":"recovery_point"`, `"readinessPolicy":1`, `"replaceLiveInstances":"i-1"`, `"replaceLiveInstances":[1]`, `"replaceLiveInstances":["s-1"]`, `"replaceLiveInstances":true`} {
		refused(t, stateField(t, wrong))
	}
}
