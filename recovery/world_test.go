package recovery_test

import (
	"errors"
	"strings"
	"testing"

	"muster/recovery"
)

func TestAnAWSIsNamedForProgramsAndForPeople(t *testing.T) {
	hub, err := recovery.RealAWS("aws-us-gov", "999999999999")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		aws  recovery.AWS
		name string
		text string
		real bool
	}{
		{hub, "aws-us-gov:999999999999", "AWS account 999999999999 (partition aws-us-gov)", true},
		{recovery.SimulatedAWS("ab12", 7, "489c", "three-tier"), "simulated:ab12:7:489c:three-tier", "the simulated AWS three-tier (seed 7, id ab12)", false},
		{recovery.SimulatedAWS("ab12", 7, "489c", "a: b"), "simulated:ab12:7:489c:a: b", "the simulated AWS a: b (seed 7, id ab12)", false},
		{recovery.AWSAt("http://127.0.0.1:4566"), "endpoint:http://127.0.0.1:4566", "the AWS at http://127.0.0.1:4566", false},
		{"simulated:ab12", "simulated:ab12", "simulated:ab12", false},
		{"", "", "an AWS that is not known", false},
	} {
		if string(c.aws) != c.name || c.aws.String() != c.text || c.aws.Real() != c.real {
			t.Errorf("got %s, %q, real %v; want %+v", string(c.aws), c.aws, c.aws.Real(), c)
		}
	}
	for _, wrong := range [][2]string{{"aws", "99999999999"}, {"", "999999999999"}, {"simulated", "999999999999"}, {"aws:x", "999999999999"}} {
		if a, err := recovery.RealAWS(wrong[0], wrong[1]); err == nil {
			t.Errorf("%v became %s", wrong, string(a))
		}
	}
}

func TestASimulatedAWSIsTheSameByItsIDWhateverItsFleetIsCalled(t *testing.T) {
	a := recovery.SimulatedAWS("ab12", 1, "489c", "fleet")
	for other, same := range map[recovery.AWS]bool{
		recovery.SimulatedAWS("ab12", 1, "489c", "another-name"): true,
		recovery.SimulatedAWS("cd34", 1, "489c", "fleet"):        false,
		"aws:999999999999": false, "": false, "ab12": false,
	} {
		if a.Same(other) != same || other.Same(a) != same {
			t.Errorf("%s and %s: want the same %v", a, other, same)
		}
	}
}

