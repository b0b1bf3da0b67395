package main

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"muster/recovery"
)

// account is all that the record says of an execution, as people and programs
// are told it.
type account struct {
	ID        recovery.ExecutionID   `json:"executionId"`
	Plan      recovery.PlanID        `json:"planId"`
	PlanName  string                 `json:"planName,omitempty"`
	Type      recovery.ExecutionType `json:"executionType"`
	By        string                 `json:"initiatedBy"`
	State     string                 `json:"state"` // its outcome; RUNNING, WAITING_FOR_DECISION or CANCELLING before; DAMAGED
	Reason    string                 `json:"reason"`
	Begun     time.Time              `json:"begun"`
	Ended     *time.Time             `json:"ended,omitempty"`
	Speed     float64                `json:"speed,omitempty"` // of a simulated AWS
	Seconds   int                    `json:"seconds"`         // since it was begun, in AWS's time
	Objective int                    `json:"recoveryTimeObjectiveSeconds,omitempty"`
	Recovered int                    `json:"serversLaunched"`
	Servers   int                    `json:"servers"`
	CleanedUp int                    `json:"instancesCleanedUp"`
	Questions []askedOf              `json:"decisions,omitempty"`
	Waves     []waveAccount          `json:"waves"`
	Events    []recovery.Event       `json:"events,omitempty"`
	Damage    string                 `json:"damage,omitempty"` // where the record was cut or edited
}

type askedOf struct {
	Reason  recovery.QuestionReason `json:"reason"`
	Wave    int                     `json:"waveNumber,omitempty"`
	Choices []recovery.Choice       `json:"choices"`
	Text    string                  `json:"text"`
}

type waveAccount struct {
	Number   int                 `json:"waveNumber"`
	Name     string              `json:"waveName,omitempty"`
	Status   recovery.WaveStatus `json:"status"`
	Attempt  int                 `json:"attempt,omitempty"`
	JobID    recovery.JobID      `json:"jobId,omitempty"`
	Launched int                 `json:"serversLaunched"`
	Planned  int                 `json:"servers"`
	Seconds  int                 `json:"seconds,omitempty"` // from its first start to its end, in AWS's time
	Reason   string              `json:"reason,omitempty"`
	Fates    []serverAccount     `json:"serverOutcomes"`

	began time.Time
	over  bool
}

type serverAccount struct {
	recovery.ServerOutcome
	Hostname string `json:"hostname,omitempty"`
}

// Words of an execution that has no outcome yet.
const (
	stateRunning    = "RUNNING"
	stateWaiting    = "WAITING_FOR_DECISION"
	stateCancelling = "CANCELLING"
	stateDamaged    = "DAMAGED" // what the record says of it cannot be read
)

var instanceID = regexp.MustCompile(`\bi-[0-9a-f]+\b`)

// tell reads an execution's account from the record.
func (h *house) tell(ctx context.Context, id recovery.ExecutionID, speed float64) (*account, error) {
	e, events, err := h.read(ctx, id)
	if err != nil {
		return nil, err
	}
	plan, err := h.Executions.Plan(ctx, id)
	if err != nil {
		return nil, err
	}
	if plan == nil {
		plan = &recovery.Plan{}
	}
	a := accountOf(e, plan, events, speed, time.Now())
	if err := e.CheckLog(events); err != nil {
		a.Damage = err.Error()
	}
	return a, nil
}

// read reads an execution and its log as of one version, whoever writes
// meanwhile.
func (h *house) read(ctx context.Context, id recovery.ExecutionID) (*recovery.Execution, []recovery.Event, error) {
	e, err := h.Executions.Execution(ctx, id)
	for err == nil {
		events, eventsErr := h.Executions.Events(ctx, id)
		if eventsErr != nil {
			return nil, nil, eventsErr
		}
		before := e.Version
		if e, err = h.Executions.Execution(ctx, id); err == nil && e.Version == before {
			return e, events, nil
		}
	}
	return nil, nil, err
}

