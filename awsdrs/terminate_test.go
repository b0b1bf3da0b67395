package awsdrs_test

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"muster/recovery"
	"muster/simulator"
)

// refused takes an error for a refusal.
func (h *house) refused(err error) *recovery.ServiceError {
	h.Helper()
	var refused *recovery.ServiceError
	if !errors.As(err, &refused) {
		h.Fatalf("got %v, want a ServiceError", err)
	}
	return refused
}

// launched runs a drill of all servers to its end, and gives its instances.
func (h *house) launched(n int) []recovery.InstanceID {
	h.Helper()
	id := h.start(drill(n))
	time.Sleep(10 * time.Minute)
	var ids []recovery.InstanceID
	for _, p := range h.job(id).Participants {
		ids = append(ids, p.Instance)
	}
	return ids
}

func TestTerminating(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 3), simulator.Options{})
		ids := h.launched(3)
		job, err := h.region().Terminate(within(t, 30*time.Second), ids[:2])
		if err != nil {
			t.Fatal(err)
		}
		same(t, "sent", fmt.Sprint(h.wire.sent("TerminateRecoveryInstances")), fmt.Sprintf(`[{"recoveryInstanceIDs":["%s","%s"]}]`, ids[0], ids[1]))
		if job.ID.Check() != nil || job.Type != "TERMINATE" || job.InitiatedBy != "TERMINATE_RECOVERY_INSTANCES" || job.Created.IsZero() {
			t.Errorf("got %+v", job)
		}
		same(t, "at first", statuses(*job), "PENDING[PENDING PENDING]")
		time.Sleep(30 * time.Second)
		same(t, "then", statuses(h.job(job.ID)), "STARTED[IN_PROGRESS IN_PROGRESS]")
		time.Sleep(time.Minute)
		over := h.job(job.ID)
		same(t, "at the end", statuses(over), "COMPLETED[TERMINATED TERMINATED]")
		same(t, "which", fmt.Sprint(over.Participants[0].Instance, over.Participants[1].Instance), fmt.Sprint(ids[0], ids[1]))
		left, err := h.region().RecoveryInstances(t.Context(), serverIDs(3))
		if err != nil || len(left) != 1 || left[0].ID != ids[2] {
			t.Errorf("left: got %+v, %v; want %s", left, err, ids[2])
		}
	})
}

func TestTerminatingIsRefusedUnsent(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		r := h.region()
		time.Sleep(11 * time.Minute) // the session would be made fresh
		soon := within(t, 30*time.Second)
		many := make([]recovery.InstanceID, 201)
		for i := range many {
			many[i] = recovery.InstanceID(fmt.Sprintf("i-%017d", i))
		}
		calls := len(h.world.Calls())
		for what, terminate := range map[string]func() error{
			"no deadline":  func() error { _, err := r.Terminate(t.Context(), many[:1]); return err },
			"no instances": func() error { _, err := r.Terminate(soon, nil); return err },
			"too many":     func() error { _, err := r.Terminate(soon, many); return err },
		} {
			refused := h.refused(terminate())
			same(t, what+": operation", refused.Operation, "TerminateRecoveryInstances")
			same(t, what+": ambiguous", refused.Ambiguous, false)
			same(t, what+": retryable", refused.Retryable, false)
			t.Log(refused)
		}
		_, err := r.Terminate(within(t, time.Second/2), many[:1])
		if !errors.Is(err, recovery.ErrNoTime) {
			t.Errorf("too little time: got %v", err)
		}
		same(t, "calls", len(h.world.Calls())-calls, 0)

		// 200 are a call: which of them DRS knows is its business.
		same(t, "200", h.refused(func() error { _, err := r.Terminate(soon, many[:200]); return err }()).Code, "ResourceNotFoundException")
		same(t, "calls", h.calls()["TerminateRecoveryInstances"], 1)
	})
}

func TestWhatTerminatingMayHaveDone(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for name, tt := range map[string]struct {
		fault                string
		cut                  error
		code                 string
		ambiguous, retryable bool
		jobs                 int
	}{
		"throttled":                    {fault: "Throttle:operation=TerminateRecoveryInstances,duration=7s", code: "ThrottlingException", retryable: true},
		"a quota":                      {fault: "Refuse:operation=TerminateRecoveryInstances,code=ServiceQuotaExceededException,status=402", code: "ServiceQuotaExceededException", retryable: true},
		"a conflict":                   {fault: "Refuse:operation=TerminateRecoveryInstances,code=ConflictException,status=409", code: "ConflictException"},
		"500 before":                   {fault: "Error500Before:operation=TerminateRecoveryInstances", code: "InternalServerException", ambiguous: true, retryable: true},
		"500 after":                    {fault: "Error500After:operation=TerminateRecoveryInstances", code: "InternalServerException", ambiguous: true, retryable: true, jobs: 1},
		"the connection broken before": {fault: "DropBefore:operation=TerminateRecoveryInstances", ambiguous: true, retryable: true},
		"the answer lost":              {fault: "DropAnswerAfter:operation=TerminateRecoveryInstances", ambiguous: true, retryable: true, jobs: 1},
		"the answer too late":          {fault: "SlowAnswers:operation=TerminateRecoveryInstances,duration=40s", ambiguous: true, retryable: true, jobs: 1},
		"no connection":                {cut: dial, retryable: true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				h := newHouse(t, fleetOf(t, 2), simulator.Options{})
				ids := h.launched(2)
				if tt.fault != "" {
					h.fault(tt.fault)
				}
				h.wire.cut = func(operation string, _ int) error {
					if operation == "TerminateRecoveryInstances" {
						return tt.cut
					}
					return nil
				}
				since := time.Now()
				_, err := h.region().Terminate(within(t, 30*time.Second), ids)
				refused := h.refused(err)
				same(t, "code", refused.Code, tt.code)
				same(t, "ambiguous", refused.Ambiguous, tt.ambiguous)
				same(t, "retryable", refused.Retryable, tt.retryable)
				same(t, "times sent", len(h.wire.sent("TerminateRecoveryInstances")), 1)
				h.clearFaults()
				jobs, err := h.region().Jobs(t.Context(), recovery.JobQuery{Since: since})
				if err != nil {
					t.Fatal(err)
				}
				same(t, "jobs", len(jobs), tt.jobs)
				time.Sleep(2 * time.Minute)
				left, err := h.region().RecoveryInstances(t.Context(), serverIDs(2))
				if err != nil || len(left) != 2-2*tt.jobs {
					t.Errorf("left: %+v, %v", left, err)
				}
			})
		})
	}
}