func TestAWorldIsReadBackAsItWasAndOneThatWasCutIsDamaged(t *testing.T) {
	w := recovery.World{Record: "r", AWS: "aws:999999999999"}
	if got, err := recovery.ReadWorld(w.Kept()); err != nil || got != w {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := recovery.ReadWorld(recovery.World{}.Kept()); err != nil || !got.IsZero() {
		t.Errorf("one that is not known: got %+v, %v", got, err)
	}
	for _, record := range []string{"{", "{}", `{"record":"r"}`, `{"aws":"aws:999999999999"}`} {
		if _, err := recovery.ReadWorld(record); !errors.Is(err, recovery.ErrDamaged) {
			t.Errorf("%s: got %v", record, err)
		}
	}
	for _, record := range []string{"{", "{}", `{"id":""}`} {
		if _, err := recovery.ReadIdentity([]byte(record), 1); !errors.Is(err, recovery.ErrDamaged) {
			t.Errorf("identity %s: got %v", record, err)
		}
	}
}

func TestWhatARecordOwns(t *testing.T) {
	const a, b, c recovery.AWS = "aws:111111111111", "aws:222222222222", "aws:333333333333"
	sim := recovery.SimulatedAWS("ab12", 1, "489c", "fleet")
	// It was r1 in a, was adopted into b, and is r3 in c now.
	i := recovery.Identity{ID: "r3", AWS: c, Former: []recovery.World{{Record: "r1", AWS: a}, {Record: "r2", AWS: b}}}
	for _, x := range []struct {
		name string
		of   recovery.World
		here recovery.AWS
		owns bool
	}{
		{"its own, here", recovery.World{Record: "r3", AWS: c}, c, true},
		{"its own, elsewhere", recovery.World{Record: "r3", AWS: c}, b, false},
		{"of the hub before it was moved", recovery.World{Record: "r2", AWS: b}, c, true},
		{"of the hub before it was moved twice", recovery.World{Record: "r1", AWS: a}, c, true},
		{"the same, with credentials of then", recovery.World{Record: "r1", AWS: a}, a, true},
		{"the same, somewhere else", recovery.World{Record: "r1", AWS: a}, b, false},
		{"of an account that it was not of", recovery.World{Record: "r1", AWS: b}, c, false},
		{"rehearsed under an id of before", recovery.World{Record: "r1", AWS: sim}, sim, true},
		{"rehearsed, and now in earnest", recovery.World{Record: "r1", AWS: sim}, c, false},
		{"real, and now rehearsed", recovery.World{Record: "r3", AWS: c}, sim, false},
		{"of another record", recovery.World{Record: "r9", AWS: c}, c, false},
	} {
		if got := i.Owns(x.of, x.here); got != x.owns {
			t.Errorf("%s: %v, want %v", x.name, got, x.owns)
		}
	}
	rehearsals := recovery.Identity{ID: "r2", AWS: a, Former: []recovery.World{{Record: "r1"}}} // nobody had acted in AWS
	if rehearsals.Owns(recovery.World{Record: "r1", AWS: sim}, a) || !rehearsals.Owns(recovery.World{Record: "r1", AWS: sim}, sim) {
		t.Error("what was rehearsed before the first use of AWS became real")
	}
}

func TestARefusalNamesBothWorlds(t *testing.T) {
	i := recovery.Identity{ID: "r2", Where: recovery.RecordPlace{Table: "muster", Region: "us-east-1"}}
	err := i.Foreign("exec-1", recovery.World{Record: "r2", AWS: "aws:111111111111"}, "aws:222222222222")
	for _, words := range []string{"exec-1", "AWS account 111111111111 (partition aws)", "AWS account 222222222222 (partition aws)", "nothing was done", "Go on with it where it was begun (--aws, with credentials of account 111111111111)"} {
		if !strings.Contains(err.Message, words) || err.Code != recovery.WrongWorld || err.Retryable {
			t.Errorf("%v does not say %q", err, words)
		}
	}
	err = i.Foreign("exec-1", recovery.World{Record: "r1", AWS: "aws:111111111111"}, "aws:111111111111")
	if !strings.Contains(err.Message, "belongs to the record r1, and this is the record r2 (table muster in us-east-1)") || !strings.Contains(err.Message, "muster hub show calls r1") {
		t.Error(err)
	}
	err = i.Foreign("exec-1", recovery.World{Record: "r2", AWS: recovery.SimulatedAWS("ab12", 1, "489c", "fleet")}, "aws:222222222222")
	if !strings.Contains(err.Message, "whose id is ab12") {
		t.Error(err)
	}
	err = i.Foreign("exec-1", recovery.World{Record: "r2", AWS: recovery.AWSAt("http://127.0.0.1:4566")}, "aws:222222222222")
	if !strings.Contains(err.Message, "--endpoint http://127.0.0.1:4566") {
		t.Error(err)
	}
}

func TestARefusalSaysTheWholeCommandThatHelps(t *testing.T) {
	file, table := recovery.RecordPlace{File: "/data/anna's drills/executions.db"}, recovery.RecordPlace{Table: "muster-2", Region: "eu-west-1"}
	plain := recovery.RecordPlace{File: "/data/executions.db"}
	rehearsed, earnest := recovery.Identity{ID: "r1", Where: plain}, recovery.Identity{ID: "r1", AWS: "aws:111111111111", Where: table}
	fenced := func(i recovery.Identity, where recovery.RecordPlace) error {
		i = i.Fence("r2", where, recovery.Request{By: "anna"})
		return i.Closed()
	}
	for want, err := range map[string]error{
		`muster hub adopt --store 'sqlite:/data/anna'\''s drills/executions.db' --reason "…"`:  rehearsed.Copied(file),
		`muster hub adopt --store sqlite:/data/executions.db --reason "…"`:                     earnest.Copied(plain),
		`: AWS_REGION=eu-west-1 muster hub adopt --store dynamodb:muster-2 --reason "…"`:       rehearsed.Copied(table),
		`: AWS_REGION=eu-west-1 muster hub adopt --aws --store dynamodb:muster-2 --reason "…"`: earnest.Copied(table),
		`: muster list --store sqlite:/data/executions.db`:                                     fenced(rehearsed, plain),
		`: AWS_REGION=eu-west-1 muster list --aws --store dynamodb:muster-2`:                   fenced(earnest, table),
	} {
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%v\ndoes not end with %s", err, want)
		}
	}
	if err := earnest.Moved("aws:222222222222"); !strings.HasSuffix(err.Message, `: AWS_REGION=eu-west-1 muster hub adopt --aws --store dynamodb:muster-2 --reason "…"`) {
		t.Error(err)
	}
}

func TestWorldsThatCannotSeeEachOther(t *testing.T) {
	sim := recovery.SimulatedAWS("ab12", 1, "489c", "fleet")
	for _, c := range []struct {
		of    recovery.World
		here  recovery.AWS
		apart bool
	}{
		{recovery.World{Record: "r", AWS: sim}, "aws:999999999999", true},
		{recovery.World{Record: "r", AWS: "aws:999999999999"}, sim, true},
		{recovery.World{Record: "r", AWS: sim}, recovery.SimulatedAWS("cd34", 1, "489c", "fleet"), true},
		{recovery.World{Record: "r", AWS: sim}, sim, false},
		{recovery.World{Record: "r", AWS: "aws:999999999999"}, "aws:111111111111", false}, // both may recover the same account
		{recovery.World{}, sim, false},
		{recovery.World{Record: "r", AWS: sim}, "", false},
	} {
		if got := c.of.Apart(c.here); got != c.apart {
			t.Errorf("%+v and %s: %v", c.of, c.here, got)
		}
	}
}
