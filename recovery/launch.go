package recovery

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// Setting is the name of one key of a launch configuration, as the contract
// and DRS spell it.
type Setting string

// The settings. The first five live in the server's EC2 launch template, the
// rest in DRS's own launch configuration.
const (
	InstanceType      Setting = "instanceType"    // EC2 instance type, e.g. r5.xlarge
	Subnet            Setting = "subnet"          // subnet-…, of the first network interface
	SecurityGroups    Setting = "securityGroups"  // list of sg-…, of the first network interface
	InstanceProfile   Setting = "instanceProfile" // name or ARN
	PrivateIP         Setting = "privateIp"       // IPv4 address within the subnet
	CopyPrivateIP     Setting = "copyPrivateIp"
	CopyTags          Setting = "copyTags"
	LaunchDisposition Setting = "launchDisposition" // STARTED or STOPPED
	OSByol            Setting = "licensing.osByol"
	RightSizing       Setting = "targetInstanceTypeRightSizingMethod" // NONE, BASIC or IN_AWS
	PostLaunchEnabled Setting = "postLaunchEnabled"
	LaunchName        Setting = "name"
)

// Home says which of AWS's two documents holds a setting.
type Home string

// The two documents.
const (
	InTemplate Home = "EC2 launch template"
	InDRS      Home = "DRS launch configuration"
)

// mostSecurityGroups is the most that AWS lets any account have on one
// interface.
const mostSecurityGroups = 16

type kind int

const (
	text kind = iota
	list
	flag
)

type settingRule struct {
	home  Home
	kind  kind
	check func(string) error // of a text, or of each element of a list
}

// settingRules is the one place that knows which settings there are.
var settingRules = map[Setting]settingRule{
	InstanceType:      {InTemplate, text, pattern(`^[a-z0-9-]+\.[a-z0-9-]+$`, "an EC2 instance type such as r5.xlarge")},
	Subnet:            {InTemplate, text, func(s string) error { return checkAWSID("subnet-", s) }},
	SecurityGroups:    {InTemplate, list, func(s string) error { return checkAWSID("sg-", s) }},
	InstanceProfile:   {InTemplate, text, pattern(`^([A-Za-z0-9_+=,.@-]{1,128}|arn:aws[a-z-]*:iam::[0-9]{12}:instance-profile/[A-Za-z0-9_+=,.@/-]{1,512})$`, "an instance profile's name or ARN")},
	PrivateIP:         {InTemplate, text, checkIPv4},
	CopyPrivateIP:     {InDRS, flag, nil},
	CopyTags:          {InDRS, flag, nil},
	LaunchDisposition: {InDRS, text, oneOf("STARTED", "STOPPED")},
	OSByol:            {InDRS, flag, nil},
	RightSizing:       {InDRS, text, oneOf("NONE", "BASIC", "IN_AWS")},
	PostLaunchEnabled: {InDRS, flag, nil},
	LaunchName:        {InDRS, text, pattern(`^[\p{L}\p{N} _.:/=+@()-]{1,128}$`, "a name of 1 to 128 letters, digits, spaces and _ . : / = + @ ( ) -")},
}

// Home says where AWS keeps the setting.
func (s Setting) Home() Home { return settingRules[s].home }

// Settings lists every setting, in a fixed order.
func Settings() []Setting {
	return slices.Sorted(maps.Keys(settingRules))
}

// LaunchConfig holds the settings that somebody asks for. A value is a string,
// a bool or, for SecurityGroups, a []string. A setting that is absent is
// inherited; what nobody sets stays as DRS has it and is never sent.
type LaunchConfig map[Setting]any

// Set checks a value as it came out of a document (JSON or YAML) and sets it.
// A nil value inherits: it sets nothing. A key that is no setting is an error
// that lists what is allowed.
func (c LaunchConfig) Set(key string, value any) error {
	rule, known := settingRules[Setting(key)]
	if !known {
		return fmt.Errorf("is no launch setting; there are %s", joinSettings())
	}
	if value == nil {
		return nil
	}
	checked, err := rule.accept(value)
	if err != nil {
		return err
	}
	c[Setting(key)] = checked
	return nil
}

func (r settingRule) accept(value any) (any, error) {
	switch r.kind {
	case flag:
		if b, ok := value.(bool); ok {
			return b, nil
		}
		return nil, fmt.Errorf("must be true or false")
	case list:
		items, ok := value.([]any)
		if !ok {
			return nil, fmt.Errorf("must be a list of strings")
		}
		return r.acceptList(items)
	}
	s, ok := value.(string)
	if !ok {
		return nil, fmt.Errorf("must be a string")
	}
	return s, r.check(s)
}

func (r settingRule) acceptList(items []any) (any, error) {
	if len(items) == 0 {
		return nil, fmt.Errorf("is an empty list; leave the key out to inherit")
	}
	if len(items) > mostSecurityGroups {
		return nil, fmt.Errorf("is a list of %d; a network interface takes %d at most", len(items), mostSecurityGroups)
	}
	var out []string
	for i, item := range items {
		s, ok := item.(string)
		if !ok {
			return nil, fmt.Errorf("[%d] must be a string", i)
		}
		if err := r.check(s); err != nil {
			return nil, fmt.Errorf("[%d] %w", i, err)
		}
		if slices.Contains(out, s) {
			return nil, fmt.Errorf("[%d] %s is named twice", i, Quote(s))
		}
		out = append(out, s)
	}
	return out, nil
}

// Over lays c over base, key by key; a list replaces a list.
func (c LaunchConfig) Over(base LaunchConfig) LaunchConfig {
	merged := maps.Clone(base)
	if merged == nil {
		merged = LaunchConfig{}
	}
	maps.Copy(merged, c)
	return merged
}

