package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
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
	startTime string
	all       bool
}

func (m *Main) event() *cobra.Command {
	var o eventOptions
	cmd := &cobra.Command{
		Use:   "event",
		Short: "Print an example event for a fleet",
		Long: `Event prints an event that starts a wave of a simulated fleet: a drill of all its
protection groups, one wave for each, in the order of the fleet file. It is a
beginning for events of your own.

Servers that the fleet file itself says could not be started (they do not
replicate, or a live instance of theirs would be lost) are left out and named on
standard error, unless --all.

Each call makes a new execution, unless --execution names one. The same id gets
the same start time, so that events of several waves fit together.`,
		Example: `  muster event > wave.json

  # one execution, wave by wave; these events know nothing of each other's jobs:
  # for wave 2 to wait for wave 1, go on from the answer to wave 1
  muster event --execution exec-try > wave1.json
  muster event --execution exec-try --wave 2 > wave2.json

  # an event that is refused: a server is not ready
  muster event --wave 2 --all

  muster event --fleet specification --wave 2 | muster invoke --fleet specification`,
		Args: cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.StringVar(&o.fleet, "fleet", simulator.DefaultFleet, "the `FLEET` whose servers are to be started: a built-in one ("+oneLine(simulator.FleetNames())+") or a file")
	flags.StringVar(&o.kind, "type", string(recovery.Drill), "the execution's `TYPE`, DRILL or RECOVERY")
	flags.IntVar(&o.wave, "wave", 1, "the `NUMBER` of the wave to start")
	flags.StringVar(&o.execution, "execution", "", "the execution's `ID` (default: a new one)")
	flags.StringVar(&o.startTime, "start-time", "", "the execution's start `TIME`, as 2026-01-31T15:30:00Z (default: now for a new execution, and for an --execution always the same one)")
	flags.BoolVar(&o.all, "all", false, "with the servers that are not ready, too")
	cmd.RunE = m.command(func(context.Context, []string) error { return m.runEvent(o) })
	return cmd
}

func (m *Main) runEvent(o eventOptions) error {
	if err := recovery.ExecutionType(o.kind).Check(); err != nil {
		return usage("", "--type: %w", err)
	}
	if o.execution == "" {
		o.execution = newExampleID(time.Now())
	}
	if err := recovery.ExecutionID(o.execution).Check(); err != nil {
		return usage("", "--execution: %w", err)
	}
	if o.startTime == "" {
		o.startTime = startOf(o.execution).Format(time.RFC3339)
	} else if _, err := time.Parse(time.RFC3339, o.startTime); err != nil {
		return usage("", "--start-time: %s is not a time such as 2026-01-31T15:30:00Z", recovery.Quote(o.startTime))
	}
	fleet, err := (&worldFlags{fleet: o.fleet}).loadFleet()
	if err != nil {
		return err
	}
	groups, err := planfile.GroupsOf(fleet.Name, &fleet.Groups)
	if err != nil {
		return usage("", "--fleet: %w", err)
	}
	state, leftOut, err := exampleState(fleet, groups, o)
	if err != nil {
		return err
	}
	for _, text := range leftOut {
		fmt.Fprintf(m.Stderr, "left out: %s\n", harmless(text))
	}
	encoder := json.NewEncoder(m.Stdout)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(exampleEvent{Action: "start_wave_recovery", State: state, WaveNumber: o.wave})
}

// An id that we make says when, so that it stands for one start time.
const idTime = "20060102t150405z"

func newExampleID(now time.Time) string {
	return "exec-" + now.UTC().Format(idTime) + "-" + strings.ToLower(rand.Text()[:8])
}

// startOf is the start time of an execution: the one in its id, and for an id
// of somebody else's always the same.
func startOf(execution string) time.Time {
	if _, rest, ok := strings.Cut(execution, "exec-"); ok && len(rest) > len(idTime) {
		if at, err := time.Parse(idTime, rest[:len(idTime)]); err == nil {
			return at
		}
	}
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
}

type exampleEvent struct {
	Action     string        `json:"action"`
	State      *waveSequence `json:"state"`
	WaveNumber int           `json:"wave_number"`
}

// waveSequence is a state as Step Functions begins with it.
type waveSequence struct {
	ExecutionID    string                    `json:"executionId"`
	PlanID         string                    `json:"planId"`
	AccountContext *recovery.AccountDocument `json:"accountContext"`
	Waves          []exampleWave             `json:"waves"`
	CurrentWave    int                       `json:"currentWave"`
	ExecutionType  string                    `json:"executionType"`
	InitiatedBy    string                    `json:"initiatedBy"`
	StartTime      string                    `json:"startTime"`
}

type exampleWave struct {
	WaveNumber        int               `json:"waveNumber"`
	WaveName          string            `json:"waveName"`
	ProtectionGroupID string            `json:"protectionGroupId"`
	Servers           []recovery.Server `json:"servers"`
	LaunchOrder       int               `json:"launchOrder"`
	PauseBeforeWave   bool              `json:"pauseBeforeWave"`
	DependsOnWaves    []int             `json:"dependsOnWaves"`
}

// exampleState makes a wave of every protection group whose servers are in the
// place of the first group's, and names the servers that are left out.
func exampleState(fleet *simulator.Fleet, groups *planfile.Groups, o eventOptions) (*waveSequence, []string, error) {
	places := fleetPlaces(fleet)
	state := &waveSequence{
		ExecutionID:   o.execution,
		PlanID:        "rp-example",
		CurrentWave:   o.wave,
		ExecutionType: o.kind,
		InitiatedBy:   "user@example.com",
		StartTime:     o.startTime,
	}
	var at place
	var leftOut []string
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
			switch {
			case !ok || found.place != at:
			case found.unready != "" && !o.all:
				leftOut = append(leftOut, fmt.Sprintf("%s (%s) of wave %d: %s", server, found.hostname, n, found.unready))
			default:
				wave.Servers = append(wave.Servers, recovery.Server{ID: server, Hostname: found.hostname})
			}
		}
		if len(wave.Servers) > 0 {
			state.Waves = append(state.Waves, wave)
		}
	}
	if len(state.Waves) == 0 && leftOut != nil {
		return nil, nil, usage("With them all the same: --all", "--fleet: no server of %s is ready: %s", fleet.Name, strings.Join(leftOut, "; "))
	}
	if len(state.Waves) == 0 {
		return nil, nil, usage("", "--fleet: %s has no protection groups that name its servers", fleet.Name)
	}
	if o.wave < 1 || o.wave > len(state.Waves) {
		return nil, nil, usage("", "--wave: %s makes waves 1 to %d", fleet.Name, len(state.Waves))
	}
	return state, leftOut, nil
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
	unready  string // why a start would be refused; "" where it would not
}

