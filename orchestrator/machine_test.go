package orchestrator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/driver"
	"muster/event"
	"muster/orchestrator"
	"muster/recovery"
	"muster/simulator"
	"muster/stepfunctions"
)

// machine is the function in-process, and people who answer.
type machine struct {
	h *house
	o *orchestrator.Orchestrator
}

func (m machine) Invoke(ctx context.Context, _ string, payload []byte) ([]byte, error) {
	return event.Handler{Starter: m.o, Now: m.o.Now}.Invoke(ctx, payload)
}

// Wait answers every question with "resume", or with "retry" where a wave failed.
func (m machine) Wait(ctx context.Context, _ string) ([]byte, error) {
	for {
		e, err := m.o.Execution(ctx, m.h.wave.Execution)
		if err != nil {
			return nil, err
		}
		step := recovery.Next(e, time.Now())
		if step.Action != recovery.DoAwaitDecision {
			return []byte("{}"), nil
		}
		q := step.Decisions[0]
		choice := q.Choices[0]
		if err := m.o.Decide(ctx, e.ID, recovery.Decision{Question: q.ID, Choice: choice, Request: recovery.Request{By: "ops", At: time.Now()}}); err != nil {
			return nil, err
		}
	}
}

// killed ends a driver at an invocation: before it is made, or after, so that
// its answer is lost.
type killed struct {
	machine
	at    int // 0: never
	after bool
	n     *int
	die   context.CancelFunc
}

func (k killed) Invoke(ctx context.Context, _ string, payload []byte) ([]byte, error) {
	*k.n++
	if *k.n == k.at && !k.after {
		k.die()
		return nil, ctx.Err()
	}
	answer, err := k.machine.Invoke(ctx, "", payload)
	if *k.n == k.at {
		k.die()
		return nil, ctx.Err()
	}
	return answer, err
}

// drivers are the ways to drive.
var drivers = map[string]func(context.Context, *testing.T, *house, killed, []byte) error{
	"machine":           byMachine(deployedMachine),
	"machine of before": byMachine(machineOfBefore),
	"loop": func(ctx context.Context, t *testing.T, h *house, k killed, input []byte) error {
		d := driver.Driver{Look: 10 * time.Second, Invoke: func(ctx context.Context, payload []byte) ([]byte, error) {
			answer, err := k.Invoke(ctx, "", payload)
			if bytes.Contains(payload, []byte(`"looks":true`)) && err == nil {
				_, err = k.Wait(ctx, "")
			}
			return answer, err
		}}
		return d.Drive(ctx, input)
	},
}

func byMachine(load func() (*stepfunctions.Machine, error)) func(context.Context, *testing.T, *house, killed, []byte) error {
	return func(ctx context.Context, t *testing.T, h *house, k killed, input []byte) error {
		loaded, err := load()
		if err != nil {
			t.Fatal(err)
		}
		_, err = loaded.Run(ctx, stepfunctions.Execution{Name: string(h.wave.Execution), Input: input}, stepfunctions.Options{Tasks: k, Callbacks: k})
		return err
	}
}

// ending is all that an execution leaves behind, but times, and who drove.
func ending(t *testing.T, h *house) string {
	e, err := h.store.Execution(t.Context(), h.wave.Execution)
	if err != nil {
		t.Fatal(err)
	}
	events, err := h.store.Events(t.Context(), e.ID)
	if err != nil || e.CheckLog(events) != nil {
		t.Fatal(err, e.CheckLog(events))
	}
	var log []string
	for _, ev := range events {
		switch ev.Kind {
		case recovery.EventAwaiting, recovery.EventContinued, recovery.EventClaimed, recovery.EventProgress: // say how it went, and not what became of it
		default:
			log = append(log, string(ev.Kind))
		}
	}
	var waves []string
	for i := range e.Waves {
		w := &e.Waves[i]
		a := e.Attempt(w.Number)
		waves = append(waves, fmt.Sprint(w.Number, w.GatePassed, e.Status(w, time.Now()), a.Attempt, len(a.Outcomes), a.JobOver))
	}
	return fmt.Sprint(e.Ended.Outcome, " ", e.Ended.Reason, " ", waves, " ", log, " ", e.TaskToken.IsZero(), e.Interrupted == nil)
}

