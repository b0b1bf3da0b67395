package event_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/event"
	"muster/recovery"
)

var dawn = time.Date(2025, 1, 31, 15, 30, 2, 500_000_000, time.UTC)

// twoWaves is a state of two waves, the second after a gate, with much in it
// that is none of our business.
const twoWaves = `{
  "executionId": "exec-1", "planId": "rp-1", "budget": 12345678901234567890.10,
  "accountContext": {"accountId": "123456789012", "region": "us-east-1", "roleName": "Role", "externalId": "planted-external-id", "x": [1.0]},
  "waves": [
    {"waveNumber": 1, "waveName": "Database Tier", "servers": [{"serverId": "s-1", "launchConfig": {}, "rack": 1e2}, {"serverId": "s-2", "launchConfig": {}, "impactLevel": "OPTIONAL"}], "launchOrder": 1},
    {"waveNumber": 2.0, "waveName": "Application Tier", "servers": [{"serverId": "s-3", "launchConfig": {}}], "pauseBeforeWave": true, "dependsOnWaves": [1], "timeoutMinutes": 60}
  ],
  "currentWave": 1, "executionType": "DRILL", "initiatedBy": "me", "startTime": "2025-01-31T15:30:00Z"
}`

// do gives one event about a state to the handler.
func (w *walk) do(action, state string, more ...string) []byte {
	w.t.Helper()
	payload := `{"action":"` + action + `","state":` + state
	for i := 0; i < len(more); i += 2 {
		payload += fmt.Sprintf(`,"%s":%s`, more[i], more[i+1])
	}
	answer, err := event.Handler{Starter: &w.region, Workflow: &w.workflow, Now: w.now}.Invoke(w.t.Context(), []byte(payload+"}"))
	if err != nil {
		w.t.Fatalf("%s: a Go error left the handler: %v", action, err)
	}
	if !json.Valid(answer) {
		w.t.Fatalf("%s: the answer is not JSON: %s", action, answer)
	}
	if bytes.Contains(answer, []byte(token)) {
		w.t.Fatalf("%s: the answer tells the token: %s", action, answer)
	}
	return answer
}

const token = "planted-task-token"

// walk is a handler and the world that it speaks to.
type walk struct {
	t testing.TB
	region
	workflow
}

func newWalk(t testing.TB) *walk {
	return &walk{t: t, region: region{job: "drsjob-1", book: book{clock: dawn}}}
}

// workflow remembers which tokens were told to go on.
type workflow struct {
	told []string
	fail error
}

func (w *workflow) Succeed(_ context.Context, token string, output []byte) error {
	if w.fail != nil {
		return w.fail
	}
	if !json.Valid(output) {
		return fmt.Errorf("not JSON: %s", output)
	}
	w.told = append(w.told, token)
	return nil
}

// next reads an answer's next step.
func next(t testing.TB, answer []byte) (n step) {
	t.Helper()
	var state struct {
		Error, Message string
		NextStep       *step
	}
	if err := json.Unmarshal(answer, &state); err != nil || state.NextStep == nil {
		t.Fatalf("no next step (%v): %.3000s", err, answer)
	}
	return *state.NextStep
}

type step struct {
	Action        recovery.Action
	WaveNumber    *int
	Attempt       int
	Seconds       float64
	MoreDecisions int
	Outcome       recovery.Outcome
	Reason        string
	Decisions     []struct {
		Reason     recovery.QuestionReason
		WaveNumber *int
		Choices    []recovery.Choice
		Text       string
	}
}

// A plan's whole way, answer by answer, each the state of the next event.
func TestAPlansWholeWayByteForByte(t *testing.T) {
	w := newWalk(t)
	state := twoWaves
	n := 0
	tell := func(name string, answer []byte) {
		t.Helper()
		n++
		state = string(answer)
		file := filepath.Join("testdata", "two-waves", fmt.Sprintf("%02d-%s.golden.json", n, name))
		got := string(answer) + "\n"
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s changed (-want +got):\n%s", file, diff)
		}
	}
	later := func(d time.Duration) { w.clock = w.clock.Add(d) }

	tell("begun", w.do("begin_execution", state))
	tell("wave-1-started", w.do("start_wave_recovery", state, "wave_number", "1"))
	later(15 * time.Second)
	w.fates = map[recovery.SourceServerID]string{"s-1": "IN_PROGRESS", "s-2": "PENDING"}
	tell("wave-1-runs", w.do("poll_wave_status", state))
	later(time.Minute)
	w.fates, w.over = map[recovery.SourceServerID]string{"s-1": "LAUNCHED", "s-2": "FAILED"}, true
	tell("wave-1-over", w.do("poll_wave_status", state))
	tell("gate", w.do("await_decision", state, "taskToken", `"`+token+`"`))
	if _, _, err := w.exec.Decide(recovery.Decision{Question: "gate-w2", Choice: recovery.Approve, Request: recovery.Request{By: "me", At: w.clock}}, w.clock); err != nil {
		t.Fatal(err)
	}
	tell("gate-passed", w.do("begin_execution", state))
	refusal := w.do("record_wave_refusal", state, "failure", `{"error":"DRS_API_ERROR","message":"Failed to start recovery: ThrottlingException","executionId":"exec-1","waveNumber":2,"retryable":true}`)
	tell("wave-2-refused", refusal)
	later(15 * time.Second)
	tell("wave-2-again", w.do("poll_wave_status", state))
	w.job, w.over = "drsjob-2", false
	tell("wave-2-started", w.do("start_wave_recovery", state, "wave_number", "2"))
	tell("not-at-its-end", w.do("finish_execution", state))
	later(10 * time.Minute)
	w.fates, w.over = map[recovery.SourceServerID]string{"s-3": "LAUNCHED"}, true
	tell("wave-2-over", w.do("poll_wave_status", state))
	tell("finished", w.do("finish_execution", state))
}
