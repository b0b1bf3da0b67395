package event

import (
	"context"
	"time"

	"muster/recovery"
)

// finish answers finish_execution. Where the execution is not at its end, the
// next step says what is.
func (e event) finish(ctx context.Context, h Handler) ([]byte, error) {
	var p problems
	a, answer, err := e.opened(ctx, h, &p)
	if answer != nil || err != nil {
		return answer, err
	}
	exec, err := h.Starter.Finish(ctx, a.execution)
	if err != nil {
		return e.refused(err)
	}
	var more []Field
	if exec.Ended != nil {
		more = []Field{
			{"outcome", encode(exec.Ended.Outcome)},
			{"totals", encode(totals(exec, h.now()))},
			{"durations", encode(durations(exec))},
		}
	}
	return e.follow(State{e.state}, exec, h, more...), nil
}

type totalsJSON struct {
	Waves           int `json:"waves"`
	WavesCompleted  int `json:"wavesCompleted"`
	WavesFailed     int `json:"wavesFailed"`
	WavesSkipped    int `json:"wavesSkipped"`
	Servers         int `json:"servers"`
	ServersLaunched int `json:"serversLaunched"`
	ServersFailed   int `json:"serversFailed"`
}

func totals(e *recovery.Execution, now time.Time) (t totalsJSON) {
	for i := range e.Waves {
		w := &e.Waves[i]
		t.Waves++
		t.Servers += w.Servers
		switch e.Status(w, now) {
		case recovery.StatusCompleted:
			t.WavesCompleted++
		case recovery.StatusFailed:
			t.WavesFailed++
		case recovery.StatusSkipped:
			t.WavesSkipped++
		}
		if a := e.Attempt(w.Number); a != nil {
			launched, failed := fates(a)
			t.ServersLaunched, t.ServersFailed = t.ServersLaunched+launched, t.ServersFailed+failed
		}
	}
	return t
}

// durationsJSON are whole seconds. What is not known is left out.
type durationsJSON struct {
	Total int64 `json:"totalSeconds,omitempty"` // from startTime, where that is a time, to the end
	Jobs  int64 `json:"jobsSeconds,omitempty"`  // from the start of the first job to the end of the last
}

func durations(e *recovery.Execution) (d durationsJSON) {
	if begun, err := time.Parse(time.RFC3339, e.StartTime); err == nil {
		d.Total = seconds(e.Ended.At.Sub(begun))
	}
	var first, last time.Time
	for i := range e.Attempts {
		a := &e.Attempts[i]
		if !a.StartedAt.IsZero() && (first.IsZero() || a.StartedAt.Before(first)) {
			first = a.StartedAt
		}
		if a.EndedAt.After(last) {
			last = a.EndedAt
		}
	}
	if !first.IsZero() {
		d.Jobs = seconds(last.Sub(first))
	}
	return d
}

func seconds(d time.Duration) int64 { return max(0, int64((d+time.Second-1)/time.Second)) }
