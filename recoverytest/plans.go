package recoverytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/recovery"
)

// Plans holds a kind of plan store to its promises, in the way of Executions.
// It keeps plans and protection groups as bytes, and both alike.
func Plans(t *testing.T, create func(t *testing.T) (open func() recovery.PlanStore)) {
	for _, p := range planPromises {
		t.Run(p.name, func(t *testing.T) {
			for _, kind := range []recovery.Kind{recovery.KindPlan, recovery.KindGroup} {
				t.Run(string(kind), func(t *testing.T) {
					l := &library{T: t, kind: kind, open: create(t)}
					l.store = l.open()
					p.keep(l)
				})
			}
		})
	}
}

// library is one empty plan store under test, and short ways to use it for
// things of one kind.
type library struct {
	*testing.T
	kind  recovery.Kind
	open  func() recovery.PlanStore
	store recovery.PlanStore // a first handle
}

var planPromises = []struct {
	name string
	keep func(l *library)
}{
	{"what nobody put is not there", func(l *library) {
		l.put("rp-1", "", recovery.Put{})
		l.nothing(l.kind, "rp-2", "")
		for _, other := range []recovery.Kind{recovery.KindPlan, recovery.KindGroup} {
			if other != l.kind {
				l.nothing(other, "rp-1")
			}
		}
	}},
	{"a plan of 3,000 servers and a group of 4,000 are read back by every handle, their secrets included", func(l *library) {
		p, want := largePlan(), largePlan()
		p.Groups["pg-1"], want.Groups["pg-1"] = &largeGroup().ProtectionGroup, &largeGroup().ProtectionGroup
		keptWhole(l, recovery.Plans, p, string(p.ID), func() { p.Waves[0].Name, p.Waves[0].Servers[0].ID = "forged", "s-forged" }, want)
		g := largeGroup()
		filled(l, *g)
		keptWhole(l, recovery.Groups, g, string(g.ID), func() { g.Servers[0], g.Tags["tier"] = "s-forged", "forged" }, largeGroup())
	}},
	{"each put replaces the whole and makes the next version, and the store knows whose it is", func(l *library) {
		for n := int64(1); n <= 3; n++ {
			by := recovery.Put{By: fmt.Sprint("user-", n, " 日本語"), At: now.Add(time.Duration(n)), RequestID: fmt.Sprint("request-", n)}
			want := recovery.Stored{Version: n, By: by.By, At: by.At, RequestID: by.RequestID}
			filled(l, want)
			says := strings.Repeat("less each time ", int(4-n))
			same(l, "version made", l.put("rp-1", says, by), n)
			l.kept(l.open(), "rp-1", says, want)
		}
	}},
	{"a put over a version that does not stand says which one does, and changes nothing", func(l *library) {
		l.conflicts("rp-1", 1, 0)
		l.conflicts("rp-1", 7, 0)
		l.nothing(l.kind, "rp-1")
		for version := range int64(3) {
			same(l, "version made", l.put("rp-1", fmt.Sprint("version ", version+1), recovery.Put{Replaces: new(version)}), version+1)
			for _, other := range []int64{-1, 0, version, version + 2} {
				if other != version+1 {
					l.conflicts("rp-1", other, version+1)
				}
			}
		}
		same(l, "version made", l.put("rp-1", "version 4", recovery.Put{}), 4)
		l.conflicts("rp-1", 3, 4)
	}},
	{"the same again makes no version, and stays whose it was", func(l *library) {
		first := recovery.Put{By: "user@example.com", At: now, Replaces: new(int64(0))}
		for _, put := range []recovery.Put{first, first, {By: "somebody else", At: now.Add(time.Hour)}, {Replaces: new(int64(1))}} {
			same(l, "version", l.put("rp-1", "", put), 1)
		}
		if _, err := l.tryPut(l.store, "rp-1", "", recovery.Put{Replaces: new(int64(7))}); err == nil {
			l.Error("the same over a version that there never was: got no conflict")
		}
		l.kept(l.open(), "rp-1", "", recovery.Stored{Version: 1, By: first.By, At: now})
	}},
	{"of twenty puts over one version one wins", func(l *library) {
		for version := range int64(3) {
			var won, lost int
			for _, err := range l.atOnce(recovery.Put{Replaces: new(version)}) {
				conflict := new(recovery.VersionConflict)
				switch {
				case err == nil:
					won++
				case errors.As(err, &conflict) && conflict.Stands == version+1:
					lost++
				default:
					l.Errorf("got %v, want a conflict with version %d", err, version+1)
				}
			}
			if won != 1 || lost != 19 {
				l.Errorf("over version %d: %d won and %d lost, want 1 and 19", version, won, lost)
			}
		}
	}},
	{"twenty plain puts at once make twenty versions", func(l *library) {
		for _, err := range l.atOnce(recovery.Put{}) {
			if err != nil {
				l.Error(err)
			}
		}
		_, at := l.get(l.store, "rp-1")
		same(l, "version", at.Version, 20)
	}},
	{"things with similar ids are kept apart", func(l *library) {
		ids := []string{"rp-1", "RP-1", "rp-10", "rp_1", "rp-1.a", "rp-01"}
		for _, id := range ids {
			l.put(id, "of "+id, recovery.Put{})
		}
		for _, id := range ids {
			l.kept(l.store, id, "of "+id, recovery.Stored{Version: 1})
		}
	}},
	{"lists are in the order of ids, go on behind one, and have at most so many", func(l *library) {
		l.listed("", 10)
		want := []string{"A-1", "a-1", "a-10", "a-2", "a.2", "a_2", "b"}
		slices.Sort(want)
		for _, i := range []int{3, 0, 6, 1, 5, 2, 4, 3} { // one of them twice
			l.put(want[i], "", recovery.Put{By: "user@example.com", At: now})
		}
		l.listed("", 100, want...)
		l.listed("", len(want), want...)
		l.listed("", 2, want[:2]...)
		l.listed("", 0)
		l.listed(want[1], 3, want[2:5]...)
		l.listed("a-11", 100, want[slices.Index(want, "a-10")+1:]...) // not there itself
		l.listed(want[len(want)-1], 100)
	}},
	{"an ended context writes nothing, and the store goes on", func(l *library) {
		if _, err := l.store.Put(ended(l.Context()), l.kind, "rp-1", recordOf("rp-1", ""), lineOf("rp-1"), recovery.Put{}); err == nil {
			l.Error("putting with an ended context: got no error")
		}
		l.nothing(l.kind, "rp-1")
		same(l, "version", l.put("rp-1", "", recovery.Put{}), 1)
	}},
}

