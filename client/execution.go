package client

import (
	"context"
	"time"

	"muster/event"
	"muster/recovery"
)

// Start asks for an execution of a plan: of one that is stored, or of one that
// comes along.
type Start struct {
	PlanID      recovery.PlanID           `json:"planId,omitempty"`
	PlanVersion int64                     `json:"planVersion,omitempty"` // of the stored plan; 0: whichever stands
	Plan        any                       `json:"plan,omitempty"`        // a document: *recovery.PlanDocument, or JSON
	Type        recovery.ExecutionType    `json:"executionType"`
	ID          recovery.ExecutionID      `json:"executionId,omitempty"` // ""; a new one. By one that is given a lost answer can be asked for again
	By          string                    `json:"by"`
	Confirm     recovery.PlanID           `json:"confirm,omitempty"`     // the plan's id, which a RECOVERY needs
	PollSeconds int                       `json:"pollSeconds,omitempty"` // between two looks at running jobs; 0: by their age
	Policy      recovery.ReadinessPolicy  `json:"readinessPolicy,omitempty"`
	Replace     []recovery.InstanceID     `json:"replaceLiveInstances,omitempty"`
	Gone        []recovery.SourceServerID `json:"treatAsGone,omitempty"`
}

// Progress is how an execution stands, in short.
type Progress struct {
	ID    recovery.ExecutionID   `json:"executionId"`
	Plan  recovery.PlanID        `json:"planId"`
	Type  recovery.ExecutionType `json:"executionType"`
	State string                 `json:"state"` // as event.Overview has it
	// Started says that this call started what drives it; false: it was there,
	// or nothing had to be.
	Started bool `json:"started"`
}

// StartExecution begins an execution in the record, and starts what drives it.
// The same Start again, with its ID, begins no second one.
func (c Client) StartExecution(ctx context.Context, s Start) (Progress, error) {
	return ask[Progress](ctx, c, "start_execution", s)
}

// NoEvents is behind the number of every event.
const NoEvents = 999_999_999

type look struct {
	ID    recovery.ExecutionID `json:"executionId"`
	After int64                `json:"eventsAfter"`
	Wave  *int                 `json:"waveNumber,omitempty"`
}

type told struct {
	event.Overview
	Omitted []int `json:"serverOutcomesOmitted"` // waves
	More    int64 `json:"eventsAfter"`           // 0: no events are behind those that were told
}

// Execution tells all that the record says of an execution, however large.
func (c Client) Execution(ctx context.Context, id recovery.ExecutionID) (*event.Overview, error) {
	o, omitted, err := c.look(ctx, id, 0)
	for _, wave := range omitted {
		one, err := ask[told](ctx, c, "get_execution", look{id, NoEvents, &wave})
		if err != nil {
			return nil, err
		}
		for i := range o.Waves {
			if o.Waves[i].Number == wave && len(one.Waves) == 1 {
				o.Waves[i] = one.Waves[0]
			}
		}
	}
	return o, err
}

// EventsAfter tells how an execution stands, with the events behind the one of
// a number. Of a large execution it may leave out what became of servers.
func (c Client) EventsAfter(ctx context.Context, id recovery.ExecutionID, after int64) (*event.Overview, error) {
	o, _, err := c.look(ctx, id, after)
	return o, err
}

func (c Client) look(ctx context.Context, id recovery.ExecutionID, after int64) (*event.Overview, []int, error) {
	var events []recovery.Event
	for {
		t, err := ask[told](ctx, c, "get_execution", look{ID: id, After: after})
		if err != nil {
			return nil, nil, err
		}
		if events = append(events, t.Events...); t.More == 0 {
			t.Events = events
			return &t.Overview, t.Omitted, nil
		}
		after = t.More
	}
}

// List says which executions are listed.
type List struct {
	Limit  int    `json:"limit,omitempty"`             // at most so many; 0: 50
	Prefix string `json:"executionIdPrefix,omitempty"` // those whose ids begin so; "": all
	// CheckLogs reads the logs, too, and tells of those that were cut or edited.
	CheckLogs bool `json:"checkLogs,omitempty"`
}

// Line is an execution's line in a list.
type Line struct {
	ID     recovery.ExecutionID   `json:"executionId"`
	Plan   recovery.PlanID        `json:"planId"`
	Type   recovery.ExecutionType `json:"executionType"`
	By     string                 `json:"initiatedBy"`
	Begun  string                 `json:"startTime"` // RFC 3339, unless whoever began it said something else
	State  string                 `json:"state"`     // as event.Overview has it
	Reason string                 `json:"reason"`
	Ended  *time.Time             `json:"ended,omitempty"`
	Driver *event.DriverOverview  `json:"driver,omitempty"` // of one that has not ended; nil: nobody drives it
}

// Executions lists executions, those that changed last first.
func (c Client) Executions(ctx context.Context, l List) ([]Line, error) {
	answer, err := ask[struct {
		Executions []Line `json:"executions"`
	}](ctx, c, "list_executions", l)
	return answer.Executions, err
}
