package orchestrator_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"muster/awsdrs"
	"muster/orchestrator"
	"muster/recovery"
	"muster/simulator"
)

const (
	caller = "999999999999"
	target = "111122223333"
)

// house is a simulated AWS and a store: all that outlives an invocation.
type house struct {
	t     testing.TB
	world *simulator.World
	store shelf
	wave  recovery.WaveStart

	announced announcements
	decided   sync.Map                                                        // the versions that a change was written on
	decides   func(*recovery.Execution, recovery.Question) *recovery.Decision // in place of drive's answer; nil: that
}

// fleet describes the account that tests recover into: servers that are
// ready, whose settings are not yet what the wave asks for. extra is put into
// the region, at its depth; an entry of servers says more about one of them.
func fleet(servers int, extra string, more map[int]string) string {
	return fleetHead + account(target, between(1, servers), extra, more)
}

// secondAccount is where the servers of the second wave are in a fleet of two.
const secondAccount = "444455556666"

// fleetOfTwo is a fleet in two accounts: the first servers in target, the others
// in secondAccount.
func fleetOfTwo(first, second int, more map[int]string) string {
	return fleetHead + account(target, between(1, first), "", more) + account(secondAccount, between(first+1, first+second), "", more)
}

func between(from, to int) (numbers []int) {
	for i := from; i <= to; i++ {
		numbers = append(numbers, i)
	}
	return numbers
}

const fleetHead = "\nversion: 1\naccounts:\n"

// account is one of a fleet, with servers by their numbers.
func account(id string, servers []int, extra string, more map[int]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `  "%s":
    roles:
      - {name: Recoverer, trusts: ["%s"], externalId: a-secret-word}
      - {name: Untagger, trusts: ["%[2]s"], deny: ["drs:TagResource"]}
    regions:
      us-west-2:
        subnets:
          - {id: subnet-0aaaaaaaaaaaaaaaa, cidr: 10.0.1.0/24, zone: us-west-2a}
          - {id: subnet-0bbbbbbbbbbbbbbbb, cidr: 10.0.2.0/24, zone: us-west-2b}
        securityGroups: [{id: sg-0aaaaaaaaaaaaaaaa}, {id: sg-0bbbbbbbbbbbbbbbb}]
%s
        servers:
`, id, caller, extra)
	for _, i := range servers {
		fmt.Fprintf(&b, `          - id: %s
            launch: {targetInstanceTypeRightSizingMethod: BASIC}
            template: {id: lt-%017d, instanceType: m5.large, subnet: subnet-0aaaaaaaaaaaaaaaa, securityGroups: [sg-0aaaaaaaaaaaaaaaa]}
%s`, serverID(i), i, more[i])
	}
	return b.String()
}

func serverID(i int) recovery.SourceServerID {
	return recovery.SourceServerID(fmt.Sprintf("s-%017d", i))
}

// open makes a house whose wave has all servers of the fleet, each to be
// launched with another instance type than its template has.
func open(t testing.TB, servers int, fleetFile string, o simulator.Options) *house {
	t.Helper()
	return openOn(t, inFile, servers, fleetFile, o)
}

// openOn is open, with the executions kept on a shelf of one's choice.
func openOn(t testing.TB, newShelf func(testing.TB) shelf, servers int, fleetFile string, o simulator.Options) *house {
	t.Helper()
	parsed, err := simulator.ParseFleet("test", []byte(fleetFile))
	if err != nil {
		t.Fatal(err)
	}
	world, err := simulator.New(parsed, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { world.Close() })
	h := &house{t: t, world: world, store: newShelf(t), wave: recovery.WaveStart{
		Execution: "exec-1", Plan: "rp-1", Type: recovery.Drill, StartTime: "2026-11-24T03:00:00Z", InitiatedBy: "ops@example.com",
		Policy: recovery.Continuous,
		Wave: recovery.Wave{
			Number: 1, Name: "Databases",
			Account: recovery.AccountContext{AccountID: target, Region: "us-west-2", RoleName: "Recoverer", ExternalID: recovery.NewSecret("a-secret-word")},
		},
	}}
	for i := 1; i <= servers; i++ {
		h.wave.Wave.Servers = append(h.wave.Wave.Servers, recovery.Server{
			ID: serverID(i), LaunchConfig: recovery.LaunchConfig{recovery.InstanceType: "r5.xlarge"},
		})
	}
	return h
}

// invocation is one process that starts waves in this house. skew is how far
// its clock is ahead.
func (h *house) invocation(p *process, skew time.Duration) *orchestrator.Orchestrator {
	cfg := aws.Config{Region: "us-west-2", Credentials: credentials.NewStaticCredentialsProvider(caller, "secret", "")}
	return &orchestrator.Orchestrator{
		Accounts: awsdrs.New(cfg, awsdrs.Options{
			HTTPClient: &http.Client{Transport: transport{p, h.world.RoundTripper()}},
			Jitter:     func() float64 { return 0.5 },
		}),
		Executions: h.store.through(p, h),
		Now:        func() time.Time { return time.Now().Add(skew) },
	}
}

// isOurs says whether a call was made in the role that our waves assume.
func isOurs(c simulator.Call) bool { return strings.Contains(c.Principal, "assumed-role/") }

// onlyJob gives the one job that was launched for the house's wave.
func (h *house) onlyJob() recovery.JobID {
	h.t.Helper()
	var jobs []recovery.JobID
	for _, c := range h.world.Calls() {
		for _, id := range c.Resources {
			if c.Operation == "StartRecovery" && c.Mutated && isOurs(c) && strings.HasPrefix(id, "drsjob-") {
				jobs = append(jobs, recovery.JobID(id))
			}
		}
	}
	if len(jobs) != 1 {
		h.t.Fatalf("%d launch jobs were made, want 1: %v", len(jobs), jobs)
	}
	return jobs[0]
}

// count counts the calls of an operation.
func (h *house) count(operation string) int {
	n := 0
	for _, c := range h.world.Calls() {
		if c.Operation == operation {
			n++
		}
	}
	return n
}
