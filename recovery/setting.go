package recovery

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
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
	InstanceType:      {InTemplate, text, pattern(64, `^[a-z0-9-]+\.[a-z0-9-]+$`, "an EC2 instance type such as r5.xlarge")},
	Subnet:            {InTemplate, text, func(s string) error { return checkAWSID("subnet-", s) }},
	SecurityGroups:    {InTemplate, list, func(s string) error { return checkAWSID("sg-", s) }},
	InstanceProfile:   {InTemplate, text, pattern(572, `^([A-Za-z0-9_+=,.@-]{1,128}|arn:aws[a-z-]*:iam::[0-9]{12}:instance-profile/[A-Za-z0-9_+=,.@/-]+)$`, "an instance profile's name or ARN")},
	PrivateIP:         {InTemplate, text, checkIPv4},
	CopyPrivateIP:     {InDRS, flag, nil},
	CopyTags:          {InDRS, flag, nil},
	LaunchDisposition: {InDRS, text, oneOf("STARTED", "STOPPED")},
	OSByol:            {InDRS, flag, nil},
	RightSizing:       {InDRS, text, oneOf("NONE", "BASIC", "IN_AWS")},
	PostLaunchEnabled: {InDRS, flag, nil},
	LaunchName:        {InDRS, text, pattern(128, `^[\p{L}\p{N} _.:/=+@()-]+$`, "a name of 1 to 128 letters, digits, spaces and _ . : / = + @ ( ) -")},
}

// Home says where AWS keeps the setting.
func (s Setting) Home() Home { return settingRules[s].home }

// Settings lists every setting, in a fixed order.
func Settings() []Setting {
	return slices.Sorted(maps.Keys(settingRules))
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
		return nil, fmt.Errorf("is a list of %d, and a network interface takes %d at most", len(items), mostSecurityGroups)
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

func joinSettings() string {
	var names []string
	for _, s := range Settings() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

// pattern accepts what matches and has at most so many characters. The number
// is not in the regular expression: one that counts to hundreds takes
// milliseconds to compile, at every start of every program.
func pattern(most int, re, what string) func(string) error {
	compiled := regexp.MustCompile(re)
	return func(s string) error {
		if utf8.RuneCountInString(s) > most {
			return fmt.Errorf("%s is not %s", Quote(s), what)
		}
		return match(compiled, s, what)
	}
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
