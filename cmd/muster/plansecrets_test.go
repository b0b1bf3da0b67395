package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"muster/event"
	"muster/orchestrator"
	"muster/recovery"
	"muster/sqlite"
)

// A whole plan runs, with a gate: its external id and the token of the task
// that waits are told by no command, and lie in the tables that SECURITY.md
// names and nowhere else.
func TestAWholePlansSecretsAreToldByNoCommandAndKeptWhereTheyMustBe(t *testing.T) {
	const word = "Zq7PlantedWord"
	dir := t.TempDir()
	fleet, plan, data := filepath.Join(dir, "fleet.yaml"), filepath.Join(dir, "plan.yaml"), filepath.Join(dir, "data")
	rewrite(t, "../../simulator/fleets/three-tier.yaml", "externalId: muster-three-tier-1", "externalId: "+word, fleet)
	if err := os.WriteFile(plan, []byte(strings.Replace(gatedShop, "muster-three-tier-1", word, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	where := []string{"--fleet", fleet, "--data", data}
	var told strings.Builder
	run := func(want int, args ...string) {
		t.Helper()
		code, stdout, stderr := muster(t, "", append(args, where...)...)
		if code != want {
			t.Errorf("muster %s: exit code %d, want %d: %s%s", args[0], code, want, stdout, stderr)
		}
		told.WriteString(stdout + stderr)
	}
	run(exitCanceled, "drill", plan, "--execution", "exec-0", "--no-wait", "--fault", "Refuse:operation=AssumeRole,code=ValidationError,status=400,message="+word, "--answer", "WAVE_REFUSED=cancel", "--speed", "20000", "--json")
	run(exitDecision, "drill", plan, "--execution", "exec-1", "--no-wait", "--speed", "20000", "--json")
	const token = "PlantedTokenOfATask" // as a state machine's task gives it
	awaits(t, filepath.Join(data, recordFile), token)
	backup := filepath.Join(dir, "backup.db")
	for _, args := range [][]string{{"list"}, {"list", "--json"}, {"show", "exec-1"}, {"show", "exec-1", "--json"}, {"backup", backup, "--json"},
		{"plan", "put", plan}, {"plan", "put", plan, "--json"}, {"plan", "list"}, {"plan", "list", "--json"}, {"plan", "get", "rp-shop"},
		{"pause", "exec-1", "--json", "--reason", "lunch"}, {"pause", "exec-1", "--reason", "and dinner"}, {"decide", "exec-1", "resume", "--json"}} {
		run(exitDone, args...)
	}
	run(exitRefused, "decide", "exec-1", "skip", "--wave", "7", "--json")
	run(exitDone, "decide", "exec-1", "approve", "--reason", "checked", "--json")
	run(exitDone, "resume", "exec-1", "--json")
	run(exitDecision, "drill", "rp-shop", "--execution", "exec-2", "--no-wait", "--speed", "20000", "--json")
	run(exitDone, "cancel", "exec-2", "--json")
	run(exitCanceled, "resume", "exec-2", "--json")
	run(exitDone, "cleanup", "exec-1")
	run(exitDone, "show", "exec-1", "--json")
	for name, secret := range map[string]string{"the external id": word, "the task's token": token} {
		if at := strings.Index(told.String(), secret); at >= 0 {
			t.Errorf("%s is told: …%s…", name, told.String()[max(at-200, 0):at])
		}
	}
	journal, err := os.ReadFile(filepath.Join(data, "simulator.jsonl"))
	if err != nil || bytes.Contains(journal, []byte(word)) || bytes.Contains(journal, []byte(token)) {
		t.Errorf("a secret is in the simulated AWS's journal (%v)", err)
	}
	// While the task waits, and ever after.
	for _, c := range []struct{ file, secret, want string }{
		{backup, word, "plans"},
		{backup, token, "executions"},
		{filepath.Join(data, recordFile), word, "plans recovery_plans"},
		{filepath.Join(data, recordFile), token, ""},
	} {
		if got := strings.Join(tablesWith(t, c.file, c.secret), " "); got != c.want {
			t.Errorf("%s: a secret lies in the tables %q, want %q", filepath.Base(c.file), got, c.want)
		}
	}
}

// What a driver tells while nothing can be recorded says nothing of the state that
// it delivers again, nor of the token in it.
func TestAHinderedDriverTellsNothingOfWhatItDelivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const word = "Zq7PlantedWord"
		plan := &recovery.Plan{ID: "rp-shop", Account: recovery.AccountContext{AccountID: "111122223333", Region: "us-west-2", RoleName: "Role", ExternalID: recovery.NewSecret(word)},
			Waves: []recovery.PlannedWave{{Wave: recovery.Wave{Number: 1, Servers: []recovery.Server{{ID: "s-1", LaunchConfig: recovery.LaunchConfig{}}}}}}}
		state := event.StateOf(event.Opening{Plan: plan, Execution: "exec-1", Type: recovery.Drill, InitiatedBy: "ops", StartTime: "2026-11-24T03:00:00Z"})
		if !bytes.Contains(state, []byte(word)) {
			t.Fatalf("nothing is planted in %s", state)
		}
		s := &seat{id: "exec-1", store: down{}, who: "ops"}
		o := &orchestrator.Orchestrator{Executions: down{}}
		var notes []string
		err := driveHere(t.Context(), s, event.Handler{Starter: o}, func(_ recovery.ExecutionID, ev recovery.Event) { notes = append(notes, ev.Message) }, 1, state)
		if err == nil || len(notes) == 0 || !strings.Contains(notes[0], "the disk is full") {
			t.Fatalf("the driver ends with %v and told %q", err, notes)
		}
		if told := fmt.Sprint(err, notes); strings.Contains(told, word) {
			t.Errorf("the external id is told: %s", told)
		}
	})
}

