package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/planfile"
	"muster/recovery"
	"muster/simulator"
)

type eventOptions struct {
	fleet     string
	kind      string
	wave      int
	execution string
}

func (m *Main) event() *cobra.Command {
	var o eventOptions
	cmd := &cobra.Command{
		Use:   "event",
		Short: "Print an example event for a fleet",
		Long: `Event prints an event that starts a wave of a simulated fleet: a drill of all its
protection groups, one wave for each, in the order of the fleet file. It is a
beginning for events of your own. Each call makes a new execution, unless
--execution names one.`,
		Example: `  muster event > wave.json
  muster event --fleet specification --wave 2 | muster invoke --fleet specification`,
		Args: cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.StringVar(&o.fleet, "fleet", simulator.DefaultFleet, "the `FLEET` whose servers are to be started: a built-in one ("+oneLine(simulator.FleetNames())+") or a file")
	flags.StringVar(&o.kind, "type", string(recovery.Drill), "DRILL or RECOVERY")
	flags.IntVar(&o.wave, "wave", 1, "the `NUMBER` of the wave to start")
	flags.StringVar(&o.execution, "execution", "", "the execution's `ID` (default: a new one)")
	cmd.RunE = m.command(func(context.Context, []string) error { return m.runEvent(o) })
	return cmd
}

func (m *Main) runEvent(o eventOptions) error {
	if err := recovery.ExecutionType(o.kind).Check(); err != nil {
		return usage("", "--type: %w", err)
	}
	if o.execution == "" {
		o.execution = "exec-" + strings.ToLower(rand.Text()[:13])
	}
	if err := recovery.ExecutionID(o.execution).Check(); err != nil {
		return usage("", "--execution: %w", err)
	}
	fleet, err := (&worldFlags{fleet: o.fleet}).loadFleet()
	if err != nil {
		return err
	}
	groups, err := planfile.GroupsOf(fleet.Name, &fleet.Groups)
	if err != nil {
		return usage("", "--fleet: %w", err)
	}
	state, err := exampleState(fleet, groups, o)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(m.Stdout)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(exampleEvent{Action: "start_wave_recovery", State: state, WaveNumber: o.wave})
}

type exampleEvent struct {
	Action     string        `json:"action"`
	State      *waveSequence `json:"state"`
	WaveNumber int           `json:"wave_number"`
}

// waveSequence is a state as Step Functions begins with it.
type waveSequence struct {
	ExecutionID    string          `json:"executionId"`
	PlanID         string          `json:"planId"`
	AccountContext *accountContext `json:"accountContext"`
	Waves          []exampleWave   `json:"waves"`
	CurrentWave    int             `json:"currentWave"`
	ExecutionType  string          `json:"executionType"`
	InitiatedBy    string          `json:"initiatedBy"`
	StartTime      string          `json:"startTime"`
}

type accountContext struct {
	AccountID  string `json:"accountId"`
	Region     string `json:"region"`
	RoleName   string `json:"roleName"`
	ExternalID string `json:"externalId,omitempty"`
}

type exampleWave struct {
	WaveNumber        int             `json:"waveNumber"`
	WaveName          string          `json:"waveName"`
	ProtectionGroupID string          `json:"protectionGroupId"`
	Servers           []exampleServer `json:"servers"`
	LaunchOrder       int             `json:"launchOrder"`
	PauseBeforeWave   bool            `json:"pauseBeforeWave"`
	DependsOnWaves    []int           `json:"dependsOnWaves"`
}

type exampleServer struct {
	ServerID string `json:"serverId"`
	Hostname string `json:"hostname,omitempty"`
}

// exampleState makes a wave of every protection group whose servers are in the
// place of the first group's.
func exampleState(fleet *simulator.Fleet, groups *planfile.Groups, o eventOptions) (*waveSequence, error) {
	places := fleetPlaces(fleet)
	state := &waveSequence{
		ExecutionID:   o.execution,
		PlanID:        "rp-example",
		CurrentWave:   o.wave,
		ExecutionType: o.kind,
		InitiatedBy:   "user@example.com",
		StartTime:     time.Now().UTC().Format(time.RFC3339),
	}
	var at place
	for _, id := range groups.IDs() {
		n := len(state.Waves) + 1
		wave := exampleWave{WaveNumber: n, WaveName: waveName(id), ProtectionGroupID: string(id), LaunchOrder: n, DependsOnWaves: []int{}}
		if n > 1 {
			wave.DependsOnWaves = []int{n - 1}
		}
		for _, server := range groups.Servers(id) {
			found, ok := places[string(server)]
			if state.AccountContext == nil && ok {
				at = found.place
				state.AccountContext = found.context(fleet)
			}
			if ok && found.place == at {
				wave.Servers = append(wave.Servers, exampleServer{string(server), found.hostname})
			}
		}
		if len(wave.Servers) > 0 {
			state.Waves = append(state.Waves, wave)
		}
	}
	if len(state.Waves) == 0 {
		return nil, usage("", "--fleet: %s has no protection groups that name its servers", fleet.Name)
	}
	if o.wave < 1 || o.wave > len(state.Waves) {
		return nil, usage("", "--wave: %s makes waves 1 to %d", fleet.Name, len(state.Waves))
	}
	return state, nil
}

// waveName makes "Database" of pg-database.
func waveName(id recovery.ProtectionGroupID) string {
	name := strings.ReplaceAll(strings.TrimPrefix(string(id), "pg-"), "-", " ")
	return strings.ToUpper(name[:1]) + name[1:]
}

type place struct{ account, region string }

type placedServer struct {
	place
	hostname string
}

// context is how the fleet's caller gets there: by a role that trusts it, one
// that may do everything rather than one that may not.
func (p placedServer) context(fleet *simulator.Fleet) *accountContext {
	c := &accountContext{AccountID: p.account, Region: p.region, RoleName: "DRSOrchestrationRole"}
	caller := cmp.Or(fleet.Caller, simulator.CallersAccount)
	roles := slices.Clone(fleet.Accounts[p.account].Roles)
	slices.SortStableFunc(roles, func(a, b simulator.Role) int { return cmp.Compare(len(a.Deny), len(b.Deny)) })
	for _, r := range roles {
		if slices.Contains(r.Trusts, caller) {
			c.RoleName, c.ExternalID = r.Name, r.ExternalID
			break
		}
	}
	return c
}

func fleetPlaces(fleet *simulator.Fleet) map[string]placedServer {
	all := map[string]placedServer{}
	for account, a := range fleet.Accounts {
		for region, r := range a.Regions {
			for _, s := range r.Servers {
				all[s.ID] = placedServer{place{account, region}, s.Hostname}
			}
		}
	}
	return all
}
