package event

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"muster/recovery"
)

// Opening is a plan, and what makes an execution of it.
type Opening struct {
	Plan        *recovery.Plan
	Groups      map[recovery.ProtectionGroupID]*recovery.ProtectionGroup // what the waves' groups set, others are left out; nil: the plan's
	Execution   recovery.ExecutionID
	Type        recovery.ExecutionType
	InitiatedBy string
	StartTime   string
	// Brief leaves to the record what only that needs: waves say how many
	// servers they have and not which, and no external id and no group's
	// settings are told.
	Brief bool
}

// StateOf gives the state that begin_execution takes: the plan in the contract's
// shape. The same opening always gives the same bytes. It holds the plan's
// external ids in the open, as states do, unless it is brief.
func StateOf(o Opening) []byte {
	plan := *o.Plan
	if plan.Account.AccountID == "" && len(plan.Waves) > 0 {
		plan.Account = plan.Waves[0].Account // a state names one in any case
	}
	groups := o.Groups
	if groups == nil {
		groups = plan.Groups
	}
	if o.Brief {
		plan, groups = *withExternalIDs(&plan, recovery.Secret{}), nil
	}
	s := planState{ExecutionID: o.Execution, planJSON: planOf(&plan, groups, o.Brief), ExecutionType: o.Type, InitiatedBy: o.InitiatedBy, StartTime: o.StartTime}
	if len(s.Waves) > 0 {
		s.CurrentWave = firstWave(&plan)
	}
	return encode(s)
}

// DocumentOf gives a plan by itself, with the settings of its groups, as
// put_plan and start_execution take it. It holds the plan's external ids in the
// open.
func DocumentOf(p *recovery.Plan, groups map[recovery.ProtectionGroupID]*recovery.ProtectionGroup) []byte {
	return encode(planOf(p, groups, false))
}

// withExternalIDs gives the plan with another external id wherever it has one.
func withExternalIDs(p *recovery.Plan, id recovery.Secret) *recovery.Plan {
	with := func(a *recovery.AccountContext) {
		if !a.ExternalID.IsZero() {
			a.ExternalID = id
		}
	}
	other := *p
	other.Waves = slices.Clone(p.Waves)
	with(&other.Account)
	for i := range other.Waves {
		with(&other.Waves[i].Account)
	}
	return &other
}

// planOf gives the plan as a document, with the settings of these groups.
func planOf(p *recovery.Plan, groups map[recovery.ProtectionGroupID]*recovery.ProtectionGroup, brief bool) planJSON {
	s := planJSON{PlanID: p.ID, PlanName: p.Name, PlanOwner: p.Owner, Waves: []planWave{}}
	if (p.Account != recovery.AccountContext{}) {
		s.Account = new(accountJSON(p.Account))
	}
	if objectives := p.Objectives; objectives != (recovery.Objectives{}) {
		s.Objectives = &planObjectives{minutes(objectives.RecoveryTime), minutes(objectives.RecoveryPoint)}
	}
	for i := range p.Waves {
		w := &p.Waves[i]
		out := s.wave(w)
		if brief {
			out.Servers, out.ServerCount = nil, cmp.Or(len(w.Servers), recovery.MostServers) // as many as its tags may find
		} else if w.Group != "" && (w.Tags != nil || groups[w.Group] != nil) {
			s.addGroup(w, groups[w.Group])
		}
		s.Waves = append(s.Waves, out)
	}
	return s
}

// firstWave is the lowest of the waves that nothing has to be over for.
func firstWave(p *recovery.Plan) int {
	if layers := p.Layers(); len(layers) > 0 {
		return layers[0][0]
	}
	return p.Waves[0].Number
}

type planState struct {
	ExecutionID recovery.ExecutionID `json:"executionId"`
	planJSON
	CurrentWave   int                    `json:"currentWave"`
	ExecutionType recovery.ExecutionType `json:"executionType"`
	InitiatedBy   string                 `json:"initiatedBy"`
	StartTime     string                 `json:"startTime"`
}

// planJSON is a plan as a document: what put_plan takes, and a part of every
// state.
type planJSON struct {
	PlanID     recovery.PlanID       `json:"planId"`
	PlanName   string                `json:"planName,omitempty"`
	PlanOwner  string                `json:"planOwner,omitempty"`
	Account    *accountJSON          `json:"accountContext,omitempty"`
	Objectives *planObjectives       `json:"objectives,omitempty"`
	Waves      []planWave            `json:"waves"`
	Groups     map[string]*planGroup `json:"protectionGroups,omitempty"`
}

type planObjectives struct {
	RecoveryTime  int `json:"recoveryTimeMinutes,omitempty"`
	RecoveryPoint int `json:"recoveryPointMinutes,omitempty"`
}

