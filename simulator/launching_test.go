package simulator_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/simulator"
)

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

func TestASpeedOfNearlyNothingEndsNoLaunch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, many(1), simulator.Options{Speed: 1e-300})
		c := root(t, w, manyAccount, manyRegion)
		c.drs("StartRecovery", start(id(0))).must(t, 202)
		time.Sleep(24 * time.Hour)
		if got := c.drs("DescribeJobs", `{}`).must(t, 200).at(t, "items", 0, "status"); got == "COMPLETED" {
			t.Errorf("after a day at a speed of nearly nothing the job is %v", got)
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
