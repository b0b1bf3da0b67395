package recovery

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// PlanVersion is the version of plan documents. What a plan leaves out has the
// default of its version, for ever: another default needs another version.
const PlanVersion = 1

// PlanDocument is what a plan says, as people write it: the plan file, what
// put_plan and start_execution take, and what stores keep. Its JSON is the
// document. A key that must be there has the tag need; every other may be left
// out, and a new one must be left out at its default.
type PlanDocument struct {
	Version    DocumentVersion                      `json:"version" need:""`
	Needs      []string                             `json:"needs,omitempty"` // see Plan.Needs
	Plan       PlanNames                            `json:"plan" need:""`
	Account    *AccountDocument                     `json:"accountContext,omitempty"`
	Objectives *ObjectivesDocument                  `json:"objectives,omitempty"`
	Waves      []WaveDocument                       `json:"waves" need:""`
	Groups     map[ProtectionGroupID]*GroupDocument `json:"groups,omitempty"`
}

// GroupsDocument is protection groups by themselves.
type GroupsDocument struct {
	Version DocumentVersion                      `json:"version,omitempty"`
	Groups  map[ProtectionGroupID]*GroupDocument `json:"groups" need:""`
}

// PlanNames says which plan it is.
type PlanNames struct {
	ID    PlanID `json:"id" need:""`
	Name  Text   `json:"name,omitempty"`
	Owner Text   `json:"owner,omitempty"`
}

// AccountDocument is an account context with its external id in the open:
// without it no role could be assumed.
type AccountDocument struct {
	AccountID  AccountID  `json:"accountId" need:""`
	Region     RegionName `json:"region" need:""`
	RoleName   RoleName   `json:"roleName" need:""`
	ExternalID OpenSecret `json:"externalId,omitzero"`
}

// ObjectivesDocument is what the plan's owner promised, in minutes.
type ObjectivesDocument struct {
	RecoveryTime  Objective `json:"recoveryTimeMinutes,omitempty"`
	RecoveryPoint Objective `json:"recoveryPointMinutes,omitempty"`
}

// WaveDocument is a wave of a plan.
type WaveDocument struct {
	Number      WaveNumber        `json:"waveNumber" need:""`
	Name        Text              `json:"waveName,omitempty"`
	Group       ProtectionGroupID `json:"protectionGroupId,omitempty"`
	Account     *AccountDocument  `json:"accountContext,omitempty"`
	Servers     []Server          `json:"servers,omitzero"` // none: all of the group's
	PauseBefore bool              `json:"pauseBeforeWave,omitempty"`
	DependsOn   []WaveNumber      `json:"dependsOnWaves,omitempty"`
	Independent bool              `json:"independent,omitempty"`
	OnFailure   OnFailure         `json:"onFailure,omitempty"`
	Timeout     WaveMinutes       `json:"timeoutMinutes,omitempty"`
}

// Least says why a list of waves is not empty.
func (WaveDocument) Least() string { return "a plan has at least 1 wave" }

// GroupDocument is a protection group.
type GroupDocument struct {
	Tags         map[string]string               `json:"tags,omitempty"`
	LaunchConfig LaunchConfig                    `json:"launchConfig,omitzero"`
	Overrides    map[SourceServerID]LaunchConfig `json:"overrides,omitempty"`
	Servers      []SourceServerID                `json:"servers,omitempty"`
	Account      *AccountDocument                `json:"accountContext,omitempty"`
}

// The words of documents that Check looks at.
type (
	Text            string // shown to people; see CheckText
	AccountID       string
	RegionName      string
	RoleName        string
	DocumentVersion int
	WaveNumber      int
	WaveMinutes     int
	Objective       int // minutes
)

// Check reports what is wrong with a text, or nil.
func (t Text) Check() error { return CheckText(string(t)) }

// Check reports what is wrong with an account's id, or nil.
func (a AccountID) Check() error { return CheckAccountID(string(a)) }

