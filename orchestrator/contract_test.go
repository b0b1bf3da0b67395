package orchestrator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/orchestrator"
	"muster/recovery"
)

// row is one row of a table of the contract: an event, what AWS does, and what
// the answer says. Nothing is ever launched in it.
type row struct {
	from      string   // the event; "": start-wave-1.json
	edit      []string // old, new, …
	faults    []string
	code      recovery.Code
	retryable bool
	message   string // how it begins
	says      []string
	calls     bool // AWS may be asked
}

func (r row) check(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := specification(t, r.faults...)
		if r.from == "" {
			r.from = "start-wave-1.json"
		}
		e := string(readExample(t, r.from))
		for i := 0; i < len(r.edit); i += 2 {
			e = replaceOnce(t, e, r.edit[i], r.edit[i+1])
		}
		answer := s.invoke(t, []byte(e))
		var got struct {
			Error     recovery.Code
			Message   string
			Retryable *bool
			State     json.RawMessage
		}
		var in struct{ State json.RawMessage }
		if err := json.Unmarshal(answer, &got); err != nil || got.Error == "" || got.Retryable == nil {
			t.Fatalf("the answer is no failure (%v): %s", err, answer)
		}
		_ = json.Unmarshal([]byte(e), &in)
		if got.Error != r.code || *got.Retryable != r.retryable || !strings.HasPrefix(got.Message, r.message) {
			t.Errorf("got %s, retryable %v: %s\nwant %s, retryable %v: %s…", got.Error, *got.Retryable, got.Message, r.code, r.retryable, r.message)
		}
		for _, word := range r.says {
			if !strings.Contains(got.Message, word) {
				t.Errorf("the message does not say %q: %s", word, got.Message)
			}
		}
		if string(got.State) != string(in.State) {
			t.Errorf("the state did not come back as it came: %s", got.State)
		}
		for _, c := range s.world.Calls() {
			if !r.calls {
				t.Errorf("%s was called", c.Operation)
			}
			if c.Operation == "StartRecovery" && c.Mutated {
				t.Error("a job was started")
			}
		}
	})
}

func TestEachValidationRuleOfTheSpecification(t *testing.T) {
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprintf(`{"serverId": "s-%d"}`, i)
	}
	for name, r := range map[string]row{
		"1 wave exists":                     {edit: []string{`"wave_number": 1`, `"wave_number": 3`}, code: recovery.ValidationError, message: "wave_number is 3, and no wave in state.waves has that waveNumber", says: []string{"1, 2"}},
		"2 server count":                    {from: "error-invalid-source-server.json", edit: []string{firstServers(t), `"servers": []`}, code: recovery.ValidationError, message: "state.waves[0].servers is empty", says: []string{"at least 1 server"}},
		"3 DRS limit":                       {from: "error-invalid-source-server.json", edit: []string{firstServers(t), `"servers": [` + strings.Join(many, ",") + `]`}, code: recovery.ValidationError, message: "state.waves[0].servers has 101 servers", says: []string{"at most 100"}},
		"4 account context, not there":      {edit: []string{`"accountContext"`, `"accountcontext"`}, code: recovery.ValidationError, message: "state.accountContext is missing"},
		"4 account context, not valid":      {edit: []string{`"accountId": "123456789012"`, `"accountId": "12345"`, `"roleName"`, `"rolename"`}, code: recovery.ValidationError, message: "state.accountContext", says: []string{"state.accountContext.accountId", "state.accountContext.roleName"}},
		"5 launch configs, not there":       {from: "error-invalid-source-server.json", edit: []string{`"pg-database"`, `"pg-nobody-knows"`, firstServers(t), `"servers": [{"serverId": "s-db-02"}]`}, code: recovery.ValidationError, message: "protection group pg-nobody-knows of wave 1 is not known"},
		"5 launch configs, not valid":       {edit: []string{`"subnet-0123456789abcdef0"`, `"the-subnet"`}, code: recovery.ValidationError, message: "state.waves[0].servers[0].launchConfig.subnet"},
		"5 launch configs, contradictory":   {edit: []string{`"instanceType": "r5.xlarge"`, `"instanceType": "r5.xlarge", "targetInstanceTypeRightSizingMethod": "BASIC"`}, code: recovery.ValidationError, message: "", says: []string{"s-1234567890abcdef0", "instanceType", "targetInstanceTypeRightSizingMethod"}},
		"6 replication state":               {from: "error-invalid-source-server.json", code: recovery.DRSAPIError, message: "Failed to start recovery: InvalidSourceServer - Server s-abc is not in READY_FOR_RECOVERY state: its replication state is INITIATING", calls: true},
		"7 lifecycle state, unknown server": {edit: []string{`"s-1234567890abcdef0"`, `"s-nobody"`}, code: recovery.DRSAPIError, message: "Failed to start recovery: InvalidSourceServer - Server s-nobody is not in READY_FOR_RECOVERY state: ", calls: true},
	} {
		t.Run(name, r.check)
	}
	// 7, the server that another job holds: TestAnotherPartysJobIsNamedAndCanBeWaitedFor.
}

