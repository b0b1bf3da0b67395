package event

import (
	"context"
	"encoding/json"
	"errors"

	"muster/orchestrator"
	"muster/recovery"
)

// poll answers poll_wave_status: of one wave, or of all that are under way.
func (e event) poll(ctx context.Context, h Handler) ([]byte, error) {
	var p problems
	wave := e.polledWave(&p)
	a, answer, err := e.about(ctx, h, &p)
	if answer != nil || err != nil {
		return answer, err
	}
	accounts := a.accounts(&p)
	a.pollable(&p, wave)
	if p.count > 0 {
		return e.invalid(&p), nil
	}
	exec, err := h.Starter.Poll(ctx, orchestrator.Poll{Execution: a.execution, Wave: wave, Accounts: accounts, Known: a.exec})
	opened := exec != nil && exec.Waves != nil
	if opened {
		err = errors.Join(err, exec.NotSeen())
	}
	failure, err := recovery.Together(err)
	switch {
	case err != nil:
		return nil, err
	case failure != nil && !opened && (exec == nil || !failure.Retryable):
		return e.fail(failure), nil
	}
	s := State{e.state}
	var more []Field
	switch {
	case failure != nil: // the next look may see more; the jobs run on
		more = append(more, Field{"pollFailure", encode(failureJSON{failure.Code, message(failure.Message, mostText), true})})
	case s.has("pollFailure"):
		more = append(more, Field{"pollFailure", []byte("null")})
	}
	now := h.now()
	step := recovery.Next(exec, now)
	word := status(exec, step, now)
	if wave != nil {
		word = string(waveStatus(exec, *wave, now))
	}
	set := append([]Field{{"status", encode(word)}}, s.mirror(exec, now)...)
	set = append(set, more...)
	if opened {
		set = append(set, nextStep(step))
	}
	return e.deliver(s.Patch(set...)), nil
}

// polledWave reads wave_number; without one, all waves are meant.
func (e event) polledWave(p *problems) *int {
	if !e.waveNumber.given() {
		return nil
	}
	n, wrong := waveNumber(e.waveNumber)
	if wrong != "" {
		p.add("wave_number", wrong)
	}
	return &n
}

// accounts reads where each wave is recovered.
func (a *about) accounts(p *problems) map[int]recovery.AccountContext {
	all := map[int]recovery.AccountContext{}
	for n, found := range a.waves {
		all[n] = a.account
		f := p.fields(found.path, found.value, keySet("accountContext"))
		if v := f.known["accountContext"]; v.given() {
			all[n] = p.account(f.at("accountContext"), v)
		}
	}
	return all
}

// pollable notes why there is nothing to look at.
func (a *about) pollable(p *problems, wave *int) {
	switch {
	case a.exec.Version == 0:
		p.addf("state.executionId", "%s: there is no such execution; begin_execution, or the start of a wave, opens one", a.execution)
		return
	case wave != nil && a.exec.Waves != nil && a.exec.Wave(*wave) == nil:
		p.addf("wave_number", "is %d, and execution %s has no such wave", *wave, a.exec.ID)
	case wave != nil && a.exec.Waves == nil && a.exec.Attempt(*wave) == nil:
		p.addf("wave_number", "is %d, and execution %s has not started that wave", *wave, a.exec.ID)
	}
	if a.exec.Waves != nil {
		return // the frozen plan knows the accounts
	}
	accounts := a.accounts(&problems{})
	for i := range a.exec.Attempts {
		at := &a.exec.Attempts[i]
		if wave != nil && at.Wave != *wave {
			continue
		}
		found, ok := a.waves[at.Wave]
		switch got := accounts[at.Wave]; {
		case !ok:
			p.addf("state.waves", "does not have wave %d, which execution %s has started", at.Wave, a.exec.ID)
		case got.AccountID != at.AccountID || got.Region != at.Region:
			p.addf(found.path, "is in account %s, %s; in the record of execution %s it is in %s, %s", got.AccountID, got.Region, a.exec.ID, at.AccountID, at.Region)
		}
	}
}

type failureJSON struct {
	Error     recovery.Code   `json:"error"`
	Message   json.RawMessage `json:"message"`
	Retryable bool            `json:"retryable"`
}
