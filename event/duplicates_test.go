package event_test

import (
	"bytes"
	"strings"
	"testing"

	"muster/recovery"
)

const waveOne = `{"waveNumber":1,"servers":[{"serverId":"s-1","launchConfig":{}}]}`

// Readers disagree about which of two counts, so there must be one of
// whatever we read or write, however it is spelled.
func TestADuplicateOfAKeyThatWeReadOrWriteIsRefused(t *testing.T) {
	for _, c := range []struct{ old, with, path string }{
		{`"wave_number":1`, `"wave_number":1,"wave_number":1`, "wave_number"},
		{`"action":"start_wave_recovery"`, `"action":"start_wave_recovery","action":""`, "action"},
		{`{"action"`, `{"state":1,"action"`, "state"},
		{`"planId":"rp-1"`, `"planId":"rp-1","planId":"rp-1"`, "state.planId"},
		{`"planId":"rp-1"`, `"planId":"rp-1","plan\u0049d":"rp-1"`, "state.planId"},
		{`"planId":"rp-1"`, `"planId":"rp-1","\u0070\u006C\u0061\u006e\u0049\u0064":"rp-2"`, "state.planId"},
		{`"region":"us-east-1"`, `"region":"us-east-1","region":"us-east-2"`, "state.accountContext.region"},
		{`"roleName":"Role"`, `"roleName":"Role","externalId":"ab","externalId":"ab"`, "state.accountContext.externalId"},
		{`"waves":`, `"waves":[],"waves":`, "state.waves"},
		{`"waveNumber":1`, `"waveNumber":1,"waveNumber":1`, "state.waves[0].waveNumber"},
		{`"waveNumber":1`, `"waveNumber":1,"servers":[]`, "state.waves[0].servers"},
		{`"waveNumber":1`, `"waveNumber":1,"waveName":"a","waveName":"a"`, "state.waves[0].waveName"},
		{`"waveNumber":1`, `"waveNumber":1,"dependsOnWaves":[],"dependsOnWaves":[]`, "state.waves[0].dependsOnWaves"},
		{`"serverId":"s-1"`, `"serverId":"s-1","serverId":"s-2"`, "state.waves[0].servers[0].serverId"},
		{`"launchConfig":{}`, `"launchConfig":{},"launchConfig":null`, "state.waves[0].servers[0].launchConfig"},
		{`"launchConfig":{}`, `"launchConfig":{"subnet":null,"subnet":null}`, "state.waves[0].servers[0].launchConfig.subnet"},
		{`"launchConfig":{}`, `"launchConfig":{"licensing":{"osByol":true,"osByol":false}}`, "state.waves[0].servers[0].launchConfig.licensing.osByol"},
		{`"startTime":"now"`, `"startTime":"now","waveNumber":1,"waveNumber":2`, "state.waveNumber"},
		{`"startTime":"now"`, `"startTime":"now","drsJobId":1,"drsJobId":2`, "state.drsJobId"},
		{`"startTime":"now"`, `"startTime":"now","status":1,"status":2`, "state.status"},
		{`"startTime":"now"`, `"startTime":"now","waveName":1,"waveName":2`, "state.waveName"},
		{`"startTime":"now"`, `"startTime":"now","serversLaunched":1,"serversLaunched":2`, "state.serversLaunched"},
		{`"startTime":"now"`, `"startTime":"now","serversNotAccepted":1,"serversNotAccepted":2`, "state.serversNotAccepted"},
		{`"startTime":"now"`, `"startTime":"now","currentWave":2`, "state.currentWave"},
		{`"startTime":"now"`, `"startTime":"now","wave1JobId":1,"wave\u0031JobId":2`, "state.wave1JobId"},
		{`"startTime":"now"`, `"startTime":"now","wave1Status":1,"wave1Status":2`, "state.wave1Status"},
		{`"startTime":"now"`, `"startTime":"now","readinessPolicy":null,"readinessPolicy":null`, "state.readinessPolicy"},
		{`"startTime":"now"`, `"startTime":"now","replaceLiveInstances":[],"replaceLiveInstances":[]`, "state.replaceLiveInstances"},
		{`"startTime":"now"`, `"startTime":"now","protectionGroups":{},"protectionGroups":{}`, "state.protectionGroups"},
	} {
		f := refused(t, edit(t, tiny, c.old, c.with))
		if want := c.path + " is given more than once"; f.Error != recovery.ValidationError || strings.Count(f.Message, want) != 1 {
			t.Errorf("%s: got %s %q, want once %q", c.with, f.Error, f.Message, want)
		}
	}
}

func TestADuplicateOfAKeyThatIsNotOursIsKept(t *testing.T) {
	for _, c := range []struct{ old, with string }{
		{`"startTime":"now"`, `"startTime":"now","note":1,"note":2,"":3,"":3`},
		{`"startTime":"now"`, `"startTime":"now","wave2JobId":1,"wave2JobId":2`}, // of a wave that nothing here depends on
		{`"roleName":"Role"`, `"roleName":"Role","note":1,"note":1`},
		{`"serverId":"s-1"`, `"serverId":"s-1","tags":{"a":1,"a":2},"tags":0`},
		{`"launchConfig":{}`, `"launchConfig":{"x":1,"x":2}`},
		{waveOne, waveOne + `,{"waveNumber":2,"servers":1,"servers":2}`}, // another wave's business
	} {
		payload := edit(t, tiny, c.old, c.with)
		if answer := invoke(t, &region{job: "drsjob-1"}, payload); !bytes.Contains(answer, []byte(c.with)) {
			t.Errorf("%s did not come back: %s", c.with, answer)
		}
	}
}

func TestTheSameServerTwiceInOneWaveIsRefused(t *testing.T) {
	f := refused(t, edit(t, tiny, `{"serverId":"s-1","launchConfig":{}}`, `{"serverId":"s-1","launchConfig":{}},{"serverId":"\u0073-1","launchConfig":{}}`))
	if want := "state.waves[0].servers[1] s-1 is named twice"; f.Message != want {
		t.Errorf("got %q, want %q", f.Message, want)
	}
	accepted(t, edit(t, tiny, waveOne, waveOne+`,{"waveNumber":2,"servers":[{"serverId":"s-1"}]}`))
}

func TestAnEscapedSpellingOfAKeyIsThatKey(t *testing.T) {
	payload := edit(t, tiny, `"serverId":"s-1"`, `"\u0073erverId":"s-\u0031"`, `"currentWave":1`, `"current\u0057ave":7`)
	r := &region{job: "drsjob-1"}
	answer := invoke(t, r, payload)
	if id := r.asked[0].Wave.Servers[0].ID; id != "s-1" {
		t.Errorf("the server is %q", id)
	}
	if !bytes.Contains(answer, []byte(`"current\u0057ave":1,`)) || bytes.Contains(answer, []byte(`"currentWave"`)) {
		t.Errorf("currentWave was not set where it stands: %s", answer)
	}
}
