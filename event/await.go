package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"muster/recovery"
)

// longestToken is the most bytes that a task's token has.
const longestToken = 2048

// await answers await_decision. The answer itself is looked at by nobody: the
// task goes on when somebody decides, or at once where there is nothing to
// wait for.
func (e event) await(ctx context.Context, h Handler) ([]byte, error) {
	var p problems
	token, looks := e.token(&p)
	why := e.interruption(&p)
	a, answer, err := e.about(ctx, h, &p)
	if answer != nil || err != nil {
		return answer, err
	}
	if a.exec.Version == 0 {
		// Beginning failed before there was a record: nobody can decide about
		// it, and to begin again is the only way on.
		if err := h.succeed(ctx, token); err != nil {
			return nil, err
		}
	}
	if answer := a.unopened(&p); answer != nil {
		return answer, nil
	}
	// The state machine leaves its error in the state until it begins again,
	// and awaits anew every day: one interruption is recorded once.
	if why != "" && (looks || a.exec.TaskToken.IsZero()) {
		if _, err := h.Starter.Interrupt(ctx, a.execution, why); err != nil {
			return e.refused(err)
		}
	}
	exec, err := h.Starter.Await(ctx, a.execution, token, e.runOf(a.execution))
	if err != nil {
		return e.refused(err)
	}
	if !looks && recovery.Next(exec, h.now()).Action != recovery.DoAwaitDecision {
		if err := h.succeed(ctx, token); err != nil {
			return nil, err
		}
	}
	return e.follow(State{e.state}, exec, h), nil
}

// succeed lets the task go on: the decision was faster.
func (h Handler) succeed(ctx context.Context, token recovery.Secret) error {
	if h.Workflow == nil {
		return nil
	}
	if err := h.Workflow.Succeed(ctx, token.Reveal(), []byte("{}")); err != nil {
		return fmt.Errorf("completing the task that waits for a decision: %w", err)
	}
	return nil
}

// token reads the task's token, and never repeats it. A driver that looks at
// the record again and again has none.
func (e event) token(p *problems) (token recovery.Secret, looks bool) {
	f := p.fields("", e.doc, keySet("taskToken", "looks"))
	if v := f.known["looks"]; v.given() && string(v.raw()) == "true" {
		return recovery.Secret{}, true
	}
	s := f.needText("taskToken", func(s string) error {
		if s == "" || len(s) > longestToken {
			return fmt.Errorf("must have 1 to %d bytes", longestToken)
		}
		return nil
	})
	return recovery.NewSecret(s), false
}

// runOf numbers the run of the state machine that the task is in; 0 where the
// event does not say it, or names it otherwise than start_execution does.
func (e event) runOf(id recovery.ExecutionID) int {
	var quiet problems
	name, _ := quiet.fields("", e.doc, keySet("run")).mayText("run")
	if of, run := recovery.RunOf(name); of == id {
		return run
	}
	return 0
}

// interruption tells what state.interruption says: the error that a state
// machine caught. "": nothing.
func (e event) interruption(p *problems) string {
	if e.state.kind() != object {
		return ""
	}
	f := p.fields("state", e.state, keySet("interruption"))
	v := f.known["interruption"]
	if !v.given() {
		return ""
	}
	if v.kind() != object {
		return "the state machine says: " + visible(string(v.raw()))
	}
	in := p.fields(f.at("interruption"), v, keySet("Error", "Cause"))
	kind, _ := in.mayText("Error")
	cause, _ := in.mayText("Cause")
	// Lambda puts a document there.
	var told struct{ ErrorMessage string }
	if json.Unmarshal([]byte(cause), &told) == nil && told.ErrorMessage != "" {
		cause = told.ErrorMessage
	}
	switch kind, cause = visible(kind), visible(cause); {
	case kind == "" && cause == "":
		return "the state machine does not say why"
	case cause == "":
		return kind
	case kind == "":
		return cause
	}
	return kind + ": " + cause
}

// refused makes the answer of an action that was refused; what is no refusal
// goes out as it is.
func (e event) refused(err error) ([]byte, error) {
	if refusal, is := errors.AsType[*recovery.Error](err); is {
		return e.fail(refusal), nil
	}
	return nil, err
}
