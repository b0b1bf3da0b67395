package recoverytest

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"muster/recovery"
)

// versionPromises are about changes that cross.
var versionPromises = []promise{
	{"each commit moves the version on by one", func(h *house) {
		for want := int64(1); want <= 5; want++ {
			same(h, "version", h.claim(h.store, int(want), "token-1", now).Version, want)
		}
		e := h.read(h.store, execution)
		h.commit(h.store, recovery.Change{Execution: *e}) // neither an attempt nor an event
		after := h.read(h.store, execution)
		e.Version = 6
		same(h, "execution after a change of nothing but its version", after, e)
		same(h, "number of events", len(h.events(h.store, execution)), 5)
	}},
	{"of two changes decided on one version one wins and nothing of the other is written", func(h *house) {
		other := h.open()
		for version := int64(0); version < 3; version++ {
			mine, theirs := h.read(h.store, execution), h.read(other, execution)
			h.commit(h.store, claiming(mine, 1, "winner", now))
			want, log := h.read(h.store, execution), h.events(h.store, execution)
			if want.Version != version+1 || want.Attempt(1).Token != "winner" {
				h.Fatalf("the winner's change was not written: %+v", want)
			}

			lost := claiming(theirs, 1, "loser", now)
			lost.Execution.InitiatedBy = "loser"
			h.stale(other, lost)
			h.stale(other, claiming(theirs, 2, "loser", now)) // not of another wave either

			same(h, "execution after a stale change", h.read(other, execution), want)
			same(h, "events after a stale change", h.events(other, execution), log)
		}
	}},
	{"a version that never was is stale", func(h *house) {
		e := h.read(h.store, execution)
		e.Version = 3
		h.stale(h.store, claiming(e, 1, "token-1", now))
		same(h, "version after it", h.read(h.store, execution).Version, 0)
		h.claim(h.store, 1, "token-1", now)
		h.stale(h.store, claiming(e, 1, "token-2", now))
		same(h, "version after a change from the future", h.read(h.store, execution).Version, 1)
	}},
	{"of twenty claimants at once one claims", func(h *house) {
		const claimants = 20
		var stores [claimants]recovery.ExecutionStore
		for i := range stores {
			stores[i] = h.open()
		}
		for version := int64(0); version < 3; version++ { // of a new record, then of one that stands
			var results [claimants]error
			e := h.read(h.store, execution)
			h.atOnce(claimants, func(i int) {
				results[i] = stores[i].Commit(h.Context(), claiming(e, 1, recovery.Token(fmt.Sprint("token-", i)), now))
			})
			winner := -1
			for i, err := range results {
				switch {
				case err == nil && winner >= 0:
					h.Errorf("claimants %d and %d both claimed", winner, i)
				case err == nil:
					winner = i
				case !errors.Is(err, recovery.ErrStale):
					h.Errorf("claimant %d: got %v, want ErrStale", i, err)
				}
			}
			after := h.read(h.store, execution)
			if want := recovery.Token(fmt.Sprint("token-", winner)); after.Version != version+1 || after.Attempt(1).Token != want {
				h.Errorf("got version %d, owned by %s; want version %d, owned by the winner %s", after.Version, after.Attempt(1).Token, version+1, want)
			}
			same(h, "number of events", int64(len(h.events(h.store, execution))), version+1)
		}
	}},
	{"no change is lost between writers that read again when they are stale", func(h *house) {
		const writers, each = 6, 5
		var stores [writers]recovery.ExecutionStore
		for i := range stores {
			stores[i] = h.open()
		}
		h.atOnce(writers, func(i int) {
			for n := 0; n < each; {
				e, err := stores[i].Execution(h.Context(), execution)
				if err == nil {
					err = stores[i].Commit(h.Context(), claiming(e, i*each+n+1, "token-1", now))
				}
				switch {
				case err == nil:
					n++
				case !errors.Is(err, recovery.ErrStale):
					h.Errorf("writer %d: %v", i, err)
					return
				}
			}
		})
		e := h.read(h.store, execution)
		same(h, "version", e.Version, writers*each)
		same(h, "number of waves", len(e.Attempts), writers*each)
		same(h, "number of events", len(h.events(h.store, execution)), writers*each)
	}},
	{"what is read is never older than its version", func(h *house) {
		const changes = 100
		reader := h.open()
		h.claim(h.store, 1, "1", now)
		h.atOnce(2, func(i int) {
			for range changes {
				e, err := []recovery.ExecutionStore{h.store, reader}[i].Execution(h.Context(), execution)
				if err != nil {
					h.Error(err)
					return
				}
				var token int64
				fmt.Sscan(string(e.Attempt(1).Token), &token)
				if token < e.Version {
					h.Errorf("version %d was read with the attempt of version %d", e.Version, token)
				}
				if i == 0 {
					if err := h.store.Commit(h.Context(), claiming(e, 1, recovery.Token(fmt.Sprint(e.Version+1)), now)); err != nil {
						h.Error(err)
						return
					}
				}
			}
		})
	}},
	{"waves do not disturb each other and move one version", func(h *house) {
		first := h.claim(h.store, 1, "token-1", now)
		h.claim(h.store, 2, "token-2", now)
		h.stale(h.store, claiming(first, 2, "token-3", now))
		e := h.read(h.store, execution)
		h.commit(h.store, e.With(e.Attempt(1).Send(now, now.Add(recovery.SendTimeout)), happened(recovery.EventSent, now, "")))
		e = h.read(h.store, execution)
		same(h, "version", e.Version, 3)
		var states []recovery.ClaimState
		for _, a := range e.Attempts {
			states = append(states, a.State)
		}
		if want := []recovery.ClaimState{recovery.Sent, recovery.Claimed}; !slices.Equal(states, want) {
			h.Errorf("states of waves 1 and 2: got %v, want %v", states, want)
		}
		same(h, "owner of wave 2", e.Attempt(2).Token, "token-2")
	}},
	{"an ended context writes nothing, and the store goes on", func(h *house) {
		e := h.read(h.store, execution)
		if err := h.store.Commit(ended(h.Context()), claiming(e, 1, "token-1", now)); err == nil || errors.Is(err, recovery.ErrStale) {
			h.Errorf("Commit with an ended context: got %v, want the context's error", err)
		}
		if e := h.read(h.open(), execution); e.Version != 0 || len(h.events(h.store, execution)) != 0 {
			h.Errorf("it wrote %+v", e)
		}
		if _, err := h.store.Execution(ended(h.Context()), execution); err == nil {
			h.Error("Execution with an ended context: got no error")
		}
		h.claim(h.store, 1, "token-1", now)
	}},
}

// atOnce runs f n times, all at the same time.
func (h *house) atOnce(n int, f func(i int)) {
	var ready, done sync.WaitGroup
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			f(i)
		})
	}
	done.Wait()
}
