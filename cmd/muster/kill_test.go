//go:build kills

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"muster/recovery"
)

const (
	kills     = 30 // of drivers
	shopFleet = "../../examples/fleets/web-shop.yaml"
	// Two waves side by side in two accounts, one behind a gate, and a server
	// that fails to launch once.
	smallShop = `version: 1
plan: {id: rp-small-shop, name: Small shop}
accountContext: {accountId: "111122223333", region: us-west-2, roleName: DRSOrchestrationRole, externalId: muster-web-shop-1}
waves:
  - {waveNumber: 1, waveName: Databases, protectionGroupId: pg-database}
  - {waveNumber: 2, waveName: Applications, protectionGroupId: pg-application, dependsOnWaves: [1]}
  - {waveNumber: 3, waveName: Queues, protectionGroupId: pg-queue, dependsOnWaves: [1], pauseBeforeWave: true}
groups:
  pg-database: {servers: [s-78389a5bf38859eb8, s-df347d3a0527c55c0], launchConfig: {instanceType: r5.2xlarge}}
  pg-application: {servers: [s-48c836043fdf8b700, s-3fc6051ac307d691d, s-43ca45bd6d1e97ba5], launchConfig: {instanceType: m5.xlarge}}
  pg-queue:
    accountContext: {accountId: "444455556666", region: us-west-2, roleName: DRSOrchestrationRole, externalId: muster-web-shop-2}
    servers: [s-50a4d1ecdb14be7c0, s-7c49b036e82154420]
`
	smallShopServers = 7
)

