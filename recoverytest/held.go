package recoverytest

import (
	"errors"
	"fmt"

	"muster/recovery"
)

// holdPromises are about plans: one execution at a time.
var holdPromises = []promise{
	{"of ten executions of one plan at once one is opened, and the others name it", func(h *house) {
		const callers = 10
		var results [callers]error
		var stores [callers]recovery.ExecutionStore
		for i := range stores {
			stores[i] = h.open()
		}
		h.atOnce(callers, func(i int) { results[i] = stores[i].Commit(h.Context(), opening(numbered(i))) })
		winner := h.oneHolds(numbered, results[:])

		// The same for those that take the plan over.
		takers := func(i int) recovery.ExecutionID { return numbered(100 + i) }
		h.atOnce(callers, func(i int) {
			c := opening(takers(i))
			c.TakeFrom = winner
			results[i] = stores[i].Commit(h.Context(), c)
		})
		h.oneHolds(takers, results[:])
	}},
	{"an execution whose plan is held writes nothing", func(h *house) {
		h.commit(h.store, opening("exec-1"))
		c := opening("exec-2")
		start := starting("exec-2", 1)
		a := start.NewAttempt().Take("token-1", now)
		c.Attempt = &a
		h.held(h.open(), c, "exec-1")
		h.nothing("exec-2")
		h.listed(10, "exec-1")
	}},
	{"a plan is held through every change until the one that ends the execution", func(h *house) {
		e := h.change(h.store, opened("exec-1"))
		h.held(h.store, opening("exec-2"), "exec-1")
		h.commit(h.store, claiming(e, 1, "token-1", now))
		e = h.read(h.store, "exec-1")
		e.Pause, e.Cancel = &recovery.Request{By: "user@example.com", At: now}, &recovery.Request{By: "user@example.com", At: now}
		e = h.change(h.open(), e)
		h.held(h.store, opening("exec-2"), "exec-1")

		e.Ended = &recovery.Ending{Outcome: recovery.OutcomeCancelled, At: now}
		e = h.change(h.store, e)
		h.commit(h.open(), opening("exec-2"))
		h.held(h.store, opening("exec-3"), "exec-2")

		h.change(h.store, e) // it had let go already
		h.held(h.store, opening("exec-3"), "exec-2")
	}},
	{"a plan is taken only from the execution that holds it", func(h *house) {
		e := h.change(h.store, opened("exec-1"))
		for _, from := range []recovery.ExecutionID{"", "exec-2", "exec-3", "rp-456", "EXEC-1"} {
			c := opening("exec-2")
			c.TakeFrom = from
			h.held(h.store, c, "exec-1")
		}
		h.nothing("exec-2")
		taking := opening("exec-2")
		taking.TakeFrom = "exec-1"
		h.commit(h.open(), taking)
		for _, from := range []recovery.ExecutionID{"", "exec-1"} {
			c := opening("exec-3")
			c.TakeFrom = from
			h.held(h.store, c, "exec-2")
		}

		e.Ended = &recovery.Ending{Outcome: recovery.OutcomeCancelled, At: now}
		h.change(h.store, e) // the plan is no longer its own to let go of
		h.held(h.store, opening("exec-3"), "exec-2")
	}},
	{"a plan that nobody holds is taken from nobody", func(h *house) {
		c := opening("exec-1")
		c.TakeFrom = "exec-0"
		h.commit(h.store, c)
		h.held(h.store, opening("exec-2"), "exec-1")
	}},
	{"a stale change takes no plan and lets go of none", func(h *house) {
		h.commit(h.store, opening("exec-1"))
		h.stale(h.open(), opening("exec-1")) // delivered twice: it does not stand in its own way
		old := h.read(h.store, "exec-1")
		h.claimIn("exec-1")
		old.Ended = &recovery.Ending{Outcome: recovery.OutcomeFailed, At: now}
		h.stale(h.store, old.WithEvent(*happened(recovery.EventNote, now, "ended")))
		h.held(h.store, opening("exec-2"), "exec-1")

		h.claimIn("exec-3") // stands in the store, so that nothing opens it any more
		c := opening("exec-3")
		c.TakeFrom = "exec-1"
		h.stale(h.store, c)
		if p := h.plan(h.store, "exec-3"); p != nil {
			h.Errorf("a stale change froze the plan %+v", p)
		}
		h.held(h.store, opening("exec-2"), "exec-1")
	}},
	{"an execution without waves holds nothing and asks nobody", func(h *house) {
		h.claimIn("exec-1")
		h.commit(h.store, opening("exec-2"))
		h.claimIn("exec-3")
		h.claimIn("exec-1")
		h.held(h.store, opening("exec-4"), "exec-2")
	}},
	{"plans with similar ids are held apart", func(h *house) {
		for i, plan := range []recovery.PlanID{"rp-1", "RP-1", "rp-10", "rp_1", "rp-1.a", "exec-1"} {
			e := opened(numbered(i))
			e.Plan = plan
			h.change(h.store, e)
		}
	}},
}

func numbered(i int) recovery.ExecutionID { return recovery.ExecutionID(fmt.Sprint("exec-", i)) }

// oneHolds wants one of several openings to have won, and all others to name
// it and to have written nothing.
func (h *house) oneHolds(id func(int) recovery.ExecutionID, results []error) recovery.ExecutionID {
	h.Helper()
	var winner recovery.ExecutionID
	for i, err := range results {
		if err == nil && winner != "" {
			h.Errorf("%s and %s both hold the plan", winner, id(i))
		}
		if err == nil {
			winner = id(i)
		}
	}
	for i, err := range results {
		if err == nil {
			continue
		}
		if by := new(recovery.PlanHeld); !errors.As(err, &by) || by.By != winner {
			h.Errorf("%s: got %v, want PlanHeld by %q", id(i), err, winner)
		}
		h.nothing(id(i))
	}
	if winner == "" {
		h.Fatal("no execution was opened")
	}
	same(h, "frozen plan of the winner", h.plan(h.store, winner).Name, "of "+string(winner))
	return winner
}

// held wants a change to be refused because an execution holds the plan.
func (h *house) held(s recovery.ExecutionStore, c recovery.Change, by recovery.ExecutionID) {
	h.Helper()
	err := s.Commit(h.Context(), c)
	var held *recovery.PlanHeld
	if !errors.As(err, &held) || held.By != by {
		h.Errorf("opening %s of a plan that %s holds, to be taken from %q: got %v, want PlanHeld by %s", c.Execution.ID, by, c.TakeFrom, err, by)
	}
}

// nothing wants an execution to have left no trace.
func (h *house) nothing(id recovery.ExecutionID) {
	h.Helper()
	e := h.read(h.store, id)
	if e.Version != 0 || len(e.Attempts) != 0 || len(h.events(h.store, id)) != 0 || h.plan(h.store, id) != nil {
		h.Errorf("execution %s was written: %+v", id, e)
	}
}

// claimIn claims wave 1 of an execution, which opens it where nobody did.
func (h *house) claimIn(id recovery.ExecutionID) {
	h.Helper()
	h.commit(h.store, claiming(h.read(h.store, id), 1, "token-1", now))
}
