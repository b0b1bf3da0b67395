package event_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"muster/event"
	"muster/recovery"
)

const quoted = `"` + token + `"`

func TestWhatIsAboutNoExecutionIsRefused(t *testing.T) {
	for _, c := range []struct{ action, key, value string }{
		{"poll_wave_status", "x", "0"},
		{"finish_execution", "x", "0"},
		{"await_decision", "taskToken", quoted},
		{"record_wave_refusal", "failure", `{"error":"E","message":"m","waveNumber":1,"retryable":true}`},
	} {
		t.Run(c.action, func(t *testing.T) {
			w := newWalk(t)
			if m := w.message(w.do(c.action, twoWaves, c.key, c.value), recovery.ValidationError); !strings.Contains(m, `state.executionId exec-1: there is no such execution`) {
				t.Errorf("none: %q", m)
			}
			m := w.message(w.do(c.action, edit(t, twoWaves, `"exec-1"`, `"../x"`, `"DRILL"`, `"drill"`), c.key, c.value), recovery.ValidationError)
			if !strings.Contains(m, "state.executionId ") || !strings.Contains(m, "state.executionType ") {
				t.Errorf("a wrong state: %q", m)
			}
			w.do("begin_execution", twoWaves)
			m = w.message(w.do(c.action, edit(t, twoWaves, `"rp-1"`, `"rp-2"`, `"DRILL"`, `"RECOVERY"`), c.key, c.value), recovery.ValidationError)
			if !strings.Contains(m, `state.planId is "rp-2", but "rp-1" in the record`) || !strings.Contains(m, `state.executionType is "RECOVERY"`) {
				t.Errorf("another plan: %q", m)
			}
			if m := w.message(w.do(c.action, "[]", c.key, c.value), recovery.ValidationError); !strings.Contains(m, "state must be an object") {
				t.Errorf("no state: %q", m)
			}
			w.exec.Waves = nil
			if c.action == "poll_wave_status" {
				return
			}
			if m := w.message(w.do(c.action, twoWaves, c.key, c.value), recovery.ValidationError); !strings.Contains(m, "was opened by the start of a wave") {
				t.Errorf("nobody opened it: %q", m)
			}
		})
	}
}

func TestARefusalGoesIntoTheRecord(t *testing.T) {
	good := `{"error":"DRS_API_ERROR","message":"no capacity","executionId":"exec-1","waveNumber":1,"retryable":false}`
	w := newWalk(t)
	w.do("begin_execution", twoWaves)
	n := next(t, w.do("record_wave_refusal", twoWaves, "failure", good))
	if n.Action != recovery.DoAwaitDecision || n.Decisions[0].Reason != recovery.WaveRefused || *n.Decisions[0].WaveNumber != 1 || !strings.Contains(n.Decisions[0].Text, "no capacity") {
		t.Errorf("next is %+v", n)
	}
	if want := (recovery.Refusal{Code: recovery.DRSAPIError, Message: "no capacity"}); !reflect.DeepEqual(w.refusals[0], want) {
		t.Errorf("recorded %+v", w.refusals[0])
	}
	for name, c := range map[string]struct{ failure, want string }{
		"none":              {`null`, "failure is missing"},
		"no object":         {`"x"`, "failure must be an object, not a string"},
		"no wave":           {strings.Replace(good, `1,`, `null,`, 1), "failure.waveNumber is missing"},
		"half a wave":       {strings.Replace(good, `1,`, `1.5,`, 1), "failure.waveNumber must be a whole number"},
		"no error":          {strings.Replace(good, `"error"`, `"x"`, 1), "failure.error is missing"},
		"another execution": {strings.Replace(good, `exec-1`, `exec-2`, 1), `failure.executionId is "exec-2", and state.executionId is exec-1`},
		"retryable text":    {strings.Replace(good, `false`, `"no"`, 1), "failure.retryable must be true or false"},
		"a number's text":   {strings.Replace(good, `"no capacity"`, `7`, 1), "failure.message must be a string"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWalk(t)
			w.do("begin_execution", twoWaves)
			if m := w.message(w.do("record_wave_refusal", twoWaves, "failure", c.failure), recovery.ValidationError); !strings.Contains(m, c.want) || len(w.refusals) > 0 {
				t.Errorf("%q does not say %q", m, c.want)
			}
		})
	}
}

