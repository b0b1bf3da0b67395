// Package awssteps drives executions through a state machine of AWS Step
// Functions: it starts runs of it, asks about them, and completes tasks that
// wait.
package awssteps

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"muster/awserror"
)

// steps is what is called of Step Functions, and so what the function's role
// has to be allowed.
type steps interface {
	StartExecution(context.Context, *sfn.StartExecutionInput, ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
	DescribeExecution(context.Context, *sfn.DescribeExecutionInput, ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error)
	SendTaskSuccess(context.Context, *sfn.SendTaskSuccessInput, ...func(*sfn.Options)) (*sfn.SendTaskSuccessOutput, error)
}

// Machine is one state machine. Its methods may be called at the same time,
// and each may be called again after anything. Their errors are
// *recovery.ServiceError; none holds a task's token.
type Machine struct {
	arn    string // of the state machine
	client steps
}

// callTimeout bounds one call, its repetitions included: Step Functions
// answers in milliseconds, or throttles.
const callTimeout = 30 * time.Second

var machineARN = regexp.MustCompile(`^arn:aws[a-z-]*:states:([a-z0-9-]+):[0-9]{12}:stateMachine:[A-Za-z0-9_-]{1,80}$`)

// CheckARN reports why a text is not the ARN of a state machine, or nil. That
// of a version or an alias is none: its runs are not named as ours are.
func CheckARN(arn string) error {
	if !machineARN.MatchString(arn) {
		return fmt.Errorf("%+q is not the ARN of a state machine: arn:aws:states:REGION:ACCOUNT:stateMachine:NAME", arn)
	}
	return nil
}

// New makes the machine of an ARN that CheckARN lets pass, with the function's
// own credentials, in the region that the ARN names. It calls nobody.
func New(config aws.Config, arn string) *Machine {
	config.Region = machineARN.FindStringSubmatch(arn)[1]
	return &Machine{arn, Tasks(config).client}
}

// Tasks are those of all state machines in the configuration's region: they can
// be completed, and no run can be started or asked about. It calls nobody.
func Tasks(config aws.Config) *Machine {
	return &Machine{"", sfn.NewFromConfig(config, func(o *sfn.Options) {
		o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) {
			r.MaxAttempts, r.MaxBackoff = 8, 5*time.Second
			r.RateLimiter = ratelimit.None // its own would give up on a burst of throttles
		})
	})}
}

// Start starts the run of a name with an input. A run of that name that there
// was already, whether it is over or not, is no error: started is false then
// where Step Functions can tell (it cannot where that one runs with this very
// input).
func (m *Machine) Start(ctx context.Context, name string, input []byte) (started bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err = m.client.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &m.arn, Name: &name, Input: aws.String(string(input))})
	if awserror.Is(err, (*types.ExecutionAlreadyExists)(nil)) {
		return false, nil
	}
	return err == nil, failure("StartExecution", err)
}

// Running says whether the run of a name is under way, and whether there is or
// was one at all. Step Functions may be a little behind: right after a start it
// may not know the run yet.
func (m *Machine) Running(ctx context.Context, name string) (running, known bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	run := strings.Replace(m.arn, ":stateMachine:", ":execution:", 1) + ":" + name
	out, err := m.client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &run, IncludedData: types.IncludedDataMetadataOnly})
	switch {
	case awserror.Is(err, (*types.ExecutionDoesNotExist)(nil)):
		return false, false, nil
	case err != nil:
		return false, false, failure("DescribeExecution", err)
	}
	return out.Status == types.ExecutionStatusRunning || out.Status == types.ExecutionStatusPendingRedrive, true, nil
}

// Succeed completes a task that waits for its token, which is a secret. One
// that has timed out, or was completed before, is no error.
func (m *Machine) Succeed(ctx context.Context, token string, output []byte) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := m.client.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: &token, Output: aws.String(string(output))})
	if awserror.Is(err, (*types.TaskTimedOut)(nil), (*types.TaskDoesNotExist)(nil), (*types.InvalidToken)(nil)) {
		return nil
	}
	return failure("SendTaskSuccess", err, token)
}

// failure translates what the SDK gave up with; nil for nil. Secrets are what
// the request held that no message may repeat.
func failure(operation string, err error, secrets ...string) error {
	if err == nil {
		return nil
	}
	passing := []string{"ExecutionLimitExceeded"} // of runs at the same time
	f := awserror.Call{Service: "Step Functions", Operation: operation, Effect: true, Passing: passing, Secrets: secrets}.Failure(err)
	return &f.ServiceError
}
