//go:build rehearsal

package rehearsal_test

import (
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

var summary = flag.String("summary", "", "put the drill's summary into this `FILE`, and do not print it")

func TestADeploymentIsRehearsed(t *testing.T) {
	c := deployed(t)
	p := &person{cloud: c, name: "rehearsal@example.com"}
	say("The stack %s: a function of %d environments, a table, a state machine, a topic.", c.stack.Stack, environments)
	if !t.Run("plans are put", func(t *testing.T) { putPlans(t, p) }) {
		return
	}
	t.Run("an alias says what may be asked for", func(t *testing.T) { tryAliases(t, p) })
	if t.Run("a drill goes to its end", func(t *testing.T) { drill(t, p) }) {
		t.Run("an interrupted execution goes on with one command", func(t *testing.T) { interrupt(t, p) })
	}
	t.Run("no secret is told", func(t *testing.T) { lookForSecrets(t, p) })
}

func putPlans(t *testing.T, p *person) {
	plan, groups := examplePlan(t)
	for _, group := range groups {
		p.do(t, "put_group", map[string]any{"group": group, "replaces": 0})
	}
	for _, plan := range []map[string]any{plan, smallPlan(t)} {
		p.do(t, "put_plan", map[string]any{"plan": plan, "replaces": 0})
	}
	say("put: %d protection groups, 2 plans.", len(groups))
}

func tryAliases(t *testing.T, p *person) {
	start := map[string]any{"operation": "start_execution", "planId": "rp-queues", "executionType": "DRILL", "by": p.name}
	if a := p.ask(t, reader, "read", start); a.Error != "NOT_ALLOWED" {
		t.Errorf("a start by the alias read came to %+v, want NOT_ALLOWED", a)
	}
	if a := p.ask(t, operator, "operate", map[string]any{"action": "poll_wave_status", "state": map[string]any{}}); a.Error != "NOT_ALLOWED" {
		t.Errorf("an action by the alias operate came to %+v, want NOT_ALLOWED", a)
	}
	for caller, alias := range map[string]string{reader: "operate", operator: "orchestrate", stateMachine: "operate", eventBridge: "read"} {
		if _, _, err := p.cloud.lambda.invoke(t.Context(), caller, p.cloud.function.name+":"+alias, []byte(`{}`)); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
			t.Errorf("%s may invoke the alias %s: %v", caller, alias, err)
		}
	}
	if _, _, err := p.cloud.lambda.invoke(t.Context(), operator, p.cloud.function.name, []byte(`{}`)); err == nil {
		t.Error("who may operate may invoke the function past its aliases")
	}
}

const drillID = "exec-rehearsal"

func drill(t *testing.T, p *person) {
	c := p.cloud
	start := map[string]any{"planId": "rp-web-shop-30", "executionType": "DRILL", "executionId": drillID}
	if a := p.do(t, "start_execution", start); !a.Started {
		t.Fatalf("the start came to %+v, want a run started", a)
	}
	p.do(t, "start_execution", start) // delivered again
	p.hears(t, drillID, "has started")

	// One application server fails to launch, the first time.
	p.hears(t, drillID, "WAVE_FAILED", "muster decide "+drillID+" retry --question failed-w2-a1 --function "+c.function.name)
	p.decides(t, "retry", 2, "WAVE_FAILED")
	p.hears(t, drillID, "PAUSE_BEFORE_WAVE", "muster decide "+drillID+" approve --question gate-w4 --function "+c.function.name)
	c.target("Look", nil) // as the schedule does
	p.decides(t, "approve", 4, "PAUSE_BEFORE_WAVE")

	c.until(t, "the end of the drill's run", func() (string, bool) {
		status := c.machine.status(drillID)
		return status, status != statusRunning
	})
	a := p.look(t, drillID)
	if a.State != "COMPLETED" || a.Launched != 30 || a.Servers != 30 || a.Waves[1].Attempt != 2 || c.machine.status(drillID) != statusSucceeded {
		t.Fatalf("the drill came to %+v, its run to %s; want all 30 servers, wave 2 at its second attempt, and SUCCEEDED", a, c.machine.status(drillID))
	}
	p.hears(t, drillID, "COMPLETED")
	if jobs := c.jobs(); jobs != 6 {
		t.Errorf("%d recovery jobs were started, want 6: five waves, and one again", jobs)
	}
	p.cleansUp(t, drillID)
	summarise(t, c, drillID)
}

