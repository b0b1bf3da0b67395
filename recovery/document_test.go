package recovery_test

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/recovery"
)

// kept is the plan whose record Muster 0.x made in testdata/version0.
func kept() *recovery.Plan {
	shared := recovery.AccountContext{AccountID: "111122223333", Region: "us-west-2", RoleName: "R", ExternalID: recovery.NewSecret("the-plans-word")}
	return &recovery.Plan{
		ID: "rp-1", Name: "Web shop", Owner: "ops@example.com", Account: shared,
		Objectives: recovery.Objectives{RecoveryTime: 2 * time.Hour, RecoveryPoint: 15 * time.Minute},
		Waves: []recovery.PlannedWave{
			{
				Wave: recovery.Wave{Number: 2, Name: "Databases", Group: "pg-db",
					Account: recovery.AccountContext{AccountID: "444455556666", Region: "us-east-1", RoleName: "W", ExternalID: recovery.NewSecret("the-waves-word")},
					Servers: []recovery.Server{
						{ID: "s-1", Hostname: "db-1", Snapshot: "pit-1", Impact: recovery.Optional, LaunchConfig: recovery.LaunchConfig{
							recovery.SecurityGroups: []string{"sg-1", "sg-2"}, recovery.OSByol: true, recovery.InstanceType: "r5.large"}},
						{ID: "s-2", LaunchConfig: recovery.LaunchConfig{}},
						{ID: "s-3"},
					}},
				DependsOn: []int{1}, PauseBefore: true, OnFailure: recovery.StopOnFailure, Timeout: 90 * time.Minute,
			},
			{Wave: recovery.Wave{Number: 1, Group: "pg-web", Account: shared}, Independent: true, OnFailure: recovery.PauseOnFailure, Timeout: 120 * time.Minute, Tags: map[string]string{"tier": "web"}},
		},
		Groups: map[recovery.ProtectionGroupID]*recovery.ProtectionGroup{
			"pg-db": {ID: "pg-db", LaunchConfig: recovery.LaunchConfig{recovery.Subnet: "subnet-1"},
				Overrides: map[recovery.SourceServerID]recovery.LaunchConfig{"s-1": {recovery.CopyTags: false}}},
			"pg-web": {ID: "pg-web"},
		},
	}
}

// digest0 is what 0.x took of that plan.
const digest0 = "6b310102a1975e37fcfe64367ed6435f0ea1eff80945774f8d9a96a6feb4f2b2"

