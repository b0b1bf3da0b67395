package simulator_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/simulator"
)

func TestTheDefaultFleetIsBuiltIn(t *testing.T) {
	if got := simulator.FleetNames(); len(got) != 2 || got[0] != "three-tier" || got[1] != "specification" {
		t.Errorf("fleets %v", got)
	}
	f, err := simulator.LoadFleet("")
	if err != nil {
		t.Fatal(err)
	}
	if f.Name != "three-tier" || !f.StrictIDs || f.Caller != simulator.CallersAccount {
		t.Errorf("name %q, strict %v, caller %q", f.Name, f.StrictIDs, f.Caller)
	}
	if got := f.AccountIDs(); len(got) != 2 || got[0] != "111122223333" {
		t.Errorf("accounts %v: the file's first comes first", got)
	}
	servers, unready := 0, 0
	for _, a := range f.Accounts {
		for _, r := range a.Regions {
			servers += len(r.Servers)
			for _, s := range r.Servers {
				if s.Replication != "CONTINUOUS" {
					unready++
				}
			}
		}
	}
	if servers != 30 || unready != 3 {
		t.Errorf("%d servers, %d of them not CONTINUOUS, want 30 and 3", servers, unready)
	}
}

func TestAFleetKeepsItsProtectionGroupsForOthers(t *testing.T) {
	f, err := simulator.LoadFleet("specification")
	if err != nil {
		t.Fatal(err)
	}
	var groups map[string]struct {
		Servers      []string          `yaml:"servers"`
		LaunchConfig map[string]any    `yaml:"launchConfig"`
		Overrides    map[string]any    `yaml:"overrides"`
		Tags         map[string]string `yaml:"tags"`
	}
	if err := f.Groups.Decode(&groups); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pg-database", "pg-app", "pg-db"} {
		if len(groups[name].Servers) == 0 {
			t.Errorf("group %s has no servers", name)
		}
	}
	if n := len(groups["pg-database"].Servers); n != 5 {
		t.Errorf("pg-database has %d servers; the specification's first answer says 5", n)
	}
}

func TestAFleetNamesEveryProblemWithItsPlace(t *testing.T) {
	text := `version: 1
seed: abc
accounts:
  "12345": {}
  "123456789012":
    roles: [{name: R, trusts: [nobody], deny: [everything]}]
    regions:
      us-east-1:
        colour: blue
        subnets: [{id: subnet-0123456789abcdef0, cidr: 10.0.0.0/8}]
        servers:
          - id: s-db-01
            replication: CONTINOUS
            lag: soon
            template: {subnet: subnet-0aaaaaaaaaaaaaaaa}
          - {id: s-0123456789abcdef0, snapshots: [{age: 999h, id: pit-x}]}
          - {id: s-0123456789abcdef0}
        instances: [{server: s-unknown}]
        buckets: {s3: {}, ec2: {CreateLaunchTemplateVersion: [0, 1]}}
        faults: [{name: Explode}, {name: Throttle, operation: StartRecovry}, {name: LagJobList}]
`
	_, err := simulator.ParseFleet("bad.yaml", []byte(text))
	var fe *simulator.FleetError
	if !errors.As(err, &fe) {
		t.Fatalf("got %v, want a *FleetError", err)
	}
	for _, want := range []string{
		"bad.yaml:2:7: seed: must be a whole number",
		`bad.yaml:4:12: accounts.12345: "12345" is not an account id`,
		`roles[0].trusts[0]: "nobody"`,
		`roles[0].deny[0]: "everything"`,
		`bad.yaml:9:9: accounts.123456789012.regions.us-east-1.colour: unknown key "colour" (allowed: initialized,`,
		`subnets[0].cidr: "10.0.0.0/8"`,
		`bad.yaml:12:17: accounts.123456789012.regions.us-east-1.servers[0].id: "s-db-01" is not an id as AWS makes them`,
		`bad.yaml:13:26: accounts.123456789012.regions.us-east-1.servers[0].replication: must be one of STOPPED,`,
		`bad.yaml:14:18: accounts.123456789012.regions.us-east-1.servers[0].lag: "soon" is not a duration`,
		`template.subnet: no subnet of this region is called "subnet-0aaaaaaaaaaaaaaaa"`,
		`servers[1].snapshots[0].id: "pit-x"`,
		`servers[1].snapshots[0].age: is older than the server`,
		`servers[2].id: s-0123456789abcdef0 stands at accounts.123456789012.regions.us-east-1.servers[1].id already`,
		`instances[0].server: no server of this region is called "s-unknown"`,
		`buckets.s3: must be one of drs, ec2, sts`,
		`buckets.ec2.CreateLaunchTemplateVersion: must be a pair`,
		`faults[0].name: no fault is called "Explode" (there are DenyTagging,`,
		`faults[1].operation: no operation is called "StartRecovry"`,
		`faults[2]: LagJobList needs a duration`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
	for i := 1; i < len(fe.Problems); i++ {
		if fe.Problems[i].Line < fe.Problems[i-1].Line {
			t.Error("the problems are not in the file's order")
		}
	}
}

func TestRelaxedIdsStillHaveTheirPrefix(t *testing.T) {
	_, err := simulator.ParseFleet("f", []byte("version: 1\nstrictIds: false\naccounts: {\"123456789012\": {regions: {us-east-1: {servers: [{id: db-01}]}}}}\n"))
	if err == nil || !strings.Contains(err.Error(), `"db-01" is not an id of the kind s-…`) {
		t.Errorf("got %v", err)
	}
}

func TestFleetFilesAreFoundByPathToo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.yaml")
	text := "version: 1\naccounts: {\"123456789012\": {regions: {us-east-1: {servers: [&a {id: s-0123456789abcdef0, lag: PT1M30S, launches: {duration: 90s}}, {<<: *a, id: s-0123456789abcdef1}]}}}}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := simulator.LoadFleet(path)
	if err != nil {
		t.Fatal(err)
	}
	s := f.Accounts["123456789012"].Regions["us-east-1"].Servers
	for i := range s {
		if got := time.Duration(s[i].Lag); got != 90*time.Second {
			t.Errorf("server %d lags %v, want 1m30s", i, got)
		}
		if got := time.Duration(s[i].Launches.Duration); got != 90*time.Second {
			t.Errorf("server %d launches in %v, want 1m30s", i, got)
		}
		if len(s[i].Snapshots) != 1 || s[i].Launch.LaunchDisposition != "STARTED" {
			t.Errorf("server %d lacks its defaults: %+v", i, s[i])
		}
	}
	if _, err := simulator.LoadFleet("no-such-fleet"); err == nil || !strings.Contains(err.Error(), "three-tier, specification") {
		t.Errorf("an unknown fleet: %v", err)
	}
}

func TestDurationsHaveTwoSpellings(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"8m": 8 * time.Minute, "1h30m": 90 * time.Minute, "PT3S": 3 * time.Second, "PT0S": 0, "P1DT2H": 26 * time.Hour,
		"PT1.5S": 1500 * time.Millisecond, "P2D": 48 * time.Hour, "0s": 0,
	} {
		if got, err := simulator.ParseDuration(text); err != nil || time.Duration(got) != want {
			t.Errorf("%s: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "8", "P", "PT", "P1", "-5s", "PT-3S", "P99999D", "soon"} {
		if got, err := simulator.ParseDuration(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}
