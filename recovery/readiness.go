package recovery

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

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

// NeedPoints names the servers whose recovery points decide: those pinned to
// one, and, under RECOVERY_POINT, those that do not replicate right now.
func (p ReadinessPolicy) NeedPoints(wave []Server, known []SourceServer) []SourceServerID {
	var need []SourceServerID
	for _, s := range wave {
		k := Standing{Servers: known}.server(s.ID)
		if k != nil && (s.Snapshot != "" || p == RecoveryPointPolicy && k.Replication != "CONTINUOUS") {
			need = append(need, s.ID)
		}
	}
	return need
}

// InDoubt names the servers of a wave that is refused for which a recovery
// point decides whether RECOVERY_POINT would let them pass. Those pinned to one
// are judged by that.
func (r Readiness) InDoubt(wave []Server, s Standing) []SourceServerID {
	var doubt []SourceServerID
	for _, server := range wave {
		if server.Snapshot == "" && slices.ContainsFunc(r.obstacles(server, s), func(o obstacle) bool { return o.policy }) {
			doubt = append(doubt, server.ID)
		}
	}
	return doubt
}

// Readiness is a wave's demand on its servers.
type Readiness struct {
	Policy  ReadinessPolicy
	Replace []InstanceID    // live instances that somebody named as lost anyway
	Gone    []TreatedAsGone // servers of which somebody said that nothing lives
}

// obstacle is one thing that keeps a server from being launched.
type obstacle struct {
	text   string
	passes bool   // by itself: a job that is not ours will be over
	policy bool   // RECOVERY_POINT may let the server pass
	doubt  string // the launch of which a person is asked whether its instance lives
}

// Check judges every server of a wave and names all that are not ready, in
// the contract's words, each with everything that is in its way and how it
// would pass. The refusal is retryable when all of it passes by itself. Nil
// means ready.
func (r Readiness) Check(wave []Server, s Standing) error {
	return refusal(wave, func(server Server) []obstacle { return r.obstacles(server, s) })
}

// refusal is what a wave is answered that has obstacles; nil where it has none.
func refusal(wave []Server, of func(Server) []obstacle) error {
	var refused []string
	var doubt []InDoubt
	passes, policy := true, false
	for _, server := range wave {
		var texts, launches []string
		for _, o := range of(server) {
			texts = append(texts, o.text)
			passes = passes && o.passes
			policy = policy || o.policy
			if o.doubt != "" {
				launches = append(launches, o.doubt)
			}
		}
		if launches != nil {
			doubt = append(doubt, InDoubt{server.ID, launches})
		}
		if len(texts) > 0 {
			refused = append(refused, fmt.Sprintf("Server %s is not in READY_FOR_RECOVERY state: %s", server.ID, strings.Join(texts, ", and ")))
		}
	}
	if len(refused) == 0 {
		return nil
	}
	message := "Failed to start recovery: InvalidSourceServer - " + strings.Join(refused, "; ")
	if policy {
		message += `. With "readinessPolicy": "RECOVERY_POINT" in the state, a server that has a usable recovery point passes whether it replicates or not`
	}
	return &Error{Code: DRSAPIError, Message: message, Retryable: passes, InDoubt: doubt}
}

func (r Readiness) obstacles(server Server, s Standing) []obstacle {
	known := s.server(server.ID)
	if known == nil {
		return []obstacle{{text: "DRS knows no such source server in this account and region"}}
	}
	var all []obstacle
	if known.StagingArea == "EXTENSION_ERROR" {
		all = append(all, obstacle{text: "its staging area reports EXTENSION_ERROR"})
	}
	all = append(all, s.underWay(known, true)...)
	all = append(all, r.stakes(server.ID, s)...)
	if server.Snapshot != "" && !s.usable(server.ID, server.Snapshot) {
		all = append(all, obstacle{text: fmt.Sprintf("it has no usable recovery point %s", server.Snapshot)})
	}
	if o := r.replication(known, s); o != nil {
		all = append(all, *o)
	}
	return all
}

func (l LastLaunch) holding() string {
	if l.JobID == "" {
		return "a job is launching it"
	}
	return fmt.Sprintf("job %s is launching it", l.JobID)
}

// recoverable states pass under RECOVERY_POINT when a recovery point is
// usable. The others but CONTINUOUS pass under no policy: in STOPPED,
// DISCONNECTED and INITIATING, DRS has nothing to launch from, or no longer
// follows the server, and what is not known is not trusted.
var recoverable = []string{"BACKLOG", "CREATING_SNAPSHOT", "RESCAN", "PAUSED", "STALLED", "INITIAL_SYNC"}

func (r Readiness) replication(known *SourceServer, s Standing) *obstacle {
	state := orUnknown(known.Replication)
	switch {
	case state == "CONTINUOUS":
		return nil
	case !slices.Contains(recoverable, state):
		return &obstacle{text: fmt.Sprintf("its replication state is %s", state)}
	case r.Policy != RecoveryPointPolicy:
		return r.notContinuous(known, s)
	case !s.usable(known.ID, ""):
		return &obstacle{text: fmt.Sprintf("its replication state is %s, and it has no usable recovery point", state)}
	}
	return nil
}

// notContinuous says of a server that RECOVERY_POINT may let pass whether it
// would, as far as its recovery points were read.
func (r Readiness) notContinuous(known *SourceServer, s Standing) *obstacle {
	text := fmt.Sprintf("its replication state is %s, not CONTINUOUS", known.Replication)
	if !slices.Contains(s.PointsOf, known.ID) {
		return &obstacle{text: text, policy: true}
	}
	newest := s.newestPoint(known.ID)
	if newest.IsZero() {
		return &obstacle{text: text + " (it has no usable recovery point, so no policy lets it pass)"}
	}
	return &obstacle{text: fmt.Sprintf("%s (its newest recovery point is of %s)", text, newest.UTC().Format(time.RFC3339)), policy: true}
}

func orUnknown(state string) string {
	if state == "" {
		return "unknown"
	}
	return state
}
