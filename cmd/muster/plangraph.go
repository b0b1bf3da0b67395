package main

import "muster/recovery"

// planGraph is a plan's graph for programs. It holds no secret.
type planGraph struct {
	PlanID     recovery.PlanID  `json:"planId"`
	Name       string           `json:"name,omitempty"`
	Owner      string           `json:"owner,omitempty"`
	Objectives *graphObjectives `json:"objectives,omitempty"`
	Layers     [][]int          `json:"layers"` // waves that nothing of their own layer holds up
	Waves      []graphWave      `json:"waves"`  // by layer
}

type graphObjectives struct {
	RecoveryTime  int `json:"recoveryTimeMinutes,omitempty"`
	RecoveryPoint int `json:"recoveryPointMinutes,omitempty"`
}

type graphWave struct {
	Number      int                        `json:"waveNumber"`
	Name        string                     `json:"waveName,omitempty"`
	Layer       int                        `json:"layer"` // from 1
	Group       recovery.ProtectionGroupID `json:"protectionGroupId,omitempty"`
	AccountID   string                     `json:"accountId"`
	Region      string                     `json:"region"`
	Servers     int                        `json:"servers"`
	Optional    int                        `json:"optionalServers"`
	Tags        map[string]string          `json:"tags,omitempty"` // by which its servers are found
	DependsOn   []int                      `json:"dependsOnWaves"` // all that it waits for
	RightBefore []int                      `json:"rightBefore"`    // of those, the ones that a picture has a line for
	PauseBefore bool                       `json:"pauseBeforeWave"`
	OnFailure   recovery.OnFailure         `json:"onFailure"`
	Timeout     int                        `json:"timeoutMinutes"`
}

func planGraphOf(p *recovery.Plan) planGraph {
	g := planGraph{PlanID: p.ID, Name: p.Name, Owner: p.Owner, Layers: p.Layers()}
	if o := p.Objectives; o != (recovery.Objectives{}) {
		g.Objectives = &graphObjectives{int(o.RecoveryTime.Minutes()), int(o.RecoveryPoint.Minutes())}
	}
	before := p.RightBefore()
	for i, layer := range g.Layers {
		for _, number := range layer {
			w := p.Wave(number)
			g.Waves = append(g.Waves, graphWave{
				Number: number, Name: w.Name, Layer: i + 1, Group: w.Group,
				AccountID: w.Account.AccountID, Region: w.Account.Region,
				Servers: len(w.Servers), Optional: optionalServers(w), Tags: w.Tags,
				DependsOn: append([]int{}, p.Dependencies(number)...), RightBefore: before[number],
				PauseBefore: w.PauseBefore, OnFailure: w.OnFailure.OrDefault(), Timeout: int(w.TimeLimit().Minutes()),
			})
		}
	}
	return g
}
