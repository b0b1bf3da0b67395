package orchestrator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/orchestrator"
	"muster/recovery"
	"muster/simulator"
)

// burning opens a house of one server in which the given faults are in force.
func burning(t testing.TB, faults ...string) *house {
	t.Helper()
	var parsed []simulator.Fault
	for _, text := range faults {
		f, err := simulator.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	return open(t, 1, fleet(1, "", nil), simulator.Options{Latency: 30 * time.Millisecond, Faults: parsed})
}

func TestAnUnclearAnswerOfStartRecoveryStillMakesOneJob(t *testing.T) {
	for name, faults := range map[string][]string{
		"the answer is dropped":                                   {"DropAnswerAfter:operation=StartRecovery,times=1"},
		"the answer is dropped and lists lag":                     {"DropAnswerAfter:operation=StartRecovery,times=1", "LagJobList:duration=10s"},
		"a 500 after the effect":                                  {"Error500After:operation=StartRecovery,times=1"},
		"a 500 after the effect and lists lag":                    {"Error500After:operation=StartRecovery,times=1", "LagJobList:duration=10s"},
		"a 500 before the effect":                                 {"Error500Before:operation=StartRecovery,times=1"},
		"the connection breaks before the effect":                 {"DropBefore:operation=StartRecovery,times=1"},
		"lists lag longer than anybody looks, and it conflicts":   {"DropAnswerAfter:operation=StartRecovery,times=1", "LagJobList:duration=90s"},
		"it is throttled":                                         {"Throttle:operation=StartRecovery,times=2"},
		"the answer comes after we stopped waiting for it":        {"SlowAnswers:operation=StartRecovery,duration=45s,times=1"},
		"the answer is dropped and looking for the job is broken": {"DropAnswerAfter:operation=StartRecovery,times=1", "Error500Before:operation=DescribeJobs,times=3"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := burning(t, faults...)
				started, err := h.invocation(newProcess(), 0).StartWave(t.Context(), h.wave)
				if err != nil {
					t.Fatal(err)
				}
				if job := h.onlyJob(); started.JobID != job {
					t.Errorf("got job %s, want %s", started.JobID, job)
				}
				h.checkRecord(started.JobID)
			})
		})
	}
}

func TestWhatStaysUnclearIsSaidAndFoundOutByTheNextDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := burning(t, "DropAnswerAfter:operation=StartRecovery,times=1", "LagJobList:duration=150s")
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		_, err := h.invocation(newProcess(), 0).StartWave(ctx, h.wave)
		var refused *recovery.Error
		if !errors.As(err, &refused) || refused.Code != recovery.DRSAPIError || !refused.Retryable {
			t.Fatalf("got %v, want a retryable DRS_API_ERROR", err)
		}
		if a := h.attempt(); a.State != recovery.Sent {
			t.Errorf("the claim is %s, want SENT: a job may exist", a.State)
		}
		started, err := h.invocation(newProcess(), 0).StartWave(t.Context(), h.wave)
		if err != nil {
			t.Fatal(err)
		}
		if job := h.onlyJob(); started.JobID != job {
			t.Errorf("got job %s, want %s", started.JobID, job)
		}
	})
}

func (h *house) attempt() *recovery.Attempt {
	h.t.Helper()
	exec, err := h.store.Execution(context.Background(), h.wave.Execution)
	if err != nil {
		h.t.Fatal(err)
	}
	return exec.Attempt(1)
}

// Whatever it was about to do, an invocation whose machine sleeps for a while
// must not launch a second time when it wakes up.
func TestAnInvocationPausedAnywhereNeverLaunchesTwice(t *testing.T) {
	var calls []call
	synctest.Test(t, func(t *testing.T) {
		h := burning(t)
		p := newProcess()
		if _, err := h.invocation(p, 0).StartWave(t.Context(), h.wave); err != nil {
			t.Fatal(err)
		}
		calls = p.calls
	})
	for _, pause := range []time.Duration{time.Minute, 6 * time.Minute} {
		for _, at := range calls {
			t.Run(fmt.Sprintf("%s before %s", pause, at), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { pausedAndDelivered(t, at, pause) })
			})
		}
	}
}

