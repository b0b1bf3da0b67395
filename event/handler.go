package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"muster/orchestrator"
	"muster/recovery"
)

// Starter starts waves and keeps the record of executions. The orchestrator is
// one. Everything may be asked for twice. A *recovery.Error is an answer; any
// other error means that the same event must be delivered again.
type Starter interface {
	// StartWave starts the wave's job, once, however often it is asked to.
	StartWave(context.Context, recovery.WaveStart) (*orchestrator.Started, error)
	// Begin opens an execution of a plan, or goes on with one.
	Begin(context.Context, orchestrator.Begin) (*recovery.Execution, error)
	// Continue goes on with an execution that was opened before; of its plan
	// the id is enough.
	Continue(context.Context, orchestrator.Begin) (*recovery.Execution, error)
	// RecordRefusal puts a refused start into the record.
	RecordRefusal(context.Context, recovery.ExecutionID, int, recovery.Refusal) (*recovery.Execution, error)
	// Poll looks at jobs under way. It may give the execution and an error:
	// what could be seen, and why the rest could not.
	Poll(context.Context, orchestrator.Poll) (*recovery.Execution, error)
	// Interrupt records that the driver stopped, and why.
	Interrupt(context.Context, recovery.ExecutionID, string) (*recovery.Execution, error)
	// Await records that people are asked, and the token of the task that waits.
	Await(ctx context.Context, id recovery.ExecutionID, token recovery.Secret, run int) (*recovery.Execution, error)
	// Finish records the end, if the execution is at its end.
	Finish(context.Context, recovery.ExecutionID) (*recovery.Execution, error)
	// Execution reads the record; of version 0 where there is none.
	Execution(context.Context, recovery.ExecutionID) (*recovery.Execution, error)
}

// Workflow is the state machine that gave out a task's token.
type Workflow interface {
	// Succeed completes the task. A token that has expired, or was answered
	// already, is no error. The token is a secret.
	Succeed(ctx context.Context, token string, output []byte) error
}

// Runs are those of the state machine that drives executions, one at a time
// for each. Their errors are *recovery.ServiceError.
type Runs interface {
	// Start starts the run of a name. One of that name that was there already
	// is no error, and started is false then where that can be told.
	Start(ctx context.Context, name string, input []byte) (started bool, err error)
	// Running says whether the run of a name is under way, and whether there is
	// or was one at all.
	Running(ctx context.Context, name string) (running, known bool, err error)
}

// Handler answers events. Its Invoke is what a Lambda function calls.
type Handler struct {
	Starter  Starter
	Workflow Workflow         // nil: there is nobody to tell
	Now      func() time.Time // the Starter's own clock; nil: time.Now

	// Of operations.
	Operator Operator
	Records  Records
	Plans    recovery.PlanStore
	Runs     Runs // nil: nothing can be started
	// Gone says that a driver which was seen of late is not there any more: a
	// process of this machine that was killed, say. nil: nobody knows.
	Gone func(recovery.Driver) bool
	// Elsewhere says in words why a world is not the one that is acted in here,
	// "" where it is; nil: that is not known.
	Elsewhere func(context.Context, recovery.World) string
	Caller    Caller
}

func (h Handler) now() time.Time {
	if h.Now != nil {
		return h.Now()
	}
	return time.Now()
}

// Invoke answers one event. A business failure is an answer, a JSON value
// like any other. An error leaves only when it cannot be known, or could not
// be recorded, what happened; then the same event must be delivered again,
// which is always safe.
func (h Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if !json.Valid(payload) {
		return event{}.fail(recovery.Errorf(recovery.ValidationError, "the event is %s", notJSON(payload))), nil
	}
	e := read(payload)
	if at := invalidUTF8(payload); at >= 0 {
		return e.fail(recovery.Errorf(recovery.ValidationError, "the event is not UTF-8 text: byte 0x%02x at offset %d", payload[at], at)), nil
	}
	return e.route(ctx, h)
}

// action is something that a state machine may ask for.
type action struct {
	alias Alias // by which it may be asked for
	do    func(event, context.Context, Handler) ([]byte, error)
}

