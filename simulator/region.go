package simulator

import (
	"fmt"
	"strconv"
	"time"
)

// region is the state of one region of one account.
type region struct {
	world       *World
	at          accountRegion
	fleet       *Region
	initialized bool
	servers     map[string]*server
	order       []string // of servers, as the fleet has them
	templates   map[string]*server
	jobs        []*job // oldest first
	instances   []*instance
	ec2         *ec2State
	events      eventQueue
	scheduled   int // events, ever
	mutations   int // accepted here: part of every id that is made here
}

// server is a source server's state.
type server struct {
	*Server
	tags     map[string]string
	settings LaunchSettings
	template string       // id of its launch template
	launches []lastLaunch // as they became, by time: the last one is how it stands
	result   string       // lastLaunchResult
	running  *job         // that holds it; nil if none
	fated    bool         // its fleet's launches.job was given away
}

// lastLaunch is what lifeCycle.lastLaunch shows.
type lastLaunch struct {
	job    string
	at     time.Time
	drill  bool
	status string
	since  time.Time // from when on that is its status
}

// launchAt is the server's last launch as it stood at a moment; nil where there
// was none yet.
func (s *server) launchAt(t time.Time) *lastLaunch {
	for i := len(s.launches) - 1; i >= 0; i-- {
		if !s.launches[i].since.After(t) {
			return &s.launches[i]
		}
	}
	return nil
}

// instance is a recovery instance as DRS knows it.
type instance struct {
	id      string
	server  *server
	job     string // empty for one of the fleet's
	drill   bool
	tags    map[string]string
	point   time.Time // the recovery point that it was launched from
	since   time.Time
	removed time.Time // when DRS forgot it; zero while it has not
}

func newRegion(w *World, at accountRegion, f *Region) *region {
	r := &region{
		world:       w,
		at:          at,
		fleet:       f,
		initialized: f.Initialized,
		servers:     map[string]*server{},
		templates:   map[string]*server{},
	}
	r.ec2 = newEC2(r)
	for i := range f.Servers {
		s := &server{Server: &f.Servers[i], tags: clone(f.Servers[i].Tags), settings: f.Servers[i].Launch, result: "NOT_STARTED"}
		s.template = s.Template.ID
		if s.template == "" {
			s.template = w.hexID("lt", at.account, at.region, s.ID)
		}
		r.servers[s.ID] = s
		r.order = append(r.order, s.ID)
		r.templates[s.template] = s
		r.addTemplate(s)
	}
	for i, inst := range f.Instances {
		s := r.servers[inst.Server]
		n := &instance{
			id:     inst.ID,
			server: s,
			drill:  inst.Drill,
			tags:   map[string]string{},
			since:  w.started.Add(-time.Duration(inst.Age)),
		}
		if n.id == "" {
			n.id = w.hexID("i", at.account, at.region, "fleet", strconv.Itoa(i))
		}
		n.point = n.since
		r.instances = append(r.instances, n)
		r.addFleetInstance(n, inst.State)
		s.launches = append(s.launches, lastLaunch{at: n.since, drill: n.drill, status: "LAUNCHED", since: n.since})
		s.result = "SUCCEEDED"
	}
	return r
}

// instanceOf finds the recovery instance that a server has, if any.
func (r *region) instanceOf(s *server) *instance {
	for i := len(r.instances) - 1; i >= 0; i-- {
		if n := r.instances[i]; n.server == s && n.removed.IsZero() {
			return n
		}
	}
	return nil
}

// job finds a job by its id.
func (r *region) job(id string) *job {
	for _, j := range r.jobs {
		if j.id == id {
			return j
		}
	}
	return nil
}

// arn names a resource of DRS in this region.
func (r *region) arn(kind, id string) string {
	return fmt.Sprintf("arn:aws:drs:%s:%s:%s/%s", r.at.region, r.at.account, kind, id)
}

// snapshots lists a server's recovery points at a moment, oldest first: the
// fleet's, and for a server that replicates those that DRS has made since.
func (r *region) snapshots(s *server, now time.Time) []point {
	var ps []point
	w := r.world
	for i, p := range s.Snapshots {
		id := p.ID
		if id == "" {
			id = w.hexID("pit", r.at.account, r.at.region, s.ID, "fleet", strconv.Itoa(i))
		}
		ps = append(ps, point{id: id, expected: w.started.Add(-time.Duration(p.Age)), finished: !p.Unfinished})
	}
	if every := time.Duration(s.SnapshotEvery); every > 0 && s.Replication == "CONTINUOUS" {
		n := int(now.Sub(w.started) / every)
		for i := max(1, n-5); i <= n; i++ {
			ps = append(ps, point{
				id:       w.hexID("pit", r.at.account, r.at.region, s.ID, strconv.Itoa(i)),
				expected: w.started.Add(time.Duration(i) * every),
				finished: true,
			})
		}
	}
	sortPoints(ps)
	return ps
}

func clone(m map[string]string) map[string]string {
	c := make(map[string]string, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}
