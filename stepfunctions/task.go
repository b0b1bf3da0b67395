package stepfunctions

import (
	"regexp"
	"strings"
	"time"
)

// A task invokes a Lambda function, in one of the two ways of the language.
type task struct {
	function string // a Lambda ARN as Resource; "": lambda:invoke, whose Parameters name it
	waits    bool   // for its token, which somebody else answers

	timeout, heartbeat         time.Duration // 0: none
	timeoutPath, heartbeatPath *path
	retry                      []retrier
	catch                      []catcher
}

const (
	lambdaInvoke = "arn:aws:states:::lambda:invoke"
	waitForToken = ".waitForTaskToken"
)

var lambdaARN = regexp.MustCompile(`^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9$_-]+)?$`)

func (l *loader) task(f *fields, s *state) {
	t := &task{}
	s.task = t
	resource := f.must("Resource")
	invoke, waits := strings.CutSuffix(resource, waitForToken)
	switch {
	case invoke == lambdaInvoke:
		t.waits = waits
		f.invocation(waits)
	case lambdaARN.MatchString(resource):
		t.function = resource
	case resource != "":
		l.problem(f.at("Resource"), "is neither a Lambda function's ARN nor %s, with or without %s", lambdaInvoke, waitForToken)
	}
	f.inputOutput(s)
	f.nextOrEnd(s)
	f.parameters(s, t.waits)
	if v, ok := f.take("ResultSelector"); ok {
		s.io.selector = l.template(f.at("ResultSelector"), v, false)
	}
	f.resultPath(s)
	f.times(t)
	f.retriers(t)
	f.catchers(s)
}

// invocation checks the Parameters of lambda:invoke: a function and what it is
// given.
func (f *fields) invocation(waits bool) {
	v, ok := f.take("Parameters")
	if !ok {
		f.problem(f.at("Parameters"), "is missing: %s needs FunctionName and Payload", lambdaInvoke)
		return
	}
	p := f.fields(f.at("Parameters"), v)
	if p == nil {
		return
	}
	if name := "FunctionName"; p.has(name) {
		p.must(name)
	} else if _, ok := p.take(name + ".$"); !ok {
		p.problem(p.at(name), "is missing")
	}
	payload, ok := p.take("Payload")
	if !ok {
		payload, ok = p.take("Payload.$")
	}
	if !ok {
		p.problem(p.at("Payload"), "is missing")
	}
	p.end(lambdaInvoke)
	if ok && waits && !asksForToken(payload) {
		p.problem(p.at("Payload"), "does not hold $$.Task.Token: nobody could answer it")
	}
}

func asksForToken(v value) bool {
	switch kind(v) {
	case isObject:
		for _, m := range members(v) {
			if text := unquote(m.value); strings.HasSuffix(m.key, ".$") && (text == "$$.Task.Token" || text == "$$") {
				return true
			}
			if asksForToken(m.value) {
				return true
			}
		}
	case isArray:
		for _, e := range elements(v) {
			if asksForToken(e.value) {
				return true
			}
		}
	}
	return false
}

func (f *fields) times(t *task) {
	t.timeout, t.timeoutPath = f.period("TimeoutSeconds")
	t.heartbeat, t.heartbeatPath = f.period("HeartbeatSeconds")
	if !t.waits && (t.heartbeat > 0 || t.heartbeatPath != nil) {
		f.problem(f.at("HeartbeatSeconds"), "only a task that waits for its token (%s) has a heartbeat", waitForToken)
	}
	if t.timeout > 0 && t.heartbeat >= t.timeout {
		f.problem(f.at("HeartbeatSeconds"), "has to be less than TimeoutSeconds")
	}
}

func (f *fields) period(name string) (time.Duration, *path) {
	if f.has(name) && f.has(name+"Path") {
		f.problem(f.at(name+"Path"), "%s and %sPath exclude one another", name, name)
	}
	return f.seconds(name, 1), f.path(name + "Path")
}
