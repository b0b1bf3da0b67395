package main_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"muster/simulator"
)

// At its most verbose, and whatever goes wrong, the function logs no secret,
// nothing that drives a terminal, and only JSON.
func TestWhateverGoesWrongTheLogsHoldNoSecret(t *testing.T) {
	const id, word = "ext/Zq7PlantedWord+=1", "Zq7PlantedWord"
	event := func(says string) []byte {
		return []byte(strings.Replace(string(example(t, "start-wave-1.json")), `"unique-external-id"`, says, 1))
	}
	for name, c := range map[string]struct {
		event []byte
		fault string
		want  string // in the answer
		time  time.Duration
	}{
		"all is well":             {event: event(`"` + id + `"`), want: `"status": "STARTED"`},
		"the wrong external id":   {event: event(`"not-` + id + `"`), want: "CROSS_ACCOUNT_ERROR"},
		"a malformed external id": {event: event(`"` + word + `\u001b[2J"`), want: "VALIDATION_ERROR"},
		"AWS repeats it":          {event: event(`"` + id + `"`), fault: "Refuse:operation=AssumeRole,code=ValidationError,status=400,message=" + id, want: "[redacted]"},
		"DRS repeats it":          {event: event(`"` + id + `"`), fault: "Refuse:operation=StartRecovery,code=ValidationException,message=" + id, want: "[redacted]"},
		"the connection breaks":   {event: event(`"` + id + `"`), fault: "DropBefore:operation=AssumeRole,times=1", want: `"status": "STARTED"`},
		"the answer is lost":      {event: event(`"` + id + `"`), fault: "DropAnswerAfter:operation=StartRecovery,times=1", want: `"status": "STARTED"`},
		"time is over":            {event: event(`"` + id + `"`), want: "Muster.NoTimeLeft", time: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fleet, err := simulator.LoadFleet("specification")
			if err != nil {
				t.Fatal(err)
			}
			fleet.Accounts["123456789012"].Roles[0].ExternalID = id
			var o simulator.Options
			if c.fault != "" {
				f, err := simulator.ParseFault(c.fault)
				if err != nil {
					t.Fatal(err)
				}
				o.Faults = append(o.Faults, f)
			}
			world, err := simulator.New(fleet, o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { world.Close() })
			if c.time == 0 {
				c.time = time.Minute
			}
			f := startFunction(t, world, "MUSTER_LOG_LEVEL=debug")
			r := f.invoke(c.event, c.time)
			if !strings.Contains(r.body, c.want) {
				t.Errorf("the answer lacks %s: %s", c.want, r.body)
			}
			f.stop()
			logs := f.logs.String()
			for _, secret := range []string{word, "planted-secret-key", "SessionToken"} {
				if strings.Contains(logs, secret) {
					t.Errorf("the logs hold %s:\n%s", secret, logs)
				}
			}
			for line := range strings.Lines(logs) {
				if !json.Valid([]byte(line)) || strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\x1b\u009b\u202e") {
					t.Errorf("a line of the log is %q", line)
				}
			}
			if logs == "" {
				t.Error("nothing was logged")
			}
			for _, call := range f.dynamodb.Calls() {
				if strings.Contains(string(call.Body), word) {
					t.Errorf("it is in what %s sent to the record: %s", call.Operation, call.Body)
				}
			}
		})
	}
}
