package event

import (
	"context"
	"encoding/json"
	"time"

	"muster/recovery"
)

// stateNotBegun is of an execution that an earlier version of Muster was to
// begin, and whose driver stopped before: resume begins it.
const stateNotBegun = "NOT_BEGUN"

// unbegun is what such an execution begins with.
type unbegun struct {
	readPlan
	speed float64
}

// readUnbegun reads it; nil where there is none of that id. Only a record that
// has kept journals of drivers has any.
func readUnbegun(ctx context.Context, r Records, id recovery.ExecutionID) (*unbegun, error) {
	kept, is := r.(interface {
		Unbegun(context.Context, recovery.ExecutionID) ([]byte, error)
	})
	if !is {
		return nil, nil
	}
	state, err := kept.Unbegun(ctx, id)
	if err != nil || state == nil {
		return nil, err
	}
	var p problems
	u := &unbegun{readPlan: p.plan(document(state))}
	if p.count > 0 {
		return nil, recovery.Errorf(recovery.ValidationError, "what execution %s begins with: %s", id, &p)
	}
	var simulated struct{ Simulation struct{ Speed float64 } }
	_ = json.Unmarshal(state, &simulated) // its form was checked above
	u.speed = simulated.Simulation.Speed
	return u, nil
}

// overview tells it.
func (u *unbegun) overview() *Overview {
	o := &Overview{ID: u.execution, Plan: u.plan.ID, PlanName: u.plan.Name, Type: u.kind, By: u.initiatedBy, State: stateNotBegun, Speed: u.speed,
		Reason: "its driver was stopped before it began; resume begins it", Waves: []WaveOverview{}, Driver: &DriverOverview{Kind: drivenByNobody}}
	o.Begun, _ = time.Parse(time.RFC3339, u.startTime) // the state may say something else
	for i := range u.plan.Waves {
		o.Servers += len(u.plan.Waves[i].Servers)
	}
	return o
}

// begun begins an execution that was not begun yet. A recovery takes what
// begins one.
func (a *ask) begun(id recovery.ExecutionID, confirm string) error {
	e, err := a.Starter.Execution(a.ctx, id)
	if err != nil || e.Version > 0 {
		return err
	}
	u, err := readUnbegun(a.ctx, a.Records, id)
	switch {
	case err != nil || u == nil:
		return err
	case a.Runs == nil:
		return noWorkflow()
	case u.kind == recovery.Recovery && confirm != string(u.plan.ID):
		return recovery.Errorf(recovery.NotConfirmed, "execution %s is a RECOVERY that was not begun yet, and launches servers in earnest; to say that this is meant, confirm must be %s", id, recovery.Quote(string(u.plan.ID)))
	}
	_, err = a.Handler.begin(a.ctx, &u.readPlan)
	return err
}
