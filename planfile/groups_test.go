package planfile_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"muster/planfile"
	"muster/recovery"
)

const plan = `version: 1
plan: {id: rp-shop, name: Web shop, owner: dr-team@example.com}
accountContext: {accountId: "123456789012", region: us-west-2, roleName: DRSOrchestrationRole}
objectives: {recoveryTimeMinutes: 120, recoveryPointMinutes: 15}
waves:
  - {waveNumber: 1, waveName: Database Tier, protectionGroupId: pg-database}
groups:
  pg-database:
    servers: [s-0123456789abcdef0, s-0123456789abcdef1]
    accountContext: {accountId: "123456789012", region: us-west-2, roleName: R, externalId: "${DR_EXTERNAL_ID}"}
    launchConfig: &small
      instanceType: t3.medium
      subnet: subnet-1
      securityGroups: [sg-1, sg-2]
      copyTags: true
      instanceProfile: ~
    overrides:
      s-0123456789abcdef1: {instanceType: r5.xlarge, licensing: {osByol: false}}
  pg-app:
    tags: {Tier: app}
    launchConfig: *small
  pg-empty:
`

func TestGroupsOfAPlanFileAreRead(t *testing.T) {
	groups, err := planfile.ParseGroups("plan.yaml", []byte(plan))
	if err != nil {
		t.Fatal(err)
	}
	got, err := groups.Group(context.Background(), "pg-database")
	if err != nil {
		t.Fatal(err)
	}
	small := recovery.LaunchConfig{
		recovery.InstanceType: "t3.medium", recovery.Subnet: "subnet-1",
		recovery.SecurityGroups: []string{"sg-1", "sg-2"}, recovery.CopyTags: true,
	}
	want := &recovery.ProtectionGroup{
		ID: "pg-database", LaunchConfig: small,
		Overrides: map[recovery.SourceServerID]recovery.LaunchConfig{
			"s-0123456789abcdef1": {recovery.InstanceType: "r5.xlarge", recovery.OSByol: false},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pg-database (-want +got):\n%s", diff)
	}
	if app, _ := groups.Group(context.Background(), "pg-app"); !cmp.Equal(app.LaunchConfig, small) {
		t.Errorf("pg-app, an alias, is %v", app.LaunchConfig)
	}
	if unknown, err := groups.Group(context.Background(), "pg-none"); unknown != nil || err != nil {
		t.Errorf("an unknown group is %v, %v", unknown, err)
	}
	if diff := cmp.Diff([]recovery.ProtectionGroupID{"pg-database", "pg-app", "pg-empty"}, groups.IDs()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]recovery.SourceServerID{"s-0123456789abcdef0", "s-0123456789abcdef1"}, groups.Servers("pg-database")); diff != "" {
		t.Error(diff)
	}
}

