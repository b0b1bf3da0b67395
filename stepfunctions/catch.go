package stepfunctions

import (
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
		case n == Timeout:
			return name == HeartbeatTimeout
		case n == TaskFailed:
			return name != Timeout && name != HeartbeatTimeout
		}
		return n == All
	})
}

type retrier struct {
	errorNames
	interval, longest time.Duration // longest: 0: no bound
	most              int           // retries
	rate              float64
	jitter            bool
}

type catcher struct {
	errorNames
	next     string
	result   *path // nil: the error is all that goes on
	noResult bool  // null: what came in goes on
}

// errorNames reads ErrorEquals of one of several retriers or catchers.
func (f *fields) errorNames(last bool) errorNames {
	var names errorNames
	for i, m := range f.list("ErrorEquals") {
		place := fmt.Sprintf("%s[%d]", f.at("ErrorEquals"), i)
		if kind(m.value) != isString || unquote(m.value) == "" {
			f.problem(place, "has to be an error's name")
			continue
		}
		name := unquote(m.value)
		names = append(names, name)
		switch {
		case name == Runtime:
			f.problem(place, "%s cannot be retried or caught", Runtime)
		case name == All && (len(f.list("ErrorEquals")) > 1 || !last):
			f.problem(place, "%s has to stand alone, and in the last place", All)
		case strings.HasPrefix(name, "States.") && !slices.Contains(reservedNames, name):
			f.problem(place, "there is no error %q in the language", name)
		}
	}
	return names
}

var reservedNames = []string{All, TaskFailed, Timeout, HeartbeatTimeout, ResultPathMatchFailure, ParameterPathFailure, DataLimitExceeded,
	NoChoiceMatched, "States.Permissions", "States.BranchFailed", "States.IntrinsicFailure"}

func (f *fields) each(name string, read func(r *fields, last bool)) {
	if !f.has(name) {
		return
	}
	v, _ := f.take(name)
	if kind(v) != isArray {
		f.problem(f.at(name), "has to be an array")
		return
	}
	list := elements(v)
	for i, m := range list {
		if r := f.fields(fmt.Sprintf("%s[%d]", f.at(name), i), m.value); r != nil {
			r.text("Comment")
			read(r, i == len(list)-1)
		}
	}
}

func (f *fields) retriers(t *task) {
	f.each("Retry", func(f *fields, last bool) {
		r := retrier{errorNames: f.errorNames(last), interval: time.Second, most: 3, rate: 2}
		if f.has("IntervalSeconds") {
			r.interval = f.seconds("IntervalSeconds", 1)
		}
		if f.has("MaxAttempts") {
			r.most, _ = f.integer("MaxAttempts", 0, maxSeconds)
		}
		if v, ok := f.take("BackoffRate"); ok {
			if r.rate = number(v); kind(v) != isNumber || r.rate < 1 || math.IsInf(r.rate, 1) {
				f.problem(f.at("BackoffRate"), "has to be a number from 1.0")
			}
		}
		longest, _ := f.integer("MaxDelaySeconds", 1, 31_622_399)
		r.longest = time.Duration(longest) * time.Second
		switch strategy := f.text("JitterStrategy"); {
		case strategy == "FULL":
			r.jitter = true
		case f.has("JitterStrategy") && strategy != "NONE":
			f.problem(f.at("JitterStrategy"), "has to be FULL or NONE")
		}
		f.end("a retrier")
		t.retry = append(t.retry, r)
	})
}

func (f *fields) catchers(s *state) {
	f.each("Catch", func(f *fields, last bool) {
		c := catcher{errorNames: f.errorNames(last), next: f.must("Next")}
		f.leads(s, f.at("Next"), c.next)
		c.result, c.noResult = f.resultPlace()
		f.end("a catcher")
		s.task.catch = append(s.task.catch, c)
	})
}

// delay is how long to wait before the n-th retry, counted from 1. random is
// a number in [0, 1).
func (r retrier) delay(n int, random func() float64) time.Duration {
	longest := time.Duration(maxSeconds) * time.Second
	if r.longest > 0 {
		longest = r.longest
	}
	d := longest
	if f := float64(r.interval) * math.Pow(r.rate, float64(n-1)); f < float64(longest) {
		d = time.Duration(f)
	}
	if r.jitter {
		d = time.Duration(random() * float64(d))
	}
	return d
}

// output is what goes on to a catcher's next state.
func (c catcher) output(input value, e *TaskError) (value, error) {
	if c.noResult {
		return input, nil
	}
	out, _ := json.Marshal(struct{ Error, Cause string }{e.Name, e.Cause})
	if c.result == nil {
		return out, nil
	}
	return c.result.into(input, out)
}

// into puts a result into what came in.
func (p *path) into(input, result value) (value, error) {
	out, ok := p.put(input, result)
	if !ok {
		return nil, &TaskError{ResultPathMatchFailure, fmt.Sprintf("the ResultPath %q cannot be applied to the input", p.text)}
	}
	return out, nil
}