// firstServers is the list of servers of the first wave of
// error-invalid-source-server.json, as it stands there.
func firstServers(t *testing.T) string {
	e := string(readExample(t, "error-invalid-source-server.json"))
	from := strings.Index(e, `"servers": [`)
	to := from + strings.Index(e[from:], `"launchOrder"`)
	to = strings.LastIndex(e[:to], "]") + 1
	return e[from:to]
}

func TestEachRowOfTheErrorTable(t *testing.T) {
	refuse := func(operation, code, more string) []string {
		return []string{"Refuse:operation=" + operation + ",code=" + code + ",message=as AWS says" + more}
	}
	start := func(code, more string, retryable bool) row {
		return row{faults: refuse("StartRecovery", code, more), code: recovery.DRSAPIError, retryable: retryable, calls: true,
			message: "Failed to start recovery: " + code + " - as AWS says"}
	}
	const role = "Failed to assume role DRSOrchestrationRole in account 123456789012: "
	assume := func(fault, code string, retryable bool) row {
		return row{faults: []string{fault}, code: recovery.CrossAccountError, retryable: retryable, message: role + code, calls: true}
	}
	config := func(fault string, retryable bool, says ...string) row {
		return row{faults: []string{fault}, code: recovery.LaunchConfigError, retryable: retryable, calls: true,
			message: "Failed to apply launch configuration, nothing was launched: server s-1234567890abcdef0", says: says}
	}
	for name, r := range map[string]row{
		"VALIDATION_ERROR":                         {edit: []string{`"DRILL"`, `"drill"`}, code: recovery.ValidationError, message: "state.executionType"},
		"DRS_API_ERROR, a code not in the API":     start("InsufficientCapacity", "", false),
		"DRS_API_ERROR, ValidationException":       start("ValidationException", ",status=400", false),
		"DRS_API_ERROR, AccessDeniedException":     start("AccessDeniedException", ",status=403", false),
		"DRS_API_ERROR, uninitialized":             start("UninitializedAccountException", ",status=400", false),
		"DRS_API_ERROR, a quota":                   start("ServiceQuotaExceededException", ",status=402", true),
		"DRS_API_ERROR, throttled":                 start("ThrottlingException", ",status=429", true),
		"DRS_API_ERROR, 500":                       start("InternalServerException", ",status=500", true),
		"DRS_API_ERROR, 503 by whatever name":      start("Mystery", ",status=503", true),
		"DRS_API_ERROR, a conflict":                start("ConflictException", ",status=409", true),
		"DRS_API_ERROR, no answer":                 {faults: []string{"DropBefore:operation=StartRecovery"}, code: recovery.DRSAPIError, retryable: true, message: "Failed to start recovery: the connection broke", calls: true},
		"DRS_API_ERROR, checking is denied":        {faults: refuse("DescribeSourceServers", "AccessDeniedException", ",status=403"), code: recovery.DRSAPIError, message: "Failed to start recovery: AccessDeniedException - as AWS says", calls: true},
		"DRS_API_ERROR, checking is throttled":     {faults: []string{"Throttle:operation=DescribeRecoveryInstances"}, code: recovery.DRSAPIError, retryable: true, message: "Failed to start recovery: ThrottlingException - ", calls: true},
		"CROSS_ACCOUNT_ERROR, denied":              assume("Refuse:operation=AssumeRole,code=AccessDenied,status=403", "AccessDenied", false),
		"CROSS_ACCOUNT_ERROR, a region is off":     assume("Refuse:operation=AssumeRole,code=RegionDisabledException,status=403", "RegionDisabledException", false),
		"CROSS_ACCOUNT_ERROR, throttled":           assume("Throttle:operation=AssumeRole", "Throttling", true),
		"CROSS_ACCOUNT_ERROR, 500":                 assume("Error500Before:operation=AssumeRole", "InternalFailure", true),
		"LAUNCH_CONFIG_ERROR, reading is denied":   config("Refuse:operation=GetLaunchConfiguration,code=AccessDeniedException,status=403", false, "reading", "AccessDeniedException"),
		"LAUNCH_CONFIG_ERROR, writing is denied":   config("Refuse:operation=CreateLaunchTemplateVersion,code=UnauthorizedOperation,status=403", false, "UnauthorizedOperation"),
		"LAUNCH_CONFIG_ERROR, throttled":           config("Throttle:operation=DescribeLaunchTemplateVersions", true, "RequestLimitExceeded"),
		"LAUNCH_CONFIG_ERROR, 500":                 config("Error500Before:operation=CreateLaunchTemplateVersion", true, "InternalError"),
		"LAUNCH_CONFIG_ERROR, no answer":           config("DropBefore:operation=CreateLaunchTemplateVersion", true, "the connection broke"),
		"LAUNCH_CONFIG_ERROR, no such subnet":      {edit: []string{`"subnet-0123456789abcdef0"`, `"subnet-nowhere"`}, code: recovery.LaunchConfigError, message: "Failed to apply launch configuration, nothing was launched: server s-1234567890abcdef0, subnet", says: []string{"subnet-nowhere"}, calls: true},
		"LAUNCH_CONFIG_ERROR, no such group":       {edit: []string{`["sg-0123456789abcdef0"]`, `["sg-nowhere"]`}, code: recovery.LaunchConfigError, message: "Failed to apply launch configuration, nothing was launched: server s-1234567890abcdef0, securityGroups", says: []string{"sg-nowhere"}, calls: true},
		"DEPENDENCY_NOT_MET, failed":               {from: "complete-example.wave-2.json", edit: []string{`"COMPLETED"`, `"FAILED"`}, code: recovery.DependencyNotMet, message: "wave 2 depends on wave 1, which is FAILED"},
		"UNKNOWN_ACTION":                           {edit: []string{`"start_wave_recovery"`, `"stop"`}, code: recovery.UnknownAction, message: `action "stop" is not supported; there are: await_decision, begin_execution, finish_execution, poll_wave_status, record_wave_refusal, start_wave_recovery`},
		"UNKNOWN_OPERATION":                        {edit: []string{`"action": "start_wave_recovery"`, `"operation": "stop"`}, code: recovery.UnknownOperation, message: `operation "stop" is not supported`},
		"UNKNOWN_EVENT":                            {edit: []string{`"action": "start_wave_recovery"`, `"action": ""`}, code: recovery.UnknownEvent, says: []string{"start_wave_recovery"}},
		"DRS_API_ERROR, a RECOVERY is judged, too": {edit: []string{`"s-1234567890abcdef0"`, `"s-abc"`, `"DRILL"`, `"RECOVERY"`}, code: recovery.DRSAPIError, message: "Failed to start recovery: InvalidSourceServer - Server s-abc", calls: true},
	} {
		t.Run(name, r.check)
	}
	// DEPENDENCY_NOT_MET while the dependency runs: TestADependencyIsJudgedByItsStatusAndElseByItsJob.
	// WAVE_IN_PROGRESS: TestWhoeverWaitsTooLongSaysThatTheWaveIsInProgress.
	// A ConflictException whose job is to be seen: TestAnotherPartysJobIsNamedAndCanBeWaitedFor.
}

