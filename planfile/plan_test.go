package planfile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/planfile"
	"muster/recovery"
)

func environment(vars map[string]string) planfile.Reader {
	return planfile.Reader{Lookup: func(name string) (string, bool) { v, ok := vars[name]; return v, ok }}
}

func source(text string) planfile.Source {
	return planfile.Source{Name: "p.yaml", Data: []byte(text)}
}

const whole = `version: 1
plan: {id: rp-shop, name: Web shop, owner: dr-team@example.com}
accountContext: {accountId: "123456789012", region: us-west-2, roleName: DRSOrchestrationRole, externalId: "${DR_EXTERNAL_ID}"}
objectives: {recoveryTimeMinutes: 120, recoveryPointMinutes: 15}
waves:
  - {waveNumber: 1, waveName: Database Tier, protectionGroupId: pg-database}
  - waveNumber: 2
    waveName: Application Tier
    protectionGroupId: pg-app
    dependsOnWaves: [1]
    pauseBeforeWave: true
    onFailure: STOP
    timeoutMinutes: 90
    servers:
      - {serverId: s-3, hostname: app-03, impactLevel: OPTIONAL, launchConfig: {instanceType: r5.xlarge}, recoverySnapshotID: pit-1}
      - {serverId: s-4, recoverySnapshotID: AUTO}
  - {waveNumber: 3, protectionGroupId: pg-web, independent: true}
  - waveNumber: 4
    accountContext: {accountId: "444455556666", region: eu-central-1, roleName: Other}
    servers: [{serverId: s-9, launchConfig: {}}]
groups:
  pg-database: {servers: [s-1, s-2], launchConfig: {instanceType: t3.medium}}
`

const wholeGroups = `version: 1
groups:
  pg-app: {servers: [s-3, s-4, s-5]}
  pg-web: {tags: {Tier: web, Legacy: ""}, accountContext: {accountId: "111122223333", region: us-east-1, roleName: Web}}
`

func TestAPlanIsReadWhole(t *testing.T) {
	file, err := environment(map[string]string{"DR_EXTERNAL_ID": "secret-1"}).Read(source(whole), planfile.Source{Name: "g.yaml", Data: []byte(wholeGroups)})
	if err != nil {
		t.Fatal(err)
	}
	shared := recovery.AccountContext{AccountID: "123456789012", Region: "us-west-2", RoleName: "DRSOrchestrationRole", ExternalID: recovery.NewSecret("secret-1")}
	want := &recovery.Plan{
		ID: "rp-shop", Name: "Web shop", Owner: "dr-team@example.com", Account: shared,
		Objectives: recovery.Objectives{RecoveryTime: 2 * time.Hour, RecoveryPoint: 15 * time.Minute},
		Waves: []recovery.PlannedWave{
			{Wave: recovery.Wave{Number: 1, Name: "Database Tier", Group: "pg-database", Account: shared, Servers: []recovery.Server{{ID: "s-1"}, {ID: "s-2"}}}},
			{
				Wave: recovery.Wave{Number: 2, Name: "Application Tier", Group: "pg-app", Account: shared, Servers: []recovery.Server{
					{ID: "s-3", Hostname: "app-03", Impact: recovery.Optional, Snapshot: "pit-1", LaunchConfig: recovery.LaunchConfig{recovery.InstanceType: "r5.xlarge"}},
					{ID: "s-4"},
				}},
				DependsOn: []int{1}, PauseBefore: true, OnFailure: recovery.StopOnFailure, Timeout: 90 * time.Minute,
			},
			{
				Wave:        recovery.Wave{Number: 3, Group: "pg-web", Account: recovery.AccountContext{AccountID: "111122223333", Region: "us-east-1", RoleName: "Web"}},
				Independent: true, Tags: map[string]string{"Tier": "web", "Legacy": ""},
			},
			{Wave: recovery.Wave{Number: 4, Account: recovery.AccountContext{AccountID: "444455556666", Region: "eu-central-1", RoleName: "Other"},
				Servers: []recovery.Server{{ID: "s-9", LaunchConfig: recovery.LaunchConfig{}}}}},
		},
	}
	want.Groups = map[recovery.ProtectionGroupID]*recovery.ProtectionGroup{
		"pg-database": {ID: "pg-database", LaunchConfig: recovery.LaunchConfig{recovery.InstanceType: "t3.medium"}},
		"pg-app":      {ID: "pg-app", LaunchConfig: recovery.LaunchConfig{}},
		"pg-web":      {ID: "pg-web", LaunchConfig: recovery.LaunchConfig{}},
	}
	if diff := cmp.Diff(want, file.Plan); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// problems reads a plan, with problems, and tells them line by line.
func problems(t *testing.T, vars map[string]string, plan string, groups ...planfile.Source) []string {
	t.Helper()
	file, err := environment(vars).Read(source(plan), groups...)
	if err == nil {
		return nil
	}
	if file != nil {
		t.Error("a wrong plan was given all the same")
	}
	return strings.Split(err.Error(), "\n")
}

func compare(t *testing.T, want, got []string) {
	t.Helper()
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(got):
			t.Errorf("missing: %s", want[i])
		case i >= len(want):
			t.Errorf("unexpected: %s", got[i])
		case !strings.HasPrefix(got[i], want[i]):
			t.Errorf("got  %s\nwant %s", got[i], want[i])
		}
	}
}

