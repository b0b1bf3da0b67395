package main

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/driver"
	"muster/recovery"
	"muster/sqlite"
)

// The seat of whoever is at work is theirs. One that was left, whose driver was
// not seen for its lease, or whose process is gone, is anybody's; who had it
// stops at the next beat.
func TestASeatIsTakenFromNobodyWhoIsAtWork(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "executions.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	e := &recovery.Execution{ID: "exec-1", Plan: "rp-shop", Type: recovery.Drill}
	if err := store.Commit(t.Context(), e.WithEvent(recovery.Event{At: time.Now(), Kind: recovery.EventOpened})); err != nil {
		t.Fatal(err)
	}
	seen := func(ago time.Duration) time.Time { return time.Now().Add(-ago) }
	for what, c := range map[string]struct {
		by    recovery.Driver
		taken bool
	}{
		"at work elsewhere":    {recovery.Driver{ID: "elsewhere", Who: "anna", Where: "pid 1 on another-desk", Seen: seen(recovery.DriverLease - time.Minute)}, true},
		"left":                 {recovery.Driver{ID: "left", Where: "pid 1 on another-desk", Seen: seen(0), Left: true}, false},
		"not seen for a while": {recovery.Driver{ID: "unseen", Where: "pid 1 on another-desk", Seen: seen(recovery.DriverLease)}, false},
		"gone from here":       {recovery.Driver{ID: "gone", Where: here(), Seen: seen(0)}, false},
	} {
		now, err := store.Execution(t.Context(), e.ID)
		if err != nil {
			t.Fatal(err)
		}
		if driven, err := store.Drive(t.Context(), e.ID, now.Driver.Mark(), c.by); !driven || err != nil {
			t.Fatalf("%s: %v, %v", what, driven, err)
		}
		s := &seat{id: e.ID, store: store, who: "ben"}
		err = s.take(t.Context())
		switch refused, is := errors.AsType[*recovery.Error](err); {
		case c.taken:
			if !is || refused.Code != recovery.WrongState || !strings.Contains(refused.Message, `"anna" drives it (pid 1 on another-desk)`) {
				t.Errorf("%s: got %v, want to be told who drives", what, err)
			}
		case err != nil:
			t.Errorf("%s: %v", what, err)
		default:
			if err := s.beat(t.Context()); err != nil {
				t.Errorf("%s: the new driver's beat: %v", what, err)
			}
			before := &seat{id: e.ID, store: store, me: c.by}
			if replaced, is := errors.AsType[*driver.Replaced](before.beat(t.Context())); !is || !strings.Contains(replaced.By, "ben") {
				t.Errorf("%s: the driver of before is told of %+v", what, replaced)
			}
		}
	}
}
