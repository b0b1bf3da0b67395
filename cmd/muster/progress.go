package main

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"

	"muster/recovery"
)

// marks say at a glance how it stands.
var marks = map[recovery.EventKind]struct {
	mark, word string
	look       func(style, string) string
}{
	recovery.EventClaimed:     {"·", "claimed", style.faint},
	recovery.EventTakenOver:   {"↻", "taken over", style.busy},
	recovery.EventReleased:    {"·", "released", style.busy},
	recovery.EventAssumed:     {"✓", "assumed", style.good},
	recovery.EventReady:       {"✓", "checked", style.good},
	recovery.EventConfiguring: {"→", "configuring", style.busy},
	recovery.EventConfigured:  {"✓", "configured", style.good},
	recovery.EventSent:        {"→", "sent", style.busy},
	recovery.EventStarted:     {"✓", "started", style.good},
	recovery.EventAdopted:     {"✓", "found", style.good},
	recovery.EventRefused:     {"✗", "refused", style.bad},
	recovery.EventWaiting:     {"…", "waiting", style.busy},
	recovery.EventLooking:     {"…", "looking", style.busy},
	recovery.EventRetrying:    {"↻", "again", style.busy},
	recovery.EventNote:        {"·", "note", style.faint},
	recovery.EventOpened:      {"✓", "opened", style.good},
	recovery.EventBound:       {"·", "bound", style.faint},
	recovery.EventPostponed:   {"↻", "postponed", style.busy},
	recovery.EventProgress:    {"·", "launching", style.faint},
	recovery.EventCompleted:   {"✓", "completed", style.good},
	recovery.EventFailed:      {"✗", "failed", style.bad},
	recovery.EventTimedOut:    {"✗", "timed out", style.bad},
	recovery.EventDecided:     {"→", "decided", style.busy},
	recovery.EventPaused:      {"⏸", "paused", style.busy},
	recovery.EventCancelled:   {"✗", "cancelled", style.bad},
	recovery.EventInterrupted: {"✗", "interrupted", style.bad},
	recovery.EventContinued:   {"↻", "goes on", style.busy},
	recovery.EventAwaiting:    {"…", "awaiting", style.busy},
	recovery.EventFinished:    {"✓", "finished", style.strong},
	recovery.EventCleaned:     {"→", "cleaning up", style.busy},
}

var nextServer = regexp.MustCompile(`(?: - |: |; )([Ss]erver s-)`)

// byServer gives a message that names several servers, and that is harmless
// already, a line for each.
func byServer(message string) string {
	if len(nextServer.FindAllStringIndex(message, 2)) < 2 {
		return message
	}
	message = strings.Replace(message, `. With "readinessPolicy"`, ".\n      With \"readinessPolicy\"", 1)
	return nextServer.ReplaceAllString(message, "\n      $1")
}

// changes lays settings out in columns: server, setting, old → new, and who
// asked for it.
func changes(b *strings.Builder, look style, all []recovery.ServerChange) {
	type row struct{ server, setting, old, new, from string }
	var rows []row
	var widths [4]int
	servers := slices.Clone(all)
	slices.SortStableFunc(servers, func(a, b recovery.ServerChange) int { return cmp.Compare(a.Server, b.Server) })
	for _, s := range servers {
		name := harmless(string(s.Server))
		for _, c := range s.Changes {
			r := row{name, harmless(string(c.Setting)), value(c.Old), value(c.New), harmless(string(c.From))}
			rows = append(rows, r)
			for i, text := range []string{r.server, r.setting, r.old, r.new} {
				widths[i] = max(widths[i], textWidth(text))
			}
			name = ""
		}
	}
	for _, r := range rows {
		fmt.Fprintf(b, "      %s  %s  %s → %s  %s\n", pad(r.server, widths[0]), pad(r.setting, widths[1]),
			look.faint(pad(r.old, widths[2])), pad(r.new, widths[3]), look.faint(strings.Replace("from the "+r.from, "from the implied", "implied by another setting", 1)))
	}
}

// value renders a setting's value; nil is one that was not set.
func value(v any) string {
	switch v := v.(type) {
	case nil:
		return "(not set)"
	case []string:
		return harmless(strings.Join(v, ", "))
	case []any: // a list that has been through JSON
		words := make([]string, len(v))
		for i, item := range v {
			words[i] = fmt.Sprint(item)
		}
		return harmless(strings.Join(words, ", "))
	}
	return harmless(fmt.Sprint(v))
}

func pad(s string, to int) string { return s + strings.Repeat(" ", max(to-textWidth(s), 0)) }

// jsonLines tells a program what happens, one JSON object a line.
func jsonLines(w io.Writer) func(recovery.ExecutionID, recovery.Event) {
	var mu sync.Mutex
	return func(id recovery.ExecutionID, ev recovery.Event) {
		mu.Lock()
		defer mu.Unlock()
		_ = writeDocument(w, struct { // who closed the other end does not want to know
			ExecutionID recovery.ExecutionID `json:"executionId"`
			recovery.Event
		}{id, ev})
	}
}
