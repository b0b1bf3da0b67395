package orchestrator_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// A call is one thing that an invocation does to the world outside it: a
// request to AWS or to the store. It is named by what it does and to what, and
// counted, so that it is the same call in another run.
type call struct {
	name string
	nth  int
}

func (c call) String() string { return fmt.Sprintf("%s #%d", c.name, c.nth) }

// what is what the call does, to whatever.
func (c call) what() string {
	what, _, _ := strings.Cut(c.name, " s-")
	what, _, _ = strings.Cut(what, " lt-")
	return what
}

// reads says whether the call changes nothing, wherever it is made.
func (c call) reads() bool {
	return slices.ContainsFunc([]string{"Describe", "Get", "AssumeRole", "store read", "store events", "store plan", "store list", "store Query", "store Get", "store BatchGet", "workflow running"},
		func(prefix string) bool { return strings.HasPrefix(c.name, prefix) })
}

var (
	errDead       = errors.New("this invocation was killed")
	errLostAnswer = errors.New("the connection broke before the answer came")
)

// A disturbance is what happens to one call of a process.
type disturbance string

const (
	killedBefore disturbance = "killed before"
	killedAfter  disturbance = "killed after" // it took effect, but before its answer
	answerLost   disturbance = "answer lost"  // it took effect, and the process lives on
)

// A process stands for one invocation's process: all its calls go through it,
// so it can be watched, and disturbed at any of them.
type process struct {
	stop   call
	how    disturbance
	buried chan struct{}

	before func(call) // what else happens just before a call; nil: nothing

	sleepAt  call // where its machine falls asleep: no call of it goes on meanwhile
	sleepFor time.Duration
	asleep   chan struct{} // closed when it wakes up; nil: it has not fallen asleep yet

	mu    sync.Mutex
	count map[string]int
	calls []call
	dead  bool
	died  chan struct{} // closed when it is killed
}

func newProcess() *process {
	return &process{count: map[string]int{}, buried: make(chan struct{}), died: make(chan struct{})}
}

// do makes a call. A killed process makes no further call and sees no answer:
// its goroutines stand still until it is buried.
func (p *process) do(name string, effect func() error) error {
	p.mu.Lock()
	p.count[name]++
	this := call{name, p.count[name]}
	p.calls = append(p.calls, this)
	if this == p.stop && p.how == killedBefore {
		p.die()
	}
	dead := p.dead
	if this == p.sleepAt {
		woken := make(chan struct{})
		p.asleep = woken
		time.AfterFunc(p.sleepFor, func() { close(woken) })
	}
	asleep := p.asleep
	p.mu.Unlock()
	if dead {
		<-p.buried
		return errDead
	}
	if asleep != nil {
		<-asleep
	}
	if p.before != nil {
		p.before(this)
	}
	err := effect()
	p.mu.Lock()
	if this == p.stop && p.how == killedAfter {
		p.die()
	}
	dead = p.dead
	p.mu.Unlock()
	if dead {
		<-p.buried
		return errDead
	}
	if this == p.stop && p.how == answerLost {
		return errLostAnswer
	}
	return err
}

// die is called with the lock held, and may be called again.
func (p *process) die() {
	if !p.dead {
		p.dead = true
		close(p.died)
	}
}

// kill ends the process where it stands.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.die()
}

func (p *process) killed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

func (p *process) reached(c call) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count[c.name] >= c.nth
}

// transport passes requests on through the process.
type transport struct {
	process *process
	next    http.RoundTripper
}

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	name, err := requestName(r)
	if err != nil {
		return nil, err
	}
	var answer *http.Response
	err = t.process.do(name, func() (err error) {
		answer, err = t.next.RoundTrip(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// requestName says what a request does and to what, whatever order the
// requests of a fan-out come in.
func requestName(r *http.Request) (string, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return "", err
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
	}
	if r.URL.Path != "/" {
		return strings.TrimPrefix(r.URL.Path, "/") + serverIn(string(body)), nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return "", err
	}
	return form.Get("Action") + " " + form.Get("LaunchTemplateId"), nil
}

func serverIn(body string) string {
	_, rest, found := strings.Cut(body, `"sourceServerID":"`)
	if !found {
		return ""
	}
	id, _, _ := strings.Cut(rest, `"`)
	return " " + id
}
