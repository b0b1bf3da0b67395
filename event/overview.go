package event

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"muster/recovery"
)

// Overview is all that the record says of an execution, as people and programs
// are told it.
type Overview struct {
	ID        recovery.ExecutionID   `json:"executionId"`
	Plan      recovery.PlanID        `json:"planId"`
	PlanName  string                 `json:"planName,omitempty"`
	Type      recovery.ExecutionType `json:"executionType"`
	By        string                 `json:"initiatedBy"`
	State     string                 `json:"state"` // its outcome; RUNNING, WAITING_FOR_DECISION, INTERRUPTED or CANCELLING before; DAMAGED
	Reason    string                 `json:"reason"`
	Begun     time.Time              `json:"begun"`
	Ended     *time.Time             `json:"ended,omitempty"`
	Speed     float64                `json:"speed,omitempty"` // of a simulated AWS
	Seconds   int                    `json:"seconds"`         // since it was begun, in AWS's time
	Objective int                    `json:"recoveryTimeObjectiveSeconds,omitempty"`
	Recovered int                    `json:"serversLaunched"`
	Servers   int                    `json:"servers"`
	CleanedUp int                    `json:"instancesCleanedUp"`
	Questions []QuestionOverview     `json:"decisions,omitempty"`
	Ahead     []QuestionOverview     `json:"decisionsAhead,omitempty"` // that nothing waits for yet, and that may be answered all the same
	Waves     []WaveOverview         `json:"waves"`
	Events    []recovery.Event       `json:"events,omitempty"`
	Damage    string                 `json:"damage,omitempty"` // where the record was cut or edited
	Driver    *DriverOverview        `json:"driver,omitempty"` // of one that has not ended
	World     *WorldOverview         `json:"world,omitempty"`  // where it lives; nil: an earlier version began it, and nobody acted on it since
}

// WorldOverview is where an execution lives.
type WorldOverview struct {
	recovery.World
	Text string `json:"text"` // the AWS, for people
	// Elsewhere says why that is not where whoever tells it would act.
	Elsewhere string `json:"elsewhere,omitempty"`
}

// QuestionOverview is something that waits for a person.
type QuestionOverview struct {
	ID      recovery.QuestionID     `json:"id"` // by which it is answered
	Reason  recovery.QuestionReason `json:"reason"`
	Wave    *int                    `json:"waveNumber,omitempty"` // none: about the execution as a whole
	Choices []recovery.Choice       `json:"choices"`
	Text    string                  `json:"text"`
	// InDoubt are servers of which only a person can say whether an instance
	// lives: the parameter treatAsGone of a retry names those of which none does.
	InDoubt []recovery.SourceServerID `json:"serversInDoubt,omitempty"`
}

// WaveOverview is how one wave stands.
type WaveOverview struct {
	Number   int                 `json:"waveNumber"`
	Name     string              `json:"waveName,omitempty"`
	Status   recovery.WaveStatus `json:"status"`
	Attempt  int                 `json:"attempt,omitempty"`
	JobID    recovery.JobID      `json:"jobId,omitempty"`
	Launched int                 `json:"serversLaunched"`
	Planned  int                 `json:"servers"`
	Seconds  int                 `json:"seconds,omitempty"` // from its first start to its end, in AWS's time
	Reason   string              `json:"reason,omitempty"`
	Fates    []ServerOverview    `json:"serverOutcomes"`
}

// ServerOverview is what became of one server.
type ServerOverview struct {
	recovery.ServerOutcome
	Hostname string `json:"hostname,omitempty"`
}

// Words of an execution that has no outcome yet.
const (
	stateRunning     = "RUNNING"
	stateWaiting     = "WAITING_FOR_DECISION"
	stateInterrupted = "INTERRUPTED" // nobody drives it, whatever runs
	stateCancelling  = "CANCELLING"
	StateDamaged     = "DAMAGED" // what the record says of it cannot be read
)

var instanceID = regexp.MustCompile(`\bi-[0-9a-f]+\b`)

// Records is what of an ExecutionStore is read to tell an execution.
type Records interface {
	Execution(context.Context, recovery.ExecutionID) (*recovery.Execution, error)
	Events(context.Context, recovery.ExecutionID) ([]recovery.Event, error)
	Plan(context.Context, recovery.ExecutionID) (*recovery.Plan, error)
	Executions(ctx context.Context, most int) ([]recovery.Execution, error)
}

