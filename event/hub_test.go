package event_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/event"
	"muster/orchestrator"
	"muster/recovery"
	"muster/sqlite"
)

// hub is what stands in the account that recovers others: the handler over a
// store, a state machine whose runs go on when they are told to, and the
// country around it.
type hub struct {
	t     *testing.T
	store *sqlite.Store
	machine
	country
	clock  time.Time
	alias  event.Alias
	tokens int // of claims
}

func newHub(t *testing.T) *hub {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hub.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	h := &hub{t: t, store: store, clock: dawn}
	h.runs = map[string]*run{}
	h.tagged = []recovery.SourceServerID{"s-web-1", "s-web-2"}
	return h
}

func (h *hub) now() time.Time { return h.clock }

// handler is a new invocation's.
func (h *hub) handler() event.Handler {
	o := &orchestrator.Orchestrator{Accounts: &h.country, Executions: h.store, Groups: recovery.GroupsOf{PlanStore: h.store}, Now: h.now,
		Wake:     func(ctx context.Context, token recovery.Secret) error { return h.Succeed(ctx, token.Reveal(), nil) },
		NewToken: func() recovery.Token { h.tokens++; return recovery.Token(fmt.Sprint("token-", h.tokens)) }}
	return event.Handler{Starter: o, Operator: o, Records: h.store, Plans: h.store, Workflow: &h.machine, Runs: &h.machine, Now: h.now,
		Caller: event.Caller{Alias: h.alias, RequestID: "request-7"}}
}

// ask gives an event to the handler. Whatever it is, no secret comes back.
func (h *hub) ask(payload string) []byte {
	h.t.Helper()
	answer, err := h.handler().Invoke(h.t.Context(), []byte(payload))
	if err != nil {
		h.t.Fatalf("%s\na Go error left the handler: %v", payload, err)
	}
	if !json.Valid(answer) {
		h.t.Fatalf("%s\nthe answer is not JSON: %s", payload, answer)
	}
	if bytes.Contains(answer, []byte("planted")) && !strings.Contains(payload, `"state":`) {
		h.t.Fatalf("%s\nthe answer tells a secret: %s", payload, answer)
	}
	return answer
}

// machine is a state machine as Step Functions runs it, as far as it can be
// asked.
type machine struct {
	runs map[string]*run
	told []string // tokens
	fail error    // of every call
}

type run struct {
	input   []byte
	running bool
	state   []byte // that went round last
	token   string // of the task that waits; "": none does
}

func (m *machine) Start(_ context.Context, name string, input []byte) (bool, error) {
	if m.fail != nil {
		return false, m.fail
	}
	if m.runs[name] != nil {
		return false, nil
	}
	m.runs[name] = &run{input: input, running: true, state: input}
	return true, nil
}

func (m *machine) Running(_ context.Context, name string) (running, known bool, err error) {
	if m.fail != nil {
		return false, false, m.fail
	}
	r := m.runs[name]
	return r != nil && r.running, r != nil, nil
}

func (m *machine) Succeed(_ context.Context, token string, _ []byte) error {
	if m.fail != nil {
		return m.fail
	}
	m.told = append(m.told, token)
	for _, r := range m.runs {
		if r.token == token {
			r.token = ""
		}
	}
	return nil
}

// run lets a run go on until it waits for somebody, or is over. It gives the
// newest state.
func (h *hub) run(name string) []byte {
	h.t.Helper()
	r := h.runs[name]
	if r == nil || !r.running || r.token != "" {
		h.t.Fatalf("run %s does not go on: %+v", name, r)
	}
	alias := h.alias
	defer func() { h.alias = alias }()
	h.alias = event.Orchestrate
	do := func(more string) {
		r.state = h.ask(fmt.Sprintf(`{"action":%s,"state":%s}`, more, r.state))
	}
	do(`"begin_execution"`)
	for range 100 {
		step := next(h.t, r.state)
		switch step.Action {
		case "start_wave_recovery":
			do(fmt.Sprintf(`"start_wave_recovery","wave_number":%d`, *step.WaveNumber))
		case "wait":
			h.clock = h.clock.Add(time.Duration(step.Seconds) * time.Second)
			do(`"poll_wave_status"`)
		case "await_decision":
			r.token = fmt.Sprintf("planted-token-of-%s-%d", name, len(h.told))
			do(fmt.Sprintf(`"await_decision","taskToken":%q`, r.token))
			return r.state
		case "finish":
			do(`"finish_execution"`)
			r.running = false
			return r.state
		default:
			h.t.Fatalf("the next step is %+v in %s", step, r.state)
		}
	}
	h.t.Fatalf("run %s does not come to an end: %s", name, r.state)
	return nil
}

