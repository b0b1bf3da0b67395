package event

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"muster/orchestrator"
	"muster/recovery"
)

// decided is the answer to a decision: it stands in the record, whatever
// became of waking who waits for it.
type decided struct {
	progress
	// Woken says that a run of the state machine that waited was told; one that
	// does not wait finds the decision at its next look.
	Woken bool `json:"woken"`
	// WakeFailure says why a run that waits could not be told. It asks anew
	// once a day; resume tells it now.
	WakeFailure string `json:"wakeFailure,omitempty"`
}

// decide records a decision, and wakes who waits for it.
func (a *ask) decide() (any, error) {
	id := a.needID()
	var d recovery.Decision
	a.may("question", &d.Question)
	a.must("choice", &d.Choice)
	d.Request = a.request()
	if v := a.known["waveNumber"]; v.given() {
		n, wrong := waveNumber(v)
		if wrong != "" {
			a.add("waveNumber", wrong)
		}
		d.Wave = &n
	}
	if a.may("excludeServers", &d.Exclude); len(d.Exclude) > recovery.MostServers {
		a.addf("excludeServers", "has %d elements, more than %d", len(d.Exclude), recovery.MostServers)
	}
	if len(d.Exclude) > 0 && d.Choice != recovery.Retry && d.Choice.Check() == nil {
		a.add("excludeServers", `is for the choice "retry"`)
	}
	a.may("treatAsGone", &d.Gone)
	if len(d.Gone) > 0 && d.Choice != recovery.Retry && d.Choice.Check() == nil {
		a.add("treatAsGone", `is for the choice "retry"`)
	}
	confirm, _ := a.mayText("confirm")
	if err := a.invalid(); err != nil {
		return nil, err
	}
	e, err := a.record(id)
	if err != nil {
		return nil, err
	}
	d = d.Modern()
	switch {
	case d.Choice == recovery.CancelAll:
		return a.cancel(e, d)
	case d.Question == "":
		return nil, recovery.Errorf(recovery.ValidationError, "question is missing: the id of what %q answers; %s", d.Choice, a.possible(e))
	}
	if q, is := e.Interruption(); is && d.Choice == recovery.Resume && d.Question == q.ID {
		return a.goOn(e, d.Request, []recovery.QuestionID{d.Question}, confirm, false)
	}
	if err := a.Operator.Decide(a.ctx, id, d); err != nil {
		return nil, a.refusal(id, err)
	}
	return a.decided(id)
}

// pause records that nothing new is to be started.
func (a *ask) pause() (any, error) {
	id, r := a.needID(), a.request()
	if err := a.invalid(); err != nil {
		return nil, err
	}
	if _, err := a.record(id); err != nil {
		return nil, err
	}
	sent, err := a.Operator.Pause(a.ctx, id, r)
	if err != nil {
		return nil, a.refusal(id, err)
	}
	d, err := a.decided(id)
	return paused{d, sent}, err
}

// paused is the answer to a pause.
type paused struct {
	decided
	// Sent are the starts that were marked as sent before the pause was recorded.
	Sent []StartSent `json:"startsSent,omitempty"`
}

// StartSent is a start that was marked as sent before a pause was recorded.
type StartSent = orchestrator.Marked

// cancelExecution records that nothing more is to be started.
func (a *ask) cancelExecution() (any, error) {
	id, r := a.needID(), a.request()
	if err := a.invalid(); err != nil {
		return nil, err
	}
	e, err := a.record(id)
	if err != nil {
		return nil, err
	}
	return a.cancel(e, recovery.Decision{Choice: recovery.CancelAll, Request: r})
}

func (a *ask) cancel(e *recovery.Execution, d recovery.Decision) (any, error) {
	if err := a.Operator.Decide(a.ctx, e.ID, d); err != nil {
		return nil, a.refusal(e.ID, err)
	}
	if e.Interrupted != nil && e.TaskToken.IsZero() {
		// Nobody drives it who would record its end. Where the start of a wave
		// is not settled yet, nothing is recorded: resume settles it.
		if _, err := a.Starter.Finish(a.ctx, e.ID); err != nil {
			return nil, err
		}
	}
	return a.decided(e.ID)
}

