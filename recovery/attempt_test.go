package recovery_test

import (
	"testing"
	"time"

	"muster/recovery"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var t0 = time.Date(2026, 2, 3, 4, 5, 6, 789012345, time.UTC)

func TestWhenAnAttemptMayBeTakenOver(t *testing.T) {
	lease := t0.Add(recovery.Lease)
	deadline := t0.Add(recovery.SendTimeout)
	claimed := recovery.Attempt{}.Take("token-1", t0)
	sent := claimed.Send(t0, deadline)
	never := time.Time{}
	for name, c := range map[string]struct {
		attempt recovery.Attempt
		at      time.Time
		free    bool
		until   time.Time
	}{
		"claimed just now":                                {claimed, t0, false, lease},
		"a moment before the lease ends":                  {claimed, lease.Add(-1), false, lease},
		"when the lease ends":                             {claimed, lease, true, lease},
		"renewed, when the first lease ends":              {claimed.Renew(t0.Add(recovery.LeaseRenewal)), lease, false, lease.Add(recovery.LeaseRenewal)},
		"released":                                        {claimed.Release(t0), t0, true, t0},
		"sent just now":                                   {sent, t0, false, deadline.Add(recovery.Grace)},
		"sent, though the lease has ended":                {sent, lease, false, deadline.Add(recovery.Grace)},
		"sent, when the call is over":                     {sent, deadline, false, deadline.Add(recovery.Grace)},
		"sent, a moment before the grace ends":            {sent, deadline.Add(recovery.Grace - 1), false, deadline.Add(recovery.Grace)},
		"sent, when the grace ends":                       {sent, deadline.Add(recovery.Grace), true, deadline.Add(recovery.Grace)},
		"taken over from a sending, when that lease ends": {sent.Take("token-2", t0), lease, true, lease},
		"refused":                           {sent.Refuse(recovery.Errorf(recovery.DRSAPIError, "no")), t0, true, t0},
		"started":                           {sent.Start(&recovery.Job{ID: "drsjob-1"}, t0), t0, false, never},
		"started, a hundred years ago":      {sent.Start(&recovery.Job{ID: "drsjob-1"}, t0), t0.AddDate(100, 0, 0), false, never},
		"in a state that nobody knows, yet": {recovery.Attempt{State: "PAUSED"}, t0, false, never},
	} {
		t.Run(name, func(t *testing.T) {
			if free, until := c.attempt.Free(c.at); free != c.free || !until.Equal(c.until) {
				t.Errorf("got %v until %v, want %v until %v", free, until, c.free, c.until)
			}
		})
	}
}

// Two invocations' clocks may differ by ClockSkew: even then, whoever takes a
// sending over does so when the call is over and its job has had time to show.
func TestSkewedClocksDoNoHarm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		skew := time.Duration(rapid.Int64Range(int64(-recovery.ClockSkew), int64(recovery.ClockSkew)).Draw(t, "skew"))
		later := time.Duration(rapid.Int64Range(0, int64(10*time.Minute)).Draw(t, "later"))
		sent := recovery.Attempt{}.Take("token-1", t0).Send(t0, t0.Add(recovery.SendTimeout))
		really := t0.Add(later)
		if free, _ := sent.Free(really.Add(skew)); free && really.Before(sent.SendDeadline.Add(recovery.JobVisibility)) {
			t.Fatalf("taken over %v after sending by a clock that is %v off", later, skew)
		}
		made := t0.Add(skew) // by AWS's clock
		job := &recovery.Job{Type: "LAUNCH", InitiatedBy: "START_DRILL", Created: made, Tags: map[string]string{"ExecutionId": "exec-1"}}
		if !sent.Ours(job, recovery.Drill, job.Tags, nil) {
			t.Fatalf("our own job is not found when AWS's clock is %v off", skew)
		}
	})
}

func TestSendingIsRememberedUntilItIsSettled(t *testing.T) {
	fresh := recovery.Attempt{Wave: 1, Attempt: 1}
	claimed := fresh.Take("token-1", t0)
	sent := claimed.Send(t0, t0.Add(recovery.SendTimeout))
	taken := sent.Take("token-2", t0.Add(time.Hour))
	again := taken.Send(t0.Add(time.Hour), t0.Add(2*time.Hour))
	for name, c := range map[string]struct {
		attempt    recovery.Attempt
		mayHaveJob bool
		first      time.Time
	}{
		"new":                          {fresh, false, time.Time{}},
		"claimed":                      {claimed, false, time.Time{}},
		"released":                     {claimed.Release(t0), false, time.Time{}},
		"sent":                         {sent, true, t0},
		"taken over":                   {taken, true, t0},
		"taken over and released":      {taken.Release(t0), true, t0},
		"sent again":                   {again, true, t0},
		"started":                      {again.Start(&recovery.Job{ID: "drsjob-1"}, t0), false, t0},
		"refused":                      {again.Refuse(recovery.Errorf(recovery.DRSAPIError, "no")), false, time.Time{}},
		"claimed again after refusal":  {again.Refuse(recovery.Errorf(recovery.DRSAPIError, "no")).Take("token-3", t0), false, time.Time{}},
		"sent anew after that refusal": {again.Refuse(recovery.Errorf(recovery.DRSAPIError, "no")).Take("token-3", t0).Send(t0.Add(3), t0.Add(4)), true, t0.Add(3)},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.attempt.MayHaveJob(); got != c.mayHaveJob || !c.attempt.FirstSentAt.Equal(c.first) {
				t.Errorf("got %v, first sent at %v; want %v, %v", got, c.attempt.FirstSentAt, c.mayHaveJob, c.first)
			}
		})
	}
}