func TestEveryProblemOfAPlansWordsIsNamed(t *testing.T) {
	const good = `{accountId: "123456789012", region: us-west-2, roleName: R}`
	for _, c := range []struct{ name, plan, want string }{
		{"nothing", "", "p.yaml: the file is empty: it needs a plan and its waves"},
		{"a list", "- 1", "p.yaml:1:1: must be an object, not an array"},
		{"an empty plan", "waves: []", "p.yaml:1:1: version: is missing|p.yaml:1:1: plan: is missing|p.yaml:1:8: waves: is empty: a plan has at least 1 wave"},
		{"nothing where much is needed", "version: 1\nplan:\nwaves:\naccountContext: {accountId: , region: us-west-2}",
			"p.yaml:2:6: plan: is missing|p.yaml:3:7: waves: is missing|p.yaml:4:17: accountContext.roleName: is missing|p.yaml:4:29: accountContext.accountId: is missing"},
		{"the plan itself", "version: 1\nplan: {name: \"\\u202e\", owner: 5, title: x}\nwaves: 7", `p.yaml:2:7: plan.id: is missing|` +
			`p.yaml:2:14: plan.name: "\u202e" has control characters|p.yaml:2:31: plan.owner: must be a string|p.yaml:2:34: plan.title: is not known here; there are: id, name, owner|` +
			`p.yaml:3:8: waves: must be an array, not a number`},
		{"objectives", body("") + "objectives: {recoveryPointMinutes: 0, recoveryTimeMinutes: 1h}",
			`p.yaml:5:36: objectives.recoveryPointMinutes: is 0, but an objective is from 1 to 527040 minutes|p.yaml:5:60: objectives.recoveryTimeMinutes: must be a number, not a string`},
		{"numbers", body("{waveNumber: 010, @}", "{waveNumber: -1, @}", "{waveName: x, @}", "5", "{waveNumber: 0x1, dependsOnWaves: [\"1\", 1000000], @}"),
			`p.yaml:5:18: waves[0].waveNumber: is a number to YAML, and perhaps another than it shows|p.yaml:6:18: waves[1].waveNumber: is -1, but a wave's number is from 0 to 999999|` +
				`p.yaml:7:5: waves[2].waveNumber: is missing|p.yaml:8:5: waves[3]: must be an object, not a number|p.yaml:9:18: waves[4].waveNumber: is a number to YAML, and perhaps another than it shows|` +
				`p.yaml:9:40: waves[4].dependsOnWaves[0]: must be a number, not a string|p.yaml:9:45: waves[4].dependsOnWaves[1]: is 1000000, but`},
		{"what a wave says", body(`{waveNumber: 1, pauseBeforeWave: "yes", onFailure: pause, timeoutMinutes: 0, launchOrder: 1, @}`, `{waveNumber: 2, timeoutMinutes: 10081, independent: true, dependsOnWaves: [1], servers: [{serverId: s-2, launchConfig: {}}]}`),
			`p.yaml:5:38: waves[0].pauseBeforeWave: must be true or false, not a string|p.yaml:5:56: waves[0].onFailure: "pause" must be one of PAUSE, STOP, CONTINUE|` +
				`p.yaml:5:79: waves[0].timeoutMinutes: is 0, but a wave is given from 1 to 10080 minutes|p.yaml:5:82: waves[0].launchOrder: is not known here; there are: accountContext, dependsOnWaves,|` +
				`p.yaml:6:37: waves[1].timeoutMinutes: is 10081|p.yaml:6:57: waves[1].independent: and dependsOnWaves are both given: a wave that is independent waits for none`},
		{"what a server says", body(`{waveNumber: 1, servers: [{serverId: db-1}, {hostname: x}, {serverId: s-1, impactLevel: HIGH, recoverySnapshotID: snap-1, launchConfig: {subnet: x}}, {serverId: s-1}, {serverId: s-2}]}`),
			`p.yaml:5:31: waves[0].servers[0].launchConfig: is missing, and the wave has no protectionGroupId|p.yaml:5:42: waves[0].servers[0].serverId: "db-1" is not an id of the form s-…|p.yaml:5:49: waves[0].servers[1].serverId: is missing|p.yaml:5:49: waves[0].servers[1].launchConfig: is missing|` +
				`p.yaml:5:93: waves[0].servers[2].impactLevel: "HIGH" must be one of CRITICAL, OPTIONAL|p.yaml:5:119: waves[0].servers[2].recoverySnapshotID: "snap-1" is not|` +
				`p.yaml:5:150: waves[0].servers[2].launchConfig.subnet: "x" is not an id|p.yaml:5:155: waves[0].servers[3].launchConfig: is missing|p.yaml:5:166: waves[0].servers[3].serverId: s-1 is named twice|` +
				`p.yaml:5:172: waves[0].servers[4].launchConfig: is missing`},
		{"a key twice", body("{waveNumber: 1, waveNumber: 2, @}") + "plan: {id: rp-2}", "p.yaml:5:21: waves[0].waveNumber: is given more than once|p.yaml:6:1: plan: is given more than once"},
		{"no account", "version: 1\nplan: {id: rp-1}\nwaves: [{waveNumber: 1, servers: [{serverId: s-1, launchConfig: {}}]}, {waveNumber: 2, accountContext: " + good + ", servers: [{serverId: s-2, launchConfig: {}}]}]",
			"p.yaml:3:9: waves[0]: the wave has no accountContext: neither the wave, nor its group, nor the plan gives one"},
	} {
		t.Run(c.name, func(t *testing.T) { compare(t, strings.Split(c.want, "|"), problems(t, nil, c.plan)) })
	}
}

