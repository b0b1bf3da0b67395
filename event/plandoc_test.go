package event_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"muster/recovery"
)

// shopDocument is shop as its document, with a group of its own that names its
// servers and its account, as in a plan file.
const shopDocument = `{"version": 1, "plan": {"id": "rp-shop", "name": "Web shop"},
	"accountContext": {"accountId": "111111111111", "region": "us-east-1", "roleName": "Role"},
	"waves": [
		{"waveNumber": 1, "waveName": "Databases", "protectionGroupId": "pg-db"},
		{"waveNumber": 2, "servers": [{"serverId": "s-web-1", "launchConfig": {}}], "pauseBeforeWave": true}
	],
	"groups": {"pg-db": {"servers": ["s-db-1"], "launchConfig": {"instanceType": "r5.large"},
		"accountContext": {"accountId": "222222222222", "region": "us-east-1", "roleName": "Role"}}}}`

// What put_plan takes, get_plan prints; what it printed may be put back, and is
// the same plan.
func TestAPlanIsPutAndGotAsOneDocument(t *testing.T) {
	h := newHub(t)
	h.ask(op("put_plan", `"plan": `+shopDocument, byMe))
	var first, second struct {
		Version int64
		Plan    json.RawMessage
	}
	get := func(into any) {
		t.Helper()
		if err := json.Unmarshal(h.ask(op("get_plan", `"planId": "rp-shop"`)), into); err != nil {
			t.Fatal(err)
		}
	}
	get(&first)
	for _, says := range []string{`"version":1,"plan":{"id":"rp-shop","name":"Web shop"}`, `"accountId":"222222222222"`, `"serverId":"s-db-1"`} {
		if !bytes.Contains(first.Plan, []byte(says)) {
			t.Errorf("%s is not in %s", says, first.Plan)
		}
	}
	h.ask(op("put_plan", `"plan": `+string(first.Plan), byMe))
	if get(&second); second.Version != 1 || string(second.Plan) != string(first.Plan) {
		t.Errorf("version %d is\n%s\nand was\n%s", second.Version, second.Plan, first.Plan)
	}
	if answer := h.ask(op("start_execution", `"plan": `+shopDocument, `"executionType": "DRILL"`, exec1, byMe)); !bytes.Contains(answer, []byte(`"started":true`)) {
		t.Errorf("it is not begun: %s", answer)
	}
	if answer := h.ask(op("start_execution", `"planId": "rp-shop"`, `"executionType": "DRILL"`, exec1, byMe)); !bytes.Contains(answer, []byte(`"started":false`)) {
		t.Errorf("the same plan, stored, is another one: %s", answer)
	}
}

func TestADocumentIsReadByOneReaderWhoeverSendsIt(t *testing.T) {
	h := newHub(t)
	for change, want := range map[string]string{
		`"version": 1|"version": 2`:                     "plan.version must be 1, the only version that there is",
		`"version": 1|"version": 1, "needs": ["steps"]`: `plan.needs[0] "steps" is nothing that this version of Muster knows`,
		`"pauseBeforeWave": true|"pauseBefore": true`:   "plan.waves[1].pauseBefore is not known here; there are: accountContext, dependsOnWaves,",
		`"pauseBeforeWave": true|"launchOrder": 2`:      "plan.waves[1].launchOrder is not known here", // which says what waveNumber does
		`"s-web-1"|7`: "plan.waves[1].servers[0].serverId must be a string, not a number: put it between quotes",
		`[{"serverId": "s-web-1", "launchConfig": {}}]|["s-web-1"]`:    "plan.waves[1].servers[0] must be an object such as {serverId: s-0123456789abcdef0}, not a string",
		`"instanceType": "r5.large"|"instanceTyp": "r5.large"`:         `plan.groups["pg-db"].launchConfig.instanceTyp is not known here`,
		`"waveNumber": 2|"waveNumber": 2, "dependsOnWaves": [1, 7]`:    "plan.waves[1].dependsOnWaves[1]: there is no wave 7; there are 1, 2",
		`"waveNumber": 2|"waveNumber": 1`:                              "plan.waves[1].waveNumber: wave 1 is there already",
		`"roleName": "Role"},` + "\n|" + `"roleName": "Role"},"x": 1,`: "plan.x is not known here",
	} {
		old, with, _ := strings.Cut(change, "|")
		f := failed(t, h.ask(op("put_plan", `"plan": `+edit(t, shopDocument, old, with), byMe)))
		if f.Error != recovery.ValidationError || !strings.HasPrefix(f.Message, want) || strings.Contains(f.Message, "; plan.") {
			t.Errorf("%s:\ngot  %s\nwant %s", with, f.Message, want)
		}
	}
}
