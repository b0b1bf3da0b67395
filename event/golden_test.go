package event_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/recovery"
)

var update = flag.Bool("update", false, "write the golden answers anew")

// examples are the specification's events, and what the world does then.
var examples = []struct {
	event  string
	says   string // the specification's own answer; "": it shows none
	golden string // our answer, byte for byte
	world  region
}{
	{"start-wave-1.json", "", "start-wave-1.golden.json", region{job: "drsjob-1234567890abcdef0"}},
	{"start-wave-1-five-servers.json", "start-wave-1-five-servers.answer.json", "start-wave-1-five-servers.golden.json", region{job: "drsjob-1234567890abcdef0"}},
	{"complete-example.wave-1.json", "complete-example.wave-1.answer.json", "complete-example.wave-1.golden.json", region{job: "drsjob-wave1"}},
	{"complete-example.wave-2.json", "", "complete-example.wave-2.golden.json", region{job: "drsjob-wave2"}},
	{"start-wave-1.json", "error-response.answer.json", "error-response.golden.json",
		region{err: recovery.Errorf(recovery.DRSAPIError, "Failed to start recovery: InsufficientCapacity")}},
	{"start-wave-1.json", "error-insufficient-capacity.answer.json", "error-insufficient-capacity.golden.json",
		region{err: recovery.Errorf(recovery.DRSAPIError, "Failed to start recovery: InsufficientCapacity - Not enough DRS capacity in region us-east-1")}},
	{"error-invalid-source-server.json", "error-invalid-source-server.answer.json", "error-invalid-source-server.golden.json",
		region{err: recovery.Errorf(recovery.DRSAPIError, "Failed to start recovery: InvalidSourceServer - Server s-abc is not in READY_FOR_RECOVERY state: its replication state is INITIATING")}},
	{"start-wave-1.json", "error-access-denied.answer.json", "error-access-denied.golden.json",
		region{err: recovery.Errorf(recovery.CrossAccountError, "Failed to assume role DRSOrchestrationRole in account 123456789012: AccessDenied - "+
			"User: arn:aws:iam::888888888888:root is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/DRSOrchestrationRole")}},
	{"event-structure.json", "", "event-structure.golden.json", region{}},
}

func TestTheSpecificationsExamplesAreAnsweredByteForByte(t *testing.T) {
	for _, example := range examples {
		t.Run(example.golden, func(t *testing.T) {
			got := invoke(t, &example.world, fixture(t, example.event))
			if *update {
				if err := os.WriteFile(filepath.Join("..", "testdata", "events", example.golden), append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want := fixture(t, example.golden)
			if diff := cmp.Diff(want, string(got)+"\n"); diff != "" {
				t.Errorf("the answer changed (-want +got):\n%s", diff)
			}
		})
	}
}

// The specification's answers are a promise: whatever stands in one stands in
// ours, with that value. Ours may say more.
func TestAnAnswerHasAllThatTheSpecificationsAnswerHas(t *testing.T) {
	for _, example := range examples {
		if example.says == "" {
			continue
		}
		t.Run(example.says, func(t *testing.T) {
			got := object(t, invoke(t, &example.world, fixture(t, example.event)))
			for key, want := range object(t, []byte(fixture(t, example.says))) {
				if key == "accountContext" { // abbreviated in the specification, and needed whole by the next wave
					want, _ := want.(map[string]any)
					whole := maps.Clone(got[key].(map[string]any))
					maps.Copy(whole, want)
					if !reflect.DeepEqual(whole, got[key]) {
						t.Errorf("accountContext is %v, which contradicts %v", got[key], want)
					}
					continue
				}
				if want, is := want.(string); is && key == "message" { // a reason may follow
					if reason, ok := strings.CutPrefix(got[key].(string), want); !ok || reason != "" && !strings.HasPrefix(reason, ": ") {
						t.Errorf("the message is %q, which does not begin with %q", got[key], want)
					}
					continue
				}
				if diff := cmp.Diff(want, got[key]); diff != "" {
					t.Errorf("%s (-specification +ours):\n%s", key, diff)
				}
			}
		})
	}
}

// The answer of wave 1 becomes the state of wave 2: nothing is lost on the way
// that wave 2 needs.
func TestTheAnswerOfOneWaveIsTheStateOfTheNext(t *testing.T) {
	answer := invoke(t, &region{job: "drsjob-wave1"}, fixture(t, "complete-example.wave-1.json"))
	var next bytes.Buffer
	next.WriteString(`{"action": "start_wave_recovery", "wave_number": 2, "state": `)
	next.Write(bytes.Replace(answer, []byte(`"wave1Status": "STARTED"`), []byte(`"wave1Status": "COMPLETED"`), 1))
	next.WriteString("}")
	got := accepted(t, next.String())
	want := accepted(t, fixture(t, "complete-example.wave-2.json"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wave 2 is asked for differently (-as in the specification +after our answer):\n%s", diff)
	}
}

func TestTheLaunchConfigurationExampleMergesAsTheSpecificationSays(t *testing.T) {
	type server struct {
		ServerID     string
		LaunchConfig map[string]any
	}
	read := func(name string, into any) {
		t.Helper()
		if err := json.Unmarshal([]byte(fixture(t, name)), into); err != nil {
			t.Fatal(err)
		}
	}
	config := func(m map[string]any) recovery.LaunchConfig {
		c := recovery.LaunchConfig{}
		for key, v := range m {
			if err := c.Set(key, v); err != nil {
				t.Fatal(err)
			}
		}
		return c
	}
	var group map[string]any
	var override, final server
	read("merge-group-default.json", &group)
	read("merge-server-override.json", &override)
	read("merge-final.json", &final)
	got := config(override.LaunchConfig).Over(config(group))
	if diff := cmp.Diff(config(final.LaunchConfig), got); diff != "" {
		t.Errorf("merged (-specification +ours):\n%s", diff)
	}
}

func object(t testing.TB, doc []byte) (m map[string]any) {
	t.Helper()
	if err := json.Unmarshal(doc, &m); err != nil {
		t.Fatal(err)
	}
	return m
}
