package orchestrator_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"muster/awsdrs"
	"muster/orchestrator"
	"muster/recovery"
	"muster/simulator"
)

// slowly is a store each of whose calls takes as long as a call of AWS.
type slowly struct{ recovery.ExecutionStore }

func (s slowly) Execution(ctx context.Context, id recovery.ExecutionID) (*recovery.Execution, error) {
	time.Sleep(answerTime)
	return s.ExecutionStore.Execution(ctx, id)
}

func (s slowly) Commit(ctx context.Context, c recovery.Change) error {
	time.Sleep(answerTime)
	return s.ExecutionStore.Commit(ctx, c)
}

func (s slowly) Plan(ctx context.Context, id recovery.ExecutionID) (*recovery.Plan, error) {
	time.Sleep(answerTime)
	return s.ExecutionStore.Plan(ctx, id)
}

func (s slowly) Recovered(ctx context.Context, at recovery.Place, servers []recovery.SourceServerID) ([]recovery.Recovered, error) {
	time.Sleep(answerTime)
	return s.ExecutionStore.Recovered(ctx, at, servers)
}

// stretched counts the round trips of one start of a hundred servers that
// follow one another, those of the store included: nothing else takes time.
func stretched(t *testing.T, settings recovery.LaunchConfig, before func(h *house), warm bool) (trips int) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 100, fleet(100, endless, nil), simulator.Options{Latency: answerTime})
		for i := range h.wave.Wave.Servers {
			h.wave.Wave.Servers[i].LaunchConfig = settings
		}
		if before != nil {
			before(h)
		}
		o := h.starter(map[string]awsdrs.Rate{})
		o.Now = time.Now
		h.begin(o, h.plan(100))
		if warm {
			if _, err := o.Accounts.Assume(t.Context(), h.wave.Wave.Account); err != nil {
				t.Fatal(err)
			}
			if _, err := o.Poll(t.Context(), orchestrator.Poll{Execution: h.wave.Execution}); err != nil { // reads the plan
				t.Fatal(err)
			}
		}
		o.Executions = slowly{h.store}
		began := time.Now()
		if _, err := o.StartWave(t.Context(), h.wave); err != nil {
			t.Fatal(err)
		}
		trips = int((time.Since(began) + answerTime - 1) / answerTime)
	})
	return trips
}

// recoveredAndGone has somebody else recover all the servers, and terminate
// what that made: DRS lists nothing, and last launches go on saying RECOVERY.
func recoveredAndGone(h *house) {
	all := `{"sourceServers":[`
	for i := range 100 {
		if i > 0 {
			all += ","
		}
		all += fmt.Sprintf(`{"sourceServerID":%q}`, serverID(i+1))
	}
	h.asRoot("StartRecovery", all+`],"isDrill":false}`)
	time.Sleep(30 * time.Minute)
	ids := `{"recoveryInstanceIDs":[`
	for i, id := range h.living() {
		if i > 0 {
			ids += ","
		}
		ids += fmt.Sprintf("%q", id)
	}
	h.asRoot("TerminateRecoveryInstances", ids+"]}")
	time.Sleep(10 * time.Minute)
}

var tripsRow = regexp.MustCompile(`(?m)^\| ([^|]+?) \| (\d+) \| (\d+) \|`)

// The table of docs/exactly-once.md is what is measured here.
func TestAStartTakesTheRoundTripsThatTheDocumentationSays(t *testing.T) {
	page, err := os.ReadFile("../docs/exactly-once.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string][2]int{}
	for _, row := range tripsRow.FindAllSubmatch(page, -1) {
		warm, _ := strconv.Atoi(string(row[2]))
		cold, _ := strconv.Atoi(string(row[3]))
		said[string(row[1])] = [2]int{warm, cold}
	}
	for what, c := range map[string]struct {
		settings recovery.LaunchConfig
		before   func(*house)
	}{
		"no setting is asked for":      {settings: recovery.LaunchConfig{}},
		"no setting has to be written": {settings: right},
		"no setting has to be written, and servers were recovered before, and gone": {settings: right, before: recoveredAndGone},
		"every setting has to be written":                                           {settings: recovery.LaunchConfig{recovery.InstanceType: "r5.xlarge"}},
	} {
		got := [2]int{stretched(t, c.settings, c.before, true), stretched(t, c.settings, c.before, false)}
		if said[what] != got {
			t.Errorf("%s: %d round trips in a warm process, %d in a cold one; docs/exactly-once.md says %v", what, got[0], got[1], said[what])
		}
	}
	if most := said["no setting has to be written"]; most[0] > 8 {
		t.Errorf("%d round trips where nothing has to be written, want at most 8", most[0])
	}
}
