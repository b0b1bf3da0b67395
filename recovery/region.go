package recovery

import "context"

// Accounts opens the door to other accounts.
type Accounts interface {
	// Assume gives the account's region, seen with the role of the account
	// context; every call of a wave goes through it. The error is a
	// *ServiceError. It may be called freely; a session with enough time left
	// may be used again.
	Assume(ctx context.Context, account AccountContext) (Region, error)
}

// Region is DRS and EC2 in one account and region.
//
// Errors are *ServiceError, or ErrNoTime, or the context's. Methods retry by
// themselves what AWS refused for the moment, except for StartRecovery. A
// method that takes ids refuses an empty list: to AWS that means everything.
type Region interface {
	// SourceServers describes the servers; one that DRS does not know is
	// missing from the answer. It may be called freely.
	SourceServers(ctx context.Context, ids []SourceServerID) ([]SourceServer, error)

	// ServersByTag describes every source server of the region that carries all
	// of the tags. It may be called freely.
	ServersByTag(ctx context.Context, tags map[string]string) ([]SourceServer, error)

	// RecoveryInstances lists what launches of the servers left behind. It may
	// be called freely.
	RecoveryInstances(ctx context.Context, servers []SourceServerID) ([]RecoveryInstance, error)

	// InstanceStates asks EC2 for the states of instances by their ids, e.g.
	// "running"; one that EC2 does not know is missing from the answer. It may be
	// called freely.
	InstanceStates(ctx context.Context, ids []InstanceID) (map[InstanceID]string, error)

	// RecoveryPoints lists the usable recovery points of the servers: at least
	// those named in wanted, where they exist, and one of every other server
	// that has any. It may be called freely.
	RecoveryPoints(ctx context.Context, servers []SourceServerID, wanted []SnapshotID) ([]RecoveryPoint, error)

	// Configure makes the launch settings of servers what is asked for,
	// writing only what differs. It calls c.Before ahead of changes, with all
	// that is about to be changed and was not announced yet (settings of DRS
	// first, then those of templates, because DRS writes templates too), and
	// changes nothing unless that returns nil. It may be called again after
	// any failure: it reads, compares, and writes what still differs. All
	// errors of all servers are joined, each a *ConfigError.
	Configure(ctx context.Context, c Configuration) error

	// StartRecovery starts the job. It is sent once and never retried: there
	// is no client token, so a second call is a second launch. ctx must carry
	// the deadline by which the call is over.
	StartRecovery(ctx context.Context, l Launch) (*Job, error)

	// Jobs describes jobs, newest first. Lists lag: a job that exists may be
	// missing for a while. It may be called freely.
	Jobs(ctx context.Context, q JobQuery) ([]Job, error)

	// JobLog reads a job's log, oldest first. It may be called freely.
	JobLog(ctx context.Context, id JobID) ([]JobLogItem, error)

	// Terminate starts a job that terminates recovery instances, at most 200.
	// Like StartRecovery it is sent once and never retried, and ctx must carry
	// the deadline by which the call is over.
	Terminate(ctx context.Context, ids []InstanceID) (*Job, error)
}

// Configuration asks for launch settings.
type Configuration struct {
	Key    AttemptKey // part of the client tokens, so that repeating makes no second version
	Want   map[SourceServerID]Resolved
	Before func(ctx context.Context, changes []ServerChange) error
}

// ConfigError is why one server's launch settings could not be read or applied.
type ConfigError struct {
	Server   SourceServerID
	Settings []Setting // those that were being written or are wrong; none where it is about the server as a whole
	Doing    string    // e.g. "reading its launch template"
	Err      error
}

func (e *ConfigError) Error() string {
	where := "server " + string(e.Server)
	for _, s := range e.Settings {
		where += ", " + string(s)
	}
	return where + ": " + e.Doing + ": " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *ConfigError) Unwrap() error { return e.Err }
