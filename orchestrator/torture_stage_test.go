package orchestrator_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"net/http"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/deploy"
	"muster/dynamo"
	"muster/dynamotest"
	"muster/recovery"
	"muster/simulator"
	"muster/sqlite"
	"muster/stepfunctions"
)

// stores are those that schedules are played with: each opens an empty one.
var stores = map[string]func(t *testing.T) (recovery.ExecutionStore, error){
	"memory": func(*testing.T) (recovery.ExecutionStore, error) { return newMemory(), nil },
	"sqlite": func(t *testing.T) (recovery.ExecutionStore, error) {
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "muster.db"))
		if err == nil {
			t.Cleanup(func() { s.Close() })
		}
		return s, err
	},
	"dynamo": func(t *testing.T) (recovery.ExecutionStore, error) {
		s := dynamo.New(dynamotest.New().Config(), "executions")
		_, err := s.CreateTable(t.Context())
		return s, err
	},
}

// longest is the virtual time within which an execution has to end.
const longest = 30 * 24 * time.Hour

// mostInvocations is more than any execution needs that does not run in
// circles.
const mostInvocations = 2000

// A stage is one schedule being played: the world and the store, all who act,
// and what is seen of them.
type stage struct {
	s       schedule
	t       *testing.T
	ctx     context.Context
	giveUp  context.CancelFunc
	world   *simulator.World
	store   recovery.ExecutionStore
	machine *stepfunctions.Machine
	began   time.Time
	buried  chan struct{}  // closed when the play is over: dead actors fall
	living  sync.WaitGroup // deliveries, people, drivers
	all     sync.WaitGroup // the same, the dead among them

	mu          sync.Mutex
	problems    []string
	seen        map[string]int // what was met with, by name
	film        hash.Hash      // of everything that happened, in its order
	invocations int
	desks       int
	driver      int             // the number of the newest
	input       []byte          // that a run was started with; nil: none was
	running     map[string]bool // runs, by their names
	ends        []string
	answers     []string
	tokens      map[string]chan struct{} // of tasks, closed when completed
	secrets     []string
	sent        []map[string]string // tags of launches that AWS was asked for
	books       map[recovery.ExecutionID]*book
	said        map[string]error  // what became of what people said, by name
	words       map[string]mishap // what they said, by <name>
	announced   announcements
	killed      map[string]time.Time // instances that others ended
	interloper  bool                 // another execution took hold of the plan
}

// A verdict is what became of a schedule.
type verdict struct {
	problems []string
	digest   string         // the same exactly when everything happened the same way
	seen     map[string]int // what was met with, by name
	log      []string       // the execution's event log
}

// play plays a schedule from beginning to end, in virtual time.
func play(t *testing.T, s schedule) (v verdict) {
	synctest.Test(t, func(t *testing.T) {
		st := &stage{s: s, t: t, began: time.Now(), buried: make(chan struct{}), seen: map[string]int{}, film: sha256.New(),
			running: map[string]bool{}, tokens: map[string]chan struct{}{}, books: map[recovery.ExecutionID]*book{}, said: map[string]error{}, words: map[string]mishap{}}
		if err := st.set(); err != nil {
			t.Fatalf("seed %d: %v", s.seed, err)
		}
		var cancel context.CancelFunc
		st.ctx, cancel = context.WithTimeout(t.Context(), longest)
		st.giveUp = cancel
		st.perform()
		st.living.Wait()
		st.judge(t.Context())
		close(st.buried)
		cancel()
		st.all.Wait()
		v = verdict{st.problems, hex.EncodeToString(st.film.Sum(nil)), st.seen, st.eventLog()}
	})
	return v
}

// set sets the stage.
func (st *stage) set() error {
	fleetFile, err := simulator.ParseFleet("torture", []byte(st.s.fleet()))
	if err != nil {
		return err
	}
	if st.world, err = simulator.New(fleetFile, simulator.Options{Seed: int64(st.s.seed%1_000_000) + 1}); err != nil {
		return err
	}
	st.t.Cleanup(func() { st.world.Close() })
	if st.store, err = stores[st.s.store](st.t); err != nil {
		return err
	}
	st.machine, err = deployedMachine()
	st.seen["store "+st.s.store]++
	return err
}

