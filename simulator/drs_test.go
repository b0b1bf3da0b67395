package simulator_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/simulator"
)

const manyAccount, manyRegion = "123456789012", "us-east-1"

// many is a fleet of n plain servers in one region, with more YAML for the region.
func many(n int, more ...string) string {
	var b strings.Builder
	b.WriteString("version: 1\naccounts:\n  \"123456789012\":\n    roles: [{name: R, trusts: [\"999999999999\"]}]\n    regions:\n      us-east-1:\n")
	for _, line := range more {
		b.WriteString("        " + line + "\n")
	}
	b.WriteString("        servers:\n")
	for i := range n {
		fmt.Fprintf(&b, "          - {id: %s, hostname: h%d}\n", id(i), i)
	}
	return b.String()
}

func id(i int) string { return fmt.Sprintf("s-%017d", i) }

func ids(from, to int) []string {
	var list []string
	for i := from; i < to; i++ {
		list = append(list, id(i))
	}
	return list
}

func length(t *testing.T, r reply) int {
	t.Helper()
	l, ok := r.must(t, 200).at(t, "items").([]any)
	if !ok {
		t.Fatalf("no items in %s", r.body)
	}
	return len(l)
}

func TestAnEmptyFilterMeansEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, many(3), simulator.Options{})
		c := root(t, w, manyAccount, manyRegion)
		c.drs("StartRecovery", start(id(0))).must(t, 202)
		c.drs("StartRecovery", start(id(1))).must(t, 202)
		time.Sleep(time.Hour)
		for operation, want := range map[string]int{"DescribeJobs": 2, "DescribeSourceServers": 3, "DescribeRecoveryInstances": 2} {
			for _, body := range []string{``, `{}`, `{"filters":{}}`, `{"filters":{"jobIDs":[],"sourceServerIDs":[],"recoveryInstanceIDs":[]}}`} {
				if got := length(t, c.drs(operation, body)); got != want {
					t.Errorf("%s %s: %d items, want all %d", operation, body, got, want)
				}
			}
		}
	})
}

func TestListsComeInPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, many(5), simulator.Options{})
		c := root(t, w, manyAccount, manyRegion)
		var seen []string
		token := ""
		for pages := 0; ; pages++ {
			r := c.drs("DescribeSourceServers", `{"maxResults":2`+token+`}`).must(t, 200)
			for i := range length(t, r) {
				seen = append(seen, r.at(t, "items", i, "sourceServerID").(string))
			}
			next, ok := r.at(t, "nextToken").(string)
			if !ok {
				if pages != 2 {
					t.Errorf("%d pages, want 3", pages+1)
				}
				break
			}
			token = `,"nextToken":"` + next + `"`
		}
		if got, want := strings.Join(seen, " "), strings.Join(ids(0, 5), " "); got != want {
			t.Errorf("saw %s, want %s", got, want)
		}
		c.drs("DescribeJobs", `{"maxResults":2`+token+`}`).refused(t, 400, "ValidationException")
		c.drs("DescribeSourceServers", `{"filters":{"sourceServerIDs":["`+id(0)+`"]}`+token+`}`).refused(t, 400, "ValidationException")
		c.drs("DescribeSourceServers", `{"nextToken":"made-up"}`).refused(t, 400, "ValidationException")
		c.drs("DescribeSourceServers", `{"maxResults":0}`).refused(t, 400, "ValidationException")
	})
}

func TestJobsComeNewestFirstAndAPageSurvivesANewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, many(4), simulator.Options{})
		c := root(t, w, manyAccount, manyRegion)
		var jobs []any
		for i := range 3 {
			jobs = append(jobs, c.drs("StartRecovery", start(id(i))).must(t, 202).at(t, "job", "jobID"))
			time.Sleep(time.Second)
		}
		first := c.drs("DescribeJobs", `{"maxResults":1}`).must(t, 200)
		if got := first.at(t, "items", 0, "jobID"); got != jobs[2] {
			t.Errorf("first %v, want the newest, %v", got, jobs[2])
		}
		c.drs("StartRecovery", start(id(3))).must(t, 202)
		second := c.drs("DescribeJobs", fmt.Sprintf(`{"maxResults":1,"nextToken":%q}`, first.at(t, "nextToken"))).must(t, 200)
		if got := second.at(t, "items", 0, "jobID"); got != jobs[1] {
			t.Errorf("second page has %v, want %v", got, jobs[1])
		}
	})
}

func TestJobsAreFilteredByDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, many(2), simulator.Options{})
		c := root(t, w, manyAccount, manyRegion)
		c.drs("StartRecovery", start(id(0))).must(t, 202)
		time.Sleep(time.Minute)
		between := time.Now().UTC().Format(time.RFC3339)
		time.Sleep(time.Minute)
		c.drs("StartRecovery", start(id(1))).must(t, 202)
		if got := length(t, c.drs("DescribeJobs", `{"filters":{"fromDate":"`+between+`"}}`)); got != 1 {
			t.Errorf("%d jobs from then on, want 1", got)
		}
		if got := length(t, c.drs("DescribeJobs", `{"filters":{"toDate":"`+between+`"}}`)); got != 1 {
			t.Errorf("%d jobs until then, want 1", got)
		}
	})
}

func TestAJobHasTheServersThatTheQuotaAllows(t *testing.T) {
	w := world(t, many(201), simulator.Options{})
	c := root(t, w, manyAccount, manyRegion)
	c.drs("StartRecovery", start(ids(0, 201)...)).refused(t, 400, "ValidationException")
	c.drs("StartRecovery", start(ids(0, 101)...)).refused(t, 402, "ServiceQuotaExceededException")
	c.drs("StartRecovery", start(ids(0, 100)...)).must(t, 202)
}

func TestRunningJobsCountAgainstTheQuotas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, many(10, "quotas: {jobs: 2, serversInJobs: 4}"), simulator.Options{})
		c := root(t, w, manyAccount, manyRegion)
		c.drs("StartRecovery", start(ids(0, 3)...)).must(t, 202)
		c.drs("StartRecovery", start(ids(3, 5)...)).refused(t, 402, "ServiceQuotaExceededException")
		c.drs("StartRecovery", start(id(3))).must(t, 202)
		c.drs("StartRecovery", start(id(4))).refused(t, 402, "ServiceQuotaExceededException")
		time.Sleep(time.Hour)
		inst := c.drs("DescribeRecoveryInstances", `{}`).must(t, 200)
		terminate := func(i int) reply {
			return c.drs("TerminateRecoveryInstances", fmt.Sprintf(`{"recoveryInstanceIDs":[%q]}`, inst.at(t, "items", i, "recoveryInstanceID")))
		}
		terminate(0).must(t, 200)
		terminate(1).must(t, 200)
		c.drs("StartRecovery", start(id(4))).refused(t, 402, "ServiceQuotaExceededException")
	})
}

func TestAServerIsInOneJobAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, many(2), simulator.Options{})
		c := root(t, w, manyAccount, manyRegion)
		c.drs("StartRecovery", start(id(0))).must(t, 202)
		c.drs("StartRecovery", start(id(1), id(0))).refused(t, 409, "ConflictException")
		c.drs("UpdateLaunchConfiguration", `{"sourceServerID":"`+id(0)+`","copyTags":true}`).refused(t, 409, "ConflictException")
		time.Sleep(9 * time.Minute)
		c.drs("StartRecovery", start(id(1), id(0))).must(t, 202)
	})
}

