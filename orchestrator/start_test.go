package orchestrator_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/recovery"
	"muster/simulator"
)

// refusedWith starts the wave and gives its refusal.
func (h *house) refusedWith() *recovery.Error {
	h.t.Helper()
	_, err := h.invocation(newProcess(), 0).StartWave(h.t.Context(), h.wave)
	var refused *recovery.Error
	if !errors.As(err, &refused) {
		h.t.Fatalf("got %v, want a refusal", err)
	}
	return refused
}

// mutations counts what was changed in AWS, sessions apart.
func (h *house) mutations() map[string]int {
	n := map[string]int{}
	for _, c := range h.world.Calls() {
		if c.Mutated && c.Service != "sts" {
			n[c.Operation]++
		}
	}
	return n
}

func (h *house) wantNothingChanged() {
	h.t.Helper()
	if n := h.mutations(); len(n) > 0 {
		h.t.Errorf("AWS was changed: %v, want nothing changed", n)
	}
}

func TestEveryCallOfACrossAccountStartActsInTheTargetsAccountAsItsRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 3, fleet(3, "", nil), simulator.Options{})
		if _, err := h.invocation(newProcess(), 0).StartWave(t.Context(), h.wave); err != nil {
			t.Fatal(err)
		}
		for _, c := range h.world.Calls() {
			if c.Account != target {
				t.Errorf("%s acted in account %s, want %s", c.Operation, c.Account, target)
			}
			if c.Service != "sts" && !strings.Contains(c.Principal, "assumed-role/Recoverer/") {
				t.Errorf("%s was called by %s, want the session of role Recoverer", c.Operation, c.Principal)
			}
		}
		if len(h.world.Calls()) < 10 {
			t.Errorf("only %d calls were recorded", len(h.world.Calls()))
		}
	})
}

func TestARoleThatCannotBeAssumedIsNamedWithItsAccountAndNothingChanges(t *testing.T) {
	for name, change := range map[string]func(*recovery.AccountContext){
		"wrong external id": func(a *recovery.AccountContext) { a.ExternalID = recovery.NewSecret("not-the-word") },
		"no external id":    func(a *recovery.AccountContext) { a.ExternalID = recovery.Secret{} },
		"missing role":      func(a *recovery.AccountContext) { a.RoleName = "Nobody" },
		"another account":   func(a *recovery.AccountContext) { a.AccountID = "444455556666" },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, 1, fleet(1, "", nil), simulator.Options{})
				change(&h.wave.Wave.Account)
				refused := h.refusedWith()
				want := fmt.Sprintf("Failed to assume role %s in account %s: AccessDenied", h.wave.Wave.Account.RoleName, h.wave.Wave.Account.AccountID)
				if refused.Code != recovery.CrossAccountError || refused.Retryable || !strings.HasPrefix(refused.Message, want) {
					t.Errorf("got %v (retryable %v), want a CROSS_ACCOUNT_ERROR beginning with %q", refused, refused.Retryable, want)
				}
				if strings.Contains(refused.Message, "not-the-word") {
					t.Errorf("the message repeats the external id: %s", refused.Message)
				}
				h.wantNothingChanged()
			})
		})
	}
}

func TestADeniedCallIsToldWithAWSsOwnWordsAndNothingIsLaunched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 1, fleet(1, "", nil), simulator.Options{})
		h.wave.Wave.Account.RoleName, h.wave.Wave.Account.ExternalID = "Untagger", recovery.Secret{}
		refused := h.refusedWith()
		if refused.Code != recovery.DRSAPIError || refused.Retryable || !strings.Contains(refused.Message, "Failed to start recovery: AccessDeniedException - ") ||
			!strings.Contains(refused.Message, "drs:TagResource") {
			t.Errorf("got %v, want a DRS_API_ERROR with AWS's own code and the denied action", refused)
		}
		if n := h.mutations()["StartRecovery"]; n != 0 {
			t.Errorf("%d jobs were started", n)
		}
	})
}

