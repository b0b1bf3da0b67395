package event_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"muster/event"
	"muster/orchestrator"
	"muster/recovery"
)

// region is the little that these tests need of an orchestrator: it answers
// what it is told to and remembers what it was asked.
type region struct {
	job         recovery.JobID
	notAccepted []recovery.SourceServerID
	err         error
	asked       []recovery.WaveStart
	book
}

func (r *region) StartWave(_ context.Context, w recovery.WaveStart) (*orchestrator.Started, error) {
	r.asked = append(r.asked, w)
	if r.err != nil {
		return nil, r.err
	}
	if r.exec != nil {
		return r.start(w, r.job)
	}
	s := &orchestrator.Started{JobID: r.job, Attempt: 1, NotAccepted: r.notAccepted}
	for _, id := range w.Wave.ServerIDs() {
		if !slices.Contains(r.notAccepted, id) {
			s.Accepted = append(s.Accepted, id)
		}
	}
	return s, nil
}

// failure is the answer of a failure, as a state machine sees it.
type failure struct {
	Error        recovery.Code
	Message      string
	ExecutionID  *string
	WaveNumber   *int
	Retryable    bool
	State        json.RawMessage
	StateOmitted bool
}

// invoke gives an event to the handler; the answer must be JSON.
func invoke(t testing.TB, r *region, payload string) []byte {
	t.Helper()
	answer, err := event.Handler{Starter: r, Now: r.now}.Invoke(t.Context(), []byte(payload))
	if err != nil {
		t.Fatalf("a Go error left the handler: %v", err)
	}
	if !json.Valid(answer) {
		t.Fatalf("the answer is not JSON: %s", answer)
	}
	return answer
}

// refused gives an event to the handler, which must answer with a failure
// and ask nobody.
func refused(t testing.TB, payload string) failure {
	t.Helper()
	r := &region{job: "drsjob-1"}
	f := failed(t, invoke(t, r, payload))
	if len(r.asked) > 0 {
		t.Fatalf("a wave was started although the event was refused: %s", f.Message)
	}
	return f
}

// failed reads the answer of a failure, which must have all its keys.
func failed(t testing.TB, answer []byte) (f failure) {
	t.Helper()
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(answer, &keys); err != nil {
		t.Fatalf("the answer is no object: %v in %s", err, answer)
	}
	for _, key := range []string{"error", "message", "executionId", "waveNumber", "retryable", "state"} {
		if _, ok := keys[key]; !ok {
			t.Fatalf("the answer has no %s: %.300s", key, answer)
		}
	}
	if err := json.Unmarshal(answer, &f); err != nil {
		t.Fatalf("the answer is no failure: %v in %s", err, answer)
	}
	return f
}

// accepted gives an event to the handler, which must start one wave, and
// gives what it asked for.
func accepted(t testing.TB, payload string) recovery.WaveStart {
	t.Helper()
	r := &region{job: "drsjob-1"}
	answer := invoke(t, r, payload)
	if len(r.asked) != 1 {
		t.Fatalf("the wave was not started: %.2000s", answer)
	}
	return r.asked[0]
}

// fixture reads one of the specification's examples.
func fixture(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "testdata", "events", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// edit replaces text that must stand in an event exactly once.
func edit(t testing.TB, doc string, oldNew ...string) string {
	t.Helper()
	for i := 0; i < len(oldNew); i += 2 {
		if n := strings.Count(doc, oldNew[i]); n != 1 {
			t.Fatalf("%q stands %d times in the event to be edited", oldNew[i], n)
		}
		doc = strings.Replace(doc, oldNew[i], oldNew[i+1], 1)
	}
	return doc
}

// stateOf gives the bytes of an event's state.
func stateOf(t testing.TB, payload string) []byte {
	t.Helper()
	var e struct{ State json.RawMessage }
	if err := json.NewDecoder(bytes.NewReader([]byte(payload))).Decode(&e); err != nil {
		t.Fatal(err)
	}
	return e.State
}