func accountOf(e *recovery.Execution, plan *recovery.Plan, events []recovery.Event, speed float64, now time.Time) *account {
	a := &account{ID: e.ID, Plan: e.Plan, PlanName: plan.Name, Type: e.Type, By: e.InitiatedBy, Events: events,
		Objective: int(plan.Objectives.RecoveryTime.Seconds())}
	if speed != 1 {
		a.Speed = speed
	}
	if len(events) > 0 {
		a.Begun = events[0].At
	}
	end := now
	if e.Ended != nil {
		end = e.Ended.At
		a.Ended = &e.Ended.At
	}
	a.Seconds = int(scaled(end.Sub(a.Begun), speed).Seconds())
	a.state(e, now)
	cleaned := map[string]bool{}
	for _, ev := range events {
		if ev.Kind == recovery.EventCleaned {
			for _, i := range instanceID.FindAllString(ev.Message, -1) {
				cleaned[i] = true
			}
		}
	}
	a.CleanedUp = len(cleaned)
	waves := e.Waves
	if waves == nil {
		waves = startedWaves(e)
	}
	for i := range waves {
		w := waveOf(e, &waves[i], plan, events, speed, now)
		a.Recovered, a.Servers = a.Recovered+w.Launched, a.Servers+w.Planned
		a.Waves = append(a.Waves, w)
	}
	slices.SortFunc(a.Waves, func(a, b waveAccount) int { return cmp.Compare(a.Number, b.Number) })
	return a
}

// startedWaves are the waves that an execution without a plan knows: those
// that were started, one event at a time. Nobody gave them a time limit.
func startedWaves(e *recovery.Execution) []recovery.WaveRecord {
	var waves []recovery.WaveRecord
	for _, at := range e.Attempts {
		waves = append(waves, recovery.WaveRecord{Number: at.Wave, AccountID: at.AccountID, Region: at.Region,
			Servers: len(at.Servers), TimeLimit: recovery.LongestWaveTimeout})
	}
	return waves
}

func (a *account) state(e *recovery.Execution, now time.Time) {
	if e.Waves == nil && e.Ended == nil {
		a.State, a.Reason = stateRunning, "its waves are started event by event, without a plan; what became of their servers is known after poll_wave_status"
		return
	}
	if e.Ended != nil {
		a.State, a.Reason = string(e.Ended.Outcome), e.Ended.Reason
		return
	}
	step := recovery.Next(e, now)
	a.State, a.Reason = stateRunning, step.Reason
	switch {
	case e.Cancel != nil:
		a.State = stateCancelling
	case step.Action == recovery.DoAwaitDecision:
		a.State = stateWaiting
		for _, q := range step.Decisions {
			a.Questions = append(a.Questions, askedOf(q))
		}
	}
}

func waveOf(e *recovery.Execution, r *recovery.WaveRecord, plan *recovery.Plan, events []recovery.Event, speed float64, now time.Time) waveAccount {
	w := waveAccount{Number: r.Number, Name: r.Name, Status: e.Status(r, now), Planned: r.Servers, Fates: []serverAccount{}}
	var last time.Time
	for _, ev := range events {
		if ev.Wave != r.Number {
			continue
		}
		switch ev.Kind {
		case recovery.EventStarted, recovery.EventAdopted:
			if w.began.IsZero() {
				w.began = ev.At
			}
		case recovery.EventCompleted, recovery.EventFailed, recovery.EventTimedOut:
			last = ev.At
		}
	}
	w.over = w.Status != recovery.StatusRunning && w.Status != recovery.StatusStarting && w.Status != recovery.StatusPending
	if !w.over || last.IsZero() {
		last = now
	}
	if !w.began.IsZero() {
		w.Seconds = int(scaled(last.Sub(w.began), speed).Seconds())
	}
	at := e.Attempt(r.Number)
	if at == nil {
		return w
	}
	w.Attempt, w.JobID = at.Attempt, at.JobID
	if at.Refusal != nil && at.State == recovery.Refused {
		w.Reason = at.Refusal.Message
	}
	hosts := map[recovery.SourceServerID]string{}
	if p := plan.Wave(r.Number); p != nil {
		for _, s := range p.Servers {
			hosts[s.ID] = s.Hostname
		}
	}
	fates := slices.Clone(at.Outcomes)
	for _, id := range at.Servers {
		if !slices.ContainsFunc(fates, func(o recovery.ServerOutcome) bool { return o.Server == id }) {
			fates = append(fates, recovery.ServerOutcome{Server: id})
		}
	}
	for _, o := range fates {
		if o.Launched() {
			w.Launched++
		}
		w.Fates = append(w.Fates, serverAccount{o, hosts[o.Server]})
	}
	return w
}

