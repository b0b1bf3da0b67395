package orchestrator_test

import (
	"fmt"
	"slices"
	"strings"

	"muster/recovery"
)

// A book is what the changes of an execution say when they are read as they
// are written, one after the other, by somebody who trusts nobody.
type book struct {
	version               int64
	last                  recovery.EventRef
	attempts              map[int]recovery.Attempt        // the newest of each wave
	raised                map[int]int                     // by whom: retries that were applied, of each wave
	launched              map[recovery.SourceServerID]int // the wave's attempt that launched it, as the record has it
	ended                 bool
	header                recovery.Execution // as the last change left it
	answers               map[recovery.QuestionID]bool
	pauses, interruptions int // how many there were
}

// committed holds one change, which the store has just taken, to the rules.
func (st *stage) committed(c recovery.Change) {
	st.mu.Lock()
	defer st.mu.Unlock()
	id := c.Execution.ID
	b := st.books[id]
	if b == nil {
		b = &book{attempts: map[int]recovery.Attempt{}, raised: map[int]int{}, launched: map[recovery.SourceServerID]int{}, answers: map[recovery.QuestionID]bool{}}
		st.books[id] = b
	}
	wrong := func(format string, args ...any) {
		st.problems = append(st.problems, fmt.Sprintf("version %d of %s: ", c.Execution.Version+1, id)+fmt.Sprintf(format, args...))
	}
	if c.Execution.Version != b.version {
		wrong("it was decided on version %d, and the newest is %d", c.Execution.Version, b.version)
	}
	b.version = c.Execution.Version + 1
	if b.ended && (c.Attempt != nil || c.Event == nil || c.Event.Kind != recovery.EventCleaned) {
		wrong("the execution was over")
	}
	b.ended = c.Execution.Ended != nil
	if ev := c.Event; ev != nil {
		fmt.Fprintln(st.film, id, ev.Hash)
		st.seen["event "+string(ev.Kind)]++
		if ev.Number != b.last.Number+1 || ev.Previous != b.last.Hash {
			wrong("event %d (%s) does not follow event %d", ev.Number, ev.Kind, b.last.Number)
		}
		b.last = ev.Ref()
		st.announced.note(ev)
		st.noSecretLocked(fmt.Sprintf("event %d", ev.Number), fmt.Sprintf("%+v", *ev))
	}
	if c.Execution.LastEvent != b.last {
		wrong("its header says that the last event is %d, and it is %d", c.Execution.LastEvent.Number, b.last.Number)
	}
	if c.Event != nil && c.Event.Kind == recovery.EventDecided {
		b.decides(c, st.words, wrong)
	}
	if c.Attempt != nil {
		b.turns(c, wrong)
	}
	if c.Execution.Pause != nil && b.header.Pause == nil {
		b.pauses++
	}
	if c.Execution.Interrupted != nil && b.header.Interrupted == nil {
		b.interruptions++
	}
	b.header = c.Execution
	b.header.Waves = slices.Clone(c.Execution.Waves)
}

// decides holds what a decision changes to what was said: to the question that
// was named and to nothing else, as it was asked when this change was made. Who
// comes late finds it answered, and changes nothing.
func (b *book) decides(c recovery.Change, words map[string]mishap, wrong func(string, ...any)) {
	ev, e := c.Event, &c.Execution
	said, known := words[ev.By]
	if !known {
		wrong("nobody said %q", ev.Message)
		return
	}
	question := said.question
	if question == "" && said.wave != nil {
		question = recovery.GateID(*said.wave) // in the old words
	}
	switch {
	case ev.Question != question:
		wrong("%q was the answer to %s, and is recorded as that to %s", ev.Message, question, ev.Question)
	case b.answers[question]:
		wrong("%q answers %s, which was answered before", ev.Message, question)
	}
	b.answers[question] = true
	expect := func(asked bool, what string) {
		if !asked {
			wrong("%q answers %s, and %s is what it changes", ev.Message, question, what)
		}
	}
	if (e.Pause == nil) != (b.header.Pause == nil) {
		expect(question == recovery.QuestionID(fmt.Sprintf("pause-%d", b.pauses)) && ev.Wave == nil, "a pause")
	}
	if (e.Interrupted == nil) != (b.header.Interrupted == nil) {
		expect(question == recovery.QuestionID(fmt.Sprintf("interrupted-%d", b.interruptions)) && ev.Wave == nil, "an interruption")
	}
	for i, w := range e.Waves {
		was := b.header.Waves[i]
		raised := c.Attempt != nil && c.Attempt.Wave == w.Number
		if w.GatePassed == was.GatePassed && w.Skipped == was.Skipped && !raised {
			continue
		}
		change := fmt.Sprintf("wave %d", w.Number)
		expect(ev.Wave != nil && *ev.Wave == w.Number && (question == b.asks(&was) || question == b.unseen(w.Number)), change)
		if w.GatePassed != was.GatePassed {
			expect(question == recovery.GateID(w.Number), "the gate of "+change)
		}
	}
}

