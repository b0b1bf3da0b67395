package awsdrs_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"muster/recovery"
	"muster/simulator"
)

func drill(n int) recovery.Launch {
	l := recovery.Launch{Type: recovery.Drill, Tags: map[string]string{"ExecutionId": "exec-1"}}
	for _, id := range serverIDs(n) {
		l.Servers = append(l.Servers, recovery.Server{ID: id})
	}
	return l
}

func TestStartRecoveryOnTheWire(t *testing.T) {
	for name, tt := range map[string]struct {
		launch recovery.Launch
		want   string
	}{
		"a drill with the newest data": {drill(1), `{"isDrill":true,"sourceServers":[{"sourceServerID":"s-00000000000000001"}],"tags":{"ExecutionId":"exec-1"}}`},
		"a recovery of a pinned snapshot": {
			recovery.Launch{Type: recovery.Recovery, Servers: []recovery.Server{{ID: serverID(1), Snapshot: "pit-00000000000000001"}}},
			`{"isDrill":false,"sourceServers":[{"recoverySnapshotID":"pit-00000000000000001","sourceServerID":"s-00000000000000001"}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				h := newHouse(t, fleetOf(t, 1), simulator.Options{})
				r := h.region()
				job, err := r.StartRecovery(within(t, 30*time.Second), tt.launch)
				if err != nil {
					t.Fatal(err)
				}
				same(t, "sent", fmt.Sprint(h.wire.sent("StartRecovery")), "["+tt.want+"]")
				if job.ID.Check() != nil || job.Type != "LAUNCH" || job.InitiatedBy != tt.launch.Type.InitiatedBy() ||
					job.Status != recovery.JobPending || job.Created.IsZero() || fmt.Sprint(job.Servers) != "[s-00000000000000001]" {
					t.Errorf("got %+v", job)
				}
				jobs, err := r.Jobs(t.Context(), recovery.JobQuery{IDs: []recovery.JobID{job.ID}})
				if err != nil || len(jobs) != 1 || fmt.Sprint(jobs[0].Tags) != fmt.Sprint(job.Tags) {
					t.Errorf("got %+v, %v", jobs, err)
				}
			})
		})
	}
}

func TestStartRecoveryIsRefusedUnsent(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		r := h.region()
		soon := within(t, 30*time.Second)
		for what, start := range map[string]func() error{
			"no deadline":     func() error { _, err := r.StartRecovery(t.Context(), drill(1)); return err },
			"no servers":      func() error { _, err := r.StartRecovery(soon, drill(0)); return err },
			"no known type":   func() error { l := drill(1); l.Type = "drill"; _, err := r.StartRecovery(soon, l); return err },
			"too little time": func() error { _, err := r.StartRecovery(within(t, time.Second/2), drill(1)); return err },
		} {
			err := start()
			var refused *recovery.ServiceError
			if !errors.Is(err, recovery.ErrNoTime) && !(errors.As(err, &refused) && !refused.Ambiguous && !refused.Retryable) {
				t.Errorf("%s: got %v", what, err)
			}
		}
		same(t, "StartRecovery calls", h.calls()["StartRecovery"], 0)
	})
}

func TestWhatStartRecoveryMayHaveDone(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for name, tt := range map[string]struct {
		fault                string
		cut                  error
		code                 string
		ambiguous, retryable bool
		jobs                 int
	}{
		"throttled":                    {fault: "Throttle:operation=StartRecovery,duration=7s", code: "ThrottlingException", retryable: true},
		"a quota":                      {fault: "Refuse:operation=StartRecovery,code=ServiceQuotaExceededException,status=402", code: "ServiceQuotaExceededException", retryable: true},
		"a conflict":                   {fault: "Refuse:operation=StartRecovery,code=ConflictException,status=409", code: "ConflictException"},
		"refused":                      {fault: "Refuse:operation=StartRecovery,code=ValidationException,status=400", code: "ValidationException"},
		"tagging denied":               {fault: "DenyTagging", code: "AccessDeniedException"},
		"500 before":                   {fault: "Error500Before:operation=StartRecovery", code: "InternalServerException", ambiguous: true, retryable: true},
		"500 after":                    {fault: "Error500After:operation=StartRecovery", code: "InternalServerException", ambiguous: true, retryable: true, jobs: 1},
		"the connection broken before": {fault: "DropBefore:operation=StartRecovery", ambiguous: true, retryable: true},
		"the answer lost":              {fault: "DropAnswerAfter:operation=StartRecovery", ambiguous: true, retryable: true, jobs: 1},
		"the answer too late":          {fault: "SlowAnswers:operation=StartRecovery,duration=1m", ambiguous: true, retryable: true, jobs: 1},
		"no connection":                {cut: dial, retryable: true},
		"a connection reset":           {cut: &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}, ambiguous: true, retryable: true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				h := newHouse(t, fleetOf(t, 2), simulator.Options{})
				r := h.region()
				if tt.fault != "" {
					h.fault(tt.fault)
				}
				h.wire.cut = func(operation string, _ int) error {
					if operation == "StartRecovery" {
						return tt.cut
					}
					return nil
				}
				_, err := r.StartRecovery(within(t, 30*time.Second), drill(2))
				var refused *recovery.ServiceError
				if !errors.As(err, &refused) {
					t.Fatalf("got %v, want a ServiceError", err)
				}
				same(t, "code", refused.Code, tt.code)
				same(t, "ambiguous", refused.Ambiguous, tt.ambiguous)
				same(t, "retryable", refused.Retryable, tt.retryable)
				same(t, "times sent", len(h.wire.sent("StartRecovery")), 1)
				if strings.HasPrefix(tt.fault, "Throttle") {
					same(t, "retry after", refused.RetryAfter, 7*time.Second)
				}
				h.clearFaults()
				jobs, err := r.Jobs(t.Context(), recovery.JobQuery{Since: time.Now().Add(-time.Hour)})
				if err != nil {
					t.Fatal(err)
				}
				same(t, "jobs", len(jobs), tt.jobs)
				t.Log(refused)
			})
		})
	}
}

func TestAServerThatDRSDidNotTakeIsNotInTheJob(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 2), simulator.Options{})
		h.fault("SkipServer:servers=" + string(serverID(2)))
		job, err := h.region().StartRecovery(within(t, 30*time.Second), drill(2))
		if err != nil || fmt.Sprint(job.Servers) != "[s-00000000000000001]" {
			t.Errorf("got %+v, %v", job, err)
		}
	})
}

func TestEmptyListsAreRefusedUnsent(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		r := h.region()
		for what, ask := range map[string]func() error{
			"SourceServers":     func() error { _, err := r.SourceServers(t.Context(), nil); return err },
			"RecoveryInstances": func() error { _, err := r.RecoveryInstances(t.Context(), nil); return err },
			"RecoveryPoints":    func() error { _, err := r.RecoveryPoints(t.Context(), nil, nil); return err },
			"Jobs":              func() error { _, err := r.Jobs(t.Context(), recovery.JobQuery{}); return err },
			"JobLog":            func() error { _, err := r.JobLog(t.Context(), ""); return err },
		} {
			if ask() == nil {
				t.Errorf("%s: no error", what)
			}
		}
		same(t, "calls after AssumeRole", len(h.world.Calls())-1, 0)
	})
}