// Check reports what is wrong with a region's name, or nil.
func (r RegionName) Check() error { return CheckRegion(string(r)) }

// Check reports what is wrong with a role's name, or nil.
func (r RoleName) Check() error { return CheckRoleName(string(r)) }

// Check reports what is wrong with a document's version, or nil.
func (v DocumentVersion) Check() error {
	if v != PlanVersion {
		return fmt.Errorf("must be %d, the only version that there is", PlanVersion)
	}
	return nil
}

// Check reports what is wrong with a wave's number, or nil.
func (n WaveNumber) Check() error { return CheckWaveNumber(int(n)) }

// Check reports what is wrong with a wave's time, or nil.
func (m WaveMinutes) Check() error { return CheckWaveTimeout(time.Duration(m) * time.Minute) }

// LongestObjective is the longest year, in minutes: nobody promises less.
const LongestObjective = 366 * 24 * 60

// Check reports what is wrong with an objective, or nil.
func (m Objective) Check() error {
	if m < 1 || m > LongestObjective {
		return fmt.Errorf("is %d, but an objective is from 1 to %d minutes", m, LongestObjective)
	}
	return nil
}

// OpenSecret is a secret whose JSON is the secret itself, for what keeps it and
// for nothing else.
type OpenSecret struct{ Secret }

// MarshalJSON implements json.Marshaler.
func (s OpenSecret) MarshalJSON() ([]byte, error) { return json.Marshal(s.Reveal()) }

// UnmarshalJSON implements json.Unmarshaler.
func (s *OpenSecret) UnmarshalJSON(doc []byte) error {
	var text string
	err := json.Unmarshal(doc, &text)
	s.Secret = NewSecret(text)
	return err
}

// MarshalJSON implements json.Marshaler: documents nest settings where DRS does.
func (c LaunchConfig) MarshalJSON() ([]byte, error) {
	nested := map[string]any{}
	for setting, v := range c {
		outer, inner, isNested := strings.Cut(string(setting), ".")
		if !isNested {
			nested[outer] = v
			continue
		}
		below, _ := nested[outer].(map[string]any)
		if below == nil {
			below = map[string]any{}
			nested[outer] = below
		}
		below[inner] = v
	}
	return json.Marshal(nested)
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *LaunchConfig) UnmarshalJSON(doc []byte) error {
	var nested map[string]any
	if err := json.Unmarshal(doc, &nested); err != nil || nested == nil {
		return err
	}
	*c = LaunchConfig{}
	for outer, v := range nested {
		below, isNested := v.(map[string]any)
		if !isNested {
			(*c)[Setting(outer)] = v
		}
		for inner, v := range below {
			(*c)[Setting(outer+"."+inner)] = v
		}
	}
	textLists(*c)
	return nil
}

// Document gives the plan as its document.
func (p *Plan) Document() *PlanDocument {
	d := &PlanDocument{Version: PlanVersion, Needs: p.Needs, Plan: PlanNames{p.ID, Text(p.Name), Text(p.Owner)}, Account: p.Account.document(), Waves: []WaveDocument{}}
	if o := p.Objectives; o != (Objectives{}) {
		d.Objectives = &ObjectivesDocument{Objective(o.RecoveryTime.Minutes()), Objective(o.RecoveryPoint.Minutes())}
	}
	for id, g := range p.Groups {
		d.group(id, (&PlannedGroup{ProtectionGroup: *g}).Document())
	}
	for i := range p.Waves {
		w := &p.Waves[i]
		d.Waves = append(d.Waves, w.document())
		if w.Tags != nil {
			if d.Groups[w.Group] == nil {
				d.group(w.Group, &GroupDocument{LaunchConfig: LaunchConfig{}})
			}
			d.Groups[w.Group].Tags = w.Tags
		}
	}
	return d
}

