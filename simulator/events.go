package simulator

import "time"

// event is something that a region will do by itself. Nothing runs until
// somebody asks: then everything due is done, in the order of its time.
type event struct {
	at time.Time
	do func(at time.Time)
}

// schedule puts an event into its place; events of one moment keep the order
// in which they were scheduled.
func (r *region) schedule(at time.Time, do func(at time.Time)) {
	i := len(r.events)
	for i > 0 && r.events[i-1].at.After(at) {
		i--
	}
	r.events = append(r.events, event{})
	copy(r.events[i+1:], r.events[i:])
	r.events[i] = event{at, do}
}

// advance does what is due by now.
func (r *region) advance(now time.Time) {
	for len(r.events) > 0 && !r.events[0].at.After(now) {
		e := r.events[0]
		r.events[0].do = nil
		r.events = r.events[1:]
		e.do(e.at)
	}
}
