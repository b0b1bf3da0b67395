package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
)

// Whatever comes in is answered, soon, and before AWS is called or anything is
// recorded.
func TestHostileEventsAreRefusedBeforeAnythingIsDone(t *testing.T) {
	valid := example(t, "start-wave-1.json")
	replace := func(old, new string) string {
		if !strings.Contains(valid, old) {
			t.Fatalf("the example has no %s", old)
		}
		return strings.Replace(valid, old, new, 1)
	}
	const execution = `"exec-a1b2c3d4-e5f6-7890-abcd-ef1234567890"`
	for _, c := range []struct{ name, event, code string }{
		{"nothing", "", "VALIDATION_ERROR"},
		{"not JSON", "hello", "VALIDATION_ERROR"},
		{"not text", "\x00\xff\xfe", "VALIDATION_ERROR"},
		{"not UTF-8", replace(`"Database Tier"`, "\"\xff\""), "VALIDATION_ERROR"},
		{"an array", "[]", "UNKNOWN_EVENT"},
		{"deep", strings.Repeat("[", 100_000), "VALIDATION_ERROR"},
		{"ten megabytes", `{"action": "start_wave_recovery", "wave_number": 1, "state": {"executionId": "` + strings.Repeat("x", 10<<20) + `"}}`, "VALIDATION_ERROR"},
		{"a hundred thousand waves", replace(`"waves": [`, `"waves": [`+strings.Repeat(`{"waveNumber":7},`, 100_000)), "VALIDATION_ERROR"},
		{"an id that is a path", replace(execution, `"../../etc/passwd"`), "VALIDATION_ERROR"},
		{"an id of two lines", replace(execution, `"exec-1\nexec-2"`), "VALIDATION_ERROR"},
		{"an id that drives a terminal", replace(execution, `"exec\u001b[2J\u009b31m\u202e"`), "VALIDATION_ERROR"},
		{"a role that is another", replace(`"DRSOrchestrationRole"`, `"x/../Admin"`), "VALIDATION_ERROR"},
		{"a server that is two", replace(`"s-1234567890abcdef0"`, `"s-1,s-2"`), "VALIDATION_ERROR"},
		{"a type that is none", replace(`"DRILL"`, `"drill"`), "VALIDATION_ERROR"},
		{"wrong types everywhere", `{"action": "start_wave_recovery", "wave_number": "1", "state": {"executionId": 1, "planId": [], "accountContext": "x", "waves": {}, "currentWave": "1", "executionType": null, "initiatedBy": {}, "startTime": 0}}`, "VALIDATION_ERROR"},
		{"an action of its own", `{"action": "\u001b[2Jstart"}`, "UNKNOWN_ACTION"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			begun := time.Now()
			code, answer, stderr := muster(t, c.event, "invoke", "--fleet", "specification", "--data", dir)
			took := time.Since(begun)
			var failure struct{ Error, Message string }
			if err := json.Unmarshal([]byte(answer), &failure); err != nil {
				t.Fatalf("the answer %.200q is not JSON: %v", answer, err)
			}
			if code != exitRefused || failure.Error != c.code || failure.Message == "" {
				t.Errorf("exit code %d, %s: %.500s", code, failure.Error, failure.Message)
			}
			if took > 5*time.Second { // a second on a machine that does nothing else
				t.Errorf("took %s", took)
			}
			if strings.ContainsFunc(failure.Message+stderr, func(r rune) bool { return r != '\n' && !unicode.IsGraphic(r) }) {
				t.Errorf("tells what no terminal should see: %q %q", failure.Message, stderr)
			}
			journal, err := os.ReadFile(filepath.Join(dir, "simulator.jsonl"))
			if err != nil || strings.Count(string(journal), "\n") > 1 {
				t.Errorf("AWS was called: %s, %v", journal, err)
			}
		})
	}
}

func TestEveryExitCodeHasARow(t *testing.T) {
	for i, row := range exitCodes {
		if row.code != i || row.name == "" || row.meaning == "" {
			t.Errorf("row %d is %+v", i, row)
		}
	}
	if table := exitTable(); strings.Count(table, "\n") != len(exitCodes)-1 || !strings.Contains(table, fmt.Sprintf("  %d  refused ", exitRefused)) {
		t.Errorf("the table is\n%s", table)
	}
}
