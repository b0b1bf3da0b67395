package simulator_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/simulator"
)

func fault(t *testing.T, line string) simulator.Fault {
	t.Helper()
	f, err := simulator.ParseFault(line)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// faulty is a client of a world of three servers with the faults in force.
func faulty(t *testing.T, lines ...string) (*client, *simulator.World) {
	t.Helper()
	var o simulator.Options
	for _, line := range lines {
		o.Faults = append(o.Faults, fault(t, line))
	}
	w := world(t, many(3), o)
	return root(t, w, manyAccount, manyRegion), w
}

// ended starts a recovery of the servers, waits until it is over, and gives its job and its log.
func ended(t *testing.T, c *client, servers ...string) (job reply, log string) {
	t.Helper()
	id := c.drs("StartRecovery", start(servers...)).must(t, 202).at(t, "job", "jobID").(string)
	time.Sleep(30 * time.Minute)
	job = c.drs("DescribeJobs", `{"filters":{"jobIDs":["`+id+`"]}}`).must(t, 200)
	if got := job.at(t, "items", 0, "status"); got != "COMPLETED" {
		t.Errorf("the job is %v: a job of DRS always ends COMPLETED", got)
	}
	return job, string(c.drs("DescribeJobLogItems", `{"jobID":"`+id+`"}`).must(t, 200).body)
}

func TestDropAnswerAfter(t *testing.T) {
	c, w := faulty(t, "DropAnswerAfter:operation=StartRecovery,times=1")
	if r := c.drs("StartRecovery", start(id(0))); !errors.Is(r.err, io.ErrUnexpectedEOF) {
		t.Fatalf("got %v %d, want a dropped connection", r.err, r.status)
	}
	if got := length(t, c.drs("DescribeJobs", `{}`)); got != 1 {
		t.Errorf("%d jobs, want the one whose answer was lost", got)
	}
	c.drs("StartRecovery", start(id(1))).must(t, 202)
	if first := w.Calls()[0]; !first.Mutated || !first.Dropped || len(first.Faults) != 1 || first.Faults[0] != "DropAnswerAfter" {
		t.Errorf("the call log says %+v", first)
	}
}

func TestDropBefore(t *testing.T) {
	c, _ := faulty(t, "DropBefore:operation=StartRecovery,times=1")
	if r := c.drs("StartRecovery", start(id(0))); !errors.Is(r.err, io.ErrUnexpectedEOF) {
		t.Fatalf("got %v %d, want a dropped connection", r.err, r.status)
	}
	if got := length(t, c.drs("DescribeJobs", `{}`)); got != 0 {
		t.Errorf("%d jobs, want none", got)
	}
}

func TestError500Before(t *testing.T) {
	c, _ := faulty(t, "Error500Before:operation=StartRecovery,times=1")
	c.drs("StartRecovery", start(id(0))).refused(t, 500, "InternalServerException")
	if got := length(t, c.drs("DescribeJobs", `{}`)); got != 0 {
		t.Errorf("%d jobs, want none", got)
	}
}

func TestError500After(t *testing.T) {
	c, _ := faulty(t, "Error500After:operation=StartRecovery,times=1")
	c.drs("StartRecovery", start(id(0))).refused(t, 500, "InternalServerException")
	if got := length(t, c.drs("DescribeJobs", `{}`)); got != 1 {
		t.Errorf("%d jobs, want one", got)
	}
}

func TestThrottleSaysWhenToComeBack(t *testing.T) {
	c, _ := faulty(t, "Throttle:operation=DescribeJobs,times=2,duration=3s", "Throttle:operation=DescribeSubnets", "Throttle:operation=GetCallerIdentity")
	for range 2 {
		if r := c.drs("DescribeJobs", `{}`).refused(t, 429, "ThrottlingException"); r.header.Get("Retry-After") != "3" {
			t.Errorf("Retry-After %q, want 3", r.header.Get("Retry-After"))
		}
	}
	c.drs("DescribeJobs", `{}`).must(t, 200)
	c.query("ec2", "DescribeSubnets").refused(t, 503, "RequestLimitExceeded")
	c.query("sts", "GetCallerIdentity").refused(t, 400, "Throttling")
}

func TestLagJobList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := faulty(t, "LagJobList:duration=10s")
		job := c.drs("StartRecovery", start(id(0))).must(t, 202).at(t, "job", "jobID").(string)
		for _, body := range []string{`{}`, `{"filters":{"jobIDs":["` + job + `"]}}`} {
			if got := length(t, c.drs("DescribeJobs", body)); got != 0 {
				t.Errorf("the new job is listed at once by %s", body)
			}
		}
		if got := c.drs("DescribeSourceServers", `{}`).at(t, "items", 0, "lifeCycle", "lastLaunch", "initiated", "jobID"); got != job {
			t.Errorf("the server's last launch is %v: only the list of jobs lags", got)
		}
		time.Sleep(10 * time.Second)
		if got := length(t, c.drs("DescribeJobs", `{}`)); got != 1 {
			t.Errorf("%d jobs after ten seconds", got)
		}
		time.Sleep(8*time.Minute - 11*time.Second) // over nine seconds hence, listed as over nineteen hence
		time.Sleep(5 * time.Second)
		if got := c.drs("DescribeJobs", `{}`).at(t, "items", 0, "status"); got != "STARTED" {
			t.Errorf("status %v, want STARTED still", got)
		}
		time.Sleep(10 * time.Second)
		if got := c.drs("DescribeJobs", `{}`).at(t, "items", 0, "status"); got != "COMPLETED" {
			t.Errorf("status %v, want COMPLETED", got)
		}
	})
}

