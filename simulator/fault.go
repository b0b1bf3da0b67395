package simulator

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Fault is something that goes wrong, by name, in a region. Whether it strikes
// depends on the fault itself, the call's operation and servers, and how many
// such calls there were; never on when a call arrives.
//
// A fault of a fleet file is in force in its own region; one that is set by a
// flag or at run time everywhere, unless it names an account or a region.
type Fault struct {
	// Name, one of FaultNames.
	Name string `yaml:"name" json:"name"`
	// Operation that it befalls, in AWS's spelling. Empty: every operation that the name makes sense for.
	Operation string `yaml:"operation" json:"operation,omitempty"`
	// Servers that it befalls, by source server id. Empty: all.
	Servers []string `yaml:"servers" json:"servers,omitempty"`
	// Account and Region narrow a fault that was set by a flag or at run time.
	Account string `yaml:"account" json:"account,omitempty"`
	Region  string `yaml:"region" json:"region,omitempty"`
	// Times it strikes before it is spent. 0: for ever.
	Times int `yaml:"times" json:"times,omitempty"`
	// After lets that many calls pass first.
	After int `yaml:"after" json:"after,omitempty"`
	// PerServer counts Times and After for each server (or set of servers)
	// apart, so that concurrent calls meet the fault in whatever order they arrive.
	PerServer bool `yaml:"perServer" json:"perServer,omitempty"`
	// Probability that it strikes a call, drawn from the seed, the operation,
	// the servers and how many such calls there were. 0: always.
	Probability float64 `yaml:"probability" json:"probability,omitempty"`
	// Duration of a lag, a delay or a lateness.
	Duration Duration `yaml:"duration" json:"duration,omitempty"`
	// Phase of FailLaunch: SNAPSHOT, CONVERSION or LAUNCH (the default).
	Phase string `yaml:"phase" json:"phase,omitempty"`
	// Status (HTTP), Code and Message of the answer that Refuse gives.
	Status  int    `yaml:"status" json:"status,omitempty"`
	Code    string `yaml:"code" json:"code,omitempty"`
	Message string `yaml:"message" json:"message,omitempty"`
	// RawError in the job's log.
	RawError string `yaml:"rawError" json:"rawError,omitempty"`
}

// The faults by name; FaultMeaning says what each does.
const (
	DropAnswerAfter     = "DropAnswerAfter"
	DropBefore          = "DropBefore"
	Error500Before      = "Error500Before"
	Error500After       = "Error500After"
	Throttle            = "Throttle"
	LagJobList          = "LagJobList"
	LagInstanceList     = "LagInstanceList"
	LagServerList       = "LagServerList"
	FailLaunch          = "FailLaunch"
	NoCapacity          = "NoCapacity"
	FailConversion      = "FailConversion"
	SkipServer          = "SkipServer"
	UsePreviousSnapshot = "UsePreviousSnapshot"
	DenyTagging         = "DenyTagging"
	LateTemplateVersion = "LateTemplateVersion"
	SlowAnswers         = "SlowAnswers"
	ExpireSessions      = "ExpireSessions"
	Refuse              = "Refuse"
)

// faultKind says what a fault of a name takes.
type faultKind struct {
	meaning    string   // what it does, in one line
	operations []string // that it may befall; nil: any
	fields     string   // besides name, servers, times, …: the ones of its own
	need       string   // of those, the one that must be there
}

var launchOnly = []string{"StartRecovery"}

