package stepfunctions

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// errorNames is what a retrier or a catcher is for.
type errorNames []string

// match says whether an error is meant. A States.Runtime always ends the
// execution, and a States.DataLimitExceeded is meant by its own name only.
func (names errorNames) match(name string) bool {
	if name == Runtime {
		return false
	}
	return slices.ContainsFunc(names, func(n string) bool {
		switch {
		case n == name:
			return true
		case name == DataLimitExceeded:
			return false
		case n == TaskFailed:
			return name != Timeout
		}
		return n == All
	})
}

// knownNames are those names of the language that a retrier or catcher may be
// for.
var knownNames = []string{All, TaskFailed, Timeout, ResultPathMatchFailure, ParameterPathFailure, DataLimitExceeded}

func (names errorNames) check(last bool) error {
	if len(names) == 0 {
		return fmt.Errorf("ErrorEquals has to name an error")
	}
	for _, name := range names {
		switch {
		case strings.HasPrefix(name, "States.") && !slices.Contains(knownNames, name):
			return fmt.Errorf("%s is no error that can be retried or caught", name)
		case name == All && (len(names) > 1 || !last):
			return fmt.Errorf("%s has to stand alone, and in the last place", All)
		}
	}
	return nil
}

type retrier struct {
	Comment         string
	ErrorEquals     errorNames
	IntervalSeconds float64 // 0: 1
	MaxAttempts     *int    // retries; nil: 3
	BackoffRate     float64 // 0: 2
	MaxDelaySeconds float64 // 0: no bound
	JitterStrategy  string
}

func (r *retrier) most() int {
	if r.MaxAttempts == nil {
		return 3
	}
	return *r.MaxAttempts
}

// delay is how long to wait before the n-th retry, counted from 1. random is
// a number in [0, 1).
func (r *retrier) delay(n int, random func() float64) time.Duration {
	seconds := cmp.Or(r.IntervalSeconds, 1) * math.Pow(cmp.Or(r.BackoffRate, 2), float64(n-1))
	if r.MaxDelaySeconds > 0 {
		seconds = min(seconds, r.MaxDelaySeconds)
	}
	if r.JitterStrategy == "FULL" {
		seconds *= random()
	}
	return time.Duration(seconds * float64(time.Second))
}

// retrier gives the first retrier that an error is meant by, or -1.
func (t *task) retrier(name string) int {
	return slices.IndexFunc(t.Retry, func(r retrier) bool { return r.ErrorEquals.match(name) })
}

type catcher struct {
	Comment     string
	ErrorEquals errorNames
	ResultPath  path
	Next        string
}

// caught goes on from an error where the first catcher that it is meant by
// leads.
func (t *task) caught(in value, failed *TaskError) (value, string, error) {
	for _, c := range t.Catch {
		if c.ErrorEquals.match(failed.Name) {
			told, _ := json.Marshal(struct{ Error, Cause string }{failed.Name, failed.Cause}) // strings can always be encoded
			out, err := c.ResultPath.into(in, told)
			return out, c.Next, err
		}
	}
	return nil, "", failed
}
