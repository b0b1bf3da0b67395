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

func TestLaunchingAgainCleansUpWhatTheLastLaunchMadeLiveOrNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, many(1, "instances: [{server: "+id(0)+", id: i-0123456789abcdef0, drill: false}]"), simulator.Options{})
		c := root(t, w, manyAccount, manyRegion)
		before := c.drs("DescribeSourceServers", `{}`).must(t, 200)
		if got := before.at(t, "items", 0, "recoveryInstanceId"); got != "i-0123456789abcdef0" {
			t.Errorf("recovery instance %v", got)
		}
		job := c.drs("StartRecovery", start(id(0))).must(t, 202).at(t, "job", "jobID").(string)
		time.Sleep(time.Hour)
		log := string(c.drs("DescribeJobLogItems", `{"jobID":"`+job+`"}`).must(t, 200).body)
		last := -1
		for _, event := range []string{"JOB_START", "CLEANUP_START", "CLEANUP_END", "SNAPSHOT_START", "SNAPSHOT_END", "CONVERSION_START", "CONVERSION_END", "LAUNCH_START", "JOB_END"} {
			i := strings.Index(log, `"`+event+`"`)
			if i <= last {
				t.Errorf("%s is missing or out of order in %s", event, log)
			}
			last = i
		}
		if strings.Contains(log, "LAUNCH_END") {
			t.Error("DRS logs no LAUNCH_END")
		}
		now := c.drs("DescribeRecoveryInstances", `{}`).must(t, 200)
		if got := now.at(t, "items", 0, "recoveryInstanceID"); length(t, now) != 1 || got == "i-0123456789abcdef0" {
			t.Errorf("instances %s", now.body)
		}
		if got := now.at(t, "items", 0, "jobID"); got != job {
			t.Errorf("job %v", got)
		}
	})
}

func TestTerminatingIsAJobThatEndsTheInstance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, many(1, "instances: [{server: "+id(0)+", id: i-0123456789abcdef0, drill: true}]"), simulator.Options{})
		c := root(t, w, manyAccount, manyRegion)
		c.drs("TerminateRecoveryInstances", `{"recoveryInstanceIDs":[]}`).refused(t, 400, "ValidationException")
		c.drs("TerminateRecoveryInstances", `{"recoveryInstanceIDs":["i-0000000000000000f"]}`).refused(t, 404, "ResourceNotFoundException")
		r := c.drs("TerminateRecoveryInstances", `{"recoveryInstanceIDs":["i-0123456789abcdef0"]}`).must(t, 200)
		if r.at(t, "job", "type") != "TERMINATE" || r.at(t, "job", "initiatedBy") != "TERMINATE_RECOVERY_INSTANCES" {
			t.Errorf("%s", r.body)
		}
		c.drs("StartRecovery", start(id(0))).refused(t, 409, "ConflictException")
		time.Sleep(2 * time.Minute)
		if got := length(t, c.drs("DescribeRecoveryInstances", `{}`)); got != 0 {
			t.Errorf("%d instances are left", got)
		}
		jobs := c.drs("DescribeJobs", `{}`).must(t, 200)
		if got := jobs.at(t, "items", 0, "participatingServers", 0, "launchStatus"); got != "TERMINATED" {
			t.Errorf("launch status %v", got)
		}
	})
}

func TestUpdatingLaunchSettingsMakesDRSWriteATemplateVersion(t *testing.T) {
	w := world(t, "three-tier", simulator.Options{})
	c := root(t, w, "111122223333", "us-west-2")
	const server, template = "s-0291ce9fa9cbfbc13", "lt-01c1977bb99c03e36"
	version := func() reply {
		return c.query("ec2", "DescribeLaunchTemplateVersions", "LaunchTemplateId", template, "LaunchTemplateVersion.1", "$Default").must(t, 200)
	}
	if got := version().xml("versionNumber"); got != "1" {
		t.Fatalf("version %s", got)
	}
	r := c.drs("UpdateLaunchConfiguration", `{"sourceServerID":"`+server+`","targetInstanceTypeRightSizingMethod":"BASIC"}`).must(t, 200)
	if r.at(t, "targetInstanceTypeRightSizingMethod") != "BASIC" || r.at(t, "copyTags") != true || r.at(t, "ec2LaunchTemplateID") != template {
		t.Errorf("%s", r.body)
	}
	after := version()
	if got := after.xml("versionNumber"); got != "2" {
		t.Errorf("default version %s, want DRS's own, 2", got)
	}
	for _, kept := range []string{"/dev/sdb", "io2", "CostCentre", "httpTokens", "r5.2xlarge"} {
		if !strings.Contains(string(after.body), kept) {
			t.Errorf("the new version lacks %s", kept)
		}
	}
	c.drs("UpdateLaunchConfiguration", `{"sourceServerID":"`+server+`","launchDisposition":"PAUSED"}`).refused(t, 400, "ValidationException")
	c.drs("GetLaunchConfiguration", `{"sourceServerID":"s-00000000000000000"}`).refused(t, 404, "ResourceNotFoundException")
}

