package event_test

import (
	"bytes"
	"strings"
	"testing"

	"muster/recovery"
)

// zero is the shop's plan, whose gate is before wave 0.
var zero = strings.NewReplacer(`"waveNumber": 1,`, `"waveNumber": 1, "independent": true,`, `"waveNumber": 2,`, `"waveNumber": 0, "dependsOnWaves": [1],`).Replace(shop)

func zeroHub(t *testing.T) *hub {
	t.Helper()
	h := newHub(t)
	h.ask(op("put_group", `"group": `+databases, byMe))
	h.ask(op("put_group", `"group": `+webServers, byMe))
	h.ask(op("put_plan", `"plan": `+zero, byMe))
	h.ask(op("start_execution", `"planId": "rp-shop"`, `"executionType": "DRILL"`, exec1, byMe))
	return h
}

// wants asks, and looks for each word in the answer, or for its absence where
// it begins with !.
func (h *hub) wants(payload string, words ...string) {
	h.t.Helper()
	answer := h.ask(payload)
	for _, word := range words {
		not := strings.HasPrefix(word, "!")
		if bytes.Contains(answer, []byte(strings.TrimPrefix(word, "!"))) == not {
			h.t.Errorf("%s\nwant %s in %s", payload, word, answer)
		}
	}
}

func TestWhatIsSaidOfNoWaveIsNotSaidOfWaveZero(t *testing.T) {
	h := zeroHub(t)
	h.wants(op("pause", exec1, byMe), `"decisions":[{"id":"pause-1","reason":"PAUSE_REQUESTED","choices"`)
	h.wants(op("decide", exec1, `"question": "pause-1"`, `"choice": "skip"`, byMe), `"WRONG_STATE"`, "is not answered by", "it asks pause-1 (PAUSE_REQUESTED: resume, cancel)")
	h.wants(op("get_execution", exec1), `"decisions":[{"id":"pause-1","reason":"PAUSE_REQUESTED","choices"`, `"waveNumber":0,"waveName":"Web servers","status":"PENDING"`)
	h.ask(op("resume", exec1, byMe))
	h.run("exec-1")
	h.wants(op("get_execution", exec1), `"decisions":[{"id":"gate-w0","reason":"PAUSE_BEFORE_WAVE","waveNumber":0,`, `"kind":"STARTED","execution":"exec-1","wave":1,`, `"kind":"OPENED","execution":"exec-1","message"`)
	h.wants(op("pause", exec1, byMe), `"decisions":[{"id":"pause-2","reason":"PAUSE_REQUESTED","choices"`, `{"id":"gate-w0","reason":"PAUSE_BEFORE_WAVE","waveNumber":0,`)
	h.wants(op("decide", exec1, `"choice": "resume"`, `"waveNumber": 0`, byMe), `"PAUSE_REQUESTED"`, "!PAUSE_BEFORE_WAVE")
	h.wants(op("decide", exec1, `"choice": "resume"`, `"waveNumber": 0`, byMe), `"statusCode":200`, `"PAUSE_REQUESTED"`)
	h.wants(op("decide", exec1, `"question": "pause-2"`, `"choice": "resume"`, byMe), `"woken":true`)
	h.run("exec-1")
	h.wants(op("get_execution", exec1), `"kind":"DECIDED","execution":"exec-1","wave":0,`, `"kind":"STARTED","execution":"exec-1","wave":0,`, `"COMPLETED"`)
}

func TestOnlyServersThatAreTriedAgainAreLeftOutAndTheLogNamesThem(t *testing.T) {
	h := zeroHub(t)
	h.country.fail = map[recovery.SourceServerID]bool{"s-db-1": true, "s-db-2": true}
	h.run("exec-1")
	h.wants(op("decide", exec1, `"question": "failed-w1-a1"`, `"choice": "retry"`, `"excludeServers": ["s-db-1", "s-web-1"]`, byMe),
		`"statusCode":409`, "s-web-1 is not in the wave; those that can be: s-db-1, s-db-2", "it asks failed-w1-a1 (WAVE_FAILED: retry, skip, cancel)")
	h.wants(op("get_execution", exec1), "!DECIDED")
	h.wants(op("decide", exec1, `"question": "failed-w1-a1"`, `"choice": "retry"`, `"excludeServers": ["s-db-1"]`, byMe), `"woken":true`)
	h.wants(op("get_execution", exec1), "decided: retry wave 1 without s-db-1", `"excluded":["s-db-1"]`)
}
