package event

import (
	"context"
	"fmt"
	"strings"

	"muster/recovery"
)

// mostRefusal is how much of a refusal's message goes into the record.
const mostRefusal = 16 << 10

var failureKeys = keySet("error", "message", "executionId", "waveNumber", "retryable")

// recordRefusal answers record_wave_refusal.
func (e event) recordRefusal(ctx context.Context, h Handler) ([]byte, error) {
	var p problems
	wave, refusal := e.failure(&p)
	if e.state.kind() == object {
		refusal.Attempt = new(problems).fields("state", e.state, keySet(waveKey(wave, "Attempt"))).mayWhole(waveKey(wave, "Attempt"), 1, mostWhole)
	}
	a, answer, err := e.opened(ctx, h, &p)
	if answer != nil || err != nil {
		return answer, err
	}
	exec, err := h.Starter.RecordRefusal(ctx, a.execution, wave, refusal)
	if err != nil {
		return e.refused(err)
	}
	return e.follow(State{e.state}, exec, h), nil
}

// failure reads the answer of a refused start, less its state.
func (e event) failure(p *problems) (wave int, r recovery.Refusal) {
	f := p.fields("", e.doc, keySet("failure"))
	v, ok := f.need("failure")
	if !ok {
		return 0, r
	}
	f = p.fields("failure", v, failureKeys)
	if v.kind() != object {
		return 0, r
	}
	r.Code = recovery.Code(f.needText("error", recovery.CheckText))
	if s, ok := f.mayText("message"); ok {
		r.Message = clip(s, mostRefusal)
	}
	r.Retryable = f.mayBool("retryable")
	if n, ok := f.need("waveNumber"); ok {
		var wrong string
		if wave, wrong = waveNumber(n); wrong != "" {
			f.add(f.at("waveNumber"), wrong)
		}
	}
	if id, ok := f.mayText("executionId"); ok {
		if own, _ := e.identity(); own != nil && own != id {
			f.addf(f.at("executionId"), "is %s, and state.executionId is %s", recovery.Quote(id), own)
		}
	}
	return wave, r
}

// clip cuts a text to about so many bytes.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("%s… (%d bytes more)", strings.ToValidUTF8(s[:most], ""), len(s)-most)
}
