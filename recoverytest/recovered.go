package recoverytest

import (
	"cmp"
	"slices"
	"time"

	"muster/recovery"
)

// recoveredPromises are about what the store's records know of launches in
// earnest: the second witness before anything is launched again.
var recoveredPromises = []promise{
	{"a recovery that was started is a witness in its place, to every handle, until the end and after it", func(h *house) {
		h.recovers(execution, recovery.Recovery, "123456789012", "drsjob-1")
		other := h.open()
		h.recovers("exec-other", recovery.Recovery, "444455556666", "drsjob-2")
		h.wantRecovered(other, "123456789012", "drsjob-1")
		h.wantRecovered(h.store, "444455556666", "drsjob-2")
		h.wantRecovered(h.store, "777788889999")

		e := h.read(other, execution)
		a := e.Attempts[0]
		a.JobOver, a.EndedAt = true, now.Add(time.Minute)
		a.Outcomes = []recovery.ServerOutcome{{Server: "s-1234567890abcdef0", Status: "LAUNCHED", Instance: "i-1", JobID: "drsjob-1"}, {Server: "s-1234567890abcdef1", Status: "FAILED"}}
		h.commit(other, e.With(a, nil))
		found := h.wantRecovered(h.store, "123456789012", "drsjob-1")
		if got := found[0].Attempt; !got.JobOver || len(got.Outcomes) != 2 || got.Outcomes[0].Instance != "i-1" {
			h.Errorf("how the job ended is not told: %+v", got)
		}
		same(h, "its world", found[0].World, e.World)

		// A retry keeps what the attempt before it launched.
		e = h.read(h.store, execution)
		next := recovery.Attempt{Wave: 1, Attempt: 2, AccountID: "123456789012", Region: "us-east-1", State: recovery.Planned,
			Servers: []recovery.SourceServerID{"s-1234567890abcdef1"}, Outcomes: []recovery.ServerOutcome{{Server: "s-1234567890abcdef0", Status: "LAUNCHED", Instance: "i-1", JobID: "drsjob-1", Earlier: true}}}
		h.commit(h.store, e.With(next, nil))
		found = h.wantRecovered(other, "123456789012", "")
		if got := found[0].Attempt; len(got.Outcomes) != 1 || got.Outcomes[0].JobID != "drsjob-1" {
			h.Errorf("what the attempt before the retry launched is not told: %+v", got)
		}
	}},
	{"a drill is no witness, and neither is what was never started", func(h *house) {
		h.recovers(execution, recovery.Drill, "123456789012", "drsjob-1")
		h.recovers("exec-other", recovery.Recovery, "123456789012", "")
		h.wantRecovered(h.open(), "123456789012")
	}},
}

// recovers has an execution claim wave 1, and start a job unless that is "".
func (h *house) recovers(id recovery.ExecutionID, kind recovery.ExecutionType, account string, job recovery.JobID) {
	h.Helper()
	start := starting(id, 1)
	start.Type, start.Wave.Account.AccountID = kind, account
	e := start.NewExecution()
	e.World = recovery.World{Record: "record-1", AWS: "aws:999999999999"}
	h.commit(h.store, e.With(start.NewAttempt().Take("token", now), happened(recovery.EventClaimed, now, "claimed")))
	if job == "" {
		return
	}
	e = h.read(h.store, id)
	a := e.Attempts[0].Send(now, now.Add(time.Minute))
	a = a.Start(&recovery.Job{ID: job, Servers: start.Wave.ServerIDs()}, now)
	h.commit(h.store, e.With(a, happened(recovery.EventStarted, now, "started")))
}

// wantRecovered wants these jobs, and no other, to be told of in an account.
func (h *house) wantRecovered(s recovery.ExecutionStore, account string, jobs ...recovery.JobID) []recovery.Recovered {
	h.Helper()
	start := starting(execution, 1)
	found, err := s.Recovered(h.Context(), recovery.Place{AccountID: account, Region: "us-east-1"}, start.Wave.ServerIDs())
	if err != nil {
		h.Fatalf("Recovered in %s: %v", account, err)
	}
	got := []recovery.JobID{}
	for _, r := range found {
		got = append(got, r.Attempt.JobID)
	}
	slices.SortFunc(got, cmp.Compare[recovery.JobID])
	if !slices.Equal(got, append([]recovery.JobID{}, jobs...)) {
		h.Fatalf("Recovered in %s tells of the jobs %v, want %v", account, got, jobs)
	}
	return found
}
