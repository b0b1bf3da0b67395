package orchestrator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"muster/event"
	"muster/orchestrator"
	"muster/recovery"
	"muster/simulator"
	"muster/stepfunctions"
)

// A story is a whole execution: what is asked of Muster in it, and what
// happens around it. Together the stories ask for everything there is.
type story struct {
	name  string
	open  func(*testing.T, func(testing.TB) shelf) *house
	play  func(*run)
	whole bool // it is disturbed at every point, also where the others are at a sample of them
}

var stories = []story{
	{"a wave started by hand while AWS is slow", slowHouse, byHand, true},
	{"a drill with a gate, cleaned up after", quickHouse(nil), gatedDrill, false},
	{"a wave that fails, is retried and skipped", quickHouse(map[int]string{2: failsToLaunch}), failingWave, false},
	{"refused starts, a pause and a cancel", quickHouse(nil), refusedStarts, false},
	{"an account that refuses to be looked at until somebody mends that", quickHouse(nil), refusedLooks, false},
	{"a drill that is operated, and whose driver dies twice", quickHouse(nil), operatedDrill, false},
	{"a recovery that takes its plan from a drill, and whose driver fails", quickHouse(nil), takingOver, false},
}

// slowHouse has an AWS that answers so slowly that preparing a wave outlasts
// the renewal of its lease, so that renewals are among the points; its lists
// of jobs lag; and another party's job, begun just before ours, is there to be
// mistaken for it.
func slowHouse(t *testing.T, newShelf func(testing.TB) shelf) *house {
	h := openOn(t, newShelf, 2, fleet(3, "", nil), simulator.Options{
		Latency: 2 * time.Second,
		Faults:  []simulator.Fault{{Name: simulator.LagJobList, Duration: simulator.Duration(50 * time.Second)}},
	})
	h.othersJob(serverID(3))
	time.Sleep(time.Minute)
	return h
}

// quickHouse has three servers, whose launches take a minute and a half, and a
// fourth one that somebody else has drilled with.
func quickHouse(more map[int]string) func(*testing.T, func(testing.TB) shelf) *house {
	return func(t *testing.T, newShelf func(testing.TB) shelf) *house {
		launches := map[int]string{}
		for i := range 4 {
			launches[i+1] = "            launches: {duration: 90s}\n"
			if more[i+1] != "" {
				launches[i+1] = strings.Replace(more[i+1], "{", "{duration: 90s, ", 1)
			}
		}
		h := openOn(t, newShelf, 3, fleet(4, "", launches), simulator.Options{Latency: answerTime})
		h.othersJob(serverID(4))
		time.Sleep(2 * time.Minute)
		return h
	}
}

// byHand starts a wave that no plan was opened for, and looks until it is over.
func byHand(r *run) {
	p := r.h.plan(2)
	state := r.h.state(p)
	state = string(r.invoke("start_wave_recovery", fmt.Sprintf(`{"action":"start_wave_recovery","wave_number":1,"state":%s}`, state)))
	time.Sleep(10 * time.Minute)
	r.invoke("poll_wave_status", fmt.Sprintf(`{"action":"poll_wave_status","wave_number":1,"state":%s}`, state))
}

// gatedDrill runs two waves, the second behind a gate, and cleans up.
func gatedDrill(r *run) {
	p := r.h.plan(1, 1)
	p.Waves[1].PauseBefore = true
	r.drive(p, follower{decide: map[recovery.QuestionReason]recovery.Choice{recovery.PauseBeforeWave: recovery.Approve}})
	r.cleanUp()
}

// failingWave retries a wave one of whose servers cannot be launched, and
// skips it: the second time before anybody is asked.
func failingWave(r *run) {
	failed := 0
	r.drive(r.h.plan(2), follower{
		decide: map[recovery.QuestionReason]recovery.Choice{recovery.WaveFailed: recovery.Retry},
		after: func(name string, next recovery.Action) {
			if name == "poll_wave_status" && next == recovery.DoAwaitDecision {
				if failed++; failed == 2 {
					r.decide("failed-w1-a2", recovery.Skip)
				}
			}
		},
	})
}

