package orchestrator_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/recovery"
	"muster/simulator"
)

const (
	plantedID   = "ext/Zq7PlantedWord+=1"
	plantedWord = "Zq7PlantedWord" // what is left of it however it is escaped
)

// Whatever happens, an external id stands in the state that goes back and in
// the request that needs it, a session's secrets in no place at all.
func TestSecretsStayWhereTheyBelong(t *testing.T) {
	for name, c := range map[string]struct {
		says   string // the external id as the event has it; "": the planted one
		role   string
		faults []string
		edit   func(string) string
	}{
		"all is well":               {},
		"in a wave's own account":   {edit: func(e string) string { return ownAccount(e) }},
		"the wrong external id":     {says: `"other-` + plantedWord + `"`},
		"a malformed external id":   {says: `"` + plantedWord + ` \u0007"`},
		"an external id of a kind":  {says: `["` + plantedWord + `"]`},
		"a key of an external id":   {says: `{"` + plantedWord + `": 1, "` + plantedWord + `": 2}`},
		"a missing role":            {role: "Nobody"},
		"AWS repeats it":            {faults: []string{"Refuse:operation=AssumeRole,code=ValidationError,status=400,message=Value '" + plantedID + "' at 'externalId' failed"}},
		"DRS repeats it":            {faults: []string{"Refuse:operation=StartRecovery,code=ValidationException,status=400,message=" + plantedID}},
		"EC2 repeats it":            {faults: []string{"Refuse:operation=CreateLaunchTemplateVersion,code=Unsupported,message=" + plantedID}},
		"a 500 repeats it":          {faults: []string{"Error500Before:operation=StartRecovery,message=" + plantedID}},
		"STS is throttled":          {faults: []string{"Throttle:operation=AssumeRole"}},
		"DRS is throttled":          {faults: []string{"Throttle:operation=DescribeSourceServers"}},
		"sending is throttled":      {faults: []string{"Throttle:operation=StartRecovery"}},
		"STS breaks connections":    {faults: []string{"DropBefore:operation=AssumeRole"}},
		"DRS breaks connections":    {faults: []string{"DropBefore:operation=DescribeSourceServers"}},
		"DRS loses the answer":      {faults: []string{"DropAnswerAfter:operation=StartRecovery"}},
		"DRS loses the job as well": {faults: []string{"DropAnswerAfter:operation=StartRecovery", "LagJobList:duration=1h", "Error500Before:operation=DescribeSourceServers,after=1"}},
		"a session expires":         {faults: []string{"ExpireSessions:operation=DescribeSourceServers,times=1"}},
		"sessions keep expiring":    {faults: []string{"ExpireSessions:operation=DescribeSourceServers"}},
		"EC2 fails":                 {faults: []string{"Error500Before:operation=CreateLaunchTemplateVersion"}},
		"tagging is denied":         {faults: []string{"DenyTagging"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet, err := simulator.LoadFleet("specification")
				if err != nil {
					t.Fatal(err)
				}
				fleet.Accounts["123456789012"].Roles[0].ExternalID = plantedID
				s := inFleet(t, fleet, c.faults...)
				var shown logs
				s.observe = shown.observe
				e := string(readExample(t, "start-wave-1.json"))
				if c.says == "" {
					c.says = `"` + plantedID + `"`
				}
				e = replaceOnce(t, e, `"unique-external-id"`, c.says)
				if c.role != "" {
					e = replaceOnce(t, e, `"DRSOrchestrationRole"`, `"`+c.role+`"`)
				}
				if c.edit != nil {
					e = c.edit(e)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
				defer cancel()
				answer, err := s.handler().Invoke(ctx, []byte(e))
				told := withoutState(t, e, string(answer))
				if !strings.Contains(string(answer), plantedWord) && err == nil {
					t.Errorf("the state lost its external id: %s", answer)
				}
				t.Logf("%.300s %v", told, err)
				for cause := err; cause != nil; cause = errors.Unwrap(cause) {
					told += fmt.Sprintf("%v %+v %#v", cause, cause, cause)
				}
				secrets := append(s.secrets, plantedWord, plantedID, callersKey)
				if len(s.secrets) == 0 && strings.Contains(string(answer), "drsJobId") {
					t.Error("no session's secrets were seen")
				}
				noSecretIn(t, "the answer", told, secrets)
				noSecretIn(t, "what was told and logged", shown.String(), secrets)
				calls, _ := json.Marshal(s.world.Calls())
				noSecretIn(t, "the log of calls", string(calls), secrets)
				for _, what := range []string{"calls", "world", "faults"} {
					if what != "faults" || !strings.Contains(strings.Join(c.faults, ""), plantedID) { // where the test put it itself
						noSecretIn(t, "/_muster/"+what, s.control(t, what), secrets)
					}
				}
				s.filesWithout(t, secrets)
				if err := s.store.Close(); err != nil {
					t.Fatal(err)
				}
				s.filesWithout(t, secrets)
				s.sentOnlyWhereTheyBelong(t)
			})
		})
	}
}