// Whole processes are killed, the driver at any moment and the simulated AWS
// under it, and nothing is launched twice, lost, or terminated twice. A driver
// that is killed while it starts a wave leaves a claim, which stands for half a
// minute by the clock: most of the time that this takes is that wait.
// MUSTER_TEST_SEED repeats the moments of a run.
func TestKilledAtAnyMomentADrillGoesOn(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("MUSTER_TEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("MUSTER_TEST_SEED=%d", seed)
	ctx, cancel := context.WithTimeout(t.Context(), 12*time.Minute) // a hang: a kill between SENT and STARTED costs three and a half
	defer cancel()
	dir := t.TempDir()
	k := &killing{T: t, ctx: ctx, rand: rand.New(rand.NewPCG(seed, 0)), dir: dir}
	if err := os.WriteFile(filepath.Join(dir, "plan.yaml"), []byte(smallShop), 0o600); err != nil {
		t.Fatal(err)
	}
	k.simulate("127.0.0.1:0")

	for killed, n := 0, 1; n == 1 || killed < kills; n++ {
		id := fmt.Sprintf("exec-kill-%d", n)
		k.executions = append(k.executions, id)
		killed += k.drill(id, killed)
	}
	for _, id := range k.executions {
		k.checkLaunches(id)
	}
	if got, want := k.journaled("StartRecovery"), len(k.jobs("")); len(got) != want {
		t.Errorf("%d launches in the journal of the simulated AWS, %d launch jobs", len(got), want)
	}
	k.cleanUp(k.executions[len(k.executions)-1])
}

// killing is the processes of one test, and where they keep what they know.
type killing struct {
	*testing.T
	ctx        context.Context
	rand       *rand.Rand
	dir        string
	url        string // of the simulated AWS
	aws        *exec.Cmd
	executions []string
}

// simulate starts the simulated AWS, and waits until it is there.
func (k *killing) simulate(listen string) {
	k.Helper()
	k.aws = exec.CommandContext(k.ctx, "muster", "simulate", "--fleet", shopFleet, "--listen", listen, "--data", filepath.Join(k.dir, "aws"), "--speed", "300")
	told, err := k.aws.StderrPipe()
	if err != nil {
		k.Fatal(err)
	}
	if err := k.aws.Start(); err != nil {
		k.Fatal(err)
	}
	aws := k.aws
	k.Cleanup(func() { _ = aws.Process.Kill(); _ = aws.Wait() })
	var all []string
	for lines := bufio.NewScanner(told); lines.Scan(); {
		all = append(all, lines.Text())
		if strings.Contains(lines.Text(), "interrupt to stop") {
			k.url = address.FindString(lines.Text())
			go func() { _, _ = io.Copy(io.Discard, told) }()
			return
		}
	}
	k.Fatalf("muster simulate ended: %q", all)
}

// restart kills the simulated AWS, and starts it where it was.
func (k *killing) restart() {
	k.Helper()
	_ = k.aws.Process.Kill()
	_ = k.aws.Wait()
	k.simulate(strings.TrimPrefix(k.url, "http://"))
}

func (k *killing) command(args ...string) *exec.Cmd {
	return exec.CommandContext(k.ctx, "muster", append(args, "--fleet", shopFleet, "--endpoint", k.url, "--data", filepath.Join(k.dir, "record"))...)
}

// moment is some time from 20 to 400 ms.
func (k *killing) moment() <-chan time.Time {
	return time.After(20*time.Millisecond + time.Duration(k.rand.Int64N(int64(380*time.Millisecond))))
}

// drill begins an execution and resumes it to its end, and kills what drives it
// at random moments, until so many were killed; before is how many were. At
// three of them the simulated AWS is killed first.
func (k *killing) drill(id string, before int) (killed int) {
	k.Helper()
	begun := false
	for {
		answers := []string{"--json", "--answer", "PAUSE_BEFORE_WAVE=resume", "--answer", "WAVE_FAILED=retry"}
		args := append([]string{"resume", id}, answers...)
		if !begun {
			args = append([]string{"drill", filepath.Join(k.dir, "plan.yaml"), "--execution", id, "--poll", "1s"}, answers...)
		}
		cmd := k.command(args...)
		var out, problems bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &problems
		if err := cmd.Start(); err != nil {
			k.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		var err error
		alive := true
		for _, strike := range k.strikes(before + killed) {
			select {
			case err = <-ended:
				alive = false
			case <-k.moment():
				strike(cmd)
				continue
			}
			break
		}
		if alive {
			err = <-ended
		}
		switch {
		case err == nil:
			k.Logf("%s is over; %d drivers were killed", id, before+killed)
			return killed
		case cmd.ProcessState.ExitCode() == -1: // by a signal
			killed++
			begun = begun || k.command("show", id, "--json").Run() == nil
		case cmd.ProcessState.ExitCode() == exitUsage && strings.Contains(out.String()+problems.String(), "nothing answers at"):
			k.Logf("%s began while the simulated AWS was down, and said so", args[0])
		default:
			k.Fatalf("%s, after %d kills: %v\n%s%s", strings.Join(args[:2], " "), before+killed, err, out.String(), problems.String())
		}
	}
}

// strikes are what happens to a driver, each after a moment.
func (k *killing) strikes(killed int) []func(*exec.Cmd) {
	kill := func(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
	switch {
	case killed >= kills:
		return nil
	case killed%10 == 5:
		return []func(*exec.Cmd){func(*exec.Cmd) { k.restart() }, kill}
	}
	return []func(*exec.Cmd){kill}
}

// job is one of the simulated AWS's.
type job struct {
	ID      string            `json:"id"`
	Type    string            `json:"type"`
	Tags    map[string]string `json:"tags"`
	Servers map[string]string `json:"servers"` // their launch status
}

type shopInstance struct {
	ID, Server string
}

// world is what the simulated AWS holds.
func (k *killing) world() (jobs []job, instances []shopInstance) {
	k.Helper()
	response, err := http.Get(k.url + "/_muster/world")
	if err != nil {
		k.Fatal(err)
	}
	defer response.Body.Close()
	var world struct {
		Regions []struct {
			Jobs      []job
			Instances []shopInstance
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&world); err != nil {
		k.Fatal(err)
	}
	for _, r := range world.Regions {
		jobs, instances = append(jobs, r.Jobs...), append(instances, r.Instances...)
	}
	return jobs, instances
}

// jobs are the launch jobs of one execution; of all where id is empty.
func (k *killing) jobs(id string) (found []job) {
	k.Helper()
	all, _ := k.world()
	for _, j := range all {
		if j.Type == "LAUNCH" && (id == "" || j.Tags["ExecutionId"] == id) {
			found = append(found, j)
		}
	}
	return found
}

// shown is what muster show says.
func (k *killing) shown(id string) (shown account) {
	k.Helper()
	out, err := k.command("show", id, "--json").Output()
	if err != nil {
		k.Fatalf("muster show: %v", err)
	}
	if err := json.Unmarshal(out, &shown); err != nil {
		k.Fatal(err)
	}
	return shown
}

// checkLaunches holds what AWS did against the record.
func (k *killing) checkLaunches(id string) {
	k.Helper()
	shown := k.shown(id)
	if shown.State != "COMPLETED" || shown.Recovered != smallShopServers {
		k.Errorf("%s is %s with %d servers: %s", id, shown.State, shown.Recovered, shown.Reason)
	}
	type try struct{ wave, attempt int }
	recorded := map[recovery.JobID]try{}
	started, decided := map[try]recovery.JobID{}, map[try]bool{}
	for _, ev := range shown.Events {
		wave, _ := ev.About()
		at := try{wave, ev.Attempt}
		switch {
		case ev.Kind == recovery.EventStarted:
			if other := started[at]; other != "" && other != ev.JobID {
				k.Errorf("%s: wave %d, attempt %d has jobs %s and %s", id, at.wave, at.attempt, other, ev.JobID)
			}
			started[at], recorded[ev.JobID] = ev.JobID, at
		case ev.Kind == recovery.EventDecided && ev.Attempt > 1:
			decided[at] = true
		}
	}
	if len(started) != len(recorded) || len(started) < len(shown.Waves) {
		k.Errorf("%s: %d attempts of %d waves started %d jobs", id, len(started), len(shown.Waves), len(recorded))
	}
	launched := map[string][]try{}
	failed := map[string]int{}
	jobs := k.jobs(id)
	for _, j := range jobs {
		at, is := recorded[recovery.JobID(j.ID)]
		if !is || strconv.Itoa(at.wave) != j.Tags["WaveNumber"] {
			k.Errorf("%s: job %s of wave %s is not in the record", id, j.ID, j.Tags["WaveNumber"])
		}
		for server, status := range j.Servers {
			launched[server] = append(launched[server], at)
			if status != "LAUNCHED" {
				failed[server]++
			}
		}
	}
	if len(jobs) != len(recorded) {
		k.Errorf("%s: AWS has %d launch jobs, the record %d", id, len(jobs), len(recorded))
	}
	for server, tries := range launched {
		if len(tries)-failed[server] != 1 {
			k.Errorf("%s: server %s was launched %d times, of which %d failed", id, server, len(tries), failed[server])
		}
		for _, at := range tries {
			if at.attempt > 1 && !decided[at] {
				k.Errorf("%s: server %s was launched in attempt %d of wave %d, which nobody decided", id, server, at.attempt, at.wave)
			}
		}
	}
}

// journaled are the inputs of an operation's calls that the simulated AWS took.
func (k *killing) journaled(operation string) (inputs []json.RawMessage) {
	k.Helper()
	journal, err := os.ReadFile(filepath.Join(k.dir, "aws", "simulator.jsonl"))
	if err != nil {
		k.Fatal(err)
	}
	for line := range bytes.Lines(journal) {
		var call struct {
			Operation string
			Took      bool
			Input     json.RawMessage
		}
		// A line that a kill cut short is none.
		if json.Unmarshal(line, &call) == nil && call.Operation == operation && call.Took {
			inputs = append(inputs, call.Input)
		}
	}
	return inputs
}

// cleanUp kills the clean-up when it first says that it terminates something,
// and whenever it would wait; then it runs to its end.
func (k *killing) cleanUp(id string) {
	k.Helper()
	var want []string
	for _, w := range k.shown(id).Waves {
		for _, f := range w.Fates {
			want = append(want, string(f.Instance))
		}
	}
	for first := true; k.killCleanUp(id, first); first = false {
	}
	if got := k.shown(id).CleanedUp; got != len(want) {
		k.Errorf("%d instances are told of as cleaned up, want %d", got, len(want))
	}
	var got []string
	for _, input := range k.journaled("TerminateRecoveryInstances") {
		var ids struct{ RecoveryInstanceIDs []string }
		if err := json.Unmarshal(input, &ids); err != nil {
			k.Fatal(err)
		}
		got = append(got, ids.RecoveryInstanceIDs...)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		k.Errorf("terminated %q\nwant, each once, %q", got, want)
	}
	if _, left := k.world(); len(left) > 0 {
		k.Errorf("left after the clean-up: %v", left)
	}
}

// killCleanUp tells whether it killed the clean-up, rather than that ended.
func (k *killing) killCleanUp(id string, first bool) bool {
	k.Helper()
	cmd := k.command("cleanup", id, "--json")
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.StdoutPipe()
	if err != nil {
		k.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		k.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		waits := strings.Contains(line, `"done":false`)
		if waits || first && strings.Contains(line, `"CLEANED"`) {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			return true
		}
		if err != nil {
			if err := cmd.Wait(); err != nil {
				k.Fatalf("muster cleanup: %v: %s", err, problems.String())
			}
			return false
		}
	}
}
