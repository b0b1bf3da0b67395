package event

import (
	"errors"
	"strings"
	"time"

	"muster/recovery"
)

// mostOverview is how many bytes of an execution one answer tells: servers
// first, then as many events as fit, and at least one. Lambda takes 6 MB.
const mostOverview = 4 << 20

// overviewAnswer is an execution as far as one answer can tell it.
type overviewAnswer struct {
	*Overview
	// Omitted are waves whose servers were left out; waveNumber asks for one.
	Omitted []int `json:"serverOutcomesOmitted,omitempty"`
	// EventsAfter is the last event that was told, where more are behind it.
	EventsAfter int64 `json:"eventsAfter,omitempty"`
}

// getExecution tells all that the record says of an execution.
func (a *ask) getExecution() (any, error) {
	id := a.needID()
	after := int64(a.mayWhole("eventsAfter", 0, mostWhole))
	only := noWave
	if v := a.known["waveNumber"]; v.given() {
		n, wrong := waveNumber(v)
		if wrong != "" {
			a.add("waveNumber", wrong)
		}
		only = n
	}
	if err := a.invalid(); err != nil {
		return nil, err
	}
	o, e, err := readOverview(a.ctx, a.Records, id, a.now())
	if refusal, is := errors.AsType[*recovery.Error](err); is && refusal.Code == recovery.NotFound {
		u, readErr := readUnbegun(a.ctx, a.Records, id)
		if u != nil || readErr != nil {
			if readErr != nil {
				return nil, readErr
			}
			return overviewAnswer{Overview: u.overview()}, nil
		}
	}
	if err != nil {
		return nil, err
	}
	var last time.Time
	if n := len(o.Events); n > 0 {
		last = o.Events[n-1].At
	}
	o.Driver = a.told(a.ctx, e, last)
	if o.World != nil && a.Elsewhere != nil {
		o.World.Elsewhere = a.Elsewhere(a.ctx, o.World.World)
	}
	answer := overviewAnswer{Overview: o}
	if only != noWave && !answer.keep(only) {
		return nil, recovery.Errorf(recovery.NotFound, "execution %s has no wave %d", id, only)
	}
	answer.fit(after)
	return answer, nil
}

// keep leaves out all waves but one.
func (a *overviewAnswer) keep(wave int) bool {
	for i := range a.Waves {
		if a.Waves[i].Number == wave {
			a.Waves = a.Waves[i : i+1]
			return true
		}
	}
	return false
}

// fit leaves out what one answer cannot hold: of waves that are over first,
// what became of their servers; then of the rest; and events that the next
// answer can tell. The newest that are asked for come last.
func (a *overviewAnswer) fit(after int64) {
	events := a.Events
	a.Events = nil
	size := len(encode(a))
	for _, over := range []bool{true, false} {
		for i := range a.Waves {
			w := &a.Waves[i]
			if size <= mostOverview || len(a.Waves) == 1 || w.Over() != over || len(w.Fates) == 0 {
				continue
			}
			size -= len(encode(w.Fates))
			w.Fates = []ServerOverview{}
			a.Omitted = append(a.Omitted, w.Number)
		}
	}
	for i, ev := range events {
		if ev.Number <= after {
			continue
		}
		if size += len(encode(ev)); size > mostOverview && len(a.Events) > 0 {
			a.EventsAfter = events[i-1].Number
			return
		}
		a.Events = append(a.Events, ev)
	}
}

// executionLine is an execution's line in a list.
type executionLine struct {
	ID     recovery.ExecutionID   `json:"executionId"`
	Plan   recovery.PlanID        `json:"planId"`
	Type   recovery.ExecutionType `json:"executionType"`
	By     string                 `json:"initiatedBy"`
	Begun  string                 `json:"startTime"`
	State  string                 `json:"state"`
	Reason string                 `json:"reason"`
	Ended  *time.Time             `json:"ended,omitempty"`
	Driver *DriverOverview        `json:"driver,omitempty"` // of one that has not ended
}

const (
	// mostExecutions is how many executions a list may have; more than one
	// answer holds are left out of it.
	mostExecutions = 1000
	// mostSearched is how many are looked through for those of a prefix.
	mostSearched = 10_000
)

// listExecutions lists executions, those that changed last first.
func (a *ask) listExecutions() (any, error) {
	most := a.mayWhole("limit", 1, mostExecutions)
	if most == 0 {
		most = usuallyListed
	}
	prefix, _ := a.mayText("executionIdPrefix")
	checkLogs := a.mayBool("checkLogs")
	if err := a.invalid(); err != nil {
		return nil, err
	}
	searched := most
	if prefix != "" {
		searched = mostSearched
	}
	all, err := a.Records.Executions(a.ctx, searched)
	if err != nil {
		return nil, err
	}
	lines, size := []executionLine{}, 0
	for i := range all {
		if len(lines) == most || size > mostOverview {
			break
		}
		if !strings.HasPrefix(string(all[i].ID), prefix) {
			continue
		}
		line, err := a.line(&all[i], checkLogs)
		if err != nil {
			return nil, err
		}
		lines, size = append(lines, line), size+len(encode(line))
	}
	return struct {
		Executions []executionLine `json:"executions"`
	}{lines}, nil
}

// line tells an execution in a line. How one stands that has not ended its
// attempts say, which a list does not hold. One that is damaged does not keep
// the others from being told.
func (a *ask) line(e *recovery.Execution, checkLog bool) (executionLine, error) {
	l := executionLine{ID: e.ID, Plan: e.Plan, Type: e.Type, By: e.InitiatedBy, Begun: e.StartTime}
	whole, err := e, error(nil)
	switch {
	case checkLog:
		var log []recovery.Event
		if whole, log, err = readWhole(a.ctx, a.Records, e.ID); err == nil {
			err = whole.CheckLog(log)
		}
	case e.Ended == nil:
		whole, err = a.Starter.Execution(a.ctx, e.ID)
	}
	if recovery.Unreadable(err) {
		l.State, l.Reason = StateDamaged, err.Error()
		return l, nil
	}
	if err != nil {
		return l, err
	}
	l.State, l.Reason = stateOf(whole, recovery.Next(whole, a.now()))
	if whole.Ended != nil {
		l.Ended = &whole.Ended.At
	}
	l.Driver = a.told(a.ctx, whole, time.Time{})
	return l, nil
}
