package orchestrator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/orchestrator"
	"muster/recovery"
	"muster/simulator"
)

// asRoot asks DRS something as the account's own root, somebody else than we:
// at the console, say.
func (h *house) asRoot(operation, body string) []byte {
	h.t.Helper()
	r, err := http.NewRequest("POST", "http://drs.us-west-2.amazonaws.com/"+operation, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	return h.rootly(r, "drs")
}

// inEC2 asks EC2 something as the account's own root.
func (h *house) inEC2(form string) []byte {
	h.t.Helper()
	r, err := http.NewRequest("POST", "http://ec2.us-west-2.amazonaws.com/", strings.NewReader(form))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return h.rootly(r, "ec2")
}

func (h *house) rootly(r *http.Request, service string) []byte {
	h.t.Helper()
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/20261124/us-west-2/%s/aws4_request, SignedHeaders=host, Signature=0", target, service))
	answer, err := h.world.RoundTripper().RoundTrip(r)
	if err != nil {
		h.t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		h.t.Fatalf("%s: %s %s %v", r.URL, answer.Status, body, err)
	}
	return body
}

// somebodyRecovers has somebody else recover a server in earnest.
func (h *house) somebodyRecovers(n int) {
	h.t.Helper()
	h.asRoot("StartRecovery", fmt.Sprintf(`{"sourceServers":[{"sourceServerID":%q}],"isDrill":false}`, serverID(n)))
}

// living are the instances that live in truth and are no drill's.
func (h *house) living() []string {
	var live []string
	for _, r := range h.world.Summary().Regions {
		for _, i := range r.Instances {
			if !i.Drill && i.State != "TERMINATED" && i.State != "NOT_FOUND" {
				live = append(live, i.ID)
			}
		}
	}
	return live
}

// quick is a fleet whose launches take a time.
func quick(servers int, launch time.Duration) string {
	more := map[int]string{}
	for i := 1; i <= servers; i++ {
		more[i] = fmt.Sprintf("            launches: {duration: %s}\n", launch)
	}
	return fleet(servers, "", more)
}

func faults(t *testing.T, texts ...string) simulator.Options {
	t.Helper()
	var o simulator.Options
	for _, text := range texts {
		f, err := simulator.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		o.Faults = append(o.Faults, f)
	}
	return o
}

func TestALiveInstanceThatListsDoNotShowYetIsNotTerminated(t *testing.T) {
	for name, lags := range map[string][]string{
		"instances":             {"LagInstanceList:duration=10s,operation=DescribeRecoveryInstances"},
		"instances, a minute":   {"LagInstanceList:duration=59s"},
		"instances and servers": {"LagInstanceList:duration=59s", "LagServerList:duration=59s"},
		"instances and jobs":    {"LagInstanceList:duration=59s", "LagJobList:duration=59s"},
		"all of them":           {"LagInstanceList:duration=59s", "LagServerList:duration=59s", "LagJobList:duration=59s"},
		"EC2 alone":             {"LagInstanceList:duration=59s,operation=DescribeInstances"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, later := range []time.Duration{0, 5 * time.Second, 30 * time.Second, 58 * time.Second, 2 * time.Minute} {
				synctest.Test(t, func(t *testing.T) {
					h := open(t, 1, quick(1, 2*time.Minute), faults(t, lags...))
					h.somebodyRecovers(1)
					time.Sleep(2*time.Minute + later)
					live := h.living()
					if len(live) != 1 {
						t.Fatalf("%d instances live, want 1", len(live))
					}
					_, err := h.invocation(newProcess(), 0).StartWave(t.Context(), h.wave)
					if n := h.mutations()["StartRecovery"]; n != 1 {
						t.Errorf("%s after the recovery: %d launches, want somebody's alone; the answer is %v", later, n, err)
					}
					time.Sleep(10 * time.Minute)
					if got := h.living(); len(got) != 1 || got[0] != live[0] {
						t.Errorf("%s after the recovery: %v lives, want %v still", later, got, live)
					}
					if again := h.refusedWith(); !strings.Contains(again.Message, live[0]) {
						t.Errorf("the refusal does not name %s: %v", live[0], again)
					}
				})
			}
		})
	}
}

