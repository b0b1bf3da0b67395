package awsdrs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/awsdrs"
	"muster/recovery"
	"muster/simulator"
)

func TestWhatAWSRefusesForTheMomentIsAskedAgain(t *testing.T) {
	for _, fault := range []string{
		"Throttle:operation=DescribeSourceServers,times=5",
		"Error500Before:operation=DescribeSourceServers,times=5",
		"DropBefore:operation=DescribeSourceServers,times=5",
		"DropAnswerAfter:operation=DescribeSourceServers,times=5",
		"SlowAnswers:operation=DescribeSourceServers,times=3,duration=30s",
	} {
		t.Run(fault, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				h := newHouse(t, fleetOf(t, 1), simulator.Options{})
				r := h.region()
				h.fault(fault)
				servers, err := r.SourceServers(t.Context(), serverIDs(1))
				if err != nil || len(servers) != 1 {
					t.Fatalf("got %v, %v", servers, err)
				}
			})
		})
	}
}

func TestAnsweringIsGivenUpInTime(t *testing.T) {
	for name, tt := range map[string]struct {
		fault   string
		time    time.Duration // until the deadline; 0: none
		code    string
		longest time.Duration
		asked   int
	}{
		"a definite refusal":             {fault: "Refuse:operation=DescribeSourceServers,code=ValidationException", code: "ValidationException", asked: 1},
		"a quota":                        {fault: "Refuse:operation=DescribeSourceServers,code=ServiceQuotaExceededException,status=402", code: "ServiceQuotaExceededException", asked: 1},
		"nine times":                     {fault: "Throttle:operation=DescribeSourceServers", code: "ThrottlingException", longest: 2 * time.Minute, asked: 9},
		"before a deadline":              {fault: "Throttle:operation=DescribeSourceServers,duration=4s", time: 20 * time.Second, code: "ThrottlingException", longest: 19 * time.Second},
		"when AWS says to come too late": {fault: "Throttle:operation=DescribeSourceServers,duration=60s", time: 20 * time.Second, code: "ThrottlingException", asked: 1},
		"when the call took too long":    {fault: "SlowAnswers:operation=DescribeSourceServers,duration=1h", longest: 2*time.Minute + 15*time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				h := newHouse(t, fleetOf(t, 1), simulator.Options{})
				r := h.region()
				h.fault(tt.fault)
				ctx := t.Context()
				if tt.time > 0 {
					ctx = within(t, tt.time)
				}
				start := time.Now()
				_, err := r.SourceServers(ctx, serverIDs(1))
				var refused *recovery.ServiceError
				if !errors.As(err, &refused) || refused.Code != tt.code || refused.Ambiguous {
					t.Errorf("got %v", err)
				}
				if took := time.Since(start); took > tt.longest {
					t.Errorf("took %v, at most %v", took, tt.longest)
				}
				if asked := h.calls()["DescribeSourceServers"]; tt.asked > 0 {
					same(t, "times asked", asked, tt.asked)
				}
			})
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		r := h.region()
		h.fault("Throttle:operation=DescribeSourceServers,duration=9s,times=1")
		start := time.Now()
		if _, err := r.SourceServers(t.Context(), serverIDs(1)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 9*time.Second || took > 10*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestTheCallersContextEndsACall(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{Latency: 5 * time.Second})
		r := h.region()
		if _, err := r.SourceServers(within(t, time.Second/2), serverIDs(1)); !errors.Is(err, recovery.ErrNoTime) {
			t.Errorf("too little time: got %v", err)
		}
		if _, err := r.SourceServers(within(t, 3*time.Second), serverIDs(1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("time out: got %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := r.SourceServers(ctx, serverIDs(1)); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: got %v", err)
		}
		same(t, "times asked", h.calls()["DescribeSourceServers"], 2)
	})
}

// EC2's own buckets, and a third of a second for every answer.
func TestAFullyWrittenWaveTakesWhatTheBucketsDictate(t *testing.T) {
	for _, n := range []int{1, 10, 100, 200, 300} {
		t.Run(fmt.Sprint(n, " servers"), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				const trip = 30 * time.Millisecond
				h := newHouse(t, fleetOf(t, n), simulator.Options{Latency: trip})
				all, start := everything(t, n).Want, time.Now()
				// Waves of a hundred, all at the same time, as one plan's may be.
				var wait sync.WaitGroup
				for first := 0; first < n; first += 100 {
					wait.Go(func() {
						c := everything(t, 0)
						c.Key.Wave = 1 + first/100
						for _, id := range serverIDs(n)[first:min(n, first+100)] {
							c.Want[id] = all[id]
						}
						r, err := h.accounts.Assume(t.Context(), account)
						if err != nil {
							t.Error(err)
							return
						}
						if err := r.Configure(t.Context(), c); err != nil {
							t.Error(err)
						}
						l := recovery.Launch{Type: recovery.Drill}
						for id := range c.Want {
							l.Servers = append(l.Servers, recovery.Server{ID: id})
						}
						if _, err := r.StartRecovery(within(t, 30*time.Second), l); err != nil {
							t.Error(err)
						}
					})
				}
				wait.Wait()
				took := time.Since(start)
				dictated := 8*trip + time.Duration(max(0, 2*n-100))*time.Second/5
				t.Logf("%d servers: %v, dictated %v; %v", n, took, dictated, h.calls())
				same(t, "throttled calls", h.throttled(), 0)
				if limit := dictated * 11 / 10; took > limit {
					t.Errorf("took %v, want at most %v", took, limit)
				}
				if n <= 10 {
					same(t, "round trips", int(took/trip), 8)
				}
			})
		})
	}
}

