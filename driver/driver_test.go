package driver_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/driver"
)

// script is a handler that answers in turn: a next step's action, "!CODE" or
// "?CODE" for a refusal (? may pass), "broken" for no answer, or a document.
type script struct {
	answers []string
	asked   []string // actions, with the wave or what else matters
	states  []string
	at      []time.Duration
	began   time.Time
}

func (s *script) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	var e struct {
		Action  string
		State   json.RawMessage
		Wave    *int `json:"wave_number"`
		Failure *struct{ Error, Message string }
		Looks   bool
	}
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, err
	}
	asked := e.Action
	if e.Wave != nil {
		asked += fmt.Sprint(" ", *e.Wave)
	}
	if e.Failure != nil {
		asked += " " + e.Failure.Error + ": " + e.Failure.Message
	}
	if e.Looks {
		asked += " looks"
	}
	s.asked, s.states, s.at = append(s.asked, asked), append(s.states, string(e.State)), append(s.at, time.Since(s.began))
	if len(s.asked) > len(s.answers) {
		return nil, errors.New("the script is at its end")
	}
	switch a := s.answers[len(s.asked)-1]; {
	case a == "broken":
		return nil, errors.New("the store is gone")
	case a[0] == '{':
		return []byte(a), nil
	case a[0] == '!', a[0] == '?':
		return fmt.Appendf(nil, `{"error":%q,"message":"as the script says","executionId":"exec-1","waveNumber":null,"retryable":%t,"state":{"n":%d}}`, a[1:], a[0] == '?', len(s.asked)), nil
	default:
		return fmt.Appendf(nil, `{"n":%d,"nextStep":%s}`, len(s.asked), a[1:]), nil
	}
}

// next is an answer whose next step is so.
func next(action string, more ...string) string {
	return `=` + fmt.Sprintf(`{"action":%q%s}`, action, strings.Join(append([]string{""}, more...), ","))
}

func (s *script) drive(t *testing.T, d driver.Driver) error {
	s.began = time.Now()
	d.Invoke = s.Invoke
	d.Look = time.Minute
	ctx, end := context.WithTimeout(t.Context(), 24*time.Hour)
	defer end()
	return d.Drive(ctx, []byte(`{"executionId":"exec-1"}`))
}

var finish = next("finish", `"outcome":"COMPLETED"`)

func TestADriverDoesWhatIsNextAndWaitsAsItIsTold(t *testing.T) {
	gate := next("await_decision", `"decisions":[{"id":"gate-w2"}]`)
	two := next("await_decision", `"decisions":[{"id":"gate-w2"},{"id":"failed-w1-a1"}]`)
	for _, c := range []struct {
		name    string
		answers []string
		asked   string
		at      string // of each event
	}{
		{"a wave", []string{next("start_wave_recovery", `"waveNumber":0`), next("wait", `"seconds":15`), next("wait", `"seconds":30`), finish, finish},
			"begin_execution, start_wave_recovery 0, poll_wave_status, poll_wave_status, finish_execution", "0s 0s 15s 45s 45s"},
		{"a refused start", []string{next("start_wave_recovery", `"waveNumber":1`), "!DRS_API_ERROR", next("wait", `"seconds":60`), finish, finish},
			"begin_execution, start_wave_recovery 1, record_wave_refusal DRS_API_ERROR: as the script says, poll_wave_status, finish_execution", "0s 0s 0s 1m0s 1m0s"},
		{"people are asked, once for each set of questions", []string{gate, gate, gate, two, two, two, finish, finish, finish},
			"begin_execution, await_decision looks, poll_wave_status, poll_wave_status, await_decision looks, poll_wave_status, poll_wave_status, begin_execution, finish_execution", "0s 0s 1m0s 2m0s 2m0s 3m0s 4m0s 4m0s 4m0s"},
		{"an end that was put off", []string{finish, next("wait", `"seconds":5`), finish, finish},
			"begin_execution, finish_execution, poll_wave_status, finish_execution", "0s 0s 5s 5s"},
		{"a refusal that may pass", []string{next("wait", `"seconds":5`), "?DRS_API_ERROR", finish, finish},
			"begin_execution, poll_wave_status, poll_wave_status, finish_execution", "0s 5s 35s 35s"},
		{"a handler that fails for a while", []string{"broken", "broken", finish, "broken", finish},
			"begin_execution, begin_execution, begin_execution, finish_execution, finish_execution", "0s 2s 6s 6s 8s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: c.answers}
				if err := s.drive(t, driver.Driver{Patient: true}); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(strings.Split(c.asked, ", "), s.asked); diff != "" {
					t.Error(diff)
				}
				if got := strings.Trim(fmt.Sprint(s.at), "[]"); got != c.at {
					t.Errorf("at %s, want %s", got, c.at)
				}
				for i, state := range s.states {
					if want := fmt.Sprintf(`"n":%d`, i); i > 0 && s.asked[i] != "begin_execution" && c.answers[i-1] != "broken" && !strings.Contains(state, want) {
						t.Errorf("event %d has the state %s, want that of the answer before", i+1, state)
					}
				}
			})
		})
	}
}