func TestTextsInAStateHaveAnEnd(t *testing.T) {
	w := newWalk(t)
	w.do("begin_execution", twoWaves)
	long := strings.Repeat("\u0001\U0001f600", 50_000)
	answer := w.do("record_wave_refusal", twoWaves, "failure", `{"error":"DRS_API_ERROR","message":"`+strings.ReplaceAll(long, "\u0001", `\u0001`)+`","waveNumber":1,"retryable":false}`)
	if grown := len(answer) - len(twoWaves); grown > 2048 || len(w.refusals[0].Message) > 17<<10 {
		t.Errorf("%d bytes more, %d bytes recorded", grown, len(w.refusals[0].Message))
	}
	// Many waves ask: some are told, the rest counted.
	var waves []string
	for n := range 50 {
		waves = append(waves, fmt.Sprintf(`{"waveNumber":%d,"independent":true,"pauseBeforeWave":true,"servers":[{"serverId":"s-%d","launchConfig":{}}]}`, n, n))
	}
	gates := edit(t, tiny, `{"waveNumber":1,"servers":[{"serverId":"s-1","launchConfig":{}}]}`, strings.Join(waves, ","))
	n := next(t, newWalk(t).do("begin_execution", string(stateOf(t, gates))))
	if len(n.Decisions) != 20 || n.MoreDecisions != 30 || n.Decisions[0].WaveNumber == nil || *n.Decisions[0].WaveNumber != 0 {
		t.Errorf("%d decisions and %d more", len(n.Decisions), n.MoreDecisions)
	}
}

// unopened is an execution that the start of its first wave opened.
func unopened(t testing.TB) *walk {
	w := newWalk(t)
	w.exec = &recovery.Execution{ID: "exec-1", Plan: "rp-1", Type: recovery.Drill, StartTime: "2025-01-31T15:30:00Z", Version: 1}
	w.put(recovery.Attempt{Wave: 1, Attempt: 1, AccountID: "123456789012", Region: "us-east-1", Servers: []recovery.SourceServerID{"s-1", "s-2"}}.
		Start(&recovery.Job{ID: "drsjob-1"}, dawn))
	return w
}

func TestAWaveOfAnExecutionThatNobodyOpenedIsPolledByItsServers(t *testing.T) {
	for name, c := range map[string]struct {
		fates string
		over  bool
		want  string
	}{
		"under way":          {"IN_PROGRESS", false, "STARTED"},
		"launched, job runs": {"LAUNCHED", false, "STARTED"},
		"launched":           {"LAUNCHED", true, "COMPLETED"},
		"failed":             {"FAILED", true, "FAILED"},
	} {
		t.Run(name, func(t *testing.T) {
			w := unopened(t)
			w.over, w.fates = c.over, map[recovery.SourceServerID]string{"s-1": "LAUNCHED", "s-2": c.fates}
			for _, more := range [][]string{{"wave_number", "1"}, {"wave_number", "null"}} {
				got := object(t, w.do("poll_wave_status", twoWaves, more...))
				if got["wave1Status"] != c.want || got["status"] != c.want || got["wave1JobId"] != "drsjob-1" || got["wave1ServersLaunched"] == nil || got["nextStep"] != nil || got["wave1Attempt"] != nil || got["serversLaunched"] != nil {
					t.Errorf("%v: got %v", more, got)
				}
			}
			if p := w.polled[0]; p.Wave == nil || *p.Wave != 1 || p.Accounts[1].RoleName != "Role" || p.Accounts[2].AccountID != "123456789012" || w.polled[1].Wave != nil {
				t.Errorf("asked for %+v", w.polled)
			}
		})
	}
}

func TestAPollOfWaveZeroIsNotOneOfAll(t *testing.T) {
	w := unopened(t)
	w.exec.Attempts[0].Wave = 0
	w.over, w.fates = true, map[recovery.SourceServerID]string{"s-1": "LAUNCHED", "s-2": "LAUNCHED"}
	got := object(t, w.do("poll_wave_status", edit(t, twoWaves, `"waveNumber": 1`, `"waveNumber": 0`, `"dependsOnWaves": [1]`, `"dependsOnWaves": [0]`), "wave_number", "0"))
	if p := w.polled[0]; p.Wave == nil || *p.Wave != 0 || got["wave0Status"] != "COMPLETED" {
		t.Errorf("asked for %+v, got %v", p, got)
	}
}