// actions are what there is.
var actions = map[string]action{
	"begin_execution":     {Orchestrate, event.begin},
	"start_wave_recovery": {Orchestrate, event.startWave},
	"record_wave_refusal": {Orchestrate, event.recordRefusal},
	"poll_wave_status":    {Orchestrate, event.poll},
	"await_decision":      {Orchestrate, event.await},
	"finish_execution":    {Orchestrate, event.finish},
}

// route finds who answers: an action's name decides, without one an
// operation's.
func (e event) route(ctx context.Context, h Handler) ([]byte, error) {
	switch {
	case e.problems.count > 0:
		return e.fail(recovery.Errorf(recovery.ValidationError, "%s", &e.problems)), nil
	case e.action != "":
		if action, ok := actions[e.action]; ok {
			if err := h.Caller.admit("action", e.action, action.alias); err != nil {
				return e.refused(err)
			}
			return action.do(e, ctx, h)
		}
		return e.fail(recovery.Errorf(recovery.UnknownAction, "action %s is not supported; there are: %s", recovery.Quote(e.action), names(actions))), nil
	case e.operation != "":
		if operation, ok := operations[e.operation]; ok {
			if err := h.Caller.admit("operation", e.operation, operation.alias); err != nil {
				return e.refused(err)
			}
			return e.operate(ctx, h, operation)
		}
		return e.fail(recovery.Errorf(recovery.UnknownOperation, "operation %s is not supported; there are: %s", recovery.Quote(e.operation), names(operations))), nil
	}
	return e.fail(recovery.Errorf(recovery.UnknownEvent, "%s; actions: %s; operations: %s", e.unnamed, names(actions), names(operations))), nil
}

func names[T any](m map[string]T) string { return sorted(slices.Collect(maps.Keys(m))) }

// sorted lists words for a message.
func sorted(words []string) string {
	slices.Sort(words)
	return strings.Join(words, ", ")
}

// startWave answers start_wave_recovery. Whether its answer can be delivered
// is made sure of before anything is done: a job must never start whose id
// cannot be reported.
func (e event) startWave(ctx context.Context, h Handler) ([]byte, error) {
	var p problems
	if len(e.state.raw()) > mostAnswer {
		p.add("state", tooLarge(len(e.state.raw())))
	}
	number, wrong := waveNumber(e.waveNumber)
	if wrong != "" {
		p.add("wave_number", wrong)
		number = noWave
	}
	w := p.waveStart(e.state, number)
	if p.count == 0 {
		if most := len(e.started(w, w.worst())); most > mostAnswer {
			p.add("state", tooLarge(most))
		}
	}
	if p.count > 0 {
		return e.fail(recovery.Errorf(recovery.ValidationError, "%s", &p)), nil
	}
	s, err := h.Starter.StartWave(ctx, w.WaveStart)
	if refusal, is := errors.AsType[*recovery.Error](err); is {
		return e.fail(refusal), nil
	}
	if err != nil {
		return nil, err
	}
	var more []Field
	if s.Execution != nil {
		more = []Field{{waveKey(w.Wave.Number, "Attempt"), encode(s.Attempt)}, nextStep(recovery.Next(s.Execution, h.now()))}
	}
	return e.started(w, s, more...), nil
}

func tooLarge(size int) string {
	return fmt.Sprintf("would make an answer of up to %d bytes; Step Functions could not take more than %d: leave out of the state what no wave needs", size, mostAnswer)
}

// notJSON says where a document stops being JSON: "not JSON: …".
func notJSON(doc []byte) string {
	var raw json.RawMessage
	err := json.Unmarshal(doc, &raw)
	syntax, is := errors.AsType[*json.SyntaxError](err)
	if !is {
		return "not JSON"
	}
	at := min(max(int(syntax.Offset)-1, 0), len(doc))
	if strings.HasPrefix(syntax.Error(), "unexpected end") {
		at = len(doc)
	}
	before := string(doc[:at])
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Sprintf("not JSON: %s, at offset %d (line %d, column %d)", syntax, at, line, column)
}

// invalidUTF8 gives the offset of the first byte that is no UTF-8, or -1.
// Such a document passes for JSON here and nowhere else.
func invalidUTF8(doc []byte) int {
	if utf8.Valid(doc) {
		return -1
	}
	for at := 0; ; {
		r, size := utf8.DecodeRune(doc[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
}
