package event_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"muster/event"
	"muster/recovery"
)

func TestAnActionDecidesThenAnOperationThenNothing(t *testing.T) {
	for payload, want := range map[string]recovery.Code{
		`{"action":"x"}`:                                 recovery.UnknownAction,
		`{"action":"x","operation":"y"}`:                 recovery.UnknownAction,
		`{"action":"START_WAVE_RECOVERY"}`:               recovery.UnknownAction,
		`{"action":"start_wave_recovery "}`:              recovery.UnknownAction,
		`{"action":"","operation":"y"}`:                  recovery.UnknownOperation,
		`{"action":null,"operation":"y"}`:                recovery.UnknownOperation,
		`{"action":7,"operation":"y"}`:                   recovery.UnknownOperation,
		`{"operation":"start_wave_recovery"}`:            recovery.UnknownOperation,
		`{}`:                                             recovery.UnknownEvent,
		`{"action":""}`:                                  recovery.UnknownEvent,
		`{"action":["start_wave_recovery"]}`:             recovery.UnknownEvent,
		`{"Action":"start_wave_recovery"}`:               recovery.UnknownEvent,
		`{"operation":true}`:                             recovery.UnknownEvent,
		`[]`:                                             recovery.UnknownEvent,
		`"start_wave_recovery"`:                          recovery.UnknownEvent,
		`null`:                                           recovery.UnknownEvent,
		` 1e400 `:                                        recovery.UnknownEvent,
		`{"\u0061ction":"start_wave_recover\u0079"}`:     recovery.ValidationError, // it is the action, and its state is missing
		`{"action":"x","\u0061ction":"x"}`:               recovery.ValidationError,
		`{"action":"x","wave_number":1,"wave_number":1}`: recovery.ValidationError,
	} {
		f := refused(t, payload)
		if f.Error != want {
			t.Errorf("%s: got %s (%s), want %s", payload, f.Error, f.Message, want)
		}
		if f.Retryable {
			t.Errorf("%s: to send it again would not help", payload)
		}
	}
}

func TestWhatIsUnknownIsToldWhatThereIs(t *testing.T) {
	for _, payload := range []string{`{"action":"x"}`, `{}`} {
		if f := refused(t, payload); !strings.Contains(f.Message, "start_wave_recovery") {
			t.Errorf("%s: %q lists nothing", payload, f.Message)
		}
	}
	if f := refused(t, `{"operation":"x"}`); !strings.Contains(f.Message, "there are: cancel_execution, decide,") {
		t.Errorf("got %q", f.Message)
	}
}

func TestAnUnknownActionGetsItsStateAndIdentityBack(t *testing.T) {
	f := refused(t, edit(t, tiny, `"start_wave_recovery"`, `"stop"`))
	if f.ExecutionID == nil || *f.ExecutionID != "exec-1" || f.WaveNumber == nil || *f.WaveNumber != 1 {
		t.Errorf("executionId %v, waveNumber %v", f.ExecutionID, f.WaveNumber)
	}
	if string(f.State) != string(stateOf(t, tiny)) {
		t.Errorf("state: %s", f.State)
	}
}

func TestABusinessFailureIsAnAnswerWithItsRetryability(t *testing.T) {
	for _, retryable := range []bool{false, true} {
		cause := &recovery.Error{Code: recovery.DRSAPIError, Message: "Failed to start recovery: X - <y> & \u2028 \xff", Retryable: retryable}
		f := failed(t, invoke(t, &region{err: fmt.Errorf("wrapped: %w", cause)}, tiny))
		if f.Error != recovery.DRSAPIError || f.Retryable != retryable || !strings.HasPrefix(f.Message, "Failed to start recovery: X - <y> & ") {
			t.Errorf("got %+v", f)
		}
		if string(f.State) != string(stateOf(t, tiny)) {
			t.Errorf("state: %s", f.State)
		}
	}
}

func TestWhatCannotBeKnownLeavesAsAnError(t *testing.T) {
	down := errors.New("the store is down")
	answer, err := event.Handler{Starter: &region{err: down}}.Invoke(context.Background(), []byte(tiny))
	if !errors.Is(err, down) || answer != nil {
		t.Errorf("got %s, %v", answer, err)
	}
}