func TestRightSizingOverridesTheTemplatesInstanceType(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, "three-tier", simulator.Options{})
		c := root(t, w, "111122223333", "us-west-2")
		const server = "s-0291ce9fa9cbfbc13"
		c.drs("UpdateLaunchConfiguration", `{"sourceServerID":"`+server+`","targetInstanceTypeRightSizingMethod":"BASIC"}`).must(t, 200)
		c.drs("StartRecovery", start(server)).must(t, 202)
		time.Sleep(time.Hour)
		inst, _ := c.drs("DescribeRecoveryInstances", `{}`).must(t, 200).at(t, "items", 0, "ec2InstanceID").(string)
		r := c.query("ec2", "DescribeInstances", "InstanceId.1", inst).must(t, 200)
		if got := r.xml("instanceType"); got != "r5.2xlarge" {
			t.Errorf("launched as %s, want the recommended r5.2xlarge", got)
		}
		if got := r.xml("subnetId"); got != "subnet-09564fc60d8d2d55f" {
			t.Errorf("launched in %s", got)
		}
		if !strings.Contains(string(r.body), "shop-db-01-recovered") {
			t.Error("the instance lacks the template's tags")
		}
	})
}

func TestAStalledServerIsRecoveredFromItsLastPoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, many(0)+"          - {id: "+id(0)+", replication: STALLED, snapshots: [{age: 9h}]}\n          - {id: "+id(1)+", replication: INITIAL_SYNC}\n", simulator.Options{})
		c := root(t, w, manyAccount, manyRegion)
		started := time.Now().UTC()
		job := c.drs("StartRecovery", start(id(0), id(1))).must(t, 202).at(t, "job", "jobID").(string)
		time.Sleep(time.Hour)
		log := string(c.drs("DescribeJobLogItems", `{"jobID":"`+job+`"}`).must(t, 200).body)
		if !strings.Contains(log, "USING_PREVIOUS_SNAPSHOT") || !strings.Contains(log, "USING_PREVIOUS_SNAPSHOT_FAILED") {
			t.Errorf("log %s", log)
		}
		inst := c.drs("DescribeRecoveryInstances", `{}`).must(t, 200)
		if length(t, inst) != 1 {
			t.Fatalf("instances %s", inst.body)
		}
		at, err := time.Parse(time.RFC3339Nano, inst.at(t, "items", 0, "pointInTimeSnapshotDateTime").(string))
		if err != nil || !at.Equal(started.Add(-9*time.Hour)) {
			t.Errorf("recovered to %v, want nine hours before %v", at, started)
		}
	})
}

func TestAPinnedRecoveryPointIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, "specification", simulator.Options{})
		c := root(t, w, specAccount, "us-east-1")
		began := time.Now().UTC()
		job := c.drs("StartRecovery", `{"isDrill":true,"sourceServers":[{"sourceServerID":"`+specServer+`","recoverySnapshotID":"pit-1234567890abcdef0"}]}`).must(t, 202)
		time.Sleep(time.Hour)
		inst := c.drs("DescribeRecoveryInstances", `{}`).must(t, 200)
		at, err := time.Parse(time.RFC3339Nano, inst.at(t, "items", 0, "pointInTimeSnapshotDateTime").(string))
		if err != nil || !at.Equal(began.Add(-10*time.Minute)) {
			t.Errorf("recovered to %v, want ten minutes before %v", at, began)
		}
		log := c.drs("DescribeJobLogItems", `{"jobID":"`+job.at(t, "job", "jobID").(string)+`"}`).must(t, 200)
		if strings.Contains(string(log.body), "SNAPSHOT_START") {
			t.Error("a snapshot was taken although a recovery point was asked for")
		}
	})
}

func TestAReplicatingServerMakesRecoveryPointsAsTimeGoesBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, many(1), simulator.Options{})
		c := root(t, w, manyAccount, manyRegion)
		points := func() reply { return c.drs("DescribeRecoverySnapshots", `{"sourceServerID":"`+id(0)+`"}`).must(t, 200) }
		if got := length(t, points()); got != 1 {
			t.Errorf("%d points at first", got)
		}
		time.Sleep(3 * time.Hour)
		r := points()
		if got := length(t, r); got != 7 {
			t.Errorf("%d points after three hours, want the first and the latest six", got)
		}
		newest, _ := time.Parse(time.RFC3339Nano, r.at(t, "items", 0, "timestamp").(string))
		if age := time.Since(newest); age > 10*time.Minute {
			t.Errorf("the newest, first in the list, is %v old", age)
		}
	})
}

