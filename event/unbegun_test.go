package event_test

import (
	"context"
	"strings"
	"testing"

	"muster/event"
	"muster/recovery"
	"muster/sqlite"
)

// beforeJournals is a record in which a driver of an earlier version left what
// an execution was to begin with.
type beforeJournals struct {
	*sqlite.Store
	state string
}

func (r beforeJournals) Unbegun(_ context.Context, id recovery.ExecutionID) ([]byte, error) {
	if id != "exec-late" {
		return nil, nil
	}
	return []byte(r.state), nil
}

const lateState = `{"executionId":"exec-late","planId":"rp-late","accountContext":{"accountId":"111111111111","region":"us-east-1","roleName":"Role"},` +
	`"waves":[{"waveNumber":1,"waveName":"Only","servers":[{"serverId":"s-db-1","launchConfig":{}}]}],"currentWave":1,"executionType":"RECOVERY",` +
	`"initiatedBy":"anna","startTime":"2025-01-31T15:00:00Z","simulation":{"speed":60.5}}`

// What was to begin and was not is told, and is begun by a resume; a recovery
// only when that is confirmed.
func TestWhatAnEarlierVersionWasToBeginIsBegunByAResume(t *testing.T) {
	h := newHub(t)
	ask := func(payload string) string {
		t.Helper()
		handler := h.handler()
		handler.Records = beforeJournals{h.store, lateState}
		answer, err := handler.Invoke(t.Context(), []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		return string(answer)
	}
	const late = `"executionId": "exec-late"`
	if answer := ask(op("get_execution", late)); !strings.Contains(answer, `"state":"NOT_BEGUN"`) || !strings.Contains(answer, `"speed":60.5`) || !strings.Contains(answer, `"planId":"rp-late"`) {
		t.Errorf("got %s", answer)
	}
	for _, confirm := range []string{"", `, "confirm": "exec-late"`} {
		if answer := ask(op("resume", late+confirm, byMe)); !strings.Contains(answer, `"error":"NOT_CONFIRMED"`) || !strings.Contains(answer, "rp-late") {
			t.Errorf("got %s", answer)
		}
	}
	if e, err := h.store.Execution(t.Context(), "exec-late"); err != nil || e.Version != 0 || len(h.runs) != 0 {
		t.Fatalf("got %+v, %v, and the runs %v; want nothing begun", e, err, h.runs)
	}
	if answer := ask(op("resume", late, byMe, `"confirm": "rp-late"`)); !strings.Contains(answer, `"started":true,"run":"exec-late"`) {
		t.Fatalf("got %s", answer)
	}
	if e, err := h.store.Execution(t.Context(), "exec-late"); err != nil || e.Version == 0 || e.InitiatedBy != "anna" {
		t.Errorf("got %+v, %v; want it begun", e, err)
	}
	if answer := ask(op("get_execution", `"executionId": "exec-never"`)); !strings.Contains(answer, `"error":"NOT_FOUND"`) {
		t.Errorf("got %s", answer)
	}
}

var _ event.Records = beforeJournals{}
