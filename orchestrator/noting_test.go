package orchestrator_test

import (
	"context"
	"sync"
	"time"

	"muster/recovery"
)

// noting is a store that notes what it takes, for the house to judge by.
type noting struct {
	recovery.ExecutionStore
	house *house
}

func (s noting) Commit(ctx context.Context, c recovery.Change) error {
	err := s.ExecutionStore.Commit(ctx, c)
	if err == nil {
		s.house.taken(c.Execution)
		if c.Event != nil {
			s.house.announced.note(c.Event)
		}
	}
	return err
}

// A version is what one change may be decided on.
type version struct {
	execution recovery.ExecutionID
	number    int64
}

// taken holds the store to its one condition: of all changes that were decided
// on one version of an execution, it takes one.
func (h *house) taken(e recovery.Execution) {
	v := version{e.ID, e.Version}
	if _, before := h.decided.LoadOrStore(v, true); before {
		h.t.Errorf("two changes were written that were decided on version %d of execution %s", v.number, v.execution)
	}
}

// announcements says since when it has been in the record, whatever the clock
// of who wrote it says, that a server's DRS settings or a template are to be
// changed, or that an instance is to be terminated.
type announcements struct{ since sync.Map }

func (a *announcements) note(ev *recovery.Event) {
	if ev.Kind == recovery.EventCleaned {
		for _, id := range foreignID.FindAllString(ev.Message, -1) {
			a.since.LoadOrStore(id, time.Now())
		}
	}
	for _, s := range ev.Changes {
		for _, c := range s.Changes {
			about := string(s.Server)
			if c.Setting.Home() == recovery.InTemplate {
				about = s.TemplateID
			}
			a.since.LoadOrStore(about, time.Now())
		}
	}
}

func (a *announcements) stood(about string, at time.Time) bool {
	since, known := a.since.Load(about)
	return known && !since.(time.Time).After(at)
}
