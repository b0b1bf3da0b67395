package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"muster/recovery"
)

// What is told as JSON may be looked at as well, and JSON leaves many
// characters as they are that drive a terminal.
func TestWhatIsToldAsJSONCannotDriveATerminalEither(t *testing.T) {
	const evil = "wave\x1b[2J\x07\r\n\u009b31m\u202e\u2066\u200bevil\x00\U000e0001"
	var out bytes.Buffer
	jsonLines(&out)(recovery.ExecutionID(evil), recovery.Event{Message: evil})
	(&failure{code: exitFailure, err: errors.New(evil), hint: evil}).report(&out, true, true)
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines: %q", len(lines), lines)
	}
	for i, key := range []string{"message", "error"} {
		if strings.ContainsFunc(lines[i], func(r rune) bool { return !unicode.IsGraphic(r) }) {
			t.Errorf("shows %q", lines[i])
		}
		var doc map[string]any
		if err := json.Unmarshal([]byte(lines[i]), &doc); err != nil || doc[key] != evil {
			t.Errorf("%s says %q (%v), want %q", key, doc[key], err, evil)
		}
	}
}

func TestNoCommandShowsOrKeepsAnExternalID(t *testing.T) {
	const id, word = "ext/Zq7PlantedWord+=1", "Zq7PlantedWord"
	fleet := filepath.Join(t.TempDir(), "fleet.yaml")
	rewrite(t, "../../simulator/fleets/specification.yaml", "externalId: unique-external-id", "externalId: "+id, fleet)
	for name, c := range map[string]struct {
		says string
		args []string
		code int
	}{
		"all is well":             {`"` + id + `"`, nil, exitDone},
		"the wrong external id":   {`"not-` + id + `"`, nil, exitRefused},
		"a malformed external id": {`"` + word + `\n"`, nil, exitRefused},
		"no text at all":          {`{"` + word + `": "` + word + `"}`, nil, exitRefused},
		"AWS repeats it":          {`"` + id + `"`, []string{"--fault", "Refuse:operation=AssumeRole,code=ValidationError,status=400,message=" + id}, exitRefused},
		"the connection breaks":   {`"` + id + `"`, []string{"--fault", "DropBefore:operation=AssumeRole,times=1"}, exitDone},
		"DRS is throttled":        {`"` + id + `"`, []string{"--fault", "Throttle:operation=DescribeSourceServers,times=1"}, exitDone},
		"the answer is lost":      {`"` + id + `"`, []string{"--fault", "DropAnswerAfter:operation=StartRecovery,times=1"}, exitDone},
		"time runs out":           {`"` + id + `"`, []string{"--timeout", "2s"}, exitFailure},
	} {
		for _, mode := range []string{"text", "json"} {
			t.Run(name+", as "+mode, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				event, data := filepath.Join(dir, "event.json"), filepath.Join(dir, "data")
				payload := rewrite(t, "../../testdata/events/start-wave-1.json", `"unique-external-id"`, c.says, event)
				args := append([]string{"invoke", "--fleet", fleet, "--data", data}, c.args...)
				if mode == "json" {
					args = append(args, "--json")
				}
				var stdout, stderr bytes.Buffer
				m := &Main{Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Env: func(string) string { return "" }}
				if code := m.Run(t.Context(), append(args, event)); code != c.code {
					t.Errorf("exit code %d, want %d: %s%s", code, c.code, &stdout, &stderr)
				}
				if strings.Contains(stderr.String(), word) {
					t.Errorf("it is told: %s", &stderr)
				}
				var in struct{ State json.RawMessage }
				if err := json.Unmarshal([]byte(payload), &in); err != nil {
					t.Fatal(err)
				}
				answer := strings.Replace(stdout.String(), string(in.State), "", 1)
				answer = strings.Replace(answer, `"externalId": `+c.says, "", 1)
				if strings.Contains(answer, word) {
					t.Errorf("it is in the answer outside of the state: %s", answer)
				}
				err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
					if err != nil || d.IsDir() {
						return err
					}
					text, err := os.ReadFile(path)
					if bytes.Contains(text, []byte(word)) {
						t.Errorf("it is in %s", d.Name())
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// rewrite writes a file with one text in it replaced, and gives what it wrote.
func rewrite(t *testing.T, from, old, with, to string) string {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), old); n != 1 {
		t.Fatalf("%q stands %d times in %s", old, n, from)
	}
	doc := strings.Replace(string(text), old, with, 1)
	if err := os.WriteFile(to, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	return doc
}
