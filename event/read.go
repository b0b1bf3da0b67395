package event

import (
	"fmt"

	"muster/recovery"
)

// event is an event's outside, read once: what it asks for, and what every
// answer repeats of it.
type event struct {
	doc               value
	action, operation string
	state             value // as a document of its own
	waveNumber        value
	problems          problems             // with the outside
	unnamed           string               // why it is no event that we know, if it has no name
	began             recovery.ExecutionID // by this event, which does not name it itself
}

var eventKeys = keySet("action", "operation", "state", "wave_number")

// read reads a valid document.
func read(payload []byte) (e event) {
	doc := document(payload)
	if k := doc.kind(); k != object {
		e.unnamed = fmt.Sprintf("an event must be an object, not %s", k)
		return e
	}
	e.doc = doc
	f := e.problems.fields("", doc, eventKeys)
	if v := f.known["state"]; v.kind() != absent {
		e.state = v.alone()
	}
	e.waveNumber = f.known["wave_number"]
	e.action, e.operation = name(f.known["action"]), name(f.known["operation"])
	e.unnamed = "the event has neither an action nor an operation (each a string with something in it)"
	return e
}

// name gives the text of a string. Whatever else stands there names nothing.
func name(v value) string {
	if v.kind() != text {
		return ""
	}
	return v.text()
}

// identity gives what an answer repeats so that it can be told from others:
// the execution's id and the wave's number, each nil where the event does not
// say it properly.
func (e event) identity() (execution, wave any) {
	var p problems
	says, number := e.state, e.waveNumber
	if e.isOperation() {
		says, number = e.doc, p.fields("", e.doc, keySet("waveNumber")).known["waveNumber"]
	}
	if says.kind() == object {
		f := p.fields("", says, keySet("executionId"))
		id := f.needText("executionId", func(s string) error { return recovery.ExecutionID(s).Check() })
		if p.count == 0 {
			execution = id
		}
	}
	if e.began != "" {
		execution = e.began
	}
	if n, wrong := waveNumber(number); wrong == "" {
		wave = n
	}
	return execution, wave
}

// isOperation says whether people ask: their answers tell in HTTP's words how
// it went.
func (e event) isOperation() bool { return e.action == "" && e.operation != "" }