func TestAWaveWhoseSettingsAreRightMakesNoWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 3, fleet(3, "", nil), simulator.Options{})
		for i := range h.wave.Wave.Servers {
			h.wave.Wave.Servers[i].LaunchConfig = recovery.LaunchConfig{recovery.Subnet: "subnet-0aaaaaaaaaaaaaaaa", recovery.SecurityGroups: []string{"sg-0aaaaaaaaaaaaaaaa"}}
		}
		if _, err := h.invocation(newProcess(), 0).StartWave(t.Context(), h.wave); err != nil {
			t.Fatal(err)
		}
		if n := h.mutations(); len(n) != 1 || n["StartRecovery"] != 1 {
			t.Errorf("got writes %v, want StartRecovery alone", n)
		}
		events, _ := h.store.Events(t.Context(), h.wave.Execution)
		for _, ev := range events {
			if ev.Kind == recovery.EventConfiguring {
				t.Errorf("a change was announced: %+v", ev)
			}
		}
	})
}

func TestOneWrongKeyOnOneServerMakesTheWritesForThatKeyAlone(t *testing.T) {
	for key, c := range map[recovery.Setting]struct {
		value any
		want  map[string]int
	}{
		recovery.Subnet:   {"subnet-0bbbbbbbbbbbbbbbb", map[string]int{"CreateLaunchTemplateVersion": 1, "ModifyLaunchTemplate": 1, "StartRecovery": 1}},
		recovery.CopyTags: {true, map[string]int{"UpdateLaunchConfiguration": 1, "StartRecovery": 1}},
	} {
		t.Run(string(key), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, 3, fleet(3, "", nil), simulator.Options{})
				for i := range h.wave.Wave.Servers {
					h.wave.Wave.Servers[i].LaunchConfig = recovery.LaunchConfig{recovery.Subnet: "subnet-0aaaaaaaaaaaaaaaa"}
				}
				h.wave.Wave.Servers[1].LaunchConfig = recovery.LaunchConfig{key: c.value}
				started, err := h.invocation(newProcess(), 0).StartWave(t.Context(), h.wave)
				if err != nil {
					t.Fatal(err)
				}
				if got := h.mutations(); fmt.Sprint(got) != fmt.Sprint(c.want) {
					t.Errorf("got writes %v, want %v", got, c.want)
				}
				h.checkRecord(started.JobID)
				events, _ := h.store.Events(t.Context(), h.wave.Execution)
				var told []string
				for _, ev := range events {
					for _, s := range ev.Changes {
						for _, ch := range s.Changes {
							told = append(told, fmt.Sprintf("%s %s %v", s.Server, ch.Setting, ch.New))
						}
					}
				}
				if want := fmt.Sprintf("[%s %s %v]", serverID(2), key, c.value); fmt.Sprint(told) != want {
					t.Errorf("the record tells %v, want %s", told, want)
				}
			})
		})
	}
}

func TestAServerThatCannotBeConfiguredStopsTheStartAndNamesItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, err := simulator.ParseFault("Refuse:operation=CreateLaunchTemplateVersion,code=UnauthorizedOperation,message=You are not authorized,status=403,after=1,times=1")
		if err != nil {
			t.Fatal(err)
		}
		h := open(t, 3, fleet(3, "", nil), simulator.Options{Faults: []simulator.Fault{f}})
		refused := h.refusedWith()
		if refused.Code != recovery.LaunchConfigError || refused.Retryable || !strings.Contains(refused.Message, "UnauthorizedOperation - You are not authorized") {
			t.Errorf("got %v, want a LAUNCH_CONFIG_ERROR with EC2's own words", refused)
		}
		if named := strings.Count(refused.Message, "server s-"); named != 1 {
			t.Errorf("%d servers are named, want the one that failed: %s", named, refused.Message)
		}
		if n := h.mutations()["StartRecovery"]; n != 0 {
			t.Errorf("%d jobs were started", n)
		}
		if n := h.count("CreateLaunchTemplateVersion"); n != 3 {
			t.Errorf("%d servers were tried, want all 3: those in flight finish", n)
		}
	})
}

func TestAServerThatIsNotReadyIsRefusedBeforeAnythingChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 3, fleet(3, "", map[int]string{2: "            replication: STALLED\n"}), simulator.Options{})
		refused := h.refusedWith()
		if want := fmt.Sprintf("Failed to start recovery: InvalidSourceServer - Server %s is not in READY_FOR_RECOVERY state", serverID(2)); refused.Code != recovery.DRSAPIError || !strings.HasPrefix(refused.Message, want) {
			t.Errorf("got %v, want a DRS_API_ERROR beginning with %q", refused, want)
		}
		h.wantNothingChanged()
	})
}

