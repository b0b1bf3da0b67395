package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/event"
	"muster/planfile"
	"muster/recovery"
)

// The example plans are right, and every wave of them starts on the fleet that
// bears the plan's name: a file beside it, or a built-in one.
func TestTheExamplePlansRunOnTheirFleets(t *testing.T) {
	files, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no examples: %v", err)
	}
	for _, name := range files {
		fleet := strings.TrimSuffix(filepath.Base(name), ".yaml")
		if own := filepath.Join(filepath.Dir(name), "fleets", filepath.Base(name)); exists(own) {
			fleet = own
		}
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			file, err := planfile.Reader{}.Read(planfile.Source{Name: name, Data: text})
			if err != nil {
				t.Fatal(err)
			}
			state := event.StateOf(event.Opening{
				Plan: file.Plan, Execution: "exec-example", Type: recovery.Drill,
				InitiatedBy: "user@example.com", StartTime: "2025-01-31T15:30:00Z",
			})
			data := t.TempDir()
			for i := range file.Plan.Waves {
				w := &file.Plan.Waves[i]
				var answer, told bytes.Buffer
				m := &Main{
					Stdin:  strings.NewReader(fmt.Sprintf(`{"action":"start_wave_recovery","wave_number":%d,"state":%s}`, w.Number, state)),
					Stdout: &answer, Stderr: &told, Env: func(string) string { return "" },
				}
				if code := m.Run(t.Context(), []string{"invoke", "--fleet", fleet, "--data", data, "--quiet", "-"}); code != exitDone {
					t.Fatalf("wave %d ends with %d: %s%s", w.Number, code, answer.Bytes(), told.Bytes())
				}
				var started struct {
					Status          string
					ServersLaunched int
				}
				if err := json.Unmarshal(answer.Bytes(), &started); err != nil || started.Status != "STARTED" || started.ServersLaunched != len(w.Servers) {
					t.Errorf("wave %d: got %+v, %v; want %d servers", w.Number, started, err, len(w.Servers))
				}
			}
		})
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