// readOverview tells an execution as of one version, whoever writes meanwhile.
// One that has no record is a *recovery.Error, NotFound.
func readOverview(ctx context.Context, r Records, id recovery.ExecutionID, now time.Time) (*Overview, *recovery.Execution, error) {
	e, events, err := readWhole(ctx, r, id)
	if err != nil {
		return nil, nil, err
	}
	if e.Version == 0 {
		return nil, nil, recovery.Errorf(recovery.NotFound, "there is no execution %s; list_executions names those that there are", id)
	}
	plan, err := r.Plan(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	if plan == nil {
		plan = &recovery.Plan{}
	}
	return OverviewOf(e, plan, events, now), e, nil
}

// readWhole reads an execution and its log as of one version.
func readWhole(ctx context.Context, r Records, id recovery.ExecutionID) (*recovery.Execution, []recovery.Event, error) {
	e, err := r.Execution(ctx, id)
	for err == nil {
		events, eventsErr := r.Events(ctx, id)
		if eventsErr != nil {
			return nil, nil, eventsErr
		}
		before := e.Version
		if e, err = r.Execution(ctx, id); err == nil && e.Version == before {
			return e, events, nil
		}
	}
	return nil, nil, err
}

// OverviewOf tells an execution from its record. A plan that it has none of is
// an empty one.
func OverviewOf(e *recovery.Execution, plan *recovery.Plan, events []recovery.Event, now time.Time) *Overview {
	speed := cmp.Or(e.Speed, 1)
	a := &Overview{ID: e.ID, Plan: e.Plan, PlanName: plan.Name, Type: e.Type, By: e.InitiatedBy, Events: events,
		Objective: int(plan.Objectives.RecoveryTime.Seconds())}
	if speed != 1 {
		a.Speed = speed
	}
	if !e.World.IsZero() {
		a.World = &WorldOverview{World: e.World, Text: e.World.AWS.String()}
	}
	if len(events) > 0 {
		a.Begun = events[0].At
	}
	end := now
	if e.Ended != nil {
		end = e.Ended.At
		a.Ended = &e.Ended.At
	}
	a.Seconds = int(Scaled(end.Sub(a.Begun), speed).Seconds())
	step := recovery.Next(e, now)
	a.State, a.Reason = stateOf(e, step)
	for _, q := range questionsOf(e, step) {
		a.Questions = append(a.Questions, QuestionOverview(q))
	}
	for _, q := range e.Answerable(now) {
		if !slices.ContainsFunc(a.Questions, func(asked QuestionOverview) bool { return asked.ID == q.ID }) {
			a.Ahead = append(a.Ahead, QuestionOverview(q))
		}
	}
	if err := e.CheckLog(events); err != nil {
		a.Damage = err.Error()
	}
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
	slices.SortFunc(a.Waves, func(a, b WaveOverview) int { return cmp.Compare(a.Number, b.Number) })
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

// stateOf says in one word and in some how an execution stands.
func stateOf(e *recovery.Execution, step recovery.Step) (state, reason string) {
	switch {
	case e.Ended != nil:
		return string(e.Ended.Outcome), e.Ended.Reason
	case e.Waves == nil:
		return stateRunning, "its waves are started event by event, without a plan; what became of their servers is known after poll_wave_status"
	case e.Cancel != nil:
		return stateCancelling, step.Reason
	}
	q, interrupted := e.Interruption()
	switch waits := step.Action == recovery.DoAwaitDecision; {
	case interrupted && waits:
		return stateInterrupted, q.Text
	case interrupted:
		return stateInterrupted, fmt.Sprintf("%s; nobody looks after this until it is resumed: %s", q.Text, step.Reason)
	case waits:
		return stateWaiting, step.Reason
	}
	return stateRunning, step.Reason
}

// questionsOf is what people may answer now: what the execution waits for, and
// whether it goes on where it was interrupted, although jobs run.
func questionsOf(e *recovery.Execution, step recovery.Step) []recovery.Question {
	switch q, interrupted := e.Interruption(); {
	case e.Ended != nil || e.Waves == nil || e.Cancel != nil:
		return nil
	case step.Action == recovery.DoAwaitDecision:
		return step.Decisions
	case interrupted:
		return []recovery.Question{q}
	}
	return nil
}

func waveOf(e *recovery.Execution, r *recovery.WaveRecord, plan *recovery.Plan, events []recovery.Event, speed float64, now time.Time) WaveOverview {
	w := WaveOverview{Number: r.Number, Name: r.Name, Status: e.Status(r, now), Planned: r.Servers, Fates: []ServerOverview{}}
	var began, last time.Time
	for _, ev := range events {
		if wave, is := ev.About(); !is || wave != r.Number {
			continue
		}
		switch ev.Kind {
		case recovery.EventStarted, recovery.EventAdopted:
			if began.IsZero() {
				began = ev.At
			}
		case recovery.EventCompleted, recovery.EventFailed, recovery.EventTimedOut:
			last = ev.At
		}
	}
	if !w.Over() || last.IsZero() {
		last = now
	}
	if !began.IsZero() {
		w.Seconds = int(Scaled(last.Sub(began), speed).Seconds())
	}
	at := e.Attempt(r.Number)
	if at == nil {
		return w
	}
	w.Attempt, w.JobID = at.Attempt, at.JobID
	if at.Refusal != nil && at.State == recovery.Refused {
		w.Reason = at.Refusal.Message
	}
	if why := at.Blind(); why != nil {
		w.Reason = why.Message
	}
	hosts := map[recovery.SourceServerID]string{}
	if p := plan.Wave(r.Number); p != nil {
		for _, s := range p.Servers {
			hosts[s.ID] = s.Hostname
		}
	}
	for _, o := range at.Fates() {
		if o.Launched() {
			w.Launched++
		}
		w.Fates = append(w.Fates, ServerOverview{o, hosts[o.Server]})
	}
	return w
}

// Over says whether nothing more happens to the wave by itself.
func (w *WaveOverview) Over() bool {
	return w.Status != recovery.StatusRunning && w.Status != recovery.StatusStarting && w.Status != recovery.StatusPending
}

// Scaled is how long something would have taken in AWS.
func Scaled(d time.Duration, speed float64) time.Duration {
	if speed <= 0 {
		return d
	}
	return time.Duration(float64(d) * speed)
}