var faultKinds = map[string]faultKind{
	DropAnswerAfter:     {meaning: "the call takes effect, and the connection breaks instead of an answer"},
	DropBefore:          {meaning: "the connection breaks before anything happens"},
	Error500Before:      {meaning: "500, and nothing happens", fields: "message"},
	Error500After:       {meaning: "the call takes effect, and the answer is 500 all the same", fields: "message"},
	Throttle:            {meaning: "what the service answers when it throttles; duration is the Retry-After", fields: "duration message"},
	LagJobList:          {meaning: "DescribeJobs and DescribeJobLogItems tell how it was so long ago", operations: []string{"DescribeJobs", "DescribeJobLogItems"}, fields: "duration", need: "duration"},
	LagInstanceList:     {meaning: "DescribeRecoveryInstances and EC2's DescribeInstances tell how it was so long ago", operations: []string{"DescribeRecoveryInstances", "DescribeInstances"}, fields: "duration", need: "duration"},
	LagServerList:       {meaning: "DescribeSourceServers tells how the last launches were so long ago, DescribeRecoverySnapshots which points there were", operations: []string{"DescribeSourceServers", "DescribeRecoverySnapshots"}, fields: "duration", need: "duration"},
	FailLaunch:          {meaning: "a server's launch fails in a phase", operations: launchOnly, fields: "phase rawError"},
	NoCapacity:          {meaning: "EC2 has no instance of the type: the launch fails", operations: launchOnly, fields: "rawError"},
	FailConversion:      {meaning: "a server's conversion fails", operations: launchOnly, fields: "rawError"},
	SkipServer:          {meaning: "DRS skips a server: it is not in the job, or vanishes from it after the duration", operations: launchOnly, fields: "duration"},
	UsePreviousSnapshot: {meaning: "DRS falls back on the newest recovery point that it has: older data than asked for", operations: launchOnly},
	DenyTagging:         {meaning: "drs:TagResource is denied: a StartRecovery with tags fails as a whole", operations: []string{"StartRecovery", "TagResource"}},
	LateTemplateVersion: {meaning: "DRS writes its own launch template version so much later", operations: []string{"UpdateLaunchConfiguration"}, fields: "duration", need: "duration"},
	SlowAnswers:         {meaning: "answers are late; what the call does happens at once", fields: "duration", need: "duration"},
	ExpireSessions:      {meaning: "the session that a call comes with is over"},
	Refuse:              {meaning: "an error of your choice, by code, status and message; nothing happens", fields: "code message status", need: "code"},
}

// FaultNames lists the faults there are.
func FaultNames() []string { return sortedKeys(faultKinds) }

// FaultMeaning says in one line what a fault of a name does.
func FaultMeaning(name string) string { return faultKinds[name].meaning }

// befalls says whether a fault of this kind may strike an operation.
func (f *Fault) befalls(operation string) bool {
	if f.Operation != "" && f.Operation != operation {
		return false
	}
	kind := faultKinds[f.Name]
	return kind.operations == nil || slices.Contains(kind.operations, operation)
}

// problems names everything that is wrong with a fault, by field.
func (f *Fault) problems() []FleetProblem {
	var ps []FleetProblem
	bad := func(field, format string, args ...any) {
		ps = append(ps, FleetProblem{Path: field, Message: fmt.Sprintf(format, args...)})
	}
	kind, ok := faultKinds[f.Name]
	if !ok {
		what := fmt.Sprintf("no fault is called %q", f.Name)
		if f.Name == "" {
			what = "a fault needs a name"
		}
		bad("name", "%s (there are %s)", what, strings.Join(FaultNames(), ", "))
		return ps
	}
	if f.Operation != "" && !f.befalls(f.Operation) {
		bad("operation", "%s befalls %s only", f.Name, strings.Join(kind.operations, ", "))
	} else if f.Operation != "" && !knownOperation(f.Operation) {
		bad("operation", "no operation is called %q here (there are %s)", f.Operation, strings.Join(allOperations(), ", "))
	}
	own := strings.Fields(kind.fields)
	for _, field := range []struct {
		name string
		set  bool
	}{
		{"duration", f.Duration != 0}, {"phase", f.Phase != ""}, {"status", f.Status != 0},
		{"code", f.Code != ""}, {"message", f.Message != ""}, {"rawError", f.RawError != ""},
	} {
		if field.set && !slices.Contains(own, field.name) {
			bad(field.name, "%s takes no %s", f.Name, field.name)
		}
		if !field.set && field.name == kind.need {
			bad("", "%s needs a %s", f.Name, field.name)
		}
	}
	if f.Phase != "" && !slices.Contains(launchPhases, f.Phase) {
		bad("phase", "must be one of %s, not %q", strings.Join(launchPhases, ", "), f.Phase)
	}
	if !(f.Probability >= 0 && f.Probability <= 1) {
		bad("probability", "must be between 0 and 1")
	}
	if f.Times < 0 {
		bad("times", "must not be negative")
	}
	if f.After < 0 {
		bad("after", "must not be negative")
	}
	if f.Status != 0 && (f.Status < 400 || f.Status > 599) {
		bad("status", "must be an HTTP status from 400 to 599")
	}
	if f.Code != "" && !codePattern.MatchString(f.Code) {
		bad("code", "must be a word, as AWS's error codes are")
	}
	return ps
}

