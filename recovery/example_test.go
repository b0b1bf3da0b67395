package recovery_test

import (
	"fmt"
	"time"

	"muster/recovery"
)

// A server's own settings win over its protection group's, key by key; what
// nobody sets stays as DRS has it. An instance type needs right-sizing off.
func ExampleServer_Resolve() {
	group := recovery.LaunchConfig{
		recovery.InstanceType:   "t3.medium",
		recovery.Subnet:         "subnet-default",
		recovery.SecurityGroups: []string{"sg-default"},
	}
	server := recovery.Server{ID: "s-abc", LaunchConfig: recovery.LaunchConfig{recovery.InstanceType: "r5.xlarge"}}

	resolved, _ := server.Resolve(group)
	for _, s := range recovery.Settings() {
		if value, set := resolved.LaunchConfig[s]; set {
			fmt.Printf("%s: %v (%s)\n", s, value, resolved.From[s])
		}
	}
	// Output:
	// instanceType: r5.xlarge (server)
	// securityGroups: [sg-default] (protection group)
	// subnet: subnet-default (protection group)
	// targetInstanceTypeRightSizingMethod: NONE (implied)
}

// The refusal names every server that is not ready, and what would let it pass.
func ExampleReadiness_Check() {
	wave := []recovery.Server{{ID: "s-abc"}, {ID: "s-def"}}
	standing := recovery.Standing{Servers: []recovery.SourceServer{
		{ID: "s-abc", Replication: "STALLED"},
		{ID: "s-def", Replication: "CONTINUOUS"},
	}}
	fmt.Println(recovery.Readiness{}.Check(wave, standing))

	standing.Points = []recovery.RecoveryPoint{{ID: "pit-1", Server: "s-abc", Taken: time.Now()}}
	fmt.Println(recovery.Readiness{Policy: recovery.RecoveryPointPolicy}.Check(wave, standing))
	// Output:
	// DRS_API_ERROR: Failed to start recovery: InvalidSourceServer - Server s-abc is not in READY_FOR_RECOVERY state: its replication state is STALLED, not CONTINUOUS. With "readinessPolicy": "RECOVERY_POINT" in the state, a server that has a usable recovery point passes whether it replicates or not
	// <nil>
}

// What was sent may have a job, and is left alone until its call is certainly
// over and a job that it made would be visible.
func ExampleAttempt_Free() {
	began := time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC)
	a := recovery.Attempt{Wave: 1, Attempt: 1}.Take("invocation-1", began)
	_, until := a.Free(began)
	fmt.Println(a.State, "until", until.Format(time.TimeOnly), "- may have a job:", a.MayHaveJob())

	a = a.Send(began, began.Add(recovery.SendTimeout))
	_, until = a.Free(began)
	fmt.Println(a.State, "until", until.Format(time.TimeOnly), "- may have a job:", a.MayHaveJob())
	// Output:
	// CLAIMED until 12:00:30 - may have a job: false
	// SENT until 12:03:30 - may have a job: true
}
