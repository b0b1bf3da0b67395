package event

import (
	"bytes"
	"context"
	"errors"

	"muster/orchestrator"
	"muster/recovery"
)

// Operator does what people ask for. The orchestrator is one. Everything may
// be asked for twice. A *recovery.Error is an answer; any other error means
// that the same event must be delivered again.
type Operator interface {
	// MayDrive refuses an execution that belongs elsewhere.
	MayDrive(context.Context, *recovery.Execution) error
	// Decide records a decision, and Pause that nothing new is to be started.
	Decide(context.Context, recovery.ExecutionID, recovery.Decision) error
	Pause(context.Context, recovery.ExecutionID, recovery.Request) ([]orchestrator.Marked, error)
	// NextRun makes the run behind the given one an execution's newest.
	NextRun(ctx context.Context, id recovery.ExecutionID, after int, r recovery.Request) (*recovery.Execution, error)
	// Evict makes the process that drives an execution stop.
	Evict(ctx context.Context, e *recovery.Execution, r recovery.Request) error
	// RunStopped records that a run ended and the execution did not.
	RunStopped(ctx context.Context, id recovery.ExecutionID, run int, why string) (e *recovery.Execution, recorded bool, err error)
	// Cleanup terminates what an execution launched.
	Cleanup(context.Context, orchestrator.Cleanup) (*orchestrator.Cleaned, error)
}

// operation is something that people, and programs for them, may ask for.
type operation struct {
	alias Alias    // by which it may be asked for
	takes []string // its parameters
	do    func(*ask) (answer any, err error)
}

// ask is an operation event that is being answered.
type ask struct {
	fields // the event's members
	Handler
	ctx context.Context
	// execution is which one it is about where the event does not say.
	execution recovery.ExecutionID
}

// operations are what there is. A new one says by which alias it may be asked
// for.
var operations = map[string]operation{
	"start_execution": {Operate, []string{"planId", "planVersion", "plan", "executionType", "executionId", "by", "confirm",
		"pollSeconds", "readinessPolicy", "replaceLiveInstances", "treatAsGone"}, (*ask).startExecution},
	"get_execution":         {Read, []string{"executionId", "waveNumber", "eventsAfter"}, (*ask).getExecution},
	"list_executions":       {Read, []string{"limit", "executionIdPrefix", "checkLogs"}, (*ask).listExecutions},
	"pause":                 {Operate, []string{"executionId", "by", "reason"}, (*ask).pause},
	"resume":                {Operate, []string{"executionId", "question", "questions", "by", "reason", "confirm", "takeOver"}, (*ask).resume},
	"decide":                {Operate, []string{"executionId", "question", "choice", "waveNumber", "excludeServers", "treatAsGone", "by", "reason", "confirm"}, (*ask).decide},
	"cancel_execution":      {Operate, []string{"executionId", "by", "reason"}, (*ask).cancelExecution},
	"terminate_instances":   {Operate, []string{"executionId", "recovery", "confirm", "by"}, (*ask).terminateInstances},
	"put_plan":              {Operate, []string{"plan", "replaces", "by"}, (*ask).putPlan},
	"get_plan":              {Read, []string{"planId"}, (*ask).getPlan},
	"list_plans":            {Read, []string{"after", "limit"}, (*ask).listPlans},
	"put_group":             {Operate, []string{"group", "replaces", "by"}, (*ask).putGroup},
	"get_group":             {Read, []string{"protectionGroupId"}, (*ask).getGroup},
	"list_groups":           {Read, []string{"after", "limit"}, (*ask).listGroups},
	"execution_interrupted": {Orchestrate, []string{"name", "status", "executionArn", "error", "cause"}, (*ask).executionInterrupted},
}

// operate answers an operation event.
func (e event) operate(ctx context.Context, h Handler, op operation) ([]byte, error) {
	known := keySet(append([]string{"operation"}, op.takes...)...)
	a := &ask{fields: e.problems.fields("", e.doc, known), Handler: h, ctx: ctx}
	a.onlyParameters(e.doc, op.takes)
	answer, err := op.do(a)
	if errors.Is(err, recovery.ErrDamaged) {
		err = recovery.Errorf(recovery.RecordDamaged, "%v", err)
	}
	if refusal, is := errors.AsType[*recovery.Error](err); is {
		e.began = a.execution
		return e.fail(refusal), nil
	}
	if err != nil {
		return nil, err
	}
	return e.succeed(answer), nil
}

// onlyParameters notes what the operation does not take: a misspelt parameter
// must not be let pass as one that was left out.
func (a *ask) onlyParameters(doc value, takes []string) {
	known := keySet(takes...)
	var rest []string
	for m := range doc.members() {
		if key := m.name(); key != "operation" && key != "action" && !known[key] {
			rest = append(rest, visible(clip(m.key.text(), 64)))
		}
	}
	a.unknown(rest, takes)
}

// mostOperation is the most bytes that an operation's answer may have: Lambda
// takes 6 MB.
const mostOperation = 5 << 20

// succeed is the answer of an operation that was done: an object, with its
// status first.
func (e event) succeed(answer any) []byte {
	out := bytes.Replace(encode(answer), []byte("{"), []byte(`{"statusCode":200,`), 1)
	if len(out) > mostOperation {
		return e.fail(recovery.Errorf(recovery.ValidationError, "the answer would have %d bytes, more than %d", len(out), mostOperation))
	}
	return out
}

// statusCode says in HTTP's words whose mistake a failure is: the event's
// (400 to 404), that it does not fit what there is now (409), ours (500), or
// that AWS refused or did not answer (502).
func statusCode(c recovery.Code) int {
	switch c {
	case recovery.NotAllowed:
		return 403
	case recovery.NotFound:
		return 404
	case recovery.WrongState, recovery.WrongWorld, recovery.NotConfirmed, recovery.Superseded, recovery.PlanInProgress:
		return 409
	case recovery.RecordDamaged:
		return 500
	case recovery.DRSAPIError, recovery.CrossAccountError, recovery.WorkflowError:
		return 502
	}
	return 400
}

// invalid is the refusal that names everything that is wrong; nil where
// nothing is.
func (a *ask) invalid() error {
	if a.count == 0 {
		return nil
	}
	return recovery.Errorf(recovery.ValidationError, "%s", a.problems)
}

// needID reads the id of the execution that it is about.
func (a *ask) needID() (id recovery.ExecutionID) {
	a.must("executionId", &id)
	return id
}

// request reads who asks, and why.
func (a *ask) request() recovery.Request {
	r := recovery.Request{By: a.needText("by", recovery.CheckText), At: a.now(), RequestID: a.Caller.RequestID}
	if a.known["reason"].given() {
		r.Reason = a.needText("reason", recovery.CheckText)
	}
	return r
}

// record reads the record of an execution that begin_execution opened, or that
// start_execution did.
func (a *ask) record(id recovery.ExecutionID) (*recovery.Execution, error) {
	e, err := a.Starter.Execution(a.ctx, id)
	switch {
	case err != nil:
		return nil, err
	case e.Version == 0:
		return nil, recovery.Errorf(recovery.NotFound, "there is no execution %s; list_executions names those that there are", id)
	case e.Waves == nil:
		return nil, recovery.Errorf(recovery.WrongState, "execution %s was begun by the start of a wave, without a plan: it is driven by whoever sends those events, and can only be looked at here", id)
	}
	return e, nil
}