func pausedAndDelivered(t *testing.T, at call, pause time.Duration) {
	h := burning(t)
	sleeper := newProcess()
	sleeper.sleepAt, sleeper.sleepFor = at, pause
	answers, errs := make([]*orchestrator.Started, 2), make([]error, 2)
	var both sync.WaitGroup
	both.Go(func() { answers[0], errs[0] = h.invocation(sleeper, 0).StartWave(t.Context(), h.wave) })
	time.Sleep(time.Second)
	both.Go(func() { answers[1], errs[1] = h.invocation(newProcess(), 0).StartWave(t.Context(), h.wave) })
	both.Wait()
	job := h.onlyJob()
	for i := range answers {
		if errs[i] != nil {
			t.Errorf("invocation %d: %v", i+1, errs[i])
		} else if answers[i].JobID != job {
			t.Errorf("invocation %d got job %s, want %s", i+1, answers[i].JobID, job)
		}
	}
	h.checkRecord(job)
}

func TestTheSameEventTwentyTimesAtOnceHasOneJobAndOneAnswer(t *testing.T) {
	for _, skew := range []time.Duration{0, 2 * time.Minute} {
		t.Run(fmt.Sprintf("clocks %s apart", skew), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := burning(t)
				answers, errs := make([]*orchestrator.Started, 20), make([]error, 20)
				var all sync.WaitGroup
				for i := range answers {
					all.Go(func() {
						o := h.invocation(newProcess(), time.Duration(i%2)*skew)
						answers[i], errs[i] = o.StartWave(t.Context(), h.wave)
					})
				}
				all.Wait()
				job := h.onlyJob()
				for i := range answers {
					if errs[i] != nil || answers[i].JobID != job {
						t.Errorf("delivery %d: %v, %v; want job %s", i+1, answers[i], errs[i], job)
					}
				}
				calls := len(h.world.Calls())
				again, err := h.invocation(newProcess(), 0).StartWave(t.Context(), h.wave)
				if err != nil || again.JobID != job {
					t.Errorf("a later delivery: %v, %v; want job %s", again, err, job)
				}
				if n := len(h.world.Calls()) - calls; n != 0 {
					t.Errorf("a later delivery made %d calls of AWS, want none", n)
				}
			})
		})
	}
}

func TestWhoeverWaitsTooLongSaysThatTheWaveIsInProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := burning(t, "SlowAnswers:operation=DescribeSourceServers,duration=14s")
		first := make(chan error, 1)
		go func() {
			_, err := h.invocation(newProcess(), 0).StartWave(t.Context(), h.wave)
			first <- err
		}()
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := h.invocation(newProcess(), 0).StartWave(ctx, h.wave)
		var refused *recovery.Error
		if !errors.As(err, &refused) || refused.Code != recovery.WaveInProgress || !refused.Retryable {
			t.Errorf("got %v, want a retryable WAVE_IN_PROGRESS", err)
		}
		if err := <-first; err != nil {
			t.Error(err)
		}
		h.onlyJob()
	})
}

func TestNothingIsBegunThatCannotEndInTime(t *testing.T) {
	for left, wantSent := range map[time.Duration]bool{4 * time.Second: false, 20 * time.Second: false, 50 * time.Second: true} {
		t.Run(left.String()+" are left", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := burning(t)
				ctx, cancel := context.WithTimeout(t.Context(), left)
				defer cancel()
				_, err := h.invocation(newProcess(), 0).StartWave(ctx, h.wave)
				if sent := h.count("StartRecovery") > 0; sent != wantSent {
					t.Errorf("StartRecovery was sent: %v, want %v", sent, wantSent)
				}
				if !wantSent && !errors.Is(err, recovery.ErrNoTime) {
					t.Errorf("got %v, want %v", err, recovery.ErrNoTime)
				}
				if left == 4*time.Second && len(h.world.Calls()) > 0 {
					t.Errorf("%d calls were made, want none", len(h.world.Calls()))
				}
				if a := h.attempt(); !wantSent && a != nil {
					if free, _ := a.Free(time.Now()); !free {
						t.Errorf("the claim is not free for the next invocation: %+v", a)
					}
				}
			})
		})
	}
}