// body is a plan of waves that is right but for them; @ stands for a server.
func body(waves ...string) string {
	text := "version: 1\nplan: {id: rp-1}\naccountContext: {accountId: \"123456789012\", region: us-west-2, roleName: R}\nwaves:"
	for i, w := range waves {
		if i == 0 && w == "" {
			return text + " [{waveNumber: 1, servers: [{serverId: s-0, launchConfig: {}}]}]\n"
		}
		text += "\n  - " + strings.ReplaceAll(w, "@", fmt.Sprintf("servers: [{serverId: s-%d, launchConfig: {}}]", i))
	}
	return text + "\n"
}

// hundred lists more servers than a job takes.
func hundred() string {
	var ids []string
	for i := range 101 {
		ids = append(ids, fmt.Sprintf("s-h%d", i))
	}
	return strings.Join(ids, ", ")
}

func TestEveryProblemOfTheWholeIsNamed(t *testing.T) {
	const groups = `groups:
  pg-a: {servers: [s-1, s-2, s-3, s-4, s-5], launchConfig: {instanceType: t3.medium}}
  pg-web: {tags: {Tier: web}}
  pg-none: {launchConfig: {}}
`
	for _, c := range []struct{ name, plan, want string }{
		{"numbers and dependencies", body("{waveNumber: 1, dependsOnWaves: [1], @}", "{waveNumber: 1, @}", "{waveNumber: 2, dependsOnWaves: [1, 7], @}"),
			"p.yaml:5:38: waves[0].dependsOnWaves[0]: wave 1 depends on itself|p.yaml:6:18: waves[1].waveNumber: wave 1 is there already|p.yaml:7:41: waves[2].dependsOnWaves[1]: there is no wave 7; there are 1, 2"},
		{"a circle", body("{waveNumber: 2, dependsOnWaves: [3], @}", "{waveNumber: 3, dependsOnWaves: [1], @}", "{waveNumber: 1, dependsOnWaves: [2], @}"),
			"p.yaml:7:38: waves[2].dependsOnWaves[0]: waves wait for one another in a circle, so that none of them could start: 1 → 3 → 2 → 1"},
		{"a group that is not there", body("{waveNumber: 1, protectionGroupId: pg-b}", "{waveNumber: 2, protectionGroupId: 5}") + groups,
			"p.yaml:5:40: waves[0].protectionGroupId: the plan has no group pg-b; it has pg-a, pg-none, pg-web|p.yaml:6:40: waves[1].protectionGroupId: must be a string"},
		{"no servers", body("{waveNumber: 1, protectionGroupId: pg-none}", "{waveNumber: 2}", "{waveNumber: 3, protectionGroupId: pg-a, servers: []}") + groups,
			"p.yaml:5:40: waves[0].protectionGroupId: the wave lists no servers, and protection group pg-none has neither servers nor tags|p.yaml:6:5: waves[1]: the wave has neither servers nor a protectionGroupId|p.yaml:7:55: waves[2].servers: is empty: a wave needs at least 1 server"},
		{"servers of others", body("{waveNumber: 1, protectionGroupId: pg-a}", "{waveNumber: 2, protectionGroupId: pg-a, servers: [{serverId: s-9}, {serverId: s-2}]}", "{waveNumber: 3, protectionGroupId: pg-a}", "{waveNumber: 4, protectionGroupId: pg-web}", "{waveNumber: 5, protectionGroupId: pg-web}") + groups,
			"p.yaml:6:67: waves[1].servers[0].serverId: the wave lists s-9, which is not among the servers of protection group pg-a|p.yaml:6:84: waves[1].servers[1].serverId: s-2 is in wave 1 too|p.yaml:7:40: waves[2].protectionGroupId: s-1, s-2, s-3 and 2 more: each of them is in wave 1 too|p.yaml:9:40: waves[4].protectionGroupId: the wave takes all servers of protection group pg-web, and so does wave 4"},
		{"too many", body("{waveNumber: 1, protectionGroupId: pg-h}") + "groups: {pg-h: {servers: [" + hundred() + "]}}",
			"p.yaml:5:40: waves[0].protectionGroupId: the wave has 101 servers, and DRS takes at most 100 in one job: split it"},
		{"contradictions", body("{waveNumber: 1, protectionGroupId: pg-a, servers: [{serverId: s-1, launchConfig: {targetInstanceTypeRightSizingMethod: BASIC}}]}") + groups +
			"  pg-c: {launchConfig: {privateIp: 10.0.0.1, copyPrivateIp: true}, overrides: {s-1: {copyPrivateIp: true}}}\n" +
			"  pg-d: {launchConfig: {instanceType: t3.medium}, overrides: {s-1: {targetInstanceTypeRightSizingMethod: IN_AWS}}}\n" +
			"  pg-e: {tags: {}}",
			"p.yaml:5:67: waves[0].servers[0].serverId: instanceType (from the protection group) needs targetInstanceTypeRightSizingMethod to be NONE, but the server says BASIC|" +
				"p.yaml:10:24: groups[\"pg-c\"].launchConfig: privateIp (from the protection group) needs copyPrivateIp to be false|" +
				"p.yaml:11:68: groups[\"pg-d\"].overrides[\"s-1\"]: instanceType (from the protection group) needs targetInstanceTypeRightSizingMethod|" +
				"p.yaml:12:16: groups[\"pg-e\"].tags: is empty, and no tags at all would mean every server"},
		{"no server of its own", body(`{waveNumber: 1, servers: [{serverId: s-1, launchConfig: {privateIp: 10.0.0.1, copyPrivateIp: true}}]}`),
			"p.yaml:5:42: waves[0].servers[0].serverId: privateIp (from the server) needs copyPrivateIp"},
	} {
		t.Run(c.name, func(t *testing.T) { compare(t, strings.Split(c.want, "|"), problems(t, nil, c.plan)) })
	}
}

