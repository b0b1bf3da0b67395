package event_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/event"
	"muster/recovery"
)

// message gives the message of an answer that must be a refusal with a code.
func (w *walk) message(answer []byte, code recovery.Code) string {
	w.t.Helper()
	f := failed(w.t, answer)
	if f.Error != code {
		w.t.Fatalf("got %s, want %s: %s", f.Error, code, f.Message)
	}
	return f.Message
}

func TestAPlanIsReadWhole(t *testing.T) {
	w := newWalk(t)
	o := opening()
	w.do("begin_execution", string(event.StateOf(o)))
	if len(w.begun) != 1 {
		t.Fatalf("begun %d times", len(w.begun))
	}
	got, want := w.begun[0], *o.Plan
	want.Groups = maps.Clone(o.Groups)
	delete(want.Groups, "pg-other")
	for i := range want.Waves { // a state says what a plan leaves to defaults
		want.Waves[i].OnFailure = want.Waves[i].OnFailure.OrDefault()
		want.Waves[i].Timeout = want.Waves[i].TimeLimit()
	}
	if diff := cmp.Diff(&want, got.Plan); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got.Execution != o.Execution || got.Type != o.Type || got.StartTime != o.StartTime || got.InitiatedBy != o.InitiatedBy || got.PollEvery != 0 {
		t.Errorf("got %+v", got)
	}
	again := newWalk(t)
	again.do("begin_execution", edit(t, twoWaves, `"executionId": "exec-1"`, `"executionId": "exec-1", "pollSeconds": 2.0`))
	if every := again.begun[0].PollEvery; every != 2*time.Second {
		t.Errorf("polled every %v", every)
	}
}

func TestAPlanThatIsWrongIsRefusedWhole(t *testing.T) {
	second := `{"waveNumber": 2.0, "waveName": "Application Tier", "servers": [{"serverId": "s-3", "launchConfig": {}}], "pauseBeforeWave": true, "dependsOnWaves": [1], "timeoutMinutes": 60}`
	for name, c := range map[string]struct {
		edit []string
		want string
	}{
		"a wave of tomorrow":       {[]string{`"serverId": "s-3"`, `"serverId": "i-3"`}, `state.waves[1].servers[0].serverId "i-3" is not an id`},
		"no servers":               {[]string{`[{"serverId": "s-3", "launchConfig": {}}]`, `[]`}, "state.waves[1].servers is empty"},
		"no waves":                 {[]string{second, ``, `"launchOrder": 1},`, `"launchOrder": 1}`, `"waves": [`, `"waves": [], "was": [`}, "state.waves is empty: a plan has at least 1 wave"},
		"a server in two waves":    {[]string{`"s-3"`, `"s-1"`}, "state.waves[1].servers[0] s-1 is in wave 1 too"},
		"a circle":                 {[]string{`"launchOrder": 1}`, `"launchOrder": 1, "dependsOnWaves": [2]}`}, "state.waves[0].dependsOnWaves[0]: waves wait for one another in a circle"},
		"a wave that is not there": {[]string{`"dependsOnWaves": [1]`, `"dependsOnWaves": [1, 7]`}, "state.waves[1].dependsOnWaves[1]: there is no wave 7; there are 1, 2"},
		"a pause of text":          {[]string{`"pauseBeforeWave": true`, `"pauseBeforeWave": "yes"`}, "state.waves[1].pauseBeforeWave must be true or false, not a string"},
		"no time":                  {[]string{`"timeoutMinutes": 60`, `"timeoutMinutes": 0`}, "state.waves[1].timeoutMinutes is 0, but a wave is given from 1 to 10080 minutes"},
		"half a minute":            {[]string{`"timeoutMinutes": 60`, `"timeoutMinutes": 0.5`}, "state.waves[1].timeoutMinutes must be a whole number, not 0.5"},
		"a failure's word":         {[]string{`"timeoutMinutes": 60`, `"onFailure": "IGNORE"`}, `state.waves[1].onFailure "IGNORE" must be one of PAUSE, STOP, CONTINUE`},
		"an impact's word":         {[]string{`"OPTIONAL"`, `"NONE"`}, `state.waves[0].servers[1].impactLevel "NONE" must be one of CRITICAL, OPTIONAL`},
		"independence":             {[]string{`"launchOrder": 1}`, `"independent": 1}`}, "state.waves[0].independent must be true or false, not a number"},
		"polls all the time":       {[]string{`"currentWave": 1`, `"currentWave": 1, "pollSeconds": 0`}, "state.pollSeconds is 0, but must be from 1 to 3600"},
		"tags of nothing":          {[]string{`"launchOrder": 1}`, `"protectionGroupId": "pg-1"}`, `"currentWave": 1`, `"currentWave": 1, "protectionGroups": {"pg-1": {"tags": {}}}`}, `state.protectionGroups["pg-1"].tags is empty, and no tags at all would mean every server`},
		"tags of numbers":          {[]string{`"launchOrder": 1}`, `"protectionGroupId": "pg-1"}`, `"currentWave": 1`, `"currentWave": 1, "protectionGroups": {"pg-1": {"tags": {"a": 1}}}`}, `state.protectionGroups["pg-1"].tags["a"] must be a string, not a number`},
		"a status twice":           {[]string{`"currentWave": 1`, `"currentWave": 1, "wave2Status": "A", "wave2Status": "B"`}, "state.wave2Status is given more than once"},
		"servers that are counted": {[]string{`"servers": [{"serverId": "s-3", "launchConfig": {}}]`, `"serverCount": 101`}, "state.waves[1].serverCount is 101, but must be from 1 to 100"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWalk(t)
			message := w.message(w.do("begin_execution", edit(t, twoWaves, c.edit...)), recovery.ValidationError)
			if !strings.Contains(message, c.want) || len(w.begun)+len(w.continued) > 0 {
				t.Errorf("begun %d times: %q does not say %q", len(w.begun)+len(w.continued), message, c.want)
			}
		})
	}
}