// What no handler answers, and what one may not refuse, leads to people, who
// are told why, and from there back to the record.
func TestWhatNothingFollowsFromLeadsToPeople(t *testing.T) {
	asks := next("await_decision", `"decisions":[{"id":"interrupted-1"}]`)
	wait := next("wait", `"seconds":1`)
	for name, c := range map[string]struct {
		answers []string
		why     string
	}{
		"a refusal":                  {[]string{wait, "!VALIDATION_ERROR"}, `"interruption":{"Error":"VALIDATION_ERROR","Cause":"as the script says"}`},
		"no answer, again and again": {[]string{wait, "broken", "broken", "broken", "broken", "broken", "broken"}, `"interruption":{"Error":"Muster.NotRecorded","Cause":"the store is gone"}`},
		"a step that is not known":   {[]string{wait, next("dance")}, `"Error":"UNKNOWN_STEP"`},
		"no step":                    {[]string{wait, `{"n":2}`}, `"Error":"UNKNOWN_STEP"`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: append(slices.Clone(c.answers), "broken", "broken", "broken", "broken", "broken", "broken", asks, finish, finish, finish)}
				if err := s.drive(t, driver.Driver{Patient: true}); err != nil {
					t.Fatal(err)
				}
				at := len(c.answers)
				if s.asked[at] != "await_decision looks" || !strings.Contains(s.states[at], c.why) {
					t.Errorf("asked for %s with %s, want why: %s", s.asked[at], s.states[at], c.why)
				}
				if tail := s.asked[len(s.asked)-3:]; !slices.Equal(tail, []string{"poll_wave_status", "begin_execution", "finish_execution"}) {
					t.Errorf("after people were asked: %v", tail)
				}
			})
		})
	}
}

// A disk that is full stays full: whoever sits there is told, and the driver ends.
func TestADriverThatCanRecordNothingSaysWhyAndEnds(t *testing.T) {
	for _, answers := range [][]string{{}, {next("wait", `"seconds":1`)}} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{answers: answers}
			told := 0
			err := s.drive(t, driver.Driver{Patient: true, Hindered: func(error, time.Duration) { told++ }})
			if err == nil || !strings.Contains(err.Error(), "the script is at its end") || errors.Is(err, context.DeadlineExceeded) || told < 20 {
				t.Errorf("got %v, told %d times", err, told)
			}
			short := &script{answers: answers}
			if err := short.drive(t, driver.Driver{}); err == nil || errors.Is(err, context.DeadlineExceeded) || time.Since(short.began) > 6*time.Second {
				t.Errorf("impatient: got %v after %v", err, time.Since(short.began))
			}
			if took := short.began.Sub(s.began); took < 15*time.Minute || took > 30*time.Minute {
				t.Errorf("after %v", took)
			}
		})
	}
}