// recordOf and lineOf are what is kept of a thing, and its line in lists.
func recordOf(id, says string) []byte { return fmt.Appendf(nil, `{"id":%q,"says":%q}`, id, says) }

func lineOf(id string) func(recovery.Stored) ([]byte, error) {
	return func(s recovery.Stored) ([]byte, error) {
		return json.Marshal(recovery.PlanEntry{ID: recovery.PlanID(id), Stored: s})
	}
}

// keptWhole wants a thing to be kept whole, whatever its callers do to their
// copies of it.
func keptWhole[T interface{ Freeze() ([]byte, error) }, E any](l *library, shelf recovery.Shelf[T, E], thing T, id string, forge func(), want T) {
	l.Helper()
	if _, err := shelf.Put(l.Context(), l.store, thing, recovery.Put{By: "user@example.com", At: now}); err != nil {
		l.Fatal(err)
	}
	forge()
	for range 2 {
		got, err := shelf.Get(l.Context(), l.open(), id)
		if err != nil || got == nil {
			l.Fatalf("%s is %v, %v; want it", id, got, err)
		}
		same(l, id, got.Thing, want)
	}
}

// largeGroup has as many servers as a region holds.
func largeGroup() *recovery.PlannedGroup {
	g := &recovery.PlannedGroup{
		ProtectionGroup: recovery.ProtectionGroup{ID: "pg-1", Overrides: map[recovery.SourceServerID]recovery.LaunchConfig{},
			LaunchConfig: recovery.LaunchConfig{recovery.SecurityGroups: []string{"sg-2", "sg-1"}, recovery.CopyTags: true}},
		Tags: map[string]string{"tier": "web", "empty": "", "name": "Web 日本語"},
		Account: &recovery.AccountContext{AccountID: "123456789012", Region: "us-east-1", RoleName: "Role",
			ExternalID: recovery.NewSecret("the-group's-word")},
	}
	for i := range recovery.MostSourceServers {
		id := recovery.SourceServerID(fmt.Sprintf("s-%017d", i))
		g.Servers = append(g.Servers, id)
		if i%4 == 0 {
			g.Overrides[id] = recovery.LaunchConfig{recovery.InstanceType: "r5.xlarge", recovery.SecurityGroups: []string{"sg-3"}}
		}
	}
	return g
}

