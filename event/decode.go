package event

import (
	"strconv"
	"time"

	"muster/recovery"
)

// waveStart is the view of a state, with the one thing that goes back as the
// bytes it came in.
type waveStart struct {
	recovery.WaveStart
	waveName []byte // raw; nil: the wave has none
}

// written are the keys of a state that an answer sets, less those that carry
// the wave's number.
var written = []string{"waveNumber", "waveName", "drsJobId", "status", "serversLaunched", "currentWave", "serversNotAccepted"}

var stateKeys = keySet(append([]string{"executionId", "planId", "accountContext", "waves", "executionType",
	"initiatedBy", "startTime", "protectionGroups", "readinessPolicy", "replaceLiveInstances", "treatAsGone"}, written...)...)

// noWave is the number of a wave that nobody can name, for an event whose
// wave_number is wrong: the rest is checked all the same.
const noWave = -1

// waveStart reads what starting a wave takes, and notes everything that is
// wrong with it.
func (p *problems) waveStart(state value, wave int) (w waveStart) {
	f := p.fields("state", state, stateKeys)
	if state.kind() != object {
		return w
	}
	h := f.header()
	w.Execution, w.Plan, w.Type, w.InitiatedBy, w.StartTime, w.Wave.Account = h.execution, h.plan, h.kind, h.initiatedBy, h.startTime, h.account
	w.Policy = f.policy()
	w.Replace, w.Gone = f.replace(), f.gone(w.InitiatedBy, w.StartTime)
	if wave != noWave {
		f.wave(state, h.waves, wave, &w)
	}
	if p.count == 0 {
		w.Digests = digests(state)
	}
	return w
}

// header is what every state says: which execution it is of.
type header struct {
	execution              recovery.ExecutionID
	plan                   recovery.PlanID
	kind                   recovery.ExecutionType
	initiatedBy, startTime string
	account                recovery.AccountContext
	waves                  waves
}

func (f fields) header() (h header) {
	f.must("executionId", &h.execution)
	f.must("planId", &h.plan)
	var account recovery.AccountDocument
	f.must("accountContext", &account)
	h.account = account.Context()
	h.waves = f.waves()
	f.currentWave()
	f.must("executionType", &h.kind)
	h.initiatedBy = f.needText("initiatedBy", recovery.CheckText)
	h.startTime = f.needText("startTime", recovery.CheckText)
	return h
}

// account reads an account context.
func (p *problems) account(path string, v value) recovery.AccountContext {
	var d recovery.AccountDocument
	reader{problems: p, lax: true}.read(path, v, &d)
	return d.Context()
}

// currentWave is what the state machine says runs now. The specification asks
// for a number; that it is the wave to be started nobody promises (a machine
// that does not count by itself still has the wave before), and the answer
// sets it anyway.
func (f fields) currentWave() {
	v, ok := f.need("currentWave")
	if !ok {
		return
	}
	if k := v.kind(); k != number {
		f.add(f.at("currentWave"), mustBe(number, k))
	} else if _, isWhole, _ := whole(v.raw()); !isWhole {
		f.add(f.at("currentWave"), notWhole(v))
	}
}

// policy is optional; what it says is never guessed.
func (f fields) policy() recovery.ReadinessPolicy {
	p := recovery.Continuous
	f.may("readinessPolicy", &p)
	return p
}

// replace reads the live instances that may be lost.
func (f fields) replace() (ids []recovery.InstanceID) {
	f.may("replaceLiveInstances", &ids)
	return ids
}

// gone reads the servers of which whoever asks says that no instance lives: of
// launches before the execution began.
func (f fields) gone(by, startTime string) (all []recovery.TreatedAsGone) {
	var ids []recovery.SourceServerID
	if f.may("treatAsGone", &ids); len(ids) == 0 {
		return nil
	}
	at, err := time.Parse(time.RFC3339, startTime)
	if err != nil {
		f.addf(f.at("treatAsGone"), "is about launches before the execution began, and startTime is not a time such as 2026-02-03T04:05:06Z")
	}
	if at.Nanosecond() == 0 {
		at = at.Add(time.Second - 1) // it was cut to the second
	}
	for _, id := range ids {
		all = append(all, recovery.TreatedAsGone{Server: id, Request: recovery.Request{By: by, At: at}})
	}
	return all
}

// waveNumber reads a number that names a wave; wrong says what it is instead.
func waveNumber(v value) (n int, wrong string) {
	var p problems
	var number recovery.WaveNumber
	if (reader{problems: &p}).read("", v, &number); p.count > 0 {
		return 0, p.told[0].text
	}
	return int(number), ""
}

func notWhole(v value) string { return "must be a whole number, not " + short(v.raw()) }

// short cuts a number for a message.
func short(number []byte) string {
	if len(number) > 32 {
		return string(number[:32]) + "…"
	}
	return string(number)
}

func waveKey(number int, what string) string { return "wave" + strconv.Itoa(number) + what }
