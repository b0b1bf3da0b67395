package orchestrator_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"muster/recovery"
)

// names gives what AWS names by chance (jobs, instances) the names of what
// they are, so that runs can be compared: which job is whose is compared, too.
type names map[string]string

func (n names) in(text string) string {
	return foreignID.ReplaceAllStringFunc(text, func(id string) string {
		if name := n[id]; name != "" {
			return name
		}
		return id
	})
}

var (
	foreignID = regexp.MustCompile(`\b(drsjob|i)-[0-9a-f]{17}\b`)
	anyTime   = regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
)

// byChance are the fields in which two runs may differ: whoever claims has a
// token of its own, and waits and durations depend on when it is asked, and
// on whose clock says so.
var byChance = []string{"token", "seconds", "durations"}

// like gives a document as it can be compared with that of another run: ids
// by what they stand for, no times of day, and of what is chance only whether
// it is there.
func (n names) like(document string) any {
	var v any
	if err := json.Unmarshal([]byte(document), &v); err != nil {
		return n.in(document)
	}
	return n.walk(v)
}

func (n names) walk(v any) any {
	switch v := v.(type) {
	case string:
		return anyTime.ReplaceAllString(n.in(v), "a time")
	case []any:
		for i := range v {
			v[i] = n.walk(v[i])
		}
	case map[string]any:
		for key := range v {
			if slices.Contains(byChance, key) {
				v[key] = "by chance"
				continue
			}
			v[key] = n.walk(v[key])
		}
	}
	return v
}

// where names the attempt that an event is about.
func where(ev recovery.Event) string {
	if ev.Wave == nil {
		return "the whole"
	}
	return fmt.Sprintf("wave %d, attempt %d", *ev.Wave, ev.Attempt)
}

// named names the jobs that the log tells of, and the instances that the
// record tells of.
func named(e *recovery.Execution, events []recovery.Event) names {
	n := names{}
	for _, ev := range events {
		if ev.Kind == recovery.EventStarted || ev.Kind == recovery.EventAdopted {
			n[string(ev.JobID)] = fmt.Sprintf("the job of wave %d, attempt %d", *ev.Wave, ev.Attempt)
		}
	}
	for _, o := range e.Launched() {
		n[string(o.Instance)] = "the instance of " + string(o.Server)
	}
	return n
}

// recordLike gives an execution's record as it can be compared. Its version
// and its last event count changes, and are held to the log instead.
func (n names) recordLike(e *recovery.Execution) (any, error) {
	opened, err := e.Opened()
	if err != nil {
		return nil, err
	}
	document, err := json.Marshal(map[string]any{
		"id": e.ID, "plan": e.Plan, "type": e.Type, "startTime": e.StartTime, "initiatedBy": e.InitiatedBy,
		"opened": string(opened), "attempts": e.Attempts,
	})
	if err != nil {
		return nil, err
	}
	record := n.like(string(document)).(map[string]any)
	record["opened"] = n.like(string(opened))
	return record, nil
}

// unlike are the events that tell how it came about, and not what: who
// claimed, took over and sent, what was to be configured, and what a look
// happened to see.
var unlike = []recovery.EventKind{recovery.EventClaimed, recovery.EventTakenOver, recovery.EventReleased,
	recovery.EventConfiguring, recovery.EventSent, recovery.EventProgress, recovery.EventCleaned}

// logLike gives the log of what happened. A job that was found counts as
// started; a start that is asked for again may be refused again.
func (n names) logLike(events []recovery.Event) (lines []string) {
	for _, ev := range events {
		if slices.Contains(unlike, ev.Kind) {
			continue
		}
		if ev.Kind == recovery.EventAdopted {
			ev.Kind = recovery.EventStarted
		}
		line := fmt.Sprintf("%s %s: %s", ev.Kind, where(ev), anyTime.ReplaceAllString(n.in(ev.Message), "a time"))
		if ev.Kind == recovery.EventRefused && len(lines) > 0 && lines[len(lines)-1] == line {
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// isJob says whether an id is a job's.
func isJob(id string) bool { return strings.HasPrefix(id, "drsjob-") }
