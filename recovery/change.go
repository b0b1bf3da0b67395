package recovery

import (
	"cmp"
	"encoding/json"
	"slices"
)

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
