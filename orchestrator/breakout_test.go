package orchestrator_test

import (
	"encoding/json"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"unicode"

	"muster/recovery"
)

// breakout is text, as JSON spells it, that would break out of an ARN, a tag,
// a key, a path or a terminal's line, if any took it as it is.
const breakout = `../../etc/x\u0000\u001b[2J\r\nSet-Cookie: a=b&Action=DeleteEverything'; DROP TABLE executions; --\u202e\u2066\u200b\u009b31m{\\\"$(id)*|:`

// tagCharacters are those that a tag's value takes.
var tagCharacters = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+@-]{0,256}$`)

func TestTextOfAnEventStaysInItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := specification(t)
		var told []recovery.Event
		var mu sync.Mutex
		s.observe = func(_ recovery.ExecutionID, ev recovery.Event) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, ev)
		}
		e := string(readExample(t, "start-wave-1.json"))
		e = replaceOnce(t, e, `"Database Tier"`, `"`+breakout+`"`)
		e = replaceOnce(t, e, `"db-primary-01"`, `"`+breakout+`"`)
		e = replaceOnce(t, e, `"currentWave": 1`, `"currentWave": 1, "`+breakout+`": "`+breakout+`"`)
		e = replaceOnce(t, e, `"user@example.com"`, `"../../O'Brien; DROP TABLE executions; -- <b>\"&Action=x"`)
		answer := string(s.invoke(t, []byte(e)))
		if !strings.Contains(answer, `"status": "STARTED"`) {
			t.Fatalf("it was not started: %s", answer)
		}
		if n := strings.Count(answer, breakout); n != 5 { // wave, hostname, the key and its value, and waveName of the answer
			t.Errorf("the text came back %d times, want 5: %s", n, answer)
		}

		for _, r := range s.requests {
			for _, text := range append(textsOf(t, r), r.path) {
				if at := strings.IndexFunc(text, func(c rune) bool { return !unicode.IsGraphic(c) }); at >= 0 {
					t.Errorf("%s was sent %q", r.path, text)
				}
				if strings.Contains(text, "DROP TABLE") && !tagCharacters.MatchString(text) {
					t.Errorf("%s was sent %q", r.path, text)
				}
			}
			form, _ := url.ParseQuery(r.body)
			if form.Get("Action") == "AssumeRole" {
				if arn := form.Get("RoleArn"); arn != "arn:aws:iam::123456789012:role/DRSOrchestrationRole" {
					t.Errorf("the role is %q", arn)
				}
				if name := form.Get("RoleSessionName"); name != "muster" {
					t.Errorf("the session's name is %q, which says something of the event", name)
				}
			}
		}

		var started struct{ Tags map[string]string }
		if err := json.Unmarshal([]byte(s.sent("/StartRecovery")[0]), &started); err != nil {
			t.Fatal(err)
		}
		for key, value := range started.Tags {
			if !tagCharacters.MatchString(value) || len(value) > 256 {
				t.Errorf("the tag %s is %q", key, value)
			}
		}
		if len(started.Tags) != 4 || !strings.Contains(started.Tags["WaveName"], "DROP TABLE executions_ --") {
			t.Errorf("the tags are %q", started.Tags)
		}

		for _, ev := range told {
			if strings.ContainsFunc(ev.Message, func(c rune) bool { return !unicode.IsGraphic(c) }) {
				t.Errorf("what is told, and may be recorded and logged, is %q", ev.Message)
			}
		}
		if len(told) < 7 {
			t.Errorf("%d events were told", len(told))
		}
		s.onlyItsFiles(t)
	})
}

// textsOf lists all texts in a request's body, keys included, as they are read.
func textsOf(t *testing.T, r sentRequest) (texts []string) {
	t.Helper()
	if r.path == "/" {
		form, err := url.ParseQuery(r.body)
		if err != nil {
			t.Fatal(err)
		}
		for key, values := range form {
			texts = append(append(texts, key), values...)
		}
		return texts
	}
	var doc any
	if err := json.Unmarshal([]byte(r.body), &doc); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			texts = append(texts, v)
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			for key, item := range v {
				texts = append(texts, key)
				walk(item)
			}
		}
	}
	walk(doc)
	return texts
}

// onlyItsFiles: no text of an event has made a file.
func (s *specified) onlyItsFiles(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(s.dir), "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		switch filepath.Base(file) {
		case "executions.db", "executions.db-wal", "executions.db-shm", "simulator.jsonl", "simulator.jsonl.lock":
		default:
			t.Errorf("there is a file %s", file)
		}
	}
	if len(files) < 2 {
		t.Errorf("only %v are there", files)
	}
}

// An identifier that could break out is refused before anybody is asked, and
// before anything is written down.
func TestAnIdentifierThatBreaksOutReachesNobody(t *testing.T) {
	for _, place := range []string{
		`"exec-a1b2c3d4-e5f6-7890-abcd-ef1234567890"`, `"rp-b2c3d4e5-f6a7-8901-bcde-f12345678901"`, `"123456789012"`, `"us-east-1"`, `"DRSOrchestrationRole"`,
		`"s-1234567890abcdef0"`, `"pg-database"`, `"r5.xlarge"`, `"EC2-DRS-Role"`, `"user@example.com"`, `"2025-01-31T15:30:00Z"`,
	} {
		t.Run(place, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := specification(t)
				told := false
				s.observe = func(recovery.ExecutionID, recovery.Event) { told = true }
				e := replaceOnce(t, string(readExample(t, "start-wave-1.json")), place, strings.TrimSuffix(place, `"`)+breakout+`"`)
				answer := string(s.invoke(t, []byte(e)))
				if !strings.HasPrefix(answer, `{"error":"VALIDATION_ERROR","message":"state.`) {
					t.Errorf("got %.300s", answer)
				}
				message, _, _ := strings.Cut(answer, `"state":`)
				if strings.ContainsFunc(message, func(c rune) bool { return c < ' ' || c > '~' && c != '…' }) {
					t.Errorf("the message is %q", message)
				}
				if n := len(s.world.Calls()); n > 0 || told {
					t.Errorf("%d calls were made; something was told: %v", n, told)
				}
				for _, id := range []recovery.ExecutionID{"exec-a1b2c3d4-e5f6-7890-abcd-ef1234567890"} {
					if events, err := s.store.Events(t.Context(), id); err != nil || len(events) > 0 {
						t.Errorf("the record holds %v, %v", events, err)
					}
				}
			})
		})
	}
}
