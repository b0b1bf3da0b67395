package event

import (
	"context"
	"fmt"
	"time"

	"muster/recovery"
)

// DriverOverview is who drives an execution.
type DriverOverview struct {
	Kind  string     `json:"kind"` // "process", "state machine", "nobody", or "unknown": nobody here can say
	Who   string     `json:"who,omitempty"`
	Where string     `json:"where,omitempty"` // a process's place, a state machine's run
	Since *time.Time `json:"since,omitempty"`
	Seen  *time.Time `json:"lastSeen,omitempty"`
}

// The kinds of drivers.
const (
	drivenByProcess = "process"
	drivenByMachine = "state machine"
	drivenByNobody  = "nobody"
	drivenByUnknown = "unknown"
)

// Nobody says whether certainly nobody drives. A function of before says nothing.
func (d *DriverOverview) Nobody() bool { return d != nil && d.Kind == drivenByNobody }

func (d *DriverOverview) String() string {
	switch d.Kind {
	case drivenByProcess:
		return fmt.Sprintf("a process of %s (%s, since %s, seen last at %s)", recovery.Quote(d.Who), d.Where, d.Since.UTC().Format(time.RFC3339), d.Seen.UTC().Format(time.RFC3339))
	case drivenByNobody:
		return "nobody"
	case drivenByMachine:
		return "run " + d.Where + " of the state machine"
	}
	return "somebody who cannot be asked from here"
}

// dueSlack is how much longer than it was told to wait a run of a state
// machine may take until it is looked for.
const dueSlack = 2 * time.Minute

// told says who drives an execution, as far as that can be told without asking
// more than is needed; nil where it is over. A run of a state machine writes nothing: it
// drives while its token is held, and until what it was told to do next is due;
// then Step Functions is asked. last is when something happened last; zero:
// that is not known.
func (h Handler) told(ctx context.Context, e *recovery.Execution, last time.Time) *DriverOverview {
	due := last.Add(recovery.Next(e, h.now()).Wait + dueSlack)
	switch process := e.Driver.Drives(h.now()); {
	case e.Ended != nil:
		return nil
	case e.Waves == nil: // whoever sends its events
		return &DriverOverview{Kind: drivenByUnknown}
	case e.Interrupted != nil && e.TaskToken.IsZero() && !process:
		return &DriverOverview{Kind: drivenByNobody}
	case !process && (!e.TaskToken.IsZero() || e.Driver == nil && !last.IsZero() && h.now().Before(due)):
		return &DriverOverview{Kind: drivenByMachine, Where: e.RunName()}
	}
	by, _, _ := h.drivenBy(ctx, e)
	if by == nil {
		by = &DriverOverview{Kind: drivenByNobody}
	}
	return by
}

// drivenBy finds out who drives an execution, nil for nobody, and whether there
// is or was a driver at all. The error is what kept Step Functions from being
// asked.
func (h Handler) drivenBy(ctx context.Context, e *recovery.Execution) (by *DriverOverview, known bool, err error) {
	d := e.Driver
	switch {
	case e.Ended != nil || e.Waves == nil:
		return nil, true, nil
	case d.Drives(h.now()) && (h.Gone == nil || !h.Gone(*d)):
		return &DriverOverview{drivenByProcess, d.Who, d.Where, &d.Since, &d.Seen}, true, nil
	case h.Runs == nil && d == nil:
		return &DriverOverview{Kind: drivenByUnknown}, false, nil
	case h.Runs == nil:
		return nil, true, nil
	}
	running, known, err := h.Runs.Running(ctx, e.RunName())
	switch {
	case err != nil:
		return &DriverOverview{Kind: drivenByUnknown}, false, err
	case running:
		return &DriverOverview{Kind: drivenByMachine, Where: e.RunName()}, true, nil
	}
	return nil, known || d != nil, nil
}
