package orchestrator_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/awsdrs"
	"muster/recovery"
	"muster/simulator"
)

// stalled says of every server that it does not replicate any more, as after
// the loss of its data centre; those without a recovery point are named.
func stalled(servers int, without ...int) map[int]string {
	more := map[int]string{}
	for i := 1; i <= servers; i++ {
		more[i] = "            replication: STALLED\n            snapshots: [{age: 70m}, {age: 10m}]\n"
	}
	for _, i := range without {
		more[i] = "            replication: STALLED\n            snapshots: []\n"
	}
	return more
}

func TestAfterADisasterAWaveIsRecoveredFromItsRecoveryPoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 100, fleet(100, endless, stalled(100)), simulator.Options{Latency: answerTime})
		h.wave.Type = recovery.Recovery
		for i := range h.wave.Wave.Servers {
			h.wave.Wave.Servers[i].LaunchConfig = right
		}
		refused := h.refusedWith()
		if !strings.Contains(refused.Message, `"readinessPolicy": "RECOVERY_POINT"`) {
			t.Errorf("a refused RECOVERY does not say what would pass: %.300s", refused.Message)
		}
		h.wantNothingChanged()

		h.wave.Policy = recovery.RecoveryPointPolicy
		explained := h.count("DescribeRecoverySnapshots")
		began := time.Now()
		if _, err := h.starter(map[string]awsdrs.Rate{}).StartWave(t.Context(), h.wave); err != nil {
			t.Fatal(err)
		}
		// A call takes one server and tells of one page: 100 calls, all at once,
		// and one round trip, at the same time as settings are read.
		if n := h.count("DescribeRecoverySnapshots") - explained; n != 100 {
			t.Errorf("%d calls of DescribeRecoverySnapshots, want 100", n)
		}
		if trips := int((time.Since(began) + answerTime - 1) / answerTime); trips > 6 {
			t.Errorf("%d round trips on the causal chain, want at most 6", trips)
		}
	})
}

func TestARefusalOffersRecoveryPointsOnlyWhereTheyAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 2, fleet(2, "", stalled(1, 2)), simulator.Options{})
		message := h.refusedWith().Message
		if !strings.Contains(message, "(its newest recovery point is of ") || strings.Count(message, "(it has no usable recovery point, so no policy lets it pass)") != 1 {
			t.Errorf("does not say which of the two would pass: %s", message)
		}
		h.wantNothingChanged()
	})
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 1, fleet(1, "", stalled(1, 1)), simulator.Options{})
		if message := h.refusedWith().Message; strings.Contains(message, `"RECOVERY_POINT"`) {
			t.Errorf("offers what cannot help: %s", message)
		}
	})
}

func TestAServerWithoutARecoveryPointIsNamedUnderRecoveryPointToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 3, fleet(3, "", stalled(3, 2)), simulator.Options{})
		h.wave.Policy = recovery.RecoveryPointPolicy
		refused := h.refusedWith()
		if n := strings.Count(refused.Message, "READY_FOR_RECOVERY"); n != 1 || !strings.Contains(refused.Message, string(serverID(2))) {
			t.Errorf("want server %s refused alone: %s", serverID(2), refused.Message)
		}
		h.wantNothingChanged()
	})
}

func TestAPinnedRecoveryPointMustExist(t *testing.T) {
	const pit = "pit-0000000000000000a"
	for name, c := range map[string]struct {
		pinned recovery.SnapshotID
		ready  bool
	}{
		"it exists":      {pit, true},
		"it is unknown":  {"pit-0000000000000000b", false},
		"it is not over": {"pit-0000000000000000c", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				snapshots := fmt.Sprintf("            snapshots: [{id: %s, age: 70m}, {id: pit-0000000000000000c, age: 5m, unfinished: true}]\n", pit)
				h := open(t, 1, fleet(1, "", map[int]string{1: snapshots}), simulator.Options{})
				h.wave.Wave.Servers[0].Snapshot = c.pinned
				if c.ready {
					if _, err := h.invocation(newProcess(), 0).StartWave(t.Context(), h.wave); err != nil {
						t.Fatal(err)
					}
					return
				}
				if refused := h.refusedWith(); !strings.Contains(refused.Message, string(c.pinned)) {
					t.Errorf("the recovery point is not named: %v", refused)
				}
				h.wantNothingChanged()
			})
		})
	}
}