var deployedMachine = sync.OnceValues(func() (*stepfunctions.Machine, error) { return loaded(deploy.StateMachine) })

// loaded is a definition, with a function to invoke.
func loaded(definition []byte) (*stepfunctions.Machine, error) {
	definition, err := deploy.Fill(definition, map[string]string{deploy.Handler: "arn:aws:lambda:us-west-2:999999999999:function:execution-handler"})
	if err != nil {
		return nil, err
	}
	return stepfunctions.Load(definition)
}

// perform begins everything, each at its time.
func (st *stage) perform() {
	for i := range st.s.crowd {
		st.othersStart(serverID(st.s.planned() + 1 + i))
	}
	for i, m := range st.s.mishaps {
		name := fmt.Sprintf("act %02d", i)
		switch m.kind {
		case permissionTaken:
			st.at(m.at, func() { st.struck(m); st.control(http.MethodPost, "faults", m.fault.String()) })
			st.at(m.at+m.lasts, func() { st.control(http.MethodDelete, "faults?name="+simulator.Refuse, "") })
		case awsFault:
			st.at(m.at, func() { st.control(http.MethodPost, "faults", m.fault.String()) })
		case othersStart:
			st.at(m.at, func() {
				if st.othersStart(serverID(m.server)) {
					st.struck(m)
				}
			})
		case decided, pauseAsked:
			st.at(m.at, func() { st.struck(m); st.says(name, m) })
		case intruder:
			st.at(m.at, func() { st.struck(m); st.intrude(name, recovery.ExecutionType(m.who)) })
		case othersRecover, othersDrill, othersTerminate, othersKill, othersEdit:
			st.at(m.at, func() { st.interfere(m) })
		case driverTaken:
			st.at(m.at, func() { st.struck(m); st.drive() })
		}
	}
	st.at(0, st.drive)
}

// at has something happen at a time.
func (st *stage) at(when time.Duration, what func()) {
	st.living.Add(1)
	st.goes(func() {
		defer st.living.Done()
		time.Sleep(when)
		what()
	})
}

// goes starts a goroutine of the play. What panics in it is a problem like any
// other.
func (st *stage) goes(what func()) {
	st.all.Go(func() {
		defer st.survives()
		what()
	})
}

func (st *stage) survives() {
	if p := recover(); p != nil {
		st.problem("it panicked: %v\n%s", p, debug.Stack())
	}
}

func (st *stage) keepSecret(word string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !slices.Contains(st.secrets, word) {
		st.secrets = append(st.secrets, word)
	}
}

func (st *stage) problem(format string, args ...any) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.problems = append(st.problems, fmt.Sprintf("after %s: ", time.Since(st.began))+fmt.Sprintf(format, args...))
}

func (st *stage) struck(m mishap) { st.met(string(m.kind)) }

func (st *stage) met(what string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.seen[what]++
}

// trace films what happens, and when.
func (st *stage) trace(format string, args ...any) {
	st.mu.Lock()
	defer st.mu.Unlock()
	fmt.Fprintf(st.film, "%d ", time.Since(st.began))
	fmt.Fprintf(st.film, format+"\n", args...)
}

// draw draws a number from the seed, the same for the same things.
func (st *stage) draw(of ...any) uint64 {
	h := fnv.New64a()
	fmt.Fprintln(h, of...)
	return mixed(h.Sum64() ^ mixed(st.s.seed))
}

// mixed spreads a number over all its bits, so that neighbours have nothing in
// common (SplitMix64).
func mixed(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (st *stage) fraction(of ...any) float64 {
	return float64(st.draw(of...)>>11) / (1 << 53)
}

// latency is how long a call takes.
func (st *stage) latency(who, what string, nth, again int) time.Duration {
	return 2*time.Millisecond + time.Duration(st.draw(who, what, nth, again)%uint64(40*time.Millisecond))
}

// control reaches the simulator's own side.
func (st *stage) control(method, what, body string) {
	r, err := http.NewRequest(method, "http://simulated/_muster/"+what, strings.NewReader(body))
	if err == nil {
		var answer *http.Response
		if answer, err = st.world.RoundTripper().RoundTrip(r); err == nil && answer.StatusCode >= 300 {
			err = errors.New(answer.Status)
		}
	}
	if err != nil {
		st.problem("%s %s %s: %v", method, what, body, err)
	}
}