func TestStartRecoveryRefusesWhatAWSRefuses(t *testing.T) {
	w := world(t, many(2), simulator.Options{})
	c := root(t, w, manyAccount, manyRegion)
	for name, body := range map[string]string{
		"AUTO":             `{"sourceServers":[{"sourceServerID":"` + id(0) + `","recoverySnapshotID":"AUTO"}]}`,
		"unknown snapshot": `{"sourceServers":[{"sourceServerID":"` + id(0) + `","recoverySnapshotID":"pit-0123456789abcdef0"}]}`,
		"unknown server":   start("s-0123456789abcdef0"),
		"twice":            start(id(0), id(0)),
		"odd id":           start("s-db-01"),
		"none":             `{"sourceServers":[]}`,
		"absent":           `{}`,
		"tag characters":   `{"sourceServers":[{"sourceServerID":"` + id(0) + `"}],"tags":{"WaveName":"Wave #1"}}`,
		"tag length":       `{"sourceServers":[{"sourceServerID":"` + id(0) + `"}],"tags":{"WaveName":"` + strings.Repeat("x", 257) + `"}}`,
		"reserved tag":     `{"sourceServers":[{"sourceServerID":"` + id(0) + `"}],"tags":{"aws:x":"y"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			c.drs("StartRecovery", body).refused(t, 400, "ValidationException")
		})
	}
	c.drs("StartRecovery", `{"sourceServers":7}`).refused(t, 400, "SerializationException")
	c.drs("StartRecovery", `not json`).refused(t, 400, "SerializationException")
	if got := length(t, c.drs("DescribeJobs", `{}`)); got != 0 {
		t.Errorf("%d jobs were made", got)
	}
}

func TestWithoutIsDrillItIsARealRecovery(t *testing.T) {
	w := world(t, many(1), simulator.Options{})
	c := root(t, w, manyAccount, manyRegion)
	r := c.drs("StartRecovery", `{"sourceServers":[{"sourceServerID":"`+id(0)+`"}]}`).must(t, 202)
	if got := r.at(t, "job", "initiatedBy"); got != "START_RECOVERY" {
		t.Errorf("initiatedBy %v", got)
	}
	s := c.drs("DescribeSourceServers", `{}`).must(t, 200)
	if got := s.at(t, "items", 0, "lifeCycle", "lastLaunch", "initiated", "type"); got != "RECOVERY" {
		t.Errorf("last launch %v", got)
	}
}

func TestDRSMustBeInitialized(t *testing.T) {
	w := world(t, many(1, "initialized: false"), simulator.Options{})
	c := root(t, w, manyAccount, manyRegion)
	c.drs("DescribeJobs", `{}`).refused(t, 400, "UninitializedAccountException")
	c.drs("InitializeService", `{}`).must(t, 204)
	c.drs("DescribeJobs", `{}`).must(t, 200)
	root(t, w, manyAccount, "eu-west-1").drs("DescribeJobs", `{}`).refused(t, 400, "UninitializedAccountException")
}

func TestWhatIsNotImplementedIsRefusedByName(t *testing.T) {
	w := world(t, many(1), simulator.Options{})
	c := root(t, w, manyAccount, manyRegion)
	for _, operation := range []string{"ReverseReplication", "DeleteJob", "NoSuchThing"} {
		if r := c.drs(operation, `{}`).refused(t, 404, "UnknownOperationException"); !strings.Contains(r.message(), operation) {
			t.Errorf("%q does not name %s", r.message(), operation)
		}
	}
	c.query("ec2", "RunInstances").refused(t, 400, "InvalidAction")
	c.query("sts", "GetSessionToken").refused(t, 400, "InvalidAction")
	if r := c.send("s3", "GET", "/bucket", "", ""); r.status != 404 || !strings.Contains(r.message(), `"s3"`) {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := c.send("drs", "GET", "/DescribeJobs", "", ""); r.status != 404 {
		t.Errorf("GET DescribeJobs: %d", r.status)
	}
	if r := c.send("drs", "GET", "/ListStagingAccounts?maxResults=5", "", ""); r.status != 200 {
		t.Errorf("ListStagingAccounts: %d %s", r.status, r.body)
	}
}

func TestTagsAreSetReadAndRemoved(t *testing.T) {
	w := world(t, many(1), simulator.Options{})
	c := root(t, w, manyAccount, manyRegion)
	arn := "/tags/arn%3Aaws%3Adrs%3Aus-east-1%3A123456789012%3Asource-server%2F" + id(0)
	if r := c.send("drs", "POST", arn, "application/json", `{"tags":{"Tier":"db","Owner":"me"}}`); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := c.send("drs", "DELETE", arn+"?tagKeys=Owner", "", ""); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	r := c.send("drs", "GET", arn, "", "")
	if tags := r.at(t, "tags").(map[string]any); len(tags) != 1 || tags["Tier"] != "db" {
		t.Errorf("tags %v", tags)
	}
	if r := c.send("drs", "GET", arn+"x", "", ""); r.status != 404 {
		t.Errorf("an unknown resource: %d", r.status)
	}
}