// launchPhases are the phases that a launch can fail in.
var launchPhases = []string{"SNAPSHOT", "CONVERSION", "LAUNCH"}

// ParseFault reads a fault from one line, as flags give it:
//
//	Name[:key=value,…]
//
// with the keys of a fault in a fleet file. A list takes its items between
// spaces or plus signs (servers=s-1+s-2), and a value that holds a comma is
// put between double quotes (a double quote in it is doubled).
func ParseFault(s string) (Fault, error) {
	var f Fault
	name, rest, _ := strings.Cut(s, ":")
	f.Name = strings.TrimSpace(name)
	var wrong []string
	if strings.TrimSpace(rest) != "" {
		pairs, err := splitPairs(rest)
		if err != nil {
			return Fault{}, fmt.Errorf("%q: %v", s, err)
		}
		for _, pair := range pairs {
			key, value, ok := strings.Cut(pair, "=")
			if !ok {
				wrong = append(wrong, fmt.Sprintf("%q is not key=value", pair))
			} else if err := f.set(strings.TrimSpace(key), strings.TrimSpace(value)); err != nil {
				wrong = append(wrong, err.Error())
			}
		}
	}
	if _, known := faultKinds[f.Name]; !known {
		return Fault{}, errors.New(f.problems()[0].Message)
	}
	for _, p := range f.problems() {
		wrong = append(wrong, strings.TrimPrefix(p.Path+": ", ": ")+p.Message)
	}
	if wrong != nil {
		return Fault{}, fmt.Errorf("%q: %s", s, strings.Join(wrong, "; "))
	}
	return f, nil
}

// splitPairs splits at commas outside of quotes.
func splitPairs(s string) ([]string, error) {
	if !strings.Contains(s, `"`) {
		return strings.Split(s, ","), nil
	}
	var fields []string
	var field strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' && quoted && strings.HasPrefix(s[i+1:], `"`):
			field.WriteByte(c) // a doubled one stands for itself
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			fields = append(fields, field.String())
			field.Reset()
		default:
			field.WriteByte(c)
		}
	}
	if quoted {
		return nil, errors.New("a quote is not closed")
	}
	return append(fields, field.String()), nil
}

func faultFields() []string {
	var names []string
	t := reflect.TypeFor[Fault]()
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("yaml"); name != "name" {
			names = append(names, name)
		}
	}
	return names
}

func (f *Fault) set(key, value string) error {
	v := reflect.ValueOf(f).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") != key || key == "name" {
			continue
		}
		var err error
		kind := "whole number"
		switch p := v.Field(i).Addr().Interface().(type) {
		case *string:
			*p = value
		case *[]string:
			*p = strings.FieldsFunc(value, func(r rune) bool { return r == '+' || r == ' ' })
		case *int:
			*p, err = strconv.Atoi(value)
		case *float64:
			kind = "number"
			*p, err = strconv.ParseFloat(value, 64)
		case *bool:
			kind = "truth value (true, false)"
			*p, err = strconv.ParseBool(value)
		case *Duration:
			return p.UnmarshalText([]byte(value))
		}
		if err != nil {
			return fmt.Errorf("%s: %q is not a %s", key, value, kind)
		}
		return nil
	}
	return fmt.Errorf("a fault has no %q (it has %s)", key, strings.Join(faultFields(), ", "))
}

// String writes a fault as ParseFault reads it.
func (f Fault) String() string {
	var pairs []string
	v := reflect.ValueOf(f)
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		if key == "name" || v.Field(i).IsZero() {
			continue
		}
		value := fmt.Sprint(v.Field(i).Interface())
		if list, ok := v.Field(i).Interface().([]string); ok {
			value = strings.Join(list, "+")
		}
		if strings.ContainsAny(value, `,"`) {
			value = `"` + strings.ReplaceAll(value, `"`, `""`) + `"`
		}
		pairs = append(pairs, key+"="+value)
	}
	if pairs == nil {
		return f.Name
	}
	return f.Name + ":" + strings.Join(pairs, ",")
}