// resume lifts a pause, and goes on with an execution that nobody drives. Where
// it names the questions that it answers, it answers those alone: what held the
// execution up when somebody looked. An empty list says that nothing did.
func (a *ask) resume() (any, error) {
	id, r := a.needID(), a.request()
	var questions []recovery.QuestionID // nil: whatever stands
	var question recovery.QuestionID
	if a.may("question", &question); question != "" {
		questions = []recovery.QuestionID{question}
	}
	if a.known["questions"].given() {
		if questions != nil {
			a.add("questions", "and question are both given: say one of the two")
		}
		questions = []recovery.QuestionID{}
		a.may("questions", &questions)
	}
	for _, q := range questions {
		if q.Check() == nil && !q.OfExecution() {
			a.addf("question", "%s is not one that resume answers: a pause's or an interruption's", q)
		}
	}
	confirm, _ := a.mayText("confirm")
	takeOver := a.mayBool("takeOver")
	if err := a.invalid(); err != nil {
		return nil, err
	}
	if err := a.begun(id, confirm); err != nil {
		return nil, err
	}
	e, err := a.record(id)
	if err != nil {
		return nil, err
	}
	return a.goOn(e, r, questions, confirm, takeOver)
}

// resumed is the answer to what makes an execution go on.
type resumed struct {
	decided
	Started bool   `json:"started"` // a run of the state machine, by this event
	Run     string `json:"run"`     // the name of the newest
	// Damage says where the log was cut or edited. What is decided by is not the
	// log, so that recovery goes on.
	Damage string `json:"damage,omitempty"`
}

// goOn makes sure that a run drives the execution, and that nothing holds it
// up, or nothing of what is named (nil: whatever stands). What the record says
// of a run may be behind: Step Functions knows. A recovery that nobody drives
// goes on only with the confirmation of its begin.
func (a *ask) goOn(e *recovery.Execution, r recovery.Request, named []recovery.QuestionID, confirm string, takeOver bool) (any, error) {
	holds := holding(e)
	switch {
	case named == nil:
		named = holds
	// One that was answered already, or was never asked, makes nothing go on; nor
	// does a pause's where an interruption stands beside it.
	case len(named) > 0 && (len(holds) == 0 || !slices.Contains(named, holds[0])):
		if err := a.lift(e, r, named, false); err != nil {
			return nil, err
		}
		return a.resumed(e, false)
	case len(named) == 0 && len(holds) > 0:
		return nil, a.refusal(e.ID, recovery.Errorf(recovery.ValidationError, "execution %s was held up by nothing when this was asked for, and is by %s now", e.ID, holds[0]))
	}
	if e.Ended != nil {
		return nil, a.refusal(e.ID, recovery.Errorf(recovery.ValidationError, "execution %s is over: %s", e.ID, e.Ended.Outcome))
	}
	if a.Runs != nil {
		if err := a.Operator.MayDrive(a.ctx, e); err != nil {
			return nil, err
		}
	}
	by, known, err := a.drivenBy(a.ctx, e)
	switch {
	case a.Runs == nil && e.TaskToken.IsZero() && (by == nil || by.Kind == drivenByUnknown):
		return nil, noWorkflow()
	case err != nil && !takeOver:
		return nil, a.workflowFailure(e.ID, "whether a run of the state machine drives it could not be found out, and nothing was done; to drive it in any case: takeOver (muster resume --take-over)", err)
	}
	held := len(holds) > 0
	waits := !e.TaskToken.IsZero() && recovery.Next(e, a.now()).Action != recovery.DoAwaitDecision // and was not told
	running := by != nil && !takeOver
	switch {
	case running && !held && !waits:
		return nil, a.refusal(e.ID, recovery.Errorf(recovery.ValidationError, "%s drives execution %s, which is neither paused nor interrupted; to drive it in its place: takeOver (muster resume --take-over)", by, e.ID))
	case !running && e.Type == recovery.Recovery && e.Cancel == nil && confirm != string(e.Plan):
		return nil, recovery.Errorf(recovery.NotConfirmed, "execution %s is a RECOVERY that is driven from now on, and goes on launching servers in earnest; to say that this is meant, confirm must be %s", e.ID, recovery.Quote(string(e.Plan)))
	}
	started := false
	if by != nil && takeOver && e.Driver != nil {
		if err := a.Operator.Evict(a.ctx, e, r); err != nil {
			return nil, err
		}
	}
	if !running {
		if known || takeOver {
			next, err := a.Operator.NextRun(a.ctx, e.ID, e.NewestRun(), r)
			if err != nil {
				return nil, a.refusal(e.ID, err)
			}
			e = next
		}
		if started, err = a.drive(e); err != nil {
			return nil, err
		}
	}
	if err := a.lift(e, r, named, started); err != nil {
		return nil, err
	}
	return a.resumed(e, started)
}

