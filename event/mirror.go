package event

import (
	"time"

	"muster/recovery"
)

// mirror tells what the record says of every wave. Where the state says
// something else (an event was delivered late, a state machine begun anew),
// the record is right.
func (s State) mirror(e *recovery.Execution, now time.Time) (set []Field) {
	stand := s.keys()
	for _, n := range recorded(e) {
		a := e.Attempt(n)
		set = append(set, Field{waveKey(n, "Status"), encode(waveStatus(e, n, now))})
		if e.Waves != nil {
			attempt := 1
			if a != nil {
				attempt = a.Attempt
			}
			set = append(set, Field{waveKey(n, "Attempt"), encode(attempt)})
		}
		switch key := waveKey(n, "JobId"); {
		case a != nil && a.JobID != "":
			set = append(set, Field{key, encode(a.JobID)})
		case stand[key]: // of an attempt before the newest
			set = append(set, Field{key, []byte("null")})
		}
		if a == nil || a.JobID == "" && len(a.Outcomes) == 0 {
			continue
		}
		launched, failed := fates(a)
		set = append(set, Field{waveKey(n, "ServersLaunched"), encode(launched)}, Field{waveKey(n, "ServersFailed"), encode(failed)})
	}
	return set
}

// recorded lists the waves that the record knows.
func recorded(e *recovery.Execution) (numbers []int) {
	for i := range e.Waves {
		numbers = append(numbers, e.Waves[i].Number)
	}
	if e.Waves != nil {
		return numbers
	}
	for i := range e.Attempts {
		numbers = append(numbers, e.Attempts[i].Wave)
	}
	return numbers
}

// waveStatus says how far a wave has come. In an execution that nobody opened
// a wave is what its newest attempt is.
func waveStatus(e *recovery.Execution, n int, now time.Time) recovery.WaveStatus {
	if w := e.Wave(n); w != nil {
		return e.Status(w, now)
	}
	switch a := e.Attempt(n); {
	case a == nil:
		return recovery.StatusPending
	case a.Running():
		return recovery.StatusRunning
	case a.State == recovery.Started && a.Succeeded():
		return recovery.StatusCompleted
	case a.State == recovery.Started, a.State == recovery.Refused:
		return recovery.StatusFailed
	}
	return recovery.StatusStarting
}

// fates counts what became of an attempt's servers.
func fates(a *recovery.Attempt) (launched, failed int) {
	for _, o := range a.Outcomes {
		switch {
		case o.Launched():
			launched++
		case o.Done():
			failed++
		}
	}
	return launched, failed
}

// status says in one word how an execution stands: RUNNING, AWAITING_DECISION,
// or its outcome; of one that nobody opened how its waves do together.
func status(e *recovery.Execution, step recovery.Step, now time.Time) string {
	switch {
	case e.Waves == nil:
		return together(e, now)
	case e.Ended != nil:
		return string(e.Ended.Outcome)
	case step.Action == recovery.DoAwaitDecision:
		return "AWAITING_DECISION"
	}
	return "RUNNING"
}

func together(e *recovery.Execution, now time.Time) string {
	all := recovery.StatusCompleted
	for _, n := range recorded(e) {
		switch waveStatus(e, n, now) {
		case recovery.StatusRunning, recovery.StatusStarting, recovery.StatusPending:
			return string(recovery.StatusRunning)
		case recovery.StatusFailed:
			all = recovery.StatusFailed
		}
	}
	return string(all)
}

func (s State) keys() keys {
	set := keys{}
	for m := range s.object.members() {
		set[m.name()] = true
	}
	return set
}
