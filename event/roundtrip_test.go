package event_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/recovery"
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

// The same holds for every action of a whole execution: what they set stands
// behind what came in.
func TestForAnyPlanWhatIsNotOursComesBackByteForByte(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		server := objectOf(rt, 2, `"serverId":"s-1"`, `"launchConfig":`+objectOf(rt, 1))
		gated := objectOf(rt, 1, `"waveNumber":2`, `"pauseBeforeWave":true`, `"servers":[{"serverId":"s-2","launchConfig":{}}]`)
		wave := objectOf(rt, 2, `"waveNumber" : 1.0`, `"waveName":"\u0044B"`, `"servers":[`+server+`]`)
		account := objectOf(rt, 2, `"accountId":"123456789012"`, `"region":"us-east-1"`, `"roleName":"Role"`)
		state := objectOf(rt, 3, `"executionId":"exec-1"`, `"planId":"rp-1"`, `"accountContext":`+account, `"waves":[`+gated+","+wave+`]`,
			`"executionType":"DRILL"`, `"initiatedBy":"me"`, `"startTime":"now"`, `"currentWave":1`)
		end := len(strings.TrimRight(strings.TrimSuffix(state, "}"), " \t\r\n"))
		w := newWalk(t)
		w.fates, w.over = map[recovery.SourceServerID]string{"s-1": "LAUNCHED", "s-2": "LAUNCHED"}, true
		answer := state
		for _, do := range [][]string{
			{"begin_execution"}, {"record_wave_refusal", "failure", `{"error":"E","message":"m","waveNumber":1,"retryable":true}`},
			{"start_wave_recovery", "wave_number", "1"}, {"poll_wave_status"}, {"await_decision", "taskToken", quoted},
			{"begin_execution"}, {"finish_execution"},
		} {
			answer = string(w.do(do[0], answer, do[1:]...))
			if !strings.HasPrefix(answer, state[:end]) || !strings.HasSuffix(answer, state[end:]) {
				rt.Fatalf("%s: state\n%s\nbecame\n%s", do[0], state, answer)
			}
			next(t, []byte(answer))
		}
	})
}

// A wave whose servers are counted is otherwise as it came.
func TestForAnyLargePlanOnlyServersBecomeACount(t *testing.T) {
	long := `"note":"` + strings.Repeat("x", 97<<10) + `"`
	rapid.Check(t, func(rt *rapid.T) {
		const mark = "\x00"
		first := objectOf(rt, 2, `"waveNumber":1`, mark+space.Draw(rt, "colon")+":"+space.Draw(rt, "colon")+mark+mark)
		second := objectOf(rt, 2, `"waveNumber":2`, `"servers":null`, `"serverCount":null`, `"protectionGroupId":"pg-1"`)
		before := objectOf(rt, 2, `"executionId":"exec-1"`, `"planId":"rp-1"`, `"accountContext":{"accountId":"123456789012","region":"us-east-1","roleName":"Role"}`,
			`"protectionGroups":{"pg-1":{"tags":{"App":"x"}}}`, `"executionType":"DRILL"`, `"initiatedBy":"me"`, `"startTime":"now"`, `"currentWave":1`, `"waves":[`+first+`, `+second+` ]`)
		fill := func(doc, key, servers string) string {
			return strings.Replace(strings.Replace(doc, mark+mark, servers, 1), mark, key, 1)
		}
		state := fill(before, `"servers"`, `[{"serverId":"s-1","launchConfig":{},`+long+`}]`)
		want := strings.Replace(fill(before, `"serverCount"`, "1"), `"serverCount":null`, `"serverCount":1`, 1)
		got := string(newWalk(t).do("begin_execution", state))
		end := len(strings.TrimRight(strings.TrimSuffix(want, "}"), " \t\r\n"))
		if !strings.HasPrefix(got, want[:end]) || !strings.HasSuffix(got, want[end:]) {
			rt.Fatalf("want %s\ngot  %s", want, got)
		}
	})
}
