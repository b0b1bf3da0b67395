package event_test

import (
	"bytes"
	"strings"
	"testing"

	"muster/recovery"
)

// The account of a stored group, and the external id with it, is for the
// group's own settings: a caller's own plan cannot launch there what it likes.
func TestACallersOwnPlanTakesAStoredGroupsAccountWithTheGroupsSettingsAlone(t *testing.T) {
	inline := func(servers string) string {
		return op("start_execution", `"plan": {"planId": "rp-mine", "accountContext": {"accountId": "222222222222", "region": "eu-west-1", "roleName": "Admin"},
			"waves": [{"waveNumber": 1, "waveName": "Mine", "protectionGroupId": "pg-db"`+servers+`}]}`, `"executionType": "DRILL"`, byMe, exec1)
	}
	h := newHub(t)
	h.ask(op("put_group", `"group": `+databases, byMe))
	f := failed(t, h.ask(inline(`, "servers": [{"serverId": "s-db-1"}, {"serverId": "s-db-2", "launchConfig": {"instanceProfile": "Admin", "licensing": {"osByol": false}}}]`)))
	for _, want := range []string{"plan rp-mine: wave 1", "pg-db", "s-db-2 (instanceProfile, licensing.osByol)", "put_plan", "leave those settings away"} {
		if f.Error != recovery.ValidationError || !strings.Contains(f.Message, want) {
			t.Errorf("got %s %q, want %q", f.Error, f.Message, want)
		}
	}
	if strings.Contains(f.Message, "planted") || strings.Contains(f.Message, "s-db-1") {
		t.Errorf("says too much: %s", f.Message)
	}
	if n := len(h.jobs) + len(h.runs) + len(h.assumed); n > 0 {
		t.Fatalf("something was begun: %v %v %v", h.jobs, h.runs, h.assumed)
	}
	if answer := h.ask(inline(`, "servers": [{"serverId": "s-db-1", "launchConfig": {}}]`)); !bytes.Contains(answer, []byte(`"statusCode":200`)) {
		t.Fatalf("with the group's own settings: %s", answer)
	}
	h.run("exec-1")
	for _, a := range h.assumed {
		if a.RoleName != "Role" || a.Region != "us-east-1" || a.ExternalID.Reveal() != "planted-id-of-the-group" {
			t.Errorf("it was recovered in %+v, want the group's account, whole", a)
		}
	}
	if len(h.assumed) == 0 {
		t.Error("nothing was recovered: this proves nothing")
	}
}