func TestWhatVersion0FrozeIsReadAndKnownAgain(t *testing.T) {
	record, err := os.ReadFile("testdata/version0/plan.json")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := recovery.ThawPlan(record)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(kept(), plan); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	digests, err := plan.Digests()
	if err != nil || !digests.Of(digest0) || digests[0] == digest0 {
		t.Errorf("the plan has the digests %v, %v; the last has to be %s", digests, err, digest0)
	}
	record, err = os.ReadFile("testdata/version0/group.json")
	if err != nil {
		t.Fatal(err)
	}
	group, err := recovery.ThawGroup(record)
	if err != nil {
		t.Fatal(err)
	}
	want := &recovery.PlannedGroup{ProtectionGroup: *kept().Groups["pg-db"], Servers: []recovery.SourceServerID{"s-1", "s-2"}, Account: &kept().Waves[0].Account}
	if diff := cmp.Diff(want, group); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestAPlanIsFrozenAsItsDocument(t *testing.T) {
	frozen, err := kept().Freeze()
	if err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{`"version":1`, `"plan":{"id":"rp-1","name":"Web shop","owner":"ops@example.com"}`, `"licensing":{"osByol":true}`, `"timeoutMinutes":90`, `"externalId":"the-waves-word"`} {
		if !strings.Contains(string(frozen), says) {
			t.Errorf("%s is not in %s", says, frozen)
		}
	}
	thawed, err := recovery.ThawPlan(frozen)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(kept(), thawed); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDigestsAreOfWhatAPlanSays(t *testing.T) {
	digests := func(change func(*recovery.Plan)) recovery.Digests {
		t.Helper()
		p := kept()
		change(p)
		d, err := p.Digests()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	of := digests(func(*recovery.Plan) {})[0]
	said := kept()
	said.Waves[0].Servers[1].Impact = recovery.Critical
	if _, err := said.Digests(); err != nil || said.Waves[0].Servers[1].Impact != recovery.Critical {
		t.Errorf("taking a digest changed the plan: %+v, %v", said, err)
	}
	for name, same := range map[string]func(*recovery.Plan){
		"defaults that are said": func(p *recovery.Plan) { p.Waves[0].Servers[1].Impact = recovery.Critical },
		"defaults that are not":  func(p *recovery.Plan) { p.Waves[1].OnFailure, p.Waves[1].Timeout = "", 0 },
		"another external id":    func(p *recovery.Plan) { p.Account.ExternalID = recovery.NewSecret("changed") },
		"another order of waves": func(p *recovery.Plan) { slices.Reverse(p.Waves) },
		"an empty list":          func(p *recovery.Plan) { p.Waves[1].DependsOn = []int{} },
	} {
		if got := digests(same)[0]; got != of {
			t.Errorf("%s: the digest is %s, want %s", name, got, of)
		}
	}
	for name, other := range map[string]func(*recovery.Plan){
		"a server":      func(p *recovery.Plan) { p.Waves[0].Servers[2].ID = "s-4" },
		"a setting":     func(p *recovery.Plan) { p.Groups["pg-db"].LaunchConfig[recovery.Subnet] = "subnet-2" },
		"no settings":   func(p *recovery.Plan) { p.Waves[0].Servers[1].LaunchConfig = nil },
		"an account":    func(p *recovery.Plan) { p.Waves[1].Account.AccountID = "999988887777" },
		"a tag":         func(p *recovery.Plan) { p.Waves[1].Tags["tier"] = "app" },
		"a need":        func(p *recovery.Plan) { p.Needs = []string{"steps"} },
		"another limit": func(p *recovery.Plan) { p.Waves[1].Timeout = time.Hour },
	} {
		if d := digests(other); d.Of(of) {
			t.Errorf("%s: the plan still has the digest %s", name, of)
		}
	}
	if none := (recovery.Digests)(nil); !none.Of("anything") {
		t.Error("an event that carries no plan is of another one")
	}
}

// later gives a record as a version makes it that knows more keys, everywhere.
func later(t *testing.T, record []byte) []byte {
	t.Helper()
	var doc any
	if err := json.Unmarshal(record, &doc); err != nil {
		t.Fatal(err)
	}
	var add func(any)
	add = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				if key != "tags" && key != "launchConfig" && key != "overrides" && key != "groups" {
					add(inner)
				}
			}
			v["laterKey"] = false
		case []any:
			for _, inner := range v {
				add(inner)
			}
		}
	}
	add(doc)
	out, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A version that knows more keys makes the same digest of a plan that has none
// of them, and what it froze is read by one that does not know them.
func TestAPlanWithALaterKeyAtItsDefaultIsTheSamePlan(t *testing.T) {
	frozen, err := kept().Freeze()
	if err != nil {
		t.Fatal(err)
	}
	version0, err := os.ReadFile("testdata/version0/plan.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, record := range map[string][]byte{"this version's": frozen, "that of version 0": version0} {
		if name == "that of version 0" { // its external ids are listed, and its groups are ours
			record = []byte(strings.Replace(string(record), `"Name":"Web shop"`, `"Name":"Web shop","LaterKey":false`, 1))
		} else {
			record = later(t, record)
		}
		plan, err := recovery.ThawPlan(record)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := plan.Digests()
		if err != nil {
			t.Fatal(err)
		}
		want, err := kept().Digests()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		if err := plan.Understood(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAPlanThatNeedsWhatIsNotKnownIsLookedAtAndNotActedOn(t *testing.T) {
	frozen, err := kept().Freeze()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, with, says string }{
		"a need":          {`"version":1`, `"version":1,"needs":["steps"]`, `"steps"`},
		"a later version": {`"version":1`, `"version":2`, "version 2 of plan documents"},
	} {
		plan, err := recovery.ThawPlan([]byte(strings.Replace(string(frozen), c.old, c.with, 1)))
		if err != nil {
			t.Fatalf("%s: it cannot be looked at: %v", name, err)
		}
		refused, is := errors.AsType[*recovery.Error](plan.Understood())
		if !is || refused.Code != recovery.WrongState || !strings.Contains(refused.Message, c.says) {
			t.Errorf("%s: to act on it is answered with %v", name, refused)
		}
		e := recovery.Execution{ID: "exec-1", Needs: plan.Needs}
		if err := e.Understood(); err == nil || !strings.Contains(err.Error(), "execution exec-1") {
			t.Errorf("%s: to act on its execution is answered with %v", name, err)
		}
	}
}

func TestWhatIsProbablyASlipIsDoubtedWithWhatIsNear(t *testing.T) {
	for slip, want := range map[string]string{
		recovery.RegionName("us-wset-2").Doubt():               `"us-wset-2" is not a region that DRS is known in; did you mean us-west-2?`,
		recovery.RegionName("xx-nowhere-1").Doubt():            `"xx-nowhere-1" is not a region that DRS is known in`,
		recovery.InstanceType.Doubt("r5.xlarg"):                `"r5.xlarg" is not an instance type of a size that EC2 is known to have; did you mean r5.xlarge?`,
		recovery.InstanceType.Doubt("r5.2xlrage"):              `"r5.2xlrage" is not an instance type of a size that EC2 is known to have; did you mean r5.2xlarge?`,
		recovery.SourceServerID("s-0123456789abcde").Doubt():   "s-0123456789abcde has 15 characters behind s-, and the ids of DRS have 17",
		recovery.SourceServerID("s-O123456789abcdef0").Doubt(): "s-O123456789abcdef0 is not of 17 digits 0 to 9 and a to f, as the ids of DRS are",
	} {
		if slip != want {
			t.Errorf("got  %s\nwant %s", slip, want)
		}
	}
	for _, right := range []string{
		recovery.RegionName("us-west-2").Doubt(), recovery.RegionName("us-gov-west-1").Doubt(), recovery.SourceServerID("s-0123456789abcdef0").Doubt(),
		recovery.SourceServerID("s-1").Doubt(), recovery.SourceServerID("s-db-primary-of-a-test").Doubt(), recovery.Subnet.Doubt("subnet-1"),
		recovery.InstanceType.Doubt("r5.xlarge"), recovery.InstanceType.Doubt("u-6tb1.112xlarge"), recovery.InstanceType.Doubt("m7i.metal-24xl"), recovery.InstanceType.Doubt("hpc6a.48xlarge"),
	} {
		if right != "" {
			t.Errorf("doubted: %s", right)
		}
	}
}