func TestAPollThatContradictsTheRecordAsksNobody(t *testing.T) {
	for name, c := range map[string]struct {
		edit []string
		wave string
		want string
	}{
		"another account":         {[]string{`"123456789012"`, `"999999999999"`}, "1", "state.waves[0] is in account 999999999999, us-east-1; in the record of execution exec-1 it is in 123456789012, us-east-1"},
		"a wave that is no more":  {[]string{`"waveNumber": 1,`, `"waveNumber": 3,`}, "null", "state.waves does not have wave 1"},
		"a wave not started":      {nil, "2", "wave_number is 2, and execution exec-1 has not started that wave"},
		"half a wave":             {nil, "1.5", "wave_number must be a whole number"},
		"an account that is none": {[]string{`"launchOrder": 1}`, `"accountContext": {}}`}, "1", "state.waves[0].accountContext.roleName is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			w := unopened(t)
			if m := w.message(w.do("poll_wave_status", edit(t, twoWaves, c.edit...), "wave_number", c.wave), recovery.ValidationError); !strings.Contains(m, c.want) || len(w.polled) > 0 {
				t.Errorf("%q does not say %q", m, c.want)
			}
		})
	}
	w := newWalk(t)
	w.do("begin_execution", twoWaves)
	if m := w.message(w.do("poll_wave_status", twoWaves, "wave_number", "7"), recovery.ValidationError); !strings.Contains(m, "has no such wave") {
		t.Errorf("got %q", m)
	}
	if got := object(t, w.do("poll_wave_status", twoWaves, "wave_number", "2")); got["status"] != "PENDING" || got["nextStep"] == nil {
		t.Errorf("got %v", got)
	}
}

func TestALookThatFailedForNowIsRepeated(t *testing.T) {
	w := newWalk(t)
	w.do("begin_execution", twoWaves)
	state := w.do("start_wave_recovery", twoWaves, "wave_number", "1")
	throttled := &recovery.Error{Code: recovery.DRSAPIError, Message: "ThrottlingException", Retryable: true}
	w.book.err = errors.Join(throttled, errors.Join(throttled))
	state = w.do("poll_wave_status", string(state))
	if n := next(t, state); n.Action != recovery.DoWait || !strings.Contains(string(state), `"pollFailure": {"error":"DRS_API_ERROR","message":"ThrottlingException; ThrottlingException","retryable":true}`) {
		t.Errorf("got %s", state)
	}
	state = w.do("poll_wave_status", string(state))
	if !strings.Contains(string(state), `"pollFailure": null`) {
		t.Errorf("got %s", state)
	}
	w.book.err = errors.Join(throttled, recovery.Errorf(recovery.CrossAccountError, "AccessDenied"))
	if state := w.do("poll_wave_status", string(state)); next(t, state).Action != recovery.DoWait || !strings.Contains(string(state), `"message":"ThrottlingException; AccessDenied"`) {
		t.Errorf("a refusal for good, of one account, is answered by %s", state)
	}
	w.book.err = errors.Join(throttled, errors.New("the store is down"))
	if _, err := (event.Handler{Starter: &w.region, Now: w.now}).Invoke(t.Context(), []byte(`{"action":"poll_wave_status","state":`+string(state)+`}`)); err == nil {
		t.Error("what could not be known is answered")
	}
}

func TestATaskAwaitsADecision(t *testing.T) {
	gate := func(t *testing.T) *walk {
		w := newWalk(t)
		w.do("begin_execution", twoWaves)
		w.exec.Wave(1).Skipped = true
		return w
	}
	t.Run("until there is one", func(t *testing.T) {
		w := gate(t)
		n := next(t, w.do("await_decision", twoWaves, "taskToken", quoted))
		if n.Action != recovery.DoAwaitDecision || len(w.told) > 0 || len(w.tokens) != 1 || w.tokens[0] != token || len(w.why) > 0 {
			t.Errorf("next is %+v, told %v, tokens %v", n, w.told, w.tokens)
		}
	})
	t.Run("that was faster", func(t *testing.T) {
		w := gate(t)
		w.exec.Wave(2).GatePassed = true
		w.do("await_decision", twoWaves, "taskToken", quoted)
		if len(w.told) != 1 || w.told[0] != token {
			t.Errorf("told %v", w.told)
		}
	})
	t.Run("of an execution that is over", func(t *testing.T) {
		w := gate(t)
		w.exec.Ended = &recovery.Ending{Outcome: recovery.OutcomeCancelled, At: dawn}
		w.do("await_decision", twoWaves, "taskToken", quoted)
		if len(w.told) != 1 {
			t.Errorf("told %v", w.told)
		}
	})
	t.Run("of an execution that could not be begun", func(t *testing.T) {
		w := newWalk(t)
		w.message(w.do("await_decision", twoWaves, "taskToken", quoted), recovery.ValidationError)
		if len(w.told) != 1 {
			t.Errorf("told %v", w.told)
		}
	})
	t.Run("and nobody can be told", func(t *testing.T) {
		w := gate(t)
		w.exec.Wave(2).GatePassed = true
		w.workflow.fail = errors.New("no network")
		payload := []byte(`{"action":"await_decision","taskToken":` + quoted + `,"state":` + twoWaves + `}`)
		_, err := event.Handler{Starter: &w.region, Workflow: &w.workflow, Now: w.now}.Invoke(t.Context(), payload)
		if err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("got %v", err)
		}
		if _, err := (event.Handler{Starter: &w.region, Now: w.now}).Invoke(t.Context(), payload); err != nil {
			t.Errorf("nobody to tell: %v", err)
		}
	})
	for name, wrong := range map[string]string{"empty": `""`, "a number": "7", "without end": `"` + strings.Repeat("x", 2049) + `"`, "none": "null"} {
		t.Run(name, func(t *testing.T) {
			w := gate(t)
			if m := w.message(w.do("await_decision", twoWaves, "taskToken", wrong), recovery.ValidationError); !strings.Contains(m, "taskToken ") || strings.Contains(m, "xxx") || len(w.tokens) > 0 {
				t.Errorf("got %q", m)
			}
		})
	}
}

