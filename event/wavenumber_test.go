package event_test

import (
	"encoding/json"
	"strings"
	"testing"

	"muster/recovery"
)

func TestWaveNumberIsAnIntegerHoweverItIsSpelled(t *testing.T) {
	for _, spelling := range []string{"1", "1.0", "1.000", "1e0", "1E+0", "10e-1", "0.1e1", "100e-2", "1e00000000000000000000"} {
		for _, key := range []string{`"wave_number": 1`, `"waveNumber": 1`} {
			payload := edit(t, fixture(t, "start-wave-1.json"), key, strings.Replace(key, "1", spelling, 1))
			if w := accepted(t, payload); w.Wave.Number != 1 || w.Wave.Name != "Database Tier" {
				t.Errorf("%s spelled %s starts wave %d, %s", key, spelling, w.Wave.Number, w.Wave.Name)
			}
		}
	}
}

func TestWaveNumberIsNothingElse(t *testing.T) {
	for spelling, want := range map[string]string{
		`"1"`:                   "wave_number must be a number, not a string",
		`null`:                  "wave_number is missing",
		`true`:                  "wave_number must be a number, not a boolean",
		`[1]`:                   "wave_number must be a number, not an array",
		`{"n":1}`:               "wave_number must be a number, not an object",
		`1.5`:                   "wave_number must be a whole number, not 1.5",
		`1e-1`:                  "wave_number must be a whole number, not 1e-1",
		`1e-999999999999999999`: "wave_number must be a whole number",
		`-1`:                    "wave_number is -1, but a wave's number is from 0 to 999999",
		`1e400`:                 "wave_number is 1e400, but a wave's number is from 0",
		`1e999999999999999999`:  "wave_number is 1e999999999999999999, but a wave's number",
		`12345678901234567890`:  "wave_number is 12345678901234567890, but a wave's number",
		`1000000`:               "wave_number is 1000000, but a wave's number",
		`3`:                     "wave_number is 3, and no wave in state.waves has that waveNumber (there are: 1, 2)",
		`0`:                     "wave_number is 0, and no wave in state.waves has that waveNumber",
	} {
		f := refused(t, edit(t, fixture(t, "start-wave-1.json"), `"wave_number": 1`, `"wave_number": `+spelling))
		if f.Error != recovery.ValidationError || !strings.Contains(f.Message, want) {
			t.Errorf("wave_number %s: got %s %q, want %q", spelling, f.Error, f.Message, want)
		}
	}
}

func TestAnAbsentWaveNumberIsMissing(t *testing.T) {
	f := refused(t, edit(t, fixture(t, "start-wave-1.json"), `"wave_number": 1`, `"waveNumber": 1, "other": 1`))
	if f.Message != "wave_number is missing" || f.WaveNumber != nil {
		t.Errorf("got %q, waveNumber %v", f.Message, f.WaveNumber)
	}
}

// Numbers are names: a wave is never looked up by its place in the list.
func TestWaveNumberIsNeverAListIndex(t *testing.T) {
	payload := edit(t, fixture(t, "start-wave-1.json"), `"waveNumber": 1`, `"waveNumber": 0`, `"waveNumber": 2`, `"waveNumber": 1`,
		`"dependsOnWaves": [1]`, `"dependsOnWaves": [0]`)
	if w := accepted(t, payload); w.Wave.Name != "Application Tier" {
		t.Errorf("wave_number 1 starts %s", w.Wave.Name)
	}
	if w := accepted(t, edit(t, payload, `"wave_number": 1`, `"wave_number": 0`)); w.Wave.Name != "Database Tier" {
		t.Errorf("wave_number 0 starts %s", w.Wave.Name)
	}
}

func TestTheSameWaveNumberTwiceIsRefused(t *testing.T) {
	f := refused(t, edit(t, fixture(t, "start-wave-1.json"), `"waveNumber": 2`, `"waveNumber": 10e-1`, `"dependsOnWaves": [1]`, `"dependsOnWaves": []`))
	if want := "state.waves[1].waveNumber is 1, and so is that of state.waves[0]"; f.Message != want {
		t.Errorf("got %q, want %q", f.Message, want)
	}
}

func TestTheAnswerSpellsTheWaveNumberAsAnInteger(t *testing.T) {
	answer := invoke(t, &region{job: "drsjob-1"}, edit(t, fixture(t, "start-wave-1.json"), `"wave_number": 1`, `"wave_number": 1.0`))
	var state map[string]json.RawMessage
	if err := json.Unmarshal(answer, &state); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"waveNumber": "1", "currentWave": "1", "wave1Status": `"STARTED"`, "wave1JobId": `"drsjob-1"`} {
		if got := string(state[key]); got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
}
