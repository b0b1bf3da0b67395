package simulator_test

import (
	"strings"
	"testing"

	"muster/simulator"
)

func TestFaultsCountCalls(t *testing.T) {
	c, _ := faulty(t, "Error500Before:operation=DescribeJobs,after=2,times=1")
	var got []int
	for range 4 {
		got = append(got, c.drs("DescribeJobs", `{}`).status)
	}
	if want := []int{200, 200, 500, 200}; !equal(got, want) {
		t.Errorf("statuses %v, want %v", got, want)
	}
	c, _ = faulty(t, "Throttle:operation=GetLaunchConfiguration,times=1,perServer=true")
	get := func(i int) int { return c.drs("GetLaunchConfiguration", `{"sourceServerID":"`+id(i)+`"}`).status }
	if got, want := []int{get(0), get(1), get(0), get(1)}, []int{429, 429, 200, 200}; !equal(got, want) {
		t.Errorf("per server: statuses %v, want %v", got, want)
	}
}

func TestAFaultsChanceIsTheSameInWhateverOrderCallsArrive(t *testing.T) {
	run := func(seed int64, order []int) map[int][]int {
		w := world(t, many(3), simulator.Options{Seed: seed, Faults: []simulator.Fault{fault(t, "Error500Before:operation=GetLaunchConfiguration,probability=0.5")}})
		c := root(t, w, manyAccount, manyRegion)
		got := map[int][]int{}
		for _, i := range order {
			got[i] = append(got[i], c.drs("GetLaunchConfiguration", `{"sourceServerID":"`+id(i)+`"}`).status)
		}
		return got
	}
	a := run(7, []int{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1})
	b := run(7, []int{1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0})
	other := run(8, []int{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1})
	if !equal(a[0], b[0]) || !equal(a[1], b[1]) {
		t.Errorf("the order changed it: %v and %v", a, b)
	}
	if equal(a[0], other[0]) && equal(a[1], other[1]) {
		t.Error("another seed means the same")
	}
	failed := 0
	for _, s := range append(a[0], a[1]...) {
		if s == 500 {
			failed++
		}
	}
	if failed == 0 || failed == 16 {
		t.Errorf("%d of 16 failed at a chance of one half", failed)
	}
}

func TestFaultsReadAndWriteAsOneLine(t *testing.T) {
	for _, line := range []string{
		"NoCapacity",
		"Throttle:operation=UpdateLaunchConfiguration,times=3",
		"FailLaunch:servers=s-1+s-2,phase=CONVERSION,rawError=\"one, two\"",
		"Refuse:code=X,message=\"he said \"\"no\"\"\"",
		"LagJobList:account=123456789012,region=us-east-1,duration=10s",
		"Refuse:probability=0.25,status=503,code=SlowDown,message=later",
	} {
		f, err := simulator.ParseFault(line)
		if err != nil {
			t.Error(err)
			continue
		}
		if f.String() != line {
			t.Errorf("%s is written as %s", line, f)
		}
	}
	for line, want := range map[string]string{
		"Explode":                       `no fault is called "Explode" (there are DenyTagging, DropAnswerAfter`,
		"":                              "a fault needs a name",
		"Throttle:colour=blue":          `a fault has no "colour" (it has operation, servers,`,
		"Throttle:times=many":           `times: "many" is not a whole number`,
		"Throttle:times":                `"times" is not key=value`,
		"SlowAnswers":                   "SlowAnswers needs a duration",
		"Refuse:status=200,code=X":      "status: must be an HTTP status from 400 to 599",
		"LagJobList:duration=soon":      `"soon" is not a duration`,
		"DenyTagging:duration=3s":       "DenyTagging takes no duration",
		"FailLaunch:phase=LUNCH":        "phase: must be one of SNAPSHOT, CONVERSION, LAUNCH",
		"NoCapacity:operation=TagThing": "operation: NoCapacity befalls StartRecovery only",
		"Throttle:probability=2":        "probability: must be between 0 and 1",
		`Refuse:code=X,message="open`:   `Refuse:code=X`,
	} {
		if _, err := simulator.ParseFault(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want it to say %s", line, err, want)
		}
	}
}

func TestAFleetsFaultStaysInItsRegion(t *testing.T) {
	text := many(1, "faults: [{name: Throttle, operation: DescribeJobs}]") + "      eu-west-1: {}\n"
	w := world(t, text, simulator.Options{})
	root(t, w, manyAccount, manyRegion).drs("DescribeJobs", `{}`).refused(t, 429, "ThrottlingException")
	root(t, w, manyAccount, "eu-west-1").drs("DescribeJobs", `{}`).must(t, 200)
}

func equal[T comparable](a, b []T) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
