package sqlite_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"muster/recovery"
	"muster/sqlite"
)

func TestTheFileAndItsFolderAreItsOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "muster")
	path := filepath.Join(dir, "muster.db")
	s := open(t, path)
	claim(t, s, "exec-1")
	for name, want := range map[string]fs.FileMode{dir: 0o700, filepath.Dir(dir): 0o700, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
}

func TestAFolderThatStandsKeepsItsMode(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	open(t, filepath.Join(dir, "muster.db"))
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("got %v, %v; want mode 755", info.Mode(), err)
	}
}

func TestAnyFileNameIsTakenAsItIs(t *testing.T) {
	for _, name := range []string{"a b.db", "a?b=c&_txlock=exclusive.db", "100%.db", "%41.db", "a#b.db", "日本語.db", ":memory:", "file:x.db", "semi;colon'quote\".db"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, filepath.Join(dir, name))
			claim(t, s, "exec-1")
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			files, err := os.ReadDir(dir)
			if err != nil || len(files) != 1 || files[0].Name() != name {
				t.Errorf("the folder holds %v, %v; want %q alone", files, err, name)
			}
		})
	}
}

func TestAPathMayBeRelative(t *testing.T) {
	t.Chdir(t.TempDir())
	s := open(t, "data/muster.db")
	t.Chdir(t.TempDir())
	claim(t, s, "exec-1")
}

func TestWhatWasCommittedIsThereAfterReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "muster.db")
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	claim(t, s, "exec-1")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	e, err := open(t, path).Execution(t.Context(), "exec-1")
	if err != nil || e.Version != 1 || len(e.Attempts) != 1 {
		t.Errorf("got %+v, %v; want the claim", e, err)
	}
}

// People look inside with the sqlite3 shell: the questions that they have are
// answered by columns.
func TestAnybodyCanLookInside(t *testing.T) {
	shell := sqlite3(t)
	path := filepath.Join(t.TempDir(), "muster.db")
	s := open(t, path)
	claim(t, s, "exec-1")
	e, err := s.Execution(t.Context(), "exec-1")
	if err != nil {
		t.Fatal(err)
	}
	job := &recovery.Job{ID: "drsjob-1"}
	if err := s.Commit(t.Context(), e.With(e.Attempts[0].Start(job, at), &recovery.Event{At: at, Kind: recovery.EventStarted, Message: "job drsjob-1 <runs>", JobID: job.ID})); err != nil {
		t.Fatal(err)
	}
	ask(t, shell, path, map[string]string{
		"SELECT id, plan_id, type, start_time, initiated_by, version, last_event FROM executions":    "exec-1|rp-456|DRILL|2026-02-03T04:05:06Z|user@example.com|2|2",
		"SELECT execution_id, wave, attempt, state, job_id, account_id, region, token FROM attempts": "exec-1|1|1|STARTED|drsjob-1|123456789012|us-east-1|token-1",
		"SELECT started_at, lease_until, refusal IS NULL FROM attempts":                              "2026-02-03T04:05:06.789012345Z|2026-02-03T04:05:36.789012345Z|1",
		"SELECT number, at, kind, wave, attempt, job_id, message FROM events WHERE number = 2":       "2|2026-02-03T04:05:06.789012345Z|STARTED|1|1|drsjob-1|job drsjob-1 <runs>",
	})
}

func TestAnybodyCanLookAtWholeExecutions(t *testing.T) {
	shell := sqlite3(t)
	path := filepath.Join(t.TempDir(), "muster.db")
	s := open(t, path)
	commit := func(c recovery.Change) {
		t.Helper()
		if err := s.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	e := start.NewExecution()
	e.Waves = []recovery.WaveRecord{
		{Number: 1, Name: "Databases", AccountID: "123456789012", Region: "us-east-1", Servers: 2},
		{Number: 2, Name: "Web", AccountID: "444455556666", Region: "eu-central-1", Servers: 1, PauseBefore: true, Skipped: true},
	}
	c := change(e)
	c.Frozen = &recovery.Plan{ID: e.Plan, Name: "Web shop", Owner: "owner@example.com"}
	commit(c)
	e, err := s.Execution(t.Context(), e.ID)
	if err != nil {
		t.Fatal(err)
	}
	a := e.Attempts[0].Start(&recovery.Job{ID: "drsjob-1"}, at)
	a.JobOver, a.EndedAt = true, at
	a.Outcomes = []recovery.ServerOutcome{{Server: "s-1", Status: "LAUNCHED"}, {Server: "s-2", Status: "FAILED", Reason: "no capacity"}}
	e.Pause = &recovery.Request{By: "somebody", At: at}
	commit(e.With(a, nil))
	ask(t, shell, path, map[string]string{
		"SELECT plan_id, execution_id FROM held":                           "rp-456|exec-1",
		"SELECT execution_id, plan_id, name, owner FROM plans":             "exec-1|rp-456|Web shop|owner@example.com",
		"SELECT * FROM waves":                                              "exec-1|1|Databases|123456789012|us-east-1|2|0|0|0|1|STARTED|drsjob-1|1|1\nexec-1|2|Web|444455556666|eu-central-1|1|1|0|1|||||0",
		"SELECT job_over, ended_at, retry_at IS NULL FROM attempts":        "1|2026-02-03T04:05:06.789012345Z|1",
		"SELECT paused_by, cancelled_by, outcome, changed FROM executions": "somebody|||2",
	})
	e.Version, e.Ended = 2, &recovery.Ending{Outcome: recovery.OutcomePartial, Reason: "1 of 2", At: at}
	commit(e.WithEvent(recovery.Event{At: at, Kind: recovery.EventNote}))
	ask(t, shell, path, map[string]string{
		"SELECT outcome, reason, ended_at FROM executions": "PARTIAL|1 of 2|2026-02-03T04:05:06.789012345Z",
		"SELECT count(*) FROM held":                        "0",
	})
}

// sqlite3 finds the shell. MUSTER_TEST_SQLITE3 makes a test fail where there is
// none, instead of being skipped.
func sqlite3(t *testing.T) string {
	t.Helper()
	shell, err := exec.LookPath("sqlite3")
	switch {
	case err != nil && os.Getenv("MUSTER_TEST_SQLITE3") != "":
		t.Fatal(err)
	case err != nil:
		t.Skip("there is no sqlite3 shell here")
	}
	return shell
}

func ask(t *testing.T, shell, path string, questions map[string]string) {
	t.Helper()
	for question, want := range questions {
		out, err := exec.Command(shell, path, question).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%s:\n got %s (%v)\nwant %s", question, got, err, want)
		}
	}
}