// context is how the fleet's caller gets there: by a role that trusts it, one
// that may do everything rather than one that may not.
func (p placedServer) context(fleet *simulator.Fleet) *recovery.AccountDocument {
	c := &recovery.AccountDocument{AccountID: recovery.AccountID(p.account), Region: recovery.RegionName(p.region), RoleName: "DRSOrchestrationRole"}
	caller := cmp.Or(fleet.Caller, simulator.CallersAccount)
	roles := slices.Clone(fleet.Accounts[p.account].Roles)
	slices.SortStableFunc(roles, func(a, b simulator.Role) int { return cmp.Compare(len(a.Deny), len(b.Deny)) })
	for _, r := range roles {
		if slices.Contains(r.Trusts, caller) {
			c.RoleName, c.ExternalID.Secret = recovery.RoleName(r.Name), recovery.NewSecret(r.ExternalID)
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
				all[s.ID] = placedServer{place{account, region}, s.Hostname, unready(&s)}
			}
			for _, i := range r.Instances {
				if s, ok := all[i.Server]; ok && s.unready == "" && !i.Drill && i.State != "TERMINATED" && i.State != "NOT_FOUND" {
					s.unready = "a live recovery instance exists"
					all[i.Server] = s
				}
			}
		}
	}
	return all
}

// unready says what of a server in a fleet file keeps it from being started.
func unready(s *simulator.Server) string {
	switch {
	case s.Replication != "" && s.Replication != "CONTINUOUS":
		return "its replication state is " + s.Replication
	case s.Staging == "EXTENSION_ERROR":
		return "its staging area reports EXTENSION_ERROR"
	}
	return ""
}
