package recoverytest

import (
	"time"

	"muster/recovery"
)

// claimPromises are about claims: the rules are package recovery's, and here
// they are held against what a store gives back.
var claimPromises = []promise{
	{"a claim is held until its lease is over", func(h *house) {
		e := h.claim(h.store, 1, "first", now)
		until := now.Add(recovery.Lease)
		free(h, e, until.Add(-1), false)
		free(h, e, until, true)
		h.commit(h.store, e.With(e.Attempt(1).Renew(now.Add(recovery.LeaseRenewal)), nil))
		e = h.read(h.open(), execution)
		free(h, e, until, false)
		free(h, e, until.Add(recovery.LeaseRenewal), true)
	}},
	{"a lost lease is taken over and its old owner can no longer send", func(h *house) {
		old := h.claim(h.store, 1, "old", now)
		later := now.Add(recovery.Lease)
		other := h.open()
		taken := h.claim(other, 1, "new", later)
		same(h, "owner", taken.Attempt(1).Token, "new")

		send := old.With(old.Attempt(1).Send(later, later.Add(recovery.SendTimeout)), happened(recovery.EventSent, later, ""))
		h.stale(h.store, send)
		e := h.read(h.store, execution)
		same(h, "execution after the old owner's sending", e, taken)
		if e.Attempt(1).Token == "old" {
			h.Error("the old owner reads its own token again, and would go on")
		}

		h.commit(other, taken.With(taken.Attempt(1).Send(later, later.Add(recovery.SendTimeout)), happened(recovery.EventSent, later, "")))
		same(h, "state after the new owner's sending", h.read(h.store, execution).Attempt(1).State, recovery.Sent)
		h.events(h.store, execution)
	}},
	{"a release and a takeover at once: one wins", func(h *house) {
		e := h.claim(h.store, 1, "old", now)
		h.commit(h.store, e.With(e.Attempt(1).Release(now), happened(recovery.EventReleased, now, "")))
		released := h.read(h.open(), execution)
		free(h, released, now, true)
		h.claim(h.store, 1, "new", now)
		h.stale(h.store, e.With(e.Attempt(1).Renew(now), nil))
		same(h, "owner", h.read(h.store, execution).Attempt(1).Token, "new")
	}},
	{"what was sent is never free before its deadline and the grace are over", func(h *house) {
		e := h.claim(h.store, 1, "first", now)
		deadline := now.Add(recovery.SendTimeout)
		h.commit(h.store, e.With(e.Attempt(1).Send(now, deadline), happened(recovery.EventSent, now, "")))
		e = h.read(h.open(), execution)
		until := deadline.Add(recovery.Grace)
		for _, at := range []time.Time{now, now.Add(recovery.Lease), deadline, until.Add(-1)} {
			free(h, e, at, false)
		}
		free(h, e, until, true)
	}},
	{"that something was sent is remembered through takeovers, until it is settled", func(h *house) {
		e := h.claim(h.store, 1, "first", now)
		h.commit(h.store, e.With(e.Attempt(1).Send(now, now.Add(recovery.SendTimeout)), happened(recovery.EventSent, now, "")))
		later := now.Add(time.Hour)
		e = h.claim(h.open(), 1, "second", later)
		a := e.Attempt(1)
		if !a.MayHaveJob() || !a.FirstSentAt.Equal(now) {
			h.Errorf("after a takeover: got first sent at %v, may have a job %v; want %v and true", a.FirstSentAt, a.MayHaveJob(), now)
		}
		h.commit(h.store, e.With(a.Send(later, later.Add(recovery.SendTimeout)), nil))
		e = h.read(h.store, execution)
		same(h, "first sending after the second", e.Attempt(1).FirstSentAt, now)
		same(h, "second sending", e.Attempt(1).SentAt, later)
		h.commit(h.store, e.With(e.Attempt(1).Refuse(recovery.Errorf(recovery.DRSAPIError, "no")), nil))
		e = h.read(h.store, execution)
		if e.Attempt(1).MayHaveJob() {
			h.Error("a refusal is definite, and yet there may be a job")
		}
		free(h, e, later, true)
	}},
	{"what has started is never free", func(h *house) {
		e := h.claim(h.store, 1, "first", now)
		job := &recovery.Job{ID: "drsjob-1", Servers: []recovery.SourceServerID{"s-1234567890abcdef1"}}
		h.commit(h.store, e.With(e.Attempt(1).Start(job, now), happened(recovery.EventStarted, now, "")))
		e = h.read(h.open(), execution)
		free(h, e, now, false)
		free(h, e, now.AddDate(100, 0, 0), false)
		same(h, "job", e.Attempt(1).JobID, "drsjob-1")
		same(h, "accepted", e.Attempt(1).Accepted, job.Servers)
		same(h, "not accepted", e.Attempt(1).NotAccepted(), []recovery.SourceServerID{"s-1234567890abcdef0"})
	}},
}

func free(h *house, e *recovery.Execution, at time.Time, want bool) {
	h.Helper()
	a := e.Attempt(1)
	if got, _ := a.Free(at); got != want {
		h.Errorf("%s, lease until %v, send deadline %v: free at %v: got %v, want %v", a.State, a.LeaseUntil, a.SendDeadline, at, got, want)
	}
}
