package event_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/recovery"
)

// after gives an event whose wave 1 depends on what list says, in a plan that
// has waves 2 and 3 too, with more members in its state.
func after(t *testing.T, list, members string) string {
	return edit(t, tiny, `[{"waveNumber":1,`, `[{"waveNumber":2},{"waveNumber":3.0,"accountContext":{"accountId":"333333333333","region":"eu-west-1","roleName":"Other"}},`+
		`{"waveNumber":1,"dependsOnWaves":`+list+`,`, `"startTime":"now"`, `"startTime":"now"`+members)
}

func TestADependencyTellsItsStatusItsJobAndItsAccount(t *testing.T) {
	w := accepted(t, after(t, `[2, 3.0, 2e0]`, `,"wave2Status":"COMPLETED","wave3Status":"odd\u0000","wave3JobId":"drsjob-3","wave9JobId":7`))
	want := []recovery.Dependency{
		{Wave: 2, Status: "COMPLETED", Account: recovery.AccountContext{AccountID: "123456789012", Region: "us-east-1", RoleName: "Role"}},
		{Wave: 3, Status: "odd\x00", JobID: "drsjob-3", Account: recovery.AccountContext{AccountID: "333333333333", Region: "eu-west-1", RoleName: "Other"}},
	}
	if diff := cmp.Diff(want, w.Dependencies); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// State machines in the field may poll in their own way and keep neither.
func TestADependencyOfWhichNothingIsKnownIsLeftToBeJudged(t *testing.T) {
	for _, members := range []string{``, `,"wave2Status":null,"wave2JobId":null`, `,"wave2JobId":""`} {
		w := accepted(t, after(t, `[2]`, members))
		if d := w.Dependencies[0]; d.Status != "" || d.JobID != "" {
			t.Errorf("%s: got %+v", members, d)
		}
	}
}

func TestADependencyNamesAnotherWaveOfThePlan(t *testing.T) {
	for list, want := range map[string]string{
		`[1]`:       "state.waves[2].dependsOnWaves names wave 1 itself",
		`[2,7]`:     "state.waves[2].dependsOnWaves names wave 7, which state.waves does not have",
		`["2"]`:     "state.waves[2].dependsOnWaves[0] must be a number, not a string",
		`[2,2.5]`:   "state.waves[2].dependsOnWaves[1] must be a whole number, not 2.5",
		`[null]`:    "state.waves[2].dependsOnWaves[0] is missing",
		`[[2]]`:     "state.waves[2].dependsOnWaves[0] must be a number, not an array",
		`[1e99999]`: "state.waves[2].dependsOnWaves[0] is 1e99999, but",
		`2`:         "state.waves[2].dependsOnWaves must be an array, not a number",
		`{"2":1}`:   "state.waves[2].dependsOnWaves must be an array, not an object",
	} {
		if f := refused(t, after(t, list, "")); !strings.HasPrefix(f.Message, want) || strings.Contains(f.Message, "; ") {
			t.Errorf("%s: got %q, want only %q", list, f.Message, want)
		}
	}
}

func TestWhatIsSaidOfADependencyIsChecked(t *testing.T) {
	for member, want := range map[string]string{
		`,"wave2Status":1`:                       "state.wave2Status must be a string, not a number",
		`,"wave2JobId":["drsjob-1"]`:             "state.wave2JobId must be a string, not an array",
		`,"wave2JobId":"job-1"`:                  `state.wave2JobId "job-1" is not an id of the form drsjob-`,
		`,"wave2Status":"A","wave2Status":"A"`:   "state.wave2Status is given more than once",
		`,"wave2JobId":null,"wave2\u004aobId":1`: "state.wave2JobId is given more than once",
	} {
		if f := refused(t, after(t, `[2]`, member)); !strings.Contains(f.Message, want) {
			t.Errorf("%s: got %q, want %q", member, f.Message, want)
		}
	}
}

func TestNoDependenciesAreSpelledInThreeWays(t *testing.T) {
	for _, none := range []string{`[]`, `null`, `[ ]`} {
		if w := accepted(t, after(t, none, "")); len(w.Dependencies) != 0 {
			t.Errorf("%s: got %v", none, w.Dependencies)
		}
	}
}

// A mistake in a wave of tomorrow must not hold up today's recovery, and a
// large plan leaves other waves' servers out. What says which wave is which,
// and what orders them, has to be right everywhere.
func TestOfOtherWavesOnlyNumberAndOrderAreChecked(t *testing.T) {
	other := func(members string) string { return edit(t, tiny, waveOne, waveOne+`,{"waveNumber":2`+members+`}`) }
	for _, members := range []string{``, `,"serverCount":100`, `,"servers":"?"`, `,"servers":[{"serverId":"../"}]`, `,"protectionGroupId":7`,
		`,"accountContext":{}`, `,"waveName":[]`, `,"dependsOnWaves":[9]`, `,"dependsOnWaves":[2]`, `,"dependsOnWaves":null`} {
		accepted(t, other(members))
	}
	for members, want := range map[string]string{
		`,"dependsOnWaves":1`:     "state.waves[1].dependsOnWaves must be an array",
		`,"dependsOnWaves":["1"]`: "state.waves[1].dependsOnWaves[0] must be a number",
	} {
		if f := refused(t, other(members)); !strings.Contains(f.Message, want) {
			t.Errorf("%s: got %q, want %q", members, f.Message, want)
		}
	}
	for element, want := range map[string]string{
		`null`:               "state.waves[1] is missing",
		`2`:                  "state.waves[1] must be an object, not a number",
		`{}`:                 "state.waves[1].waveNumber is missing",
		`{"waveNumber":"2"}`: "state.waves[1].waveNumber must be a number, not a string",
		`{"waveNumber":1.5}`: "state.waves[1].waveNumber must be a whole number",
		`{"waveNumber":1}`:   "state.waves[1].waveNumber is 1, and so is that of state.waves[0]",
	} {
		if f := refused(t, edit(t, tiny, waveOne, waveOne+","+element)); !strings.Contains(f.Message, want) {
			t.Errorf("%s: got %q, want %q", element, f.Message, want)
		}
	}
}