func TestAStartKeepsTheJobAndItsServers(t *testing.T) {
	a := recovery.Attempt{Servers: []recovery.SourceServerID{"s-1", "s-2", "s-3"}}.Take("token-1", t0)
	for name, c := range map[string]struct{ inJob, accepted, notAccepted []recovery.SourceServerID }{
		"all of them":         {[]recovery.SourceServerID{"s-3", "s-1", "s-2"}, []recovery.SourceServerID{"s-3", "s-1", "s-2"}, nil},
		"some of them":        {[]recovery.SourceServerID{"s-2"}, []recovery.SourceServerID{"s-2"}, []recovery.SourceServerID{"s-1", "s-3"}},
		"none of them":        {[]recovery.SourceServerID{}, []recovery.SourceServerID{}, []recovery.SourceServerID{"s-1", "s-2", "s-3"}},
		"DRS does not say so": {nil, []recovery.SourceServerID{"s-1", "s-2", "s-3"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			started := a.Start(&recovery.Job{ID: "drsjob-1", Servers: c.inJob}, t0)
			if started.State != recovery.Started || started.JobID != "drsjob-1" || !started.StartedAt.Equal(t0) {
				t.Errorf("got %+v", started)
			}
			if diff := cmp.Diff(c.accepted, started.Accepted); diff != "" {
				t.Errorf("accepted: -want +got:\n%s", diff)
			}
			if diff := cmp.Diff(c.notAccepted, started.NotAccepted()); diff != "" {
				t.Errorf("not accepted: -want +got:\n%s", diff)
			}
		})
	}
}

func TestARefusalAnswersAsTheErrorDid(t *testing.T) {
	refusal := &recovery.Error{Code: recovery.LaunchConfigError, Message: "server s-1: no", Retryable: true}
	a := recovery.Attempt{}.Take("token-1", t0).Refuse(refusal)
	if diff := cmp.Diff(refusal, a.Refusal.Err()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if taken := a.Take("token-2", t0); taken.Refusal != nil {
		t.Error("whoever takes a refused attempt still carries the refusal")
	}
}

// A history of one attempt: whatever happens in whatever order, the rules
// that keep a wave to one job hold.
func TestWhateverHappensToAnAttemptTheRulesHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		identity := recovery.Attempt{Wave: 3, Attempt: 2, AccountID: "123456789012", Region: "us-east-1", Servers: []recovery.SourceServerID{"s-1"}}
		a, now, unsettled := identity.Take("token", t0), t0, false
		pass := func(t *rapid.T) {
			now = now.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "seconds")) * time.Second)
		}
		owned := func(t *rapid.T, change func() recovery.Attempt) {
			if a.State == recovery.Started || a.State == recovery.Refused {
				t.Skip("it is settled")
			}
			a = change()
		}
		t.Repeat(map[string]func(*rapid.T){
			"take": func(t *rapid.T) {
				pass(t)
				if free, until := a.Free(now); free {
					a = a.Take("token", now)
				} else if !until.IsZero() && !now.Before(until) {
					t.Fatalf("held at %v until %v", now, until)
				}
			},
			"renew":   func(t *rapid.T) { pass(t); owned(t, func() recovery.Attempt { return a.Renew(now) }) },
			"release": func(t *rapid.T) { owned(t, func() recovery.Attempt { return a.Release(now) }) },
			"send": func(t *rapid.T) {
				owned(t, func() recovery.Attempt { unsettled = true; return a.Send(now, now.Add(recovery.SendTimeout)) })
			},
			"start": func(t *rapid.T) {
				owned(t, func() recovery.Attempt { unsettled = false; return a.Start(&recovery.Job{ID: "drsjob-1"}, now) })
			},
			"refuse": func(t *rapid.T) {
				owned(t, func() recovery.Attempt {
					unsettled = false
					return a.Refuse(recovery.Errorf(recovery.DRSAPIError, "no"))
				})
			},
			"": func(t *rapid.T) {
				if got := a.MayHaveJob(); got != unsettled {
					t.Fatalf("may have a job: got %v, want %v: %+v", got, unsettled, a)
				}
				if free, _ := a.Free(now); free && a.State == recovery.Sent && now.Before(a.SendDeadline.Add(recovery.Grace)) {
					t.Fatalf("a sending is free at %v: %+v", now, a)
				}
				if a.State == recovery.Started && a.JobID == "" {
					t.Fatalf("it started without a job: %+v", a)
				}
				if a.FirstSentAt.After(a.SentAt) {
					t.Fatalf("it was first sent after it was last sent: %+v", a)
				}
				if a.Wave != identity.Wave || a.Attempt != identity.Attempt || a.AccountID != identity.AccountID || a.Region != identity.Region || !cmp.Equal(a.Servers, identity.Servers) {
					t.Fatalf("it became another wave's: %+v", a)
				}
			},
		})
	})
}