// asks names the question about a wave, from what was written of it: its gate,
// or its newest attempt, which failed or was refused.
func (b *book) asks(w *recovery.WaveRecord) recovery.QuestionID {
	a, known := b.attempts[w.Number]
	switch {
	case w.Skipped:
		return ""
	case w.PauseBefore && !w.GatePassed:
		return recovery.GateID(w.Number)
	case !known:
		return ""
	case a.State == recovery.Refused:
		return recovery.QuestionID(fmt.Sprintf("refused-w%d-a%d", w.Number, a.Attempt))
	}
	return recovery.QuestionID(fmt.Sprintf("failed-w%d-a%d", w.Number, a.Attempt))
}

// unseen names the question that a wave raises which could not be looked at; ""
// where it could.
func (b *book) unseen(wave int) recovery.QuestionID {
	a := b.attempts[wave]
	if a.Unseen == nil || a.JobOver {
		return ""
	}
	return recovery.QuestionID(fmt.Sprintf("unseen-w%d-a%d-%d", wave, a.Attempt, a.UnseenBefore+1))
}

// turns holds a change of an attempt to the rules.
func (b *book) turns(c recovery.Change, wrong func(string, ...any)) {
	a, e := *c.Attempt, &c.Execution
	was, known := b.attempts[a.Wave]
	switch {
	case !known && a.Attempt != 1:
		wrong("the first attempt at wave %d is number %d", a.Wave, a.Attempt)
	case known && a.Attempt == was.Attempt+1:
		b.retried(c, was, wrong)
	case known && a.Attempt != was.Attempt:
		wrong("attempt %d at wave %d follows attempt %d", a.Attempt, a.Wave, was.Attempt)
	case known && was.State == recovery.Started && (a.State != recovery.Started || a.JobID != was.JobID):
		wrong("wave %d was started with job %s, and becomes %s with %q", a.Wave, was.JobID, a.State, a.JobID)
	}
	if a.State == recovery.Sent && (was.State != recovery.Sent || a.SentAt != was.SentAt) {
		b.maySend(e, a, wrong)
	}
	for _, o := range a.Outcomes {
		if by, before := b.launched[o.Server]; before && !o.Launched() {
			wrong("server %s was launched by attempt %d, and is %s now", o.Server, by, o.Status)
		}
		if _, before := b.launched[o.Server]; o.Launched() && !before {
			b.launched[o.Server] = a.Attempt
		}
	}
	for server := range b.launched {
		if slices.ContainsFunc(was.Outcomes, func(o recovery.ServerOutcome) bool { return o.Server == server }) && a.Outcome(server) == nil {
			wrong("server %s of wave %d was launched, and the record forgets it", server, a.Wave)
		}
	}
	b.attempts[a.Wave] = a
}

// retried: an attempt is raised by nothing but a retry that somebody decided
// on, after the one before is over, and without the servers that were launched.
func (b *book) retried(c recovery.Change, was recovery.Attempt, wrong func(string, ...any)) {
	a := *c.Attempt
	if c.Event == nil || c.Event.Kind != recovery.EventDecided || !strings.Contains(c.Event.Message, "decided: retry") {
		wrong("attempt %d at wave %d was not decided on by anybody", a.Attempt, a.Wave)
	}
	if was.State == recovery.Started && !was.JobOver || was.State == recovery.Claimed || was.State == recovery.Sent {
		wrong("wave %d is retried while it is %s", a.Wave, was.State)
	}
	b.raised[a.Wave]++
	for _, id := range c.Event.Excluded {
		_, launched := b.launched[id]
		if slices.Contains(a.Servers, id) || launched || !slices.Contains(was.Servers, id) && was.Outcome(id) == nil {
			wrong("server %s, which is launched (%v) or not in wave %d, is left out of attempt %d", id, launched, a.Wave, a.Attempt)
		}
	}
	for _, id := range a.Servers {
		if by, before := b.launched[id]; before {
			wrong("server %s was launched by attempt %d, and is in attempt %d again", id, by, a.Attempt)
		}
	}
}