// ownAccount moves the account of the state into its first wave.
func ownAccount(e string) string {
	from, to := strings.Index(e, `"accountContext": `), strings.Index(e, `"waves": `)
	account := e[from:to]
	e = e[:from] + `"accountContext": {"accountId": "111122223333", "region": "us-east-1", "roleName": "Nobody"}, ` + e[to:]
	return strings.Replace(e, `"waveNumber": 1,`, account+`"waveNumber": 1,`, 1)
}

// withoutState is an answer without what it gives back as it came: a failure's
// whole state, a success's account.
func withoutState(t *testing.T, e, answer string) string {
	t.Helper()
	var in struct{ State json.RawMessage }
	if err := json.Unmarshal([]byte(e), &in); err != nil {
		t.Fatal(err)
	}
	answer = strings.Replace(answer, string(in.State), "", 1)
	return strings.Replace(answer, `"externalId": "`+plantedID+`"`, "", 1)
}

func noSecretIn(t *testing.T, where, text string, secrets []string) {
	t.Helper()
	for _, secret := range secrets {
		for how, form := range map[string]string{
			"plain":  secret,
			"hex":    hex.EncodeToString([]byte(secret)),
			"base64": strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "="),
		} {
			if at := strings.Index(text, form); at >= 0 {
				t.Errorf("a secret stands in %s (%s): …%s…", where, how, text[max(at-80, 0):min(at+len(form)+20, len(text))])
			}
		}
	}
}

// logs is what a function logs at its most verbose, and more.
type logs struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (l *logs) observe(id recovery.ExecutionID, ev recovery.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range []slog.Handler{
		slog.NewJSONHandler(&l.out, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}),
		slog.NewTextHandler(&l.out, &slog.HandlerOptions{Level: slog.LevelDebug}),
	} {
		slog.New(h).Debug(ev.Message, "execution", id, "event", ev)
	}
	fmt.Fprintf(&l.out, "%s %+v %#v\n", id, ev, ev)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.String()
}

func (s *specified) control(t *testing.T, what string) string {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://simulated/_muster/"+what, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.world.RoundTripper().RoundTrip(r)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("/_muster/%s: %v, %v", what, answer, err)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil || len(text) == 0 {
		t.Fatalf("/_muster/%s: %v", what, err)
	}
	return string(text)
}

func (s *specified) filesWithout(t *testing.T, secrets []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("the folder holds %v (%v), want a record and a journal", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		noSecretIn(t, filepath.Base(file), string(text), secrets)
	}
}

// sentOnlyWhereTheyBelong: the external id to STS, a session's token in its
// header, keys nowhere.
func (s *specified) sentOnlyWhereTheyBelong(t *testing.T) {
	t.Helper()
	for _, r := range s.requests {
		if !strings.Contains(r.body, "Action=AssumeRole") {
			noSecretIn(t, "the body of "+r.path, r.body, []string{plantedWord})
		}
		noSecretIn(t, "a path", r.path, append(s.secrets, plantedWord, callersKey))
		noSecretIn(t, "the body of "+r.path, r.body, append(s.secrets, callersKey))
		header := r.header.Clone()
		header.Del("X-Amz-Security-Token")
		noSecretIn(t, "the headers of "+r.path, fmt.Sprint(header), append(s.secrets, plantedWord, callersKey))
	}
}
