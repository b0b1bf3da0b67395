package simulator

import "time"

// Defaults are set before a file is read, so that what the file says wins and
// an explicit false or 0 is heard.

func (f *Fleet) defaults() { *f = Fleet{Seed: 1, StrictIDs: true, Caller: CallersAccount} }

func (r *Role) defaults() {
	*r = Role{ExternalIDRequired: true, MaxSession: Duration(time.Hour)}
}

func (r *Region) defaults() {
	*r = Region{Initialized: true, PageSize: 200}
	r.Quotas.defaults()
}

func (q *Quotas) defaults() { *q = Quotas{Jobs: 20, ServersInJobs: 500, ServersPerJob: 100} }

func (s *Subnet) defaults() { *s = Subnet{Free: -1} }

func (i *Instance) defaults() { *i = Instance{State: "RUNNING", Age: Duration(24 * time.Hour)} }

func (s *Server) defaults() {
	*s = Server{
		Replication:   "CONTINUOUS",
		Staging:       "NOT_EXTENDED",
		SnapshotEvery: Duration(10 * time.Minute),
		Added:         Duration(720 * time.Hour),
		OS:            "Linux version 6.1.0-28-amd64 (Debian 12)",
		CPUs:          2,
		RAMGiB:        8,
		Recommended:   "m5.large",
	}
	s.Launch.defaults()
	s.Template.defaults()
	s.Launches.defaults()
}

func (l *LaunchSettings) defaults() {
	*l = LaunchSettings{LaunchDisposition: "STARTED", RightSizing: "NONE"}
}

func (t *Template) defaults() { *t = Template{InstanceType: "m5.large"} }

func (m *MetadataOptions) defaults() { *m = MetadataOptions{} }

func (l *Launches) defaults() {
	*l = Launches{Duration: Duration(8 * time.Minute), Fate: "LAUNCHED", Phase: "LAUNCH"}
}

// replicates says whether a server in this state has, or keeps, a recovery point.
func replicates(state string) bool {
	switch state {
	case "CONTINUOUS", "BACKLOG", "CREATING_SNAPSHOT", "RESCAN":
		return true
	}
	return false
}