// hears waits until people are told of an execution in certain words.
func (p *person) hears(t *testing.T, execution string, words ...string) {
	t.Helper()
	p.cloud.until(t, "a message with the words "+strings.Join(words, ", "), func() (string, bool) {
		m, told := p.cloud.people.told(execution, words...)
		if told {
			say("\nSNS: %s\n%s", m.subject, indented(m.text))
		}
		return strings.Join(p.cloud.people.subjects(), "\n"), told
	})
}

func indented(text string) string {
	return "     " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n     ")
}

// decides answers a question that is asked, and wants the run that waits to
// be woken by that.
func (p *person) decides(t *testing.T, choice string, wave int, reason string) {
	t.Helper()
	c := p.cloud
	c.until(t, "the state machine to wait for a token", func() (string, bool) {
		at := c.machine.waitsAt(drillID)
		return at, at == "AwaitDecision"
	})
	asked := p.look(t, drillID)
	if a := asked; a.State != "WAITING_FOR_DECISION" || a.Decisions[0].Reason != reason || a.Decisions[0].WaveNumber != wave {
		t.Fatalf("got %+v, want a question about %s of wave %d", a, reason, wave)
	}
	a := p.do(t, "decide", map[string]any{"executionId": drillID, "question": asked.Decisions[0].ID, "choice": choice})
	if !a.Woken {
		t.Fatalf("the decision woke nobody: %+v", a)
	}
	say("\ndecided: %s of wave %d; the run that waited was woken.", choice, wave)
}

// cleansUp terminates what an execution launched.
func (p *person) cleansUp(t *testing.T, execution string) {
	t.Helper()
	late := time.After(patience)
	for {
		a := p.do(t, "terminate_instances", map[string]any{"executionId": execution})
		if a.Done {
			say("\ncleaned up: %d recovery instances are gone.", a.Gone)
			return
		}
		select {
		case <-time.After(time.Duration(a.Again) * time.Second / speed):
		case <-late:
			t.Fatalf("instances are left after %v: %+v", patience, a)
		}
	}
}

// jobs counts the recovery jobs that were started.
func (c *cloud) jobs() (n int) {
	for _, call := range c.world.Calls() {
		if call.Operation == "StartRecovery" && call.Mutated {
			n++
		}
	}
	return n
}

// summarise prints the drill as muster shows it.
func summarise(t *testing.T, c *cloud, execution string) {
	t.Helper()
	show := exec.Command("../bin/muster", "show", execution, "--store", "dynamodb:"+c.table.name, "--endpoint", c.table.endpoint, "--data", t.TempDir())
	show.Env = []string{"HOME=" + t.TempDir(), "AWS_REGION=" + region, "AWS_ACCESS_KEY_ID=" + account, "AWS_SECRET_ACCESS_KEY=" + secretKey,
		"AWS_ENDPOINT_URL_DYNAMODB=" + c.table.endpoint}
	out, err := show.CombinedOutput()
	if err != nil {
		t.Fatalf("muster show: %v\n%s", err, out)
	}
	text, _, _ := strings.Cut(string(out), "\n\n1 ") // what follows is every server, and every event
	for _, want := range []string{"Drill of Web shop: COMPLETED", "30 of 30 recovered", "30 recovery instances terminated"} {
		if !strings.Contains(text, want) {
			t.Errorf("the summary lacks %q:\n%s", want, text)
		}
	}
	if *summary == "" {
		say("\n%s", text)
	} else if err := os.WriteFile(*summary, []byte(text+"\n"), 0o600); err != nil {
		t.Error(err)
	}
}
