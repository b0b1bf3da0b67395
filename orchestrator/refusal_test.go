package orchestrator_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/orchestrator"
	"muster/recovery"
)

// refusing opens an execution of one wave whose start AWS refuses.
func refusing(t *testing.T, code string, test func(h *house, o *orchestrator.Orchestrator, start func() *recovery.Error)) {
	t.Helper()
	inHouse(t, 1, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		h.begin(o, h.plan(1))
		h.control("POST", "Refuse:operation=StartRecovery,status=400,message=not now,code="+code)
		test(h, o, func() *recovery.Error {
			t.Helper()
			var refused *recovery.Error
			if _, err := o.StartWave(t.Context(), h.wave); !errors.As(err, &refused) {
				t.Fatalf("got %v, want a refusal", err)
			}
			return refused
		})
	})
}

func TestAStartThatWasRefusedForGoodAnswersTheSameWhenItIsAskedAgain(t *testing.T) {
	refusing(t, "ValidationException", func(h *house, _ *orchestrator.Orchestrator, start func() *recovery.Error) {
		first, again := start(), start()
		if first.Code != again.Code || first.Message != again.Message || again.Retryable {
			h.t.Errorf("first %v, then %v", first, again)
		}
		if n := h.count("StartRecovery"); n != 1 {
			h.t.Errorf("StartRecovery was called %d times, want once", n)
		}
	})
}

func TestARefusalIsCountedOnceHoweverLateItIsToldAgain(t *testing.T) {
	refusing(t, "ServiceQuotaExceededException", func(h *house, o *orchestrator.Orchestrator, start func() *recovery.Error) {
		tell := func(r *recovery.Error) recovery.Attempt {
			h.t.Helper()
			e, err := o.RecordRefusal(h.t.Context(), h.wave.Execution, 1, recovery.Refusal{Code: r.Code, Message: r.Message, Retryable: r.Retryable})
			if err != nil {
				h.t.Fatal(err)
			}
			return *e.Attempt(1)
		}
		refused := start()
		first := tell(refused)
		time.Sleep(time.Minute) // it could be tried again by now
		if diff := cmp.Diff(first, tell(refused)); diff != "" {
			h.t.Errorf("told again a minute later it changed the record (-want +got):\n%s", diff)
		}
		if second := tell(start()); second.Refusals != first.Refusals+1 {
			h.t.Errorf("a second refusal makes %d in a row, want %d", second.Refusals, first.Refusals+1)
		}
	})
}