// Somebody recovers the server for real while we wait to send again.
func TestWhatIsRecoveredWhileWeWaitToSendAgainIsNotTerminated(t *testing.T) {
	for name, fault := range map[string]string{
		"throttled": "Throttle:operation=StartRecovery,times=1,duration=25s",
		"unclear":   "Error500Before:operation=StartRecovery,times=1",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, 1, quick(1, 8*time.Second), faults(t, fault))
				h.wave.Wave.Servers[0].LaunchConfig = nil
				p := newProcess()
				p.before = func(c call) {
					if strings.HasPrefix(c.name, "StartRecovery") && c.nth == 1 {
						time.AfterFunc(time.Second, func() { h.somebodyRecovers(1) })
					}
				}
				_, err := h.invocation(p, 0).StartWave(t.Context(), h.wave)
				time.Sleep(10 * time.Minute)
				if live := h.living(); len(live) != 1 || err == nil || !strings.Contains(err.Error(), live[0]) {
					t.Errorf("%d live instances, and the answer %v; want the one that somebody recovered, named", len(live), err)
				}
			})
		})
	}
}

func TestARetryAfterAnHourIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := burning(t, "Throttle:operation=StartRecovery,times=1,duration=55m")
		began := time.Now()
		refused := h.refusedWith()
		if took := time.Since(began); took > time.Minute || !refused.Retryable {
			t.Errorf("after %s: %v (retryable %v), want an answer soon that lets it be tried again", took, refused, refused.Retryable)
		}
		if n := h.count("StartRecovery"); n != 1 {
			t.Errorf("StartRecovery was sent %d times, want once", n)
		}
	})
}

// gone is what EC2 settles without a person: nothing of it is asked about, and
// nobody waits.
func TestWhatEC2KnowsToBeGoneHoldsNothingUp(t *testing.T) {
	for name, end := range map[string]func(h *house, instance string){
		"terminated by DRS": func(h *house, i string) {
			h.asRoot("TerminateRecoveryInstances", fmt.Sprintf(`{"recoveryInstanceIDs":[%q]}`, i))
			time.Sleep(2 * time.Minute)
		},
		"terminated by DRS, and long ago": func(h *house, i string) {
			h.asRoot("TerminateRecoveryInstances", fmt.Sprintf(`{"recoveryInstanceIDs":[%q]}`, i))
			time.Sleep(3 * time.Hour)
		},
		"terminated in EC2": func(h *house, i string) { h.inEC2("Action=TerminateInstances&Version=2016-11-15&InstanceId.1=" + i) },
		"terminated in EC2, and long ago": func(h *house, i string) {
			h.inEC2("Action=TerminateInstances&Version=2016-11-15&InstanceId.1=" + i)
			time.Sleep(3 * time.Hour)
		},
		"replaced by a drill that terminated": func(h *house, i string) {
			h.asRoot("StartRecovery", fmt.Sprintf(`{"sourceServers":[{"sourceServerID":%q}],"isDrill":true}`, serverID(1)))
			time.Sleep(5 * time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, 1, quick(1, 2*time.Minute), simulator.Options{})
				h.somebodyRecovers(1)
				time.Sleep(5 * time.Minute)
				end(h, h.living()[0])
				began := time.Now()
				if _, err := h.invocation(newProcess(), 0).StartWave(t.Context(), h.wave); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

// emptyLists is a region whose lists of instances are empty, EC2's included.
type emptyLists struct{ recovery.Region }

func (emptyLists) RecoveryInstances(context.Context, []recovery.SourceServerID) ([]recovery.RecoveryInstance, error) {
	return nil, nil
}

func (emptyLists) InstanceStates(context.Context, []recovery.InstanceID) (map[recovery.InstanceID]string, error) {
	return map[recovery.InstanceID]string{}, nil
}

func TestAnInstanceThatEC2DoesNotKnowIsGoneOnceNoListCanLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 1, quick(1, 2*time.Minute), simulator.Options{})
		h.somebodyRecovers(1)
		time.Sleep(2*time.Minute + time.Second)
		o := h.invocation(newProcess(), 0)
		o.Accounts = altered{o.Accounts, func(r recovery.Region) recovery.Region { return emptyLists{r} }}
		began := time.Now()
		if _, err := o.StartWave(t.Context(), h.wave); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < recovery.JobVisibility || took > 3*recovery.JobVisibility {
			t.Errorf("it took %s, want the time that lists may lag", took)
		}
	})
}

// overwritten is a region in which a later, failed drill stands where a server
// remembers its last launch, and whose list of instances lags.
type overwritten struct{ recovery.Region }

func (overwritten) RecoveryInstances(context.Context, []recovery.SourceServerID) ([]recovery.RecoveryInstance, error) {
	return nil, nil
}

