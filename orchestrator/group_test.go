package orchestrator_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"muster/recovery"
	"muster/simulator"
)

// groups is a store of protection groups that may be down.
type groups struct {
	known map[recovery.ProtectionGroupID]*recovery.ProtectionGroup
	down  error
}

func (g groups) Group(_ context.Context, id recovery.ProtectionGroupID) (*recovery.ProtectionGroup, error) {
	return g.known[id], g.down
}

func TestTheProtectionGroupsSettingsAreTheDefaultAndWhereTheyComeFrom(t *testing.T) {
	t3 := &recovery.ProtectionGroup{ID: "pg-1", LaunchConfig: recovery.LaunchConfig{recovery.InstanceType: "t3.medium"}}
	t3large := &recovery.ProtectionGroup{ID: "pg-1", LaunchConfig: recovery.LaunchConfig{recovery.InstanceType: "t3.large"}}
	down := errors.New("the store is down")
	for name, c := range map[string]struct {
		own   recovery.LaunchConfig
		store recovery.GroupStore
		event map[recovery.ProtectionGroupID]*recovery.ProtectionGroup
		want  string        // the instance type that is launched
		code  recovery.Code // of the refusal
		err   error         // that is none
	}{
		"the group of the store":                             {store: groups{known: map[recovery.ProtectionGroupID]*recovery.ProtectionGroup{"pg-1": t3}}, want: "t3.medium"},
		"the group of the event wins":                        {store: groups{known: map[recovery.ProtectionGroupID]*recovery.ProtectionGroup{"pg-1": t3}}, event: map[recovery.ProtectionGroupID]*recovery.ProtectionGroup{"pg-1": t3large}, want: "t3.large"},
		"the server's own setting wins":                      {own: recovery.LaunchConfig{recovery.InstanceType: "r5.xlarge"}, store: groups{known: map[recovery.ProtectionGroupID]*recovery.ProtectionGroup{"pg-1": t3}}, want: "r5.xlarge"},
		"an unknown group, and settings of the server's own": {own: recovery.LaunchConfig{recovery.InstanceType: "r5.xlarge"}, store: groups{}, want: "r5.xlarge"},
		"an unknown group, and none":                         {store: groups{}, code: recovery.ValidationError},
		"no store of groups at all":                          {code: recovery.ValidationError},
		"a store that is down is never no defaults":          {own: recovery.LaunchConfig{recovery.InstanceType: "r5.xlarge"}, store: groups{down: down}, err: down},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, 1, fleet(1, "", nil), simulator.Options{})
				h.wave.Wave.Group, h.wave.Groups = "pg-1", c.event
				h.wave.Wave.Servers[0].LaunchConfig = c.own
				o := h.invocation(newProcess(), 0)
				o.Groups = c.store
				_, err := o.StartWave(t.Context(), h.wave)
				var refused *recovery.Error
				switch {
				case c.err != nil:
					if !errors.Is(err, c.err) || errors.As(err, &refused) {
						t.Errorf("got %v, want the store's own error and no answer", err)
					}
				case c.code != "":
					if !errors.As(err, &refused) || refused.Code != c.code {
						t.Errorf("got %v, want %s", err, c.code)
					}
				case err != nil:
					t.Fatal(err)
				}
				if c.want == "" {
					h.wantNothingChanged()
					return
				}
				events, _ := h.store.Events(t.Context(), h.wave.Execution)
				got := map[recovery.Setting]any{}
				for _, ev := range events {
					for _, s := range ev.Changes {
						for _, ch := range s.Changes {
							got[ch.Setting] = ch.New
						}
					}
				}
				if got[recovery.InstanceType] != c.want {
					t.Errorf("instance type %v was set, want %s", got[recovery.InstanceType], c.want)
				}
			})
		})
	}
}
