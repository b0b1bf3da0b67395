package stepfunctions

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// A task invokes a Lambda function, in one of the two ways of the language: by
// its ARN as Resource, or by lambda:invoke, whose Parameters name it.
type task struct {
	named
	onward
	Resource               string
	Parameters             *template // nil: what comes in
	ResultPath, OutputPath path
	TimeoutSeconds         int // 0: mostSeconds
	Retry                  []retrier
	Catch                  []catcher
}

const (
	lambdaInvoke = "arn:aws:states:::lambda:invoke"
	waitForToken = ".waitForTaskToken"
	mostSeconds  = 99_999_999 // of a task that says nothing, as in AWS
)

var lambdaARN = regexp.MustCompile(`^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9$_-]+)?$`)

// waits says whether somebody else answers the task, by its token.
func (t *task) waits() bool { return strings.HasSuffix(t.Resource, waitForToken) }

func (t *task) leads() ([]string, error) {
	if strings.TrimSuffix(t.Resource, waitForToken) != lambdaInvoke && !lambdaARN.MatchString(t.Resource) {
		return nil, fmt.Errorf("its Resource is neither a Lambda function's ARN nor %s, with or without %s", lambdaInvoke, waitForToken)
	}
	all, err := t.onward.leads()
	for i, r := range t.Retry {
		err = errors.Join(err, r.ErrorEquals.check(i == len(t.Retry)-1))
	}
	for i, c := range t.Catch {
		err = errors.Join(err, c.ErrorEquals.check(i == len(t.Catch)-1))
		all = append(all, c.Next)
	}
	return all, err
}

// walk invokes until Retry wants no more of it, and does with an error what
// Catch says.
func (t *task) walk(ctx context.Context, v *visit, in value) (value, string, error) {
	retries := map[int]int{} // by retrier
	for {
		out, err := t.once(ctx, v, in)
		failed, erred := errors.AsType[*TaskError](err)
		if !erred {
			return out, t.Next, err
		}
		i := t.retrier(failed.Name)
		if i < 0 || retries[i] >= t.Retry[i].most() {
			return t.caught(in, failed)
		}
		retries[i]++
		v.happens(RetryScheduled, failed.Error())
		if err := v.sleep(ctx, t.Retry[i].delay(retries[i], v.Jitter)); err != nil {
			return nil, "", err
		}
	}
}

// once is one attempt of the task, from its input to its output.
func (t *task) once(ctx context.Context, v *visit, in value) (value, error) {
	v.token = ""
	if t.waits() {
		v.token = rand.Text()
		v.happens(TaskScheduled, "")
	}
	payload, err := t.Parameters.fill(v, in)
	if err != nil {
		return nil, err
	}
	function := t.Resource
	if !lambdaARN.MatchString(function) {
		var invoke struct {
			FunctionName string
			Payload      value
		}
		if err := json.Unmarshal(payload, &invoke); err != nil {
			return nil, &TaskError{Runtime, err.Error()}
		}
		function, payload = invoke.FunctionName, invoke.Payload
	}
	if err := limit(payload, "the task's payload"); err != nil {
		return nil, err
	}
	answer, err := t.answer(ctx, v, function, payload)
	if ctx.Err() != nil && err != nil {
		return nil, ctx.Err() // it says nothing about the task
	}
	if err != nil {
		v.happens(TaskErred, err.Error())
		return nil, err
	}
	v.happens(TaskAnswered, string(answer))
	if t.Resource == lambdaInvoke {
		answer = append(append(value(`{"ExecutedVersion":"$LATEST","Payload":`), answer...), `,"SdkHttpMetadata":{"HttpStatusCode":200},"StatusCode":200}`...)
	}
	return v.leave(in, answer, t.ResultPath, t.OutputPath)
}

// answer invokes the function and gives what it answers or, where the task
// waits for its token, what somebody answers that with.
func (t *task) answer(ctx context.Context, v *visit, function string, payload value) (value, error) {
	within, cancel := context.WithTimeout(ctx, time.Duration(cmp.Or(t.TimeoutSeconds, mostSeconds))*time.Second)
	defer cancel()
	out, err := v.Tasks.Invoke(within, function, payload)
	if _, is := errors.AsType[*TaskError](err); err != nil && !is {
		err = &TaskError{LambdaUnknown, err.Error()}
	}
	if err == nil && t.waits() && within.Err() == nil {
		v.happens(TaskSubmitted, "")
		out, err = v.Callbacks.Wait(within, v.token)
	}
	if within.Err() != nil {
		return nil, &TaskError{Timeout, "the task took longer than TimeoutSeconds"}
	}
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		out = []byte("null")
	}
	answer, ok := parse(out)
	if !ok {
		return nil, &TaskError{LambdaUnknown, "the answer is not JSON"}
	}
	return answer, limit(answer, "the task's answer")
}
