package recoverytest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"muster/recovery"
)

// Plans holds a kind of plan store to its promises, in the way of Executions.
func Plans(t *testing.T, create func(t *testing.T) (open func() recovery.PlanStore)) {
	for _, p := range planPromises {
		t.Run(p.name, func(t *testing.T) {
			l := &library{T: t, open: create(t)}
			l.store = l.open()
			p.keep(l)
		})
	}
}

// library is one empty plan store under test, and short ways to use it.
type library struct {
	*testing.T
	open  func() recovery.PlanStore
	store recovery.PlanStore // a first handle
}

var planPromises = []struct {
	name string
	keep func(l *library)
}{
	{"what nobody put is not there", func(l *library) {
		l.put("rp-1", recovery.Put{})
		l.putGroup("pg-1", recovery.Put{})
		l.noPlan("rp-2", "pg-1", "")
		l.noGroup("pg-2", "rp-1", "")
	}},
	{"a plan of 3,000 servers is read back by every handle, its secrets included", func(l *library) {
		p, want := largePlan(), largePlan()
		p.Groups["pg-1"], want.Groups["pg-1"] = &largeGroup().ProtectionGroup, &largeGroup().ProtectionGroup
		l.putThis(p, recovery.Put{By: "user@example.com", At: now})
		same(l, "plan", l.plan(l.open(), p.ID).Thing, want)

		p.Waves[0].Name, p.Waves[0].Servers[0].ID = "forged", "s-forged"
		l.plan(l.store, p.ID).Thing.Waves[0].Servers[0].ID = "s-forged"
		same(l, "plan after callers changed their copies", l.plan(l.store, p.ID).Thing, want)
	}},
	{"a protection group of 4,000 servers is read back by every handle, its secret included", func(l *library) {
		g := largeGroup()
		filled(l, *g)
		l.putThisGroup(g, recovery.Put{By: "user@example.com", At: now})
		same(l, "group", l.group(l.open(), g.ID).Thing, largeGroup())

		g.Servers[0], g.Tags["tier"] = "s-forged", "forged"
		l.group(l.store, g.ID).Thing.Servers[0] = "s-forged"
		same(l, "group after callers changed their copies", l.group(l.store, g.ID).Thing, largeGroup())
	}},
	{"what a group leaves out is still left out", func(l *library) {
		for _, g := range []*recovery.PlannedGroup{
			{ProtectionGroup: recovery.ProtectionGroup{ID: "pg-1", LaunchConfig: recovery.LaunchConfig{}}, Servers: []recovery.SourceServerID{"s-1"}},
			{ProtectionGroup: recovery.ProtectionGroup{ID: "pg-2", LaunchConfig: recovery.LaunchConfig{}}, Tags: map[string]string{"tier": ""},
				Account: &recovery.AccountContext{AccountID: "123456789012", Region: "us-east-1", RoleName: "Role"}},
		} {
			l.putThisGroup(g, recovery.Put{})
			same(l, "group", l.group(l.store, g.ID).Thing, g)
		}
	}},
	{"each put replaces the whole and makes the next version, and the store knows whose it is", func(l *library) {
		for n := int64(1); n <= 3; n++ {
			by := recovery.Put{By: fmt.Sprint("user-", n, " 日本語"), At: now.Add(time.Duration(n)), RequestID: fmt.Sprint("request-", n)}
			want := recovery.Stored{Version: n, By: by.By, At: by.At, RequestID: by.RequestID}
			filled(l, want)
			p := largePlan()
			p.Name, p.Waves = fmt.Sprint("version ", n), p.Waves[:4-n]
			same(l, "version made", l.putThis(p, by), n)
			got := l.plan(l.open(), p.ID)
			same(l, "plan", got.Thing, p)
			same(l, "whose it is", got.Stored, want)

			g := largeGroup()
			g.Servers = g.Servers[:4-n]
			same(l, "version made of the group", l.putThisGroup(g, by), n)
			found := l.group(l.open(), g.ID)
			same(l, "group", found.Thing, g)
			same(l, "whose the group is", found.Stored, want)
		}
	}},
	{"a put over a version that does not stand says which one does, and changes nothing", func(l *library) {
		l.conflicts("rp-1", 1, 0)
		l.conflicts("rp-1", 7, 0)
		l.noPlan("rp-1")
		l.noGroup("rp-1")
		for version := range int64(3) {
			l.other("rp-1", recovery.Put{Replaces: new(version)}, version+1)
			for _, other := range []int64{-1, 0, version, version + 2} {
				if other != version+1 {
					l.conflicts("rp-1", other, version+1)
				}
			}
		}
		l.other("rp-1", recovery.Put{}, 4)
		l.conflicts("rp-1", 3, 4)
	}},
	{"the same again makes no version, and stays whose it was", func(l *library) {
		first := recovery.Put{By: "user@example.com", At: now, Replaces: new(int64(0))}
		for _, put := range []recovery.Put{first, first, {By: "somebody else", At: now.Add(time.Hour)}, {Replaces: new(int64(1))}} {
			same(l, "version", l.put("rp-1", put), 1)
			same(l, "version of the group", l.putGroup("rp-1", put), 1)
		}
		if _, err := recovery.Plans.Put(l.Context(), l.store, planOf("rp-1"), recovery.Put{Replaces: new(int64(7))}); err == nil {
			l.Error("the same over a version that there never was: got no conflict")
		}
		for _, s := range []recovery.Stored{l.plan(l.open(), "rp-1").Stored, l.group(l.open(), "rp-1").Stored} {
			same(l, "whose it is", s, recovery.Stored{Version: 1, By: first.By, At: now})
		}
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
		same(l, "version", l.plan(l.store, "rp-1").Version, 20)
	}},
	{"things with similar ids are kept apart", func(l *library) {
		ids := []string{"rp-1", "RP-1", "rp-10", "rp_1", "rp-1.a", "rp-01"}
		for i, id := range ids {
			l.put(recovery.PlanID(id), recovery.Put{By: fmt.Sprint("plan ", i)})
			l.putGroup(recovery.ProtectionGroupID(id), recovery.Put{By: fmt.Sprint("group ", i)})
		}
		for i, id := range ids {
			p, g := l.plan(l.store, recovery.PlanID(id)), l.group(l.store, recovery.ProtectionGroupID(id))
			same(l, "plan's "+id, p.By, fmt.Sprint("plan ", i))
			same(l, "group's "+id, g.By, fmt.Sprint("group ", i))
			same(l, "versions of "+id, []int64{p.Version, g.Version}, []int64{1, 1})
		}
	}},
	{"lists are in the order of ids, go on behind one, and have at most so many", func(l *library) {
		l.listed("", 10)
		want := []string{"A-1", "a-1", "a-10", "a-2", "a.2", "a_2", "b"}
		slices.Sort(want)
		for _, i := range []int{3, 0, 6, 1, 5, 2, 4, 3} { // one of them twice
			l.put(recovery.PlanID(want[i]), recovery.Put{By: "user@example.com", At: now})
			l.putGroup(recovery.ProtectionGroupID(want[i]), recovery.Put{By: "user@example.com", At: now})
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
		put := recovery.Put{By: "user@example.com", At: now}
		if _, err := recovery.Plans.Put(ended(l.Context()), l.store, planOf("rp-1"), put); err == nil {
			l.Error("putting a plan with an ended context: got no error")
		}
		if _, err := recovery.Groups.Put(ended(l.Context()), l.store, groupOf("pg-1"), put); err == nil {
			l.Error("putting a group with an ended context: got no error")
		}
		l.noPlan("rp-1")
		l.noGroup("pg-1")
		same(l, "version", l.put("rp-1", put), 1)
	}},
}

func planOf(id recovery.PlanID) *recovery.Plan {
	w := recovery.PlannedWave{Wave: recovery.Wave{Number: 1, Name: "Database Tier", Group: "pg-1"}} // whose servers the group has
	return &recovery.Plan{ID: id, Name: "Web shop", Owner: "user@example.com", Waves: []recovery.PlannedWave{w}}
}

func groupOf(id recovery.ProtectionGroupID) *recovery.PlannedGroup {
	return &recovery.PlannedGroup{
		ProtectionGroup: recovery.ProtectionGroup{ID: id, LaunchConfig: recovery.LaunchConfig{recovery.InstanceType: "r5.xlarge"}},
		Tags:            map[string]string{"tier": "web"},
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

func (l *library) put(id recovery.PlanID, put recovery.Put) int64 {
	l.Helper()
	return l.putThis(planOf(id), put)
}

func (l *library) putThis(p *recovery.Plan, put recovery.Put) int64 {
	l.Helper()
	version, err := recovery.Plans.Put(l.Context(), l.store, p, put)
	if err != nil {
		l.Fatalf("putting the plan %s: %v", p.ID, err)
	}
	return version
}

func (l *library) putGroup(id recovery.ProtectionGroupID, put recovery.Put) int64 {
	l.Helper()
	return l.putThisGroup(groupOf(id), put)
}

func (l *library) putThisGroup(g *recovery.PlannedGroup, put recovery.Put) int64 {
	l.Helper()
	version, err := recovery.Groups.Put(l.Context(), l.store, g, put)
	if err != nil {
		l.Fatalf("putting the group %s: %v", g.ID, err)
	}
	return version
}

func (l *library) plan(s recovery.PlanStore, id recovery.PlanID) *recovery.Kept[*recovery.Plan] {
	l.Helper()
	p, err := recovery.Plans.Get(l.Context(), s, string(id))
	if err != nil || p == nil {
		l.Fatalf("the plan %s is %v, %v; want the plan", id, p, err)
	}
	return p
}

func (l *library) group(s recovery.PlanStore, id recovery.ProtectionGroupID) *recovery.Kept[*recovery.PlannedGroup] {
	l.Helper()
	g, err := recovery.Groups.Get(l.Context(), s, string(id))
	if err != nil || g == nil {
		l.Fatalf("the group %s is %v, %v; want the group", id, g, err)
	}
	return g
}

func (l *library) noPlan(ids ...recovery.PlanID) {
	l.Helper()
	for _, id := range ids {
		if p, err := recovery.Plans.Get(l.Context(), l.open(), string(id)); p != nil || err != nil {
			l.Errorf("the plan %s is %v, %v; want nil", id, p, err)
		}
	}
}

func (l *library) noGroup(ids ...recovery.ProtectionGroupID) {
	l.Helper()
	for _, id := range ids {
		if g, err := recovery.Groups.Get(l.Context(), l.open(), string(id)); g != nil || err != nil {
			l.Errorf("the group %s is %v, %v; want nil", id, g, err)
		}
	}
}

// other puts another plan and another group of an id, each of which is to make
// this version.
func (l *library) other(id string, put recovery.Put, version int64) {
	l.Helper()
	p, g := planOf(recovery.PlanID(id)), groupOf(recovery.ProtectionGroupID(id))
	p.Owner, g.Tags = fmt.Sprint("owner ", version), map[string]string{"version": fmt.Sprint(version)}
	same(l, "version made", l.putThis(p, put), version)
	same(l, "version made of the group", l.putThisGroup(g, put), version)
}

// conflicts wants puts of the plan and the group of an id, over a version, to
// be refused and to leave both as they are.
func (l *library) conflicts(id string, over, stands int64) {
	l.Helper()
	p, g := planOf(recovery.PlanID(id)), groupOf(recovery.ProtectionGroupID(id))
	was, wasGroup := *p, *g
	was.Owner, wasGroup.Tags = fmt.Sprint("owner ", stands), map[string]string{"version": fmt.Sprint(stands)}
	p.Name, g.Tags = "forged", nil
	put := recovery.Put{By: "somebody else", At: now, Replaces: &over}
	_, planErr := recovery.Plans.Put(l.Context(), l.store, p, put)
	_, groupErr := recovery.Groups.Put(l.Context(), l.store, g, put)
	for _, err := range []error{planErr, groupErr} {
		conflict := new(recovery.VersionConflict)
		if !errors.As(err, &conflict) || conflict.Stands != stands {
			l.Errorf("a put over version %d where %d stands: got %v, want the conflict", over, stands, err)
		}
	}
	if stands > 0 {
		same(l, "plan after it", l.plan(l.open(), p.ID).Thing, &was)
		same(l, "version after it", l.plan(l.store, p.ID).Version, stands)
		same(l, "group after it", l.group(l.open(), g.ID).Thing, &wasGroup)
		same(l, "version of the group after it", l.group(l.store, g.ID).Version, stands)
	}
}

// atOnce puts twenty plans of one id at the same time, each by a handle of its
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
			p := planOf("rp-1")
			p.Name = fmt.Sprint("plan ", i, put.Replaces)
			_, results[i] = recovery.Plans.Put(l.Context(), store, p, put)
		})
	}
	done.Wait()
	return results
}

// listed wants lists of these ids, each entry as it is read. A list may be a
// little behind, and is given a second.
func (l *library) listed(after string, most int, want ...string) {
	l.Helper()
	var plans, gotPlans []recovery.PlanEntry
	var groups, gotGroups []recovery.GroupEntry
	for _, id := range want {
		p, g := l.plan(l.store, recovery.PlanID(id)), l.group(l.store, recovery.ProtectionGroupID(id))
		plans, groups = append(plans, p.Thing.Entry(p.Stored)), append(groups, g.Thing.Entry(g.Stored))
	}
	other := l.open()
	for range 10 {
		var planErr, groupErr error
		gotPlans, planErr = recovery.Plans.List(l.Context(), other, after, most)
		gotGroups, groupErr = recovery.Groups.List(l.Context(), other, after, most)
		if err := errors.Join(planErr, groupErr); err != nil {
			l.Fatal(err)
		}
		if len(gotPlans)+len(gotGroups)+len(want) == 0 || reflect.DeepEqual(gotPlans, plans) && reflect.DeepEqual(gotGroups, groups) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	l.Fatalf("at most %d behind %q:\n got %+v\n and %+v\nwant %q", most, after, gotPlans, gotGroups, want)
}
