package event_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/recovery"
)

func TestWhatIsNotJSONIsToldWhereItStopsBeingSo(t *testing.T) {
	for payload, want := range map[string]string{
		"":                       "unexpected end of JSON input, at offset 0 (line 1, column 1)",
		"{":                      "unexpected end of JSON input, at offset 1 (line 1, column 2)",
		"not json":               "invalid character 'o' in literal null (expecting 'u'), at offset 1 (line 1, column 2)",
		"{\n  \"é\": NaN}":       "invalid character 'N' looking for beginning of value, at offset 10 (line 2, column 8)",
		"{\"a\":1,}":             "invalid character '}' looking for beginning of object key string, at offset 7",
		"{'a':1}":                "at offset 1 (line 1, column 2)",
		"{\"a\":01}":             "at offset 6",
		"{} {}":                  "at offset 3",
		"\ufeff{}":               "at offset 0",
		"\"a\nb\"":               "in string literal, at offset 2",
		"Infinity":               "at offset 0",
		strings.Repeat("[", 1e5): "exceeded max depth",
		"\x00\x1b[2J":            "at offset 0",
	} {
		f := refused(t, payload)
		if f.Error != recovery.ValidationError || !strings.HasPrefix(f.Message, "the event is not JSON: ") || !strings.Contains(f.Message, want) {
			t.Errorf("%.20q: got %s %q, want %q", payload, f.Error, f.Message, want)
		}
		if f.ExecutionID != nil || f.WaveNumber != nil || string(f.State) != "null" || f.StateOmitted {
			t.Errorf("%.20q: the answer knows too much: %+v", payload, f)
		}
	}
}

// encoding/json takes such bytes for JSON; whoever reads our answer does not.
func TestWhatIsNotUTF8IsRefusedAndNotSentBack(t *testing.T) {
	f := refused(t, edit(t, tiny, `"startTime":"now"`, `"startTime":"now","note":"`+"\xff"+`"`))
	if !strings.Contains(f.Message, "is not UTF-8 text: byte 0xff at offset ") || !f.StateOmitted || string(f.State) != "null" || *f.ExecutionID != "exec-1" {
		t.Errorf("got %+v", f)
	}
	payload := edit(t, tiny, `{"action"`, `{"`+"\xc0\xaf"+`":1,"action"`)
	if f := refused(t, payload); f.StateOmitted || string(f.State) != string(stateOf(t, payload)) {
		t.Errorf("what is wrong is not in the state, and it was kept back: %+v", f)
	}
}

func TestHostileEventsAreRefusedWithinASecond(t *testing.T) {
	const large, many = 10 << 20 / shrink, 1_000_000 / shrink
	state := func(member string) string { return stateField(t, member) }
	fill := func(pattern string) string { return strings.Repeat(pattern, large/len(pattern)) }
	list := func(n int, element func(i int) string) string {
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(element(i))
		}
		return b.String()
	}
	constant := func(s string) func(int) string { return func(int) string { return s } }
	nested := strings.Repeat(`{"a":[`, 4990) + strings.Repeat(`]}`, 4990)
	for name, payload := range map[string]string{
		"ten megabytes of text":           state(`"note":"` + fill("x") + `"`),
		"ten megabytes of escapes":        state(`"` + fill(`\u0061`) + `":1`),
		"ten megabytes of brackets":       state(`"note":[` + strings.TrimSuffix(fill("[],"), ",") + `]`),
		"ten megabytes of white space":    edit(t, tiny, `"startTime":"now"}`, `"startTime":"now",`+fill(" ")+`"x":1}`),
		"ten megabytes of digits":         edit(t, tiny, `"wave_number":1`, `"wave_number":1`+fill("0")),
		"ten megabytes of zeros":          edit(t, tiny, `"wave_number":1`, `"wave_number":0.`+fill("0")+`1e`+fmt.Sprint(large)+``),
		"ten megabytes of id":             edit(t, tiny, `"exec-1"`, `"`+fill("x")+`"`),
		"very many waves":                 edit(t, tiny, waveOne, waveOne+","+list(many/10, func(i int) string { return fmt.Sprintf(`{"waveNumber":%d,"servers":[{"serverId":"s-1"}]}`, i+2) })),
		"very many times the same wave":   edit(t, tiny, waveOne, list(many/10, constant(waveOne))),
		"very many waves of nonsense":     edit(t, tiny, waveOne, list(many/10, constant(`{"waveNumber":"x"}`))),
		"as many dependencies":            edit(t, tiny, `"waveNumber":1`, `"waveNumber":1,"dependsOnWaves":[`+list(many, func(i int) string { return fmt.Sprint(i + 2) })+`]`),
		"very many servers":               edit(t, tiny, `{"serverId":"s-1","launchConfig":{}}`, list(many/10, func(i int) string { return fmt.Sprintf(`{"serverId":"s-%d"}`, i) })),
		"as many keys":                    state(list(many/2, func(i int) string { return fmt.Sprintf(`"key%d":1`, i) })),
		"the same key, ours, as often":    state(list(many/2, constant(`"status":1`))),
		"as many security groups":         setting(t, `"securityGroups":[`+list(many/2, func(i int) string { return fmt.Sprintf(`"sg-%d"`, i) })+`]`),
		"as many instances":               state(`"replaceLiveInstances":[` + list(many/2, constant(`"x"`)) + `]`),
		"as many protection groups":       state(`"protectionGroups":{` + list(many/2, func(i int) string { return fmt.Sprintf(`"pg-%d":{}`, i) }) + `}`),
		"deep nesting, as deep as can be": edit(t, state(`"note":`+nested), `"now"`, `7`),
		"deep nesting, deeper":            state(`"note":` + strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001)),
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			f := refused(t, payload)
			took := time.Since(begin)
			if f.Error != recovery.ValidationError || len(f.Message) > 20_000 {
				t.Errorf("%s, message of %d bytes: %.300s", f.Error, len(f.Message), f.Message)
			}
			if took > patience {
				t.Errorf("took %v", took)
			}
			t.Logf("%d bytes in %v: %.150s", len(payload), took, f.Message)
		})
	}
}

func TestDeepNestingThatWeDoNotReadComesBack(t *testing.T) {
	nested := strings.Repeat(`{"a":[`, 4000) + strings.Repeat(`]}`, 4000)
	if answer := invoke(t, &region{job: "drsjob-1"}, stateField(t, `"note":`+nested)); !bytes.Contains(answer, []byte(nested)) {
		t.Error("it did not")
	}
}

// Whatever stands anywhere may be of any kind. Replace every value of a whole
// event with every other kind: nothing panics, nothing starts by mistake.
func TestWrongKindsAnywhereAreAnswered(t *testing.T) {
	payload := fixture(t, "start-wave-1.json")
	for at := 0; at < len(payload); at++ {
		if payload[at] != ':' && payload[at] != '[' {
			continue
		}
		end := strings.IndexAny(payload[at+1:], ",}]\n")
		for _, other := range []string{`null`, `true`, `-0`, `1e400`, `""`, `"\ud800"`, `[]`, `[[]]`, `{}`, `{"":{}}`} {
			invoke(t, &region{job: "drsjob-1"}, payload[:at+1]+other+payload[at+1+end:])
		}
	}
}