func TestSpeedShortensLaunches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, many(1), simulator.Options{Speed: 60})
		c := root(t, w, manyAccount, manyRegion)
		c.drs("StartRecovery", start(id(0))).must(t, 202)
		time.Sleep(9 * time.Second)
		if got := c.drs("DescribeJobs", `{}`).must(t, 200).at(t, "items", 0, "status"); got != "COMPLETED" {
			t.Errorf("after nine seconds at speed 60 the job is %v", got)
		}
	})
}

func TestEC2RefusesWhoeverEmptiesABucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, many(120), simulator.Options{})
		c := root(t, w, manyAccount, manyRegion)
		refused := 0
		for i := range 110 {
			r := c.drs("UpdateLaunchConfiguration", `{"sourceServerID":"`+id(i)+`","copyTags":true}`)
			if r.status == 429 {
				refused++
				if r.code != "ThrottlingException" || r.header.Get("Retry-After") != "1" {
					t.Errorf("%s, Retry-After %q", r.code, r.header.Get("Retry-After"))
				}
			}
		}
		if refused != 10 {
			t.Errorf("%d of 110 were throttled; the bucket of CreateLaunchTemplateVersion holds 100", refused)
		}
		time.Sleep(2 * time.Second)
		for i := range 10 {
			c.drs("UpdateLaunchConfiguration", `{"sourceServerID":"`+id(110+i%10)+`","copyTags":true}`).must(t, 200)
			time.Sleep(200 * time.Millisecond) // five a second
		}
		for range 101 {
			c.query("ec2", "DescribeSubnets")
		}
		c.query("ec2", "DescribeSubnets").refused(t, 503, "RequestLimitExceeded")
		c.query("ec2", "DescribeSecurityGroups").must(t, 200)
	})
}

func TestAFleetMayGiveDRSRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, many(1, "buckets: {drs: {DescribeJobs: [2, 0.25], '*': [1, 1]}, sts: {'*': [1, 0]}}"), simulator.Options{})
		c := root(t, w, manyAccount, manyRegion)
		c.drs("DescribeJobs", `{}`).must(t, 200)
		c.drs("DescribeJobs", `{}`).must(t, 200)
		if r := c.drs("DescribeJobs", `{}`).refused(t, 429, "ThrottlingException"); r.header.Get("Retry-After") != "4" {
			t.Errorf("Retry-After %q, want 4", r.header.Get("Retry-After"))
		}
		time.Sleep(4 * time.Second)
		c.drs("DescribeJobs", `{}`).must(t, 200)
		c.query("sts", "GetCallerIdentity").must(t, 200)
		c.query("sts", "GetCallerIdentity").refused(t, 400, "Throttling")
	})
}

func TestALaunchFailsForWhatEC2WouldRefuse(t *testing.T) {
	fleet := `version: 1
accounts:
  "123456789012":
    roles:
      - {name: Good, trusts: ["999999999999"]}
      - {name: NoRun, trusts: ["999999999999"], deny: ["ec2:RunInstances"]}
    regions:
      us-east-1:
        subnets: [{id: subnet-0123456789abcdef0, cidr: 10.0.0.0/28, free: 1}]
        servers:
          - {id: s-00000000000000000, template: {subnet: subnet-0123456789abcdef0}}
          - {id: s-00000000000000001, template: {subnet: subnet-0123456789abcdef0}}
          - {id: s-00000000000000002}
`
	synctest.Test(t, func(t *testing.T) {
		w := world(t, fleet, simulator.Options{})
		good, _ := root(t, w, "999999999999", "us-east-1").assume("arn:aws:iam::123456789012:role/Good", "")
		bad, _ := root(t, w, "999999999999", "us-east-1").assume("arn:aws:iam::123456789012:role/NoRun", "")
		full := good.drs("StartRecovery", start(id(0), id(1))).must(t, 202).at(t, "job", "jobID").(string)
		denied := bad.drs("StartRecovery", start(id(2))).must(t, 202).at(t, "job", "jobID").(string)
		time.Sleep(59 * time.Minute)
		for job, want := range map[string]string{full: "InsufficientFreeAddressesInSubnet", denied: "UnauthorizedOperation"} {
			r := good.drs("DescribeJobLogItems", `{"jobID":"`+job+`"}`).must(t, 200)
			if !strings.Contains(string(r.body), "LAUNCH_FAILED") || !strings.Contains(string(r.body), want) {
				t.Errorf("the log does not tell of %s: %s", want, r.body)
			}
		}
	})
}
