package orchestrator_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"muster/awsdrs"
	"muster/orchestrator"
	"muster/recovery"
	"muster/simulator"
)

// answerTime is how long every answer of AWS takes in these tests.
const answerTime = 30 * time.Millisecond

// endless makes buckets that never run dry, so that only the chain of round
// trips takes time.
const endless = `        buckets: {ec2: {"*": [100000, 100000], CreateLaunchTemplateVersion: [100000, 100000], ModifyLaunchTemplate: [100000, 100000], DescribeLaunchTemplateVersions: [100000, 100000]}}`

// right are the settings that the fleet's templates have already.
var right = recovery.LaunchConfig{recovery.Subnet: "subnet-0aaaaaaaaaaaaaaaa"}

// roundTrips starts a wave of a hundred servers where nothing but round trips
// takes time, and counts those that follow one another.
func roundTrips(t *testing.T, settings recovery.LaunchConfig) (trips int) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 100, fleet(100, endless, nil), simulator.Options{Latency: answerTime})
		for i := range h.wave.Wave.Servers {
			h.wave.Wave.Servers[i].LaunchConfig = settings
		}
		began := time.Now()
		if _, err := h.starter(map[string]awsdrs.Rate{}).StartWave(t.Context(), h.wave); err != nil {
			t.Fatal(err)
		}
		trips = int((time.Since(began) + answerTime - 1) / answerTime)
	})
	return trips
}

// starter is one warm process with the given pace; nil: AWS's own.
func (h *house) starter(pace map[string]awsdrs.Rate) *orchestrator.Orchestrator {
	cfg := aws.Config{Region: "us-west-2", Credentials: credentials.NewStaticCredentialsProvider(caller, "secret", "")}
	return &orchestrator.Orchestrator{
		Accounts:   awsdrs.New(cfg, awsdrs.Options{HTTPClient: &http.Client{Transport: h.world.RoundTripper()}, Pace: pace}),
		Executions: h.store,
	}
}

func TestACrossAccountWaveOfAHundredServersTakesAFewRoundTrips(t *testing.T) {
	if got := roundTrips(t, recovery.LaunchConfig{recovery.InstanceType: "r5.xlarge"}); got > 9 {
		t.Errorf("with every setting to be written: %d round trips on the causal chain, want at most 9", got)
	} else {
		t.Logf("every setting written: %d round trips", got)
	}
	if got := roundTrips(t, right); got > 5 {
		t.Errorf("with no setting to be written: %d round trips on the causal chain, want at most 5", got)
	} else {
		t.Logf("no setting written: %d round trips", got)
	}
}

// What chain and buckets dictate: 9 round trips, and, for n servers that are
// all written, 2n tokens of CreateLaunchTemplateVersion (DRS draws one for its
// own version, we draw one for ours) at 100 at once and 5 a second.
func dictated(servers int) time.Duration {
	wait := max(0, 2*servers-100)
	return 9*answerTime + time.Duration(wait)*time.Second/5
}

func TestHundredsOfServersTakeLittleMoreThanAWSDictatesAndNoCallIsThrottled(t *testing.T) {
	for _, servers := range []int{100, 200, 300} {
		t.Run(fmt.Sprint(servers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, servers, fleet(servers, "", nil), simulator.Options{Latency: answerTime})
				took, calls := h.startAll(h.starter(nil), 100)
				want := dictated(servers)
				t.Logf("%d servers in waves of 100: %s, %.2f of the %s that AWS dictates; %d calls", servers, took.Round(time.Millisecond), float64(took)/float64(want), want, calls)
				if float64(took) > 1.1*float64(want) {
					t.Errorf("it took %s, more than 1.1 times %s", took, want)
				}
				for _, c := range h.world.Calls() {
					if c.Code == "RequestLimitExceeded" || c.Code == "ThrottlingException" {
						t.Fatalf("%s was throttled", c.Operation)
					}
				}
				// One session; for each wave its servers and their instances, twice,
				// the check of the templates and the start; for each server its two
				// settings read, DRS's written, a template version made and made the
				// default.
				if want := 1 + 6*(servers/100) + 5*servers; calls != want {
					t.Errorf("%d calls were made, want %d", calls, want)
				}
			})
		})
	}
}

// startAll starts all servers of the house in waves of a size, at the same
// time, by one warm process.
func (h *house) startAll(o *orchestrator.Orchestrator, size int) (took time.Duration, calls int) {
	h.t.Helper()
	servers := h.wave.Wave.Servers
	began := time.Now()
	var all sync.WaitGroup
	for n := 1; len(servers) > 0; n++ {
		w := h.wave
		w.Wave.Number = n
		w.Wave.Servers = servers[:min(size, len(servers))]
		servers = servers[len(w.Wave.Servers):]
		all.Go(func() {
			if _, err := o.StartWave(h.t.Context(), w); err != nil {
				h.t.Errorf("wave %d: %v", n, err)
			}
		})
	}
	all.Wait()
	return time.Since(began), len(h.world.Calls())
}