func TestAnInterruptionIsRecordedOnce(t *testing.T) {
	interrupted := func(t *testing.T, what string) string {
		return edit(t, twoWaves, `"currentWave": 1`, `"interruption": `+what+`, "currentWave": 1`)
	}
	for what, want := range map[string]string{
		`{"Error":"Lambda.Unknown","Cause":"{\"errorMessage\":\"out of\\n memory\",\"errorType\":\"X\"}"}`: "Lambda.Unknown: out of  memory",
		`{"Error":"States.DataLimitExceeded"}`: "States.DataLimitExceeded",
		`{"Cause":"why\u202e"}`:                "why",
		`{}`:                                   "the state machine does not say why",
		`7`:                                    "the state machine says: 7",
		`null`:                                 "",
		`{"Error":"E","Cause":"` + strings.Repeat("x", 1000) + `"}`: "E: " + strings.Repeat("x", 300) + "… (700 characters more)",
	} {
		w := newWalk(t)
		w.do("begin_execution", twoWaves)
		w.do("await_decision", interrupted(t, what), "taskToken", quoted)
		w.do("await_decision", interrupted(t, what), "taskToken", `"another"`) // a day later
		if got := strings.Join(w.why, "|"); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") || len(w.tokens) != 2 {
			t.Errorf("%s: recorded %q, want %q; tokens %v", what, got, want, w.tokens)
		}
	}
}

func TestAnEndIsToldWithWhatWasReached(t *testing.T) {
	w := newWalk(t)
	w.do("begin_execution", twoWaves)
	if n := next(t, w.do("finish_execution", twoWaves)); n.Action != recovery.DoStartWave || w.exec.Ended != nil {
		t.Errorf("not at its end: %+v", n)
	}
	w.exec.Cancel = &recovery.Request{By: "me", At: dawn, Reason: "enough"}
	w.clock = w.clock.Add(time.Hour)
	for range 2 {
		answer := w.do("finish_execution", twoWaves)
		n, got := next(t, answer), object(t, answer)
		if n.Action != recovery.DoFinish || n.Outcome != recovery.OutcomeCancelled || !strings.Contains(n.Reason, "enough") || got["outcome"] != "CANCELLED" || got["status"] != "CANCELLED" {
			t.Errorf("got %s", answer)
		}
		if d := got["durations"].(map[string]any); d["totalSeconds"] != 3603.0 || d["jobsSeconds"] != nil {
			t.Errorf("durations %v", d)
		}
	}
}

// Whoever asks for an action cannot be told what the store could not.
func TestWhatCouldNotBeRecordedIsNotAnswered(t *testing.T) {
	for _, c := range []struct{ action, key, value string }{
		{"begin_execution", "x", "0"},
		{"finish_execution", "x", "0"},
		{"await_decision", "taskToken", quoted},
		{"record_wave_refusal", "failure", `{"error":"E","message":"m","waveNumber":1,"retryable":true}`},
	} {
		w := newWalk(t)
		w.do("begin_execution", twoWaves)
		invoke := func() ([]byte, error) {
			return event.Handler{Starter: &w.region, Now: w.now}.Invoke(t.Context(), []byte(`{"action":"`+c.action+`","state":`+twoWaves+`,"`+c.key+`":`+c.value+`}`))
		}
		w.book.err = errors.New("the store is down")
		if answer, err := invoke(); err == nil {
			t.Errorf("%s: answered %s", c.action, answer)
		}
		w.book.err = &recovery.Error{Code: recovery.PlanInProgress, Message: "another", Retryable: true}
		answer, err := invoke()
		if err != nil {
			t.Fatal(err)
		}
		if f := failed(t, answer); f.Error != recovery.PlanInProgress || !f.Retryable || string(f.State) != twoWaves {
			t.Errorf("%s: %+v", c.action, f)
		}
	}
}
