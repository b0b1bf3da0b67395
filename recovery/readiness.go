package recovery

import (
	"fmt"
	"slices"
	"strings"
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
	Status string // PENDING, IN_PROGRESS, LAUNCHED, FAILED, TERMINATED; "" when there was none
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
}

// Live says whether starting the server again would destroy something that
// is no drill's: DRS cleans up what a server's last launch made.
func (i RecoveryInstance) Live() bool {
	return !i.Drill && i.EC2State != "TERMINATED" && i.EC2State != "NOT_FOUND"
}

// RecoveryPoint is one snapshot that a server can be recovered to.
type RecoveryPoint struct {
	ID     SnapshotID
	Server SourceServerID
	Taken  time.Time // zero: not taken yet, so not usable
}

// ReadinessPolicy says which replication states will do.
type ReadinessPolicy string

// The policies.
const (
	// Continuous asks for a server that replicates right now: the contract's
	// rule, and the default.
	Continuous ReadinessPolicy = "CONTINUOUS"
	// RecoveryPointPolicy asks for a usable recovery point. In a disaster the
	// source is gone and nothing is CONTINUOUS.
	RecoveryPointPolicy ReadinessPolicy = "RECOVERY_POINT"
)

// Check reports what is wrong with a readiness policy, or nil.
func (p ReadinessPolicy) Check() error {
	return oneOf(string(Continuous), string(RecoveryPointPolicy))(string(p))
}

// Standing is what AWS says about a wave's servers, all that readiness is
// judged by.
type Standing struct {
	Servers   []SourceServer
	Instances []RecoveryInstance
	Jobs      []Job           // of last launches that looked running
	Points    []RecoveryPoint // of the servers that NeedPoints names
}

// NeedPoints names the servers whose recovery points decide: those pinned to
// one, and, under RECOVERY_POINT, those that do not replicate right now.
func (p ReadinessPolicy) NeedPoints(wave []Server, known []SourceServer) []SourceServerID {
	var need []SourceServerID
	for _, s := range wave {
		i := slices.IndexFunc(known, func(k SourceServer) bool { return k.ID == s.ID })
		if i < 0 {
			continue
		}
		if s.Snapshot != "" || p == RecoveryPointPolicy && known[i].Replication != "CONTINUOUS" {
			need = append(need, s.ID)
		}
	}
	return need
}

// Readiness is a wave's demand on its servers.
type Readiness struct {
	Policy  ReadinessPolicy
	Replace []InstanceID // live instances that somebody named as lost anyway
	Type    ExecutionType
}

// Check judges every server of a wave and names all that are not ready, in
// the contract's words, with what would let each pass. Nil means ready.
func (r Readiness) Check(wave []Server, s Standing) error {
	var refused []string
	conflict := false
	for _, server := range wave {
		if why := r.unready(server, s); why != "" {
			refused = append(refused, fmt.Sprintf("Server %s is not in READY_FOR_RECOVERY state: %s", server.ID, why))
		}
		if _, held := s.holder(server.ID); held {
			conflict = true
		}
	}
	if len(refused) == 0 {
		return nil
	}
	return &Error{
		Code:      DRSAPIError,
		Message:   "Failed to start recovery: InvalidSourceServer - " + strings.Join(refused, "; ") + r.wayOut(refused),
		Retryable: conflict && len(refused) == 1,
	}
}

func (r Readiness) wayOut(refused []string) string {
	if r.Policy == RecoveryPointPolicy || !slices.ContainsFunc(refused, func(s string) bool { return strings.Contains(s, "replication state") }) {
		return ""
	}
	return `. With "readinessPolicy": "RECOVERY_POINT" in the state, a server that has a usable recovery point passes whether it replicates or not`
}

// hopeless states are refused under any policy: DRS has nothing to launch
// from, or no longer follows the server.
var hopeless = []string{"STOPPED", "DISCONNECTED", "INITIATING"}

// recoverable states pass under RECOVERY_POINT when a recovery point is usable.
var recoverable = []string{"BACKLOG", "CREATING_SNAPSHOT", "RESCAN", "PAUSED", "STALLED", "INITIAL_SYNC"}

func (r Readiness) unready(server Server, s Standing) string {
	i := slices.IndexFunc(s.Servers, func(k SourceServer) bool { return k.ID == server.ID })
	if i < 0 {
		return "DRS knows no such source server in this account and region"
	}
	known := s.Servers[i]
	if known.StagingArea == "EXTENSION_ERROR" {
		return "its staging area reports EXTENSION_ERROR"
	}
	if job, held := s.holder(server.ID); held {
		return fmt.Sprintf("job %s is launching it", job)
	}
	if why := r.destroys(server.ID, s.Instances); why != "" {
		return why
	}
	if server.Snapshot != "" && !usable(s.Points, server.ID, server.Snapshot) {
		return fmt.Sprintf("it has no usable recovery point %s", server.Snapshot)
	}
	return r.replication(known, s.Points)
}

func (r Readiness) replication(known SourceServer, points []RecoveryPoint) string {
	state := known.Replication
	switch {
	case state == "CONTINUOUS":
		return ""
	case slices.Contains(hopeless, state):
		return fmt.Sprintf("its replication state is %s", state)
	case r.Policy != RecoveryPointPolicy:
		return fmt.Sprintf("its replication state is %s, not CONTINUOUS", orUnknown(state))
	case !slices.Contains(recoverable, state):
		return fmt.Sprintf("its replication state is %s", orUnknown(state))
	case !usable(points, known.ID, ""):
		return fmt.Sprintf("its replication state is %s, and it has no usable recovery point", state)
	}
	return ""
}

func orUnknown(state string) string {
	if state == "" {
		return "unknown"
	}
	return state
}

func (r Readiness) destroys(id SourceServerID, instances []RecoveryInstance) string {
	for _, i := range instances {
		if i.Server != id || !i.Live() || slices.Contains(r.Replace, i.ID) || slices.Contains(r.Replace, i.EC2) {
			continue
		}
		return fmt.Sprintf("a live recovery instance %s (%s, not a drill's) exists, and DRS would terminate it; "+
			`name it in "replaceLiveInstances" in the state if it may be lost`, i.ID, i.EC2State)
	}
	return ""
}

// holder gives the job that holds the server, if one does. A last launch
// whose job is over holds nothing, whatever its own status says.
func (s Standing) holder(id SourceServerID) (JobID, bool) {
	for _, known := range s.Servers {
		if known.ID != id || !known.LastLaunch.Running() {
			continue
		}
		for _, j := range s.Jobs {
			if j.ID == known.LastLaunch.JobID && j.Over() {
				return "", false
			}
		}
		return known.LastLaunch.JobID, true
	}
	return "", false
}

func usable(points []RecoveryPoint, server SourceServerID, id SnapshotID) bool {
	return slices.ContainsFunc(points, func(p RecoveryPoint) bool {
		return p.Server == server && !p.Taken.IsZero() && (id == "" || p.ID == id)
	})
}
