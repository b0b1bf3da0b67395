package recovery

import (
	"encoding/json"
	"time"
)

// Plans and groups as Muster 0.x froze them: its structs as they were. They
// change no more, whatever becomes of those that they are copies of, since
// records of then are read by them, and the digest of then is taken of them.

type frozenPlan0 struct {
	Plan *plan0 `json:"plan"`
	// ExternalIDs are by the wave's place in the plan, the plan's own last.
	ExternalIDs []string `json:"externalIds"`
}

type plan0 struct {
	ID, Name, Owner string
	Account         account0
	Objectives      objectives0
	Waves           []wave0
	Groups          map[ProtectionGroupID]*group0
}

type objectives0 struct{ RecoveryTime, RecoveryPoint time.Duration }

type account0 struct{ AccountID, Region, RoleName string }

type wave0 struct {
	Number      int
	Name        string
	Group       ProtectionGroupID
	Servers     []server0
	Account     account0
	DependsOn   []int
	Independent bool
	PauseBefore bool
	OnFailure   OnFailure
	Timeout     time.Duration
	Tags        map[string]string
}

type server0 struct {
	ID           SourceServerID
	Hostname     string
	LaunchConfig config0
	Snapshot     SnapshotID
	Impact       ImpactLevel
}

type group0 struct {
	ID           ProtectionGroupID
	LaunchConfig config0
	Overrides    map[SourceServerID]config0
}

type config0 map[Setting]any // by the settings' names, nothing nested

// frozen0 gives the plan as 0.x froze it.
func (p *Plan) frozen0() ([]byte, error) {
	f := frozenPlan0{Plan: &plan0{ID: string(p.ID), Name: p.Name, Owner: p.Owner, Account: accountOf0(p.Account), Objectives: objectives0(p.Objectives)}}
	for i := range p.Waves {
		w := &p.Waves[i]
		old := wave0{w.Number, w.Name, w.Group, nil, accountOf0(w.Account), w.DependsOn, w.Independent, w.PauseBefore, w.OnFailure, w.Timeout, w.Tags}
		for _, s := range w.Servers {
			old.Servers = append(old.Servers, server0{s.ID, s.Hostname, config0(s.LaunchConfig), s.Snapshot, s.Impact})
		}
		f.Plan.Waves = append(f.Plan.Waves, old)
		f.ExternalIDs = append(f.ExternalIDs, w.Account.ExternalID.Reveal())
	}
	if p.Groups != nil {
		f.Plan.Groups = map[ProtectionGroupID]*group0{}
	}
	for id, g := range p.Groups {
		old := &group0{ID: g.ID, LaunchConfig: config0(g.LaunchConfig)}
		if g.Overrides != nil {
			old.Overrides = map[SourceServerID]config0{}
		}
		for server, c := range g.Overrides {
			old.Overrides[server] = config0(c)
		}
		f.Plan.Groups[id] = old
	}
	f.ExternalIDs = append(f.ExternalIDs, p.Account.ExternalID.Reveal())
	return json.Marshal(f)
}

// thawPlan0 reads a plan that 0.x froze.
func thawPlan0(record []byte) (*Plan, error) {
	var f frozenPlan0
	if err := json.Unmarshal(record, &f); err != nil {
		return nil, damaged("a frozen plan: %w", err)
	}
	old := f.Plan
	if old == nil || len(f.ExternalIDs) != len(old.Waves)+1 {
		return nil, damaged("a frozen plan is not whole")
	}
	p := &Plan{ID: PlanID(old.ID), Name: old.Name, Owner: old.Owner, Account: old.Account.context(f.ExternalIDs[len(old.Waves)]), Objectives: Objectives(old.Objectives)}
	for i := range old.Waves {
		w := &old.Waves[i]
		wave := PlannedWave{Wave{w.Number, w.Name, w.Group, nil, w.Account.context(f.ExternalIDs[i])}, w.DependsOn, w.Independent, w.PauseBefore, w.OnFailure, w.Timeout, w.Tags}
		for _, s := range w.Servers {
			wave.Servers = append(wave.Servers, Server{s.ID, s.Hostname, textLists(LaunchConfig(s.LaunchConfig)), s.Snapshot, s.Impact})
		}
		p.Waves = append(p.Waves, wave)
	}
	for id, g := range old.Groups {
		if p.Groups == nil {
			p.Groups = map[ProtectionGroupID]*ProtectionGroup{}
		}
		p.Groups[id] = g.thaw()
	}
	return p, nil
}

// thawGroup0 reads a protection group that 0.x stored.
func thawGroup0(record []byte) (*PlannedGroup, error) {
	var f struct {
		Group *struct {
			group0
			Servers []SourceServerID
			Tags    map[string]string
			Account *account0
		} `json:"group"`
		ExternalID string `json:"externalId"`
	}
	if err := json.Unmarshal(record, &f); err != nil {
		return nil, damaged("a stored protection group: %w", err)
	}
	if f.Group == nil {
		return nil, damaged("a stored protection group is not whole")
	}
	g := &PlannedGroup{ProtectionGroup: *f.Group.thaw(), Servers: f.Group.Servers, Tags: f.Group.Tags}
	if f.Group.Account != nil {
		g.Account = new(f.Group.Account.context(f.ExternalID))
	}
	return g, nil
}

func (g *group0) thaw() *ProtectionGroup {
	if g == nil {
		return nil
	}
	thawed := &ProtectionGroup{ID: g.ID, LaunchConfig: textLists(LaunchConfig(g.LaunchConfig))}
	for server, c := range g.Overrides {
		if thawed.Overrides == nil {
			thawed.Overrides = map[SourceServerID]LaunchConfig{}
		}
		thawed.Overrides[server] = textLists(LaunchConfig(c))
	}
	return thawed
}

func accountOf0(c AccountContext) account0 { return account0{c.AccountID, c.Region, c.RoleName} }

func (a account0) context(externalID string) AccountContext {
	return AccountContext{a.AccountID, a.Region, a.RoleName, NewSecret(externalID)}
}
