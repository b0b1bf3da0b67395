package recovery_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/recovery"

	"github.com/google/go-cmp/cmp"
)

// A verdict on a replication state under a policy.
const (
	passes    = "passes"
	withPoint = "passes with a usable recovery point"
	refused   = "is refused"
)

func TestReplicationStatesUnderBothPolicies(t *testing.T) {
	for state, want := range map[string]struct{ continuous, recoveryPoint string }{
		"CONTINUOUS":        {passes, passes},
		"BACKLOG":           {refused, withPoint},
		"CREATING_SNAPSHOT": {refused, withPoint},
		"RESCAN":            {refused, withPoint},
		"PAUSED":            {refused, withPoint},
		"STALLED":           {refused, withPoint},
		"INITIAL_SYNC":      {refused, withPoint},
		"STOPPED":           {refused, refused},
		"DISCONNECTED":      {refused, refused},
		"INITIATING":        {refused, refused},
		"":                  {refused, refused},
		"SOMETHING_NEW":     {refused, refused},
	} {
		for policy, want := range map[recovery.ReadinessPolicy]string{
			"": want.continuous, recovery.Continuous: want.continuous, recovery.RecoveryPointPolicy: want.recoveryPoint,
		} {
			for _, usable := range []bool{false, true} {
				s := standing(recovery.SourceServer{Replication: state})
				s.Points = []recovery.RecoveryPoint{
					{ID: "pit-1", Server: "s-other", Taken: time.Unix(1, 0)},
					{ID: "pit-2", Server: "s-abc"}, // expected, and not taken yet
				}
				if usable {
					s.Points = append(s.Points, recovery.RecoveryPoint{ID: "pit-3", Server: "s-abc", Taken: time.Unix(1, 0)})
				}
				err := recovery.Readiness{Policy: policy}.Check(wave("s-abc"), s)
				if pass := want == passes || want == withPoint && usable; pass != (err == nil) {
					t.Errorf("state %q, policy %q, usable recovery point %v: got %v; it %s", state, policy, usable, err, want)
				}
			}
		}
	}
}

