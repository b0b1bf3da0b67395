package recoverytest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"muster/recovery"
)

// Identities holds a kind of record to its promises about what says which
// record it is. For each of them it calls create once, which makes an empty
// record, and then open as often as it needs another handle on that record.
func Identities(t *testing.T, create func(t *testing.T) (open func() recovery.IdentityStore)) {
	for _, p := range identityPromises {
		t.Run(p.name, func(t *testing.T) { p.keep(t, create(t)) })
	}
}

var identityPromises = []struct {
	name string
	keep func(t *testing.T, open func() recovery.IdentityStore)
}{
	{"a record that nobody drove anything from has no identity", func(t *testing.T, open func() recovery.IdentityStore) {
		if i, err := open().Identity(t.Context()); err != nil || i.Version != 0 || i.ID != "" {
			t.Errorf("got %+v, %v; want one of version 0", i, err)
		}
		same(t, "an identity over one that is not there", open().SetIdentity(t.Context(), recovery.Identity{ID: "a", Version: 1}), error(recovery.ErrStale))
	}},
	{"every field of an identity survives", func(t *testing.T, open func() recovery.IdentityStore) {
		s := open()
		i := recovery.Identity{
			ID: "record-2", AWS: "aws:999999999999", Where: recovery.RecordPlace{Table: "t", Region: "us-east-1", File: "/f"}, Made: now,
			Former:  []recovery.World{{Record: "record-1", AWS: "aws:111122223333"}},
			Adopted: &recovery.Adoption{From: "record-1", Where: recovery.RecordPlace{Table: "old"}, Fenced: true, Request: recovery.Request{By: "anna", At: now, Reason: "日本語 \"so\"", RequestID: "r"}},
			Fenced:  &recovery.Fence{Record: "record-3", Where: recovery.RecordPlace{File: "/new"}, Request: recovery.Request{By: "ben", At: now}},
		}
		filled(t, i, "Version")
		filled(t, *i.Adopted)
		set(t, s, i)
		i.Version = 1
		same(t, "identity", get(t, open()), i)
		i.Former, i.Adopted, i.Fenced, i.AWS = nil, nil, nil, ""
		set(t, open(), i)
		i.Version = 2
		same(t, "identity after the next change", get(t, s), i)
	}},
	{"of those who write at once one wins, and the others are told", func(t *testing.T, open func() recovery.IdentityStore) {
		set(t, open(), recovery.Identity{ID: "first"})
		for round := int64(1); round < 4; round++ {
			errs := make([]error, 8)
			var wait sync.WaitGroup
			for n := range errs {
				s := open()
				wait.Go(func() {
					errs[n] = s.SetIdentity(t.Context(), recovery.Identity{ID: recovery.RecordID(fmt.Sprint(round, "-", n)), Version: round})
				})
			}
			wait.Wait()
			won := -1
			for n, err := range errs {
				switch {
				case err == nil && won < 0:
					won = n
				case !errors.Is(err, recovery.ErrStale):
					t.Errorf("writer %d of round %d got %v; %d had won", n, round, err, won)
				}
			}
			if i := get(t, open()); won < 0 || i.ID != recovery.RecordID(fmt.Sprint(round, "-", won)) || i.Version != round+1 {
				t.Errorf("round %d: got %+v, and writer %d had won", round, i, won)
			}
		}
		same(t, "an identity over an older version", open().SetIdentity(t.Context(), recovery.Identity{ID: "late", Version: 1}), error(recovery.ErrStale))
		same(t, "a first identity over one that stands", open().SetIdentity(t.Context(), recovery.Identity{ID: "late"}), error(recovery.ErrStale))
	}},
	{"a record says where it is", func(t *testing.T, open func() recovery.IdentityStore) {
		if here := open().Here(); here == (recovery.RecordPlace{}) || here != open().Here() {
			t.Errorf("got %+v", here)
		}
	}},
}

func get(t *testing.T, s recovery.IdentityStore) recovery.Identity {
	t.Helper()
	i, err := s.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func set(t *testing.T, s recovery.IdentityStore, i recovery.Identity) {
	t.Helper()
	if err := s.SetIdentity(t.Context(), i); err != nil {
		t.Fatal(err)
	}
}
