package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"muster/dynamotest"
)

// briefly has a process that ends wait less for reports of the race detector than
// the second that it waits otherwise.
const briefly = "atexit_sleep_ms=50"

// The test binary is muster, too, when a script runs it.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"muster": main})
}

// TestScripts runs the command line as a user does: testdata/script/*.txtar.
func TestScripts(t *testing.T) {
	events, err := filepath.Abs("../../testdata/events")
	if err != nil {
		t.Fatal(err)
	}
	versions, err := filepath.Abs("testdata/versions")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", briefly)
			env.Setenv("EVENTS", events)
			env.Setenv("VERSIONS", versions)
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			// Were anybody's AWS settings looked at, these would do harm.
			env.Setenv("AWS_PROFILE", "nobody")
			env.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"retry":  retry,
			"exits":  exits,
			"field":  field,
			"atonce": atOnce,
			"count":  count,
			"sql":    sqlIn,
			"dynamodb": func(ts *testscript.TestScript, _ bool, _ []string) {
				server := httptest.NewServer(dynamotest.New())
				ts.Defer(server.Close)
				ts.Setenv("AWS_ENDPOINT_URL_DYNAMODB", server.URL)
			},
		},
		RequireExplicitExec: true,
	})
}

// exits runs a command and wants an exit code: exits CODE COMMAND…
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// field wants a value in a JSON document: field FILE PATH JSON, where PATH is
// keys and numbers between dots.
func field(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: field FILE PATH JSON")
	}
	var doc any
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0])), &doc); err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
	for _, key := range strings.Split(args[1], ".") {
		switch v := doc.(type) {
		case map[string]any:
			doc = v[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(v) {
				ts.Fatalf("no %s in %s", key, args[0])
			}
			doc = v[i]
		default:
			doc = nil
		}
	}
	got, err := json.Marshal(doc)
	ts.Check(err)
	if (string(got) == args[2]) == neg {
		ts.Fatalf("%s is %s", args[1], got)
	}
}

// atOnce runs a command so many times at the same time, and wants exit code 0
// and one output of all of them, which becomes a file: atonce N FILE COMMAND…
func atOnce(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[0])
	if neg || err != nil {
		ts.Fatalf("usage: atonce N FILE COMMAND...")
	}
	program, err := exec.LookPath(args[2])
	ts.Check(err)
	outputs, errs := make([]string, n), make([]error, n)
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() {
			var problems strings.Builder
			cmd := exec.Command(program, args[3:]...)
			cmd.Dir = ts.Getenv("WORK")
			cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"), "PATH="+ts.Getenv("PATH"))
			cmd.Stderr = &problems
			out, err := cmd.Output()
			outputs[i] = string(out)
			if err != nil {
				errs[i] = fmt.Errorf("%w: %s", err, problems.String())
			}
		})
	}
	wait.Wait()
	for i := range n {
		ts.Check(errs[i])
	}
	if distinct := slices.Compact(slices.Sorted(slices.Values(outputs))); len(distinct) != 1 {
		ts.Fatalf("%d different answers: %q", len(distinct), distinct)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(outputs[0]), 0o600))
}

// sqlIn changes an SQLite file: sql FILE STATEMENT
func sqlIn(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sql FILE STATEMENT")
	}
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	result, err := db.Exec(args[1])
	ts.Check(err)
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		ts.Fatalf("it changed nothing: %v", err)
	}
}

// count wants a text so many times in a file: count N TEXT FILE
func count(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil || len(args) != 3 {
		ts.Fatalf("usage: count N TEXT FILE")
	}
	if got := strings.Count(ts.ReadFile(args[2]), args[1]); got != want {
		ts.Fatalf("%d times %q in %s, want %d", got, args[1], args[2], want)
	}
}

// retry runs a command once a tenth of a second until it succeeds with a text
// in its output, at most so many seconds: retry SECONDS TEXT COMMAND…
func retry(ts *testscript.TestScript, neg bool, args []string) {
	seconds, err := strconv.Atoi(args[0])
	if neg || err != nil || len(args) < 3 {
		ts.Fatalf("usage: retry SECONDS TEXT COMMAND...")
	}
	for until := time.Now().Add(time.Duration(seconds) * time.Second); ; time.Sleep(100 * time.Millisecond) {
		err := ts.Exec(args[2], args[3:]...)
		if err == nil && strings.Contains(ts.ReadFile("stdout"), args[1]) {
			return
		}
		if time.Now().After(until) {
			ts.Fatalf("never %q: %v", args[1], err)
		}
	}
}