func TestLagInstanceList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := faulty(t, "LagInstanceList:duration=1m")
		c.drs("StartRecovery", start(id(0))).must(t, 202)
		time.Sleep(8*time.Minute + time.Second)
		if got := c.drs("DescribeJobs", `{}`).at(t, "items", 0, "participatingServers", 0, "launchStatus"); got != "LAUNCHED" {
			t.Fatalf("launch status %v", got)
		}
		inst := c.drs("DescribeJobs", `{}`).at(t, "items", 0, "participatingServers", 0, "recoveryInstanceID").(string)
		if got := length(t, c.drs("DescribeRecoveryInstances", `{}`)); got != 0 {
			t.Errorf("%d instances are listed at once", got)
		}
		c.query("ec2", "DescribeInstances", "InstanceId.1", inst).refused(t, 400, "InvalidInstanceID.NotFound")
		time.Sleep(time.Minute)
		if got := length(t, c.drs("DescribeRecoveryInstances", `{}`)); got != 1 {
			t.Errorf("%d instances after a minute", got)
		}
		c.query("ec2", "DescribeInstances", "InstanceId.1", inst).must(t, 200)
	})
}

func TestFailLaunchInEachPhase(t *testing.T) {
	for phase, event := range map[string]string{"SNAPSHOT": "SNAPSHOT_FAIL", "CONVERSION": "CONVERSION_FAIL", "LAUNCH": "LAUNCH_FAILED"} {
		synctest.Test(t, func(t *testing.T) {
			c, _ := faulty(t, "FailLaunch:servers="+id(1)+",phase="+phase+`,rawError="a reason, with a comma"`)
			job, log := ended(t, c, id(0), id(1))
			if a, b := job.at(t, "items", 0, "participatingServers", 0, "launchStatus"), job.at(t, "items", 0, "participatingServers", 1, "launchStatus"); a != "LAUNCHED" || b != "FAILED" {
				t.Errorf("%s: %v and %v, want LAUNCHED and FAILED", phase, a, b)
			}
			if !strings.Contains(log, event) || !strings.Contains(log, "a reason, with a comma") {
				t.Errorf("%s: the log lacks %s or the reason: %s", phase, event, log)
			}
			if got := c.drs("DescribeSourceServers", `{}`).at(t, "items", 1, "lastLaunchResult"); got != "FAILED" {
				t.Errorf("%s: last launch result %v", phase, got)
			}
		})
	}
}

func TestNoCapacity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := faulty(t, "NoCapacity")
		if _, log := ended(t, c, id(0)); !strings.Contains(log, "LAUNCH_FAILED") || !strings.Contains(log, "InsufficientInstanceCapacity") {
			t.Errorf("log %s", log)
		}
	})
}

func TestFailConversion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := faulty(t, "FailConversion")
		if _, log := ended(t, c, id(0)); !strings.Contains(log, "CONVERSION_FAIL") || strings.Contains(log, "LAUNCH_START") {
			t.Errorf("log %s", log)
		}
	})
}

func TestSkipServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := faulty(t, "SkipServer:servers="+id(1))
		r := c.drs("StartRecovery", start(id(0), id(1))).must(t, 202)
		if got := r.at(t, "job", "participatingServers").([]any); len(got) != 1 {
			t.Errorf("%d servers participate, want one", len(got))
		}
		time.Sleep(time.Minute)
		log := c.drs("DescribeJobLogItems", `{"jobID":"`+r.at(t, "job", "jobID").(string)+`"}`).must(t, 200)
		if !strings.Contains(string(log.body), "SERVER_SKIPPED") {
			t.Errorf("log %s", log.body)
		}
	})
}

func TestSkipServerLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := faulty(t, "SkipServer:servers="+id(1)+",duration=1m")
		r := c.drs("StartRecovery", start(id(0), id(1))).must(t, 202)
		job := r.at(t, "job", "jobID")
		participants := func() int { return len(c.drs("DescribeJobs", `{}`).at(t, "items", 0, "participatingServers").([]any)) }
		if got := participants(); got != 2 {
			t.Errorf("%d servers participate at first", got)
		}
		time.Sleep(time.Minute)
		if got := participants(); got != 1 {
			t.Errorf("%d servers participate after a minute", got)
		}
		s := c.drs("DescribeSourceServers", `{}`).must(t, 200)
		if s.at(t, "items", 1, "lifeCycle", "lastLaunch", "status") != "FAILED" || s.at(t, "items", 1, "lifeCycle", "lastLaunch", "initiated", "jobID") != job {
			t.Errorf("last launch %v", s.at(t, "items", 1, "lifeCycle", "lastLaunch"))
		}
	})
}

func TestUsePreviousSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := faulty(t, "UsePreviousSnapshot")
		began := time.Now()
		_, log := ended(t, c, id(0))
		if !strings.Contains(log, "USING_PREVIOUS_SNAPSHOT") || strings.Contains(log, "SNAPSHOT_END") {
			t.Errorf("log %s", log)
		}
		at, _ := time.Parse(time.RFC3339Nano, c.drs("DescribeRecoveryInstances", `{}`).at(t, "items", 0, "pointInTimeSnapshotDateTime").(string))
		if !at.Equal(began.Add(-10 * time.Minute)) {
			t.Errorf("recovered to %v: not the recovery point there was", at)
		}
	})
}

func TestDenyTagging(t *testing.T) {
	c, _ := faulty(t, "DenyTagging")
	r := c.drs("StartRecovery", `{"sourceServers":[{"sourceServerID":"`+id(0)+`"}],"tags":{"A":"b"}}`).refused(t, 403, "AccessDeniedException")
	if !strings.Contains(r.message(), "is not authorized to perform: drs:TagResource on resource: arn:aws:drs:us-east-1:123456789012:job/*") {
		t.Errorf("message %q", r.message())
	}
	if got := length(t, c.drs("DescribeJobs", `{}`)); got != 0 {
		t.Error("a job was made")
	}
	c.drs("StartRecovery", start(id(0))).must(t, 202)
}

func TestLateTemplateVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := faulty(t, "LateTemplateVersion:duration=5s")
		c.drs("UpdateLaunchConfiguration", `{"sourceServerID":"`+id(0)+`","copyTags":true}`).must(t, 200)
		version := func() int64 { return w.Summary().Regions[0].Servers[0].TemplateVersion }
		if got := version(); got != 1 {
			t.Errorf("default version %d at once", got)
		}
		time.Sleep(5 * time.Second)
		if got := version(); got != 2 {
			t.Errorf("default version %d after five seconds, want DRS's own", got)
		}
	})
}

func TestSlowAnswersTakeEffectAtOnceAndHonourTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := faulty(t, "SlowAnswers:operation=StartRecovery,duration=20s")
		began := time.Now()
		c.drs("StartRecovery", start(id(0))).must(t, 202)
		if took := time.Since(began); took != 20*time.Second {
			t.Errorf("took %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r, _ := http.NewRequestWithContext(ctx, "POST", "http://x/StartRecovery", strings.NewReader(start(id(1))))
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=123456789012/20250131/us-east-1/drs/aws4_request, SignedHeaders=host, Signature=0")
		began = time.Now()
		if _, err := w.RoundTripper().RoundTrip(r); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("gave up after %v", took)
		}
		if got := length(t, c.drs("DescribeJobs", `{}`)); got != 2 {
			t.Errorf("%d jobs: what was asked for was done all the same", got)
		}
	})
}

func TestExpireSessions(t *testing.T) {
	w := world(t, "specification", simulator.Options{Faults: []simulator.Fault{fault(t, "ExpireSessions:operation=DescribeJobs,times=1")}})
	c := specClient(t, w)
	c.drs("DescribeSourceServers", `{}`).must(t, 200)
	c.drs("DescribeJobs", `{}`).refused(t, 403, "ExpiredTokenException")
	c.drs("DescribeSourceServers", `{}`).refused(t, 403, "ExpiredTokenException")
	c = specClient(t, w)
	c.drs("DescribeJobs", `{}`).must(t, 200)
}

func TestRefuseGivesTheSpecificationsInsufficientCapacity(t *testing.T) {
	c, _ := faulty(t, "Refuse:operation=StartRecovery,code=InsufficientCapacity,message=Not enough DRS capacity in region us-east-1")
	r := c.drs("StartRecovery", start(id(0))).refused(t, 400, "InsufficientCapacity")
	if r.message() != "Not enough DRS capacity in region us-east-1" {
		t.Errorf("message %q", r.message())
	}
	c, _ = faulty(t, "Refuse:operation=CreateLaunchTemplateVersion,code=Unsupported,status=418")
	c.query("ec2", "CreateLaunchTemplateVersion", "LaunchTemplateId", "lt-x").refused(t, 418, "Unsupported")
}
