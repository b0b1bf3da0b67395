package orchestrator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/deploy"
	"muster/event"
	"muster/orchestrator"
	"muster/recovery"
	"muster/simulator"
	"muster/stepfunctions"
)

// machine is the deployed state machine, driven on this machine as the command
// line drives it: the function in-process, the journal in the store's file.
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

// mortal is a journal whose process is killed at an entry: before it is kept,
// or right after.
type mortal struct {
	stepfunctions.Journal
	at    int
	after bool
	kept  int
}

var errKilled = errors.New("the driver was killed")

func (j *mortal) Append(ctx context.Context, execution string, n int, entry []byte) error {
	if n == j.at && !j.after {
		return errKilled
	}
	if err := j.Journal.Append(ctx, execution, n, entry); err != nil {
		return err
	}
	j.kept = n
	if n == j.at {
		return errKilled
	}
	return nil
}

// runMachine drives an execution of two waves, the second behind a gate, whose
// driver is killed at an entry of its journal and followed by another one.
func runMachine(t *testing.T, at int, after bool) (entries int, jobs []string, final string) {
	synctest.Test(t, func(t *testing.T) {
		more := map[int]string{1: "            launches: {duration: 40s}\n", 2: "            launches: {duration: 40s}\n", 3: "            launches: {duration: 40s}\n"}
		h := open(t, 3, fleet(3, "", more), simulator.Options{Latency: answerTime})
		p := h.plan(2, 1)
		p.Waves[1].PauseBefore = true
		input := event.StateOf(h.opening(p))
		definition, err := deploy.Fill(deploy.StateMachine, map[string]string{deploy.Handler: "arn:aws:lambda:us-west-2:999999999999:function:execution-handler"})
		if err != nil {
			t.Fatal(err)
		}
		loaded, err := stepfunctions.Load(definition)
		if err != nil {
			t.Fatal(err)
		}
		journal := &mortal{Journal: h.store, at: at, after: after}
		run := func() ([]byte, error) {
			m := machine{h, h.invocation(newProcess(), 0)}
			return loaded.Run(t.Context(), stepfunctions.Execution{Name: string(h.wave.Execution), Input: input}, stepfunctions.Options{Tasks: m, Callbacks: m, Journal: journal})
		}
		output, err := run()
		if errors.Is(err, errKilled) {
			journal.at = 0
			output, err = run()
		}
		if err != nil {
			t.Fatal(err)
		}
		var end struct {
			Outcome      string
			Totals       any
			Wave1Status  string
			Wave2Status  string
			Wave1Attempt int
			Wave2Attempt int
		}
		if err := json.Unmarshal(output, &end); err != nil {
			t.Fatal(err)
		}
		entries, jobs, final = journal.kept, h.launchedIn(), fmt.Sprintf("%+v", end)
	})
	return entries, jobs, final
}

func TestADriverKilledAfterAnyTransitionIsFollowedByOneThatEndsTheSame(t *testing.T) {
	entries, jobs, final := runMachine(t, 0, false)
	if entries < 40 || fmt.Sprint(jobs) != "[1+2 3]" {
		t.Fatalf("an undisturbed run keeps %d entries and launches %v", entries, jobs)
	}
	for at := 1; at <= entries; at++ {
		for _, after := range []bool{false, true} {
			if after && !everyPoint { // nearly the same as before the next one
				continue
			}
			t.Run(fmt.Sprintf("entry %d, kept %v", at, after), func(t *testing.T) {
				_, gotJobs, got := runMachine(t, at, after)
				if !slices.Equal(gotJobs, jobs) || got != final {
					t.Errorf("jobs %v and end %s; undisturbed %v and %s", gotJobs, got, jobs, final)
				}
			})
		}
	}
	t.Logf("killed at each of %d entries", entries)
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
		output, err := loaded.Run(t.Context(), stepfunctions.Execution{Name: "by-hand", Input: event.StateOf(h.opening(p))}, stepfunctions.Options{Tasks: a, Callbacks: a, Journal: h.store})
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
