package recovery

import (
	"slices"
	"time"
)

// The times that keep a wave to one job. Claims compare times that different
// clocks wrote, so whatever rests on another invocation's clock allows for
// ClockSkew.
const (
	Lease         = 30 * time.Second // how long a claim stands without renewal
	LeaseRenewal  = 10 * time.Second // how often its owner renews it
	SendTimeout   = 30 * time.Second // how long StartRecovery may take
	ClockSkew     = 2 * time.Minute  // how far two invocations' clocks may be apart
	JobVisibility = time.Minute      // how long a job that exists may be missing from lists
	Grace         = ClockSkew + JobVisibility
	LookBack      = 5 * time.Minute // how far before the first sending jobs are looked for
)

// ClaimState says how far an attempt has come.
type ClaimState string

// The states of a claim.
const (
	Claimed ClaimState = "CLAIMED" // somebody prepares; nothing was sent
	Sent    ClaimState = "SENT"    // StartRecovery may have been called; a job may exist
	Started ClaimState = "STARTED" // the job's id is known
	Refused ClaimState = "REFUSED" // definitely nothing was launched

	// Planned is an attempt that a retry asks for, and that nobody claimed yet.
	Planned ClaimState = "PLANNED"
)

var claimStates = []ClaimState{Claimed, Sent, Started, Refused, Planned}

// Token marks the invocation that owns a claim.
type Token string

// AttemptKey names one attempt at one wave of one execution.
type AttemptKey struct {
	Execution ExecutionID
	Wave      int
	Attempt   int // from 1
}

// Attempt is the record of one try at starting one wave: the claim, what it
// was for, and what came of it.
type Attempt struct {
	Wave    int `json:"wave"`
	Attempt int `json:"attempt"`

	// What the wave is. Another event that names it must agree.
	AccountID string           `json:"accountId"`
	Region    string           `json:"region"`
	Servers   []SourceServerID `json:"servers"`

	State        ClaimState `json:"state"`
	Token        Token      `json:"token"`
	LeaseUntil   time.Time  `json:"leaseUntil,omitzero"`
	FirstSentAt  time.Time  `json:"firstSentAt,omitzero"`
	SentAt       time.Time  `json:"sentAt,omitzero"`
	SendDeadline time.Time  `json:"sendDeadline,omitzero"`

	JobID     JobID            `json:"jobId,omitempty"`
	Accepted  []SourceServerID `json:"accepted,omitempty"` // the servers in the job
	StartedAt time.Time        `json:"startedAt,omitzero"`

	Refusal        *Refusal  `json:"refusal,omitempty"`
	FirstRefusedAt time.Time `json:"firstRefusedAt,omitzero"` // of refusals in a row
	Refusals       int       `json:"refusals,omitempty"`      // in a row
	RetryAt        time.Time `json:"retryAt,omitzero"`        // when a retryable refusal is tried again

	Unseen       *Unseen `json:"unseen,omitempty"`       // nil: the last look at it, or for it, was not refused
	UnseenBefore int     `json:"unseenBefore,omitempty"` // how often looks were refused in a row, and that is over

	// What became of the servers, as far as it is known: those in the job, and
	// those that an earlier attempt launched.
	Outcomes []ServerOutcome `json:"outcomes,omitempty"`
	TimedOut bool            `json:"timedOut,omitempty"` // its time limit passed while its job ran, and that was recorded
	JobOver  bool            `json:"jobOver,omitempty"`  // nothing more happens to any of them
	EndedAt  time.Time       `json:"endedAt,omitzero"`
}

// Refusal is why nothing was launched.
type Refusal struct {
	Code      Code   `json:"code"`
	Message   string `json:"message"`
	Retryable bool   `json:"retryable"`
	// InDoubt are the servers of which only a person can say whether an instance
	// lives: see TreatedAsGone.
	InDoubt []InDoubt `json:"inDoubt,omitempty"`
	// Attempt is the one that was refused, as whoever tells of it knows; 0: he
	// does not.
	Attempt int `json:"-"`
}

// Err gives the refusal as the error that was answered.
func (r *Refusal) Err() error {
	return &Error{Code: r.Code, Message: r.Message, Retryable: r.Retryable, InDoubt: r.InDoubt}
}

