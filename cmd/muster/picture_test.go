package main

import (
	"fmt"
	"strings"
	"testing"

	"muster/event"
	"muster/recovery"
)

// However small the terminal and hostile the names, the picture fits and
// drives nothing.
func TestThePictureFits(t *testing.T) {
	a := &event.Overview{ID: "exec-1", Reason: "wave 1: \x1b[2Jjob runs"}
	for n := range 40 {
		w := event.WaveOverview{Number: n + 1, Name: strings.Repeat("a\x1b[31m\nname", n), Status: recovery.StatusRunning, Planned: 3}
		if n < 20 {
			w.Status = recovery.StatusCompleted
		}
		w.Fates = []event.ServerOverview{{ServerOutcome: recovery.ServerOutcome{Server: "s-1", Status: "FAILED", Reason: "no\rboot\tvolume"}, Hostname: "host\a"}}
		a.Waves = append(a.Waves, w)
	}
	for _, columns := range []int{10, 80, 300} {
		for _, rows := range []int{3, 10, 24, 200} {
			t.Run(fmt.Sprintf("%dx%d", columns, rows), func(t *testing.T) {
				got := frame(a, []string{"one", "two"}, false, columns, rows)
				if len(got) > max(rows-1, 4) {
					t.Errorf("%d lines", len(got))
				}
				for _, line := range got {
					if textWidth(line) >= columns || strings.ContainsFunc(line, invisible) {
						t.Errorf("%q", line)
					}
				}
			})
		}
	}
}

func TestAnswersAheadAreGivenInTurn(t *testing.T) {
	given, err := parseAnswers([]string{"WAVE_FAILED=retry", "WAVE_FAILED=skip", "PAUSE_BEFORE_WAVE=resume"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		wave   int
		choice recovery.Choice
	}{{0, recovery.Retry}, {0, recovery.Skip}, {0, ""}, {3, recovery.Retry}} {
		d, ok := given.next([]recovery.Question{{Reason: recovery.WaveFailed, Wave: &want.wave, Choices: recovery.WaveFailed.Choices()}})
		if d.Choice != want.choice || ok != (want.choice != "") {
			t.Errorf("wave %d: got %q, want %q", want.wave, d.Choice, want.choice)
		}
	}
}

func TestAChoiceIsUnderstoodByWordOrLetter(t *testing.T) {
	choices := []recovery.Choice{recovery.Retry, recovery.Skip, recovery.CancelAll}
	for line, want := range map[string]recovery.Choice{"retry": recovery.Retry, " S\r": recovery.Skip, "CANCEL": recovery.CancelAll, "resume": "", "": "", "re": ""} {
		if got, ok := chosen(line, choices); got != want || ok != (want != "") {
			t.Errorf("%q is %q", line, got)
		}
	}
}
