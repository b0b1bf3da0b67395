package recoverytest

import (
	"time"

	"muster/recovery"
)

// driverPromises are about who drives an execution, which stands beside its
// record.
var driverPromises = []promise{
	{"who drives is written only in place of the driver that is named, and read by all", func(h *house) {
		h.commit(h.store, opening(execution))
		before := h.read(h.store, execution)
		first := recovery.Driver{ID: "d-1", Who: "user@example.com", Where: "pid 1 on <here>", Since: now, Seen: now}
		h.drives("", first, true)
		second := recovery.Driver{ID: "d-2", Who: "ops", Where: "pid 2", Since: now.Add(1), Seen: now.Add(2)}
		for _, replaces := range []string{"", "d-2", "d-0", "D-1"} {
			h.drives(replaces, second, false)
		}
		same(h, "driver", h.read(h.open(), execution).Driver, &first)
		first.Seen = now.Add(time.Minute)
		h.drives("", first, true) // seen again
		same(h, "driver", h.read(h.open(), execution).Driver, &first)
		h.drives("d-1", second, true)
		h.drives("", first, false)
		h.drives("d-2", second, true) // after an error
		after := h.read(h.open(), execution)
		same(h, "driver", after.Driver, &second)
		after.Driver = nil
		same(h, "execution", after, before)
	}},
	{"changes leave who drives, and a change that was read before it is not stale", func(h *house) {
		e := h.change(h.store, opened(execution))
		d := recovery.Driver{ID: "d-1", Since: now, Seen: now}
		h.drives("", d, true)
		h.change(h.open(), e) // the version is the same
		same(h, "driver", h.read(h.store, execution).Driver, &d)
		h.claim(h.store, 1, "token-1", now)
		same(h, "driver", h.read(h.store, execution).Driver, &d)
		if all, err := h.store.Executions(h.Context(), 10); err != nil || len(all) != 1 || all[0].Driver == nil {
			h.Errorf("got the list %+v, %v; want one execution with its driver", all, err)
		}
	}},
	{"an execution that is not there is driven by nobody", func(h *house) {
		h.drives("", recovery.Driver{ID: "d-1", Since: now, Seen: now}, false)
		h.nothing(execution)
	}},
}

// drives wants a driver to be written, or not, by another process.
func (h *house) drives(replaces string, d recovery.Driver, want bool) {
	h.Helper()
	if got, err := h.open().Drive(h.Context(), execution, replaces, d); err != nil || got != want {
		h.Errorf("Drive by %s in place of %q: got %v, %v; want %v", d.ID, replaces, got, err, want)
	}
}