func (d *PlanDocument) group(id ProtectionGroupID, g *GroupDocument) {
	if d.Groups == nil {
		d.Groups = map[ProtectionGroupID]*GroupDocument{}
	}
	d.Groups[id] = g
}

func (w *PlannedWave) document() WaveDocument {
	d := WaveDocument{Number: WaveNumber(w.Number), Name: Text(w.Name), Group: w.Group, Account: w.Account.document(), Servers: w.Servers, PauseBefore: w.PauseBefore,
		Independent: w.Independent, OnFailure: w.OnFailure, Timeout: WaveMinutes(w.Timeout.Minutes())}
	for _, n := range w.DependsOn {
		d.DependsOn = append(d.DependsOn, WaveNumber(n))
	}
	return d
}

// document gives the account context as documents have it; nil for none.
func (c AccountContext) document() *AccountDocument {
	if c == (AccountContext{}) {
		return nil
	}
	return &AccountDocument{AccountID(c.AccountID), RegionName(c.Region), RoleName(c.RoleName), OpenSecret{c.ExternalID}}
}

// Document gives the group as its document.
func (g *PlannedGroup) Document() *GroupDocument {
	d := &GroupDocument{Tags: g.Tags, LaunchConfig: g.LaunchConfig, Overrides: g.Overrides, Servers: g.Servers}
	if g.Account != nil {
		d.Account = g.Account.document()
	}
	return d
}

// Asked gives the plan that the document says, without its groups: what waves
// take from them is settled with Plan.Settle.
func (d *PlanDocument) Asked() *Plan {
	p := &Plan{ID: d.Plan.ID, Name: string(d.Plan.Name), Owner: string(d.Plan.Owner), Account: d.Account.Context(), Needs: d.Needs}
	if o := d.Objectives; o != nil {
		p.Objectives = Objectives{time.Duration(o.RecoveryTime) * time.Minute, time.Duration(o.RecoveryPoint) * time.Minute}
	}
	for i := range d.Waves {
		p.Waves = append(p.Waves, d.Waves[i].Asked())
	}
	return p
}

// Whole gives the plan that the document says where its groups say no more than
// settings and tags, as in a frozen plan.
func (d *PlanDocument) Whole() *Plan {
	p := d.Asked()
	for id, g := range d.Groups {
		if g == nil {
			continue
		}
		if p.Groups == nil {
			p.Groups = map[ProtectionGroupID]*ProtectionGroup{}
		}
		p.Groups[id] = &g.Asked(id).ProtectionGroup
	}
	for i := range p.Waves {
		if g := d.Groups[p.Waves[i].Group]; g != nil {
			p.Waves[i].Tags = g.Tags
		}
	}
	return p
}

// Asked gives the wave that the document says.
func (d *WaveDocument) Asked() PlannedWave {
	w := PlannedWave{Wave: Wave{Number: int(d.Number), Name: string(d.Name), Group: d.Group, Account: d.Account.Context()},
		PauseBefore: d.PauseBefore, Independent: d.Independent, OnFailure: d.OnFailure, Timeout: time.Duration(d.Timeout) * time.Minute}
	for _, n := range d.DependsOn {
		w.DependsOn = append(w.DependsOn, int(n))
	}
	if len(d.Servers) > 0 {
		w.Servers = d.Servers
	}
	return w
}

// Context gives the account context that the document says; zero for none.
func (d *AccountDocument) Context() AccountContext {
	if d == nil {
		return AccountContext{}
	}
	return AccountContext{string(d.AccountID), string(d.Region), string(d.RoleName), d.ExternalID.Secret}
}

// Asked gives the group that the document says.
func (d *GroupDocument) Asked(id ProtectionGroupID) *PlannedGroup {
	g := &PlannedGroup{ProtectionGroup: ProtectionGroup{id, d.LaunchConfig, d.Overrides}, Tags: d.Tags, Servers: d.Servers}
	if d.Account != nil {
		g.Account = new(d.Account.Context())
	}
	return g
}
