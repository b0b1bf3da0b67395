package event_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// These generate JSON as text, for what matters is its spelling.
var (
	space   = rapid.SampledFrom([]string{"", "", "", " ", "\n", "\t", "\r\n    "})
	piece   = rapid.SampledFrom([]string{"", "a", "status", "é", "王", "😀", "\u2028", "\u202e", "\u007f", "\u0085", `\u00e9`, `\u0041`, `\ud800`, `\uDC00`, `\ud83d\ude00`, `\u0000`, `\/`, `\"`, `\\`, `\n`, "<&>", "{", "]", ","})
	literal = rapid.SampledFrom([]string{"null", "true", "false", "0", "-0", "-0.0", "1.0", "1e400", "-1E+400", "1e-999999999", "12345678901234567890", "0.10000", "0.1e1", "9007199254740993"})
)

func text(t *rapid.T, prefix string) string {
	return `"` + prefix + strings.Join(rapid.SliceOfN(piece, 0, 4).Draw(t, "text"), "") + `"`
}

func anything(t *rapid.T, depth int) string {
	kind := rapid.IntRange(0, 5).Draw(t, "kind")
	switch {
	case kind == 0:
		return text(t, "")
	case kind == 1:
		n := rapid.IntRange(0, 300).Draw(t, "nesting")
		return strings.Repeat(`[`, n) + literal.Draw(t, "literal") + strings.Repeat(`]`, n)
	case kind == 2 && depth > 0:
		items := make([]string, rapid.IntRange(0, 3).Draw(t, "items"))
		for i := range items {
			items[i] = space.Draw(t, "space") + anything(t, depth-1) + space.Draw(t, "space")
		}
		return "[" + strings.Join(items, ",") + space.Draw(t, "space") + "]"
	case kind == 3 && depth > 0:
		return objectOf(t, depth-1)
	}
	return literal.Draw(t, "literal")
}

// objectOf gives an object with members of ours, in any order, among others
// that are none of our business; some of those stand twice.
func objectOf(t *rapid.T, depth int, ours ...string) string {
	members := ours
	for range rapid.IntRange(0, 3).Draw(t, "foreign members") {
		members = append(members, text(t, "x")+space.Draw(t, "space")+":"+space.Draw(t, "space")+anything(t, depth))
	}
	members = rapid.Permutation(members).Draw(t, "order")
	var b strings.Builder
	b.WriteString("{" + space.Draw(t, "space"))
	for i, m := range members {
		if i > 0 {
			b.WriteString("," + space.Draw(t, "space"))
		}
		b.WriteString(m + space.Draw(t, "space"))
	}
	b.WriteString("}")
	return b.String()
}

// What we do not own comes back byte for byte, wherever it stands.
func TestForAnyStateWhatIsNotOursComesBackByteForByte(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		config := objectOf(rt, 2, `"instanceType":null`)
		server := objectOf(rt, 2, `"serverId":"s-1"`, `"launchConfig":`+config)
		wave := objectOf(rt, 2, `"waveNumber" : 1.0`, `"waveName":"\u0044B"`, `"servers":[`+server+`]`)
		other := objectOf(rt, 2, `"waveNumber":2`)
		account := objectOf(rt, 2, `"accountId":"123456789012"`, `"region":"us-east-1"`, `"roleName":"Role"`)
		// Of what an answer sets, some stand already. The mark stands for the value.
		const mark = "\x00"
		ours := []string{`"executionId":"exec-1"`, `"planId":"rp-1"`, `"accountContext":` + account, `"waves":[` + other + "," + wave + `]`,
			`"executionType":"DRILL"`, `"initiatedBy":"me"`, `"startTime":"now"`, `"currentWave":` + mark + "1"}
		sets := [][2]string{{"waveNumber", `1`}, {"waveName", `"\u0044B"`}, {"drsJobId", `"drsjob-1"`}, {"status", `"STARTED"`}, {"serversLaunched", `1`},
			{"currentWave", `1`}, {"wave1JobId", `"drsjob-1"`}, {"wave1Status", `"STARTED"`}}
		var fresh [][2]string
		for i, s := range sets {
			if s[0] == "currentWave" {
				continue
			}
			if rapid.Bool().Draw(rt, "stands") {
				ours = append(ours, `"`+s[0]+`":`+mark+string(rune(i)+'A'))
			} else {
				fresh = append(fresh, s)
			}
		}
		template := objectOf(rt, 3, ours...)
		before := strings.Replace(template, mark+"1", literal.Filter(func(s string) bool { return s == "-0" || s == "1.0" || s == "1e400" }).Draw(rt, "currentWave"), 1)
		after := strings.Replace(template, mark+"1", "1", 1)
		for i, s := range sets {
			hole := mark + string(rune(i)+'A')
			before = strings.Replace(before, hole, anything(rt, 2), 1)
			after = strings.Replace(after, hole, s[1], 1)
		}
		payload := objectOf(rt, 2, `"action":"start_wave_recovery"`, `"wave_number":1`, `"state":`+before)
		got := string(invoke(t, &region{job: "drsjob-1"}, payload))

		// What stood is as it was; what is new stands together behind it.
		end := len(strings.TrimRight(strings.TrimSuffix(after, "}"), " \t\r\n"))
		if !strings.HasPrefix(got, after[:end]) || !strings.HasSuffix(got, after[end:]) {
			rt.Fatalf("state  %s\nanswer %s\nwant   %s", before, got, after)
		}
		added := strings.TrimPrefix(got[end:len(got)-(len(after)-end)], ",")
		var members map[string]json.RawMessage
		if err := json.Unmarshal([]byte("{"+added+"}"), &members); err != nil || len(members) != len(fresh) {
			rt.Fatalf("added %q, want %q: %v", added, fresh, err)
		}
		for _, s := range fresh {
			if string(members[s[0]]) != s[1] {
				rt.Fatalf("added %q, want %q", added, fresh)
			}
		}
	})
}

// A failure's state is what came in, whatever it is.
func TestForAnyFailureTheStateComesBackByteForByte(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		state := anything(rt, 4)
		payload := objectOf(rt, 2, `"action":"start_wave_recovery"`, `"wave_number":1`, `"state":`+state)
		if f := refused(t, payload); string(f.State) != state && state != "null" {
			rt.Fatalf("state %s came back as %s", state, f.State)
		}
	})
}
