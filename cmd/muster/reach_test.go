package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// Somebody's own settings lead to an AWS that counts what it is asked. Without
// --aws nothing gets there.
func TestWithoutSayingAWSNothingReachesAnybodysAccount(t *testing.T) {
	var asked atomic.Int32
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(aws.Close)
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": aws.URL, "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-west-2", "AWS_PROFILE": ""} {
		t.Setenv(name, value)
	}
	dir := t.TempDir()
	plan := filepath.Join(dir, "plan.yaml")
	if err := os.WriteFile(plan, []byte(gatedShop), 0o600); err != nil {
		t.Fatal(err)
	}
	drill := []string{"drill", plan, "--data", filepath.Join(dir, "here"), "--speed", "20000", "--answer", "PAUSE_BEFORE_WAVE=resume", "--answer", "WAVE_REFUSED=cancel", "-q"}
	if code, stdout, stderr := muster(t, "", drill...); code != exitDone || asked.Load() != 0 {
		t.Errorf("simulated: exit code %d, and AWS was asked %d times: %s%s", code, asked.Load(), stdout, stderr)
	}
	drill[3] = filepath.Join(dir, "there")
	code, stdout, stderr := muster(t, "", append(append(drill[:4:4], drill[6:]...), "--aws")...)
	if code == exitDone || asked.Load() == 0 {
		t.Errorf("with --aws: exit code %d, and it was asked %d times; the test proves nothing: %s%s", code, asked.Load(), stdout, stderr)
	}
}

func TestNothingListensBeyondLoopbackUnlessThatIsSaid(t *testing.T) {
	for _, command := range []string{"simulate", "function"} {
		for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0"} {
			code, _, stderr := muster(t, "", command, "--listen", address, "--data", t.TempDir())
			if code != exitUsage || !strings.Contains(stderr, "--listen-anywhere") {
				t.Errorf("muster %s --listen %s: exit code %d, want %d and the flag that allows it: %s", command, address, code, exitUsage, stderr)
			}
		}
	}
}
