package recovery

import (
	"fmt"
	"maps"
	"slices"
)

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

// SameValue compares two values of a setting. The order of security groups
// means nothing to EC2, so it means nothing here.
func SameValue(a, b any) bool {
	x, xIsList := a.([]string)
	y, yIsList := b.([]string)
	if !xIsList && !yIsList {
		return a == b
	}
	return xIsList == yIsList && slices.Equal(slices.Sorted(slices.Values(x)), slices.Sorted(slices.Values(y)))
}
