package recovery

import (
	"fmt"
	"regexp"
)

// MostServers is how many servers one DRS job takes. The API's model says
// 200; the service refuses more than 100.
const MostServers = 100

// MostSourceServers is how many source servers DRS keeps in one region of an
// account.
const MostSourceServers = 4000

// HighestWave is the highest number that a wave may have.
const HighestWave = 999_999

// CheckWaveNumber reports what is wrong with a wave's number, or nil. Numbers
// begin at 1 by convention only: a plan that counts from 0 means it.
func CheckWaveNumber(n int) error {
	if n < 0 || n > HighestWave {
		return fmt.Errorf("is %d, but a wave's number is from 0 to %d", n, HighestWave)
	}
	return nil
}

// ExecutionType says whether an execution is practice or the real thing.
type ExecutionType string

// The two types. There is no default: the difference is somebody's production.
const (
	Drill    ExecutionType = "DRILL"
	Recovery ExecutionType = "RECOVERY"
)

// Check reports what is wrong with an execution type, or nil.
func (t ExecutionType) Check() error { return oneOf(string(Drill), string(Recovery))(string(t)) }

// InitiatedBy is how DRS names the beginning of a job of this type.
func (t ExecutionType) InitiatedBy() string { return "START_" + string(t) }

// Server is one source server of a wave, and how it is to be launched.
type Server struct {
	ID           SourceServerID `json:"serverId" need:""`
	Hostname     string         `json:"hostname,omitempty"`
	LaunchConfig LaunchConfig   `json:"launchConfig,omitzero"`        // {} says something: as DRS has it
	Snapshot     SnapshotID     `json:"recoverySnapshotID,omitempty"` // "": the newest data
	Impact       ImpactLevel    `json:"impactLevel,omitempty"`        // "": Critical
}

// Example shows what a server of a wave looks like.
func (Server) Example() string { return "{serverId: s-0123456789abcdef0}" }

// Least says why a list of servers is not empty.
func (Server) Least() string { return "a wave needs at least 1 server" }

// ProtectionGroup holds the launch settings that its servers share.
type ProtectionGroup struct {
	ID           ProtectionGroupID
	LaunchConfig LaunchConfig
	Overrides    map[SourceServerID]LaunchConfig // per server, over LaunchConfig
}

// For gives the group's settings for one server.
func (g *ProtectionGroup) For(id SourceServerID) LaunchConfig {
	if g == nil {
		return nil
	}
	return g.Overrides[id].Over(g.LaunchConfig)
}

// Wave is a set of servers that are recovered by one DRS job.
type Wave struct {
	Number  int
	Name    string
	Group   ProtectionGroupID
	Servers []Server
	Account AccountContext
}

// ServerIDs lists the wave's servers in its own order.
func (w *Wave) ServerIDs() []SourceServerID {
	ids := make([]SourceServerID, len(w.Servers))
	for i, s := range w.Servers {
		ids[i] = s.ID
	}
	return ids
}

// Configured says whether every server brings a launch configuration of its
// own (an empty one says: as DRS has it), so that the wave can do without its
// group's.
func (w *Wave) Configured() bool {
	for _, s := range w.Servers {
		if s.LaunchConfig == nil {
			return false
		}
	}
	return true
}

// Resolve merges every server's settings over its group's. The error is a
// VALIDATION_ERROR that names every contradiction.
func (w *Wave) Resolve(g *ProtectionGroup) (map[SourceServerID]Resolved, error) {
	resolved := make(map[SourceServerID]Resolved, len(w.Servers))
	var problems []Problem
	for _, s := range w.Servers {
		r, wrong := s.Resolve(g.For(s.ID))
		resolved[s.ID] = r
		problems = append(problems, wrong...)
	}
	if len(problems) > 0 {
		return nil, Errorf(ValidationError, "launch configuration of wave %d: %s", w.Number, JoinProblems(problems))
	}
	return resolved, nil
}

// Dependency is a wave that another one depends on, as the event tells it.
type Dependency struct {
	Wave    int
	Status  string // wave<N>Status; "" when the event has none
	JobID   JobID  // wave<N>JobId; "" when the event has none
	Account AccountContext
}

// Settled judges a dependency by its status alone: met, failed, or (both
// false) to be settled by its job.
func (d Dependency) Settled() (met, failed bool) {
	switch d.Status {
	case "COMPLETED", "SKIPPED":
		return true, false
	case "FAILED", "CANCELLED", "CANCELED", "TIMED_OUT":
		return false, true
	}
	return false, false
}

var tagForbidden = regexp.MustCompile(`[^\p{L}\p{N} _.:/=+@-]`)

// TagValue makes any text a valid value of an AWS tag: at most 256
// characters, those that tags do not take replaced by _.
func TagValue(s string) string {
	clean := []rune(tagForbidden.ReplaceAllString(s, "_"))
	if len(clean) > 256 {
		clean = clean[:256]
	}
	return string(clean)
}

// JobTags are the tags of a wave's job: how it is found again.
func JobTags(key AttemptKey, plan PlanID, waveName string) map[string]string {
	tags := map[string]string{
		"ExecutionId": string(key.Execution),
		"PlanId":      string(plan),
		"WaveNumber":  fmt.Sprint(key.Wave),
		"WaveName":    TagValue(waveName),
	}
	if key.Attempt > 1 {
		tags["Attempt"] = fmt.Sprint(key.Attempt)
	}
	return tags
}
