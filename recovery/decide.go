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

// The choices. Each means one thing.
const (
	Approve   Choice = "approve" // a gate: the wave may start
	Resume    Choice = "resume"  // a pause is lifted, an interrupted execution goes on
	Retry     Choice = "retry"   // a new attempt with the servers that failed
	Skip      Choice = "skip"    // those that depend on the wave go on without it
	CancelAll Choice = "cancel"  // nothing new starts
)

// Check reports what is wrong with a choice, or nil.
func (c Choice) Check() error {
	return oneOf(words([]Choice{Approve, Resume, Retry, Skip, CancelAll})...)(string(c))
}

// Decision is somebody's answer to a question.
type Decision struct {
	Question QuestionID // only who cancels needs none
	Choice   Choice
	Wave     *int             // of the question, where that is said: another one is refused
	Exclude  []SourceServerID // of a retry: servers to leave out, each one that is tried again otherwise
	Gone     []SourceServerID // of a retry: servers of which no instance lives, though a witness says that one may
	Request
}

// Modern gives the decision in today's words: resume, with a wave or at its
// gate, was how a gate was approved.
func (d Decision) Modern() Decision {
	if d.Choice != Resume {
		return d
	}
	if d.Question == "" && d.Wave != nil {
		d.Question = GateID(*d.Wave)
	}
	if strings.HasPrefix(string(d.Question), "gate-") {
		d.Choice = Approve
	}
	return d
}

// Decide applies a decision to the execution, or says why it does not apply.
// It answers the question that it names and no other: it may come before its
// question is asked (a gate), twice, or a week late. The same decision again
// changes nothing, and is no error: news is false. Another one is.
//
// It gives the decision as it is recorded: with the wave that it is about, nil
// for the execution as a whole.
func (e *Execution) Decide(said Decision, now time.Time) (d Decision, news bool, err error) {
	d = said.Modern()
	if wave, _, is := d.Question.about(); d.Question != "" && d.Wave != nil && (!is || wave != *d.Wave) {
		return d, false, fmt.Errorf("question %s is not about wave %d", d.Question, *d.Wave)
	}
	if before := e.answered(d.Question); before != nil {
		if before.Choice == d.Choice && before.Servers == d.servers() {
			return d, false, nil
		}
		return d, false, fmt.Errorf("question %s was answered already: %s", d.Question, before)
	}
	switch {
	case d.Choice == CancelAll && e.Cancel != nil:
		news = e.Ended == nil && (e.Cancel.By != d.By || e.Cancel.Reason != d.Reason)
		return d, news, nil
	case e.Ended != nil:
		return d, false, fmt.Errorf("execution %s is over: %s", e.ID, e.Ended.Outcome)
	case e.Cancel != nil:
		return d, false, fmt.Errorf("execution %s was %s", e.ID, e.Cancel.words("cancelled already"))
	case d.Question == "" && d.Choice == CancelAll:
		e.Cancel = &d.Request
		return d, true, nil
	case d.Question == "":
		return d, false, fmt.Errorf("the decision %q does not say which question it answers", d.Choice)
	}
	q := e.question(d.Question, now)
	switch {
	case q == nil:
		return d, false, e.notAsked(d, now)
	case !slices.Contains(q.Choices, d.Choice):
		return d, false, fmt.Errorf("question %s is not answered by %q, but by one of: %s", d.Question, d.Choice, strings.Join(words(q.Choices), ", "))
	}
	d.Wave = q.Wave
	if err := e.apply(d, q); err != nil {
		return d, false, err
	}
	e.answer(d)
	return d, true, nil
}

// apply does what was decided.
func (e *Execution) apply(d Decision, q *Question) error {
	if d.Choice == CancelAll {
		e.Cancel = &d.Request
		return nil
	}
	switch q.Reason {
	case PauseRequested:
		e.liftPause()
		return nil
	case Interrupted:
		e.endInterruption()
		return nil
	}
	w := e.Wave(*q.Wave)
	switch d.Choice {
	case Approve:
		w.pass()
	case Skip:
		w.Skipped = true
	case Retry:
		if q.Reason == WaveUnseen {
			if len(d.Exclude)+len(d.Gone) > 0 {
				return fmt.Errorf("question %s is about looking again, and names no servers", q.ID)
			}
			e.Attempt(w.Number).lookAgain()
			return nil
		}
		if err := e.treatAsGone(w, d); err != nil {
			return err
		}
		return e.retry(w, d)
	}
	return nil
}

// notAsked says why a question cannot be answered now.
func (e *Execution) notAsked(d Decision, now time.Time) error {
	w, attempt, is := d.Question.about()
	if !is {
		return fmt.Errorf("question %s is not asked, or not any more", d.Question)
	}
	r := e.Wave(w)
	switch {
	case r == nil:
		return fmt.Errorf("execution %s has no wave %d", e.ID, w)
	case attempt == 0 && !r.gated():
		return fmt.Errorf("question %s was never asked: wave %d has no gate", d.Question, w)
	}
	return fmt.Errorf("question %s is not asked, or not any more: wave %d is %s", d.Question, w, e.Status(r, now))
}

// retry plans a new attempt: the servers that are not launched, less those to
// be left out. What was launched stays as it is.
func (e *Execution) retry(w *WaveRecord, d Decision) error {
	last := e.Attempt(w.Number)
	if err := last.mayExclude(d.Exclude); err != nil {
		return err
	}
	next := Attempt{Wave: last.Wave, Attempt: last.Attempt + 1, AccountID: last.AccountID, Region: last.Region, State: Planned}
	for _, o := range last.Fates() {
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
	for _, o := range a.Fates() {
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
