package orchestrator_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"muster/recovery"
)

// A call is one thing that an invocation does to the world outside it: a
// request to AWS or to the store. It is named by what it does and to what, and
// counted, so that it is the same call in another run.
type call struct {
	name string
	nth  int
}

func (c call) String() string { return fmt.Sprintf("%s #%d", c.name, c.nth) }

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
}

func newProcess() *process {
	return &process{count: map[string]int{}, buried: make(chan struct{})}
}

// do makes a call. A killed process makes no further call and sees no answer:
// its goroutines stand still until it is buried.
func (p *process) do(name string, effect func() error) error {
	p.mu.Lock()
	p.count[name]++
	this := call{name, p.count[name]}
	p.calls = append(p.calls, this)
	if this == p.stop && p.how == killedBefore {
		p.dead = true
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
		p.dead = true
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

func (p *process) killed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
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

// storeTime is how long the store takes to answer, so that two who ask at the
// same time both decide on the same version.
const storeTime = 10 * time.Millisecond

// watchedStore passes calls of the store on through the process, and notes
// when changes of settings were announced, whatever the process's clock says,
// and which versions were decided on.
type watchedStore struct {
	process *process
	recovery.ExecutionStore
	house *house
}

// A version is what one change may be decided on.
type version struct {
	execution recovery.ExecutionID
	number    int64
}

// taken holds the store to its one condition: of all changes that were decided
// on one version of an execution, it takes one.
func (h *house) taken(e recovery.Execution) {
	v := version{e.ID, e.Version}
	if _, before := h.decided.LoadOrStore(v, true); before {
		h.t.Errorf("two changes were written that were decided on version %d of execution %s", v.number, v.execution)
	}
}

// announcements says since when a change of a server's DRS settings, or of a
// template, has been in the record.
type announcements struct{ since sync.Map }

func (a *announcements) note(changes []recovery.ServerChange) {
	for _, s := range changes {
		for _, c := range s.Changes {
			about := string(s.Server)
			if c.Setting.Home() == recovery.InTemplate {
				about = s.TemplateID
			}
			a.since.LoadOrStore(about, time.Now())
		}
	}
}

func (a *announcements) stood(about string, at time.Time) bool {
	since, known := a.since.Load(about)
	return known && !since.(time.Time).After(at)
}

func (s watchedStore) Execution(ctx context.Context, id recovery.ExecutionID) (e *recovery.Execution, err error) {
	err = s.process.do("store read", func() (err error) {
		e, err = s.ExecutionStore.Execution(ctx, id)
		time.Sleep(storeTime)
		return err
	})
	return e, err
}

func (s watchedStore) Commit(ctx context.Context, c recovery.Change) error {
	name := "store renew"
	if c.Event != nil {
		name = "store " + string(c.Event.Kind)
	}
	return s.process.do(name, func() error {
		err := s.ExecutionStore.Commit(ctx, c)
		if err == nil {
			s.house.taken(c.Execution)
		}
		if err == nil && c.Event != nil {
			s.house.announced.note(c.Event.Changes)
		}
		time.Sleep(storeTime)
		return err
	})
}
