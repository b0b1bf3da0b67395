package main

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
)

// A drill whose driver, of an earlier version, was killed before it began is
// shown and begun, by its id.
func TestADrillThatWasNotBegunIsBegunByItsResume(t *testing.T) {
	dir := t.TempDir()
	if code, _, stderr := muster(t, firstGate, "drill", "-", "--data", dir, "--execution", "exec-1", "--speed", "20000", "--no-wait", "-q"); code != exitDecision {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, recordFile))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec("INSERT INTO unbegun VALUES ('exec-late', ?)", `{"executionId":"exec-late","planId":"rp-late",
		"accountContext":{"accountId":"111122223333","region":"us-west-2","roleName":"DRSOrchestrationRole","externalId":"muster-three-tier-1"},
		"waves":[{"waveNumber":1,"waveName":"Only","servers":[{"serverId":"s-0291ce9fa9cbfbc13","launchConfig":{}}]}],"currentWave":1,
		"executionType":"DRILL","initiatedBy":"anna","startTime":"2026-01-31T15:00:00Z","simulation":{"speed":20000}}`)
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	for _, c := range []struct{ verb, want string }{
		{"show", "NOT_BEGUN"}, {"resume", "Drill of rp-late: COMPLETED"}, {"show", "(20000 times as fast"},
	} {
		code, stdout, stderr := muster(t, "", c.verb, "exec-late", "--data", dir)
		if code != exitDone || !strings.Contains(stdout, c.want) || strings.Contains(stdout+stderr, "muster-three-tier-1") {
			t.Errorf("muster %s: exit code %d, want %q: %s%s", c.verb, code, c.want, stdout, stderr)
		}
	}
}
