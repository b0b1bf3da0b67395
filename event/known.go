package event

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"muster/recovery"
)

// about is an event about an execution that has a record.
type about struct {
	event
	header
	exec *recovery.Execution
}

// about reads which execution an event is about, and its record. The answer is
// nil, or says why there is nothing to be done.
func (e event) about(ctx context.Context, h Handler, p *problems) (a about, answer []byte, err error) {
	if len(e.state.raw()) > mostAnswer {
		p.add("state", tooLarge(len(e.state.raw())))
	}
	f := p.fields("state", e.state, stateKeys)
	a.event = e
	if e.state.kind() == object {
		a.header = f.header()
		a.mirrored(p)
	}
	if p.count > 0 {
		return a, e.invalid(p), nil
	}
	if a.exec, err = h.Starter.Execution(ctx, a.execution); err != nil {
		return a, nil, err
	}
	if a.exec.Version == 0 {
		return a, nil, nil
	}
	a.contradictions(p)
	if p.count > 0 {
		return a, e.invalid(p), nil
	}
	return a, nil, nil
}

// mirrored holds the keys that an answer sets for each wave to standing once.
func (a *about) mirrored(p *problems) {
	ours := keySet("nextStep", "interruption", "pollFailure", "outcome", "totals", "durations")
	for n := range a.waves {
		for _, what := range []string{"Status", "JobId", "Attempt", "ServersLaunched", "ServersFailed"} {
			ours[waveKey(n, what)] = true
		}
	}
	p.fields("state", a.state, ours)
}

// contradictions notes where the event is not about what the record says the
// execution is. A drill's record never answers a recovery.
func (a *about) contradictions(p *problems) {
	differ := func(path, recorded, got string) {
		if recorded != got {
			p.addf(path, "is %s, but %s in the record of execution %s", recovery.Quote(got), recovery.Quote(recorded), a.exec.ID)
		}
	}
	differ("state.planId", string(a.exec.Plan), string(a.header.plan))
	differ("state.executionType", string(a.exec.Type), string(a.kind))
}

// opened is about, for what only executions have that begin_execution opened.
func (e event) opened(ctx context.Context, h Handler, p *problems) (a about, answer []byte, err error) {
	a, answer, err = e.about(ctx, h, p)
	if answer != nil || err != nil {
		return a, answer, err
	}
	return a, a.unopened(p), nil
}

// unopened answers for executions that have no plan to follow; nil for others.
func (a *about) unopened(p *problems) []byte {
	switch {
	case a.exec.Version == 0:
		p.addf("state.executionId", "%s: there is no such execution; begin_execution opens one", a.execution)
	case a.exec.Waves == nil:
		p.addf("state.executionId", "%s was opened by the start of a wave; only one that begin_execution opened has a plan to follow", a.execution)
	default:
		return nil
	}
	return a.invalid(p)
}

func (e event) invalid(p *problems) []byte {
	return e.fail(recovery.Errorf(recovery.ValidationError, "%s", p))
}

// follow is the answer of an action on an opened execution: the state, what
// the record says of its waves, and what comes next.
func (e event) follow(s State, exec *recovery.Execution, h Handler, more ...Field) []byte {
	now := h.now()
	step := recovery.Next(exec, now)
	set := append([]Field{{"status", encode(status(exec, step, now))}}, s.mirror(exec, now)...)
	return e.deliver(s.Patch(append(append(set, more...), nextStep(step))...))
}

// deliver refuses what could not travel. Whatever was done stands in the
// record, where the same event finds it.
func (e event) deliver(answer []byte) []byte {
	if len(answer) > mostAnswer {
		return e.fail(recovery.Errorf(recovery.ValidationError, "state %s", tooLarge(len(answer))))
	}
	return answer
}

// visible makes foreign text fit for a sentence, and not without end.
func visible(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == 0xfffd || !unicode.IsGraphic(r) }), " ")
	const most = 300
	if runes := []rune(s); len(runes) > most {
		s = fmt.Sprintf("%s… (%d characters more)", string(runes[:most]), len(runes)-most)
	}
	return s
}
