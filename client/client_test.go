package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"muster/client"
	"muster/event"
	"muster/orchestrator"
	"muster/recovery"
	"muster/sqlite"
)

const shop = `{"planId": "rp-shop", "planName": "Shop", "accountContext": {"accountId": "111111111111", "region": "us-east-1", "roleName": "Role", "externalId": "planted"},
	"waves": [{"waveNumber": 1, "waveName": "Databases", "servers": [{"serverId": "s-1", "launchConfig": {}}], "pauseBeforeWave": true}]}`

// nobody is a driver that starts what it is told to, and does nothing.
type nobody map[string]bool

func (n nobody) Start(_ context.Context, name string, _ []byte) (bool, error) {
	was := n[name]
	n[name] = true
	return !was, nil
}

func (n nobody) Running(_ context.Context, name string) (running, known bool, err error) {
	return n[name], n[name], nil
}

// hub is a handler in this process, and a client of it.
func hub(t testing.TB) (client.Client, *sqlite.Store) {
	t.Helper()
	store, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "executions.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	o := &orchestrator.Orchestrator{Executions: store}
	h := event.Handler{Starter: o, Operator: o, Records: store, Plans: store, Runs: nobody{}, Caller: event.Caller{Alias: event.Operate}}
	return client.Client{Invoke: h.Invoke}, store
}

func drill(t *testing.T, c client.Client, id recovery.ExecutionID) {
	t.Helper()
	// Another plan each time: one execution holds a plan.
	plan := json.RawMessage(strings.Replace(shop, "rp-shop", "rp-"+string(id), 1))
	if _, err := c.StartExecution(t.Context(), client.Start{Plan: plan, Type: recovery.Drill, ID: id, By: "anna"}); err != nil {
		t.Fatal(err)
	}
}

func TestAnExecutionIsStartedLookedAtDecidedAndEnded(t *testing.T) {
	c, _ := hub(t)
	ctx := t.Context()
	start := client.Start{Plan: json.RawMessage(shop), Type: recovery.Drill, ID: "exec-1", By: "anna", PollSeconds: 20}
	for _, started := range []bool{true, false} {
		if p, err := c.StartExecution(ctx, start); err != nil || p.Started != started || p.Plan != "rp-shop" || p.State != "WAITING_FOR_DECISION" {
			t.Fatalf("started %v: %+v, %v", started, p, err)
		}
	}
	e, err := c.Execution(ctx, "exec-1")
	if err != nil || len(e.Waves) != 1 || len(e.Events) == 0 || e.Questions[0].ID != "gate-w1" {
		t.Fatalf("%+v, %v", e, err)
	}
	if e, err = c.EventsAfter(ctx, "exec-1", client.NoEvents); err != nil || len(e.Events) != 0 {
		t.Errorf("events behind all: %+v, %v", e, err)
	}
	why := client.Request{ID: "exec-1", By: "anna", Reason: "lunch"}
	if r, err := c.Pause(ctx, why); err != nil || r.ID != "exec-1" {
		t.Errorf("pause: %+v, %v", r, err)
	}
	d := client.Decision{Request: why, Question: "gate-w1", Choice: recovery.Approve, Wave: new(1)}
	if r, err := c.Decide(ctx, d); err != nil || r.State != "WAITING_FOR_DECISION" {
		t.Errorf("decide: %+v, %v", r, err)
	}
	if r, err := c.Resume(ctx, client.Resumption{Request: why, Questions: []recovery.QuestionID{"pause-1"}}); err != nil || r.State != "RUNNING" {
		t.Errorf("resume: %+v, %v", r, err)
	}
	if r, err := c.Cancel(ctx, why); err != nil || r.State != "CANCELLING" {
		t.Errorf("cancel: %+v, %v", r, err)
	}
	_, err = c.TerminateInstances(ctx, client.Termination{ID: "exec-1", By: "anna"})
	if refusal, is := errors.AsType[*recovery.Error](err); !is || refusal.Code != recovery.WrongState {
		t.Errorf("terminate: %v", err)
	}
}

// What was read before is lifted, and nothing that came later.
func TestAResumptionThatComesLateLiftsNoLaterPause(t *testing.T) {
	c, _ := hub(t)
	ctx := t.Context()
	drill(t, c, "exec-1")
	why := client.Request{ID: "exec-1", By: "anna"}
	pause := func() {
		t.Helper()
		if _, err := c.Pause(ctx, why); err != nil {
			t.Fatal(err)
		}
	}
	paused := func() bool {
		t.Helper()
		e, err := c.EventsAfter(ctx, "exec-1", client.NoEvents)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(append(e.Questions, e.Ahead...), func(q event.QuestionOverview) bool { return q.Reason == recovery.PauseRequested })
	}
	pause()
	first := client.Resumption{Request: why, Questions: []recovery.QuestionID{"pause-1"}}
	if _, err := c.Resume(ctx, first); err != nil || paused() {
		t.Fatalf("paused: %v, %v", paused(), err)
	}
	pause()
	if _, err := c.Resume(ctx, first); err != nil || !paused() {
		t.Errorf("the same once more: paused %v, %v", paused(), err)
	}
	_, err := c.Resume(ctx, client.Resumption{Request: why, Questions: []recovery.QuestionID{}})
	if refusal, is := errors.AsType[*recovery.Error](err); !is || refusal.Code != recovery.WrongState || !strings.Contains(refusal.Message, "pause-2") || !paused() {
		t.Errorf("one that saw no pause: paused %v, %v", paused(), err)
	}
	if _, err := c.Resume(ctx, client.Resumption{Request: why}); err != nil || paused() {
		t.Errorf("whatever stands: paused %v, %v", paused(), err)
	}
}