func TestBeginningTwiceGoesOnFromTheRecord(t *testing.T) {
	w := newWalk(t)
	state := w.do("begin_execution", twoWaves)
	state = w.do("start_wave_recovery", string(state), "wave_number", "1")
	again := w.do("begin_execution", twoWaves) // as it was before all that
	if n := next(t, again); n.Action != recovery.DoWait {
		t.Errorf("next is %+v", n)
	}
	if got := object(t, again); got["wave1Status"] != "STARTED" || got["wave1JobId"] != "drsjob-1" {
		t.Errorf("the state is not mended: %s", again)
	}
	w.message(w.do("begin_execution", edit(t, string(state), `"s-3"`, `"s-4"`)), recovery.ValidationError)
}

func TestAnInterruptionIsOverWhenTheExecutionGoesOn(t *testing.T) {
	w := newWalk(t)
	w.do("begin_execution", twoWaves)
	got := object(t, w.do("begin_execution", edit(t, twoWaves, `"currentWave": 1`, `"interruption": {"Error": "E"}, "currentWave": 1`)))
	if was, stands := got["interruption"]; !stands || was != nil {
		t.Errorf("interruption is %v", was)
	}
}

// large is a plan of many waves with as much as people write about a server.
func large(waves, servers, padding int, state string) string {
	var all []string
	for n := 1; n <= waves; n++ {
		var list []string
		for s := range servers {
			list = append(list, fmt.Sprintf(`{"serverId":"s-%017d","hostname":"host-%d-%d.example.com","launchConfig":{"instanceType":"r5.xlarge","subnet":"subnet-0123456789abcdef0","securityGroups":["sg-0123456789abcdef0"]},"note":"%s"}`,
				n*1000+s, n, s, strings.Repeat("x", padding)))
		}
		all = append(all, fmt.Sprintf(`{"waveNumber": %d, "waveName": "Wave %d", "tier" : {"n": %d.0}, "protectionGroupId": "pg-%d", "servers" : [%s], "pauseBeforeWave": false, "dependsOnWaves": []}`, n, n, n, n, strings.Join(list, ",\n")))
	}
	return `{"executionId":"exec-1","planId":"rp-1","accountContext":{"accountId":"123456789012","region":"us-east-1","roleName":"Role"},` +
		`"waves":[` + strings.Join(all, ",\n") + `],"currentWave":1,"executionType":"DRILL","initiatedBy":"me","startTime":"2025-01-31T15:30:00Z"` + state + `}`
}