// Where several servers fail, to send the same event again helps only if it
// helps all of them.
func TestSeveralServersThatFailAreRetryableOnlyIfAllAre(t *testing.T) {
	const denied, down = "Refuse:operation=CreateLaunchTemplateVersion,code=UnauthorizedOperation,status=403,servers=", "Error500Before:operation=CreateLaunchTemplateVersion,servers="
	for name, r := range map[string]row{
		"the first is denied": {faults: []string{denied + "s-1234567890abcdef0", down + "s-db-05"}},
		"the last is denied":  {faults: []string{down + "s-1234567890abcdef0", denied + "s-db-05"}},
		"none is denied":      {faults: []string{down + "s-1234567890abcdef0+s-db-05"}, retryable: true},
	} {
		r.from, r.code, r.calls = "start-wave-1-five-servers.json", recovery.LaunchConfigError, true
		r.message, r.says = "Failed to apply launch configuration, nothing was launched: server s-", []string{"s-1234567890abcdef0", "s-db-05"}
		t.Run(name, r.check)
	}
}

// A store that is down is no answer: nobody knows what the record says.
func TestAStoreThatIsDownIsNoAnswerAndNobodyIsAsked(t *testing.T) {
	for name, store := range map[string]recovery.ExecutionStore{"reading": downStore{read: true}, "writing": downStore{}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := specification(t)
				h := s.handler()
				h.Starter.(*orchestrator.Orchestrator).Executions = store
				answer, err := h.Invoke(t.Context(), readExample(t, "start-wave-1.json"))
				if answer != nil || !errors.Is(err, errDown) {
					t.Errorf("got %s, %v; want the store's error and no answer", answer, err)
				}
				if n := len(s.world.Calls()); n > 0 {
					t.Errorf("%d calls were made without a claim", n)
				}
			})
		})
	}
}

var errDown = errors.New("the store is down")

type downStore struct {
	recovery.ExecutionStore
	read bool
}

func (d downStore) Execution(_ context.Context, id recovery.ExecutionID) (*recovery.Execution, error) {
	if d.read {
		return nil, errDown
	}
	return &recovery.Execution{ID: id}, nil
}