func TestRefusalsSayWhatIsInTheWayAndTheWayOut(t *testing.T) {
	const pre = "Failed to start recovery: InvalidSourceServer - Server s-abc is not in READY_FOR_RECOVERY state: "
	const way = `. With "readinessPolicy": "RECOVERY_POINT" in the state, a server that has a usable recovery point passes whether it replicates or not`
	running := recovery.LastLaunch{JobID: "drsjob-1", Status: "IN_PROGRESS"}
	live := recovery.RecoveryInstance{ID: "i-1", EC2: "i-1", Server: "s-abc", EC2State: "RUNNING"}
	const atStake = `a live recovery instance that is no drill's exists, which DRS would terminate: i-1 (RUNNING); name it in "replaceLiveInstances" in the state if it may be lost`

	for name, c := range map[string]struct {
		policy    recovery.ReadinessPolicy
		replace   []recovery.InstanceID
		snapshot  recovery.SnapshotID
		server    recovery.SourceServer
		instances []recovery.RecoveryInstance
		jobs      []recovery.Job
		points    []recovery.RecoveryPoint
		want      string // "": ready
		retryable bool
	}{
		"it replicates":                          {server: recovery.SourceServer{Replication: "CONTINUOUS"}},
		"it lags":                                {server: recovery.SourceServer{Replication: "BACKLOG"}, want: pre + "its replication state is BACKLOG, not CONTINUOUS" + way},
		"it lags and has no recovery point":      {policy: recovery.RecoveryPointPolicy, server: recovery.SourceServer{Replication: "BACKLOG"}, want: pre + "its replication state is BACKLOG, and it has no usable recovery point"},
		"no policy helps a hopeless state":       {server: recovery.SourceServer{Replication: "DISCONNECTED"}, want: pre + "its replication state is DISCONNECTED"},
		"DRS does not say":                       {server: recovery.SourceServer{}, want: pre + "its replication state is unknown"},
		"DRS does not know it":                   {server: recovery.SourceServer{ID: "s-other", Replication: "CONTINUOUS"}, want: pre + "DRS knows no such source server in this account and region"},
		"its staging area is broken":             {server: recovery.SourceServer{Replication: "CONTINUOUS", StagingArea: "EXTENSION_ERROR"}, want: pre + "its staging area reports EXTENSION_ERROR"},
		"its staging area is extended":           {server: recovery.SourceServer{Replication: "CONTINUOUS", StagingArea: "EXTENDED"}},
		"a job launches it":                      {server: recovery.SourceServer{Replication: "CONTINUOUS", LastLaunch: running}, want: pre + "job drsjob-1 is launching it", retryable: true},
		"a job is about to launch it":            {server: recovery.SourceServer{Replication: "CONTINUOUS", LastLaunch: recovery.LastLaunch{JobID: "drsjob-1", Status: "PENDING"}}, want: pre + "job drsjob-1 is launching it", retryable: true},
		"a job without a name launches it":       {server: recovery.SourceServer{Replication: "CONTINUOUS", LastLaunch: recovery.LastLaunch{Status: "PENDING"}}, want: pre + "a job is launching it", retryable: true},
		"a job that DescribeJobs shows runs":     {server: recovery.SourceServer{Replication: "CONTINUOUS", LastLaunch: running}, jobs: []recovery.Job{{ID: "drsjob-1", Status: recovery.JobStarted}}, want: pre + "job drsjob-1 is launching it", retryable: true},
		"the job of its last launch is over":     {server: recovery.SourceServer{Replication: "CONTINUOUS", LastLaunch: running}, jobs: []recovery.Job{{ID: "drsjob-1", Status: recovery.JobCompleted}}},
		"another job is over":                    {server: recovery.SourceServer{Replication: "CONTINUOUS", LastLaunch: running}, jobs: []recovery.Job{{ID: "drsjob-2", Status: recovery.JobCompleted}}, want: pre + "job drsjob-1 is launching it", retryable: true},
		"its last launch failed":                 {server: recovery.SourceServer{Replication: "CONTINUOUS", LastLaunch: recovery.LastLaunch{JobID: "drsjob-1", Status: "FAILED"}}},
		"its last launch was a drill":            {server: recovery.SourceServer{Replication: "CONTINUOUS", LastLaunch: recovery.LastLaunch{JobID: "drsjob-1", Status: "LAUNCHED", Type: "DRILL"}}},
		"a live instance is at stake":            {server: recovery.SourceServer{Replication: "CONTINUOUS"}, instances: []recovery.RecoveryInstance{live}, want: pre + atStake},
		"the live instance may be lost":          {replace: []recovery.InstanceID{"i-1"}, server: recovery.SourceServer{Replication: "CONTINUOUS"}, instances: []recovery.RecoveryInstance{live}},
		"another instance may be lost":           {replace: []recovery.InstanceID{"i-2"}, server: recovery.SourceServer{Replication: "CONTINUOUS"}, instances: []recovery.RecoveryInstance{live}, want: pre + atStake},
		"it is named by its EC2 id":              {replace: []recovery.InstanceID{"i-ec2"}, server: recovery.SourceServer{Replication: "CONTINUOUS"}, instances: []recovery.RecoveryInstance{{ID: "i-1", EC2: "i-ec2", Server: "s-abc", EC2State: "RUNNING"}}},
		"the live instance is another server's":  {server: recovery.SourceServer{Replication: "CONTINUOUS"}, instances: []recovery.RecoveryInstance{{ID: "i-1", Server: "s-other", EC2State: "RUNNING"}}},
		"the live instance is a drill's":         {server: recovery.SourceServer{Replication: "CONTINUOUS"}, instances: []recovery.RecoveryInstance{{ID: "i-1", Server: "s-abc", Drill: true, EC2State: "RUNNING"}}},
		"the instance is terminated":             {server: recovery.SourceServer{Replication: "CONTINUOUS"}, instances: []recovery.RecoveryInstance{{ID: "i-1", Server: "s-abc", EC2State: "TERMINATED"}}},
		"the instance is not found":              {server: recovery.SourceServer{Replication: "CONTINUOUS"}, instances: []recovery.RecoveryInstance{{ID: "i-1", Server: "s-abc", EC2State: "NOT_FOUND"}}},
		"the instance is stopped and still live": {server: recovery.SourceServer{Replication: "CONTINUOUS"}, instances: []recovery.RecoveryInstance{{ID: "i-1", Server: "s-abc", EC2State: "STOPPED"}}, want: pre + strings.Replace(atStake, "RUNNING", "STOPPED", 1)},
		"the instance's state is not known":      {server: recovery.SourceServer{Replication: "CONTINUOUS"}, instances: []recovery.RecoveryInstance{{ID: "i-1", Server: "s-abc"}}, want: pre + strings.Replace(atStake, "RUNNING", "unknown", 1)},
		"several are at stake, one may be lost": {
			replace: []recovery.InstanceID{"i-1"}, server: recovery.SourceServer{Replication: "CONTINUOUS"},
			instances: []recovery.RecoveryInstance{live, {ID: "i-2", Server: "s-abc", EC2State: "PENDING"}, {ID: "i-3", Server: "s-abc", EC2State: "STOPPED"}},
			want:      pre + strings.Replace(atStake, "i-1 (RUNNING)", "i-2 (PENDING), i-3 (STOPPED)", 1)},
		"it is pinned and the point exists":        {snapshot: "pit-1", server: recovery.SourceServer{Replication: "CONTINUOUS"}, points: []recovery.RecoveryPoint{{ID: "pit-1", Server: "s-abc", Taken: time.Unix(1, 0)}}},
		"it is pinned and the point is missing":    {snapshot: "pit-1", server: recovery.SourceServer{Replication: "CONTINUOUS"}, points: []recovery.RecoveryPoint{{ID: "pit-2", Server: "s-abc", Taken: time.Unix(1, 0)}}, want: pre + "it has no usable recovery point pit-1"},
		"it is pinned and the point is not taken":  {snapshot: "pit-1", server: recovery.SourceServer{Replication: "CONTINUOUS"}, points: []recovery.RecoveryPoint{{ID: "pit-1", Server: "s-abc"}}, want: pre + "it has no usable recovery point pit-1"},
		"it is pinned to another server's point":   {snapshot: "pit-1", server: recovery.SourceServer{Replication: "CONTINUOUS"}, points: []recovery.RecoveryPoint{{ID: "pit-1", Server: "s-other", Taken: time.Unix(1, 0)}}, want: pre + "it has no usable recovery point pit-1"},
		"it is pinned, stalled and the point is":   {policy: recovery.RecoveryPointPolicy, snapshot: "pit-1", server: recovery.SourceServer{Replication: "STALLED"}, points: []recovery.RecoveryPoint{{ID: "pit-1", Server: "s-abc", Taken: time.Unix(1, 0)}}},
		"everything that is in its way is named":   {snapshot: "pit-1", server: recovery.SourceServer{Replication: "STALLED", StagingArea: "EXTENSION_ERROR", LastLaunch: running}, instances: []recovery.RecoveryInstance{live}, want: pre + "its staging area reports EXTENSION_ERROR, and job drsjob-1 is launching it, and " + atStake + ", and it has no usable recovery point pit-1, and its replication state is STALLED, not CONTINUOUS" + way},
		"a job launches it, but that is not all":   {server: recovery.SourceServer{Replication: "STALLED", LastLaunch: running}, want: pre + "job drsjob-1 is launching it, and its replication state is STALLED, not CONTINUOUS" + way},
		"a job under RECOVERY_POINT is still held": {policy: recovery.RecoveryPointPolicy, server: recovery.SourceServer{Replication: "CONTINUOUS", LastLaunch: running}, want: pre + "job drsjob-1 is launching it", retryable: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := standing(c.server)
			s.Instances, s.Jobs, s.Points = c.instances, c.jobs, c.points
			w := wave("s-abc")
			w[0].Snapshot = c.snapshot
			err := recovery.Readiness{Policy: c.policy, Replace: c.replace}.Check(w, s)
			if c.want == "" {
				if err != nil {
					t.Fatalf("got %v, want it to be ready", err)
				}
				return
			}
			var got *recovery.Error
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want a refusal", err)
			}
			want := &recovery.Error{Code: recovery.DRSAPIError, Message: c.want, Retryable: c.retryable}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestARefusalIsRetryableOnlyWhenAllOfItPassesByItself(t *testing.T) {
	ready := recovery.SourceServer{Replication: "CONTINUOUS"}
	held := recovery.SourceServer{Replication: "CONTINUOUS", LastLaunch: recovery.LastLaunch{JobID: "drsjob-1", Status: "PENDING"}}
	broken := recovery.SourceServer{Replication: "STOPPED"}
	for name, c := range map[string]struct {
		servers []recovery.SourceServer
		want    bool
	}{
		"one of several is held":          {[]recovery.SourceServer{ready, held, ready}, true},
		"several are held":                {[]recovery.SourceServer{held, held, ready}, true},
		"one is held, another is broken":  {[]recovery.SourceServer{held, broken}, false},
		"one is broken, another is held":  {[]recovery.SourceServer{broken, held}, false},
		"one is broken, others are ready": {[]recovery.SourceServer{ready, broken}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var w []recovery.Server
			for i := range c.servers {
				c.servers[i].ID = recovery.SourceServerID(fmt.Sprint("s-", i))
				w = append(w, recovery.Server{ID: c.servers[i].ID})
			}
			var got *recovery.Error
			if err := (recovery.Readiness{}).Check(w, recovery.Standing{Servers: c.servers}); !errors.As(err, &got) {
				t.Fatalf("got %v, want a refusal", err)
			}
			if got.Retryable != c.want {
				t.Errorf("retryable: got %v, want %v; %s", got.Retryable, c.want, got.Message)
			}
		})
	}
}

func TestARefusalNamesEveryServerThatIsNotReady(t *testing.T) {
	var w []recovery.Server
	var s recovery.Standing
	for i := range recovery.MostServers {
		id := recovery.SourceServerID(fmt.Sprintf("s-%03d", i))
		w = append(w, recovery.Server{ID: id})
		s.Servers = append(s.Servers, recovery.SourceServer{ID: id, Replication: []string{"CONTINUOUS", "STALLED"}[i%2]})
	}
	slices.Reverse(s.Servers) // AWS answers in an order of its own
	message := recovery.Readiness{}.Check(w, s).Error()
	if got := strings.Count(message, "is not in READY_FOR_RECOVERY state"); got != 50 {
		t.Errorf("%d servers are named, want 50", got)
	}
	if got := strings.Count(message, "readinessPolicy"); got != 1 {
		t.Errorf("the way out is told %d times, want once", got)
	}
	if !strings.Contains(message, "Server s-001 is") || strings.Contains(message, "Server s-002 is") {
		t.Error("the wrong servers are named")
	}
}

func TestRecoveryPointsAreReadOnlyForServersThatNeedThem(t *testing.T) {
	w := []recovery.Server{{ID: "s-fine"}, {ID: "s-stalled"}, {ID: "s-pinned", Snapshot: "pit-1"}, {ID: "s-unknown", Snapshot: "pit-2"}}
	known := []recovery.SourceServer{{ID: "s-stalled", Replication: "STALLED"}, {ID: "s-fine", Replication: "CONTINUOUS"}, {ID: "s-pinned", Replication: "CONTINUOUS"}}
	for policy, want := range map[recovery.ReadinessPolicy][]recovery.SourceServerID{
		"":                           {"s-pinned"},
		recovery.Continuous:          {"s-pinned"},
		recovery.RecoveryPointPolicy: {"s-stalled", "s-pinned"},
	} {
		if diff := cmp.Diff(want, policy.NeedPoints(w, known)); diff != "" {
			t.Errorf("%q: -want +got:\n%s", policy, diff)
		}
	}
}

func TestThereAreTwoPolicies(t *testing.T) {
	for policy, want := range map[recovery.ReadinessPolicy]bool{"CONTINUOUS": true, "RECOVERY_POINT": true, "": false, "continuous": false, "ANY": false} {
		if err := policy.Check(); (err == nil) != want {
			t.Errorf("%q: got %v", policy, err)
		}
	}
}

func wave(ids ...recovery.SourceServerID) []recovery.Server {
	var w []recovery.Server
	for _, id := range ids {
		w = append(w, recovery.Server{ID: id})
	}
	return w
}

func standing(server recovery.SourceServer) recovery.Standing {
	if server.ID == "" {
		server.ID = "s-abc"
	}
	return recovery.Standing{Servers: []recovery.SourceServer{server}}
}

// What would let a server pass is said only of one that it would help.
func TestARefusalKnowsWhetherARecoveryPointWouldHelp(t *testing.T) {
	const policy = `"readinessPolicy": "RECOVERY_POINT"`
	taken := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := recovery.Standing{
		Servers: []recovery.SourceServer{
			{ID: "s-1", Replication: "INITIAL_SYNC"}, {ID: "s-2", Replication: "STALLED"}, {ID: "s-3", Replication: "DISCONNECTED"},
			{ID: "s-4", Replication: "CONTINUOUS"}, {ID: "s-5", Replication: "STALLED"},
		},
		Points: []recovery.RecoveryPoint{{ID: "pit-1", Server: "s-2", Taken: taken.Add(-time.Hour)}, {ID: "pit-2", Server: "s-2", Taken: taken}, {ID: "pit-3", Server: "s-1"}},
	}
	w := wave("s-1", "s-2", "s-3", "s-4", "s-5")
	w[4].Snapshot = "pit-5"
	s.PointsOf = recovery.Readiness{}.InDoubt(w, s)
	if diff := cmp.Diff([]recovery.SourceServerID{"s-1", "s-2"}, s.PointsOf); diff != "" {
		t.Fatal(diff)
	}
	got := recovery.Readiness{}.Check(w[:3], s).Error()
	for _, want := range []string{
		"its replication state is INITIAL_SYNC, not CONTINUOUS (it has no usable recovery point, so no policy lets it pass)",
		"its replication state is STALLED, not CONTINUOUS (its newest recovery point is of 2026-01-02T03:04:05Z)", policy,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %s", want, got)
		}
	}
	if got := (recovery.Readiness{}).Check(w[:1], s).Error(); strings.Contains(got, policy) {
		t.Errorf("offers what cannot help: %s", got)
	}
}