// runDriven drives an execution of two waves, the second behind a gate, first
// by one way until it is killed at an invocation, then by the other.
func runDriven(t *testing.T, first, then string, at int, after bool) (invoked int, jobs []string, final string) {
	synctest.Test(t, func(t *testing.T) {
		more := map[int]string{1: "            launches: {duration: 40s}\n", 2: "            launches: {duration: 40s}\n", 3: "            launches: {duration: 40s}\n"}
		h := open(t, 3, fleet(3, "", more), simulator.Options{Latency: answerTime})
		p := h.plan(2, 1)
		p.Waves[1].PauseBefore = true
		input := event.StateOf(h.opening(p))
		ctx, die := context.WithCancel(t.Context())
		defer die()
		k := killed{machine{h, h.invocation(newProcess(), 0)}, at, after, &invoked, die}
		err := drivers[first](ctx, t, h, k, input)
		if ctx.Err() != nil {
			k.machine, k.at = machine{h, h.invocation(newProcess(), 0)}, 0
			err = drivers[then](t.Context(), t, h, k, input)
		}
		if err != nil {
			t.Fatal(err)
		}
		jobs, final = h.launchedIn(), ending(t, h)
	})
	return invoked, jobs, final
}

// The deployed state machine and the loop agree on jobs, outcome and record,
// whichever drives from where the other was killed.
func TestTheLoopAndTheDeployedMachineDriveAlikeAndEachAfterTheOtherDied(t *testing.T) {
	_, jobs, final := runDriven(t, "machine", "", 0, false)
	if fmt.Sprint(jobs) != "[1+2 3]" || !strings.HasPrefix(final, "COMPLETED") {
		t.Fatalf("an undisturbed run launches %v and ends %s", jobs, final)
	}
	for first := range drivers {
		then := map[string]string{"machine": "loop", "machine of before": "loop", "loop": "machine"}[first]
		invoked, gotJobs, got := runDriven(t, first, "", 0, false)
		if invoked < 8 || !slices.Equal(gotJobs, jobs) || got != final {
			t.Fatalf("the %s invokes %d times, launches %v and ends\n%s\nwant\n%s", first, invoked, gotJobs, got, final)
		}
		for at := 1; at <= invoked; at++ {
			for _, after := range []bool{false, true} {
				if after && !everyPoint { // nearly the same as before the next one
					continue
				}
				t.Run(fmt.Sprintf("%s killed at %d, after %v", first, at, after), func(t *testing.T) {
					_, gotJobs, got := runDriven(t, first, then, at, after)
					if !slices.Equal(gotJobs, jobs) || got != final {
						t.Errorf("jobs %v and end\n%s\nundisturbed %v and\n%s", gotJobs, got, jobs, final)
					}
				})
			}
		}
	}
}

// approver is the other function that the hand-written machine invokes, and
// whoever answers it.
type approver struct {
	machine
	asked []string
}

func (a *approver) Invoke(ctx context.Context, arn string, payload []byte) ([]byte, error) {
	if strings.HasSuffix(arn, ":ask-for-approval") {
		var question struct{ WaveName string }
		if err := json.Unmarshal(payload, &question); err != nil {
			return nil, err
		}
		a.asked = append(a.asked, question.WaveName)
		return []byte("{}"), nil
	}
	return a.machine.Invoke(ctx, arn, payload)
}

func (a *approver) Wait(context.Context, string) ([]byte, error) {
	time.Sleep(time.Hour)
	return []byte(`{"approvedBy":"ops"}`), nil
}

func TestAMachineWrittenByHandInTheSpecificationsStyleRecoversThreeWaves(t *testing.T) {
	inHouse(t, 3, nil, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
		definition, err := os.ReadFile("../deploy/examples/specification-style.asl.json")
		if err != nil {
			t.Fatal(err)
		}
		loaded, err := stepfunctions.Load(definition)
		if err != nil {
			t.Fatal(err)
		}
		p := h.plan(1, 1, 1)
		p.Waves[1].Name, p.Waves[1].PauseBefore = "Applications", true
		a := &approver{machine: machine{h, o}}
		output, err := loaded.Run(t.Context(), stepfunctions.Execution{Name: "by-hand", Input: event.StateOf(h.opening(p))}, stepfunctions.Options{Tasks: a, Callbacks: a})
		if err != nil {
			t.Fatal(err)
		}
		var end struct{ Wave1Status, Wave2Status, Wave3Status string }
		if err := json.Unmarshal(output, &end); err != nil || end.Wave1Status != "COMPLETED" || end.Wave2Status != "COMPLETED" || end.Wave3Status != "COMPLETED" {
			t.Errorf("the end is %+v, %v:\n%s", end, err, output)
		}
		if got := fmt.Sprint(h.launchedIn(), a.asked); got != "[1 2 3] [Applications]" {
			t.Errorf("launched and asked for %s", got)
		}
	})
}
