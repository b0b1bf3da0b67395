package recovery

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Choice is what a person may decide.
type Choice string

// The choices.
const (
	Resume    Choice = "resume" // go on: past a gate, a pause, an interruption
	Retry     Choice = "retry"  // a new attempt with the servers that failed
	Skip      Choice = "skip"   // those that depend on the wave go on without it
	CancelAll Choice = "cancel" // nothing new starts
)

// Check reports what is wrong with a choice, or nil.
func (c Choice) Check() error {
	return oneOf(string(Resume), string(Retry), string(Skip), string(CancelAll))(string(c))
}

// Decision is somebody's answer to a question.
type Decision struct {
	Choice  Choice
	Wave    *int             // nil: the execution as a whole, or the only wave that asks now
	Exclude []SourceServerID // of a retry: servers to leave out, each one that is tried again otherwise
	Gone    []SourceServerID // of a retry: servers of which no instance lives, though a witness says that one may
	Request
}

// Decide applies a decision to the execution, or says why it does not apply.
// A decision may come before its question (a gate is passed ahead, where the
// wave is named), twice, or a week late: what is decided already, or was never asked, changes nothing
// and is an error that says so.
//
// It gives the number of the wave that was decided about, nil for the execution
// as a whole.
func (e *Execution) Decide(d Decision, now time.Time) (wave *int, err error) {
	if e.Ended != nil {
		return nil, fmt.Errorf("execution %s is over: %s", e.ID, e.Ended.Outcome)
	}
	if e.Cancel != nil {
		return nil, fmt.Errorf("execution %s was %s", e.ID, e.Cancel.words("cancelled already"))
	}
	if d.Choice == CancelAll {
		e.Cancel = &d.Request
		return nil, nil
	}
	if d.Wave == nil && d.Choice == Resume && (e.Pause != nil || e.Interrupted != nil) {
		e.Pause, e.Interrupted = nil, nil
		return nil, nil
	}
	w, err := e.asked(d, now)
	if err != nil {
		return nil, err
	}
	switch d.Choice {
	case Resume:
		w.GatePassed = true
	case Skip:
		w.Skipped = true
	case Retry:
		if err := e.treatAsGone(w, d); err != nil {
			return nil, err
		}
		if err := e.retry(w, d); err != nil {
			return nil, err
		}
	}
	return new(w.Number), nil
}

// asked finds the wave that the decision is about, and holds it to the
// choices that the wave has.
func (e *Execution) asked(d Decision, now time.Time) (*WaveRecord, error) {
	asks := map[int]bool{}
	for _, q := range survey(e, now).questions() {
		if q.Wave != nil {
			asks[*q.Wave] = true
		}
	}
	var fits []int
	for i := range e.Waves {
		w := &e.Waves[i]
		if d.Wave != nil && *d.Wave != w.Number {
			continue
		}
		if d.Wave == nil && !asks[w.Number] { // only who names the wave decides ahead
			continue
		}
		if slices.Contains(e.choices(w, now), d.Choice) {
			fits = append(fits, w.Number)
		}
	}
	switch {
	case len(fits) == 1:
		return e.Wave(fits[0]), nil
	case len(fits) > 1:
		return nil, fmt.Errorf("several waves wait for a decision (%v): say which one", fits)
	case d.Wave == nil:
		return nil, fmt.Errorf("no wave waits for the decision %q", d.Choice)
	case e.Wave(*d.Wave) == nil:
		return nil, fmt.Errorf("execution %s has no wave %d", e.ID, *d.Wave)
	}
	return nil, fmt.Errorf("wave %d, which is %s, does not wait for the decision %q", *d.Wave, e.Status(e.Wave(*d.Wave), now), d.Choice)
}

