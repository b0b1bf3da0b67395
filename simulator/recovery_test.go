package simulator_test

import (
	"testing"
	"testing/synctest"
	"time"

	"muster/simulator"
)

const (
	specAccount = "123456789012"
	specRole    = "arn:aws:iam::123456789012:role/DRSOrchestrationRole"
	specServer  = "s-1234567890abcdef0"
)

func specClient(t *testing.T, w *simulator.World) *client {
	t.Helper()
	c, r := root(t, w, "999999999999", "us-east-1").assume(specRole, "unique-external-id")
	r.must(t, 200)
	return c
}

func start(servers ...string) string {
	body := `{"isDrill":true,"sourceServers":[`
	for i, s := range servers {
		if i > 0 {
			body += ","
		}
		body += `{"sourceServerID":"` + s + `"}`
	}
	return body + "]}"
}

func TestADrillRunsFromPendingToLaunched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, "specification", simulator.Options{})
		c := specClient(t, w)
		r := c.drs("StartRecovery", `{"isDrill":true,"sourceServers":[{"sourceServerID":"`+specServer+`"},{"sourceServerID":"s-db-02"}],"tags":{"ExecutionId":"exec-1"}}`).must(t, 202)
		if got := r.at(t, "job", "jobID"); got != "drsjob-1234567890abcdef0" {
			t.Errorf("job id %v", got)
		}
		if got := r.at(t, "job", "status"); got != "PENDING" {
			t.Errorf("status %v, want PENDING", got)
		}
		if got := r.at(t, "job", "initiatedBy"); got != "START_DRILL" {
			t.Errorf("initiatedBy %v, want START_DRILL", got)
		}
		job := func() reply {
			return c.drs("DescribeJobs", `{"filters":{"jobIDs":["drsjob-1234567890abcdef0"]}}`).must(t, 200)
		}
		time.Sleep(time.Minute)
		if got := job().at(t, "items", 0, "status"); got != "STARTED" {
			t.Errorf("after a minute: %v, want STARTED", got)
		}
		if got := job().at(t, "items", 0, "participatingServers", 0, "launchStatus"); got != "IN_PROGRESS" {
			t.Errorf("after a minute: %v, want IN_PROGRESS", got)
		}
		time.Sleep(10 * time.Minute)
		done := job()
		if got := done.at(t, "items", 0, "status"); got != "COMPLETED" {
			t.Errorf("in the end: %v, want COMPLETED", got)
		}
		if got := done.at(t, "items", 0, "participatingServers", 0, "launchStatus"); got != "LAUNCHED" {
			t.Errorf("in the end: %v, want LAUNCHED", got)
		}
		inst := c.drs("DescribeRecoveryInstances", `{"filters":{"sourceServerIDs":["`+specServer+`"]}}`).must(t, 200)
		id, _ := inst.at(t, "items", 0, "ec2InstanceID").(string)
		if got := inst.at(t, "items", 0, "isDrill"); got != true {
			t.Errorf("isDrill %v", got)
		}
		ec2 := c.query("ec2", "DescribeInstances", "InstanceId.1", id).must(t, 200)
		if got := ec2.xml("instanceType"); got != "m5.large" {
			t.Errorf("instance type %q, want the template's m5.large", got)
		}
		c.drs("DescribeJobLogItems", `{"jobID":"drsjob-1234567890abcdef0"}`).must(t, 200)
		c.drs("DescribeSourceServers", `{}`).must(t, 200)
		c.drs("DescribeRecoverySnapshots", `{"sourceServerID":"`+specServer+`"}`).must(t, 200)
		c.drs("GetLaunchConfiguration", `{"sourceServerID":"`+specServer+`"}`).must(t, 200)
		c.drs("UpdateLaunchConfiguration", `{"sourceServerID":"`+specServer+`","copyTags":true}`).must(t, 200)
	})
}

func TestEveryServerOfTheBuiltInFleetsCanBeShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for account, region := range map[string]string{"111122223333": "us-west-2", "444455556666": "eu-west-1"} {
			w := world(t, "three-tier", simulator.Options{})
			c := root(t, w, account, region)
			servers, _ := c.drs("DescribeSourceServers", `{}`).must(t, 200).at(t, "items").([]any)
			for _, s := range servers {
				id := s.(map[string]any)["sourceServerID"].(string)
				c.drs("DescribeRecoverySnapshots", `{"sourceServerID":"`+id+`"}`).must(t, 200)
				lt, _ := c.drs("GetLaunchConfiguration", `{"sourceServerID":"`+id+`"}`).must(t, 200).at(t, "ec2LaunchTemplateID").(string)
				c.query("ec2", "DescribeLaunchTemplateVersions", "LaunchTemplateId", lt, "LaunchTemplateVersion.1", "$Default").must(t, 200)
			}
			c.drs("DescribeRecoveryInstances", `{}`).must(t, 200)
		}
	})
}
