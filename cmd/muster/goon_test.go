package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/event"
	"muster/recovery"
	"muster/simulator"
)

// someAWS is a simulated AWS that the user's own settings lead to.
func someAWS(t *testing.T) {
	t.Helper()
	fleet, err := simulator.LoadFleet(simulator.DefaultFleet)
	if err != nil {
		t.Fatal(err)
	}
	world, err := simulator.New(fleet, simulator.Options{Speed: 20000})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(world)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": simulator.CallersAccount, "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-west-2", "AWS_PROFILE": ""} {
		t.Setenv(name, value)
	}
}

// toConfirm are the commands that want to be confirmed, by what has to be typed.
func toConfirm(t *testing.T) map[string][]string {
	t.Helper()
	someAWS(t)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	plan := at("plan.yaml")
	if err := os.WriteFile(plan, []byte(gatedShop), 0o600); err != nil {
		t.Fatal(err)
	}
	begin := func(data string, more ...string) {
		t.Helper()
		args := append([]string{"recover", plan, "--confirm", "rp-shop", "--execution", "exec-" + data, "--data", at(data), "--no-wait", "-q", "--poll", "1s"}, more...)
		if code, stdout, stderr := muster(t, "", args...); code != exitDecision && code != exitDone {
			t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
		}
	}
	begin("there", "--aws")
	begin("here", "--speed", "20000", "--answer", "PAUSE_BEFORE_WAVE=resume")
	begin("first", "--speed", "20000")
	if err := os.CopyFS(at("copy"), os.DirFS(at("first"))); err != nil {
		t.Fatal(err)
	}
	_, shown, _ := muster(t, "", "hub", "show", "--data", at("first"), "--json")
	_, id, _ := strings.Cut(shown, `"id":"`)
	id, _, _ = strings.Cut(id, `"`)
	return map[string][]string{
		"rp-shop begun":    {"recover", plan, "--data", at("new"), "--speed", "20000", "--no-wait", "-q"},
		"rp-shop goes on":  {"resume", "exec-there", "--aws", "--data", at("there"), "--no-wait", "-q"},
		"exec-here":        {"cleanup", "exec-here", "--recovery", "--data", at("here"), "--speed", "20000", "-q"},
		id + " is adopted": {"hub", "adopt", "--data", at("copy"), "--reason", "a test"},
	}
}

func TestNothingAsksWhereNobodySitsAndEveryConfirmationHasAFlag(t *testing.T) {
	for what, args := range toConfirm(t) {
		word, _, _ := strings.Cut(what, " ")
		for _, terminals := range [][2]bool{{false, false}, {true, false}, {false, true}} {
			var out, problems bytes.Buffer
			m := &Main{Stdin: never{}, Stdout: &out, Stderr: &problems, Env: func(string) string { return "" }, StdinTerminal: terminals[0], StderrTerminal: terminals[1]}
			done := make(chan int, 1)
			go func() { done <- m.Run(t.Context(), args) }()
			select {
			case code := <-done:
				if code != exitUsage || !strings.Contains(problems.String(), "nobody is here to confirm it") || !strings.Contains(problems.String(), "--confirm "+word) {
					t.Errorf("muster %s with terminals %v: exit code %d: %s", strings.Join(args, " "), terminals, code, problems.String())
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("muster %s with terminals %v waits for somebody", strings.Join(args, " "), terminals)
			}
		}
		if code, _, stderr := muster(t, "", append(args[:len(args):len(args)], "--confirm", word+"x")...); code != exitUsage || !strings.Contains(stderr, "nothing was done") {
			t.Errorf("muster %s with another word: exit code %d: %s", strings.Join(args, " "), code, stderr)
		}
		if code, _, stderr := muster(t, "", append(args[:len(args):len(args)], "--confirm", word)...); code != exitDone && code != exitDecision {
			t.Errorf("muster %s confirmed: exit code %d: %s", strings.Join(args, " "), code, stderr)
		}
	}
}

func TestOnATerminalAConfirmationIsTyped(t *testing.T) {
	for what, args := range toConfirm(t) {
		word, _, _ := strings.Cut(what, " ")
		for _, c := range []struct {
			typed string
			codes []int
		}{{"no\n", []int{exitUsage}}, {"\n", []int{exitInterrupted}}, {word + "\n", []int{exitDone, exitDecision}}} {
			var out, problems bytes.Buffer
			stdin, typing := io.Pipe() // it stays open, as a terminal does
			go func() { _, _ = io.WriteString(typing, c.typed) }()
			m := &Main{Stdin: stdin, Stdout: &out, Stderr: &problems, Env: func(string) string { return "" }, StdinTerminal: true, StderrTerminal: true}
			if code := m.Run(t.Context(), args); code != c.codes[0] && code != c.codes[len(c.codes)-1] {
				t.Errorf("muster %s, %q typed: exit code %d: %s", strings.Join(args, " "), c.typed, code, problems.String())
			}
			if !strings.Contains(problems.String(), word) {
				t.Errorf("muster %s does not say what to type: %s", strings.Join(args, " "), problems.String())
			}
		}
	}
}

// A driver whose record is taken over stops, and asks nobody what to do.
func TestADriverWhoseExecutionBelongsElsewhereStopsAndSaysSo(t *testing.T) {
	dir := t.TempDir()
	plan := filepath.Join(dir, "plan.yaml")
	if err := os.WriteFile(plan, []byte(gatedShop), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"drill", plan, "--data", filepath.Join(dir, "d"), "--execution", "exec-1", "--speed", "20000", "--no-wait", "-q"}
	if code, _, stderr := muster(t, "", args...); code != exitDecision {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	m := &Main{Env: func(string) string { return "" }}
	w := worldFlags{fleet: simulator.DefaultFleet, data: filepath.Join(dir, "d"), speed: 20000}
	h, err := w.open(t.Context(), m, acts)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	i, err := h.Home.Identity(t.Context())
	if err == nil {
		err = h.Home.Records.SetIdentity(t.Context(), i.Fence("another", recovery.RecordPlace{File: "/elsewhere"}, recovery.Request{By: "anna"}))
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s := &seat{id: "exec-1", store: h.Executions}
	if err := s.take(ctx); err != nil {
		t.Fatal(err)
	}
	e, err := h.Executions.Execution(ctx, "exec-1")
	if err != nil {
		t.Fatal(err)
	}
	p, err := h.Executions.Plan(ctx, "exec-1")
	if err != nil {
		t.Fatal(err)
	}
	state := event.StateOf(event.Opening{Plan: p, Execution: e.ID, Type: e.Type, InitiatedBy: e.InitiatedBy, StartTime: e.StartTime, Brief: true})
	err = driveHere(ctx, s, h.Handler(nil), func(recovery.ExecutionID, recovery.Event) {}, 20000, state)
	if refusal, is := errors.AsType[*recovery.Error](err); !is || refusal.Code != recovery.WrongWorld || !strings.Contains(err.Error(), "taken over by the record another") {
		t.Errorf("got %v", err)
	}
}
