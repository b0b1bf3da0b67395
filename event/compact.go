package event

import (
	"bytes"
	"fmt"

	"muster/recovery"
)

const (
	// mostFull is the largest state that carries its waves' servers round.
	mostFull = 96 << 10
	// mostState is the largest that a state of an opened execution becomes.
	mostState = 128 << 10
)

// shape is how the state of an opened execution goes round: in full while it
// is small, else with how many servers the waves have instead of them, and, as
// a last resort, without the groups' settings. The record has it all.
type shape struct{ counted, ungrouped bool }

// shape finds the first that stays small enough to the end.
func (e event) shape(r *readPlan, p *problems) shape {
	count := func(n int) int {
		if w := r.plan.Wave(n); w != nil && len(w.Servers) > 0 {
			return len(w.Servers)
		}
		return recovery.MostServers
	}
	growth := r.growth()
	size := len(e.state.raw())
	if r.counted || size <= mostFull && size+growth <= mostState {
		return shape{}
	}
	s := shape{counted: true}
	for {
		size = len(s.of(e.state, count).object.raw()) + growth
		if size <= mostState || s.ungrouped {
			break
		}
		s.ungrouped = true
	}
	if size > mostState {
		p.add("state", fmt.Sprintf("would grow to %d bytes in this execution even without its waves' servers, more than %d: leave out what no wave needs, or make fewer waves of the plan", size, mostState))
	}
	return s
}

// growth is more than the execution's actions add to its state.
func (r *readPlan) growth() int {
	growth := mostStep + 4<<10 // what is set once: status, totals, a failed poll
	longest := 0
	for i := range r.plan.Waves {
		w := &r.plan.Waves[i]
		longest = max(longest, len(w.Name)*6)
		for what, most := range map[string]int{"Status": 11, "JobId": len(longestJobID) + 2, "Attempt": 4, "ServersLaunched": 3, "ServersFailed": 3} {
			growth += len(waveKey(w.Number, what)) + most + len(`"":,`)
		}
	}
	return growth + longest + recovery.MostServers*len(`"s-1234567890abcdef0",`)
}

// of gives the state in its shape, less what does not fit into it.
func (s shape) of(state value, count func(wave int) int) State {
	if !s.counted {
		return State{state}
	}
	var out bytes.Buffer
	done := 0
	replace := func(v value, with []byte) {
		out.Write(v.doc[done:v.start])
		out.Write(with)
		done = v.end
	}
	for m := range state.members() {
		switch {
		case m.name() == "waves":
			for _, w := range m.value.items() {
				replace(w, counted(w.alone(), count))
			}
		case m.name() == "protectionGroups" && s.ungrouped && m.value.given():
			replace(m.value, []byte("{}"))
		}
	}
	out.Write(state.doc[done:])
	return State{document(out.Bytes())}
}

// counted gives a wave with the number of its servers instead of them.
func counted(wave value, count func(int) int) []byte {
	var servers, before member
	n := 0
	for m := range wave.members() {
		switch m.name() {
		case "servers":
			servers = m
		case "serverCount":
			before = m
		case "waveNumber":
			n, _ = waveNumber(m.value)
		}
	}
	number := encode(count(n))
	switch {
	case servers.key.doc == nil: // they were found by tags
		return State{wave}.Patch(Field{"serverCount", number})
	case before.key.doc != nil:
		return State{wave}.Patch(Field{"servers", []byte("null")}, Field{"serverCount", number})
	}
	doc := wave.doc
	return bytes.Join([][]byte{doc[:servers.key.start], []byte(`"serverCount"`), doc[servers.key.end:servers.value.start], number, doc[servers.value.end:]}, nil)
}