func TestALargePlanGoesRoundWithoutItsServers(t *testing.T) {
	w := newWalk(t)
	plan := large(30, 100, 20, "")
	if len(plan) < 650<<10 {
		t.Fatalf("only %d bytes", len(plan))
	}
	answer := w.do("begin_execution", plan)
	most := 0
	w.over, w.fates = true, map[recovery.SourceServerID]string{}
	for i := range w.plan.Waves {
		for _, id := range w.plan.Waves[i].ServerIDs() {
			w.fates[id] = "LAUNCHED"
		}
	}
	var actions []recovery.Action
	for range 200 {
		most = max(most, len(answer))
		n := next(t, answer)
		actions = append(actions, n.Action)
		switch n.Action {
		case recovery.DoStartWave:
			w.job = recovery.JobID(fmt.Sprintf("drsjob-%017d", *n.WaveNumber))
			answer = w.do("start_wave_recovery", string(answer), "wave_number", fmt.Sprint(*n.WaveNumber))
			if i := len(w.asked) - 1; len(w.asked[i].Wave.Servers) != 0 || w.asked[i].Digests != nil {
				t.Fatalf("asked for %+v", w.asked[i])
			}
		case recovery.DoWait:
			answer = w.do("poll_wave_status", string(answer))
		case recovery.DoFinish:
			if answer = w.do("finish_execution", string(answer)); w.exec.Ended == nil || w.exec.Ended.Outcome != recovery.OutcomeCompleted {
				t.Fatalf("ended %+v", w.exec.Ended)
			}
		}
		if w.exec.Ended != nil {
			break
		}
	}
	most = max(most, len(answer))
	if w.exec.Ended == nil || len(actions) != 61 || most > 128<<10 {
		t.Errorf("%d steps, ended %v, at most %d bytes", len(actions), w.exec.Ended, most)
	}
	if strings.Contains(string(answer), `"serverId"`) || strings.Count(string(answer), `"serverCount" : 100, "pauseBeforeWave": false`) != 30 || strings.Count(string(answer), `"tier" : {"n": 7.0}`) != 1 {
		t.Errorf("the waves are not as they were: %.2000s", answer)
	}
	// Whoever begins again with what goes round goes on, too.
	if w.do("begin_execution", string(answer)); len(w.continued) != 1 || len(w.begun) != 1 {
		t.Errorf("begun %d times, gone on %d times", len(w.begun), len(w.continued))
	}
	t.Logf("%d bytes became at most %d", len(plan), most)
}

func TestAStateOf96KiBGoesRoundInFull(t *testing.T) {
	full := large(2, 2, 1, `,"note":"-"`)
	fit := func(n int) string {
		return strings.Replace(full, `"note":"-"`, `"note":"`+strings.Repeat("x", n-len(full)+1)+`"`, 1)
	}
	for size, want := range map[int]bool{96 << 10: true, 96<<10 + 1: false} {
		if got := strings.Contains(string(newWalk(t).do("begin_execution", fit(size))), `"servers"`); got != want {
			t.Errorf("%d bytes: in full %v, want %v", size, got, want)
		}
	}
	w := newWalk(t)
	message := w.message(w.do("begin_execution", fit(120<<10)), recovery.ValidationError)
	if !strings.Contains(message, "even without its waves' servers") || len(w.begun) > 0 {
		t.Errorf("got %q", message)
	}
}

