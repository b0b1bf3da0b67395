package orchestrator_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/recovery"
	"muster/simulator"
)

// largeFleet has so many accounts with so many servers each.
func largeFleet(accounts, servers int) string {
	var b strings.Builder
	b.WriteString("version: 1\naccounts:\n")
	for a := range accounts {
		fmt.Fprintf(&b, `  "%012d":
    roles: [{name: Recoverer, trusts: ["%s"]}]
    regions:
      us-west-2:
        subnets: [{id: subnet-0aaaaaaaaaaaaaaaa, cidr: 10.0.0.0/16, zone: us-west-2a}]
        servers:
`, 100_000_000_000+a, caller)
		for i := range servers {
			fmt.Fprintf(&b, "          - {id: %s, template: {subnet: subnet-0aaaaaaaaaaaaaaaa}}\n", serverID(a*servers+i))
		}
	}
	return b.String()
}

// largePlan spreads waves over the accounts, in layers six deep: each wave
// follows one of the layer before.
func largePlan(waves, size, accounts, serversInAccount int) *recovery.Plan {
	p := &recovery.Plan{ID: "rp-1"}
	taken := make([]int, accounts)
	layer := max(1, waves/6)
	for n := 1; n <= waves; n++ {
		a := (n - 1) % accounts
		w := recovery.PlannedWave{Independent: n <= layer}
		w.Number, w.Name = n, fmt.Sprintf("Wave %d", n)
		w.Account = recovery.AccountContext{AccountID: fmt.Sprintf("%012d", 100_000_000_000+a), Region: "us-west-2", RoleName: "Recoverer"}
		if n > layer {
			w.DependsOn = []int{n - layer}
		}
		for range size {
			w.Servers = append(w.Servers, recovery.Server{ID: serverID(a*serversInAccount + taken[a]), LaunchConfig: recovery.LaunchConfig{}})
			taken[a]++
		}
		p.Waves = append(p.Waves, w)
	}
	return p
}

// runLarge recovers a large plan, and holds it to quotas and its end.
func runLarge(t *testing.T, waves, size, accounts int) (took time.Duration, calls int) {
	synctest.Test(t, func(t *testing.T) {
		each := (waves + accounts - 1) / accounts * size
		h := open(t, 0, largeFleet(accounts, each), simulator.Options{Latency: answerTime})
		o := h.starter(nil)
		o.Now = time.Now
		plan := largePlan(waves, size, accounts, each)
		h.begin(o, plan)
		began := time.Now()
		e := h.drive(o, asksNobody(t))
		took = time.Since(began)
		if e.Ended.Outcome != recovery.OutcomeCompleted || len(e.Launched()) != waves*size {
			t.Errorf("the end is %+v with %d servers launched, want all %d", e.Ended, len(e.Launched()), waves*size)
		}
		for _, c := range h.world.Calls() {
			calls++
			if c.Code == "ServiceQuotaExceededException" {
				t.Error("a quota was exceeded")
			}
		}
	})
	return took, calls
}

func TestThirtyWavesInTenAccountsRunSixDeepWithinTheirQuotas(t *testing.T) {
	took, calls := runLarge(t, 30, 5, 10)
	// Six layers of launches that take eight minutes each, a poll and a start
	// behind every one.
	if most := 6*(8*time.Minute+45*time.Second) + time.Minute; took > most {
		t.Errorf("it took %s, want at most %s: independent waves wait for one another", took, most)
	}
	t.Logf("150 servers, 30 waves, 10 accounts: %s in virtual time, %d calls of AWS", took, calls)
}
