package event_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/event"
	"muster/recovery"
)

func opening() event.Opening {
	shared := recovery.AccountContext{AccountID: "123456789012", Region: "us-west-2", RoleName: "R", ExternalID: recovery.NewSecret("secret-1")}
	other := recovery.AccountContext{AccountID: "111122223333", Region: "us-east-1", RoleName: "Web"}
	return event.Opening{
		Execution: "exec-1", Type: recovery.Drill, InitiatedBy: "user@example.com", StartTime: "2025-01-31T15:30:00Z",
		Plan: &recovery.Plan{
			ID: "rp-shop", Name: "Web <shop>", Owner: "dr-team@example.com", Account: shared,
			Objectives: recovery.Objectives{RecoveryTime: 2 * time.Hour},
			Waves: []recovery.PlannedWave{
				{Wave: recovery.Wave{Number: 1, Name: "Database Tier", Group: "pg-db", Account: shared, Servers: []recovery.Server{
					{ID: "s-1"},
					{ID: "s-2", Hostname: "db-02", Impact: recovery.Optional, Snapshot: "pit-1", LaunchConfig: recovery.LaunchConfig{
						recovery.OSByol: true, recovery.InstanceType: "r5.xlarge", recovery.SecurityGroups: []string{"sg-2", "sg-1"}}},
				}}},
				{
					Wave: recovery.Wave{Number: 2, Group: "pg-web", Account: other}, Tags: map[string]string{"Tier": "web", "App": "shop"},
					DependsOn: []int{1}, PauseBefore: true, OnFailure: recovery.StopOnFailure, Timeout: 90 * time.Minute,
				},
				{Wave: recovery.Wave{Number: 3, Account: shared, Servers: []recovery.Server{{ID: "s-9", LaunchConfig: recovery.LaunchConfig{}}}}, Independent: true},
			},
		},
		Groups: map[recovery.ProtectionGroupID]*recovery.ProtectionGroup{
			"pg-db": {ID: "pg-db", LaunchConfig: recovery.LaunchConfig{recovery.Subnet: "subnet-1"},
				Overrides: map[recovery.SourceServerID]recovery.LaunchConfig{"s-2": {recovery.CopyTags: true}, "s-1": {recovery.CopyTags: false}}},
			"pg-web":   {ID: "pg-web", LaunchConfig: recovery.LaunchConfig{}},
			"pg-other": {ID: "pg-other"},
		},
	}
}

func TestAPlansStateIsAlwaysTheSameBytes(t *testing.T) {
	got := event.StateOf(opening())
	for range 50 {
		if again := event.StateOf(opening()); !bytes.Equal(got, again) {
			t.Fatalf("got  %s\nthen %s", got, again)
		}
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, append(got, '\n'), "", "  "); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "plan.golden.json")
	if *update {
		if err := os.WriteFile(golden, pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), pretty.String()); diff != "" {
		t.Errorf("the state changed (-want +got):\n%s", diff)
	}
}

// What a plan's state says of a wave is what the plan says of it.
func TestAWaveOfAPlansStateIsStartedAsThePlanSays(t *testing.T) {
	o := opening()
	state := event.StateOf(o)
	for _, i := range []int{0, 2} {
		want := &o.Plan.Waves[i]
		got := accepted(t, fmt.Sprintf(`{"action":"start_wave_recovery","wave_number":%d,"state":%s}`, want.Number, state))
		// Starting a wave does not ask what becomes of it without a server.
		impact := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Impact" }, cmp.Ignore())
		if diff := cmp.Diff(want.Wave, got.Wave, impact); diff != "" {
			t.Errorf("wave %d: -want +got:\n%s", want.Number, diff)
		}
		if got.Execution != o.Execution || got.Plan != o.Plan.ID || got.Type != o.Type || got.InitiatedBy != o.InitiatedBy || got.StartTime != o.StartTime {
			t.Errorf("wave %d is of %+v", want.Number, got)
		}
		if want.Group == "" {
			continue
		}
		if diff := cmp.Diff(o.Groups[want.Group], got.Groups[want.Group]); diff != "" {
			t.Errorf("wave %d, group: -want +got:\n%s", want.Number, diff)
		}
	}
}

func TestAPlanWithoutAnAccountOfItsOwnTakesThatOfItsFirstWave(t *testing.T) {
	o := opening()
	o.Plan.Account = recovery.AccountContext{}
	got := accepted(t, `{"action":"start_wave_recovery","wave_number":3,"state":`+string(event.StateOf(o))+`}`)
	if diff := cmp.Diff(o.Plan.Waves[2].Account, got.Wave.Account); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A plan that went through its state is the plan that is begun, with what it
// left to the defaults said.
func TestAPlansStateBeginsThatPlan(t *testing.T) {
	for name, change := range map[string]func(*event.Opening){
		"groups of the opening": func(*event.Opening) {},
		"groups of the plan":    func(o *event.Opening) { o.Plan.Groups, o.Groups = o.Groups, nil },
	} {
		o := opening()
		change(&o)
		r := &region{book: book{clock: time.Unix(0, 0)}}
		answer := invoke(t, r, `{"action":"begin_execution","state":`+string(event.StateOf(o))+`}`)
		if len(r.begun) != 1 {
			t.Fatalf("%s: the plan was not begun: %s", name, answer)
		}
		want, got := opening(), r.begun[0]
		for i := range want.Plan.Waves {
			w := &want.Plan.Waves[i]
			w.OnFailure, w.Timeout = w.OnFailure.OrDefault(), w.TimeLimit()
		}
		delete(want.Groups, "pg-other")
		want.Plan.Groups = want.Groups
		if diff := cmp.Diff(want.Plan, got.Plan); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}
