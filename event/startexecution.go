package event

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"muster/orchestrator"
	"muster/recovery"
)

// opening is what start_execution asks for.
type opening struct {
	planID    recovery.PlanID
	version   int64          // of the stored plan that is meant; 0: whichever stands
	plan      *recovery.Plan // that came with the event; nil: the stored one
	execution recovery.ExecutionID
	orchestrator.Begin
}

// startExecution begins an execution in the record, and then the run of the
// state machine that drives it. Where the execution is there already, only the
// run is started that might be missing: twice is once.
func (a *ask) startExecution() (any, error) {
	o := a.opening()
	if err := a.invalid(); err != nil {
		return nil, err
	}
	if a.Runs == nil {
		return nil, noWorkflow()
	}
	e, err := a.Starter.Execution(a.ctx, o.execution)
	if err != nil {
		return nil, err
	}
	if err := a.Operator.MayDrive(a.ctx, e); err != nil {
		return nil, err
	}
	if e.Version == 0 {
		e, err = a.open(o)
	} else {
		err = a.same(o, e)
	}
	if err != nil {
		return nil, err
	}
	a.execution = e.ID
	started := false
	if e.Ended == nil && !e.Driver.Drives(a.now()) {
		if started, err = a.drive(e); err != nil {
			return nil, err
		}
	}
	return struct {
		progress
		Started bool `json:"started"` // by this event; false: it was there
	}{a.progress(e), started}, nil
}

// opening reads the event.
func (a *ask) opening() (o opening) {
	planID, byID := a.mayText("planId")
	doc, inline := a.known["plan"], a.known["plan"].given()
	switch {
	case byID == inline:
		a.add("planId", "or plan is needed, one of the two: the id of a stored plan (list_plans), or a plan itself")
	case byID:
		o.planID = recovery.PlanID(planID)
		a.check("planId", o.planID.Check())
		o.version = int64(a.mayWhole("planVersion", 1, mostWhole))
	default:
		if o.plan = a.planDocument("plan", doc); o.plan != nil {
			o.planID = o.plan.ID
		}
		if a.known["planVersion"].given() {
			a.add("planVersion", "is of a stored plan, and the event brings its own")
		}
	}
	a.must("executionType", &o.Type)
	if o.Type == recovery.Recovery && o.planID != "" {
		a.confirmed("confirm", string(o.planID), "a RECOVERY launches servers in earnest")
	}
	r := a.request()
	o.InitiatedBy, o.RequestID, o.StartTime = r.By, r.RequestID, r.At.UTC().Format(time.RFC3339)
	if id, given := a.mayText("executionId"); given {
		o.execution = recovery.ExecutionID(id)
		a.check("executionId", o.execution.CheckDriven())
	} else {
		o.execution = NewExecutionID(o.planID, r.At)
	}
	o.PollEvery, o.Policy, o.Replace, o.Gone = a.pollEvery(), a.policy(), a.replace(), a.gone(o.InitiatedBy, o.StartTime)
	return o
}

// confirmed holds something that cannot be taken back to being meant.
func (a *ask) confirmed(key, want, what string) {
	switch got, _ := a.mayText(key); got {
	case want:
	case "":
		a.addf(key, "is missing: %s; to say that this is meant it must be %s", what, recovery.Quote(want))
	default:
		a.addf(key, "is %s, and must be %s: %s", recovery.Quote(got), recovery.Quote(want), what)
	}
}

// NewExecutionID makes an id that says what it is of and when it began.
func NewExecutionID(plan recovery.PlanID, now time.Time) recovery.ExecutionID {
	name := strings.TrimPrefix(string(plan), "rp-")
	return recovery.ExecutionID(fmt.Sprintf("exec-%s-%s-%s", name[:min(len(name), 40)], now.UTC().Format("20060102-150405"), strings.ToLower(rand.Text()[:4])))
}

// same holds an execution that is there already to being the one that is asked
// for. What a store holds by id may have changed since, and says nothing.
func (a *ask) same(o opening, e *recovery.Execution) error {
	same := e.Plan == o.planID && e.Type == o.Type && e.Waves != nil
	if same && o.plan != nil && len(o.plan.GroupsNeeded()) == 0 {
		settled, err := a.settled(o)
		if err != nil {
			return err
		}
		digests, err := settled.Digests()
		if err != nil {
			return err
		}
		same = digests.Of(e.Digest)
	}
	if same {
		return nil
	}
	return recovery.Errorf(recovery.WrongState, "there is an execution %s already, another one: a %s of plan %s by %s; give another executionId, or none",
		e.ID, e.Type, e.Plan, recovery.Quote(e.InitiatedBy))
}

