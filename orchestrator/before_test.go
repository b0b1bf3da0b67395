package orchestrator_test

import (
	"os"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"muster/stepfunctions"
)

// machineOfBefore is the state machine as the last 0.x deployed it: a run of it
// that is under way keeps that definition, whatever is deployed meanwhile.
var machineOfBefore = sync.OnceValues(func() (*stepfunctions.Machine, error) {
	definition, err := os.ReadFile("../deploy/testdata/versions/2.asl.json")
	if err != nil {
		return nil, err
	}
	return loaded(definition)
})

// Gates, failing waves, refusals, cancels, interruptions: whatever happens, a
// state machine of before comes to the end that today's comes to.
func TestADefinitionOfBeforeTellsEveryStoryToItsEnd(t *testing.T) {
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			want := s.undisturbed(t, inFile)
			if opened, is := want.record.(map[string]any)["opened"].(map[string]any); is {
				delete(opened, "taskRun") // that definition does not say in which run a task waits
			}
			synctest.Test(t, func(t *testing.T) {
				r := &run{t: t, h: s.open(t, inFile), completed: map[string]bool{}, runs: map[string]*machineRun{}, load: machineOfBefore}
				s.play(r)
				r.check()
				if diff := cmp.Diff(want.record, r.record); diff != "" {
					t.Errorf("the record differs from that of today's definition (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(want.log, r.log); diff != "" {
					t.Errorf("the log differs from that of today's definition (-want +got):\n%s", diff)
				}
			})
		})
	}
}
