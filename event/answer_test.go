package event_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"muster/recovery"
)

func TestKeysThatStandAreReplacedWhereTheyStandAndNewOnesFollow(t *testing.T) {
	payload := edit(t, tiny, `{"executionId"`, `{ "status" : {"old":[1,2]}  , "executionId"`, `"startTime":"now"}`, `"startTime":"now", "wave1JobId":null,"z":[ 1e400 ] }`)
	got := string(invoke(t, &region{job: "drsjob-1"}, payload))
	state := string(stateOf(t, payload))
	want := edit(t, state, `{"old":[1,2]}`, `"STARTED"`, `"wave1JobId":null`, `"wave1JobId":"drsjob-1"`,
		`"z":[ 1e400 ] }`, `"z":[ 1e400 ],"waveNumber":1,"waveName":null,"drsJobId":"drsjob-1","serversLaunched":1,"wave1Status":"STARTED" }`)
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAStateThatIsLaidOutForPeopleStaysSo(t *testing.T) {
	payload := edit(t, tiny, `"startTime":"now"}`, "\r\n\t\"startTime\" :  \"now\"\r\n}")
	got := string(invoke(t, &region{job: "drsjob-1"}, payload))
	if !strings.HasSuffix(got, ",\r\n\t\"wave1JobId\" :  \"drsjob-1\",\r\n\t\"wave1Status\" :  \"STARTED\"\r\n}") {
		t.Errorf("got %q", got)
	}
}

func TestTheWavesNameComesBackByteForByte(t *testing.T) {
	for _, name := range []string{`"Database Tier"`, `"\u0044atabase <Tier> & \/ \ud800 \u2028"`, `"` + "王\u2028\u202e" + `"`, `""`, `null`} {
		payload := edit(t, tiny, `"waveNumber":1`, `"waveNumber":1,"waveName":`+name)
		if got := invoke(t, &region{job: "drsjob-1"}, payload); !bytes.Contains(got, []byte(`,"waveName":`+name+`,"drsJobId"`)) {
			t.Errorf("%s: got %s", name, got)
		}
	}
	if f := refused(t, edit(t, tiny, `"waveNumber":1`, `"waveNumber":1,"waveName":7`)); f.Message != "state.waves[0].waveName must be a string, not a number" {
		t.Errorf("got %q", f.Message)
	}
}

func TestServersThatWereNotAcceptedAreListedAndNotCounted(t *testing.T) {
	payload := fixture(t, "start-wave-1-five-servers.json")
	got := object(t, invoke(t, &region{job: "drsjob-1", notAccepted: []recovery.SourceServerID{"s-db-03", "s-db-05"}}, payload))
	if got["serversLaunched"] != 3.0 || len(got["serversNotAccepted"].([]any)) != 2 || got["serversNotAccepted"].([]any)[0] != "s-db-03" {
		t.Errorf("serversLaunched %v, serversNotAccepted %v", got["serversLaunched"], got["serversNotAccepted"])
	}
	if got := object(t, invoke(t, &region{job: "drsjob-1"}, payload)); got["serversNotAccepted"] != nil {
		t.Errorf("all were accepted: %v", got["serversNotAccepted"])
	}
}

// A patch takes nothing away, and an earlier wave's list would speak of this one.
func TestAnEarlierWavesUnacceptedServersDoNotSurvive(t *testing.T) {
	answer := invoke(t, &region{job: "drsjob-1"}, stateField(t, `"serversNotAccepted":["s-9"]`))
	if !bytes.Contains(answer, []byte(`"serversNotAccepted":[]`)) || bytes.Contains(answer, []byte("s-9")) {
		t.Errorf("got %s", answer)
	}
}

// padded gives an event whose state is n bytes long.
func padded(t *testing.T, n int) string {
	payload := stateField(t, `"note":"-"`)
	return edit(t, payload, `"note":"-"`, `"note":"`+strings.Repeat("x", n-len(stateOf(t, payload))+1)+`"`)
}

const limit = 240 << 10

func TestAnAnswerThatCouldNotTravelIsRefusedBeforeAnythingStarts(t *testing.T) {
	// The longest id of a job that a state can carry, twice, and what else is set.
	worst := len(invoke(t, &region{job: recovery.JobID("drsjob-" + strings.Repeat("0", 64)), notAccepted: []recovery.SourceServerID{"s-1"}}, tiny)) - len(stateOf(t, tiny))
	r := &region{job: recovery.JobID("drsjob-" + strings.Repeat("0", 64)), notAccepted: []recovery.SourceServerID{"s-1"}}
	if answer := invoke(t, r, padded(t, limit-worst)); len(r.asked) != 1 || len(answer) != limit {
		t.Errorf("the largest that fits: started %d times, answer of %d bytes", len(r.asked), len(answer))
	}
	payload := padded(t, limit-worst+1)
	f := refused(t, payload)
	if f.Error != recovery.ValidationError || !strings.Contains(f.Message, "245761 bytes") || f.StateOmitted || string(f.State) != string(stateOf(t, payload)) {
		t.Errorf("one byte more: %s %q, state omitted: %v", f.Error, f.Message, f.StateOmitted)
	}
}

func TestAStateThatCouldNotTravelIsLeftOutAndThatIsSaid(t *testing.T) {
	if f := refused(t, padded(t, limit)); f.StateOmitted || len(f.State) != limit {
		t.Errorf("at the limit: omitted %v, %d bytes", f.StateOmitted, len(f.State))
	}
	f := refused(t, padded(t, limit+1))
	if !f.StateOmitted || string(f.State) != "null" || f.Error != recovery.ValidationError || *f.ExecutionID != "exec-1" || *f.WaveNumber != 1 {
		t.Errorf("got %+v", f)
	}
	if f := refused(t, edit(t, padded(t, limit+1), `"start_wave_recovery"`, `"x"`)); !f.StateOmitted || f.Error != recovery.UnknownAction {
		t.Errorf("got %s, omitted %v", f.Error, f.StateOmitted)
	}
}

func TestAMessageNeverKeepsAnAnswerFromTravelling(t *testing.T) {
	for _, text := range []string{"x", "\x01", "王", "\"", "\xff"} {
		long := &recovery.Error{Code: recovery.LaunchConfigError, Message: strings.Repeat(text, 300<<10)}
		for _, size := range []int{1000, limit / 2, limit - 600} {
			answer := invoke(t, &region{err: long}, padded(t, size))
			if f := failed(t, answer); len(answer) > limit+5<<10 || !strings.HasSuffix(f.Message, " bytes more)") || len(f.State) != size {
				t.Errorf("%q, state of %d bytes: answer of %d bytes, message ends %q", text, size, len(answer), f.Message[len(f.Message)-20:])
			}
		}
	}
}

func TestAFailuresIdentityIsNullWhereItIsNotSaidProperly(t *testing.T) {
	for _, wrong := range []string{`"../x"`, `7`, `"a","executionId":"a"`} {
		if f := refused(t, edit(t, tiny, `"exec-1"`, wrong)); f.ExecutionID != nil || *f.WaveNumber != 1 {
			t.Errorf("%s: executionId %v, waveNumber %v", wrong, f.ExecutionID, f.WaveNumber)
		}
	}
	if f := refused(t, edit(t, tiny, `"wave_number":1`, `"wave_number":1.5`)); f.WaveNumber != nil || *f.ExecutionID != "exec-1" {
		t.Errorf("executionId %v, waveNumber %v", f.ExecutionID, f.WaveNumber)
	}
}

func TestAFailuresKeysAreAlwaysThereAndInOrder(t *testing.T) {
	for _, payload := range []string{``, `{}`, `[]`, `{"action":"x","state":{},"wave_number":{}}`} {
		var order []string
		d := json.NewDecoder(bytes.NewReader(invoke(t, &region{}, payload)))
		depth := 0
		for key := true; ; {
			token, err := d.Token()
			if err != nil {
				break
			}
			switch token {
			case json.Delim('{'):
				depth++
				key = true
				continue
			case json.Delim('}'):
				depth--
				key = true
				continue
			}
			if depth == 1 && key {
				order = append(order, token.(string))
			}
			key = !key
		}
		if got := strings.Join(order, " "); got != "error message executionId waveNumber retryable state" {
			t.Errorf("%s: %s", payload, got)
		}
	}
}
