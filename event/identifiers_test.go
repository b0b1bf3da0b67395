package event_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// breakouts would leave an ARN, a role session's name, a tag, a table's key,
// a file's path or a line on a terminal, if any of them took them in.
var breakouts = []string{
	"", " ", "../../etc/passwd", "a/b", `a\b`, "a:b", "a#b", "a b", "a\nb", "a\x00b", "a\x1b[31mb", "a\u009bb", "a\u202eb", "a\u2028b",
	"a*b", "a'b", `a"b`, "a;b", "a$b", "a{b}", "ａ", "а", "é", "\ufffd", "s-", "-s", "s-1/2", "s-1\n", "s-1\x00", "s-é", "s-1 ",
	"s-" + strings.Repeat("1", 1000), strings.Repeat("a", 1000), "subnet-1/..", "sg-1\n", "pit-1 ", "drsjob-1\r\n", "i-1\u200b",
}

// slots are all places of an event where an identifier stands.
var slots = map[string]func(t *testing.T, id string) string{
	"executionId": func(t *testing.T, id string) string { return edit(t, tiny, `"exec-1"`, id) },
	"planId":      func(t *testing.T, id string) string { return edit(t, tiny, `"rp-1"`, id) },
	"accountId":   func(t *testing.T, id string) string { return edit(t, tiny, `"123456789012"`, id) },
	"region":      func(t *testing.T, id string) string { return edit(t, tiny, `"us-east-1"`, id) },
	"roleName":    func(t *testing.T, id string) string { return edit(t, tiny, `"Role"`, id) },
	"serverId":    func(t *testing.T, id string) string { return edit(t, tiny, `"s-1"`, id) },
	"protectionGroupId": func(t *testing.T, id string) string {
		return edit(t, tiny, `{"waveNumber":1,`, `{"waveNumber":1,"protectionGroupId":`+id+`,`)
	},
	"recoverySnapshotID": func(t *testing.T, id string) string {
		return edit(t, tiny, `"s-1",`, `"s-1","recoverySnapshotID":`+id+`,`)
	},
	"replaceLiveInstances": func(t *testing.T, id string) string { return stateField(t, `"replaceLiveInstances":[`+id+`]`) },
	"readinessPolicy":      func(t *testing.T, id string) string { return stateField(t, `"readinessPolicy":`+id) },
	"wave2JobId": func(t *testing.T, id string) string {
		return edit(t, stateField(t, `"wave2JobId":`+id), `[{"waveNumber":1,`, `[{"waveNumber":2},{"waveNumber":1,"dependsOnWaves":[2],`)
	},
	"subnet":          func(t *testing.T, id string) string { return setting(t, `"subnet":`+id) },
	"securityGroups":  func(t *testing.T, id string) string { return setting(t, `"securityGroups":[`+id+`]`) },
	"instanceType":    func(t *testing.T, id string) string { return setting(t, `"instanceType":`+id) },
	"instanceProfile": func(t *testing.T, id string) string { return setting(t, `"instanceProfile":`+id) },
	"privateIp":       func(t *testing.T, id string) string { return setting(t, `"privateIp":`+id) },
}

// safe are breakouts that one slot takes after all, for they are none there:
// an id of ours may not hold them, an empty optional one is absent.
var safe = map[string][]string{
	"protectionGroupId":  {"", "s-"},
	"recoverySnapshotID": {""},
	"wave2JobId":         {""},
	"executionId":        {"s-"},
	"planId":             {"s-"},
	"roleName":           {"s-", "-s"},
	"instanceProfile":    {"s-", "-s"},
}

func stateField(t *testing.T, member string) string {
	return edit(t, tiny, `"startTime":"now"`, `"startTime":"now",`+member)
}

func setting(t *testing.T, member string) string {
	return edit(t, tiny, `"launchConfig":{}`, `"launchConfig":{`+member+`}`)
}

func TestNoIdentifierCanBreakOut(t *testing.T) {
	for slot, with := range slots {
		t.Run(slot, func(t *testing.T) {
			for _, id := range breakouts {
				if slices.Contains(safe[slot], id) {
					continue
				}
				literal, err := json.Marshal(id)
				if err != nil {
					t.Fatal(err)
				}
				f := refused(t, with(t, string(literal)))
				if !strings.Contains(f.Message, slot) {
					t.Errorf("%q: the message does not name %s: %q", id, slot, f.Message)
				}
				for _, r := range f.Message {
					if r < ' ' || r > '~' && r != '…' {
						t.Errorf("%q: the message has the character %U: %q", id, r, f.Message)
					}
				}
			}
		})
	}
}

// The specification's own examples are not shaped as AWS's ids are.
func TestIdentifiersAreNotHeldToAWSsLengths(t *testing.T) {
	for _, name := range []string{"start-wave-1.json", "complete-example.wave-1.json", "complete-example.wave-2.json", "error-invalid-source-server.json"} {
		accepted(t, fixture(t, name))
	}
}

func TestWhoAndWhenCannotHideCharacters(t *testing.T) {
	for _, text := range []string{`""`, `"a\u0000"`, `"a\n"`, `"a\u001b[2J"`, `"a\u202eb"`, `"` + strings.Repeat("a", 257) + `"`} {
		for path, slot := range map[string]string{"state.initiatedBy": `"me"`, "state.startTime": `"now"`} {
			if f := refused(t, edit(t, tiny, slot, text)); !strings.Contains(f.Message, path) {
				t.Errorf("%s: %q", text, f.Message)
			}
		}
	}
	accepted(t, edit(t, tiny, `"me"`, `"Zoë Müller <zoë@example.com> 王"`))
}

func TestAnExternalIDIsNeverRepeated(t *testing.T) {
	const secret = "s3cret external id\\u0007"
	payload := edit(t, tiny, `"roleName":"Role"`, `"roleName":"Role","externalId":"`+secret+`"`)
	f := refused(t, payload)
	if strings.Contains(f.Message, "s3cret") {
		t.Errorf("the message repeats it: %q", f.Message)
	}
	if !strings.Contains(f.Message, "state.accountContext.externalId is not an external id") {
		t.Errorf("got %q", f.Message)
	}
	for _, wrong := range []string{`["s3cret"]`, `{"s3cret":1}`} {
		if f := refused(t, edit(t, payload, `"`+secret+`"`, wrong)); strings.Contains(f.Message, "s3cret") {
			t.Errorf("the message repeats it: %q", f.Message)
		}
	}
}

func TestAnEmptyExternalIDIsNone(t *testing.T) {
	for _, none := range []string{`""`, `null`} {
		w := accepted(t, edit(t, tiny, `"roleName":"Role"`, `"roleName":"Role","externalId":`+none))
		if !w.Wave.Account.ExternalID.IsZero() {
			t.Errorf("%s is an external id", none)
		}
	}
}
