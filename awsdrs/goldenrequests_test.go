package awsdrs_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"muster/simulator"
)

// refusals say what the simulator finds wrong in each golden request to an
// operation that it has: the members that hold a placeholder, and why that
// cannot be. An operation without members has nothing wrong.
var refusals = map[string][]string{
	"DescribeJobLogItems":        {"'jobID'", "drsjob-[0-9a-zA-Z]{17}"},
	"DescribeJobs":               {"'filters.jobIDs.1.member'", "'filters.jobIDs.2.member'", "drsjob-[0-9a-zA-Z]{17}", "'filters.fromDate'", "'filters.toDate'"},
	"DescribeRecoveryInstances":  {"'filters.recoveryInstanceIDs.1.member'", "'filters.sourceServerIDs.2.member'", "s-[0-9a-zA-Z]{17}"},
	"DescribeRecoverySnapshots":  {"'sourceServerID'", "s-[0-9a-zA-Z]{17}", "'filters.fromDateTime'", "'filters.toDateTime'"},
	"DescribeSourceServers":      {"'filters.sourceServerIDs.1.member'", "s-[0-9a-zA-Z]{17}", "'filters.stagingAccountIDs.2.member'", "[0-9]{12,}"},
	"GetLaunchConfiguration":     {"'sourceServerID'", "s-[0-9a-zA-Z]{17}"},
	"InitializeService":          nil,
	"ListStagingAccounts":        {"Invalid nextToken"},
	"ListTagsForResource":        {"'resourceArn'", "arn:.{16,2044}"},
	"StartRecovery":              {"'sourceServers.1.member.sourceServerID'", "'sourceServers.2.member.recoverySnapshotID'", "pit-[0-9a-zA-Z]{17}"},
	"TagResource":                {"'resourceArn'", "arn:.{16,2044}"},
	"TerminateRecoveryInstances": {"'recoveryInstanceIDs.1.member'", "'recoveryInstanceIDs.2.member'"},
	"UntagResource":              {"'resourceArn'", "arn:.{16,2044}"},
	"UpdateLaunchConfiguration":  {"'sourceServerID'", "'launchIntoInstanceProperties.launchIntoEC2InstanceID'"},
}

// The AWS SDK keeps the request that it makes of each operation, every member
// filled with a placeholder. The simulator was written without it: whatever a
// client may send, it must be able to read, and must say what is wrong with.
func TestTheSDKsGoldenRequestsAreReadAndRefusedByName(t *testing.T) {
	fleet, err := simulator.LoadFleet("three-tier")
	if err != nil {
		t.Fatal(err)
	}
	world, err := simulator.New(fleet, simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer world.Close()
	seen, unknown := map[string]bool{}, 0
	for _, file := range goldenRequests(t) {
		operation := strings.TrimSuffix(filepath.Base(file), ".request.snap")
		t.Run(operation, func(t *testing.T) {
			status, code, body := answerOf(t, world, readGolden(t, file))
			wrong, has := refusals[operation]
			if !has {
				unknown++
				if status != http.StatusNotFound || code != "UnknownOperationException" || !strings.Contains(body, operation) {
					t.Errorf("got %d %s %s, want it refused by name", status, code, body)
				}
				return
			}
			seen[operation] = true
			if len(wrong) == 0 {
				if status != http.StatusNoContent {
					t.Errorf("got %d %s %s, want it done", status, code, body)
				}
				return
			}
			if status != http.StatusBadRequest || code != "ValidationException" {
				t.Errorf("got %d %s, want 400 ValidationException", status, code)
			}
			for _, part := range wrong {
				if !strings.Contains(body, part) {
					t.Errorf("%s is not named in %s", part, body)
				}
			}
			if strings.Contains(body, "can not be converted") {
				t.Errorf("a member is read as something else than the SDK sends: %s", body)
			}
		})
	}
	for operation := range maps.Keys(refusals) {
		if !seen[operation] {
			t.Errorf("the SDK has no golden request of %s", operation)
		}
	}
	if unknown == 0 {
		t.Error("every golden request is to an operation that the simulator has: not all of them were found")
	}
	for _, c := range world.Calls() {
		if c.Mutated && c.Operation != "InitializeService" {
			t.Errorf("%s changed something", c.Operation)
		}
	}
	t.Logf("%d golden requests: %d to operations that the simulator has, %d to others", len(seen)+unknown, len(seen), unknown)
}

func goldenRequests(t *testing.T) []string {
	t.Helper()
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/drs")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("where is the SDK? %v", err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "serde_snapshot")
	files, err := filepath.Glob(filepath.Join(dir, "*.request.snap"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s holds no golden requests (%v)", dir, err)
	}
	slices.Sort(files)
	return files
}

// readGolden reads a golden request: a line with method and URI, headers, a
// body.
func readGolden(t *testing.T, file string) *http.Request {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(bytes.NewReader(data))
	line, _ := r.ReadString('\n')
	method, uri, ok := strings.Cut(strings.TrimSpace(line), " ")
	if !ok {
		t.Fatalf("%s does not begin with a method and a URI: %q", file, line)
	}
	if blank, _ := r.ReadString('\n'); strings.TrimSpace(blank) != "" {
		t.Fatalf("%s: %q follows the first line", file, blank)
	}
	header, err := textproto.NewReader(r).ReadMIMEHeader()
	if err != nil && err != io.EOF {
		t.Fatalf("%s: %v", file, err)
	}
	body, _ := io.ReadAll(r)
	request, err := http.NewRequest(method, "http://drs.us-west-2.amazonaws.com"+uri, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header(header)
	request.Header.Set("Authorization", fmt.Sprintf(
		"AWS4-HMAC-SHA256 Credential=%s/20261124/us-west-2/drs/aws4_request, SignedHeaders=host;x-amz-date, Signature=%064d", "111122223333", 0))
	return request
}

func answerOf(t *testing.T, world *simulator.World, r *http.Request) (status int, code, body string) {
	t.Helper()
	answer, err := world.RoundTripper().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header.Get("X-Amzn-ErrorType"), string(text)
}
