package awsdrs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/drs"

	"muster/recovery"
)

// mostTerminated is how many recovery instances one job terminates.
const mostTerminated = 200

// Nothing tells a second termination from the first, as with StartRecovery;
// and like that one it makes a job that counts against the quotas.
var terminateRecoveryInstances = operation{service: "DRS", name: "TerminateRecoveryInstances", effect: true, once: true}

// Terminate starts the job that terminates recovery instances, live ones as
// well as drills': whoever calls it has looked. It is sent once, and again
// only where AWS refused because the session had expired.
func (r *region) Terminate(ctx context.Context, ids []recovery.InstanceID) (*recovery.Job, error) {
	if _, ok := ctx.Deadline(); !ok {
		return nil, terminateRecoveryInstances.refuse("there is no deadline by which the call is over")
	}
	if len(ids) == 0 {
		return nil, terminateRecoveryInstances.refuse("no recovery instances were named")
	}
	if len(ids) > mostTerminated {
		return nil, terminateRecoveryInstances.refuse("%d recovery instances are more than the %d that one job terminates", len(ids), mostTerminated)
	}
	r.freshen(ctx) // DRS terminates with the caller's session, as it launches
	out, err := call(ctx, r, terminateRecoveryInstances, func(ctx context.Context, s *session) (*drs.TerminateRecoveryInstancesOutput, error) {
		return s.drs.TerminateRecoveryInstances(ctx, &drs.TerminateRecoveryInstancesInput{RecoveryInstanceIDs: texts(ids)})
	})
	if err != nil {
		return nil, err
	}
	if out.Job == nil || aws.ToString(out.Job.JobID) == "" {
		return nil, terminateRecoveryInstances.garbled("DRS accepted, and its answer names no job")
	}
	started, _ := job(out.Job) // its id is what counts; its time may be unreadable
	return &started, nil
}