func TestListsHaveThousandsOfExecutionsAndFindThemByTheBeginningOfTheirIDs(t *testing.T) {
	c, store := hub(t)
	ctx := t.Context()
	for i := range 120 {
		drill(t, c, recovery.ExecutionID(fmt.Sprintf("exec-%d", i)))
	}
	if all, err := c.Executions(ctx, client.List{Limit: 1000}); err != nil || len(all) != 120 || all[0].ID != "exec-119" {
		t.Errorf("%d, %v", len(all), err)
	}
	found, err := c.Executions(ctx, client.List{Limit: 2, Prefix: "exec-1"})
	if err != nil || len(found) != 2 || found[1].ID != "exec-118" {
		t.Errorf("%+v, %v", found, err)
	}
	if found, err = c.Executions(ctx, client.List{Prefix: "exec-3", CheckLogs: true}); err != nil || len(found) != 11 || found[10].ID != "exec-3" || found[0].Begun == "" {
		t.Errorf("%+v, %v", found, err)
	}
	if e, err := store.Execution(ctx, "exec-3"); err != nil || e.Version == 0 {
		t.Fatal(err)
	}
}

func TestPlansAndGroupsAreKeptByTheirIDs(t *testing.T) {
	c, _ := hub(t)
	ctx := t.Context()
	for i := range 60 { // more than one page
		if _, err := c.PutPlan(ctx, client.Put{Plan: json.RawMessage(strings.Replace(shop, "rp-shop", fmt.Sprintf("rp-%02d", i), 1)), Replaces: new(int64), By: "anna"}); err != nil {
			t.Fatal(err)
		}
	}
	if all, err := c.Plans(ctx); err != nil || len(all) != 60 || all[59].ID != "rp-59" {
		t.Errorf("%d, %v", len(all), err)
	}
	if p, err := c.Plan(ctx, "rp-07"); err != nil || p.Version != 1 || p.By != "anna" || strings.Contains(string(p.Plan), "planted") {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := c.Plan(ctx, "rp-none"); !client.IsNotFound(err) {
		t.Errorf("%v", err)
	}
	if k, err := c.PutGroup(ctx, client.Put{Group: json.RawMessage(`{"protectionGroupId": "pg-db", "servers": ["s-1"]}`), By: "anna"}); err != nil || k.Group != "pg-db" || k.Version != 1 {
		t.Errorf("%+v, %v", k, err)
	}
	if g, err := c.Group(ctx, "pg-db"); err != nil || g.Version != 1 {
		t.Errorf("%+v, %v", g, err)
	}
	if all, err := c.Groups(ctx); err != nil || len(all) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestWhatIsNotMustersAnswerIsSaidToBeNone(t *testing.T) {
	for _, answer := range []string{`"hello"`, `{}`, `{"statusCode": "fine"}`, ``, `{"statusCode": 200, "executions": 7}`} {
		c := client.Client{Invoke: func(context.Context, []byte) ([]byte, error) { return []byte(answer), nil }}
		if _, err := c.Executions(t.Context(), client.List{}); !errors.Is(err, client.ErrNotMuster) {
			t.Errorf("%s: %v", answer, err)
		}
	}
	broken := errors.New("the line is cut")
	c := client.Client{Invoke: func(context.Context, []byte) ([]byte, error) { return nil, broken }}
	if _, err := c.Plans(t.Context()); err != broken {
		t.Errorf("%v", err)
	}
}

// An answer holds 4 MiB: what it leaves out is asked for.
func TestALargeExecutionIsToldWhole(t *testing.T) {
	var asked []string
	c := client.Client{Invoke: func(_ context.Context, event []byte) ([]byte, error) {
		asked = append(asked, string(event))
		switch {
		case strings.Contains(string(event), `"waveNumber":1`):
			return []byte(`{"statusCode":200,"executionId":"exec-1","waves":[{"waveNumber":1,"serverOutcomes":[{"serverId":"s-1"}]}]}`), nil
		case strings.Contains(string(event), `"eventsAfter":0`):
			return []byte(`{"statusCode":200,"executionId":"exec-1","waves":[{"waveNumber":1,"serverOutcomes":[]}],"events":[{"number":1},{"number":2}],"serverOutcomesOmitted":[1],"eventsAfter":2}`), nil
		}
		return []byte(`{"statusCode":200,"executionId":"exec-1","waves":[{"waveNumber":1,"serverOutcomes":[]}],"events":[{"number":3}],"serverOutcomesOmitted":[1]}`), nil
	}}
	e, err := c.Execution(t.Context(), "exec-1")
	if err != nil || len(e.Events) != 3 || len(e.Waves[0].Fates) != 1 || len(asked) != 3 {
		t.Errorf("%+v, %v, asked %s", e, err, asked)
	}
}

func Example() {
	// In AWS, invoke is the Lambda function's alias operate.
	invoke := func(_ context.Context, event []byte) ([]byte, error) {
		fmt.Println("asked:", string(event))
		return []byte(`{"statusCode":200,"executionId":"exec-123","state":"RUNNING","woken":true}`), nil
	}
	muster := client.Client{Invoke: invoke}
	done, err := muster.Decide(context.Background(), client.Decision{
		Request:  client.Request{ID: "exec-123", By: "anna@example.com", Reason: "the databases are checked"},
		Question: "gate-w4", // as muster.Execution tells it
		Choice:   recovery.Approve,
	})
	fmt.Println(done.State, err)
	// Output:
	// asked: {"operation":"decide","executionId":"exec-123","by":"anna@example.com","reason":"the databases are checked","question":"gate-w4","choice":"approve"}
	// RUNNING <nil>
}
