package orchestrator_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/event"
	"muster/orchestrator"
	"muster/recovery"
)

// follow gives events to the function, each with the state that the one before
// was answered with, and does what that says until the execution is over.
func (h *house) follow(o *orchestrator.Orchestrator, state []byte) (final []byte, most int) {
	h.t.Helper()
	do := func(format string, args ...any) {
		h.t.Helper()
		answer, err := event.Handler{Starter: o, Now: o.Now}.Invoke(h.t.Context(), fmt.Appendf(nil, format, args...))
		if err != nil {
			h.t.Fatal(err)
		}
		state, most = answer, max(most, len(answer))
	}
	do(`{"action":"begin_execution","state":%s}`, state)
	for range 1000 {
		var is struct {
			Error, Message string
			Outcome        string
			NextStep       struct {
				Action     recovery.Action
				WaveNumber int
				Seconds    int
			}
		}
		if err := json.Unmarshal(state, &is); err != nil || is.Error != "" {
			h.t.Fatalf("%v, %s: %s", err, is.Error, is.Message)
		}
		switch step := is.NextStep; {
		case is.Outcome != "":
			return state, most
		case step.Action == recovery.DoStartWave:
			do(`{"action":"start_wave_recovery","wave_number":%d,"state":%s}`, step.WaveNumber, state)
		case step.Action == recovery.DoWait:
			time.Sleep(time.Duration(step.Seconds) * time.Second)
			do(`{"action":"poll_wave_status","state":%s}`, state)
		case step.Action == recovery.DoFinish:
			do(`{"action":"finish_execution","state":%s}`, state)
		default:
			h.t.Fatalf("next is %+v", step)
		}
	}
	h.t.Fatal("the execution does not end")
	return nil, 0
}

func (h *house) opening(p *recovery.Plan) event.Opening {
	p.Account = h.wave.Wave.Account
	for i := range p.Waves {
		w := &p.Waves[i]
		w.Group = ""
		for s := range w.Servers {
			w.Servers[s].LaunchConfig = recovery.LaunchConfig{}
		}
	}
	return event.Opening{Plan: p, Execution: h.wave.Execution, Type: h.wave.Type, InitiatedBy: h.wave.InitiatedBy, StartTime: h.wave.StartTime}
}

func TestAPlanIsRecoveredByEventsAlone(t *testing.T) {
	for name, note := range map[string]string{"in full": "", "large": strings.Repeat("x", 97<<10)} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, 3, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
				state := string(event.StateOf(h.opening(h.plan(2, 1))))
				if note != "" { // a note about a server, which only the record need keep
					state = strings.Replace(state, `{"serverId"`, `{"note":"`+note+`","serverId"`, 1)
				}
				final, most := h.follow(o, []byte(state))
				if got, want := fmt.Sprint(h.launchedIn()), "[1+2 3]"; got != want || strings.Contains(string(final), `"serverCount"`) != (note != "") || most > 96<<10 {
					t.Errorf("jobs with servers %s, want %s; a state of at most %d bytes:\n%s", got, want, most, final)
				}
				for _, want := range []string{`"outcome":"COMPLETED"`, `"wave1Status":"COMPLETED"`, `"wave2ServersLaunched":1`, `"servers":3,"serversLaunched":3`} {
					if !strings.Contains(string(final), want) {
						t.Errorf("%s is not in %s", want, final)
					}
				}
			})
		})
	}
}

func TestAWaveWithoutServersNeedsAnExecutionThatHasThem(t *testing.T) {
	inHouse(t, 1, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		w := h.wave
		w.Wave.Servers = nil
		_, err := o.StartWave(t.Context(), w)
		if refusal, is := errors.AsType[*recovery.Error](err); !is || refusal.Code != recovery.ValidationError || !strings.Contains(refusal.Message, "does not list the servers of wave") {
			t.Errorf("got %v", err)
		}
		if e, err := o.Execution(t.Context(), w.Execution); err != nil || e.Version != 0 {
			t.Errorf("recorded all the same: %+v, %v", e, err)
		}
	})
}

// A wave that was refused before anybody claimed it is started, later, with
// all its servers, and judged by them.
func TestAWaveRefusedBeforeItsClaimKeepsItsServers(t *testing.T) {
	inHouse(t, 2, map[int]string{1: failsToLaunch}, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		p := h.plan(2)
		p.Waves[0].OnFailure = recovery.ContinueOnFailure
		h.begin(o, p)
		if _, err := o.RecordRefusal(t.Context(), h.wave.Execution, 1, recovery.Refusal{Code: recovery.DependencyNotMet, Message: "paused", Retryable: true}); err != nil {
			t.Fatal(err)
		}
		e := h.drive(o, asksNobody(t))
		if a := e.Attempt(1); len(a.Servers) != 2 || len(a.Outcomes) != 2 || e.Ended.Outcome != recovery.OutcomeFailed {
			t.Errorf("servers %v, outcomes %v, %+v", a.Servers, a.Outcomes, e.Ended)
		}
	})
}

func TestAnExecutionGoesOnWithoutItsPlan(t *testing.T) {
	inHouse(t, 1, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		ctx := t.Context()
		b := orchestrator.Begin{Execution: h.wave.Execution, Plan: &recovery.Plan{ID: h.wave.Plan}, Type: h.wave.Type}
		if _, err := o.Continue(ctx, b); err == nil || !strings.Contains(err.Error(), "there is no execution") {
			t.Errorf("nobody began it: %v", err)
		}
		h.begin(o, h.plan(1))
		if _, err := o.Interrupt(ctx, b.Execution, "died"); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Await(ctx, b.Execution, recovery.NewSecret("token"), 0); err != nil {
			t.Fatal(err)
		}
		if e, err := o.Continue(ctx, b); err != nil || e.Interrupted == nil || e.TaskToken.IsZero() {
			t.Errorf("its task waits for an answer, and somebody who begins gives it: %+v, %v", e, err)
		}
		if err := o.Decide(ctx, b.Execution, recovery.Decision{Question: "interrupted-1", Choice: recovery.Resume, Request: recovery.Request{By: "ops"}}); err != nil {
			t.Fatal(err)
		}
		e, err := o.Continue(ctx, b)
		if err != nil || e.Interrupted != nil || !e.TaskToken.IsZero() {
			t.Errorf("got %+v, %v", e, err)
		}
		again, err := o.Continue(ctx, b)
		if err != nil || again.Version != e.Version {
			t.Errorf("nothing changes, and yet: %+v, %v", again, err)
		}
		b.Type = recovery.Recovery
		if _, err := o.Continue(ctx, b); err == nil || !strings.Contains(err.Error(), "begun with another plan, type or account") {
			t.Errorf("another type: %v", err)
		}
	})
}
