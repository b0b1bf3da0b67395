package recovery_test

import (
	"testing"

	"muster/recovery"
)

// Wave 2 depends on wave 1, and has a gate before it.
func gated() *recovery.Execution {
	return &recovery.Execution{ID: "exec-1", Plan: "rp-1", Type: recovery.Drill, Version: 1, Waves: []recovery.WaveRecord{
		{Number: 1, Name: "Databases", Servers: 1, OnFailure: recovery.PauseOnFailure},
		{Number: 2, Name: "Applications", Servers: 1, OnFailure: recovery.PauseOnFailure, DependsOn: []int{1}, PauseBefore: true},
	}}
}

func TestAGateThatDoesNotAskYetIsPassedByItsNameAlone(t *testing.T) {
	e := gated()
	if _, err := e.Decide(recovery.Decision{Choice: recovery.Resume}, epoch); err == nil || e.Wave(2).GatePassed {
		t.Errorf("a resume that names no wave passed a gate that nobody was asked about: %v", err)
	}
	wave, err := e.Decide(recovery.Decision{Choice: recovery.Resume, Wave: 2}, epoch)
	if err != nil || wave != 2 || !e.Wave(2).GatePassed {
		t.Errorf("the gate that was named was not passed ahead: wave %d, %v", wave, err)
	}
}

func TestADecisionThatNamesNoWaveIsAboutTheOnlyOneThatAsks(t *testing.T) {
	e := gated()
	e.Wave(1).Skipped = true
	wave, err := e.Decide(recovery.Decision{Choice: recovery.Resume}, epoch)
	if err != nil || wave != 2 || !e.Wave(2).GatePassed {
		t.Errorf("got wave %d, %v", wave, err)
	}
}
