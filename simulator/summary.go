package simulator

import (
	"cmp"
	"slices"
	"time"
)

// Summary is the world in short, as GET /_muster/world shows it. It holds no secrets.
type Summary struct {
	Identity
	Speed   float64         `json:"speed"`
	Started time.Time       `json:"started"`
	Now     time.Time       `json:"now"`
	Regions []RegionSummary `json:"regions"`
}

// Identity tells a world from every other one.
type Identity struct {
	ID     string `json:"id"` // random; its journal's, or that of a world in memory
	Fleet  string `json:"fleet"`
	Digest string `json:"digest"` // of the fleet's content
	Seed   int64  `json:"seed"`
}

// WorldID is the summary's, also where a version wrote it whose worlds had none.
func (s Summary) WorldID() string {
	return cmp.Or(s.ID, idOfStart(s.Started))
}

// RegionSummary is one region of one account in short.
type RegionSummary struct {
	Account   string            `json:"account"`
	Region    string            `json:"region"`
	Jobs      []JobSummary      `json:"jobs"`
	Servers   []ServerSummary   `json:"servers"`
	Instances []InstanceSummary `json:"instances"`
}

// JobSummary is a job in short.
type JobSummary struct {
	ID          string            `json:"id"`
	Type        string            `json:"type"`
	InitiatedBy string            `json:"initiatedBy"`
	Status      string            `json:"status"`
	Created     time.Time         `json:"created"`
	Tags        map[string]string `json:"tags,omitempty"`
	Servers     map[string]string `json:"servers"` // launch status by server
}

// ServerSummary is a source server's launch settings in short.
type ServerSummary struct {
	ID              string   `json:"id"`
	Hostname        string   `json:"hostname"`
	Replication     string   `json:"replication"`
	LastLaunch      string   `json:"lastLaunch,omitempty"`
	Template        string   `json:"template"`
	TemplateVersion int64    `json:"templateVersion"` // the default one
	InstanceType    string   `json:"instanceType"`
	Subnet          string   `json:"subnet,omitempty"`
	SecurityGroups  []string `json:"securityGroups,omitempty"`
	InstanceProfile string   `json:"instanceProfile,omitempty"`
	PrivateIP       string   `json:"privateIp,omitempty"`
	RightSizing     string   `json:"targetInstanceTypeRightSizingMethod"`
	Disposition     string   `json:"launchDisposition"`
}

// InstanceSummary is a recovery instance in short.
type InstanceSummary struct {
	ID     string `json:"id"`
	Server string `json:"server"`
	Job    string `json:"job,omitempty"`
	Drill  bool   `json:"drill"`
	State  string `json:"state"`
	Type   string `json:"type,omitempty"`
}

// Summary tells the world in short, as it is now. Regions come by account and name.
func (w *World) Summary() Summary {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.log != nil && w.broken == nil {
		w.broken = w.catchUp()
	}
	return w.summary(w.tick())
}

func (w *World) summary(now time.Time) Summary {
	s := Summary{Identity: w.Identity(), Speed: w.speed, Started: w.started, Now: now, Regions: []RegionSummary{}}
	for _, r := range w.regions {
		r.advance(now)
		s.Regions = append(s.Regions, r.summary(now))
	}
	slices.SortFunc(s.Regions, func(a, b RegionSummary) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region))
	})
	return s
}

func (r *region) summary(now time.Time) RegionSummary {
	s := RegionSummary{
		Account: r.at.account, Region: r.at.region,
		Jobs: []JobSummary{}, Servers: []ServerSummary{}, Instances: []InstanceSummary{},
	}
	for _, j := range r.jobs {
		js := JobSummary{ID: j.id, Type: j.kind, InitiatedBy: j.initiator, Status: j.statusAt(now), Created: j.created,
			Tags: clone(j.tags), Servers: map[string]string{}}
		for _, p := range j.servers {
			js.Servers[p.server.ID] = "PENDING"
			if n := len(p.history); n > 0 {
				js.Servers[p.server.ID] = p.history[n-1].status
			}
		}
		s.Jobs = append(s.Jobs, js)
	}
	for _, id := range r.order {
		v := r.servers[id]
		ss := ServerSummary{ID: id, Hostname: v.Hostname, Replication: v.Replication, Template: v.template,
			RightSizing: v.settings.RightSizing, Disposition: v.settings.LaunchDisposition}
		if l := v.launchAt(now); l != nil {
			ss.LastLaunch = l.status
		}
		if n, d, ok := r.ec2.defaultVersion(v.template); ok {
			ss.TemplateVersion, ss.InstanceType, ss.Subnet = n, d.InstanceType(), d.Subnet()
			ss.SecurityGroups, ss.InstanceProfile, ss.PrivateIP = d.SecurityGroups(), d.InstanceProfile(), d.PrivateIP()
		}
		s.Servers = append(s.Servers, ss)
	}
	for _, n := range r.instances {
		if !n.removed.IsZero() {
			continue
		}
		i, _ := r.ec2.instance(n.id)
		s.Instances = append(s.Instances, InstanceSummary{ID: n.id, Server: n.server.ID, Job: n.job, Drill: n.drill,
			State: r.instanceState(n.id, now), Type: i.Type})
	}
	return s
}