func (l *library) tryPut(s recovery.PlanStore, id, says string, put recovery.Put) (int64, error) {
	return s.Put(l.Context(), l.kind, id, recordOf(id, says), lineOf(id), put)
}

func (l *library) put(id, says string, put recovery.Put) int64 {
	l.Helper()
	version, err := l.tryPut(l.store, id, says, put)
	if err != nil {
		l.Fatalf("putting %s: %v", id, err)
	}
	return version
}

func (l *library) get(s recovery.PlanStore, id string) (record []byte, at recovery.Stored) {
	l.Helper()
	record, line, err := s.Get(l.Context(), l.kind, id)
	if err == nil {
		err = json.Unmarshal(line, &at)
	}
	if err != nil || record == nil {
		l.Fatalf("%s is %s, %v; want it", id, record, err)
	}
	return record, at
}

// kept wants a thing to be kept as it was put.
func (l *library) kept(s recovery.PlanStore, id, says string, want recovery.Stored) {
	l.Helper()
	record, at := l.get(s, id)
	same(l, id, string(record), string(recordOf(id, says)))
	same(l, "whose it is", at, want)
}

func (l *library) nothing(kind recovery.Kind, ids ...string) {
	l.Helper()
	for _, id := range ids {
		if record, _, err := l.open().Get(l.Context(), kind, id); record != nil || err != nil {
			l.Errorf("the %s %s is %s, %v; want nil", kind, id, record, err)
		}
	}
}

// conflicts wants a put over a version to be refused and to leave what stands,
// which says "version N", as it is.
func (l *library) conflicts(id string, over, stands int64) {
	l.Helper()
	_, err := l.tryPut(l.store, id, "forged", recovery.Put{By: "somebody else", At: now, Replaces: &over})
	conflict := new(recovery.VersionConflict)
	if !errors.As(err, &conflict) || conflict.Stands != stands {
		l.Errorf("a put over version %d where %d stands: got %v, want the conflict", over, stands, err)
	}
	if stands > 0 {
		l.kept(l.open(), id, fmt.Sprint("version ", stands), recovery.Stored{Version: stands})
	}
}

// atOnce puts twenty things of one id at the same time, each by a handle of its
// own.
func (l *library) atOnce(put recovery.Put) []error {
	results := make([]error, 20)
	var ready, done sync.WaitGroup
	ready.Add(len(results))
	for i := range results {
		store := l.open()
		done.Go(func() {
			ready.Done()
			ready.Wait()
			_, results[i] = l.tryPut(store, "rp-1", fmt.Sprint("put ", i, put.Replaces), put)
		})
	}
	done.Wait()
	return results
}

// listed wants a list of these ids, each entry as it is read. A list may be a
// little behind, and is given a second.
func (l *library) listed(after string, most int, want ...string) {
	l.Helper()
	var lines, got [][]byte
	for _, id := range want {
		_, line, err := l.store.Get(l.Context(), l.kind, id)
		if err != nil {
			l.Fatal(err)
		}
		lines = append(lines, line)
	}
	other := l.open()
	for range 10 {
		var err error
		if got, err = other.List(l.Context(), l.kind, after, most); err != nil {
			l.Fatal(err)
		}
		if len(got)+len(want) == 0 || reflect.DeepEqual(got, lines) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	l.Fatalf("at most %d behind %q:\n got %s\nwant %q", most, after, got, want)
}
