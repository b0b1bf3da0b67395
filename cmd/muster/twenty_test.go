package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"muster/dynamotest"
)

// Twenty processes that share nothing but the table are given the same start of
// a wave at the same moment: one job, and its id for all of them.
func TestTwentyProcessesThatShareATableStartAWaveOnce(t *testing.T) {
	t.Run("minidyn", func(t *testing.T) {
		server := httptest.NewServer(dynamotest.New())
		t.Cleanup(server.Close)
		startTwenty(t, server.URL)
	})
	t.Run("DynamoDB Local", func(t *testing.T) {
		endpoint := os.Getenv("MUSTER_TEST_DYNAMODB")
		if endpoint == "" {
			t.Skip("MUSTER_TEST_DYNAMODB is not set: .ci/dynamodb/run sets it")
		}
		startTwenty(t, endpoint)
	})
}

func startTwenty(t *testing.T, dynamodb string) {
	const processes = 20
	dir, table := t.TempDir(), "executions-"+rand.Text()
	aws := start(t, "simulate", "--fleet", "specification", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "aws"))
	run := func(stdin string, args ...string) (stdout, stderr string, code int) {
		var out, problems bytes.Buffer
		cmd := exec.Command("muster", args...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local",
			"AWS_ENDPOINT_URL_DYNAMODB=" + dynamodb}
		cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader([]byte(stdin)), &out, &problems
		if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
			t.Error(err)
			return "", "", -1
		}
		return out.String(), problems.String(), cmd.ProcessState.ExitCode()
	}
	if _, stderr, code := run("", "table", "create", table, "--endpoint", dynamodb); code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	event := example(t, "start-wave-1.json")
	invoke := func(i int) (job string) {
		t.Helper()
		stdout, stderr, code := run(event, "invoke", "-q", "-", "--fleet", "specification", "--endpoint", aws.url,
			"--data", filepath.Join(dir, fmt.Sprint("process-", i)), "--store", "dynamodb:"+table)
		var answer struct {
			DrsJobID, Error string
			State           struct{ DrsJobID string }
		}
		if err := json.Unmarshal([]byte(stdout), &answer); err != nil {
			t.Errorf("process %d: exit code %d, %v\n%s%s", i, code, err, stdout, stderr)
		} else if (code != exitDone || answer.DrsJobID == "") && answer.Error != "WAVE_IN_PROGRESS" {
			t.Errorf("process %d: exit code %d: %s", i, code, stdout)
		}
		return answer.DrsJobID
	}
	jobs := make([]string, processes)
	var wait sync.WaitGroup
	for i := range processes {
		wait.Go(func() { jobs[i] = invoke(i) })
	}
	wait.Wait()
	started := map[string]int{}
	for i := range jobs {
		if jobs[i] == "" {
			jobs[i] = invoke(i) // delivered again, as whoever was told WAVE_IN_PROGRESS does
		}
		started[jobs[i]]++
	}
	if len(started) != 1 || started[""] > 0 {
		t.Errorf("got the jobs %v, want one", started)
	}
	journal, err := os.ReadFile(filepath.Join(dir, "aws", "simulator.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(journal, []byte(`"service":"drs","operation":"StartRecovery"`)); n != 1 {
		t.Errorf("%d jobs were started in the simulated AWS, want one", n)
	}
}
