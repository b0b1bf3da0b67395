package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/event"
)

// started is a command that serves, in this process.
type started struct {
	url   string
	lines []string // that it printed first
	stop  func() int
}

var address = regexp.MustCompile(`http://[0-9.:]+`)

// start runs a command that serves until the test ends, and waits for its
// address: on standard output after AWS_ENDPOINT_URL, or on standard error.
func start(t *testing.T, args ...string) *started {
	t.Helper()
	return startWithin(t, limits{}, args...)
}

// startWithin is start with other limits of clients.
func startWithin(t *testing.T, limits limits, args ...string) *started {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	code := make(chan int, 1)
	m := &Main{Stdin: strings.NewReader(""), Stdout: in, Stderr: in, Env: func(string) string { return "" }, limits: limits}
	go func() {
		code <- m.Run(ctx, args)
		in.Close()
	}()
	s := &started{stop: sync.OnceValue(func() int { cancel(); return <-code })}
	t.Cleanup(func() { s.stop() })
	lines := bufio.NewScanner(out)
	for s.url == "" || !strings.Contains(s.lines[len(s.lines)-1], "interrupt to stop") {
		if !lines.Scan() {
			t.Fatalf("muster %s ended: %q", strings.Join(args, " "), s.lines)
		}
		s.lines = append(s.lines, lines.Text())
		if s.url == "" {
			s.url = address.FindString(lines.Text())
		}
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return s
}

// muster runs one command in this process.
func muster(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	m := &Main{Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &problems, Env: func(string) string { return "" }}
	code = m.Run(context.Background(), args)
	return code, out.String(), problems.String()
}

func example(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../testdata/events", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestSimulateFirstSaysHowToReachIt(t *testing.T) {
	s := start(t, "simulate", "--fleet", "specification", "--listen", "127.0.0.1:0")
	want := []string{
		"export AWS_ENDPOINT_URL=" + s.url,
		"export AWS_ACCESS_KEY_ID=123456789012",
		"export AWS_SECRET_ACCESS_KEY=simulated",
		"export AWS_SESSION_TOKEN=",
		"export AWS_REGION=us-east-1",
		"export AWS_DEFAULT_REGION=us-east-1",
		"export AWS_EC2_METADATA_DISABLED=true",
		`# AWS CLI before 2.13 (or 1.29): it ignores AWS_ENDPOINT_URL and calls AWS itself; say aws --endpoint-url "$AWS_ENDPOINT_URL" ...`,
	}
	if !slices.Equal(s.lines[:len(s.lines)-1], want) {
		t.Errorf("got  %q\nwant %q", s.lines, want)
	}
	if code := s.stop(); code != exitDone {
		t.Errorf("an interrupted simulate ends with %d, want %d", code, exitDone)
	}
}

func TestInvokeUsesASimulatedAWSThatRunsElsewhere(t *testing.T) {
	dir := t.TempDir()
	world := filepath.Join(dir, "world")
	s := start(t, "simulate", "--fleet", "specification", "--listen", "127.0.0.1:0", "--data", world)
	invoke := []string{"invoke", "-q", "--fleet", "specification", "--endpoint", s.url, "--data", filepath.Join(dir, "record")}
	for range 2 {
		code, answer, stderr := muster(t, example(t, "complete-example.wave-1.json"), invoke...)
		if want := example(t, "complete-example.wave-1.golden.json"); code != exitDone || answer != want {
			t.Fatalf("exit code %d, %s%s", code, answer, stderr)
		}
	}
	journal, err := os.ReadFile(filepath.Join(world, "simulator.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(journal), `"service":"drs","operation":"StartRecovery"`); n != 1 {
		t.Errorf("%d jobs were started, want 1", n)
	}
}

func TestAnAddressThatIsTakenIsAMatterOfUsage(t *testing.T) {
	s := start(t, "simulate", "--listen", "127.0.0.1:0")
	for _, command := range []string{"simulate", "function"} {
		code, _, stderr := muster(t, "", command, "--listen", strings.TrimPrefix(s.url, "http://"), "--data", t.TempDir())
		if code != exitUsage || !strings.Contains(stderr, "Is one running there already?") {
			t.Errorf("%s: exit code %d: %s", command, code, stderr)
		}
	}
}

func TestSimulateAndInvokeMayShareAFolder(t *testing.T) {
	dir := t.TempDir()
	s := start(t, "simulate", "--fleet", "specification", "--listen", "127.0.0.1:0", "--data", dir)
	code, _, stderr := muster(t, example(t, "complete-example.wave-1.json"), "invoke", "-q", "--fleet", "specification", "--data", dir)
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	// Another record of executions, and the same world: the server is held.
	code, answer, _ := muster(t, example(t, "complete-example.wave-1.json"), "invoke", "-q", "--fleet", "specification", "--endpoint", s.url, "--data", filepath.Join(dir, "another"))
	if code != exitRefused || !strings.Contains(answer, "job drsjob-wave1 is launching it") {
		t.Errorf("exit code %d: %s", code, answer)
	}
}

func TestFunctionAnswersLambdasInvokeAPI(t *testing.T) {
	s := start(t, "function", "--fleet", "specification", "--listen", "127.0.0.1:0", "--data", t.TempDir())
	post := func(path, kind, payload string) (*http.Response, string) {
		t.Helper()
		r, _ := http.NewRequest(http.MethodPost, s.url+path, strings.NewReader(payload))
		r.Header.Set("X-Amz-Invocation-Type", kind)
		r.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, string(body)
	}
	const path = "/2015-03-31/functions/execution-handler/invocations"
	wave1 := example(t, "complete-example.wave-1.json")
	for _, c := range []struct {
		name, path, kind, payload string
		status                    int
		want                      string
	}{
		{"a dry run does nothing", path, "DryRun", wave1, 204, ""},
		{"an invocation is answered byte for byte", path, "RequestResponse", wave1, 200, strings.TrimSuffix(example(t, "complete-example.wave-1.golden.json"), "\n")},
		{"again, without a type, by another name", "/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:x/invocations", "", wave1, 200, `"drsJobId": "drsjob-wave1"`},
		{"a business error is an answer", path, "", `{"action": "no"}`, 200, `"error":"UNKNOWN_ACTION"`},
		{"nothing is an empty event", path, "", "", 200, `"error":"UNKNOWN_EVENT"`},
		{"nobody waits for an event", path, "Event", wave1, 202, ""},
		{"an event may not be large", path, "Event", `"` + strings.Repeat("x", 256<<10) + `"`, 413, "RequestTooLargeException"},
		{"6 MB are the most", path, "", `"` + strings.Repeat("x", 6<<20) + `"`, 413, "RequestTooLargeException"},
		{"what is not JSON never reaches the handler", path, "", "{", 400, "InvalidRequestContentException"},
		{"an unknown type", path, "Later", wave1, 400, "InvalidParameterValueException"},
		{"another path", "/2015-03-31/functions/", "", wave1, 404, "ResourceNotFoundException"},
		{"no name", "/2015-03-31/functions//invocations", "", wave1, 404, "ResourceNotFoundException"},
	} {
		response, body := post(c.path, c.kind, c.payload)
		found := strings.Contains(body, c.want) || response.Header.Get("X-Amzn-ErrorType") == c.want
		if response.StatusCode != c.status || !found || (c.want == "" && body != "") {
			t.Errorf("%s: status %d, %s", c.name, response.StatusCode, body)
		}
		if response.Header.Get("X-Amz-Function-Error") != "" {
			t.Errorf("%s: is a function error", c.name)
		}
	}
	response, err := http.Get(s.url + path)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a GET is answered with %d", response.StatusCode)
	}
	if code := s.stop(); code != exitDone {
		t.Errorf("an interrupted function ends with %d", code)
	}
}

func TestFunctionTellsAFailureAsLambdaDoes(t *testing.T) {
	// The job's answer never comes, and no time is left to look for it.
	s := start(t, "function", "--fleet", "specification", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--timeout", "3s")
	response, err := http.Post(s.url+"/2015-03-31/functions/f/invocations", "application/json", strings.NewReader(example(t, "complete-example.wave-1.json")))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var failure struct{ ErrorType, ErrorMessage string }
	if err := json.NewDecoder(response.Body).Decode(&failure); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != 200 || response.Header.Get("X-Amz-Function-Error") != "Unhandled" || failure.ErrorType != "Muster.NoTimeLeft" || !strings.Contains(failure.ErrorMessage, "too little time") {
		t.Errorf("status %d, %q, %+v", response.StatusCode, response.Header.Get("X-Amz-Function-Error"), failure)
	}
}

// slow is a handler that takes its time, and tells of it.
type slow struct{ done chan error }

func (s slow) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	select {
	case <-time.After(time.Minute):
	case <-ctx.Done():
	}
	s.done <- ctx.Err()
	return []byte("{}"), ctx.Err()
}

func TestAnEventIsWorkedOnAfterItsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := slow{make(chan error, 2)}
		api := &invokeAPI{handler: func(event.Caller) handler { return h }, timeout: lambdaTimeout, life: t.Context()}
		w := newRecorder()
		r, _ := http.NewRequest(http.MethodPost, "http://function/2015-03-31/functions/f/invocations", strings.NewReader("{}"))
		r.Header.Set("X-Amz-Invocation-Type", "Event")
		begun := time.Now()
		api.ServeHTTP(w, r)
		if w.status != http.StatusAccepted || time.Since(begun) != 0 {
			t.Errorf("status %d after %s", w.status, time.Since(begun))
		}
		api.wait()
		if err := <-h.done; err != nil || time.Since(begun) != time.Minute {
			t.Errorf("the event ended with %v after %s", err, time.Since(begun))
		}
	})
}

