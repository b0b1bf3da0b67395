package event_test

import (
	"fmt"
	"strings"
	"testing"

	"muster/recovery"
)

// tiny is a valid event with nothing optional in it.
const tiny = `{"action":"start_wave_recovery","wave_number":1,"state":{"executionId":"exec-1","planId":"rp-1",` +
	`"accountContext":{"accountId":"123456789012","region":"us-east-1","roleName":"Role"},` +
	`"waves":[{"waveNumber":1,"servers":[{"serverId":"s-1","launchConfig":{}}]}],` +
	`"currentWave":1,"executionType":"DRILL","initiatedBy":"me","startTime":"now"}}`

func TestTheLeastThatIsValidIsAccepted(t *testing.T) {
	w := accepted(t, tiny)
	if w.Policy != recovery.Continuous || w.Wave.Servers[0].ID != "s-1" || w.Type != recovery.Drill {
		t.Errorf("got %+v", w)
	}
}

func TestEveryRequiredFieldIsAskedForByItsPath(t *testing.T) {
	for _, c := range []struct{ member, path string }{
		{`"executionId":"exec-1"`, "state.executionId"},
		{`"planId":"rp-1"`, "state.planId"},
		{`"accountContext":{"accountId":"123456789012","region":"us-east-1","roleName":"Role"}`, "state.accountContext"},
		{`"accountId":"123456789012"`, "state.accountContext.accountId"},
		{`"region":"us-east-1"`, "state.accountContext.region"},
		{`"roleName":"Role"`, "state.accountContext.roleName"},
		{`"waves":[{"waveNumber":1,"servers":[{"serverId":"s-1","launchConfig":{}}]}]`, "state.waves"},
		{`"waveNumber":1`, "state.waves[0].waveNumber"},
		{`"servers":[{"serverId":"s-1","launchConfig":{}}]`, "state.waves[0].servers"},
		{`"serverId":"s-1"`, "state.waves[0].servers[0].serverId"},
		{`"currentWave":1`, "state.currentWave"},
		{`"executionType":"DRILL"`, "state.executionType"},
		{`"initiatedBy":"me"`, "state.initiatedBy"},
		{`"startTime":"now"`, "state.startTime"},
		{`"wave_number":1`, "wave_number"},
	} {
		key, _, _ := strings.Cut(c.member, ":")
		for _, instead := range []string{`"x":0`, key + ":null"} {
			f := refused(t, edit(t, tiny, c.member, instead))
			if !strings.Contains(f.Message, c.path+" is missing") {
				t.Errorf("%s instead of %s: %q does not say that %s is missing", instead, c.member, f.Message, c.path)
			}
		}
		f := refused(t, edit(t, tiny, c.member, key+":true"))
		if !strings.Contains(f.Message, c.path+" must be ") {
			t.Errorf("%s is true: %q does not say what %s must be", key, f.Message, c.path)
		}
	}
}

func TestTheStateItselfIsRequired(t *testing.T) {
	for payload, want := range map[string]string{
		`{"action":"start_wave_recovery","wave_number":1}`:                "state is missing",
		`{"action":"start_wave_recovery","wave_number":1,"state":null}`:   "state is missing",
		`{"action":"start_wave_recovery","wave_number":1,"state":[1]}`:    "state must be an object, not an array",
		`{"action":"start_wave_recovery","wave_number":1,"state":"{}"}`:   "state must be an object, not a string",
		`{"action":"start_wave_recovery","wave_number":1,"state":1e400 }`: "state must be an object, not a number",
	} {
		if f := refused(t, payload); f.Message != want {
			t.Errorf("%s: got %q, want %q", payload, f.Message, want)
		}
	}
}

func TestOneAnswerNamesEverythingThatIsWrong(t *testing.T) {
	f := refused(t, edit(t, tiny, `"executionId":"exec-1",`, ``, `"us-east-1"`, `7`, `"DRILL"`, `"drill"`, `"s-1"`, `"i-1"`, `"launchConfig":{}`, `"launchConfig":{"subnet":"x"}`))
	for _, want := range []string{
		"state.executionId is missing",
		"state.accountContext.region must be a string, not a number",
		`state.executionType "drill" must be one of DRILL, RECOVERY`,
		`state.waves[0].servers[0].serverId "i-1" is not an id`,
		`state.waves[0].servers[0].launchConfig.subnet "x" is not an id`,
	} {
		if !strings.Contains(f.Message, want) {
			t.Errorf("%q does not say: %s", f.Message, want)
		}
	}
	if n := strings.Count(f.Message, "; ") + 1; n != 5 {
		t.Errorf("%d problems in %q, want 5", n, f.Message)
	}
}

func TestOfVeryManyProblemsTwentyAreNamedAndTheRestCounted(t *testing.T) {
	var servers []string
	for range 50 {
		servers = append(servers, `{"serverId":"nonsense"}`)
	}
	f := refused(t, edit(t, tiny, `{"serverId":"s-1","launchConfig":{}}`, strings.Join(servers, ",")))
	// Of each of the 50: id, launch configuration; and once, that they are one.
	if !strings.HasSuffix(f.Message, "; and 81 more") || strings.Count(f.Message, "; ") != 20 {
		t.Errorf("got %q", f.Message)
	}
}

func TestExecutionTypeIsNeverGuessed(t *testing.T) {
	for _, wrong := range []string{`"drill"`, `"Recovery"`, `""`, `"DRILL "`, `"TEST"`, `0`, `null`} {
		f := refused(t, edit(t, tiny, `"DRILL"`, wrong))
		if !strings.Contains(f.Message, "state.executionType ") {
			t.Errorf("%s: %q", wrong, f.Message)
		}
	}
	if w := accepted(t, edit(t, tiny, `"DRILL"`, `"RECOVERY"`)); w.Type != recovery.Recovery {
		t.Errorf("RECOVERY is read as %s", w.Type)
	}
}

// A machine that does not count waves by itself still has the one before.
func TestCurrentWaveNeedNotBeTheWaveToBeStarted(t *testing.T) {
	for _, n := range []string{"0", "7", "1.0", "-1", "1e400"} {
		accepted(t, edit(t, tiny, `"currentWave":1`, `"currentWave":`+n))
	}
	for _, n := range []string{`"1"`, "1.5"} {
		refused(t, edit(t, tiny, `"currentWave":1`, `"currentWave":`+n))
	}
}

func TestAWaveHasOneToAHundredServers(t *testing.T) {
	servers := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`{"serverId":"s-%d","launchConfig":{}}`, i))
		}
		return edit(t, tiny, `{"serverId":"s-1","launchConfig":{}}`, strings.Join(list, ","))
	}
	if f := refused(t, servers(0)); f.Message != "state.waves[0].servers is empty: a wave needs at least 1 server" {
		t.Errorf("none: %q", f.Message)
	}
	if w := accepted(t, servers(100)); len(w.Wave.Servers) != 100 {
		t.Errorf("100: got %d", len(w.Wave.Servers))
	}
	if f := refused(t, servers(101)); f.Message != "state.waves[0].servers has 101 servers, and DRS takes at most 100 in one job: split it" {
		t.Errorf("101: %q", f.Message)
	}
}
