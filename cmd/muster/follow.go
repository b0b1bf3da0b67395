package main

import (
	"context"
	"sync"
	"time"

	"muster/event"
	"muster/recovery"
)

// follower shows an execution that somebody else drives.
type follower struct {
	src  source
	id   recovery.ExecutionID
	view view

	mu   sync.Mutex
	last *account // as it was seen last, with every event so far
}

// newFollower looks once, and shows what happened so far.
func (m *Main) newFollower(ctx context.Context, o *runOptions, src source, id recovery.ExecutionID) (*follower, error) {
	f := &follower{src: src, id: id, view: silent{}}
	a, _, err := f.look(ctx)
	if err != nil {
		return nil, err
	}
	f.view = m.viewOf(o, a.Speed, a.Begun, func() *account {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.last
	})
	f.tell(a.Events)
	return f, nil
}

func (f *follower) tell(events []recovery.Event) {
	for _, ev := range events {
		f.view.observe(f.id, ev)
	}
}

// look sees how the execution stands, and tells what is new.
func (f *follower) look(ctx context.Context) (a *account, news bool, err error) {
	var before []recovery.Event
	after := int64(0)
	if f.last != nil {
		before = f.last.Events
	}
	if n := len(before); n > 0 {
		after = before[n-1].Number
	}
	if a, err = f.src.look(ctx, f.id, after); err != nil {
		return nil, false, err
	}
	fresh := a.Events
	a.Events = append(before[:len(before):len(before)], fresh...)
	f.mu.Lock()
	f.last = a
	f.mu.Unlock()
	f.tell(fresh)
	return a, len(fresh) > 0, nil
}

// follow shows the execution to its end. What it asks is put to the desk.
func (f *follower) follow(ctx context.Context, d *desk) (*account, error) {
	d.questions = func(ctx context.Context) ([]recovery.Question, error) {
		a, _, err := f.look(ctx)
		if err != nil {
			return nil, err
		}
		return questionsOf(a), nil
	}
	d.view, d.every = f.view, f.src.slowest()
	for pause := lookStep; ; {
		a, news, err := f.look(ctx)
		switch {
		case err != nil:
			return nil, err
		case a.Ended != nil:
			return a, nil
		case len(a.Questions) > 0:
			if _, err := d.Wait(ctx, ""); err != nil {
				return a, err
			}
			pause = lookStep
			continue
		case news:
			pause = lookStep
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return a, ctx.Err()
		}
		pause = min(pause*3/2, f.src.slowest())
	}
}

// questionsOf is what an execution asks, and aheadOf what may be answered
// though nothing waits for it yet.
func questionsOf(a *account) []recovery.Question { return questions(a.Questions) }
func aheadOf(a *account) []recovery.Question     { return questions(a.Ahead) }

func questions(told []event.QuestionOverview) (all []recovery.Question) {
	for _, q := range told {
		all = append(all, recovery.Question(q))
	}
	return all
}

// since is when an event happened, in AWS's time, counted from the beginning.
func since(begun time.Time, ev recovery.Event, speed float64) time.Duration {
	at := ev.At
	if at.IsZero() { // it is not recorded
		at = time.Now()
	}
	return event.Scaled(at.Sub(begun), speed)
}
