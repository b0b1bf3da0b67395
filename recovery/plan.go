package recovery

import (
	"fmt"
	"slices"
	"time"
)

// Plan is a whole recovery plan: which waves there are, and what orders them.
type Plan struct {
	ID         PlanID
	Name       string
	Owner      string
	Account    AccountContext // where waves are recovered that name no account of their own
	Objectives Objectives
	Waves      []PlannedWave // in the order they were written in, which means nothing
	// Groups are the protection groups whose settings the waves take.
	Groups map[ProtectionGroupID]*ProtectionGroup
	// Needs names what must be understood to act on the plan. Who does not
	// understand all of it may look, and does nothing.
	Needs []string
}

// Objectives are what the plan's owner promised. Zero: nothing.
type Objectives struct {
	RecoveryTime  time.Duration // from the begin of an execution until its end
	RecoveryPoint time.Duration // how much of the newest data may be lost
}

// PlannedWave is a wave, when it may start, and what becomes of the plan when
// it fails. Its Account is the one it is recovered in, whoever named it.
type PlannedWave struct {
	Wave
	DependsOn   []int // as written; Plan.Dependencies gives the effective ones
	Independent bool  // with an empty DependsOn: follows no wave, instead of all lower ones
	PauseBefore bool  // a person decides before it starts
	OnFailure   OnFailure
	Timeout     time.Duration // 0: DefaultWaveTimeout
	// Tags are those of its group, where DRS is asked at begin which servers
	// that is. Nil once Servers says it, or where it always did.
	Tags map[string]string
}

// MostWaves is how many waves a plan may have.
const MostWaves = 1000

// The times that a wave may be given until it counts as failed.
const (
	DefaultWaveTimeout  = 120 * time.Minute
	LongestWaveTimeout  = 7 * 24 * time.Hour
	ShortestWaveTimeout = time.Minute
)

// TimeLimit is the time after which the wave has failed.
func (w *PlannedWave) TimeLimit() time.Duration {
	if w.Timeout == 0 {
		return DefaultWaveTimeout
	}
	return w.Timeout
}

// CheckWaveTimeout reports what is wrong with a wave's timeout, or nil.
func CheckWaveTimeout(t time.Duration) error {
	if t < ShortestWaveTimeout || t > LongestWaveTimeout {
		return fmt.Errorf("is %d, but a wave is given from %d to %d minutes",
			int(t.Minutes()), int(ShortestWaveTimeout.Minutes()), int(LongestWaveTimeout.Minutes()))
	}
	return nil
}

// OnFailure says what happens when a wave has failed. "" is PauseOnFailure.
type OnFailure string

// What may happen.
const (
	PauseOnFailure    OnFailure = "PAUSE"    // await a decision
	StopOnFailure     OnFailure = "STOP"     // nothing new starts
	ContinueOnFailure OnFailure = "CONTINUE" // dependents go on as if it were skipped
)

// Check reports what is wrong with an OnFailure, or nil.
func (f OnFailure) Check() error {
	return oneOf(string(PauseOnFailure), string(StopOnFailure), string(ContinueOnFailure))(string(f))
}

// OrDefault gives what happens where nobody said so.
func (f OnFailure) OrDefault() OnFailure {
	if f == "" {
		return PauseOnFailure
	}
	return f
}

// ImpactLevel says what a server's failure does to its wave. "" is Critical.
type ImpactLevel string

// The levels, as AWS's own recovery plans name them.
const (
	Critical ImpactLevel = "CRITICAL" // its failure is the wave's
	Optional ImpactLevel = "OPTIONAL" // the wave completes without it
)

// Check reports what is wrong with an impact level, or nil.
func (l ImpactLevel) Check() error { return oneOf(string(Critical), string(Optional))(string(l)) }

// IsOptional says whether the wave completes without the server.
func (s *Server) IsOptional() bool { return s.Impact == Optional }

// Wave gives the wave of a number, or nil.
func (p *Plan) Wave(number int) *PlannedWave {
	for i := range p.Waves {
		if p.Waves[i].Number == number {
			return &p.Waves[i]
		}
	}
	return nil
}

// Dependencies gives the numbers of the waves that have to be over before the
// wave starts, sorted: those it names; or, where it names none and is not
// independent, every wave of a lower number.
func (p *Plan) Dependencies(wave int) []int {
	w := p.Wave(wave)
	if w == nil {
		return nil
	}
	all := slices.Clone(w.DependsOn)
	if len(all) == 0 && !w.Independent {
		for i := range p.Waves {
			if n := p.Waves[i].Number; n < wave {
				all = append(all, n)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
