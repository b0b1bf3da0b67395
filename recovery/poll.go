package recovery

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Sighting is what was seen of an attempt's job and servers at one look.
type Sighting struct {
	Job  *Job         // nil: the job is in no list, which says nothing
	Log  []JobLogItem // of the job; nil: it was not read
	Last map[SourceServerID]LastLaunch
}

// Seen gives the attempt after a look. Servers are judged one by one and never
// by their job, which ends COMPLETED whatever became of them; one that has
// vanished from the job by its own last launch; and a job without any
// participating servers says that nothing is known, not that there are none.
func (a Attempt) Seen(s Sighting, optional func(SourceServerID) bool, now time.Time) Attempt {
	if a.State != Started || a.JobOver {
		return a
	}
	a.seen()
	if s.Job == nil {
		return a
	}
	var outcomes []ServerOutcome
	for _, o := range a.Outcomes {
		if o.Earlier || !slices.Contains(a.Servers, o.Server) { // left out of a retry
			outcomes = append(outcomes, o)
		}
	}
	for _, id := range a.Servers {
		o := ServerOutcome{Server: id, Optional: optional(id)}
		if was := a.Outcome(id); was != nil {
			o = *was
		}
		if !o.Done() {
			o = a.judge(o, s)
		}
		o.Phase = phase(o, s.Log)
		if o.Done() && !o.Launched() && o.Reason == "" {
			o.Reason = whyNot(id, s)
		}
		if o.Launched() {
			o.JobID = a.JobID
		}
		if o.Launched() && o.Note == "" && logged(s.Log, id, "USING_PREVIOUS_SNAPSHOT") {
			o.Note = "its data is older than asked for: DRS used a previous snapshot"
		}
		outcomes = append(outcomes, o)
	}
	a.Outcomes = outcomes
	if s.Job.Over() {
		a.JobOver, a.EndedAt = true, now.UTC().Round(0)
	}
	return a
}

// Outcome gives what is known of a server, or nil.
func (a *Attempt) Outcome(id SourceServerID) *ServerOutcome {
	for i := range a.Outcomes {
		if a.Outcomes[i].Server == id {
			return &a.Outcomes[i]
		}
	}
	return nil
}

func (a *Attempt) judge(o ServerOutcome, s Sighting) ServerOutcome {
	i := slices.IndexFunc(s.Job.Participants, func(p Participant) bool { return p.Server == o.Server })
	last, known := s.Last[o.Server]
	switch {
	case i >= 0:
		p := s.Job.Participants[i]
		if p.Status != "" {
			o.Status = p.Status
		}
		if p.Instance != "" {
			o.Instance = p.Instance
		}
	case known && last.JobID == a.JobID && last.Status != "":
		o.Status = last.Status
	case s.Job.Participants == nil && !s.Job.Over():
		// Nothing is known.
	case !slices.Contains(a.Accepted, o.Server):
		o.Status, o.Reason = "FAILED", "DRS did not take it into the job"
	case s.Job.Over():
		o.Status, o.Reason = "FAILED", whyNot(o.Server, s)
	}
	if s.Job.Over() && !o.Done() {
		o.Status, o.Reason = "FAILED", "the job ended without launching it"+because(whyNot(o.Server, s))
	}
	return o
}

// failures are the events of a job's log that say why a server was not
// launched, in words that a person understands.
var failures = map[string]string{
	"SERVER_SKIPPED":                 "DRS skipped it",
	"SNAPSHOT_FAIL":                  "no snapshot of its data could be taken",
	"USING_PREVIOUS_SNAPSHOT_FAILED": "there was no previous snapshot to fall back on",
	"CONVERSION_FAIL":                "its disks could not be converted to run on EC2",
	"LAUNCH_FAILED":                  "its instance could not be launched",
	"JOB_CANCEL":                     "the job was cancelled",
}

const unknownReason = "DRS does not say why"

// whyNot says why a server was not launched, as the job's log tells it; the
// last failure that is logged counts.
func whyNot(id SourceServerID, s Sighting) string {
	why := unknownReason
	for _, item := range s.Log {
		words, failed := failures[item.Event]
		if !failed || item.Server != id && item.Server != "" {
			continue
		}
		why = words
		if item.RawError != "" {
			why += ": " + oneLine(item.RawError)
		}
	}
	return why
}

func because(why string) string {
	if why == unknownReason {
		return ""
	}
	return ": " + why
}

// oneLine makes foreign text fit for a sentence: without control characters,
// and not without end.
func oneLine(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }), " ")
	if runes := []rune(text); len(runes) > 500 {
		text = string(runes[:500]) + "…"
	}
	return text
}

func logged(log []JobLogItem, id SourceServerID, event string) bool {
	return slices.ContainsFunc(log, func(i JobLogItem) bool { return i.Server == id && i.Event == event })
}

// phases are the events of a job's log that begin a phase of a launch.
var phases = map[string]string{
	"CLEANUP_START":    "CLEANUP",
	"SNAPSHOT_START":   "SNAPSHOT",
	"CONVERSION_START": "CONVERSION",
	"LAUNCH_START":     "LAUNCH",
}

// phase says how far a launch under way has come; "" where it is over, or
// where nothing is logged of it.
func phase(o ServerOutcome, log []JobLogItem) string {
	if o.Done() {
		return ""
	}
	newest := o.Phase
	for _, item := range log {
		if begun := phases[item.Event]; begun != "" && item.Server == o.Server {
			newest = begun
		}
	}
	return newest
}

// NeedsServers lists the servers that are not in the job any more and of
// which nothing final is known: their own last launch has to be asked.
func (a *Attempt) NeedsServers(j *Job) []SourceServerID {
	if j.Participants == nil && !j.Over() {
		return nil
	}
	var need []SourceServerID
	for _, id := range a.Accepted {
		was := a.Outcome(id)
		gone := !slices.ContainsFunc(j.Participants, func(p Participant) bool { return p.Server == id })
		if gone && (was == nil || !was.Done()) {
			need = append(need, id)
		}
	}
	return need
}

// Progress tells what changed between two states of an attempt, in words:
// launches under way by their number, those that are over by name.
func (a *Attempt) Progress(before *Attempt) string {
	var words, states []string
	servers := map[string]int{}
	for _, o := range a.Outcomes {
		was := before.Outcome(o.Server)
		if was != nil && was.Status == o.Status && was.Phase == o.Phase {
			continue
		}
		if !o.Done() {
			state := cmp.Or(o.Phase, o.Status, "nothing is known")
			if servers[state]++; servers[state] == 1 {
				states = append(states, state)
			}
			continue
		}
		word := fmt.Sprintf("%s %s", o.Server, o.Status)
		switch {
		case o.Launched() && o.Instance != "":
			word += " as " + string(o.Instance)
		case o.Reason != "":
			word += " (" + o.Reason + ")"
		}
		words = append(words, word)
	}
	for _, state := range states {
		words = append(words, fmt.Sprintf("%d in %s", servers[state], state))
	}
	return strings.Join(words, ", ")
}
