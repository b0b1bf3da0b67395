package event

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"muster/orchestrator"
	"muster/recovery"
)

const (
	// mostAnswer is the most bytes that an answer may have. Step Functions
	// takes 256 KiB, and the lambda:invoke integration wraps an answer.
	mostAnswer = 240 << 10
	// envelope is more than all of a failure's answer but message and state.
	envelope = 512
	// leastMessage is how much of a failure's message is told in any case.
	leastMessage = 4 << 10
)

// longestJobID has the length of the longest job id that a state may carry.
var longestJobID = recovery.JobID("drsjob-" + strings.Repeat("0", 64))

var longestServerID = recovery.SourceServerID("s-" + strings.Repeat("0", 64))

// worst is the outcome of the wave that makes the longest answer.
func (w waveStart) worst() *orchestrator.Started {
	ids := w.Wave.ServerIDs()
	if len(ids) == 0 { // only the record lists them
		ids = slices.Repeat([]recovery.SourceServerID{longestServerID}, recovery.MostServers)
	}
	return &orchestrator.Started{JobID: longestJobID, Accepted: ids, NotAccepted: ids}
}

// started is the answer of a wave whose job runs: the state as it came, with
// what there is to say about the wave.
func (e event) started(w waveStart, s *orchestrator.Started, more ...Field) []byte {
	name := w.waveName
	if name == nil {
		name = []byte("null") // so that $.waveName always resolves
	}
	number, job, status := encode(w.Wave.Number), encode(s.JobID), encode("STARTED")
	set := []Field{
		{"waveNumber", number},
		{"waveName", name},
		{"drsJobId", job},
		{"status", status},
		{"serversLaunched", encode(len(s.Accepted))},
		{"currentWave", number},
		{waveKey(w.Wave.Number, "JobId"), job},
		{waveKey(w.Wave.Number, "Status"), status},
	}
	state := State{e.state}
	// Where an earlier wave left a list behind it has to go, and a patch does
	// not take away: an empty list says that this wave's servers are all in.
	if len(s.NotAccepted) > 0 {
		set = append(set, Field{"serversNotAccepted", encode(s.NotAccepted)})
	} else if state.has("serversNotAccepted") {
		set = append(set, Field{"serversNotAccepted", []byte("[]")})
	}
	return state.Patch(append(set, more...)...)
}

func (s State) has(key string) bool {
	for m := range s.object.members() {
		if m.key.text() == key {
			return true
		}
	}
	return false
}

// fail is the answer of a failure. Its keys are always all there, null where
// nothing is known, so that a state machine's paths resolve. The state goes
// back as it came; one that could not travel is left out, which is said. The
// message repeats no secret of the event, whatever it is about.
func (e event) fail(err *recovery.Error) []byte {
	execution, wave := e.identity()
	state, omitted := []byte("null"), false
	switch {
	case e.state.kind() == absent:
	case len(e.state.raw()) > mostAnswer || !utf8.Valid(e.state.raw()):
		omitted = true
	default:
		state = e.state.raw()
	}
	room := max(mostAnswer-envelope-len(state), leastMessage)
	var out bytes.Buffer
	out.WriteByte('{')
	if e.isOperation() {
		fmt.Fprintf(&out, `"statusCode":%d,`, statusCode(err.Code))
	}
	fmt.Fprintf(&out, `"error":%s,"message":%s,"executionId":%s,"waveNumber":%s,"retryable":%t,"state":%s`,
		encode(err.Code), message(e.doc.secrets().Hide(err.Message), room), encode(execution), encode(wave), err.Retryable, state)
	if omitted {
		out.WriteString(`,"stateOmitted":true`)
	}
	out.WriteByte('}')
	return out.Bytes()
}

// message gives a text as JSON of at most room bytes: a message that names a
// hundred servers must not keep an answer from being delivered.
func message(s string, room int) []byte {
	whole := encode(s)
	for cut := len(s); len(whole) > room; {
		cut -= max(len(whole)-room, 1)
		cut = max(cut, 0)
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		whole = encode(fmt.Sprintf("%s… (%d bytes more)", s[:cut], len(s)-cut))
		if cut == 0 {
			break
		}
	}
	return whole
}
