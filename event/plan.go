package event

import (
	"cmp"
	"slices"

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
	d := plan.Document()
	s := planState{ExecutionID: o.Execution, PlanID: plan.ID, PlanName: plan.Name, PlanOwner: plan.Owner, Account: d.Account, Objectives: d.Objectives,
		Waves: []stateWave{}, ExecutionType: o.Type, InitiatedBy: o.InitiatedBy, StartTime: o.StartTime}
	for i := range plan.Waves {
		w := &plan.Waves[i]
		out := stateWaveOf(w, &d.Waves[i], plan.Account)
		if o.Brief {
			out.Servers, out.ServerCount = nil, cmp.Or(len(w.Servers), recovery.MostServers) // as many as its tags may find
		} else if w.Group != "" && (w.Tags != nil || groups[w.Group] != nil) {
			s.addGroup(w, groups[w.Group])
		}
		s.Waves = append(s.Waves, out)
	}
	if len(s.Waves) > 0 {
		s.CurrentWave = firstWave(&plan)
	}
	return encode(s)
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

// firstWave is the lowest of the waves that nothing has to be over for.
func firstWave(p *recovery.Plan) int {
	if layers := p.Layers(); len(layers) > 0 {
		return layers[0][0]
	}
	return p.Waves[0].Number
}

// planState is a state as begin_execution takes it. Everything that a plan says
// is mapped to it here, and from it in readPlan.
type planState struct {
	ExecutionID   recovery.ExecutionID         `json:"executionId"`
	PlanID        recovery.PlanID              `json:"planId"`
	PlanName      string                       `json:"planName,omitempty"`
	PlanOwner     string                       `json:"planOwner,omitempty"`
	Account       *recovery.AccountDocument    `json:"accountContext,omitempty"`
	Objectives    *recovery.ObjectivesDocument `json:"objectives,omitempty"`
	Waves         []stateWave                  `json:"waves"`
	Groups        groupDocuments               `json:"protectionGroups,omitempty"`
	CurrentWave   int                          `json:"currentWave"`
	ExecutionType recovery.ExecutionType       `json:"executionType"`
	InitiatedBy   string                       `json:"initiatedBy"`
	StartTime     string                       `json:"startTime"`
}

type stateWave struct {
	Number      int                        `json:"waveNumber"`
	Name        string                     `json:"waveName"`
	Group       recovery.ProtectionGroupID `json:"protectionGroupId,omitempty"`
	Account     *recovery.AccountDocument  `json:"accountContext,omitempty"` // nil: the state's
	Servers     []recovery.Server          `json:"servers,omitempty"`        // none: those with the group's tags
	ServerCount int                        `json:"serverCount,omitempty"`    // of a brief state
	LaunchOrder int                        `json:"launchOrder"`
	PauseBefore bool                       `json:"pauseBeforeWave"`
	DependsOn   []int                      `json:"dependsOnWaves"`
	Independent bool                       `json:"independent,omitempty"`
	OnFailure   recovery.OnFailure         `json:"onFailure"`
	Timeout     int                        `json:"timeoutMinutes"`
}

// stateWaveOf gives a wave as a state has it, with its defaults said.
func stateWaveOf(w *recovery.PlannedWave, d *recovery.WaveDocument, shared recovery.AccountContext) stateWave {
	out := stateWave{Number: w.Number, Name: w.Name, Group: w.Group, Servers: d.Servers, LaunchOrder: w.Number, PauseBefore: w.PauseBefore,
		DependsOn: w.DependsOn, Independent: w.Independent, OnFailure: w.OnFailure.OrDefault(), Timeout: int(w.TimeLimit().Minutes())}
	if out.DependsOn == nil {
		out.DependsOn = []int{}
	}
	if w.Account != shared {
		out.Account = d.Account
	}
	return out
}

// addGroup brings a wave's group along, for a handler whose store does not
// know it. Of its servers' own settings only the plan's are needed, but
// another wave of the group may need others: all go.
func (s *planState) addGroup(w *recovery.PlannedWave, g *recovery.ProtectionGroup) {
	if s.Groups == nil {
		s.Groups = groupDocuments{}
	}
	if s.Groups[w.Group] == nil {
		s.Groups[w.Group] = &recovery.GroupDocument{}
		if g != nil {
			s.Groups[w.Group] = (&recovery.PlannedGroup{ProtectionGroup: *g}).Document()
		}
	}
	out := s.Groups[w.Group]
	if out.LaunchConfig == nil {
		out.LaunchConfig = recovery.LaunchConfig{}
	}
	if w.Tags != nil {
		out.Tags = w.Tags
	}
}