func TestPaceSlowsDownWhenAWSThrottlesAllTheSame(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		// Somebody else uses half of what there is.
		h := newHouse(t, fleetOf(t, 100, "        buckets: {ec2: {CreateLaunchTemplateVersion: [20, 2.5]}}\n"), simulator.Options{Latency: 30 * time.Millisecond})
		r := h.region()
		start := time.Now()
		if err := r.Configure(t.Context(), everything(t, 100)); err != nil {
			t.Fatal(err)
		}
		t.Logf("took %v, %d calls throttled", time.Since(start), h.throttled())
		if took := time.Since(start); took > 3*time.Minute {
			t.Errorf("took %v; 72 s are dictated", took)
		}
	})
}

func TestTheRateOfDRSIsLearned(t *testing.T) {
	for buckets, limit := range map[string]time.Duration{"[20, 10]": 20 * time.Second, "[10, 5]": 30 * time.Second, "[5, 1]": 2 * time.Minute} {
		t.Run(buckets, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				h := newHouse(t, fleetOf(t, 100, "        buckets: {drs: {GetLaunchConfiguration: "+buckets+"}}\n"), simulator.Options{Latency: 30 * time.Millisecond})
				c := everything(t, 0)
				for _, id := range serverIDs(100) {
					c.Want[id] = want(t, id, recovery.CopyTags, true)
				}
				start := time.Now()
				if err := h.region().Configure(t.Context(), c); err != nil {
					t.Error(err)
				}
				t.Logf("took %v, %d calls throttled", time.Since(start), h.throttled())
				if took := time.Since(start); took > limit {
					t.Errorf("took %v, want at most %v", took, limit)
				}
				same(t, "other calls than those for each server", len(h.world.Calls())-h.calls()["GetLaunchConfiguration"], 1)
			})
		})
	}
}

func TestATokenThatWouldComeTooLateIsNotWaitedFor(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 100), simulator.Options{}, func(o *awsdrs.Options) {
			o.Pace = map[string]awsdrs.Rate{"CreateLaunchTemplateVersion": {Burst: 1, PerSecond: 1}}
		})
		start := time.Now()
		err := h.region().Configure(within(t, 20*time.Second), everything(t, 100))
		if !errors.Is(err, recovery.ErrNoTime) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took > 19*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestWhoWaitsForATokenCanStopWaiting(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 10), simulator.Options{}, func(o *awsdrs.Options) {
			o.Pace = map[string]awsdrs.Rate{"CreateLaunchTemplateVersion": {Burst: 1, PerSecond: 0.01}}
		})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		start := time.Now()
		if err := h.region().Configure(ctx, everything(t, 10)); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		same(t, "took", time.Since(start), 10*time.Second)
	})
}

func TestRecoveryPointsAreReadInAsFewPagesAsPossible(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 100, "        pageSize: 2\n"), simulator.Options{Latency: 30 * time.Millisecond})
		r := h.region()
		start := time.Now()
		points, err := r.RecoveryPoints(t.Context(), serverIDs(100), nil)
		if err != nil {
			t.Fatal(err)
		}
		have := map[recovery.SourceServerID]bool{}
		for _, p := range points {
			have[p.Server] = !p.Taken.IsZero()
		}
		same(t, "servers with a recovery point", len(have), 100)
		same(t, "pages", h.calls()["DescribeRecoverySnapshots"], 100)
		same(t, "took", time.Since(start), 30*time.Millisecond)

		// A pinned one is on the second page; the other server is left early or late.
		points, err = r.RecoveryPoints(t.Context(), serverIDs(1), []recovery.SnapshotID{"pit-00000000000000001"})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "points", points[len(points)-1].ID, "pit-00000000000000001")
		same(t, "pages", h.calls()["DescribeRecoverySnapshots"], 102)
	})
}

