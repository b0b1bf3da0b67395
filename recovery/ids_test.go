package recovery_test

import (
	"regexp"
	"strings"
	"testing"

	"muster/recovery"

	"pgregory.net/rapid"
)

type identifier interface {
	Check() error
}

func TestIdentifiersTakePrefixAndCharacters(t *testing.T) {
	long := strings.Repeat("a", 128)
	for _, c := range []struct {
		id identifier
		ok bool
	}{
		{recovery.PlanID("rp-456"), true}, {recovery.PlanID("rp-b2c3d4e5-f6a7-8901-bcde-f12345678901"), true}, {recovery.PlanID(long), true},
		{recovery.PlanID(long + "a"), false}, {recovery.PlanID(""), false}, {recovery.PlanID("a/b"), false}, {recovery.PlanID("a b"), false}, {recovery.PlanID("-rf"), false}, {recovery.PlanID(".."), false},
		{recovery.ExecutionID("exec-123"), true}, {recovery.ExecutionID("exec_1.2-r3"), true}, {recovery.ExecutionID("../exec"), false}, {recovery.ExecutionID("exec\n"), false}, {recovery.ExecutionID("exec\x00"), false},
		{recovery.ExecutionID("éxec"), false}, {recovery.ExecutionID(".hidden"), false}, {recovery.ExecutionID("exec:1"), false}, {recovery.ExecutionID("exec#1"), false},
		{recovery.ProtectionGroupID("pg-db"), true}, {recovery.ProtectionGroupID("pg db"), false},
		{recovery.SourceServerID("s-1234567890abcdef0"), true}, {recovery.SourceServerID("s-db-01"), true}, {recovery.SourceServerID("s-abc"), true},
		{recovery.SourceServerID("s-"), false}, {recovery.SourceServerID("s"), false}, {recovery.SourceServerID("S-abc"), false}, {recovery.SourceServerID("i-abc"), false}, {recovery.SourceServerID("s-a_b"), false}, {recovery.SourceServerID("s-abc\n"), false},
		{recovery.SourceServerID("s-" + strings.Repeat("a", 64)), true}, {recovery.SourceServerID("s-" + strings.Repeat("a", 65)), false},
		{recovery.InstanceID("i-0123456789abcdef0"), true}, {recovery.InstanceID("s-abc"), false},
		{recovery.SnapshotID("pit-0123456789abcdefg"), true}, {recovery.SnapshotID("AUTO"), false}, {recovery.SnapshotID(""), false},
		{recovery.JobID("drsjob-1234567890abcdef0"), true}, {recovery.JobID("drsjob-wave1"), true}, {recovery.JobID("job-1"), false}, {recovery.JobID("drsjob-$(id)"), false},
	} {
		if err := c.id.Check(); (err == nil) != c.ok {
			t.Errorf("%T %q: got %v", c.id, c.id, err)
		}
	}
}

// Whatever passes can be put into an ARN, a tag, a key, a file's name and a
// terminal as it is.
func TestAnIdentifierThatPassesCanBeTrusted(t *testing.T) {
	safe := regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.OneOf(rapid.String(), rapid.StringMatching(`(s-|i-|pit-|drsjob-)?[ -~]{0,20}\n?`)).Draw(t, "id")
		for _, checked := range []identifier{
			recovery.PlanID(id), recovery.ExecutionID(id), recovery.ProtectionGroupID(id), recovery.SourceServerID(id),
			recovery.InstanceID(id), recovery.SnapshotID(id), recovery.JobID(id),
		} {
			if checked.Check() == nil && !safe.MatchString(id) {
				t.Fatalf("%T takes %q", checked, id)
			}
		}
	})
}

func TestQuotedTextCanNeitherFloodNorDriveATerminal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "s")
		s = strings.Repeat(s, rapid.SampledFrom([]int{1, 1, 100}).Draw(t, "times"))
		quoted := recovery.Quote(s)
		if len(quoted) > 64*4+2+len("… (1234567 bytes)") {
			t.Fatalf("%d bytes came out as %d", len(s), len(quoted))
		}
		if strings.ContainsFunc(strings.Replace(quoted, "…", "", 1), func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("%q came out as %s", s, quoted)
		}
	})
}

func TestRecordedTextIsVisible(t *testing.T) {
	for text, ok := range map[string]bool{
		"user@example.com": true, "Jürgen 日本": true, "2026-02-03T04:05:06Z": true, strings.Repeat("n", 256): true,
		"": false, strings.Repeat("n", 257): false, "a\nb": false, "a\x1b[31m": false, "user\u202emoc": false, "zero\u200bwidth": false, "\x00": false,
	} {
		if err := recovery.CheckText(text); (err == nil) != ok {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
