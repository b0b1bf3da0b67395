package recovery_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"muster/recovery"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestAnyTextMakesATagValueThatAWSTakes(t *testing.T) {
	takes := regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`) // AWS's own pattern
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "s")
		got := recovery.TagValue(s)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > 256 || !takes.MatchString(got) {
			t.Fatalf("%q came out as %q", s, got)
		}
		if recovery.TagValue(got) != got {
			t.Fatalf("%q is not left alone", got)
		}
	})
}

func TestTagValuesKeepWhatTagsTake(t *testing.T) {
	for in, want := range map[string]string{
		"Database Tier": "Database Tier", "a_b.c:d/e=f+g-h@i": "a_b.c:d/e=f+g-h@i", "Datenbänke 日本": "Datenbänke 日本",
		"A & B": "A _ B", "a\nb\tc": "a_b_c", "<script>": "_script_", "": "", "\xff": "_",
		strings.Repeat("日", 300): strings.Repeat("日", 256),
	} {
		if got := recovery.TagValue(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestAJobsTagsNameItsAttemptFromTheSecondOn(t *testing.T) {
	for attempt, want := range map[int]map[string]string{
		1: {"ExecutionId": "exec-123", "PlanId": "rp-456", "WaveNumber": "2", "WaveName": "App _ Tier"},
		2: {"ExecutionId": "exec-123", "PlanId": "rp-456", "WaveNumber": "2", "WaveName": "App _ Tier", "Attempt": "2"},
	} {
		got := recovery.JobTags(recovery.AttemptKey{Execution: "exec-123", Wave: 2, Attempt: attempt}, "rp-456", "App & Tier")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("attempt %d: -want +got:\n%s", attempt, diff)
		}
	}
}

func TestADependencyIsSettledByAFinalStatusOnly(t *testing.T) {
	for status, want := range map[string]struct{ met, failed bool }{
		"COMPLETED": {met: true}, "SKIPPED": {met: true},
		"FAILED": {failed: true}, "CANCELLED": {failed: true}, "CANCELED": {failed: true}, "TIMED_OUT": {failed: true},
		"": {}, "STARTED": {}, "PENDING": {}, "completed": {}, "ANYTHING": {},
	} {
		met, failed := recovery.Dependency{Status: status}.Settled()
		if met != want.met || failed != want.failed {
			t.Errorf("%q: got met %v, failed %v; want %v, %v", status, met, failed, want.met, want.failed)
		}
	}
}

func TestAGroupsOverridesLieBetweenTheServerAndTheGroup(t *testing.T) {
	g := &recovery.ProtectionGroup{
		LaunchConfig: recovery.LaunchConfig{recovery.InstanceType: "t3.medium", recovery.Subnet: "subnet-group", recovery.InstanceProfile: "group"},
		Overrides:    map[recovery.SourceServerID]recovery.LaunchConfig{"s-1": {recovery.InstanceType: "r5.large", recovery.Subnet: "subnet-override"}},
	}
	w := recovery.Wave{Servers: []recovery.Server{
		{ID: "s-1", LaunchConfig: recovery.LaunchConfig{recovery.InstanceType: "r5.xlarge"}},
		{ID: "s-2"},
	}}
	resolved, err := w.Resolve(g)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[recovery.SourceServerID]recovery.LaunchConfig{
		"s-1": {recovery.InstanceType: "r5.xlarge", recovery.Subnet: "subnet-override", recovery.InstanceProfile: "group", recovery.RightSizing: "NONE"},
		"s-2": {recovery.InstanceType: "t3.medium", recovery.Subnet: "subnet-group", recovery.InstanceProfile: "group", recovery.RightSizing: "NONE"},
	} {
		if diff := cmp.Diff(want, resolved[id].LaunchConfig); diff != "" {
			t.Errorf("%s: -want +got:\n%s", id, diff)
		}
	}
}

func TestAWaveCanDoWithoutAGroup(t *testing.T) {
	own := recovery.LaunchConfig{recovery.InstanceType: "r5.xlarge"}
	w := recovery.Wave{Servers: []recovery.Server{{ID: "s-1", LaunchConfig: own}, {ID: "s-2"}}}
	if w.Configured() {
		t.Error("one server has no settings of its own, and yet the wave says that all have")
	}
	resolved, err := w.Resolve(nil)
	if err != nil || len(resolved["s-2"].LaunchConfig) != 0 || resolved["s-1"].Text(recovery.InstanceType) != "r5.xlarge" {
		t.Errorf("got %v, %v", resolved, err)
	}
	w.Servers[1].LaunchConfig = own
	if !w.Configured() {
		t.Error("every server has settings of its own, and yet the wave says no")
	}
}

func TestContradictionsOfAllServersAreNamedAtOnce(t *testing.T) {
	w := recovery.Wave{Number: 3, Servers: []recovery.Server{
		{ID: "s-1", LaunchConfig: recovery.LaunchConfig{recovery.RightSizing: "BASIC"}}, {ID: "s-2"},
		{ID: "s-3", LaunchConfig: recovery.LaunchConfig{recovery.RightSizing: "IN_AWS"}},
	}}
	_, err := w.Resolve(&recovery.ProtectionGroup{LaunchConfig: recovery.LaunchConfig{recovery.InstanceType: "t3.medium"}})
	var got *recovery.Error
	if !errors.As(err, &got) || got.Code != recovery.ValidationError || got.Retryable {
		t.Fatalf("got %v, want a VALIDATION_ERROR that no retry cures", err)
	}
	for _, want := range []string{"launch configuration of wave 3: ", "server s-1: instanceType", "server s-3: instanceType"} {
		if !strings.Contains(got.Message, want) {
			t.Errorf("%q does not say %q", got.Message, want)
		}
	}
	if strings.Contains(got.Message, "s-2") {
		t.Errorf("%q names a server that is fine", got.Message)
	}
}

func TestAnExecutionIsADrillOrARecovery(t *testing.T) {
	for typ, want := range map[recovery.ExecutionType]string{recovery.Drill: "START_DRILL", recovery.Recovery: "START_RECOVERY"} {
		if err := typ.Check(); err != nil {
			t.Error(err)
		}
		if got := typ.InitiatedBy(); got != want {
			t.Errorf("%s: got %s, want %s", typ, got, want)
		}
	}
	for _, typ := range []recovery.ExecutionType{"", "drill", "TEST", "RECOVERY "} {
		if typ.Check() == nil {
			t.Errorf("%q was taken", typ)
		}
	}
}

func TestAWavesNumber(t *testing.T) {
	for n, ok := range map[int]bool{0: true, 1: true, 999_999: true, 1_000_000: false, -1: false} {
		if err := recovery.CheckWaveNumber(n); (err == nil) != ok {
			t.Errorf("%d: got %v", n, err)
		}
	}
}