func (r overwritten) SourceServers(ctx context.Context, ids []recovery.SourceServerID) ([]recovery.SourceServer, error) {
	servers, err := r.Region.SourceServers(ctx, ids)
	for i := range servers {
		servers[i].LastLaunch = recovery.LastLaunch{JobID: "drsjob-00000000000failed", Status: "FAILED", Type: "DRILL"}
	}
	return servers, err
}

func TestOurOwnRecordIsAWitness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 2, quick(2, 2*time.Minute), simulator.Options{})
		o := h.invocation(newProcess(), 0)
		o.Now = time.Now
		h.wave.Type = recovery.Recovery
		h.begin(o, h.plan(2))
		if e := h.drive(o, asksNobody(t)); e.Ended.Outcome != recovery.OutcomeCompleted {
			t.Fatalf("the recovery ended %+v", e.Ended)
		}
		live := h.living()
		h.wave.Type, h.wave.Execution, h.wave.Plan = recovery.Drill, "exec-2", "rp-2"
		o.Accounts = altered{o.Accounts, func(r recovery.Region) recovery.Region { return overwritten{r} }}
		_, err := o.StartWave(t.Context(), h.wave)
		if err == nil || !strings.Contains(err.Error(), live[0]) || !strings.Contains(err.Error(), live[1]) {
			t.Errorf("the drill is answered %v, want a refusal that names %v", err, live)
		}
		if n := h.count("StartRecovery"); n != 1 {
			t.Errorf("StartRecovery was sent %d times, want once, for the recovery", n)
		}
	})
}

// A job of our own that launched nothing says nothing of an instance.
func TestOurOwnFailedAttemptIsNoWitness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 1, fleet(1, "", map[int]string{1: "            launches: {duration: 2m, fate: FAILED, phase: CONVERSION}\n"}), simulator.Options{})
		h.wave.Type = recovery.Recovery
		o := h.invocation(newProcess(), 0)
		o.Now = time.Now
		h.begin(o, h.plan(1))
		h.drive(o, func(recovery.Question) recovery.Choice { return recovery.Skip })
		h.wave.Execution, h.wave.Plan = "exec-2", "rp-2"
		o.Accounts = altered{o.Accounts, func(r recovery.Region) recovery.Region { return emptyLists{r} }}
		if _, err := o.StartWave(t.Context(), h.wave); err != nil {
			t.Error(err)
		}
	})
}

// Where nothing settles it, a person is asked, about those servers alone.
func TestWhatNobodySettlesIsAQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 2, quick(2, 2*time.Minute), faults(t, "Refuse:operation=DescribeInstances,code=UnauthorizedOperation,status=403", "LagInstanceList:duration=10m,operation=DescribeRecoveryInstances"))
		h.somebodyRecovers(2)
		time.Sleep(3 * time.Minute)
		o := h.invocation(newProcess(), 0)
		o.Now = time.Now
		h.begin(o, h.plan(2))
		asked := 0
		h.driveTo(o, func(e *recovery.Execution, q recovery.Question) *recovery.Decision {
			asked++
			if q.Reason != recovery.WaveRefused || len(q.InDoubt) != 1 || q.InDoubt[0] != serverID(2) {
				t.Errorf("asked about %+v, want the refused wave, and server 2 alone in doubt", q)
			}
			for _, words := range []string{"DRS lists none", "its last launch says that a RECOVERY launched it", "UnauthorizedOperation", "--treat-as-gone " + string(serverID(2))} {
				if !strings.Contains(q.Text, words) {
					t.Errorf("the question does not say %q: %s", words, q.Text)
				}
			}
			d := &recovery.Decision{Question: q.ID, Choice: recovery.Retry, Request: recovery.Request{By: "ops@example.com", At: time.Now()}}
			if asked > 1 {
				d.Gone = q.InDoubt
				wrong := *d
				wrong.Gone = []recovery.SourceServerID{serverID(1)}
				if err := o.Decide(t.Context(), h.wave.Execution, wrong); err == nil || !strings.Contains(err.Error(), "nothing to treat as gone") {
					t.Errorf("a server of which nobody is asked is treated as gone: %v", err)
				}
			}
			return d
		})
		if asked != 2 {
			t.Errorf("asked %d times, want twice: a retry alone settles nothing", asked)
		}
		told := h.eventsOf(recovery.EventTreatedAsGone)
		if len(told) != 1 || !strings.Contains(told[0].Message, "ops@example.com") || !strings.Contains(told[0].Message, "DRS lists no recovery instance") || !strings.Contains(told[0].Message, "its last launch says") {
			t.Errorf("the record tells %+v, want who said so, and both witnesses", told)
		}
	})
}

