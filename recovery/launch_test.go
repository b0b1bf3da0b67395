package recovery_test

import (
	"encoding/json"
	"strings"
	"testing"

	"muster/recovery"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestWhatASettingTakes(t *testing.T) {
	many := make([]any, 17)
	for i := range many {
		many[i] = "sg-" + strings.Repeat("a", i+1)
	}
	for key, cases := range map[string][]struct {
		value any
		want  any // what is set; nil: nothing
		wrong string
	}{
		"instanceType": {
			{value: "r5.xlarge", want: "r5.xlarge"}, {value: "u-6tb1.metal", want: "u-6tb1.metal"}, {value: nil},
			{value: "", wrong: "is empty; it must be an EC2 instance type"}, {value: "xlarge", wrong: `"xlarge" is not an EC2 instance type`},
			{value: "R5.XLARGE", wrong: "is not an EC2 instance type"}, {value: 5.0, wrong: "must be a string"}, {value: "r5.xlarge\n", wrong: `"r5.xlarge\n" is not`},
		},
		"subnet": {
			{value: "subnet-0123456789abcdef0", want: "subnet-0123456789abcdef0"}, {value: "subnet-db", want: "subnet-db"},
			{value: "sg-1", wrong: "subnet-"}, {value: "subnet-", wrong: "subnet-"}, {value: "subnet-a/b", wrong: "subnet-"}, {value: []any{"subnet-1"}, wrong: "must be a string"},
		},
		"securityGroups": {
			{value: []any{"sg-1"}, want: []string{"sg-1"}}, {value: []any{"sg-2", "sg-1"}, want: []string{"sg-2", "sg-1"}},
			{value: many[:16], want: "sixteen"}, {value: many, wrong: "a network interface takes 16 at most"},
			{value: []any{}, wrong: "empty list; leave the key out to inherit"}, {value: "sg-1", wrong: "must be a list of strings"},
			{value: []any{"sg-1", 2.0}, wrong: "[1] must be a string"}, {value: []any{"subnet-1"}, wrong: "[0] "}, {value: []any{"sg-1", "sg-1"}, wrong: `[1] "sg-1" is named twice`},
		},
		"instanceProfile": {
			{value: "EC2-DRS-Role", want: "EC2-DRS-Role"}, {value: "arn:aws:iam::123456789012:instance-profile/team/EC2", want: "arn:aws:iam::123456789012:instance-profile/team/EC2"},
			{value: "arn:aws-us-gov:iam::123456789012:instance-profile/EC2", want: "arn:aws-us-gov:iam::123456789012:instance-profile/EC2"},
			{value: "arn:aws:iam::123456789012:role/EC2", wrong: "instance profile's name or ARN"}, {value: "a b", wrong: "instance profile's name or ARN"},
		},
		"privateIp": {
			{value: "10.0.1.17", want: "10.0.1.17"}, {value: "10.0.1", wrong: "is not an IPv4 address"}, {value: "::1", wrong: "is not an IPv4 address"}, {value: "10.0.1.017", wrong: "is not an IPv4 address"},
		},
		"copyPrivateIp":     {{value: true, want: true}, {value: false, want: false}, {value: "true", wrong: "must be true or false"}},
		"copyTags":          {{value: true, want: true}, {value: 1.0, wrong: "must be true or false"}},
		"licensing.osByol":  {{value: false, want: false}, {value: nil}},
		"postLaunchEnabled": {{value: true, want: true}},
		"launchDisposition": {{value: "STARTED", want: "STARTED"}, {value: "STOPPED", want: "STOPPED"}, {value: "started", wrong: "must be one of STARTED, STOPPED"}},
		"targetInstanceTypeRightSizingMethod": {
			{value: "NONE", want: "NONE"}, {value: "BASIC", want: "BASIC"}, {value: "IN_AWS", want: "IN_AWS"}, {value: "none", wrong: "must be one of NONE, BASIC, IN_AWS"},
		},
		"name":    {{value: "Database 1 (primary)", want: "Database 1 (primary)"}, {value: strings.Repeat("n", 129), wrong: "a name of 1 to 128"}, {value: "a\x1b[31m", wrong: `"a\x1b[31m" is not a name`}},
		"Subnet":  {{value: "subnet-1", wrong: "is no launch setting; there are copyPrivateIp, "}},
		"unknown": {{value: nil, wrong: "is no launch setting"}},
	} {
		for _, c := range cases {
			config := recovery.LaunchConfig{}
			err := config.Set(key, c.value)
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) || len(config) != 0 {
					t.Errorf("%s %v: got %v and %v, want words with %q and nothing set", key, c.value, err, config, c.wrong)
				}
				continue
			}
			want := recovery.LaunchConfig{recovery.Setting(key): c.want}
			switch c.want {
			case nil:
				want = recovery.LaunchConfig{}
			case "sixteen":
				want[recovery.SecurityGroups] = config.List(recovery.SecurityGroups)
			}
			if diff := cmp.Diff(want, config); err != nil || diff != "" {
				t.Errorf("%s %v: got %v, -want +got:\n%s", key, c.value, err, diff)
			}
		}
	}
}