// down is a store that takes a driver, and nothing else.
type down struct{ recovery.ExecutionStore }

func (down) Execution(context.Context, recovery.ExecutionID) (*recovery.Execution, error) {
	return nil, errors.New("the disk is full")
}

func (down) Drive(context.Context, recovery.ExecutionID, string, recovery.Driver) (bool, error) {
	return true, nil
}

// awaits has a task of a state machine wait for the execution's decision.
func awaits(t *testing.T, file, token string) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	o := orchestrator.Orchestrator{Executions: store}
	if e, err := o.Await(t.Context(), "exec-1", recovery.NewSecret(token), 1); err != nil || e.TaskToken.IsZero() {
		t.Fatalf("no task waits: %v", err)
	}
}

// tablesWith names the tables of a file that hold a text.
func tablesWith(t *testing.T, file, text string) []string {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	column := func(query string, args ...any) (values []string) {
		rows, err := db.Query(query, args...)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var v string
			if err := rows.Scan(&v); err != nil {
				t.Fatal(err)
			}
			values = append(values, v)
		}
		return values
	}
	var found []string
	for _, table := range column("SELECT name FROM sqlite_schema WHERE type = 'table'") {
		for _, name := range column("SELECT name FROM pragma_table_xinfo(?)", table) {
			if n := column(`SELECT count(*) FROM "`+table+`" WHERE instr("`+name+`", ?)`, text); n[0] != "0" {
				found = append(found, table)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

const gatedShop = `version: 1
plan: {id: rp-shop, name: Shop}
accountContext: {accountId: "111122223333", region: us-west-2, roleName: DRSOrchestrationRole, externalId: muster-three-tier-1}
waves:
  - {waveNumber: 1, waveName: Databases, protectionGroupId: pg-database}
  - {waveNumber: 2, waveName: Web, protectionGroupId: pg-web, pauseBeforeWave: true}
groups:
  pg-database: {servers: [s-0291ce9fa9cbfbc13], launchConfig: {instanceType: r5.2xlarge}}
  pg-web: {servers: [s-039c1c5fbdac33062], launchConfig: {instanceType: m5.large}}
`