type planWave struct {
	Number      int                        `json:"waveNumber"`
	Name        string                     `json:"waveName"`
	Group       recovery.ProtectionGroupID `json:"protectionGroupId,omitempty"`
	Account     *accountJSON               `json:"accountContext,omitempty"` // nil: the state's
	Servers     []planServer               `json:"servers,omitempty"`        // none: those with the group's tags
	ServerCount int                        `json:"serverCount,omitempty"`    // of a brief state
	LaunchOrder int                        `json:"launchOrder"`
	PauseBefore bool                       `json:"pauseBeforeWave"`
	DependsOn   []int                      `json:"dependsOnWaves"`
	Independent bool                       `json:"independent,omitempty"`
	OnFailure   recovery.OnFailure         `json:"onFailure"`
	Timeout     int                        `json:"timeoutMinutes"`
}

type planServer struct {
	ID           recovery.SourceServerID `json:"serverId"`
	Hostname     string                  `json:"hostname,omitempty"`
	LaunchConfig *map[string]any         `json:"launchConfig,omitempty"` // {} says something: as DRS has it
	Snapshot     recovery.SnapshotID     `json:"recoverySnapshotID,omitempty"`
	Impact       recovery.ImpactLevel    `json:"impactLevel,omitempty"`
}

type planGroup struct {
	Tags         map[string]string                          `json:"tags,omitempty"`
	LaunchConfig map[string]any                             `json:"launchConfig"`
	Overrides    map[recovery.SourceServerID]map[string]any `json:"overrides,omitempty"`
}

// accountJSON is an account context with its external id in the open: without
// it no role could be assumed.
type accountJSON recovery.AccountContext

// MarshalJSON implements json.Marshaler.
func (a accountJSON) MarshalJSON() ([]byte, error) {
	return encode(struct {
		AccountID  string `json:"accountId"`
		Region     string `json:"region"`
		RoleName   string `json:"roleName"`
		ExternalID string `json:"externalId,omitempty"`
	}{a.AccountID, a.Region, a.RoleName, a.ExternalID.Reveal()}), nil
}

func (s *planJSON) wave(w *recovery.PlannedWave) planWave {
	out := planWave{
		Number: w.Number, Name: w.Name, Group: w.Group, LaunchOrder: w.Number,
		PauseBefore: w.PauseBefore, DependsOn: w.DependsOn, Independent: w.Independent,
		OnFailure: w.OnFailure.OrDefault(), Timeout: minutes(w.TimeLimit()),
	}
	if out.DependsOn == nil {
		out.DependsOn = []int{}
	}
	if account := accountJSON(w.Account); account != (accountJSON{}) && (s.Account == nil || account != *s.Account) {
		out.Account = &account
	}
	for _, server := range w.Servers {
		p := planServer{ID: server.ID, Hostname: server.Hostname, Snapshot: server.Snapshot, Impact: server.Impact}
		if server.LaunchConfig != nil {
			config := configJSON(server.LaunchConfig)
			p.LaunchConfig = &config
		}
		out.Servers = append(out.Servers, p)
	}
	return out
}

// addGroup brings a wave's group along, for a handler whose store does not
// know it. Of its servers' own settings only the plan's are needed, but
// another wave of the group may need others: all go.
func (s *planJSON) addGroup(w *recovery.PlannedWave, g *recovery.ProtectionGroup) {
	id := string(w.Group)
	if s.Groups == nil {
		s.Groups = map[string]*planGroup{}
	}
	if s.Groups[id] == nil {
		s.Groups[id] = &planGroup{LaunchConfig: map[string]any{}}
	}
	out := s.Groups[id]
	if w.Tags != nil {
		out.Tags = w.Tags
	}
	if g == nil || out.Overrides != nil {
		return
	}
	out.LaunchConfig = configJSON(g.LaunchConfig)
	out.Overrides = overridesJSON(g.Overrides)
}

func overridesJSON(overrides map[recovery.SourceServerID]recovery.LaunchConfig) map[recovery.SourceServerID]map[string]any {
	if len(overrides) == 0 {
		return nil
	}
	out := map[recovery.SourceServerID]map[string]any{}
	for server, config := range overrides {
		out[server] = configJSON(config)
	}
	return out
}

// configJSON gives settings as documents nest them.
func configJSON(c recovery.LaunchConfig) map[string]any {
	out := map[string]any{}
	for _, setting := range slices.Sorted(maps.Keys(c)) {
		outer, inner, nested := strings.Cut(string(setting), ".")
		if !nested {
			out[outer] = c[setting]
			continue
		}
		below, _ := out[outer].(map[string]any)
		if below == nil {
			below = map[string]any{}
			out[outer] = below
		}
		below[inner] = c[setting]
	}
	return out
}

func minutes(d time.Duration) int { return int(d.Minutes()) }
