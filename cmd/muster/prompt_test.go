package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/recovery"
)

// sitting is somebody at a terminal, before whom questions come and go.
type sitting struct {
	mu      sync.Mutex
	asked   []recovery.Question
	decided []string
	screen  bytes.Buffer
	in      *io.PipeWriter
}

func (s *sitting) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.screen.Write(b)
}

func (s *sitting) asks(questions ...recovery.Question) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = questions
}

// sees waits until something stands on the screen, and clears it.
func (s *sitting) sees(t *testing.T, words string) {
	t.Helper()
	for range 500 {
		s.mu.Lock()
		found := strings.Contains(s.screen.String(), words)
		if found {
			s.screen.Reset()
		}
		s.mu.Unlock()
		if found {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%q does not come; there stands\n%s", words, s.screen.String())
}

func (s *sitting) types(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(s.in, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

// sit puts somebody before a desk. done is closed when nothing is asked.
func sit(t *testing.T, first ...recovery.Question) (s *sitting, done chan struct{}) {
	t.Helper()
	r, w := io.Pipe()
	s = &sitting{in: w, asked: first}
	d := &desk{
		questions: func(context.Context) ([]recovery.Question, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.asked, nil
		},
		decide: func(_ context.Context, d recovery.Decision) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.decided = append(s.decided, string(d.Choice)+" "+string(d.Question))
			s.asked = nil
			return nil
		},
		every: time.Millisecond, view: &lines{w: s}, prompt: &prompt{stdin: r},
	}
	done = make(chan struct{})
	go func() {
		defer close(done)
		if _, err := d.Wait(t.Context(), ""); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { w.Close() })
	return s, done
}

func (s *sitting) wants(t *testing.T, done chan struct{}, want string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("it waits on")
	}
	if got := strings.Join(s.decided, ", "); got != want {
		t.Errorf("decided %q, want %q", got, want)
	}
}

var (
	askedWave2 = recovery.Question{ID: "failed-w2-a1", Reason: recovery.WaveFailed, Wave: new(2), Choices: recovery.WaveFailed.Choices(), Text: "wave 2 failed"}
	askedGate3 = recovery.Question{ID: "gate-w3", Reason: recovery.PauseBeforeWave, Wave: new(3), Choices: recovery.PauseBeforeWave.Choices(), Text: "wave 3 waits for approval"}
	askedPause = recovery.Question{ID: "pause-1", Reason: recovery.PauseRequested, Choices: recovery.PauseRequested.Choices(), Text: "a pause was asked for"}
)

func TestAPromptNamesItsWaveAndAnswersItsQuestion(t *testing.T) {
	s, done := sit(t, askedWave2)
	s.sees(t, "wave 2: [r]etry  [s]kip  [c]ancel  > ")
	s.types(t, "r")
	s.wants(t, done, "retry failed-w2-a1")
}

// Somebody reads about wave 2, and somebody else answers meanwhile: what he
// types does not skip wave 3.
func TestAnAnswerDoesNotMeanTheQuestionThatCameInItsPlace(t *testing.T) {
	s, done := sit(t, askedWave2)
	s.sees(t, "wave 2: [r]etry")
	s.asks(askedGate3)
	s.sees(t, "failed-w2-a1 is not asked any more. To answer this one, press Enter first")
	s.types(t, "s")
	s.sees(t, "wave 3: [a]pprove")
	s.types(t, "a")
	s.wants(t, done, "approve gate-w3")
}

func TestAQuestionThatComesBesideItLeavesAPromptAsItIs(t *testing.T) {
	s, done := sit(t, askedGate3)
	s.sees(t, "wave 3: [a]pprove")
	s.asks(askedPause, askedGate3)
	s.sees(t, "wave 3: [a]pprove")
	s.types(t, "a")
	s.wants(t, done, "approve gate-w3")
}

func TestWhatLosesSomethingIsAskedAgain(t *testing.T) {
	for _, c := range []struct {
		types []string
		want  string
	}{
		{[]string{"c", "cancel"}, "cancel gate-w3"},
		{[]string{"cancel", "c", "skip", "SKIP"}, "skip gate-w3"},
		{[]string{"s", "", "resume"}, "approve gate-w3"},
	} {
		s, done := sit(t, askedGate3)
		s.sees(t, "wave 3: [a]pprove")
		for i, line := range c.types {
			s.types(t, line)
			if i+1 < len(c.types) {
				s.sees(t, "wave 3: ")
			}
		}
		s.wants(t, done, c.want)
	}
}

func TestAnAnswerAheadThatNoQuestionTakesIsRefused(t *testing.T) {
	for _, text := range []string{"WAVE_FAILED=resume", "PAUSE_REQUESTED=retry", "INTERRUPTED=skip", "PAUSE_BEFORE_WAVE=retry", "WAVE_REFUSED=approve"} {
		if _, err := parseAnswers([]string{text}); err == nil || exitOf(err) != exitUsage {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"PAUSE_BEFORE_WAVE=resume", "PAUSE_BEFORE_WAVE=approve"} {
		a, err := parseAnswers([]string{text})
		if err != nil || a.choices[recovery.PauseBeforeWave][0] != recovery.Approve {
			t.Errorf("%s: %+v, %v", text, a, err)
		}
	}
}

func exitOf(err error) int {
	if f, is := err.(*failure); is {
		return int(f.code)
	}
	return -1
}