func TestALiveInstanceIsNeverPutAtRiskUnlessItIsNamed(t *testing.T) {
	live := fmt.Sprintf("        instances: [{server: %s, id: i-0ccccccccccccccc1, drill: false}]", serverID(1))
	for _, kind := range []recovery.ExecutionType{recovery.Drill, recovery.Recovery} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, 1, fleet(1, live, nil), simulator.Options{})
				h.wave.Type = kind
				if refused := h.refusedWith(); !strings.Contains(refused.Message, "i-0ccccccccccccccc1") || !strings.Contains(refused.Message, "replaceLiveInstances") {
					t.Errorf("the message names neither the instance nor the way out: %v", refused)
				}
				h.wantNothingChanged()
				h.wave.Replace = []recovery.InstanceID{"i-0ccccccccccccccc1"}
				if _, err := h.invocation(newProcess(), 0).StartWave(t.Context(), h.wave); err != nil {
					t.Errorf("with the instance named: %v", err)
				}
			})
		})
	}
}

func TestADependencyIsJudgedByItsStatusAndElseByItsJob(t *testing.T) {
	for name, c := range map[string]struct {
		status    string
		after     time.Duration // how long the other wave's job has run; 0: it has none
		want      recovery.Code
		retryable bool
	}{
		"COMPLETED":                             {status: "COMPLETED"},
		"SKIPPED":                               {status: "SKIPPED"},
		"FAILED":                                {status: "FAILED", want: recovery.DependencyNotMet},
		"not final, and its job runs":           {status: "STARTED", after: time.Minute, want: recovery.DependencyNotMet, retryable: true},
		"not final, and its job is over":        {status: "STARTED", after: time.Hour},
		"unknown":                               {},
		"COMPLETED, whatever its job may do":    {status: "COMPLETED", after: time.Minute},
		"no status at all, and its job is over": {after: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, 2, fleet(2, "", nil), simulator.Options{})
				dependent := h.wave
				dependent.Wave.Number = 2
				dependent.Wave.Servers = h.wave.Wave.Servers[1:]
				h.wave.Wave.Servers = h.wave.Wave.Servers[:1]
				d := recovery.Dependency{Wave: 1, Status: c.status, Account: h.wave.Wave.Account}
				if c.after > 0 {
					first, err := h.invocation(newProcess(), 0).StartWave(t.Context(), h.wave)
					if err != nil {
						t.Fatal(err)
					}
					d.JobID = first.JobID
					time.Sleep(c.after)
				}
				dependent.Dependencies = []recovery.Dependency{d}
				_, err := h.invocation(newProcess(), 0).StartWave(t.Context(), dependent)
				var refused *recovery.Error
				errors.As(err, &refused)
				switch {
				case c.want == "" && err != nil:
					t.Errorf("got %v, want it started", err)
				case c.want != "" && (refused == nil || refused.Code != c.want || refused.Retryable != c.retryable):
					t.Errorf("got %v, want %s, retryable %v", err, c.want, c.retryable)
				}
			})
		})
	}
}

func TestAnExecutionsIDUsedForSomethingElseIsRefusedWithoutAnyCall(t *testing.T) {
	for name, change := range map[string]func(*recovery.WaveStart){
		"a recovery after a drill": func(w *recovery.WaveStart) { w.Type = recovery.Recovery },
		"another plan":             func(w *recovery.WaveStart) { w.Plan = "rp-2" },
		"another start time":       func(w *recovery.WaveStart) { w.StartTime = "2026-11-25T03:00:00Z" },
		"another account":          func(w *recovery.WaveStart) { w.Wave.Account.AccountID = "444455556666" },
		"another region":           func(w *recovery.WaveStart) { w.Wave.Account.Region = "eu-west-1" },
		"other servers":            func(w *recovery.WaveStart) { w.Wave.Servers = w.Wave.Servers[1:] },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, 2, fleet(2, "", nil), simulator.Options{})
				if _, err := h.invocation(newProcess(), 0).StartWave(t.Context(), h.wave); err != nil {
					t.Fatal(err)
				}
				calls := len(h.world.Calls())
				change(&h.wave)
				if refused := h.refusedWith(); refused.Code != recovery.ValidationError {
					t.Errorf("got %v, want a VALIDATION_ERROR", refused)
				}
				if n := len(h.world.Calls()); n != calls {
					t.Errorf("%d calls of AWS were made, want none", n-calls)
				}
			})
		})
	}
}
