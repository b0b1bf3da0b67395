package orchestrator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"muster/awsdrs"
	"muster/orchestrator"
	"muster/recovery"
)

// An actor is one process on the stage: an invocation of the function, or
// somebody's command line. Whatever it does to the world outside goes through
// do, which takes a time of its own, drawn from the seed, for every call: no
// two things happen at the same moment, so that what happens does not depend
// on the order in which goroutines run.
type actor struct {
	st   *stage
	name string
	skew time.Duration
	fate map[int]mishap // by call

	mu     sync.Mutex
	count  map[string]int
	calls  int
	asleep chan struct{} // closed when its machine wakes up; nil: it does not sleep
	dead   chan struct{}
}

var errThrottled = errors.New("the store is throttled")

func (st *stage) actor(name string) *actor {
	a := &actor{st: st, name: name, fate: map[int]mishap{}, count: map[string]int{}, dead: make(chan struct{})}
	for _, m := range st.s.mishaps {
		switch {
		case m.kind == clocksApart:
			a.skew = time.Duration(st.draw("clock", name)%uint64(recovery.ClockSkew)) - recovery.ClockSkew/2
		case m.who == name:
			a.fate[m.nth] = m
		}
	}
	return a
}

// do makes a call. A killed actor makes no further call and sees no answer: its
// goroutines stand still until the play is over.
func (a *actor) do(what string, effect func() error) error {
	a.mu.Lock()
	a.count[what]++
	nth := a.count[what]
	a.mu.Unlock()
	m, at := a.meets(what, nth)
	inStore := what[0] == '*'
	switch {
	case a.isDead():
	case m.kind == deadBefore:
		a.dies(m)
	case m.kind == notReached && inStore:
		a.st.struck(m)
		return errThrottled
	case m.kind == notReached:
		a.st.struck(m)
		return errLostAnswer
	}
	if a.isDead() {
		<-a.st.buried
		return errDead
	}
	a.st.trace("%s: %d %s #%d", a.name, at, what, nth)
	err := effect()
	switch m.kind {
	case deadAfter:
		a.dies(m)
		<-a.st.buried
		return errDead
	case lostAnswer:
		a.st.struck(m)
		return errLostAnswer
	}
	return err
}

// meets waits until the call is made, and says which of the actor's calls it
// is and what befalls it.
func (a *actor) meets(what string, nth int) (mishap, int) {
	time.Sleep(a.st.latency(a.name, what, nth, 0))
	for again := 1; ; again++ {
		a.mu.Lock()
		asleep := a.asleep
		if asleep == nil {
			break
		}
		a.mu.Unlock()
		<-asleep
		time.Sleep(a.st.latency(a.name, what, nth, again))
	}
	defer a.mu.Unlock()
	a.calls++
	m := a.fate[a.calls]
	if m.kind == fellAsleep {
		a.st.struck(m)
		woken := make(chan struct{})
		a.asleep = woken
		time.AfterFunc(m.lasts, func() {
			a.mu.Lock()
			a.asleep = nil
			a.mu.Unlock()
			close(woken)
		})
		at := a.calls
		a.mu.Unlock()
		<-woken
		time.Sleep(a.st.latency(a.name, what, nth, 99))
		a.mu.Lock()
		return m, at
	}
	return m, a.calls
}

func (a *actor) isDead() bool {
	select {
	case <-a.dead:
		return true
	default:
		return false
	}
}

func (a *actor) dies(m mishap) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.isDead() {
		a.st.struck(m)
		close(a.dead)
	}
}

// orchestrator is what the actor's process does its work with: a cold one, that
// knows nothing from before.
func (a *actor) orchestrator() *orchestrator.Orchestrator {
	cfg := aws.Config{Region: "us-west-2", Credentials: credentials.NewStaticCredentialsProvider(caller, "secret", "")}
	tokens := 0
	return &orchestrator.Orchestrator{
		Accounts: awsdrs.New(cfg, awsdrs.Options{
			HTTPClient: &http.Client{Transport: wire{a}},
			Jitter:     func() float64 { return 0.5 },
		}),
		Executions: filmed{a.st.store, a},
		Now:        func() time.Time { return time.Now().Add(a.skew) },
		Observe:    func(_ recovery.ExecutionID, ev recovery.Event) { a.st.observed(ev) },
		Wake: func(ctx context.Context, token recovery.Secret) error {
			return a.do("wake", func() error { return a.st.Succeed(ctx, token.Reveal(), nil) })
		},
		NewToken: func() recovery.Token {
			a.mu.Lock()
			defer a.mu.Unlock()
			tokens++
			return recovery.Token(fmt.Sprintf("token of %s #%d", a.name, tokens))
		},
	}
}

// wire carries an actor's requests to the simulated AWS.
type wire struct{ actor *actor }

// secretFields are what STS hands out.
var secretFields = regexp.MustCompile(`<(SecretAccessKey|SessionToken)>([^<]+)<`)

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	name, err := requestName(r)
	if err != nil {
		return nil, err
	}
	st := w.actor.st
	var answer *http.Response
	err = w.actor.do(name, func() (err error) {
		if r.URL.Path == "/StartRecovery" && r.Context().Err() == nil {
			if err := st.sending(r); err != nil {
				return err
			}
		}
		if answer, err = st.world.RoundTripper().RoundTrip(r); err != nil || name != "AssumeRole " {
			return err
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			return err
		}
		for _, found := range secretFields.FindAllSubmatch(body, -1) {
			st.keepSecret(string(found[2]))
		}
		answer.Body = io.NopCloser(bytes.NewReader(body))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// sending notes what a launch job is asked for, in the order in which AWS hears.
func (st *stage) sending(r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var asked struct{ Tags map[string]string }
	if err := json.Unmarshal(body, &asked); err != nil {
		return err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.sent = append(st.sent, asked.Tags)
	return nil
}

// filmed is the store as an actor reaches it: every change that it makes is
// held to the rules as it is made.
type filmed struct {
	recovery.ExecutionStore
	actor *actor
}

func (s filmed) Execution(ctx context.Context, id recovery.ExecutionID) (e *recovery.Execution, err error) {
	err = s.actor.do("*read", func() (err error) {
		e, err = s.ExecutionStore.Execution(ctx, id)
		return err
	})
	return e, err
}

func (s filmed) Events(ctx context.Context, id recovery.ExecutionID) (events []recovery.Event, err error) {
	err = s.actor.do("*events", func() (err error) {
		events, err = s.ExecutionStore.Events(ctx, id)
		return err
	})
	return events, err
}

func (s filmed) Plan(ctx context.Context, id recovery.ExecutionID) (p *recovery.Plan, err error) {
	err = s.actor.do("*plan", func() (err error) {
		p, err = s.ExecutionStore.Plan(ctx, id)
		return err
	})
	return p, err
}

func (s filmed) Commit(ctx context.Context, c recovery.Change) error {
	what := "*renew"
	if c.Event != nil {
		what = "*" + string(c.Event.Kind)
	}
	return s.actor.do(what, func() error {
		err := s.ExecutionStore.Commit(ctx, c)
		if err == nil {
			s.actor.st.committed(c)
		}
		return err
	})
}