// Text gives a string setting; "" when it is not set.
func (c LaunchConfig) Text(s Setting) string { v, _ := c[s].(string); return v }

// List gives a list setting; nil when it is not set.
func (c LaunchConfig) List(s Setting) []string { v, _ := c[s].([]string); return v }

// Flag gives a bool setting, and whether it is set.
func (c LaunchConfig) Flag(s Setting) (value, set bool) { v, ok := c[s].(bool); return v, ok }

// SameValue compares two values of a setting. The order of security groups
// means nothing to EC2, so it means nothing here.
func SameValue(a, b any) bool {
	x, isList := a.([]string)
	y, bothLists := b.([]string)
	if isList && bothLists {
		return slices.Equal(slices.Sorted(slices.Values(x)), slices.Sorted(slices.Values(y)))
	}
	if isList || bothLists {
		return false
	}
	return a == b
}

func joinSettings() string {
	var names []string
	for _, s := range Settings() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

func pattern(re, what string) func(string) error {
	compiled := regexp.MustCompile(re)
	return func(s string) error { return match(compiled, s, what) }
}

func oneOf(allowed ...string) func(string) error {
	return func(s string) error {
		if slices.Contains(allowed, s) {
			return nil
		}
		return fmt.Errorf("%s must be one of %s", Quote(s), strings.Join(allowed, ", "))
	}
}

func checkIPv4(s string) error {
	if ip, err := netip.ParseAddr(s); err == nil && ip.Is4() {
		return nil
	}
	return fmt.Errorf("%s is not an IPv4 address", Quote(s))
}

// Origin says who asked for a value.
type Origin string

// Where a resolved value may come from. A value that nobody asked for is DRS's.
const (
	FromServer Origin = "server"           // the server's own launchConfig
	FromGroup  Origin = "protection group" // the group's default
	FromRule   Origin = "implied"          // another setting needs it
)

// Resolved is one server's launch configuration after the merge: what is
// asked for, and by whom.
type Resolved struct {
	LaunchConfig
	From map[Setting]Origin
}

// Problem is one thing that is wrong with a server's launch configuration.
type Problem struct {
	Server  SourceServerID
	Setting Setting
	Text    string
}

func (p Problem) String() string {
	return fmt.Sprintf("server %s: %s %s", p.Server, p.Setting, p.Text)
}

// Resolve merges a server's own settings over its group's, and adds what AWS
// makes those settings need: an instance type needs right-sizing switched off
// (it would override the type), and a private IP needs copyPrivateIp off.
func (s Server) Resolve(group LaunchConfig) (Resolved, []Problem) {
	r := Resolved{s.LaunchConfig.Over(group), map[Setting]Origin{}}
	for key := range r.LaunchConfig {
		r.From[key] = FromGroup
		if _, own := s.LaunchConfig[key]; own {
			r.From[key] = FromServer
		}
	}
	var problems []Problem
	imply := func(because, key Setting, want any) {
		if _, set := r.LaunchConfig[because]; !set {
			return
		}
		got, set := r.LaunchConfig[key]
		if !set {
			r.LaunchConfig[key], r.From[key] = want, FromRule
		} else if got != want {
			problems = append(problems, Problem{s.ID, because, fmt.Sprintf("(from the %s) needs %s to be %v, but the %s says %v", r.From[because], key, want, r.From[key], got)})
		}
	}
	imply(InstanceType, RightSizing, "NONE")
	imply(PrivateIP, CopyPrivateIP, false)
	return r, problems
}

// SettingChange is one setting that is about to be changed.
type SettingChange struct {
	Setting Setting `json:"setting"`
	Old     any     `json:"old"` // null: not set before
	New     any     `json:"new"`
	From    Origin  `json:"from"`
}

// UnmarshalJSON implements json.Unmarshaler: a value read back from a record is
// of the same type as before, so that SameValue knows it again.
func (c *SettingChange) UnmarshalJSON(data []byte) error {
	type plain SettingChange
	if err := json.Unmarshal(data, (*plain)(c)); err != nil {
		return err
	}
	c.Old, c.New = asSetting(c.Old), asSetting(c.New)
	return nil
}

func asSetting(value any) any {
	items, ok := value.([]any)
	if !ok {
		return value
	}
	texts := make([]string, len(items))
	for i, item := range items {
		if texts[i], ok = item.(string); !ok {
			return value
		}
	}
	return texts
}

// ServerChange is what is about to be changed for one server: enough to put
// it back by hand.
type ServerChange struct {
	Server         SourceServerID  `json:"server"`
	TemplateID     string          `json:"launchTemplateId"`
	DefaultVersion int64           `json:"defaultVersion,omitempty"` // of the template, as read; 0: not read yet
	Changes        []SettingChange `json:"changes"`
}

// Diff gives what differs between what is asked for and what AWS has, for the
// settings of one home, in a fixed order.
func (r Resolved) Diff(have LaunchConfig, home Home) []SettingChange {
	var changes []SettingChange
	for key, want := range r.LaunchConfig {
		if key.Home() == home && !SameValue(want, have[key]) {
			changes = append(changes, SettingChange{key, have[key], want, r.From[key]})
		}
	}
	slices.SortFunc(changes, func(a, b SettingChange) int { return cmp.Compare(a.Setting, b.Setting) })
	return changes
}

// JoinProblems gives one text that names every problem.
func JoinProblems(problems []Problem) string {
	words := make([]string, len(problems))
	for i, p := range problems {
		words[i] = p.String()
	}
	return strings.Join(words, "; ")
}