// Whoever lost the answer finds out by asking again: the servers are held by
// the first job while it runs, and then DRS does not know the instances.
func TestTerminatingTwiceIsNoSecondJob(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		ids := h.launched(1)
		terminate := func() error {
			_, err := h.region().Terminate(within(t, 30*time.Second), ids)
			return err
		}
		if err := terminate(); err != nil {
			t.Fatal(err)
		}
		if refused := h.refused(terminate()); !refused.Conflict() || refused.Ambiguous {
			t.Errorf("while it runs: got %+v, want a conflict", refused)
		}
		time.Sleep(2 * time.Minute)
		same(t, "when it is over", h.refused(terminate()).Code, "ResourceNotFoundException")
	})
}

func TestAnInstanceThatIsUnknownSparesTheOthers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		ids := append(h.launched(1), "i-0000000000000dead")
		_, err := h.region().Terminate(within(t, 30*time.Second), ids)
		refused := h.refused(err)
		same(t, "code", refused.Code, "ResourceNotFoundException")
		same(t, "ambiguous", refused.Ambiguous, false)
		same(t, "retryable", refused.Retryable, false)
		time.Sleep(2 * time.Minute)
		if left, err := h.region().RecoveryInstances(t.Context(), serverIDs(1)); err != nil || len(left) != 1 {
			t.Errorf("left: %+v, %v", left, err)
		}
	})
}

// One call takes 200 ids, and one job 100 servers: whether DRS holds a
// termination to that as well is not documented, and the simulator does.
func TestTerminatingMoreServersThanOneJobTakesIsAQuota(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 101), simulator.Options{})
		ids := h.launched(100)
		last := drill(101)
		last.Servers = last.Servers[100:]
		id := h.start(last)
		time.Sleep(10 * time.Minute)
		ids = append(ids, h.job(id).Participants[0].Instance)
		_, err := h.region().Terminate(within(t, 30*time.Second), ids)
		refused := h.refused(err)
		same(t, "code", refused.Code, "ServiceQuotaExceededException")
		same(t, "ambiguous", refused.Ambiguous, false)
		if _, err := h.region().Terminate(within(t, 30*time.Second), ids[:100]); err != nil {
			t.Errorf("100: %v", err)
		}
		if _, err := h.region().Terminate(within(t, 30*time.Second), ids[100:]); err != nil {
			t.Errorf("the last one: %v", err)
		}
	})
}

// A list that lags shows an instance that is gone; to terminate it is refused.
func TestAListThatLagsShowsATerminatedInstance(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		ids := h.launched(1)
		h.fault("LagInstanceList:duration=30s,operation=DescribeRecoveryInstances")
		if _, err := h.region().Terminate(within(t, 30*time.Second), ids); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute + 10*time.Second)
		listed, err := h.region().RecoveryInstances(t.Context(), serverIDs(1))
		if err != nil || len(listed) != 1 || listed[0].EC2State != "SHUTTING-DOWN" {
			t.Errorf("while it lags: got %+v, %v", listed, err)
		}
		_, err = h.region().Terminate(within(t, 30*time.Second), ids)
		same(t, "code", h.refused(err).Code, "ResourceNotFoundException")
		time.Sleep(30 * time.Second)
		if listed, err = h.region().RecoveryInstances(t.Context(), serverIDs(1)); err != nil || len(listed) != 0 {
			t.Errorf("then: got %+v, %v; want none", listed, err)
		}
	})
}

func TestTerminatingHasASessionWithFiftyMinutesLeft(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 2), simulator.Options{})
		h.start(drill(2))
		time.Sleep(9 * time.Minute)
		r := h.region()
		instances, err := r.RecoveryInstances(t.Context(), serverIDs(2))
		if err != nil || len(instances) != 2 {
			t.Fatalf("got %+v, %v", instances, err)
		}
		time.Sleep(2 * time.Minute)
		same(t, "AssumeRole calls before", h.calls()["AssumeRole"], 1)
		if _, err := r.Terminate(within(t, 30*time.Second), []recovery.InstanceID{instances[0].ID}); err != nil {
			t.Fatal(err)
		}
		same(t, "AssumeRole calls", h.calls()["AssumeRole"], 2)

		h.fault("ExpireSessions:operation=TerminateRecoveryInstances,times=1")
		if _, err := r.Terminate(within(t, 30*time.Second), []recovery.InstanceID{instances[1].ID}); err != nil {
			t.Fatalf("a session that expired: %v", err)
		}
		same(t, "AssumeRole calls", h.calls()["AssumeRole"], 3)
		same(t, "times sent", len(h.wire.sent("TerminateRecoveryInstances")), 3)
	})
}