// recorded gives the attempt exactly as a store gives it back: its times in
// UTC, foreign text that is not UTF-8 mended.
func (a Attempt) recorded() Attempt {
	for _, t := range []*time.Time{&a.LeaseUntil, &a.FirstSentAt, &a.SentAt, &a.SendDeadline, &a.StartedAt,
		&a.FirstRefusedAt, &a.RetryAt, &a.EndedAt} {
		*t = wall(*t)
	}
	return asRead(a)
}

// NotAccepted lists the servers that were asked for and are not in the job.
func (a *Attempt) NotAccepted() []SourceServerID {
	var rest []SourceServerID
	for _, id := range a.Servers {
		if !slices.Contains(a.Accepted, id) {
			rest = append(rest, id)
		}
	}
	return rest
}

// Free says whether another invocation may take the attempt over now, and if
// not, until when it is to wait.
//
// A lapsed lease is free at once: nothing was sent, and its old owner can no
// longer pass to SENT, because that write asks for its token. What was SENT is
// free only when its call is certainly over and a job that it made would be
// visible. A refusal is free: whatever can never change about an event is
// found before there is a claim.
func (a *Attempt) Free(now time.Time) (free bool, until time.Time) {
	switch a.State {
	case Claimed:
		return !now.Before(a.LeaseUntil), a.LeaseUntil
	case Sent:
		until = a.SendDeadline.Add(Grace)
		return !now.Before(until), until
	case Refused, Planned:
		return true, now
	}
	return false, time.Time{}
}

// Take gives the attempt to a new owner, who prepares it anew. That it was
// once sent is kept: see MayHaveJob.
func (a Attempt) Take(token Token, now time.Time) Attempt {
	a.State, a.Token, a.LeaseUntil, a.Refusal = Claimed, token, now.Add(Lease), nil
	return a
}

// MayHaveJob says whether StartRecovery may have been called for the attempt
// and its answer never recorded: then the job has to be looked for before
// anything else, readiness included (the running job itself would fail it).
func (a *Attempt) MayHaveJob() bool { return !a.FirstSentAt.IsZero() && a.State != Started }

// Renew prolongs the lease.
func (a Attempt) Renew(now time.Time) Attempt {
	a.LeaseUntil = now.Add(Lease)
	return a
}

// Release ends the lease at once: its owner stops, and nothing was sent.
func (a Attempt) Release(now time.Time) Attempt {
	a.LeaseUntil = now
	return a
}

// Unsend releases an attempt of which it is certain that nothing that was sent
// made a job: it counts as not sent.
func (a Attempt) Unsend(now time.Time) Attempt {
	a.seen()
	a.State, a.LeaseUntil = Claimed, now
	a.FirstSentAt, a.SentAt, a.SendDeadline = time.Time{}, time.Time{}, time.Time{}
	return a
}

// Send marks that StartRecovery is about to be called and over by deadline.
func (a Attempt) Send(now, deadline time.Time) Attempt {
	a.seen()
	if a.FirstSentAt.IsZero() {
		a.FirstSentAt = now
	}
	a.State, a.SentAt, a.SendDeadline = Sent, now, deadline
	return a
}

// Start records the job.
func (a Attempt) Start(j *Job, now time.Time) Attempt {
	a.State, a.JobID, a.StartedAt, a.Refusal = Started, j.ID, now, nil
	a.Refusals, a.FirstRefusedAt, a.RetryAt = 0, time.Time{}, time.Time{}
	a.seen()
	a.Accepted = j.Servers
	if j.Servers == nil {
		a.Accepted = a.Servers
	}
	return a
}

// Refuse records that definitely nothing was launched, and why. When it is
// tried again is yet to be said: see Postpone.
func (a Attempt) Refuse(e *Error) Attempt {
	a.seen()
	a.State = Refused
	a.FirstSentAt, a.SentAt, a.SendDeadline, a.RetryAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	a.Refusal = &Refusal{Code: e.Code, Message: e.Message, Retryable: e.Retryable, InDoubt: e.InDoubt}
	return a
}

// retryWait is how long a start, or a look, waits that was refused so often
// before: 15 seconds at first, twice as long each time, five minutes at most.
func retryWait(refusals int) time.Duration {
	return min(15*time.Second<<min(refusals, 10), 5*time.Minute)
}

// Postpone says when a refused start is tried again: after waits that double
// from refusal to refusal.
func (a Attempt) Postpone(now time.Time) Attempt {
	if a.Refusals == 0 {
		a.FirstRefusedAt = now
	}
	a.RetryAt = now.Add(retryWait(a.Refusals))
	a.Refusals++
	return a
}