func TestWhatMayNotBeDrivenHereIsNot(t *testing.T) {
	for _, answers := range [][]string{{"!VALIDATION_ERROR"}, {"?PLAN_IN_PROGRESS"}, {next("wait", `"seconds":1`), "!WRONG_WORLD"},
		{next("await_decision"), "!WRONG_WORLD"}, {next("start_wave_recovery", `"waveNumber":1`), "!WRONG_WORLD"}} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{answers: answers}
			var refused *driver.Refused
			if err := s.drive(t, driver.Driver{Patient: true}); !errors.As(err, &refused) || refused.Code != answers[len(answers)-1][1:] || len(s.asked) != len(answers) {
				t.Errorf("%q: got %v after %v", answers, err, s.asked)
			}
		})
	}
}

func TestADriverThatIsReplacedStopsAtOnceAndSaysByWhom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []string{next("wait", `"seconds":3600`)}}
		beats := 0
		began := time.Now()
		err := s.drive(t, driver.Driver{Every: 30 * time.Second, Beat: func(context.Context) error {
			switch beats++; beats {
			case 2:
				return errors.New("the store does not answer")
			case 4:
				return &driver.Replaced{By: "anna"}
			}
			return nil
		}})
		if replaced, is := errors.AsType[*driver.Replaced](err); !is || replaced.By != "anna" || time.Since(began) != 90*time.Second {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
}

func TestADriverThatMayNotBeginAsksForNothing(t *testing.T) {
	taken := errors.New("somebody else drives")
	s := &script{}
	if err := s.drive(t, driver.Driver{Beat: func(context.Context) error { return taken }}); !errors.Is(err, taken) || len(s.asked) > 0 {
		t.Errorf("got %v after %v", err, s.asked)
	}
}

func TestADriverStopsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		s := &script{answers: []string{next("wait", `"seconds":3600`)}}
		d := driver.Driver{Invoke: s.Invoke}
		if err := d.Drive(ctx, []byte(`{}`)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestPaceShortensWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []string{next("wait", `"seconds":600`), finish, finish}}
		if err := s.drive(t, driver.Driver{Pace: 60}); err != nil || time.Since(s.began) != 10*time.Second {
			t.Errorf("got %v after %v", err, time.Since(s.began))
		}
	})
}

// Whoever leaves because people are asked leaves after they were.
func TestADriverThatIsStoppedWhereAQuestionArisesAsksIt(t *testing.T) {
	gate := next("await_decision", `"decisions":[{"id":"gate-w1"}]`)
	for cutOff, asked := range map[bool]int{false: 2, true: 1} { // an answer that was cut off is none
		synctest.Test(t, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			s := &script{answers: []string{gate, gate}}
			d := driver.Driver{Look: time.Minute, Invoke: func(ctx context.Context, payload []byte) ([]byte, error) {
				answer, err := s.Invoke(ctx, payload)
				if stop(); cutOff {
					err = ctx.Err()
				}
				return answer, err
			}}
			if err := d.Drive(ctx, []byte(`{}`)); !errors.Is(err, context.Canceled) || len(s.asked) != asked {
				t.Errorf("cut off %v: got %v after %v", cutOff, err, s.asked)
			}
		})
	}
}

func TestADriverThatIsStoppedStartsNothingMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		s := &script{answers: []string{next("start_wave_recovery", `"waveNumber":1`)}}
		d := driver.Driver{Invoke: func(ctx context.Context, payload []byte) ([]byte, error) {
			defer stop()
			return s.Invoke(ctx, payload)
		}}
		if err := d.Drive(ctx, []byte(`{}`)); !errors.Is(err, context.Canceled) || len(s.asked) != 1 {
			t.Errorf("got %v after %v", err, s.asked)
		}
	})
}