// It may be said ahead, of launches that were over by then: not of one that
// runs, and not of a later one.
func TestThatAServerIsGoneMayBeSaidAheadOfWhatIsOver(t *testing.T) {
	for name, c := range map[string]struct {
		said time.Duration // after the recovery was begun, which takes two minutes
		want bool
	}{"before it": {-time.Minute, false}, "while it runs": {time.Minute, false}, "after it": {150 * time.Second, true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, 1, quick(1, 2*time.Minute), faults(t, "Refuse:operation=DescribeInstances,code=UnauthorizedOperation,status=403", "LagInstanceList:duration=10m,operation=DescribeRecoveryInstances"))
				o := h.invocation(newProcess(), 0)
				o.Now = time.Now
				time.Sleep(5 * time.Minute)
				said := time.Now().Add(c.said)
				h.somebodyRecovers(1)
				time.Sleep(3 * time.Minute)
				if _, err := o.Begin(t.Context(), orchestrator.Begin{Execution: h.wave.Execution, Plan: h.plan(1), Type: h.wave.Type, StartTime: h.wave.StartTime, InitiatedBy: h.wave.InitiatedBy,
					Gone: []recovery.TreatedAsGone{{Server: serverID(1), Request: recovery.Request{By: "ops", At: said}}}}); err != nil {
					t.Fatal(err)
				}
				if _, err := o.StartWave(t.Context(), h.wave); (err == nil) != c.want {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// What lists may still settle is waited for, whatever anybody said.
func TestNobodysWordReplacesALookThatMaySettleIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 1, quick(1, 2*time.Minute), faults(t, "LagInstanceList:duration=55s"))
		h.somebodyRecovers(1)
		h.wave.Gone = []recovery.TreatedAsGone{{Server: serverID(1), Request: recovery.Request{By: "ops", At: time.Now().Add(2*time.Minute + time.Second)}}}
		time.Sleep(2*time.Minute + 2*time.Second)
		_, err := h.invocation(newProcess(), 0).StartWave(t.Context(), h.wave)
		if live := h.living(); err == nil || len(live) != 1 || !strings.Contains(err.Error(), live[0]) {
			t.Errorf("got %v, and %v lives; want it refused with its id", err, live)
		}
	})
}

// Nobody can say today what is gone tomorrow.
func TestATimeToComeIsNoWordAboutWhatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 1, quick(1, 2*time.Minute), simulator.Options{})
		h.wave.Gone = []recovery.TreatedAsGone{{Server: serverID(1), Request: recovery.Request{By: "ops", At: time.Now().Add(time.Hour)}}}
		if refused := h.refusedWith(); refused.Code != recovery.ValidationError || !strings.Contains(refused.Message, "treatAsGone") {
			t.Errorf("got %v, want a VALIDATION_ERROR about treatAsGone", refused)
		}
		_, err := h.invocation(newProcess(), 0).Begin(t.Context(), orchestrator.Begin{Execution: "exec-2", Plan: h.plan(1), Type: h.wave.Type, StartTime: "2099-01-01T00:00:00Z", InitiatedBy: "ops", Gone: h.wave.Gone})
		if err == nil || !strings.Contains(err.Error(), "treatAsGone") {
			t.Errorf("a begin is answered %v", err)
		}
	})
}

// driveTo is drive for whoever answers with more than a choice.
func (h *house) driveTo(o *orchestrator.Orchestrator, answer func(*recovery.Execution, recovery.Question) *recovery.Decision) *recovery.Execution {
	h.t.Helper()
	h.decides = answer
	defer func() { h.decides = nil }()
	return h.drive(o, nil)
}

func TestASettledDoubtIsWritten(t *testing.T) {
	var r recovery.Refusal
	if err := json.Unmarshal([]byte(`{"code":"DRS_API_ERROR","message":"x","retryable":false}`), &r); err != nil || r.InDoubt != nil {
		t.Errorf("an old refusal reads as %+v, %v", r, err)
	}
	var refused *recovery.Error
	if !errors.As((&recovery.Refusal{InDoubt: []recovery.InDoubt{{Server: "s-1", Launches: []string{"drsjob-1"}}}}).Err(), &refused) || len(refused.InDoubt) != 1 {
		t.Errorf("a refusal that is answered again forgets who is in doubt: %+v", refused)
	}
}
