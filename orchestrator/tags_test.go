package orchestrator_test

import (
	"fmt"
	"strings"
	"testing"

	"muster/orchestrator"
	"muster/recovery"
)

const (
	taggedWeb = "            tags: {Tier: web, App: shop}\n"
	taggedApp = "            tags: {Tier: app, App: shop}\n"
)

func TestServersAreFoundByTheTagsOfTheirGroupOnceAtBegin(t *testing.T) {
	for name, c := range map[string]struct {
		first, second map[string]string // tags of wave 1 and 2
		listed        []recovery.SourceServerID
		want          string // how many servers each wave gets, or what is wrong
	}{
		"all that carry all of the tags": {first: map[string]string{"App": "shop", "Tier": "web"}, second: map[string]string{"Tier": "app"}, want: "[2 1]"},
		"those that the wave lists":      {first: map[string]string{"Tier": "web"}, listed: []recovery.SourceServerID{serverID(2)}, want: "[1 1]"},
		"none":                           {first: map[string]string{"Tier": "db"}, want: `protection group pg-1 by the tags "Tier"="db" in account`},
		"others":                         {first: map[string]string{"Tier": "web"}, listed: []recovery.SourceServerID{serverID(3)}, want: "the wave lists servers that do not have them: " + string(serverID(3))},
		"the same in two waves":          {first: map[string]string{"Tier": "web"}, second: map[string]string{"App": "shop"}, want: "wave 2 "},
	} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, 4, map[int]string{1: taggedWeb, 2: taggedWeb, 3: taggedApp}, func(t *testing.T, h *house, o *orchestrator.Orchestrator) {
				p := h.plan(0, 0)
				p.Waves[1].Servers = h.wave.Wave.Servers[3:4]
				for i, tags := range []map[string]string{c.first, c.second} {
					if tags != nil {
						p.Waves[i].Group, p.Waves[i].Tags, p.Waves[i].Servers = recovery.ProtectionGroupID(fmt.Sprint("pg-", i+1)), tags, nil
					}
				}
				for _, id := range c.listed {
					p.Waves[0].Servers = append(p.Waves[0].Servers, recovery.Server{ID: id})
				}
				asked, err := p.Digests()
				if err != nil {
					t.Fatal(err)
				}
				_, err = o.Begin(t.Context(), orchestrator.Begin{Execution: h.wave.Execution, Plan: p, Type: h.wave.Type, StartTime: h.wave.StartTime, InitiatedBy: h.wave.InitiatedBy})
				got := fmt.Sprint(err)
				if err == nil {
					e, err := h.store.Execution(t.Context(), h.wave.Execution)
					if err != nil {
						t.Fatal(err)
					}
					var counts []int
					for _, w := range e.Waves {
						counts = append(counts, w.Servers)
					}
					got = fmt.Sprint(counts)
				}
				if !strings.Contains(got, c.want) {
					t.Errorf("got %s, want %s", got, c.want)
				}
				if after, _ := p.Digests(); !after.Of(asked[0]) {
					t.Error("the plan that was asked for has changed")
				}
			})
		})
	}
}