// maySend: a start is sent only when it may be, as this very change says.
func (b *book) maySend(e *recovery.Execution, a recovery.Attempt, wrong func(string, ...any)) {
	w := e.Wave(a.Wave)
	if w == nil {
		wrong("there is no wave %d to start", a.Wave)
		return
	}
	if e.Cancel != nil || e.Ended != nil || w.Skipped || w.PauseBefore && !w.GatePassed {
		wrong("wave %d is started, though it is cancelled, over, skipped or waits for approval", a.Wave)
	}
	if e.Pause != nil {
		wrong("wave %d is started, though a pause was asked for", a.Wave)
	}
	for i := range e.Waves {
		stop := &e.Waves[i]
		if failed, known := b.attempts[stop.Number]; known && stop.OnFailure == recovery.StopOnFailure && failed.State == recovery.Started && failed.JobOver && b.unsettled(stop) != "" {
			wrong("wave %d is started, though wave %d has failed, whose failure stops everything", a.Wave, stop.Number)
		}
	}
	if why := b.waitsFor(e, w); why != "" {
		wrong("wave %d is started before %s", w.Number, why)
	}
	jobs, servers := 0, 0
	for _, l := range e.Others {
		if l.Place == w.Place() {
			jobs, servers = jobs+l.Jobs, servers+l.Servers
		}
	}
	for _, other := range b.attempts {
		if other.State == recovery.Started && !other.JobOver && other.AccountID == w.AccountID && other.Region == w.Region {
			jobs, servers = jobs+1, servers+len(other.Accepted)
		}
	}
	if jobs >= 20 || servers+len(a.Servers) > 500 {
		wrong("wave %d is started next to %d jobs with %d servers", a.Wave, jobs, servers)
	}
}

// waitsFor says what a wave waits for; "" where that is nothing.
func (b *book) waitsFor(e *recovery.Execution, w *recovery.WaveRecord) string {
	for i := range e.Waves {
		n := e.Waves[i].Number
		if w.FollowsAll && n < w.Number || slices.Contains(w.DependsOn, n) {
			if why := b.unsettled(&e.Waves[i]); why != "" {
				return fmt.Sprintf("wave %d, which %s", n, why)
			}
		}
	}
	return ""
}

// unsettled says why a wave holds up those that depend on it; "" where it
// does not.
func (b *book) unsettled(w *recovery.WaveRecord) string {
	a, known := b.attempts[w.Number]
	switch {
	case w.Skipped:
		return ""
	case !known:
		return "was not started"
	case w.OnFailure == recovery.ContinueOnFailure && (a.Unseen != nil || a.State == recovery.Refused || a.State == recovery.Started):
		return ""
	case a.State != recovery.Started || !a.JobOver:
		return "is not over"
	}
	for _, id := range a.Servers {
		if o := a.Outcome(id); o == nil || !o.Launched() && !o.Optional {
			return fmt.Sprintf("did not launch %s", id)
		}
	}
	return ""
}

// observed is told of what is logged.
func (st *stage) observed(ev recovery.Event) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.noSecretLocked("what is told of "+string(ev.Kind), fmt.Sprintf("%+v", ev))
	if ev.Kind == recovery.EventRetrying {
		st.seen["told RETRYING"]++
	}
}

func (st *stage) noSecret(where, text string, payload []byte) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if _, rest, found := strings.Cut(string(payload), `"taskToken":"`); found {
		token, _, _ := strings.Cut(rest, `"`)
		st.task(token)
	}
	st.noSecretLocked(where, text)
}

func (st *stage) noSecretLocked(where, text string) {
	for _, word := range append([]string{"a-secret-word"}, st.secrets...) {
		if strings.Contains(text, word) {
			st.problems = append(st.problems, "a secret stands in "+where)
		}
	}
}
