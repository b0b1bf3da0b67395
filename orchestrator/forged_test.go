package orchestrator_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"muster/orchestrator"
	"muster/recovery"
	"muster/simulator"
)

// Whoever knows the id of an execution that was begun can have its next wave
// started, and nothing else: what the wave is, the record says.
func TestAForgedStartOfAnExecutionThatWasBegunChangesNothingOfItsPlan(t *testing.T) {
	live := fmt.Sprintf("        instances: [{server: %s, id: i-0ccccccccccccccc1, drill: false}]", serverID(1))
	for name, c := range map[string]struct {
		forge func(*recovery.WaveStart)
		want  string // in the refusal; "": the wave is started as it was planned
	}{
		"an account of its own": {func(w *recovery.WaveStart) { w.Wave.Account.AccountID = "444455556666" }, ""},
		"a role of its own":     {func(w *recovery.WaveStart) { w.Wave.Account.RoleName = "Untagger" }, ""},
		"another external id":   {func(w *recovery.WaveStart) { w.Wave.Account.ExternalID = recovery.NewSecret("guessed") }, ""},
		"other servers":         {func(w *recovery.WaveStart) { w.Wave.Servers = w.Wave.Servers[:1] }, ""},
		"settings of its own": {func(w *recovery.WaveStart) {
			w.Wave.Servers[1].LaunchConfig = recovery.LaunchConfig{recovery.InstanceType: "p5.48xlarge"}
		}, ""},
		"a group of its own": {func(w *recovery.WaveStart) {
			w.Wave.Group = "pg-own"
			w.Groups = map[recovery.ProtectionGroupID]*recovery.ProtectionGroup{"pg-own": {LaunchConfig: recovery.LaunchConfig{recovery.Subnet: "subnet-0bbbbbbbbbbbbbbbb"}}}
		}, ""},
		"a dependency of its own": {func(w *recovery.WaveStart) { w.Dependencies = []recovery.Dependency{{Wave: 9}} }, ""},
		"a live instance": {func(w *recovery.WaveStart) {
			w.Wave.Number = 2
			w.Replace = []recovery.InstanceID{"i-0ccccccccccccccc1"}
		}, "i-0ccccccccccccccc1"},
		"a wave that is not next":  {func(w *recovery.WaveStart) { w.Wave.Number = 3 }, "wave 2"},
		"a wave that there is not": {func(w *recovery.WaveStart) { w.Wave.Number = 9 }, "9"},
		"a recovery of a drill":    {func(w *recovery.WaveStart) { w.Type = recovery.Recovery }, "executionType"},
		"another plan's digest":    {func(w *recovery.WaveStart) { w.Digests = recovery.Digests{"forged"} }, "not those that execution exec-1 was begun with"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, 4, fleet(4, live, nil), simulator.Options{})
				o := h.invocation(newProcess(), 0)
				// Wave 1 has servers 2 and 3, wave 2 the one that lives, wave 3 the last.
				plan := h.plan(1, 2, 1)
				plan.Waves[0].Servers, plan.Waves[1].Servers = plan.Waves[1].Servers, plan.Waves[0].Servers
				plan.Waves[1].DependsOn, plan.Waves[2].DependsOn = []int{}, []int{2}
				plan.Waves[1].Independent = true
				_, err := o.Begin(t.Context(), orchestrator.Begin{Execution: "exec-1", Plan: plan, Type: recovery.Drill, StartTime: h.wave.StartTime, InitiatedBy: "ops", Policy: recovery.Continuous})
				if err != nil {
					t.Fatal(err)
				}
				forged := h.wave
				forged.Wave.Servers = append([]recovery.Server(nil), h.wave.Wave.Servers[1:3]...)
				c.forge(&forged)
				started, err := o.StartWave(t.Context(), forged)
				if c.want != "" {
					if err == nil || !strings.Contains(err.Error(), c.want) {
						t.Errorf("got %+v, %v; want a refusal with %q", started, err, c.want)
					}
					h.wantNothingChanged()
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if got, want := fmt.Sprint(h.launchedIn()), "[2+3]"; got != want {
					t.Errorf("jobs with servers %s, want %s", got, want)
				}
				for _, call := range h.world.Calls() {
					if call.Service != "sts" && (call.Account != target || !strings.Contains(call.Principal, "assumed-role/Recoverer/")) {
						t.Errorf("%s came from %s in account %s", call.Operation, call.Principal, call.Account)
					}
				}
				for _, ev := range h.eventsOf(recovery.EventConfiguring) {
					for _, server := range ev.Changes {
						for _, change := range server.Changes {
							if change.Setting == recovery.InstanceType && change.New != "r5.xlarge" || change.Setting == recovery.Subnet {
								t.Errorf("%s was given %+v", server.Server, change)
							}
						}
					}
				}
			})
		})
	}
}