// lift answers questions that hold up an execution as a whole. A run that was
// started just now may have been faster.
func (a *ask) lift(e *recovery.Execution, r recovery.Request, named []recovery.QuestionID, started bool) error {
	for _, id := range named {
		err := a.Operator.Decide(a.ctx, e.ID, recovery.Decision{Question: id, Choice: recovery.Resume, Request: r})
		if _, is := errors.AsType[*recovery.Error](err); err != nil && !(is && started) {
			return a.refusal(e.ID, err)
		}
	}
	return nil
}

// holding are the questions that hold up an execution as a whole.
func holding(e *recovery.Execution) (ids []recovery.QuestionID) {
	if q, is := e.Interruption(); is {
		ids = append(ids, q.ID)
	}
	if q, is := e.PauseQuestion(); is {
		ids = append(ids, q.ID)
	}
	return ids
}

func (a *ask) resumed(e *recovery.Execution, started bool) (any, error) {
	d, err := a.decided(e.ID)
	if err != nil {
		return nil, err
	}
	return resumed{d, started, e.RunName(), a.damage(e.ID)}, nil
}

// damage says where an execution's log was cut or edited; "" where it was not,
// or cannot be read now: it is worth a warning, and no failure.
func (a *ask) damage(id recovery.ExecutionID) string {
	e, log, err := readWhole(a.ctx, a.Records, id)
	if err == nil {
		err = e.CheckLog(log)
	}
	if errors.Is(err, recovery.ErrDamaged) {
		return err.Error()
	}
	return ""
}

// decided tells how the execution stands after a decision, and wakes the run
// that waits for it.
func (a *ask) decided(id recovery.ExecutionID) (d decided, err error) {
	e, err := a.Starter.Execution(a.ctx, id)
	if err != nil {
		return d, err
	}
	d.progress = a.progress(e)
	if e.TaskToken.IsZero() || a.Workflow == nil || recovery.Next(e, a.now()).Action == recovery.DoAwaitDecision {
		return d, nil
	}
	switch err := a.Workflow.Succeed(a.ctx, e.TaskToken.Reveal(), []byte("{}")); {
	case err == nil:
		d.Woken = true
	default:
		d.WakeFailure = strings.ReplaceAll(err.Error(), e.TaskToken.Reveal(), "[redacted]")
	}
	return d, nil
}

// refusal makes an answer of why the record takes something not: the event is
// well formed, so that it is the execution's state, and says what is possible.
func (a *ask) refusal(id recovery.ExecutionID, err error) error {
	refused, is := errors.AsType[*recovery.Error](err)
	if !is || refused.Code == recovery.WrongWorld {
		return err
	}
	e, readErr := a.Starter.Execution(a.ctx, id)
	if readErr != nil {
		return readErr
	}
	return recovery.Errorf(recovery.WrongState, "%s; %s", refused.Message, a.possible(e))
}

// possible says what can be asked of an execution as it stands.
func (a *ask) possible(e *recovery.Execution) string {
	step := recovery.Next(e, a.now())
	switch {
	case e.Ended != nil:
		return "it can be looked at (get_execution), and its instances can be terminated (terminate_instances)"
	case e.Cancel != nil:
		return "it ends by itself; where nobody drives it, resume makes it end"
	case step.Action == recovery.DoAwaitDecision:
		var words []string
		for i, q := range step.Decisions {
			if i == mostDecisions {
				words = append(words, fmt.Sprintf("and %d more", len(step.Decisions)-i))
				break
			}
			words = append(words, q.String())
		}
		return "it asks " + strings.Join(words, ", ")
	case e.Interrupted != nil:
		return "it was interrupted: resume and cancel_execution are possible"
	case e.Pause != nil:
		return "it is paused: resume and cancel_execution are possible"
	}
	return "it is under way: pause and cancel_execution are possible, and a gate may be approved ahead (decide, with the question gate-wN of wave N)"
}
