package recovery

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// EventKind says what happened.
type EventKind string

// What happens when a wave is started.
const (
	EventClaimed     EventKind = "CLAIMED"     // an invocation began to start the wave
	EventTakenOver   EventKind = "TAKEN_OVER"  // from an invocation that stopped
	EventReleased    EventKind = "RELEASED"    // an invocation stopped before anything was sent
	EventConfiguring EventKind = "CONFIGURING" // settings are about to be changed
	EventSent        EventKind = "SENT"        // StartRecovery is about to be called
	EventStarted     EventKind = "STARTED"     // the job runs
	EventAdopted     EventKind = "ADOPTED"     // a job that was sent earlier was found
	EventRefused     EventKind = "REFUSED"     // nothing was launched

	// EventTreatedAsGone: servers of which somebody said that no instance lives.
	EventTreatedAsGone EventKind = "TREATED_AS_GONE"

	// What happens to an execution as a whole.
	EventOpened      EventKind = "OPENED"
	EventBound       EventKind = "BOUND"       // to the world where it is acted on first
	EventPostponed   EventKind = "POSTPONED"   // a refused start is tried again later
	EventProgress    EventKind = "PROGRESS"    // servers of a running job changed
	EventCompleted   EventKind = "COMPLETED"   // a wave
	EventFailed      EventKind = "FAILED"      // a wave
	EventTimedOut    EventKind = "TIMED_OUT"   // a wave
	EventDecided     EventKind = "DECIDED"     // by a person
	EventPaused      EventKind = "PAUSED"      // asked for by a person
	EventCancelled   EventKind = "CANCELLED"   // asked for by a person
	EventInterrupted EventKind = "INTERRUPTED" // the driver stopped
	EventContinued   EventKind = "CONTINUED"   // a driver goes on from the record
	EventAwaiting    EventKind = "AWAITING"    // a state machine waits for a decision
	EventFinished    EventKind = "FINISHED"
	EventCleaned     EventKind = "CLEANED" // recovery instances of a drill are being terminated

	// Told while it happens, and not recorded.
	EventWaiting    EventKind = "WAITING"    // for another invocation's answer
	EventAssumed    EventKind = "ASSUMED"    // the role in the target account
	EventReady      EventKind = "READY"      // every server passed
	EventConfigured EventKind = "CONFIGURED" // settings are as asked for
	EventLooking    EventKind = "LOOKING"    // for a job that may exist
	EventRetrying   EventKind = "RETRYING"   // a refused or unclear call
	EventNote       EventKind = "NOTE"       // worth knowing
)

// Event is one thing that happened in an execution. Those that are recorded
// are numbered without gaps, and each carries the hash of the one before, so
// that what happened cannot be rewritten quietly.
type Event struct {
	Number int64     `json:"number,omitempty"` // from 1; 0: not recorded
	At     time.Time `json:"at"`
	Kind   EventKind `json:"kind"`
	// Execution is what a recorded event belongs to.
	Execution ExecutionID      `json:"execution,omitempty"`
	Wave      *int             `json:"wave,omitempty"` // see About
	Attempt   int              `json:"attempt,omitempty"`
	Message   string           `json:"message"`
	RequestID string           `json:"requestId,omitempty"` // of the request by which somebody asked for it, as CloudTrail knows it
	By        string           `json:"by,omitempty"`        // of what a person decided or asked for: who, as claimed
	Reason    string           `json:"reason,omitempty"`    // and why
	Choice    Choice           `json:"choice,omitempty"`    // and what was decided
	Question  QuestionID       `json:"question,omitempty"`  // and the answer to what
	JobID     JobID            `json:"jobId,omitempty"`
	Changes   []ServerChange   `json:"changes,omitempty"`
	Excluded  []SourceServerID `json:"excluded,omitempty"` // servers that a decision leaves out of a retry
	Previous  string           `json:"previous,omitempty"` // hash of the event before
	Hash      string           `json:"hash,omitempty"`     // of this event, hexadecimal SHA-256
}

// About gives the number of the wave that the event is about; is is false
// where it is about the execution as a whole. Versions that had no Excluded
// wrote no number where it was 0: there an attempt says that it is wave 0.
func (ev *Event) About() (wave int, is bool) {
	switch {
	case ev.Wave != nil:
		return *ev.Wave, true
	case ev.Attempt > 0:
		return 0, true
	}
	return 0, false
}

// After numbers and chains the event behind another. What it gives is exactly
// what a store will give back, foreign text that is not UTF-8 mended, so that
// the hash holds for both.
func (ev Event) After(last EventRef) Event {
	ev.Number, ev.Previous, ev.Hash = last.Number+1, last.Hash, ""
	ev.At = wall(ev.At)
	ev = asRead(ev)
	ev.Hash = ev.sum()
	return ev
}

// wall is the time as it is recorded: in UTC, without this process's own
// monotonic clock.
func wall(t time.Time) time.Time { return t.Round(0).UTC() }

// Ref points at the event.
func (ev Event) Ref() EventRef { return EventRef{ev.Number, ev.Hash} }

func (ev Event) sum() string {
	ev.Hash = ""
	h := sha256.Sum256(marshal(ev))
	return hex.EncodeToString(h[:])
}

// asRead gives a record as it will be read back.
func asRead[T Attempt | Event](v T) T {
	var read T
	if err := json.Unmarshal(marshal(v), &read); err != nil {
		panic(fmt.Sprintf("a record that cannot be read back: %v", err))
	}
	return read
}

func marshal(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("a record that cannot be marshalled: %v", err)) // its fields are strings, numbers, times and settings
	}
	return body
}

// CheckChain says where a log of events was tampered with, or nil.
func CheckChain(events []Event) error {
	var last EventRef
	for _, ev := range events {
		if ev.Number != last.Number+1 || ev.Previous != last.Hash || ev.Hash != ev.sum() {
			return fmt.Errorf("event %d does not follow from event %d as it was written", ev.Number, last.Number)
		}
		last = ev.Ref()
	}
	return nil
}