func TestGroupsThatAreLargeStayInTheRecord(t *testing.T) {
	var overrides []string
	for i := range 2000 {
		overrides = append(overrides, fmt.Sprintf(`"s-%017d":{"instanceType":"r5.xlarge","subnet":"subnet-0123456789abcdef0"}`, 1000+i))
	}
	w := newWalk(t)
	answer := w.do("begin_execution", large(20, 100, 0, `,"protectionGroups":{"pg-1":{"overrides":{`+strings.Join(overrides, ",")+`}}}`))
	if got := len(w.plan.Groups["pg-1"].Overrides); got != 100 {
		t.Errorf("%d overrides are frozen", got)
	}
	if !strings.Contains(string(answer), `"protectionGroups":{}`) || len(answer) > 128<<10 {
		t.Errorf("%d bytes: %.300s", len(answer), answer)
	}
}

func TestServersFoundByTagsAreCountedInALargeState(t *testing.T) {
	w := newWalk(t)
	state := edit(t, large(2, 100, 500, ""), `"currentWave":1`, `"currentWave":1,"protectionGroups":{"pg-9":{"tags":{"App":"x"}}}`,
		`"waves":[`, `"waves":[{"waveNumber": 9, "protectionGroupId": "pg-9"},`)
	answer := string(w.do("begin_execution", state))
	if !strings.Contains(answer, `{"waveNumber": 9, "protectionGroupId": "pg-9", "serverCount": 1}`) {
		t.Errorf("got %.300s", answer)
	}
}

func TestAWaveThatIsCountedNeedsARecord(t *testing.T) {
	counted := edit(t, twoWaves, `"servers": [{"serverId": "s-3", "launchConfig": {}}]`, `"serverCount": 1`)
	w := newWalk(t)
	w.message(w.do("begin_execution", counted), recovery.ValidationError)
	if len(w.continued) != 1 || len(w.begun) > 0 {
		t.Errorf("begun %d times, gone on %d times", len(w.begun), len(w.continued))
	}
	w.do("begin_execution", twoWaves)
	if n := next(t, w.do("begin_execution", counted)); n.Action != recovery.DoStartWave {
		t.Errorf("next is %+v", n)
	}
	w.exec.Wave(2).DependsOn, w.exec.Wave(2).PauseBefore = nil, false
	w.do("start_wave_recovery", counted, "wave_number", "2")
	if got := w.exec.Attempt(2); got == nil || len(got.Servers) != 1 || got.Servers[0] != "s-3" {
		t.Errorf("started %+v", got)
	}
}

// An event that is not what the execution was begun with starts nothing.
func TestAStartWithAnotherPlanIsRefused(t *testing.T) {
	for name, c := range map[string][]string{
		"another server of another wave": {`"s-3"`, `"s-4"`},
		"another account":                {`"us-east-1"`, `"us-east-2"`},
		"no gate":                        {`"pauseBeforeWave": true`, `"pauseBeforeWave": false`},
		"a plan that is none":            {`"timeoutMinutes": 60`, `"timeoutMinutes": "x"`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWalk(t)
			state := string(w.do("begin_execution", twoWaves))
			w.message(w.do("start_wave_recovery", edit(t, state, c...), "wave_number", "1"), recovery.ValidationError)
			if w.exec.Attempt(1) != nil {
				t.Error("started all the same")
			}
		})
	}
	w := newWalk(t)
	state := string(w.do("begin_execution", twoWaves))
	if n := next(t, w.do("start_wave_recovery", edit(t, state, `"rack": 1e2`, `"rack": 3`), "wave_number", "1")); n.Action != recovery.DoWait {
		t.Errorf("what is none of our business keeps from starting: %+v", n)
	}
}
