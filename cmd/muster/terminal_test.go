package main

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"muster/recovery"
)

const hostile = "wave\x1b[2J\x07\r\n\u009b31m\u202eevil\x00"

func TestWhatIsShownCannotDriveATerminal(t *testing.T) {
	var out bytes.Buffer
	p := &lines{w: &out, style: true, detailed: true}
	p.observe(recovery.ExecutionID(hostile), recovery.Event{Kind: recovery.EventKind(hostile), Wave: new(1), Message: hostile, Changes: []recovery.ServerChange{{
		Server:  recovery.SourceServerID(hostile),
		Changes: []recovery.SettingChange{{Setting: recovery.Setting(hostile), Old: []any{hostile}, New: []string{hostile}, From: recovery.Origin(hostile)}},
	}}})
	(&failure{code: 1, err: errorText(hostile), hint: hostile}).report(&out, false, true)
	shown := out.String()
	for _, ours := range []string{"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\n"} {
		shown = strings.ReplaceAll(shown, ours, "")
	}
	if i := strings.IndexFunc(shown, func(r rune) bool { return !unicode.IsGraphic(r) }); i >= 0 {
		t.Errorf("shows %q", shown[i:])
	}
	if !strings.Contains(shown, `wave\u001b[2J\u0007\u000d`) {
		t.Errorf("what was there is not to be seen: %q", shown)
	}
}

type errorText string

func (e errorText) Error() string { return string(e) }

func TestAnAnswerIsLaidOutForATerminalAndStaysTheSame(t *testing.T) {
	raw, _ := json.Marshal(hostile)
	answer := []byte(`{"a":[1e400,12345678901234567890],"b":` + string(raw) + `,"c":"` + "\u009b\u202e\U000e0001" + `"}`)
	shown := pretty(answer)
	if bytes.ContainsFunc(bytes.ReplaceAll(shown, []byte("\n"), nil), func(r rune) bool { return !unicode.IsGraphic(r) }) {
		t.Errorf("shows %q", shown)
	}
	decode := func(doc []byte) (v any) {
		d := json.NewDecoder(bytes.NewReader(doc))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	if !reflect.DeepEqual(decode(answer), decode(shown)) {
		t.Errorf("%s became %s", answer, shown)
	}
}

func TestColoursAreForTerminalsThatWantThem(t *testing.T) {
	for _, c := range []struct {
		terminal bool
		env      map[string]string
		want     style
	}{
		{true, nil, true},
		{false, nil, false},
		{true, map[string]string{"NO_COLOR": "1"}, false},
		{true, map[string]string{"TERM": "dumb"}, false},
	} {
		m := &Main{StderrTerminal: c.terminal, Env: func(name string) string { return c.env[name] }}
		if got := m.style(); got != c.want {
			t.Errorf("terminal %v, %v: %v", c.terminal, c.env, got)
		}
	}
}

func TestInvokeWaitsForNobodyAtATerminal(t *testing.T) {
	var out, problems bytes.Buffer
	m := &Main{Stdin: never{}, Stdout: &out, Stderr: &problems, Env: func(string) string { return "" }, StdinTerminal: true}
	if code := m.Run(context.Background(), []string{"invoke"}); code != exitUsage || !strings.Contains(problems.String(), "muster event | muster invoke") {
		t.Errorf("exit code %d: %s", code, problems.String())
	}
}

type never struct{}

func (never) Read([]byte) (int, error) { select {} }

// What was sent is recorded although the command was interrupted: the same
// event again gets the job that was started.
func TestAnInterruptedInvokeLosesNoJob(t *testing.T) {
	dir := t.TempDir()
	event := example(t, "complete-example.wave-1.json")
	ctx, interrupt := context.WithCancel(context.Background())
	defer interrupt()
	var out bytes.Buffer
	watch := &watcher{on: "→ sent", then: func() { time.AfterFunc(200*time.Millisecond, interrupt) }}
	m := &Main{Stdin: strings.NewReader(event), Stdout: &out, Stderr: watch, Env: func(string) string { return "" }}
	args := []string{"invoke", "--fleet", "specification", "--data", dir}
	code := m.Run(ctx, append(args, "--fault", "SlowAnswers:operation=StartRecovery,duration=1s"))
	if code != exitDone && code != exitInterrupted {
		t.Errorf("exit code %d: %s", code, watch.seen.String())
	}
	code, answer, stderr := muster(t, event, args...)
	if code != exitDone || answer != example(t, "complete-example.wave-1.golden.json") {
		t.Errorf("then: exit code %d: %s%s", code, answer, stderr)
	}
}

func TestAnInterruptedInvokeSaysSo(t *testing.T) {
	ctx, interrupt := context.WithCancel(context.Background())
	defer interrupt()
	watch := &watcher{on: "✓ assumed", then: interrupt}
	m := &Main{Stdin: strings.NewReader(example(t, "complete-example.wave-1.json")), Stdout: &bytes.Buffer{}, Stderr: watch, Env: func(string) string { return "" }}
	code := m.Run(ctx, []string{"invoke", "--fleet", "specification", "--data", t.TempDir(), "--fault", "SlowAnswers:duration=50ms"})
	if code != exitInterrupted || !strings.Contains(watch.seen.String(), "goes on from there") {
		t.Errorf("exit code %d: %s", code, watch.seen.String())
	}
}

// watcher is a standard error that does something when it is told something.
type watcher struct {
	on   string
	then func()
	seen strings.Builder
}

func (w *watcher) Write(b []byte) (int, error) {
	if strings.Contains(string(b), w.on) {
		w.then()
	}
	return w.seen.Write(b)
}

func TestARefusalOfManyServersIsReadLineByLine(t *testing.T) {
	var out bytes.Buffer
	p := &lines{w: &out, detailed: true}
	message := "DRS_API_ERROR: Failed to start recovery: InvalidSourceServer - Server s-1 is not ready: it is away, and\nServer s-x; Server s-2 is not ready; name it"
	p.observe("exec-1", recovery.Event{At: p.begun.Add(time.Second), Kind: recovery.EventRefused, Wave: new(1), Message: message})
	want := "Execution exec-1\n" +
		"0:00:01  wave 1   ✗ refused      DRS_API_ERROR: Failed to start recovery: InvalidSourceServer\n" +
		"      Server s-1 is not ready: it is away, and\\u000aServer s-x\n" +
		"      Server s-2 is not ready; name it\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// Else it would seem to hang.
func TestAQuietDriverSaysWhatItWaitsForAndHowToAnswer(t *testing.T) {
	var stderr bytes.Buffer
	m := &Main{Stderr: &stderr, Env: func(string) string { return "" }}
	v := m.viewOf(&runOptions{quiet: true}, 1, time.Now(), nil)
	v.observe("exec-1", recovery.Event{Message: "something happens"})
	d := desk{command: "muster decide exec-1"}
	questions := []recovery.Question{{ID: "gate-w2", Wave: new(2), Choices: []recovery.Choice{recovery.Approve, recovery.Skip}, Text: "wave 2 waits for approval"}}
	v.ask(questions, d.hint(questions))
	if got, want := stderr.String(), "? wave 2 waits for approval (gate-w2)\n  to answer: muster decide exec-1 approve|skip --question gate-w2\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