// open settles the plan and begins the execution in the record.
func (a *ask) open(o opening) (*recovery.Execution, error) {
	plan, err := a.settled(o)
	if err != nil {
		return nil, err
	}
	o.Begin.Execution, o.Begin.Plan = o.execution, plan
	likely := recovery.Execution{ID: o.execution, Plan: plan.ID, Type: o.Type, InitiatedBy: o.InitiatedBy, StartTime: o.StartTime, Replace: o.Replace}
	if size := len(input(&likely, plan)) + (&readPlan{plan: plan}).growth(); size > mostState {
		return nil, recovery.Errorf(recovery.ValidationError, "plan %s would make a state of %d bytes, more than %d: make fewer waves of it", plan.ID, size, mostState)
	}
	return a.Starter.Begin(a.ctx, o.Begin)
}

// settled gives the plan that is meant, with what its groups have in the store.
func (a *ask) settled(o opening) (*recovery.Plan, error) {
	plan := o.plan
	if plan == nil {
		stored, err := a.storedPlan(o.planID)
		if err != nil {
			return nil, err
		}
		if o.version != 0 && o.version != stored.Version {
			return nil, recovery.Errorf(recovery.Superseded, "plan %s has version %d now, put by %s at %s, and not version %d: look at it (get_plan) before it is started",
				o.planID, stored.Version, recovery.Quote(stored.By), stored.At.Format(time.RFC3339), o.version)
		}
		plan = stored.Thing
	}
	groups := map[recovery.ProtectionGroupID]*recovery.PlannedGroup{}
	for _, id := range plan.GroupsNeeded() {
		g, err := recovery.Groups.Get(a.ctx, a.Plans, string(id))
		if err != nil {
			return nil, err
		}
		if g != nil {
			groups[id] = g.Thing
		}
	}
	if o.plan != nil {
		if err := plan.CheckBorrowed(groups); err != nil {
			return nil, err
		}
	}
	return plan.Settle(groups)
}

// input is what a run of the state machine is given: small, the same for every
// run of the execution, and without a secret. The record has the rest.
func input(e *recovery.Execution, plan *recovery.Plan) []byte {
	state := StateOf(Opening{Plan: plan, Execution: e.ID, Type: e.Type, InitiatedBy: e.InitiatedBy, StartTime: e.StartTime, Brief: true})
	var more []Field
	if e.PollEvery != 0 {
		more = append(more, Field{"pollSeconds", encode(seconds(e.PollEvery))})
	}
	if p := cmp.Or(e.Policy, recovery.Continuous); p != recovery.Continuous {
		more = append(more, Field{"readinessPolicy", encode(p)})
	}
	if len(e.Replace) > 0 {
		more = append(more, Field{"replaceLiveInstances", encode(e.Replace)})
	}
	return State{document(state)}.Patch(more...)
}

// drive starts the execution's newest run, unless it is there.
func (a *ask) drive(e *recovery.Execution) (started bool, err error) {
	plan, err := a.Records.Plan(a.ctx, e.ID)
	if err != nil {
		return false, err
	}
	if plan == nil {
		return false, fmt.Errorf("execution %s was opened, and its frozen plan is not there", e.ID)
	}
	started, err = a.Runs.Start(a.ctx, e.RunName(), input(e, plan))
	return started, a.workflowFailure(e.ID, "the execution is in the record, and no run of the state machine could be started that drives it", err)
}

// workflowFailure makes an answer of what a state machine's service refused.
func (a *ask) workflowFailure(id recovery.ExecutionID, what string, err error) error {
	refused, is := errors.AsType[*recovery.ServiceError](err)
	if !is {
		return err
	}
	return &recovery.Error{Code: recovery.WorkflowError, Retryable: refused.Retryable, Err: err,
		Message: fmt.Sprintf("execution %s: %s: %s; the same event, with this executionId, tries again", id, what, refused)}
}

func noWorkflow() error {
	return recovery.Errorf(recovery.WorkflowError, "there is no state machine here that could drive an execution: set MUSTER_STATE_MACHINE to the ARN of the one that is deployed")
}

// progress is how an execution stands, in short.
type progress struct {
	ID    recovery.ExecutionID   `json:"executionId"`
	Plan  recovery.PlanID        `json:"planId"`
	Type  recovery.ExecutionType `json:"executionType"`
	State string                 `json:"state"` // as get_execution has it
	Step  json.RawMessage        `json:"nextStep"`
}

func (h Handler) progress(e *recovery.Execution) progress {
	step := recovery.Next(e, h.now())
	state, _ := stateOf(e, step)
	return progress{e.ID, e.Plan, e.Type, state, nextStep(step).Value}
}