// refusedStarts has wave 1 refused for the moment and then for good, mends
// that, and asks for a pause while the wave runs, and for the end when asked.
func refusedStarts(r *run) {
	refusals := 0
	r.fault("Refuse:operation=StartRecovery,code=ServiceQuotaExceededException,status=402,message=too many jobs")
	r.drive(r.h.plan(1, 1), follower{
		decide: map[recovery.QuestionReason]recovery.Choice{recovery.WaveRefused: recovery.Retry, recovery.PauseRequested: recovery.CancelAll},
		before: func(reason recovery.QuestionReason) {
			if reason == recovery.WaveRefused {
				r.mend()
			}
		},
		after: func(name string, next recovery.Action) {
			switch {
			case name == "record_wave_refusal":
				if refusals++; refusals == 1 {
					r.mend()
					r.fault("Refuse:operation=StartRecovery,code=ValidationException,status=400,message=not today")
				}
			case name == "start_wave_recovery" && next == recovery.DoWait:
				r.pause()
			}
		},
	})
}

// refusedLooks takes away the permission to look at jobs once wave 1 runs, and
// gives it back when somebody is asked.
func refusedLooks(r *run) {
	started := false
	r.drive(r.h.plan(1, 1), follower{
		decide: map[recovery.QuestionReason]recovery.Choice{recovery.WaveUnseen: recovery.Retry},
		before: func(recovery.QuestionReason) { r.mend() },
		after: func(name string, _ recovery.Action) {
			if name == "start_wave_recovery" && !started {
				started = true
				r.fault(refusesLooks + target)
			}
		},
	})
}

// operatedDrill is begun, paused, resumed, cancelled and cleaned up by operations.
// Its run is aborted while a wave runs, of which the function hears; and the next
// one dies while it waits at a gate, of which nobody tells.
func operatedDrill(r *run) {
	p := r.h.plan(1, 1, 1)
	p.Waves[2].PauseBefore = true
	r.start(p)
	name, started := string(r.h.wave.Execution), 0
	r.goes(r.newest(), follower{
		decide: map[recovery.QuestionReason]recovery.Choice{recovery.PauseRequested: recovery.Resume},
		after: func(action string, _ recovery.Action) {
			if action == "start_wave_recovery" {
				if started++; started == 1 {
					r.pause()
				} else {
					r.dies()
				}
			}
		},
	})
	r.forGood("execution_interrupted", fmt.Sprintf(`"name":%q,"status":"ABORTED"`, name))
	r.decide("interrupted-1", recovery.Resume)
	r.goes(r.newest(), follower{before: func(recovery.QuestionReason) { r.dies() }})
	r.operate("resume", r.by()+`,"questions":[]`)
	r.goes(r.newest(), follower{
		decide: map[recovery.QuestionReason]recovery.Choice{recovery.PauseBeforeWave: recovery.Approve},
		after: func(action string, _ recovery.Action) {
			if action == "start_wave_recovery" {
				r.cancel()
			}
		},
	})
	r.cleanUp()
	time.Sleep(time.Hour)
	r.late()
}

// takingOver begins a recovery while a drill of the same plan is under way,
// and has the function fail between two waves, until a person is asked.
func takingOver(r *run) {
	drill := recovery.ExecutionID("drill-1")
	o := r.h.invocation(newProcess(), 0)
	_, err := o.Begin(r.t.Context(), orchestrator.Begin{Execution: drill, Plan: r.h.plan(1), Type: recovery.Drill, StartTime: r.h.wave.StartTime, InitiatedBy: "ops"})
	if err != nil {
		r.t.Fatal(err)
	}
	r.h.wave.Type = recovery.Recovery
	r.drive(r.h.plan(1, 1), follower{
		decide: map[recovery.QuestionReason]recovery.Choice{recovery.Interrupted: recovery.Resume},
		after: func(name string, next recovery.Action) {
			switch {
			case name == "begin_execution" && next == recovery.DoStartWave:
				// The drill ends, and lets go of nothing that is not its own.
				if _, err := o.Finish(r.t.Context(), drill); err != nil {
					r.t.Error(err)
				}
				r.checkHold()
			case name == "poll_wave_status" && next == recovery.DoStartWave:
				r.broken = 10
			}
		},
	})
}

// A follower is who is around while the deployed state machine drives.
type follower struct {
	decide map[recovery.QuestionReason]recovery.Choice
	before func(recovery.QuestionReason)           // a question is answered; nil: nothing
	after  func(name string, next recovery.Action) // a delivery was answered; nil: nothing
}

// drive has a state machine drive an execution of the plan.
func (r *run) drive(p *recovery.Plan, f follower) {
	r.t.Helper()
	r.mu.Lock()
	m := &machineRun{[]byte(r.h.state(p)), true}
	r.runs[string(r.h.wave.Execution)] = m
	r.mu.Unlock()
	r.goes(m, f)
}