// choices are what may be decided about a wave now.
func (e *Execution) choices(w *WaveRecord, now time.Time) []Choice {
	switch e.Status(w, now) {
	case StatusPending:
		if w.PauseBefore && !w.GatePassed {
			return []Choice{Resume, Skip}
		}
	case StatusFailed:
		if w.OnFailure == PauseOnFailure {
			return e.failure(w, now).Choices
		}
	}
	return nil
}

// retry plans a new attempt: the servers that are not launched, less those to
// be left out. What was launched stays as it is.
func (e *Execution) retry(w *WaveRecord, d Decision) error {
	last := e.Attempt(w.Number)
	if err := last.mayExclude(d.Exclude); err != nil {
		return err
	}
	next := Attempt{Wave: last.Wave, Attempt: last.Attempt + 1, AccountID: last.AccountID, Region: last.Region, State: Planned}
	for _, o := range last.fates() {
		switch {
		case o.Launched():
			o.Earlier = true
			next.Outcomes = append(next.Outcomes, o)
		case slices.Contains(d.Exclude, o.Server):
			o.Status, o.Reason, o.Optional = "FAILED", "left out of the retry by "+Quote(d.By), true
			next.Outcomes = append(next.Outcomes, o)
		default:
			next.Servers = append(next.Servers, o.Server)
		}
	}
	if len(next.Servers) == 0 && len(next.Outcomes) > 0 { // neither: refused before there was a claim, and its start lists them
		return fmt.Errorf("every server of wave %d that was not launched would be left out of the retry; skip the wave instead", w.Number)
	}
	for i := range e.Attempts {
		if e.Attempts[i].Wave == w.Number {
			e.Attempts[i] = next
		}
	}
	return nil
}

// mayExclude says why some servers cannot be left out of a retry of the
// attempt: each has to be one that would be tried again.
func (a *Attempt) mayExclude(servers []SourceServerID) error {
	var launched, rest []SourceServerID
	for _, o := range a.fates() {
		if o.Launched() {
			launched = append(launched, o.Server)
		} else {
			rest = append(rest, o.Server)
		}
	}
	var wrong []string
	for _, id := range servers {
		switch {
		case slices.Contains(launched, id):
			wrong = append(wrong, fmt.Sprintf("%s was launched already", id))
		case !slices.Contains(rest, id):
			wrong = append(wrong, fmt.Sprintf("%s is not in the wave", id))
		}
	}
	switch {
	case len(wrong) == 0:
		return nil
	case len(rest) == 0: // refused before there was a claim
		return fmt.Errorf("wave %d was refused before its servers were recorded: retry it with all of them", a.Wave)
	}
	return fmt.Errorf("nothing was decided, for not every server can be left out of the retry of wave %d: %s; those that can be: %s",
		a.Wave, strings.Join(wrong, "; "), Listed(rest))
}

// treatAsGone records the servers of the wave of which somebody says that no
// instance lives: of the launches that were asked about, and no other.
func (e *Execution) treatAsGone(w *WaveRecord, d Decision) error {
	var asked []InDoubt
	if a := e.Attempt(w.Number); a.Refusal != nil {
		asked = a.Refusal.InDoubt
	}
	var gone []TreatedAsGone
	var rest, open []SourceServerID
	for _, id := range d.Gone {
		if i := slices.IndexFunc(asked, func(in InDoubt) bool { return in.Server == id }); i >= 0 {
			gone = append(gone, TreatedAsGone{id, asked[i].Launches, d.Request})
		} else {
			rest = append(rest, id)
		}
	}
	if rest != nil {
		for _, in := range asked {
			open = append(open, in.Server)
		}
		return fmt.Errorf("nobody is asked whether an instance of %s lives, so that there is nothing to treat as gone; in wave %d that is asked of: %s", Listed(rest), w.Number, cmp.Or(Listed(open), "no server"))
	}
	e.Gone = append(slices.Clone(e.Gone), gone...)
	return nil
}

// Listed names servers in words.
func Listed(ids []SourceServerID) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = string(id)
	}
	return strings.Join(words, ", ")
}
