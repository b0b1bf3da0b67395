package stepfunctions

import (
	"fmt"
	"time"
)

// A state as the definition has it. What is specific to a type is in its own
// field, nil in the states of other types.
type state struct {
	name, place string
	kind        string
	transitions []transition // all that are possible

	next string // "" in a state that ends the execution, and in a choice
	io   filters

	task    *task
	choices []choice
	orElse  string // a choice's Default, or ""
	wait    *wait
	result  value // of a Pass state; nil: its input
	fail    *fail
}

type transition struct{ place, to string }

// filters are what a state does with what comes in and goes out.
type filters struct {
	input, output *path // nil: everything
	noInput       bool  // null: an empty object
	noOutput      bool
	parameters    template
	selector      template
	result        *path // nil: everything
	noResult      bool  // null: what came in goes out
}

type wait struct {
	seconds                    time.Duration
	timestamp                  time.Time
	secondsPath, timestampPath *path
}

type fail struct {
	name, cause         string
	namePath, causePath *path
}

func (s *state) ends() bool {
	return s.kind == "Succeed" || s.kind == "Fail" || s.kind != "Choice" && s.next == ""
}

func (l *loader) state(name string, v value) *state {
	s := &state{name: name, place: "States." + name}
	l.stateName(s.place, name)
	f := l.fields(s.place, v)
	if f == nil {
		return s
	}
	s.kind = f.must("Type")
	f.text("Comment")
	f.constant("QueryLanguage", "JSONPath")
	switch s.kind {
	case "Task":
		l.task(f, s)
	case "Choice":
		f.inputOutput(s)
		l.choice(f, s)
	case "Wait":
		f.inputOutput(s)
		f.nextOrEnd(s)
		f.wait(s)
	case "Pass":
		f.inputOutput(s)
		f.nextOrEnd(s)
		f.parameters(s, false)
		f.resultPath(s)
		s.result, _ = f.take("Result")
	case "Succeed":
		f.inputOutput(s)
	case "Fail":
		f.fail(s)
	case "":
		return s
	default:
		l.problem(f.at("Type"), "states of type %q are not known here", s.kind)
		return s
	}
	f.end(fmt.Sprintf("a state of type %s", s.kind))
	return s
}

func (f *fields) nextOrEnd(s *state) {
	end := f.flag("End")
	switch hasNext := f.has("Next"); {
	case hasNext && end:
		f.problem(f.at("End"), "Next and End exclude one another")
	case hasNext:
		s.next = f.must("Next")
		f.leads(s, f.at("Next"), s.next)
	case !end:
		f.problem(f.place, "has to have a Next, or an End that is true")
	}
	f.asked["Next"] = true
}

// leads notes a transition.
func (f *fields) leads(s *state, place, to string) {
	if to != "" {
		s.transitions = append(s.transitions, transition{place, to})
	}
}

// orNull reads a path that may be null.
func (f *fields) orNull(name string) (p *path, isNull bool) {
	if v, ok := f.take(name); ok && string(v) == "null" {
		return nil, true
	}
	return f.path(name), false
}

func (f *fields) inputOutput(s *state) {
	s.io.input, s.io.noInput = f.orNull("InputPath")
	s.io.output, s.io.noOutput = f.orNull("OutputPath")
}

func (f *fields) parameters(s *state, token bool) {
	if v, ok := f.take("Parameters"); ok {
		s.io.parameters = f.template(f.at("Parameters"), v, token)
	}
}

func (f *fields) resultPath(s *state) {
	s.io.result, s.io.noResult = f.resultPlace()
}

// resultPlace reads a ResultPath, of a state or of a catcher.
func (f *fields) resultPlace() (*path, bool) {
	p, isNull := f.orNull("ResultPath")
	if p != nil && p.context {
		f.problem(f.at("ResultPath"), "nothing can be put into the context object")
	}
	return p, isNull
}

func (f *fields) wait(s *state) {
	s.wait = &wait{}
	given := 0
	for _, name := range []string{"Seconds", "Timestamp", "SecondsPath", "TimestampPath"} {
		if f.has(name) {
			given++
		}
	}
	if given != 1 {
		f.problem(f.place, "has to have exactly one of Seconds, SecondsPath, Timestamp and TimestampPath")
	}
	s.wait.seconds = f.seconds("Seconds", 0)
	s.wait.secondsPath = f.path("SecondsPath")
	s.wait.timestampPath = f.path("TimestampPath")
	if f.has("Timestamp") {
		at, ok := timestamp(quote(f.text("Timestamp")))
		if !ok {
			f.problem(f.at("Timestamp"), "has to be a time such as 2026-03-14T01:59:00Z")
		}
		s.wait.timestamp = at
	}
}

func (f *fields) fail(s *state) {
	s.fail = &fail{name: f.text("Error"), cause: f.text("Cause"), namePath: f.path("ErrorPath"), causePath: f.path("CausePath")}
	for _, name := range []string{"Error", "Cause"} {
		if f.has(name) && f.has(name+"Path") {
			f.problem(f.at(name+"Path"), "%s and %sPath exclude one another", name, name)
		}
	}
}
