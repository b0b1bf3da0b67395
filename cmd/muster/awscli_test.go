package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestAWSCLI lets the AWS CLI, a client that nobody here wrote, talk to the
// simulated AWS and to the function. MUSTER_TEST_AWSCLI names the program;
// without it the test is not asked for. Asked for and not there, it fails.
func TestAWSCLI(t *testing.T) {
	program := os.Getenv("MUSTER_TEST_AWSCLI")
	if program == "" {
		t.Skip("MUSTER_TEST_AWSCLI is not set: .ci/run sets it")
	}
	version, err := exec.Command(program, "--version").CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", program, err, version)
	}
	t.Logf("%s", version)
	dir := t.TempDir()
	s := start(t, "simulate", "--listen", "127.0.0.1:0", "--data", dir)
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "AWS_PAGER=", "LC_ALL=C.UTF-8"}
	for _, line := range s.lines {
		if assignment, ok := strings.CutPrefix(line, "export "); ok {
			env = append(env, assignment)
		}
	}
	run := func(endpoint string, args ...string) (string, error) {
		t.Helper()
		// Older versions do not know AWS_ENDPOINT_URL.
		cmd := exec.Command(program, append([]string{"--endpoint-url", endpoint, "--output", "json"}, args...)...)
		cmd.Env, cmd.Dir = env, dir
		out, err := cmd.CombinedOutput()
		t.Logf("aws %s\n%s", strings.Join(args, " "), out[:min(len(out), 600)])
		return string(out), err
	}
	aws := func(v any, args ...string) {
		t.Helper()
		out, err := run(s.url, args...)
		if err != nil {
			t.Fatalf("aws %s: %v", args[1], err)
		}
		if err := json.Unmarshal([]byte(out), v); err != nil {
			t.Fatalf("aws %s: %v", args[1], err)
		}
	}

	var servers struct {
		Items []struct{ SourceServerID string }
	}
	aws(&servers, "drs", "describe-source-servers")
	if len(servers.Items) < 15 { // of the first account's busiest region
		t.Errorf("%d source servers", len(servers.Items))
	}

	var launch struct{ EC2LaunchTemplateID string }
	aws(&launch, "drs", "get-launch-configuration", "--source-server-id", "s-0291ce9fa9cbfbc13")
	var versions struct {
		LaunchTemplateVersions []struct {
			DefaultVersion     bool
			LaunchTemplateData struct{ InstanceType string }
		}
	}
	aws(&versions, "ec2", "describe-launch-template-versions", "--launch-template-id", launch.EC2LaunchTemplateID, "--versions", "$Default")
	if v := versions.LaunchTemplateVersions; len(v) != 1 || !v[0].DefaultVersion || v[0].LaunchTemplateData.InstanceType != "r5.xlarge" {
		t.Errorf("template versions: %+v", v)
	}

	var started struct {
		Job struct {
			JobID, Status, InitiatedBy string
			ParticipatingServers       []struct{ SourceServerID string }
		}
	}
	aws(&started, "drs", "start-recovery", "--is-drill", "--source-servers", "sourceServerID=s-0291ce9fa9cbfbc13", "--tags", "ExecutionId=by-hand")
	if j := started.Job; !strings.HasPrefix(j.JobID, "drsjob-") || j.InitiatedBy != "START_DRILL" || len(j.ParticipatingServers) != 1 {
		t.Errorf("started: %+v", j)
	}
	var jobs struct{ Items []struct{ JobID string } }
	aws(&jobs, "drs", "describe-jobs", "--filters", "jobIDs="+started.Job.JobID)
	if len(jobs.Items) != 1 || jobs.Items[0].JobID != started.Job.JobID {
		t.Errorf("jobs: %+v", jobs.Items)
	}
	if out, err := run(s.url, "drs", "start-recovery", "--is-drill", "--source-servers", "sourceServerID=s-0291ce9fa9cbfbc13"); err == nil || !strings.Contains(out, "ConflictException") {
		t.Errorf("a second start of a server that a job holds: %v", err)
	}

	env = append(env, "AWS_ACCESS_KEY_ID=999999999999") // the fleet's caller
	var role struct {
		Credentials struct{ AccessKeyID, SessionToken string }
	}
	aws(&role, "sts", "assume-role", "--role-arn", "arn:aws:iam::111122223333:role/DRSOrchestrationRole", "--role-session-name", "by-hand", "--external-id", "muster-three-tier-1")
	var identity struct{ Account, Arn string }
	env = append(env, "AWS_ACCESS_KEY_ID="+role.Credentials.AccessKeyID, "AWS_SESSION_TOKEN="+role.Credentials.SessionToken)
	aws(&identity, "sts", "get-caller-identity")
	if identity.Account != "111122223333" || !strings.HasSuffix(identity.Arn, "assumed-role/DRSOrchestrationRole/by-hand") {
		t.Errorf("the role is %+v", identity)
	}

	f := start(t, "function", "-q", "--fleet", "specification", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "function"))
	if err := os.WriteFile(filepath.Join(dir, "wave.json"), []byte(example(t, "complete-example.wave-1.json")), 0o600); err != nil {
		t.Fatal(err)
	}
	invoke := []string{"lambda", "invoke", "--function-name", "execution-handler", "--payload", "file://wave.json"}
	if strings.HasPrefix(string(version), "aws-cli/2") {
		invoke = append(invoke, "--cli-binary-format", "raw-in-base64-out")
	}
	if _, err := run(f.url, append(invoke, "answer.json")...); err != nil {
		t.Fatalf("aws lambda invoke: %v", err)
	}
	answer, err := os.ReadFile(filepath.Join(dir, "answer.json"))
	if err != nil || string(answer)+"\n" != example(t, "complete-example.wave-1.golden.json") {
		t.Errorf("aws lambda invoke answers %s, %v", answer, err)
	}
}