func TestEveryProblemIsNamedWithLineAndColumn(t *testing.T) {
	const file = `version: 2
grups: {}
groups:
  pg-a:
    launchConfig: {instanceType: big, subnt: x, subnet: 7, securityGroups: sg-1, copyTags: "yes"}
    servers: [s-1, s-1, db-1, 5]
    overrides:
      s-2: {subnet: vpc-1}
      nope: {}
    tags: {Tier: 1}
  pg-a: {}
  "pg/../b": {launchConfig: []}
  pg-c:
    accountContext: {accountId: 123456789012, region: Ohio, role: x, externalId: "é"}
    launchConfig: {<<: {subnet: subnet-1}, securityGroups: [sg-1, {a: b}], licensing: {osByol: 1}}
`
	_, err := planfile.ParseGroups("p.yaml", []byte(file))
	want := []string{
		`p.yaml:1:10: version: must be 1, the only version that there is`,
		`p.yaml:2:1: grups: is not known here; there are: accountContext, groups, needs, objectives, plan, version, waves`,
		`p.yaml:5:34: groups["pg-a"].launchConfig.instanceType: "big" is not an EC2 instance type such as r5.xlarge`,
		`p.yaml:5:39: groups["pg-a"].launchConfig.subnt: is not known here; there are: `,
		`p.yaml:5:57: groups["pg-a"].launchConfig.subnet: must be a string`,
		`p.yaml:5:76: groups["pg-a"].launchConfig.securityGroups: must be a list of strings`,
		`p.yaml:5:92: groups["pg-a"].launchConfig.copyTags: must be true or false`,
		`p.yaml:6:20: groups["pg-a"].servers[1]: s-1 is named twice`,
		`p.yaml:6:25: groups["pg-a"].servers[2]: "db-1" is not an id of the form s-…`,
		`p.yaml:6:31: groups["pg-a"].servers[3]: must be a string, not a number: put it between quotes`,
		`p.yaml:8:7: groups["pg-a"].overrides["s-2"]: is not among the group's servers`,
		`p.yaml:8:21: groups["pg-a"].overrides["s-2"].subnet: "vpc-1" is not an id of the form subnet-…`,
		`p.yaml:9:7: groups["pg-a"].overrides["nope"]: "nope" is not an id of the form s-…`,
		`p.yaml:10:11: groups["pg-a"].tags: and servers are both given: a group has one of the two`,
		`p.yaml:10:18: groups["pg-a"].tags["Tier"]: must be a string, not a number: put it between quotes`,
		`p.yaml:11:3: groups["pg-a"]: is given more than once`,
		`p.yaml:12:3: groups["pg/../b"]: "pg/../b" is not an id`,
		`p.yaml:12:29: groups["pg/../b"].launchConfig: must be an object, not an array`,
		`p.yaml:14:21: groups["pg-c"].accountContext.roleName: is missing`,
		`p.yaml:14:33: groups["pg-c"].accountContext.accountId: must be a string, not a number: put it between quotes`,
		`p.yaml: and 6 more`,
	}
	got := strings.Split(fmt.Sprint(err), "\n")
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
	var e *planfile.Error
	if !errors.As(err, &e) || len(e.Problems) != 26 {
		t.Errorf("%d problems are kept, want all 26", len(e.Problems))
	}
}

func TestAFileThatIsNoGroupsFileIsRefused(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"empty", "", "p.yaml: the file is empty: it needs groups"},
		{"only comments", "# nothing\n", "p.yaml: the file is empty: it needs groups"},
		{"nothing", "---\n", "p.yaml: the file is empty: it needs groups"},
		{"no groups", "version: 1\n", "p.yaml:1:1: groups: is missing"},
		{"a list", "- a\n", "p.yaml:1:1: must be an object, not an array"},
		{"not YAML", "groups: [\n", "p.yaml:1:1: not YAML: a value is missing here, or a bracket that opens is not closed"},
		{"two documents", "groups: {}\n---\ngroups: {}\n", "p.yaml:2:1: a second document begins here: a file holds one"},
		{"control characters", "groups: {\"\\e[2J\": 1}\n", `p.yaml:1:10: groups["\x1b[2J"]: "\x1b[2J" is not an id`},
	} {
		_, err := planfile.ParseGroups("p.yaml", []byte(c.file))
		if !strings.HasPrefix(fmt.Sprint(err), c.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", c.name, err, c.want)
		}
	}
}

func TestGroupsOfAnotherFileKeepTheirPlaces(t *testing.T) {
	var file struct{ Groups yaml.Node }
	if err := yaml.Unmarshal([]byte("x: 1\ngroups:\n  pg-a: {launchConfig: {subnet: subnet-1}}\n"), &file); err != nil {
		t.Fatal(err)
	}
	groups, err := planfile.GroupsOf("fleet.yaml", &file.Groups)
	if err != nil {
		t.Fatal(err)
	}
	if g, _ := groups.Group(context.Background(), "pg-a"); g == nil || g.LaunchConfig.Text(recovery.Subnet) != "subnet-1" {
		t.Errorf("pg-a is %+v", g)
	}
	var none yaml.Node
	if groups, err := planfile.GroupsOf("fleet.yaml", &none); err != nil || len(groups.IDs()) != 0 {
		t.Errorf("a file without groups gives %v, %v", groups.IDs(), err)
	}
	_ = yaml.Unmarshal([]byte("x: 1\ngroups:\n  pg-a: {launch: 1}\n"), &file)
	if _, err := planfile.GroupsOf("fleet.yaml", &file.Groups); !strings.HasPrefix(fmt.Sprint(err), `fleet.yaml:3:10: groups["pg-a"].launch: is not known here`) {
		t.Errorf("got %v", err)
	}
}