// goes has a run of the state machine go on until it ends, or dies.
func (r *run) goes(m *machineRun, f follower) {
	r.t.Helper()
	load := deployedMachine
	if r.load != nil {
		load = r.load
	}
	loaded, err := load()
	if err != nil {
		r.t.Fatal(err)
	}
	e, err := r.h.store.Execution(r.t.Context(), r.h.wave.Execution)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, die := context.WithCancel(r.t.Context())
	defer die()
	d := &driven{run: r, follower: f}
	r.dies = die
	_, err = loaded.Run(ctx, stepfunctions.Execution{Name: e.RunName(), Input: m.input}, stepfunctions.Options{Tasks: d, Callbacks: d})
	r.mu.Lock()
	m.running = false
	r.mu.Unlock()
	var failed *stepfunctions.Failure
	if err != nil && ctx.Err() == nil && !errors.As(err, &failed) {
		r.t.Fatal(err)
	}
}

// state gives the state that an execution of the plan is begun with.
func (h *house) state(p *recovery.Plan) string {
	p.Account = h.wave.Wave.Account
	state := event.StateOf(event.Opening{Plan: p, Execution: h.wave.Execution, Type: h.wave.Type, InitiatedBy: h.wave.InitiatedBy, StartTime: h.wave.StartTime})
	return `{"pollSeconds":60,` + strings.TrimPrefix(string(state), "{")
}

// driven is a run whose deliveries a state machine makes.
type driven struct {
	*run
	follower
}

func (d *driven) Invoke(ctx context.Context, _ string, payload []byte) ([]byte, error) {
	if d.broken > 0 {
		d.broken--
		return nil, &stepfunctions.TaskError{Name: "Lambda.Unknown", Cause: "the function was not there"}
	}
	var is struct{ Action string }
	if err := json.Unmarshal(payload, &is); err != nil {
		return nil, err
	}
	answer := d.run.invoke(is.Action, string(payload))
	var next struct {
		NextStep struct{ Action recovery.Action }
	}
	if err := json.Unmarshal(answer, &next); err != nil {
		return nil, err
	}
	if d.after != nil {
		d.after(is.Action, next.NextStep.Action)
	}
	return answer, ctx.Err()
}

// Wait answers the first question that is open, unless the task was told to
// go on already.
func (d *driven) Wait(ctx context.Context, token string) ([]byte, error) {
	d.mu.Lock()
	completed := d.completed[token]
	d.mu.Unlock()
	if completed {
		return []byte("{}"), nil
	}
	e, err := d.h.store.Execution(ctx, d.h.wave.Execution)
	if err != nil {
		return nil, err
	}
	step := recovery.Next(e, time.Now())
	if step.Action != recovery.DoAwaitDecision {
		return nil, fmt.Errorf("the task waits for nothing, and nobody told it: next is %+v", step)
	}
	if e.TaskToken != recovery.NewSecret(token) {
		return nil, errors.New("the record has another token than that of the task that waits")
	}
	q := step.Decisions[0]
	if d.before != nil {
		d.before(q.Reason)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	choice, expected := d.follower.decide[q.Reason]
	if !expected {
		return nil, fmt.Errorf("nobody expects the question %+v", q)
	}
	d.run.decide(q.ID, choice)
	return []byte("{}"), nil
}

const cleanUp = "clean-up"

// cleanUntilDone asks for a clean-up until nothing is left, and sums up what
// the clean-ups did.
func cleanUntilDone(ctx context.Context, o *orchestrator.Orchestrator, c orchestrator.Cleanup) (*orchestrator.Cleaned, error) {
	var all orchestrator.Cleaned
	for {
		done, err := o.Cleanup(ctx, c)
		if err != nil {
			return &all, err
		}
		all.Terminated = append(all.Terminated, done.Terminated...)
		if done.Left == 0 {
			all.Gone = done.Gone - len(all.Terminated)
			return &all, nil
		}
		time.Sleep(15 * time.Second)
	}
}

// fault sets a fault in the simulated AWS, and mend clears all.
func (r *run) fault(text string) { r.t.Helper(); r.h.control("POST", text) }
func (r *run) mend()             { r.t.Helper(); r.h.control("DELETE", "") }

func (h *house) control(method, body string) {
	h.t.Helper()
	request, err := http.NewRequest(method, "http://127.0.0.1/_muster/faults", strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	answer, err := h.world.RoundTripper().RoundTrip(request)
	if err != nil || answer.StatusCode >= 300 {
		h.t.Fatalf("%s of a fault: %v %v", method, answer, err)
	}
}