func TestAnInvocationEndsWithItsTimeAndWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		life, end := context.WithCancel(t.Context())
		h := slow{make(chan error, 2)}
		api := &invokeAPI{handler: func(event.Caller) handler { return h }, timeout: 10 * time.Second, life: life}
		if _, err := api.invoke(life, event.Caller{}, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ended with %v", err)
		}
		api.timeout = time.Hour
		time.AfterFunc(time.Second, end)
		if _, err := api.invoke(life, event.Caller{}, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
	})
}

type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newRecorder() *recorder                    { return &recorder{header: http.Header{}, status: http.StatusOK} }
func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

// A world in memory is gone with its process, and what was recorded of it does
// not answer for the next one.
func TestTheRecordOfAWorldInMemoryIsNotThatOfTheNext(t *testing.T) {
	m := &Main{Env: func(name string) string { return map[string]string{"HOME": "/home/me"}[name] }}
	listen := "127.0.0.1:0"
	var folders []string
	for range 2 {
		s := start(t, "simulate", "--fleet", "specification", "--listen", listen)
		listen = strings.TrimPrefix(s.url, "http://")
		w := &worldFlags{fleet: "specification", endpoint: s.url}
		for range 2 {
			folder, err := w.recordFolder(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			folders = append(folders, folder)
		}
		s.stop()
	}
	if folders[0] != folders[1] || folders[2] != folders[3] || folders[0] == folders[2] {
		t.Errorf("got %q, want two of each world", folders)
	}
}