// stop ends a run, whatever it was doing.
func (h *hub) stop(name string) {
	h.runs[name].running, h.runs[name].token = false, ""
}

// country is one region with DRS, in which launches are over at the first look.
type country struct {
	jobs    []recovery.Job
	tagged  []recovery.SourceServerID // that ServersByTag finds
	fail    map[recovery.SourceServerID]bool
	gone    map[recovery.InstanceID]bool
	assumed []recovery.AccountContext
}

func (c *country) Assume(_ context.Context, a recovery.AccountContext) (recovery.Region, error) {
	c.assumed = append(c.assumed, a)
	return c, nil
}

func (c *country) SourceServers(_ context.Context, ids []recovery.SourceServerID) (all []recovery.SourceServer, err error) {
	for _, id := range ids {
		all = append(all, recovery.SourceServer{ID: id, Hostname: "host-of-" + string(id), Replication: "CONTINUOUS"})
	}
	return all, nil
}

func (c *country) ServersByTag(ctx context.Context, _ map[string]string) ([]recovery.SourceServer, error) {
	return c.SourceServers(ctx, c.tagged)
}

func (c *country) RecoveryInstances(_ context.Context, servers []recovery.SourceServerID) (all []recovery.RecoveryInstance, err error) {
	for _, j := range c.jobs {
		for _, p := range j.Participants {
			if slices.Contains(servers, p.Server) && p.Instance != "" && !c.gone[p.Instance] {
				all = append(all, recovery.RecoveryInstance{ID: p.Instance, EC2: p.Instance, Server: p.Server, Drill: j.InitiatedBy == "START_DRILL", EC2State: "RUNNING", JobID: j.ID})
			}
		}
	}
	return all, nil
}

func (c *country) InstanceStates(_ context.Context, ids []recovery.InstanceID) (map[recovery.InstanceID]string, error) {
	states := map[recovery.InstanceID]string{}
	for _, id := range ids {
		states[id] = "running"
		if c.gone[id] {
			states[id] = "terminated"
		}
	}
	return states, nil
}

func (c *country) RecoveryPoints(context.Context, []recovery.SourceServerID, []recovery.SnapshotID) ([]recovery.RecoveryPoint, error) {
	return nil, nil
}

func (c *country) Configure(context.Context, recovery.Configuration) error { return nil }

func (c *country) StartRecovery(_ context.Context, l recovery.Launch) (*recovery.Job, error) {
	j := recovery.Job{ID: recovery.JobID(fmt.Sprint("drsjob-", len(c.jobs)+1)), Type: "LAUNCH", InitiatedBy: l.Type.InitiatedBy(), Status: recovery.JobCompleted, Tags: l.Tags}
	for _, s := range l.Servers {
		j.Servers = append(j.Servers, s.ID)
		p := recovery.Participant{Server: s.ID, Status: "LAUNCHED", Instance: recovery.InstanceID(fmt.Sprintf("i-%d%d", len(c.jobs)+1, len(j.Servers)))}
		if c.fail[s.ID] {
			p = recovery.Participant{Server: s.ID, Status: "FAILED"}
		}
		j.Participants = append(j.Participants, p)
	}
	c.jobs = append(c.jobs, j)
	return &j, nil
}

func (c *country) Jobs(_ context.Context, q recovery.JobQuery) ([]recovery.Job, error) {
	return c.jobs, nil
}

func (c *country) JobLog(context.Context, recovery.JobID) ([]recovery.JobLogItem, error) {
	return nil, nil
}

func (c *country) Terminate(_ context.Context, ids []recovery.InstanceID) (*recovery.Job, error) {
	if c.gone == nil {
		c.gone = map[recovery.InstanceID]bool{}
	}
	for _, id := range ids {
		c.gone[id] = true
	}
	return &recovery.Job{ID: "drsjob-terminates", Type: "TERMINATE", Status: recovery.JobCompleted}, nil
}
