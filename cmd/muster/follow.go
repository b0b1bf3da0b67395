package main

import (
	"context"
	"sync"
	"time"

	"muster/event"
	"muster/recovery"
)

// follower shows an execution, whoever drives it.
type follower struct {
	in   *invoker
	id   recovery.ExecutionID
	view view
	left string // says that nobody drives it

	mu    sync.Mutex
	last  *event.Overview // as it was seen last, with every event so far
	shown map[int64]bool  // recorded events, by number
}

// newFollower looks once, and shows what happened so far.
func (m *Main) newFollower(ctx context.Context, o *runOptions, in *invoker, id recovery.ExecutionID) (*follower, error) {
	f := &follower{in: in, id: id, view: silent{}, shown: map[int64]bool{}}
	a, err := in.EventsAfter(ctx, id, 0)
	if err != nil {
		return nil, err
	}
	f.last = a
	f.view = m.viewOf(o, a.Speed, a.Begun, func() *event.Overview {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.last
	})
	in.tell(id, a.Events, f.show)
	return f, nil
}

// show shows an event once, whether this process was told of it or the record.
func (f *follower) show(id recovery.ExecutionID, ev recovery.Event) {
	f.mu.Lock()
	shown := ev.Number > 0 && f.shown[ev.Number]
	f.shown[ev.Number] = true
	f.mu.Unlock()
	if !shown {
		f.view.observe(id, ev)
	}
}

// look sees how the execution stands, and shows what is new.
func (f *follower) look(ctx context.Context) (a *event.Overview, news bool, err error) {
	before, after := f.last.Events, int64(0)
	if n := len(before); n > 0 {
		after = before[n-1].Number
	}
	a, err = f.in.EventsAfter(ctx, f.id, after)
	if broken := f.in.failed(); broken != nil && (err != nil || a.Ended == nil) {
		err = broken
	}
	if err != nil {
		return nil, false, err
	}
	fresh := a.Events
	a.Events = append(before[:len(before):len(before)], fresh...)
	f.mu.Lock()
	f.last = a
	f.mu.Unlock()
	for _, ev := range fresh {
		f.show(f.id, ev)
	}
	return a, len(fresh) > 0, nil
}

// leastPause is between two looks, however much happens; or four times as long
// as a look takes, where that is more.
const leastPause = 50 * time.Millisecond

// follow shows the execution to its end. What it asks is put to the desk.
func (f *follower) follow(ctx context.Context, d *desk) (*event.Overview, error) {
	d.questions = func(ctx context.Context) ([]recovery.Question, error) {
		a, _, err := f.look(ctx)
		if err != nil {
			return nil, err
		}
		return questionsOf(a), nil
	}
	d.view, d.every = f.view, f.in.every
	driven := true
	for pause := lookStep; ; {
		began := time.Now()
		a, news, err := f.look(ctx)
		if err == nil && a.Driver.Nobody() && driven {
			f.view.say(f.left)
		}
		driven = err != nil || !a.Driver.Nobody()
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
		time.Sleep(max(leastPause, 4*time.Since(began)))
		select {
		case <-f.in.news:
		case <-time.After(pause):
		case <-ctx.Done():
			return a, ctx.Err()
		}
		pause = min(pause*3/2, f.in.every)
	}
}

// questionsOf is what an execution asks, and aheadOf what may be answered
// though nothing waits for it yet.
func questionsOf(a *event.Overview) []recovery.Question { return questions(a.Questions) }
func aheadOf(a *event.Overview) []recovery.Question     { return questions(a.Ahead) }

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