func TestProblemsOfAllFilesAreNamedAtOnce(t *testing.T) {
	groups := planfile.Source{Name: "g.yaml", Data: []byte("groups:\n  pg-a: {servers: [x]}\n  pg-b: {servers: [s-1]}\n")}
	compare(t, []string{
		`p.yaml:5:40: waves[0].protectionGroupId: the plan has no group pg-c; it has pg-a, pg-b`,
		`g.yaml:2:20: groups["pg-a"].servers[0]: "x" is not an id`,
		`g.yaml:3:3: groups["pg-b"]: the plan has a group of this id already`,
	}, problems(t, nil, body("{waveNumber: 1, protectionGroupId: pg-c}")+"groups: {pg-b: {}}", groups))
	_, err := environment(nil).Read(source("version: 1"), groups)
	var e *planfile.Error
	if !errors.As(err, &e) || e.Problems[0].File != "p.yaml" {
		t.Errorf("got %#v", err)
	}
}

func TestASecretComesFromTheEnvironmentAndIsNeverTold(t *testing.T) {
	plan := func(externalID string) string {
		return strings.Replace(body(""), `: {accountId: "123456789012", region: us-west-2, roleName: R}`,
			":\n  externalId: "+externalID+"\n  accountId: \"123456789012\"\n  region: us-west-2\n  roleName: R", 1)
	}
	vars := map[string]string{"GOOD": "secret-1", "BAD": "säcret", "EMPTY": ""}
	for externalID, want := range map[string]string{
		"${GOOD}":     "secret-1",
		"secret-2":    "secret-2",
		`""`:          "p.yaml:4:15: accountContext.externalId: is not an external id",
		"${MISSING}":  "p.yaml:4:15: accountContext.externalId: the environment variable MISSING is not set",
		"${BAD}":      "p.yaml:4:15: accountContext.externalId: what the environment variable BAD holds is not an external id",
		"${EMPTY}":    "p.yaml:4:15: accountContext.externalId: what the environment variable EMPTY holds is not an external id",
		"säcret":      "p.yaml:4:15: accountContext.externalId: is not an external id",
		"x${GOOD}":    "p.yaml:4:15: accountContext.externalId: a variable is the whole value of an externalId",
		"[säcret]":    "p.yaml:4:15: accountContext.externalId: must be a string, not an array",
		`"secret\t3"`: "p.yaml:4:15: accountContext.externalId: is not an external id",
	} {
		file, err := environment(vars).Read(source(plan(externalID)))
		got := fmt.Sprint(err)
		if err == nil {
			got = file.Plan.Account.ExternalID.Reveal()
			if shown := fmt.Sprintf("%+v", file.Plan); strings.Contains(shown, "secret") {
				t.Errorf("%s: %s", externalID, shown)
			}
		} else if strings.Contains(got, "cret\t") || strings.Contains(got, "säcret") {
			t.Errorf("%s: the secret is told: %s", externalID, got)
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s:\ngot  %s\nwant %s", externalID, got, want)
		}
	}
	if _, err := (planfile.Reader{}).Read(source(plan("${GOOD}"))); err == nil {
		t.Error("without an environment, a variable was found")
	}
	compare(t, []string{`p.yaml:3:89: not YAML: a variable between { and } needs quotes: "${NAME}"`},
		problems(t, nil, strings.Replace(body(""), "roleName: R", "roleName: R, externalId: ${GOOD}", 1)))
}
