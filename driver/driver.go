// Package driver drives an execution on this machine, as the deployed state
// machine does in AWS: a loop that asks for the action which the answer before
// named, waits as it said, and ends with the execution.
//
// It keeps nothing. The handler decides what comes next, from the record, so
// that a driver may be killed at any moment, and the next one goes on, whoever
// began. It knows actions, and nothing of what they are about.
package driver

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Driver drives one execution. Its fields are set before Drive is called.
type Driver struct {
	// Invoke delivers one event to the handler. An error means that the same
	// event must be delivered again.
	Invoke func(ctx context.Context, payload []byte) ([]byte, error)
	// Beat is called first, where its error ends the drive, and then every
	// Every. A *Replaced ends the drive at any time; another error is followed
	// by the next beat. nil: nobody is told who drives.
	Beat  func(context.Context) error
	Every time.Duration
	// Patient goes on for long where nothing can be recorded, which may pass by
	// itself: a service that is down, and not a disk that is full.
	Patient bool
	// Hindered is told what an event failed with that is delivered again, and
	// when; nil: nobody is.
	Hindered func(err error, in time.Duration)
	Pace     float64       // how many times as fast as the handler says waits pass; 0 is 1
	Look     time.Duration // between two looks while people are asked
}

// Refused is an execution that was not begun, or may not be driven here.
type Refused struct{ Code, Message string }

func (e *Refused) Error() string { return e.Code + ": " + e.Message }

// Replaced is the end of a drive because somebody else drives from now on.
type Replaced struct{ By string }

func (e *Replaced) Error() string { return "another driver took over: " + e.By }

// Drive drives the execution of a state that begin_execution takes to its end,
// from where its record stands. It gives a *Refused, a *Replaced, what Beat
// gave first, or the context's error. Whatever else happens, it asks people and
// goes on; where not even that could be recorded, it says why in the end.
func (d *Driver) Drive(ctx context.Context, state []byte) error {
	if d.Beat == nil {
		return d.drive(ctx, state)
	}
	if err := d.Beat(ctx); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		for sleep(ctx, d.Every) == nil {
			if replaced, is := errors.AsType[*Replaced](d.Beat(ctx)); is {
				stop(replaced)
			}
		}
	}()
	err := d.drive(ctx, state)
	stop(nil)
	<-beating
	if replaced, is := errors.AsType[*Replaced](context.Cause(ctx)); is {
		return replaced
	}
	return err
}

func (d *Driver) drive(ctx context.Context, state []byte) error {
	begin := event{Action: "begin_execution", State: state}
	a, err := d.invoke(ctx, begin)
	for n := 0; err == nil && a.trouble != nil; n++ { // there may be no record yet in which people could be asked
		if n == d.asks() {
			return a.trouble
		}
		if err = d.wait(ctx, askLater); err == nil {
			a, err = d.invoke(ctx, begin)
		}
	}
	if err == nil && a.Code != "" {
		return &Refused{a.Code, a.Message}
	}
	for over := false; err == nil && !over; {
		if err = ctx.Err(); err != nil && a.Step.Action != "await_decision" {
			return err
		}
		finished := a.Step.Action == "finish"
		a, err = d.next(ctx, a, begin)
		over = finished && a.Step.Action == "finish"
	}
	return err
}

// next does what an answer says, and gives the answer to that.
func (d *Driver) next(ctx context.Context, a answer, begin event) (answer, error) {
	switch a.Step.Action {
	case "start_wave_recovery":
		return d.start(ctx, a)
	case "wait":
		if err := d.wait(ctx, time.Duration(a.Step.Seconds)*time.Second); err != nil {
			return a, err
		}
		return d.act(ctx, event{Action: "poll_wave_status", State: a.state})
	case "finish":
		return d.act(ctx, event{Action: "finish_execution", State: a.state})
	case "await_decision":
	default:
		a.state = a.interruption()
	}
	if err := d.await(ctx, a); err != nil {
		return a, err
	}
	return d.act(ctx, begin)
}

// start starts one wave; a refusal goes into the record, and what follows from
// it comes back.
func (d *Driver) start(ctx context.Context, a answer) (answer, error) {
	started, err := d.invoke(ctx, event{Action: "start_wave_recovery", State: a.state, Wave: a.Step.Wave})
	if err != nil || started.Code == "" {
		return started, err
	}
	return d.act(ctx, event{Action: "record_wave_refusal", State: started.state, Failure: &started.failure})
}

// act asks for an action whose refusals are not recorded: one that may pass is
// followed by a look, any other by a question to people.
func (d *Driver) act(ctx context.Context, e event) (answer, error) {
	for {
		a, err := d.invoke(ctx, e)
		if err != nil || a.Code == "" {
			return a, err
		}
		if !a.Retryable {
			a.trouble = &trouble{a.Code, a.Message}
			return a, nil
		}
		if err := d.wait(ctx, hinderedPause); err != nil {
			return a, err
		}
		e = event{Action: "poll_wave_status", State: a.state}
	}
}

// await has people asked, which they are although the driver is stopped just
// now, and looks until nobody is asked any more.
func (d *Driver) await(ctx context.Context, a answer) error {
	for n := 0; ; {
		asking, done := context.WithCancel(context.WithoutCancel(ctx))
		late := context.AfterFunc(ctx, func() { time.AfterFunc(askTime, done) })
		said, err := d.invoke(asking, event{Action: "await_decision", State: a.state, Looks: true})
		late()
		done()
		if err != nil {
			return err
		}
		if said.Code != "" {
			said.trouble = &trouble{said.Code, said.Message}
		}
		if said.trouble != nil { // nobody could be asked
			if n++; n > d.asks() {
				return said.trouble
			}
			if err := d.wait(ctx, askLater); err != nil {
				return err
			}
			continue
		}
		n = 0
		if said.Step.Action != "await_decision" {
			return nil
		}
		for a = said; slices.Equal(a.questions(), said.questions()); {
			if err := sleep(ctx, d.Look); err != nil {
				return err
			}
			looked, err := d.invoke(ctx, event{Action: "poll_wave_status", State: a.state})
			if err != nil {
				return err
			}
			switch {
			case looked.trouble != nil || looked.Code != "":
			case looked.Step.Action != "await_decision":
				return nil
			default:
				a = looked
			}
		}
	}
}

// wait waits at the driver's pace.
func (d *Driver) wait(ctx context.Context, t time.Duration) error {
	if d.Pace > 0 {
		t = time.Duration(float64(t) / d.Pace)
	}
	return sleep(ctx, t)
}

func sleep(ctx context.Context, t time.Duration) error {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
