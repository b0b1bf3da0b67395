package awsdrs_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/recovery"
	"muster/simulator"
)

func TestAssumingIsRefusedClearly(t *testing.T) {
	for name, tt := range map[string]struct {
		account   recovery.AccountContext
		fault     string
		code      string
		retryable bool
	}{
		"wrong external id":       {account: with(func(a *recovery.AccountContext) { a.ExternalID = recovery.NewSecret("something-else") }), code: "AccessDenied"},
		"no external id":          {account: with(func(a *recovery.AccountContext) { a.ExternalID = recovery.Secret{} }), code: "AccessDenied"},
		"missing role":            {account: with(func(a *recovery.AccountContext) { a.RoleName = "Nobody" }), code: "AccessDenied"},
		"unknown account":         {account: with(func(a *recovery.AccountContext) { a.AccountID = "000000000000" }), code: "AccessDenied"},
		"an id of no AWS account": {account: with(func(a *recovery.AccountContext) { a.AccountID = "1:role/x" })},
		"a role out of its ARN":   {account: with(func(a *recovery.AccountContext) { a.RoleName = "../Admin" })},
		"a region of no kind":     {account: with(func(a *recovery.AccountContext) { a.Region = "evil.example/" })},
		"throttled for good":      {account: account, fault: "Throttle:operation=AssumeRole", code: "Throttling", retryable: true},
		"500 for good":            {account: account, fault: "Error500Before:operation=AssumeRole", code: "InternalFailure", retryable: true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				h := newHouse(t, fleetOf(t, 1), simulator.Options{})
				if tt.fault != "" {
					h.fault(tt.fault)
				}
				_, err := h.accounts.Assume(t.Context(), tt.account)
				var refused *recovery.ServiceError
				if !errors.As(err, &refused) {
					t.Fatalf("got %v, want a ServiceError", err)
				}
				same(t, "service and operation", refused.Service+" "+refused.Operation, "STS AssumeRole")
				same(t, "code", refused.Code, tt.code)
				same(t, "retryable", refused.Retryable, tt.retryable)
				same(t, "ambiguous", refused.Ambiguous, false)
				if refused.Message == "" || strings.Contains(fmt.Sprintf("%v %+v %v", err, refused, refused.Err), external) {
					t.Errorf("message: %q", refused.Message)
				}
				if tt.code == "" && len(h.world.Calls()) > 0 {
					t.Errorf("%d calls were made", len(h.world.Calls()))
				}
			})
		})
	}
}

func with(change func(*recovery.AccountContext)) recovery.AccountContext {
	a := account
	change(&a)
	return a
}

func TestASessionIsUsedAgainWhileFiftyMinutesAreLeft(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		assume := func(a recovery.AccountContext, wantCalls int) {
			t.Helper()
			if _, err := h.accounts.Assume(t.Context(), a); err != nil {
				t.Fatal(err)
			}
			same(t, "AssumeRole calls", h.calls()["AssumeRole"], wantCalls)
		}
		assume(account, 1)
		time.Sleep(10 * time.Minute)
		assume(account, 1)
		time.Sleep(time.Second)
		assume(account, 2)
		assume(with(func(a *recovery.AccountContext) { a.Region = "eu-west-1" }), 3)
		assume(with(func(a *recovery.AccountContext) { a.RoleName, a.ExternalID = "ReadOnly", recovery.Secret{} }), 4)
		assume(account, 4)
		for _, body := range h.wire.sent("AssumeRole") {
			if !strings.Contains(body, "DurationSeconds=3600") || !strings.Contains(body, "RoleSessionName=muster&") {
				t.Errorf("sent %s", body)
			}
		}
	})
}

func TestTheSameSessionIsAssumedOnceAtATime(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{Latency: time.Second})
		var wait sync.WaitGroup
		for range 20 {
			wait.Go(func() {
				if _, err := h.accounts.Assume(t.Context(), account); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		same(t, "AssumeRole calls", h.calls()["AssumeRole"], 1)
	})
}

func TestAFailedAssumptionIsNotRemembered(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		h.fault("Refuse:operation=AssumeRole,code=AccessDenied,status=403,times=1")
		if _, err := h.accounts.Assume(t.Context(), account); err == nil {
			t.Fatal("no error")
		}
		h.region()
	})
}

func TestOneWhoGivesUpAssumingDoesNotSpoilItForOthers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{Latency: 10 * time.Second})
		hasty, cancel := context.WithCancel(t.Context())
		var wait sync.WaitGroup
		wait.Go(func() {
			if _, err := h.accounts.Assume(hasty, account); !errors.Is(err, context.Canceled) {
				t.Errorf("the hasty one got %v", err)
			}
		})
		time.Sleep(time.Second)
		wait.Go(func() {
			if _, err := h.accounts.Assume(t.Context(), account); err != nil {
				t.Errorf("the patient one got %v", err)
			}
		})
		time.Sleep(time.Second)
		cancel()
		wait.Wait()
	})
}

func TestAnExpiredSessionIsAssumedAnew(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 100), simulator.Options{Latency: 30 * time.Millisecond})
		r := h.region()
		h.fault("ExpireSessions:operation=GetLaunchConfiguration,times=1")
		if err := r.Configure(t.Context(), everything(t, 100)); err != nil {
			t.Fatal(err)
		}
		same(t, "AssumeRole calls", h.calls()["AssumeRole"], 2)

		h.clearFaults()
		h.fault("ExpireSessions:operation=StartRecovery,times=1")
		job, err := r.StartRecovery(within(t, 30*time.Second), drill(2))
		if err != nil || job.ID == "" {
			t.Fatalf("got %v, %v", job, err)
		}
		same(t, "AssumeRole calls", h.calls()["AssumeRole"], 3)
		h.region()
		same(t, "AssumeRole calls", h.calls()["AssumeRole"], 3) // the new one is remembered
	})
}

func TestStartRecoveryHasASessionWithFiftyMinutesLeft(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 2), simulator.Options{})
		r := h.region()
		time.Sleep(11 * time.Minute)
		if _, err := r.SourceServers(t.Context(), serverIDs(2)); err != nil {
			t.Fatal(err)
		}
		same(t, "AssumeRole calls for a read", h.calls()["AssumeRole"], 1)
		if _, err := r.StartRecovery(within(t, 30*time.Second), drill(1)); err != nil {
			t.Fatal(err)
		}
		same(t, "AssumeRole calls", h.calls()["AssumeRole"], 2)

		time.Sleep(11 * time.Minute)
		h.fault("Throttle:operation=AssumeRole")
		l := drill(2)
		l.Servers = l.Servers[1:]
		if _, err := r.StartRecovery(within(t, 30*time.Second), l); err != nil {
			t.Errorf("the old session would do: %v", err)
		}
	})
}

func TestASessionThatStaysExpiredIsSaidSo(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		r := h.region()
		h.fault("ExpireSessions")
		_, err := r.SourceServers(t.Context(), serverIDs(1))
		var refused *recovery.ServiceError
		if !errors.As(err, &refused) || refused.Code != "ExpiredTokenException" {
			t.Fatalf("got %v", err)
		}
		same(t, "DescribeSourceServers calls", h.calls()["DescribeSourceServers"], 2)
	})
}
