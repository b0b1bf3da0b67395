//go:build broken

package orchestrator_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A variant is the product with one thing broken on purpose: a piece of one
// file replaced, by go test's -overlay, so that the product itself carries no
// switch. The crash-point test has to be red for each: a proof that cannot
// fail proves nothing.
type variant struct {
	name    string
	file    string   // from the module's root
	replace []string // what stands there, and what is to stand there; and so on
}

var variants = []variant{
	{"the SDK's retries are on for StartRecovery", "awsdrs/call.go", []string{
		"	case op.once:\n		return 0, false\n", "",
	}},
	{"StartRecovery is called before the claim is marked SENT", "orchestrator/send.go", []string{
		"	now := c.o.now()\n	until := now.Add(recovery.SendTimeout)\n",
		"	now := c.o.now()\n	until := now.Add(recovery.SendTimeout)\n" +
			"	job, sendErr := region.StartRecovery(call, recovery.Launch{Type: c.w.Type, Servers: c.w.Wave.Servers, Tags: c.tags()})\n",
		"	return region.StartRecovery(call, recovery.Launch{Type: c.w.Type, Servers: c.w.Wave.Servers, Tags: c.tags()})\n",
		"	return job, sendErr\n",
	}},
	{"a job is adopted without a look at its tags", "recovery/job.go", []string{
		"		return sameTags(j.Tags, want)\n", "		return true\n",
	}},
	{"a claim is written without its condition", "sqlite/commit.go", []string{
		"WHERE id = ?1 AND version = ?6", "WHERE id = ?1",
		"INSERT INTO events", "INSERT OR REPLACE INTO events",
	}},
	{"there is no grace after the deadline of the sending", "recovery/attempt.go", []string{
		"	Grace         = ClockSkew + JobVisibility", "	Grace         = 0 * time.Second",
	}},
}

func TestTheCrashPointTestIsRedForEveryBrokenVariant(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			out, err := v.run(t)
			if err == nil {
				t.Errorf("the crash-point test passed: it would not notice")
			} else if !strings.Contains(out, "--- FAIL: TestDisturbedAtAnyCall") {
				t.Errorf("the crash-point test did not get to fail: %v\n%s", err, out)
			}
		})
	}
}

func (v variant) run(t *testing.T) (output string, err error) {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, v.file)
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(source)
	for i := 0; i < len(v.replace); i += 2 {
		if n := strings.Count(text, v.replace[i]); n != 1 {
			t.Fatalf("the patch no longer applies: %q stands %d times in %s", v.replace[i], n, v.file)
		}
		text = strings.Replace(text, v.replace[i], v.replace[i+1], 1)
	}
	dir := t.TempDir()
	broken := filepath.Join(dir, filepath.Base(v.file))
	overlay := filepath.Join(dir, "overlay.json")
	body, err := json.Marshal(map[string]map[string]string{"Replace": {path: broken}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{broken: []byte(text), overlay: body} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), "go", "test", "-overlay", overlay, "-count=1", "-failfast", "-run", "^TestDisturbedAtAnyCall", ".").CombinedOutput()
	return string(out), err
}
