package recovery

import (
	"slices"
	"time"
)

// SourceServer is what DRS knows of a server that it replicates.
type SourceServer struct {
	ID          SourceServerID
	Hostname    string
	Replication string        // dataReplicationState, e.g. CONTINUOUS; "" when DRS does not say
	Lag         time.Duration // behind the source
	StagingArea string        // EXTENDED, EXTENSION_ERROR, NOT_EXTENDED; "" when DRS does not say
	LastLaunch  LastLaunch
}

// LastLaunch is the newest launch of a source server.
type LastLaunch struct {
	JobID  JobID
	Status string    // PENDING, IN_PROGRESS, LAUNCHED, FAILED, TERMINATED; "" when there was none
	Type   string    // RECOVERY or DRILL; "" when DRS does not say, which may be either
	At     time.Time // when it was asked for; zero when DRS does not say
}

// Running says whether the launch was under way when DRS was asked.
func (l LastLaunch) Running() bool { return l.Status == "PENDING" || l.Status == "IN_PROGRESS" }

// RecoveryInstance is what an earlier launch left behind.
type RecoveryInstance struct {
	ID       InstanceID // of the recovery instance
	EC2      InstanceID // of the EC2 instance; usually the same
	Server   SourceServerID
	Drill    bool
	EC2State string // e.g. RUNNING
	JobID    JobID  // of the job that launched it
}

// ShuttingDown says whether the instance is being terminated already.
func (i RecoveryInstance) ShuttingDown() bool { return i.EC2State == "SHUTTING-DOWN" }

// Live says whether starting the server again would destroy something that
// is no drill's: DRS cleans up what a server's last launch made.
func (i RecoveryInstance) Live() bool {
	return !i.Drill && i.EC2State != "TERMINATED" && i.EC2State != notFound
}

// notFound is DRS's word for an instance that EC2 did not know.
const notFound = "NOT_FOUND"

// RecoveryPoint is one snapshot that a server can be recovered to.
type RecoveryPoint struct {
	ID     SnapshotID
	Server SourceServerID
	Taken  time.Time // zero: not taken yet, so not usable
}

// Standing is what AWS says about a wave's servers, all that readiness is
// judged by.
type Standing struct {
	Servers   []SourceServer
	Instances []RecoveryInstance
	Jobs      []Job            // that Witnesses names
	Points    []RecoveryPoint  // of the servers that NeedPoints names, and of PointsOf
	PointsOf  []SourceServerID // those whose recovery points were read to explain a refusal

	Recovered []Recovered           // launches in earnest of these servers, of our own records
	EC2       map[InstanceID]string // EC2's states of what AskEC2 names, those it does not know left out; nil: EC2 did not answer
	NoEC2     string                // why it did not
	Asked     time.Time             // when all of this was asked for
	Waited    bool                  // for as long as lists may lag, and EC2 still does not know what it was asked for
}

// server gives what DRS knows of a server, or nil.
func (s Standing) server(id SourceServerID) *SourceServer {
	for i := range s.Servers {
		if s.Servers[i].ID == id {
			return &s.Servers[i]
		}
	}
	return nil
}

// held says whether a launch of the server is under way. One whose job is over
// is not, whatever the launch's own status says.
func (s Standing) held(server *SourceServer) bool {
	return server.LastLaunch.Running() && !slices.ContainsFunc(s.Jobs, func(j Job) bool {
		return j.ID == server.LastLaunch.JobID && j.Over()
	})
}

// usable says whether the server can be recovered to a point; "": to any.
func (s Standing) usable(server SourceServerID, id SnapshotID) bool {
	return slices.ContainsFunc(s.Points, func(p RecoveryPoint) bool {
		return p.Server == server && !p.Taken.IsZero() && (id == "" || p.ID == id)
	})
}

// newestPoint is when the server's newest usable recovery point was taken; zero
// where it has none.
func (s Standing) newestPoint(server SourceServerID) time.Time {
	var newest time.Time
	for _, p := range s.Points {
		if p.Server == server && p.Taken.After(newest) {
			newest = p.Taken
		}
	}
	return newest
}
