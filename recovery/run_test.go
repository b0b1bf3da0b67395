package recovery_test

import (
	"strings"
	"testing"

	"muster/recovery"
)

func TestARunsNameLeadsBackToItsExecution(t *testing.T) {
	for _, c := range []struct {
		id   recovery.ExecutionID
		run  int
		name string
	}{
		{"exec-1", 0, "exec-1"}, {"exec-1", 1, "exec-1"}, {"exec-1", 2, "exec-1-r2"}, {"exec-1", 10, "exec-1-r10"}, {"exec-r", 2, "exec-r-r2"},
		{recovery.ExecutionID(strings.Repeat("x", recovery.MostExecutionID)), 9999, strings.Repeat("x", recovery.MostExecutionID) + "-r9999"},
	} {
		if err := c.id.CheckDriven(); err != nil {
			t.Errorf("%s: %v", c.id, err)
		}
		name := (&recovery.Execution{ID: c.id, Run: c.run}).RunName()
		if id, run := recovery.RunOf(name); name != c.name || id != c.id || run != max(1, c.run) || len(name) > 80 {
			t.Errorf("run %d of %s is named %s (%d characters), which leads to run %d of %s; want %s", c.run, c.id, name, len(name), run, id, c.name)
		}
	}
}

func TestAnIDThatLooksLikeALaterRunIsNotDriven(t *testing.T) {
	for _, id := range []recovery.ExecutionID{"exec-1-r2", "exec-1-r1", "", "exec 1", recovery.ExecutionID(strings.Repeat("x", recovery.MostExecutionID+1))} {
		if err := id.CheckDriven(); err == nil {
			t.Errorf("%q passes", id)
		}
	}
	for _, id := range []recovery.ExecutionID{"exec-1-r0", "exec-1-r02", "exec-r2x", "-r2", "r2"} {
		if got, run := recovery.RunOf(string(id)); got != id || run != 1 {
			t.Errorf("%s is run %d of %s", id, run, got)
		}
	}
}