// othersJob lets another party start a job with a server, and gives its id.
func (h *house) othersJob(server recovery.SourceServerID) string {
	h.t.Helper()
	return h.somebodyStarts(server, true)
}

// recoverForReal lets another party start a recovery of a server, no drill.
func (h *house) recoverForReal(server recovery.SourceServerID) {
	h.t.Helper()
	h.somebodyStarts(server, false)
}

func (h *house) somebodyStarts(server recovery.SourceServerID, drill bool) string {
	h.t.Helper()
	body := fmt.Sprintf(`{"sourceServers":[{"sourceServerID":"%s"}],"isDrill":%v,"tags":{"Owner":"somebody"}}`, server, drill)
	r, err := http.NewRequest("POST", "http://drs.us-west-2.amazonaws.com/StartRecovery", strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/20261124/us-west-2/drs/aws4_request, SignedHeaders=host, Signature=0", target))
	answer, err := h.world.RoundTripper().RoundTrip(r)
	if err != nil || answer.StatusCode != http.StatusAccepted {
		h.t.Fatalf("another party's job was not started: %v %v", answer, err)
	}
	var made struct{ Job struct{ JobID string } }
	if err := json.NewDecoder(answer.Body).Decode(&made); err != nil {
		h.t.Fatal(err)
	}
	return made.Job.JobID
}

func TestAnotherPartysJobIsNamedAndCanBeWaitedFor(t *testing.T) {
	for name, at := range map[string]string{
		"before we look":             "DescribeSourceServers",
		"between looking and asking": "StartRecovery",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := burning(t)
				p := newProcess()
				started := sync.OnceValue(func() string { return h.othersJob(serverID(1)) })
				p.before = func(c call) {
					if strings.HasPrefix(c.name, at) {
						started()
					}
				}
				_, err := h.invocation(p, 0).StartWave(t.Context(), h.wave)
				var refused *recovery.Error
				if !errors.As(err, &refused) || refused.Code != recovery.DRSAPIError || !refused.Retryable {
					t.Fatalf("got %v, want a retryable DRS_API_ERROR", err)
				}
				if job := started(); !strings.Contains(refused.Message, job) || !strings.Contains(refused.Message, string(serverID(1))) {
					t.Errorf("the message names neither job %s nor its server: %s", job, refused.Message)
				}
				time.Sleep(20 * time.Minute)
				if _, err := h.invocation(newProcess(), 0).StartWave(t.Context(), h.wave); err != nil {
					t.Errorf("once the other job is over: %v", err)
				}
			})
		})
	}
}

func TestAStoreThatLosesAnswersLosesNoWave(t *testing.T) {
	for _, kind := range []string{"CLAIMED", "CONFIGURING", "SENT", "STARTED"} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := burning(t)
				o := h.invocation(newProcess(), 0)
				o.Executions = &forgetful{ExecutionStore: o.Executions, kind: recovery.EventKind(kind)}
				started, err := o.StartWave(t.Context(), h.wave)
				if err != nil {
					t.Fatal(err)
				}
				if job := h.onlyJob(); started.JobID != job {
					t.Errorf("got job %s, want %s", started.JobID, job)
				}
				h.checkRecord(started.JobID)
			})
		})
	}
}

// forgetful is a store that writes one change and loses the answer.
type forgetful struct {
	recovery.ExecutionStore
	kind recovery.EventKind
	lost bool
}

func (s *forgetful) Commit(ctx context.Context, c recovery.Change) error {
	err := s.ExecutionStore.Commit(ctx, c)
	if err == nil && !s.lost && c.Event != nil && c.Event.Kind == s.kind {
		s.lost = true
		return errors.New("the store's answer was lost")
	}
	return err
}
