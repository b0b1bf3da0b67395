package recoverytest_test

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"muster/recovery"
	"muster/recoverytest"
)

// breakStore names, in the environment, the promise that the store of
// TestExecutionsOverMemory is to break.
const breakStore = "RECOVERYTEST_BREAK"

func TestExecutionsOverMemory(t *testing.T) {
	recoverytest.Executions(t, func(*testing.T) func() recovery.ExecutionStore {
		m := newMemory(os.Getenv(breakStore))
		return func() recovery.ExecutionStore {
			return &handle{m, map[recovery.ExecutionID]*recovery.Execution{}}
		}
	})
}

// Each variant breaks one thing, and the promise that is about it has to be
// red.
func TestTheSuiteIsRedForEachBrokenStore(t *testing.T) {
	for broken, promise := range map[string]string{
		"has no condition":                                    "of_two_changes_decided_on_one_version",
		"overwrites a record that stands":                     "of_two_changes_decided_on_one_version",
		"takes a version that never was":                      "a_version_that_never_was_is_stale",
		"looks first and writes later":                        "of_twenty_claimants_at_once_one_claims",
		"writes the attempt of a stale change":                "of_two_changes_decided_on_one_version",
		"writes the event of a stale change":                  "of_two_changes_decided_on_one_version",
		"keeps the version":                                   "each_commit_moves_the_version_on_by_one",
		"reads from a cache":                                  "what_is_committed_is_read_back_by_every_handle",
		"reads header and attempts one after the other":       "what_is_read_is_never_older_than_its_version",
		"writes though its context has ended":                 "an_ended_context_writes_nothing",
		"keeps one attempt for all waves":                     "waves_do_not_disturb_each_other",
		"keeps the attempt that was written last":             "the_newest_attempt_at_each_wave_is_read",
		"gives every attempt":                                 "the_newest_attempt_at_each_wave_is_read",
		"orders numbers as text":                              "the_newest_attempt_at_each_wave_is_read",
		"sorts the servers":                                   "every_field_of_an_attempt_survives",
		"keeps times to the millisecond":                      "times_survive_to_the_nanosecond",
		"forgets that something was sent":                     "that_something_was_sent_is_remembered",
		"hands out its own memory":                            "what_a_caller_does_to_its_copy_changes_nothing",
		"does not tell capitals from small letters":           "executions_with_similar_ids_are_kept_apart",
		"cuts long text":                                      "long_and_foreign_text",
		"keeps ASCII only":                                    "long_and_foreign_text",
		"keeps ten changes":                                   "long_and_foreign_text",
		"drops every eighth event":                            "events_come_in_order",
		"gives the first page of the log":                     "events_come_in_order",
		"gives the log backwards":                             "events_come_in_order",
		"forgets why somebody paused":                         "every_field_that_an_execution_was_opened_with",
		"forgets what others run":                             "every_field_that_an_execution_was_opened_with",
		"keeps times of executions to the second":             "every_field_that_an_execution_was_opened_with",
		"keeps what a change takes away":                      "every_field_that_an_execution_was_opened_with",
		"keeps what an execution was opened with as it was":   "changes_of_an_attempt_leave",
		"forgets the world that an execution belongs to":      "every_field_that_an_execution_was_opened_with",
		"keeps the world of what was opened alone":            "an_execution_that_nobody_opened",
		"loses the task token":                                "secrets_come_back",
		"hides the external ids of a plan from itself":        "secrets_come_back",
		"makes an empty plan up":                              "an_execution_that_nobody_opened",
		"keeps a thousand servers of a plan":                  "a_frozen_plan_of_3,000_servers",
		"takes empty settings for none":                       "a_frozen_plan_of_3,000_servers",
		"keeps a plan until the next change":                  "a_frozen_plan_of_3,000_servers",
		"lists what changed first first":                      "executions_are_listed",
		"lists what was opened last first":                    "executions_are_listed",
		"lists by id":                                         "executions_are_listed",
		"lists everything":                                    "executions_are_listed",
		"takes no limit for none":                             "executions_are_listed",
		"lists executions with their attempts":                "executions_are_listed",
		"lists executions without their waves":                "executions_are_listed",
		"lets executions of one plan run at once":             "of_ten_executions_of_one_plan",
		"looks who holds a plan first and takes it later":     "of_ten_executions_of_one_plan",
		"names the one that asks as the holder":               "of_ten_executions_of_one_plan",
		"gives no plan away":                                  "of_ten_executions_of_one_plan",
		"writes the execution whose plan is held":             "an_execution_whose_plan_is_held",
		"freezes the plan of an execution whose plan is held": "an_execution_whose_plan_is_held",
		"lets go of a plan when a cancel is asked for":        "a_plan_is_held_through_every_change",
		"lets go of a plan with the second change":            "a_plan_is_held_through_every_change",
		"never lets go of a plan":                             "a_plan_is_held_through_every_change",
		"lets go of a plan for another":                       "a_plan_is_taken_only_from",
		"gives a plan to whoever names somebody":              "a_plan_is_taken_only_from",
		"answers its own opening that its plan is held":       "a_stale_change_takes_no_plan",
		"holds for executions without waves":                  "an_execution_without_waves",
		"does not tell plans in capitals from small letters":  "plans_with_similar_ids",
		"forgets what was recovered once it is over":          "a_recovery_that_was_started",
		"lets whoever wants drive":                            "who_drives_is_written_only",
		"has whoever wants drive what is not there":           "an_execution_that_is_not_there",
		"counts who drives as a change":                       "changes_leave_who_drives",
		"forgets who drives":                                  "changes_leave_who_drives",
		"mixes up places":                                     "a_recovery_that_was_started",
		"takes drills for recoveries":                         "a_drill_is_no_witness",
	} {
		t.Run(broken, func(t *testing.T) {
			t.Parallel()
			run := exec.Command(os.Args[0], "-test.run=^TestExecutionsOverMemory$/^"+promise, "-test.timeout=60s")
			run.Env = append(os.Environ(), breakStore+"="+broken, "GORACE=atexit_sleep_ms=50") // it waits for a second otherwise
			out, err := run.CombinedOutput()
			var red *exec.ExitError
			if !errors.As(err, &red) {
				t.Fatalf("%q was kept (%v), want it broken:\n%.4000s", promise, err, out)
			}
			if !regexp.MustCompile(`--- FAIL: TestExecutionsOverMemory/` + promise).Match(out) {
				t.Errorf("it failed otherwise than by %q:\n%.4000s", promise, out)
			}
		})
	}
}
