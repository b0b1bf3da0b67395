package simulator

import (
	"container/heap"
	"time"
)

// event is something that a region will do by itself. Nothing runs until
// somebody asks: then everything due is done, in the order of its time.
type event struct {
	at    time.Time
	order int // events of one moment keep the order in which they were scheduled
	do    func(at time.Time)
}

type eventQueue []event

func (q eventQueue) Len() int      { return len(q) }
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(e any)   { *q = append(*q, e.(event)) }

func (q eventQueue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].order < q[j].order
	}
	return q[i].at.Before(q[j].at)
}

func (q *eventQueue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = event{}
	*q = (*q)[:last]
	return e
}

// schedule has something done when its time has come.
func (r *region) schedule(at time.Time, do func(at time.Time)) {
	r.scheduled++
	heap.Push(&r.events, event{at, r.scheduled, do})
}

// advance does what is due by now.
func (r *region) advance(now time.Time) {
	for len(r.events) > 0 && !r.events[0].at.After(now) {
		e := heap.Pop(&r.events).(event)
		e.do(e.at)
	}
}