// report tells how the execution ended.
func (r *runner) report(ctx context.Context) error {
	a, err := r.house.tell(ctx, r.id, r.o.world.speed)
	if err != nil {
		return err
	}
	if r.o.json {
		a.Events = nil // they were told
		return writeDocument(r.m.Stdout, a)
	}
	text := a.summary(r.m.outStyle())
	if !r.o.quiet {
		text = "\n" + text
	}
	_, err = fmt.Fprint(r.m.Stdout, text)
	return err
}

// outStyle is how text on standard output looks.
func (m *Main) outStyle() style {
	return style(m.StdoutTerminal && m.Env("NO_COLOR") == "" && m.Env("TERM") != "dumb")
}

// summary is the account as a manager reads it.
func (a *account) summary(s style) string {
	var b strings.Builder
	what := map[recovery.ExecutionType]string{recovery.Drill: "Drill", recovery.Recovery: "Recovery"}[a.Type]
	fmt.Fprintf(&b, "%s of %s: %s\n", what, s.strong(harmless(cmp.Or(a.PlanName, string(a.Plan)))), a.paintState(s))
	fmt.Fprintf(&b, "%s\n\n", s.faint(harmless(fmt.Sprintf("%s · plan %s · by %s · begun %s", a.ID, a.Plan, a.By, a.Begun.Local().Format("2006-01-02 15:04:05 MST")))))
	a.waveTable(&b, s)
	b.WriteString("\n")
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-16s %s\n", name, harmless(fmt.Sprintf(format, args...)))
	}
	took := human(time.Duration(a.Seconds) * time.Second)
	if a.Speed != 0 {
		took += fmt.Sprintf(" of simulated time (%v times as fast here)", a.Speed)
	}
	name := "Recovery time"
	if a.Ended == nil {
		name = "So far"
	}
	switch objective := human(time.Duration(a.Objective) * time.Second); {
	case a.Objective == 0:
		row(name, "%s", took)
	case a.Seconds <= a.Objective:
		row(name, "%s; the objective is %s: met", took, objective)
	default:
		row(name, "%s; the objective is %s: MISSED", took, objective)
	}
	row("Servers", "%d of %d recovered", a.Recovered, a.Servers)
	if a.State != string(recovery.OutcomeCompleted) {
		row("State", "%s", a.Reason)
	}
	for _, ev := range a.Events {
		switch ev.Kind {
		case recovery.EventFailed, recovery.EventTimedOut:
			row("Went wrong", "wave %d: %s", ev.Wave, ev.Message)
		case recovery.EventDecided, recovery.EventCancelled, recovery.EventPaused:
			row("Decided", "%s", ev.Message)
		}
	}
	if a.CleanedUp > 0 {
		row("Cleaned up", "%d recovery instances terminated", a.CleanedUp)
	}
	return b.String()
}

func (a *account) paintState(s style) string {
	switch recovery.Outcome(a.State) {
	case recovery.OutcomeCompleted:
		return s.good(a.State)
	case recovery.OutcomeFailed:
		return s.bad(a.State)
	}
	return s.busy(a.State)
}

func (a *account) waveTable(b *strings.Builder, s style) {
	names := width("wave")
	for _, w := range a.Waves {
		names = max(names, width(w.title()))
	}
	fmt.Fprintf(b, "  %s  %-9s  %-8s  %s\n", s.faint(pad("wave", names)), s.faint("state    "), s.faint("servers "), s.faint("took"))
	for _, w := range a.Waves {
		took := ""
		if w.Seconds > 0 {
			took = human(time.Duration(w.Seconds) * time.Second)
		}
		if w.Attempt > 1 {
			took += fmt.Sprintf(", %d attempts", w.Attempt)
		}
		fmt.Fprintf(b, "  %s  %-9s  %-8s  %s\n", pad(w.title(), names), w.Status, fmt.Sprintf("%d of %d", w.Launched, w.Planned), took)
	}
}

func (w *waveAccount) title() string { return harmless(fmt.Sprintf("%d %s", w.Number, w.Name)) }

// human writes a duration as people say it.
func human(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}