func (downStore) Commit(context.Context, recovery.Change) error { return errDown }

// A dependency of which only a job is known that AWS knows no more is over: it
// is allowed, and that is told.
func TestADependencyThatNobodyKnowsIsAllowedAndTold(t *testing.T) {
	for name, edits := range map[string][]string{
		"a job that AWS does not know": {`"drsjob-wave1"`, `"drsjob-gone"`, `"COMPLETED"`, `"LAUNCHING"`},
		"neither a status nor a job":   {`"wave1JobId"`, `"x"`, `"wave1Status"`, `"y"`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := specification(t)
				var notes []string
				s.observe = func(_ recovery.ExecutionID, ev recovery.Event) {
					if ev.Kind == recovery.EventNote {
						notes = append(notes, ev.Message)
					}
				}
				e := string(readExample(t, "complete-example.wave-2.json"))
				for i := 0; i < len(edits); i += 2 {
					e = replaceOnce(t, e, edits[i], edits[i+1])
				}
				if answer := s.invoke(t, []byte(e)); !strings.Contains(string(answer), `"status": "STARTED"`) {
					t.Errorf("got %s", answer)
				}
				if len(notes) != 1 || !strings.Contains(notes[0], "wave 1") || !strings.Contains(notes[0], "going on") {
					t.Errorf("what was told: %q", notes)
				}
			})
		})
	}
}

// launchOrder is kept and returned, and orders nothing: waves are ordered by
// dependsOnWaves and waveNumber.
func TestLaunchOrderIsKeptAndNotInterpreted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := specification(t)
		e := replaceOnce(t, string(readExample(t, "complete-example.wave-1.json")), `"launchOrder": 1`, `"launchOrder": 7e1`)
		want := strings.TrimSuffix(replaceOnce(t, string(readExample(t, "complete-example.wave-1.golden.json")), `"launchOrder": 1`, `"launchOrder": 7e1`), "\n")
		if got := string(s.invoke(t, []byte(e))); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// serversLaunched counts what is in DRS's job, not what was asked for.
func TestServersThatDRSDidNotTakeAreListedInTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := specification(t, "SkipServer:servers=s-db-03")
		answer := string(s.invoke(t, readExample(t, "start-wave-1-five-servers.json")))
		for _, want := range []string{`"serversLaunched": 4`, `"serversNotAccepted": ["s-db-03"]`, `"status": "STARTED"`} {
			if !strings.Contains(answer, want) {
				t.Errorf("the answer lacks %s: %s", want, answer)
			}
		}
		// From the record it is the same answer.
		if again := string(s.invoke(t, readExample(t, "start-wave-1-five-servers.json"))); again != answer {
			t.Errorf("again: %s\nwant %s", again, answer)
		}
	})
}

// A wave's own account replaces the state's, whole, on every call.
func TestAWaveGoesToItsOwnAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := specification(t)
		answer := string(s.invoke(t, []byte(ownAccount(string(readExample(t, "start-wave-1.json"))))))
		if !strings.Contains(answer, `"status": "STARTED"`) {
			t.Fatalf("got %s", answer)
		}
		for _, c := range s.world.Calls() {
			if c.Account != "123456789012" {
				t.Errorf("%s acted in account %s", c.Operation, c.Account)
			}
		}
	})
}

// What could not be reported is never started. This state could go back as it
// came, but not with the answer's own keys in it.
func TestAnAnswerTooLargeToTravelIsRefusedBeforeAnybodyIsAsked(t *testing.T) {
	var in struct{ State json.RawMessage }
	if err := json.Unmarshal(readExample(t, "start-wave-1.json"), &in); err != nil {
		t.Fatal(err)
	}
	const member = `"currentWave": 1`
	more := strings.Repeat("x", 240<<10-len(in.State)-100)
	row{edit: []string{member, member + `, "more": "` + more + `"`}, code: recovery.ValidationError, message: "state would make an answer of up to "}.check(t)
}

// The whole of an invocation keeps to its time, however long AWS takes.
func TestAnInvocationAnswersBeforeItsTimeIsOver(t *testing.T) {
	for _, fault := range []string{"Throttle", "Error500Before", "DropBefore", "SlowAnswers:duration=1h", "DropAnswerAfter:operation=StartRecovery", "SlowAnswers:operation=StartRecovery,duration=1h"} {
		t.Run(fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := specification(t, fault)
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				answer, err := s.handler().Invoke(ctx, readExample(t, "start-wave-1.json"))
				if took := time.Since(began); took >= time.Minute {
					t.Errorf("it took %s of its minute", took)
				}
				if (answer == nil) == (err == nil) {
					t.Errorf("got %.200s, %v: want an answer or an error", answer, err)
				}
			})
		})
	}
}