func TestLongListsAreReadWhole(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 250, "        pageSize: 7\n"), simulator.Options{})
		r := h.region()
		servers, err := r.SourceServers(t.Context(), append(serverIDs(250), "s-99999999999999999"))
		if err != nil {
			t.Fatal(err)
		}
		same(t, "servers", len(servers), 250)
		s := servers[0]
		same(t, "a server", fmt.Sprint(s.Hostname, s.Replication, s.Lag, s.StagingArea, s.LastLaunch), fmt.Sprint("host-1", "CONTINUOUS", "3s", "NOT_EXTENDED", recovery.LastLaunch{}))
		for i := range 12 {
			l := recovery.Launch{Type: recovery.Drill, Servers: []recovery.Server{{ID: serverID(i + 1)}}}
			if _, err := r.StartRecovery(within(t, time.Minute), l); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		jobs, err := r.Jobs(t.Context(), recovery.JobQuery{Since: time.Now().Add(-6 * time.Second)})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "jobs of the last six seconds", len(jobs), 6)
		same(t, "newest first", jobs[0].Created.After(jobs[1].Created), true)
		servers, _ = r.SourceServers(t.Context(), serverIDs(1))
		same(t, "last launch", servers[0].LastLaunch.Running(), true)
		time.Sleep(time.Hour)
		instances, err := r.RecoveryInstances(t.Context(), serverIDs(250))
		if err != nil {
			t.Fatal(err)
		}
		same(t, "instances", len(instances), 12)
		i := instances[0]
		if i.ID == "" || i.EC2 == "" || i.Server == "" || !i.Drill || i.EC2State != "RUNNING" {
			t.Errorf("got %+v", i)
		}
	})
}

func TestNoSecretIsInAnyError(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		h.fault("Refuse:operation=AssumeRole,code=ValidationError,status=400,times=1,message=Value '" + external + "' at 'externalId' failed")
		_, err := h.accounts.Assume(t.Context(), account)
		noSecret(t, err, external)
		r := h.region()
		// An answer that repeats what was signed, as AWS's do where signatures differ.
		token := h.wire.headers[len(h.wire.headers)-1].Get("X-Amz-Security-Token")
		h.wire.next = answering(func(r *http.Request) *http.Response {
			token = r.Header.Get("X-Amz-Security-Token")
			return reply(403, "InvalidSignatureException", "The Canonical String should have been x-amz-security-token:"+token)
		})
		_, err = r.SourceServers(t.Context(), serverIDs(1))
		if token == "" {
			t.Fatal("no token was sent")
		}
		noSecret(t, err, token)
	})
}

func noSecret(t *testing.T, err error, secret string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if text := fmt.Sprintf("%v %+v %#v", e, e, e); strings.Contains(text, secret) {
			t.Errorf("the secret is in %s", text)
		}
	}
	if !strings.Contains(err.Error(), "[redacted]") {
		t.Errorf("got %v", err)
	}
}

type answering func(*http.Request) *http.Response

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	resp := a(r)
	resp.Request = r
	return resp, nil
}

func reply(status int, code, message string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"X-Amzn-Errortype": {code}, "X-Amzn-Requestid": {"request-1"}},
		Body: io.NopCloser(strings.NewReader(fmt.Sprintf(`{"message":%q}`, message)))}
}

func TestAnUnreadableTimeIsNoAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		r := h.region()
		body := ""
		h.wire.next = answering(func(*http.Request) *http.Response {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
		})
		body = `{"items": [{"jobID": "drsjob-1", "creationDateTime": "yesterday"}]}`
		if _, err := r.Jobs(t.Context(), recovery.JobQuery{IDs: []recovery.JobID{"drsjob-1"}}); err == nil || !strings.Contains(err.Error(), "the time of job drsjob-1") {
			t.Errorf("got %v", err)
		}
		body = `{"items": [{"snapshotID": "pit-1", "timestamp": "yesterday"}]}`
		if _, err := r.RecoveryPoints(t.Context(), serverIDs(1), nil); err == nil || !strings.Contains(err.Error(), "the time of recovery point pit-1") {
			t.Errorf("got %v", err)
		}
		// The job's id is what counts of an answer of StartRecovery.
		body = `{"job": {"jobID": "drsjob-1", "creationDateTime": "yesterday"}}`
		job, err := r.StartRecovery(within(t, time.Minute), drill(1))
		if err != nil || job.ID != "drsjob-1" || job.Servers != nil {
			t.Errorf("got %+v, %v", job, err)
		}
		body = `{"job": {"jobID": "drsjob-1", "participatingServers": []}}`
		if job, err = r.StartRecovery(within(t, time.Minute), drill(1)); err != nil || job.Servers == nil || len(job.Servers) > 0 {
			t.Errorf("got %+v, %v", job, err)
		}
	})
}

func TestAnswersThatSayNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		status               int
		body                 string
		ambiguous, retryable bool
	}{
		"an answer cut off":           {202, `{"job":{"jobID":"drs`, true, true},
		"an answer without a job":     {202, `{}`, true, false},
		"an error page of a proxy":    {502, `<html>Bad gateway</html>`, true, true},
		"a refusal of a proxy":        {403, `<html>Forbidden</html>`, false, false},
		"a redirect":                  {307, ``, false, false},
		"too many requests, no words": {429, ``, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				h := newHouse(t, fleetOf(t, 1), simulator.Options{})
				r := h.region()
				h.wire.next = answering(func(*http.Request) *http.Response {
					return &http.Response{StatusCode: tt.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(tt.body))}
				})
				_, err := r.StartRecovery(within(t, 30*time.Second), drill(1))
				var refused *recovery.ServiceError
				if !errors.As(err, &refused) {
					t.Fatalf("got %v", err)
				}
				same(t, "ambiguous", refused.Ambiguous, tt.ambiguous)
				same(t, "retryable", refused.Retryable, tt.retryable)
				t.Log(refused)
			})
		})
	}
}