func TestEverySettingHasAHome(t *testing.T) {
	homes := map[recovery.Home][]recovery.Setting{}
	for _, s := range recovery.Settings() {
		homes[s.Home()] = append(homes[s.Home()], s)
	}
	want := map[recovery.Home][]recovery.Setting{
		recovery.InTemplate: {"instanceProfile", "instanceType", "privateIp", "securityGroups", "subnet"},
		recovery.InDRS:      {"copyPrivateIp", "copyTags", "launchDisposition", "licensing.osByol", "name", "postLaunchEnabled", "targetInstanceTypeRightSizingMethod"},
	}
	if diff := cmp.Diff(want, homes); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTheNearestLayerWinsKeyByKey(t *testing.T) {
	config := rapid.MapOf(rapid.SampledFrom(recovery.Settings()), rapid.SampledFrom([]any{"x", "y", true, false}))
	rapid.Check(t, func(t *rapid.T) {
		server, group := recovery.LaunchConfig(config.Draw(t, "server")), recovery.LaunchConfig(config.Draw(t, "group"))
		serverBefore, groupBefore := server.Over(nil), group.Over(nil)
		merged := server.Over(group)
		for _, s := range recovery.Settings() {
			want, set := server[s]
			if !set {
				want, set = group[s]
			}
			if got, is := merged[s]; is != set || got != want {
				t.Fatalf("%s: got %v, %v; want %v, %v", s, got, is, want, set)
			}
		}
		if !cmp.Equal(server, serverBefore) || !cmp.Equal(group, groupBefore) {
			t.Fatal("merging changed a layer")
		}
	})
}

func TestAListReplacesAList(t *testing.T) {
	merged := recovery.LaunchConfig{recovery.SecurityGroups: []string{"sg-2"}}.Over(recovery.LaunchConfig{recovery.SecurityGroups: []string{"sg-1"}})
	if diff := cmp.Diff([]string{"sg-2"}, merged.List(recovery.SecurityGroups)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestSettingsThatNeedOthers(t *testing.T) {
	type config = recovery.LaunchConfig
	for name, c := range map[string]struct {
		server, group config
		want          config
		from          map[recovery.Setting]recovery.Origin
		problems      []string
	}{
		"an instance type switches right-sizing off": {
			server: config{recovery.InstanceType: "r5.xlarge"},
			want:   config{recovery.InstanceType: "r5.xlarge", recovery.RightSizing: "NONE"},
			from:   map[recovery.Setting]recovery.Origin{recovery.InstanceType: recovery.FromServer, recovery.RightSizing: recovery.FromRule},
		},
		"the group's does, too": {
			group: config{recovery.InstanceType: "t3.medium"},
			want:  config{recovery.InstanceType: "t3.medium", recovery.RightSizing: "NONE"},
			from:  map[recovery.Setting]recovery.Origin{recovery.InstanceType: recovery.FromGroup, recovery.RightSizing: recovery.FromRule},
		},
		"somebody asked for NONE already": {
			server: config{recovery.InstanceType: "r5.xlarge"}, group: config{recovery.RightSizing: "NONE"},
			want: config{recovery.InstanceType: "r5.xlarge", recovery.RightSizing: "NONE"},
			from: map[recovery.Setting]recovery.Origin{recovery.InstanceType: recovery.FromServer, recovery.RightSizing: recovery.FromGroup},
		},
		"without an instance type right-sizing is nobody's business": {
			server: config{recovery.RightSizing: "BASIC"},
			want:   config{recovery.RightSizing: "BASIC"},
			from:   map[recovery.Setting]recovery.Origin{recovery.RightSizing: recovery.FromServer},
		},
		"an instance type and active right-sizing contradict each other": {
			server: config{recovery.InstanceType: "r5.xlarge"}, group: config{recovery.RightSizing: "IN_AWS"},
			problems: []string{"server s-1: instanceType (from the server) needs targetInstanceTypeRightSizingMethod to be NONE, but the protection group says IN_AWS"},
		},
		"so do the group's type and the server's right-sizing": {
			server: config{recovery.RightSizing: "BASIC"}, group: config{recovery.InstanceType: "t3.medium"},
			problems: []string{"server s-1: instanceType (from the protection group) needs targetInstanceTypeRightSizingMethod to be NONE, but the server says BASIC"},
		},
		"a private IP is not copied from the source": {
			server: config{recovery.PrivateIP: "10.0.1.17"},
			want:   config{recovery.PrivateIP: "10.0.1.17", recovery.CopyPrivateIP: false},
			from:   map[recovery.Setting]recovery.Origin{recovery.PrivateIP: recovery.FromServer, recovery.CopyPrivateIP: recovery.FromRule},
		},
		"two contradictions are both named": {
			server:   config{recovery.PrivateIP: "10.0.1.17", recovery.InstanceType: "r5.xlarge"},
			group:    config{recovery.CopyPrivateIP: true, recovery.RightSizing: "BASIC"},
			problems: []string{"server s-1: instanceType (from the server) needs targetInstanceTypeRightSizingMethod to be NONE, but the protection group says BASIC", "server s-1: privateIp (from the server) needs copyPrivateIp to be false, but the protection group says true"},
		},
		"copying the private IP alone is fine": {
			group: config{recovery.CopyPrivateIP: true},
			want:  config{recovery.CopyPrivateIP: true},
			from:  map[recovery.Setting]recovery.Origin{recovery.CopyPrivateIP: recovery.FromGroup},
		},
		"nothing asked for is nothing sent": {want: config{}, from: map[recovery.Setting]recovery.Origin{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, problems := recovery.Server{ID: "s-1", LaunchConfig: c.server}.Resolve(c.group)
			var words []string
			for _, p := range problems {
				words = append(words, p.String())
			}
			if diff := cmp.Diff(c.problems, words); diff != "" {
				t.Errorf("problems: -want +got:\n%s", diff)
			}
			if c.problems != nil {
				return
			}
			if diff := cmp.Diff(recovery.Resolved{LaunchConfig: c.want, From: c.from}, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestOnlyTheDifferenceIsWritten(t *testing.T) {
	asked, problems := recovery.Server{LaunchConfig: recovery.LaunchConfig{
		recovery.InstanceType: "r5.xlarge", recovery.SecurityGroups: []string{"sg-1", "sg-2"}, recovery.CopyTags: false,
	}}.Resolve(recovery.LaunchConfig{recovery.Subnet: "subnet-1"})
	if problems != nil {
		t.Fatal(problems)
	}
	right := recovery.LaunchConfig{
		recovery.InstanceType: "r5.xlarge", recovery.SecurityGroups: []string{"sg-2", "sg-1"}, recovery.CopyTags: false, recovery.Subnet: "subnet-1",
		recovery.RightSizing: "NONE", recovery.LaunchName: "nobody asked for this", recovery.InstanceProfile: "nor for this",
	}
	change := func(s recovery.Setting, old, new any, from recovery.Origin) recovery.SettingChange {
		return recovery.SettingChange{Setting: s, Old: old, New: new, From: from}
	}
	for name, c := range map[string]struct {
		have          recovery.LaunchConfig
		template, drs []recovery.SettingChange
	}{
		"all is right": {have: right},
		"one is wrong": {
			have:     recovery.LaunchConfig{recovery.Subnet: "subnet-2"}.Over(right),
			template: []recovery.SettingChange{change(recovery.Subnet, "subnet-2", "subnet-1", recovery.FromGroup)},
		},
		"a list is longer": {
			have:     recovery.LaunchConfig{recovery.SecurityGroups: []string{"sg-1", "sg-2", "sg-3"}}.Over(right),
			template: []recovery.SettingChange{change(recovery.SecurityGroups, []string{"sg-1", "sg-2", "sg-3"}, []string{"sg-1", "sg-2"}, recovery.FromServer)},
		},
		"nothing is there": {
			template: []recovery.SettingChange{
				change(recovery.InstanceType, nil, "r5.xlarge", recovery.FromServer), change(recovery.SecurityGroups, nil, []string{"sg-1", "sg-2"}, recovery.FromServer),
				change(recovery.Subnet, nil, "subnet-1", recovery.FromGroup),
			},
			drs: []recovery.SettingChange{change(recovery.CopyTags, nil, false, recovery.FromServer), change(recovery.RightSizing, nil, "NONE", recovery.FromRule)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for home, want := range map[recovery.Home][]recovery.SettingChange{recovery.InTemplate: c.template, recovery.InDRS: c.drs} {
				if diff := cmp.Diff(want, asked.Diff(c.have, home)); diff != "" {
					t.Errorf("%s: -want +got:\n%s", home, diff)
				}
			}
		})
	}
}

func TestSameValueDoesNotMindTheOrderOfAList(t *testing.T) {
	for _, c := range []struct {
		a, b any
		want bool
	}{
		{"x", "x", true}, {"x", "y", false}, {true, true, true}, {false, nil, false}, {nil, nil, true}, {"true", true, false},
		{[]string{"a", "b"}, []string{"b", "a"}, true}, {[]string{"b", "a"}, []string{"a", "b"}, true}, {[]string{}, nil, false}, {"", []string{}, false}, {[]string{"a"}, []string{"a", "a"}, false}, {[]string{"a"}, "a", false}, {nil, []string{"a"}, false},
	} {
		if got := recovery.SameValue(c.a, c.b); got != c.want {
			t.Errorf("%v and %v: got %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

// What is recorded about a change must be enough to put it back: read from
// the record it is what it was, types included.
func TestAChangeReadFromTheRecordIsWhatItWas(t *testing.T) {
	value := rapid.OneOf(rapid.Just[any](nil), rapid.Map(rapid.String(), asAny), rapid.Map(rapid.Bool(), asAny),
		rapid.Map(rapid.SliceOf(rapid.String()), func(s []string) any { return append([]string{}, s...) }))
	rapid.Check(t, func(t *rapid.T) {
		want := recovery.SettingChange{Setting: recovery.SecurityGroups, Old: value.Draw(t, "old"), New: value.Draw(t, "new"), From: recovery.FromGroup}
		body, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got recovery.SettingChange
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	})
}

func asAny[T any](v T) any { return v }
