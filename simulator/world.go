package simulator

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// Options say how a world runs. The zero value is a world in memory that runs at AWS's own pace.
type Options struct {
	// Seed decides ids and the faults' probabilities. 0: the fleet's.
	Seed int64
	// Speed divides the durations of what the world does by itself (jobs), and
	// nothing else: not lags, not rates, not sessions. 0: 1.
	Speed float64
	// Journal is the path of a file that keeps the accepted mutations as JSON
	// lines. Several worlds, in one process or in many, may share one: each
	// sees what the others did before it answers. Empty: memory only.
	Journal string
	// Faults are in force in this world, for as long as it lives, besides the fleet's.
	Faults []Fault
	// Latency of every answer.
	Latency time.Duration
}

// World is a simulated AWS. It is safe for concurrent use.
type World struct {
	fleet   *Fleet
	seed    int64
	id      string // of this world, and of no other
	speed   float64
	latency time.Duration
	strict  bool

	mu       sync.Mutex // never held across a sleep
	started  time.Time  // when the fleet's ages count from
	now      time.Time  // the latest moment that the world has seen
	regions  map[accountRegion]*region
	roles    map[string]*Role // by account:name
	sessions map[string]*session
	levels   map[levelKey]*level
	faults   faultSet
	handed   int // sessions handed out
	log      *journal
	broken   error // why the world cannot go on; nil while it can
	calls    callLog
	requests int
}

// accountRegion is a region of an account.
type accountRegion struct{ account, region string }

// New makes a world from a fleet. With a journal, the world is where the journal left it.
func New(fleet *Fleet, o Options) (*World, error) {
	if fleet == nil {
		return nil, errors.New("simulator: a world needs a fleet")
	}
	if o.Speed == 0 {
		o.Speed = 1
	}
	if !(o.Speed > 0 && o.Speed <= 1e6) {
		return nil, fmt.Errorf("simulator: speed %v is not between 0 and 1,000,000", o.Speed)
	}
	if o.Seed == 0 {
		o.Seed = fleet.Seed
	}
	w := &World{
		fleet:    fleet,
		seed:     o.Seed,
		id:       newWorldID(),
		speed:    o.Speed,
		latency:  o.Latency,
		strict:   fleet.StrictIDs,
		regions:  map[accountRegion]*region{},
		roles:    map[string]*Role{},
		sessions: map[string]*session{},
		levels:   map[levelKey]*level{},
	}
	for i, f := range o.Faults {
		if ps := f.problems(); ps != nil {
			return nil, fmt.Errorf("simulator: fault %d: %s", i+1, ps[0].Message)
		}
	}
	w.started = time.Now().UTC().Round(0)
	if o.Journal != "" {
		if err := w.openJournal(o.Journal); err != nil {
			return nil, err
		}
	}
	w.populate()
	if w.log != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		if err := w.catchUp(); err != nil {
			w.log.close()
			return nil, err
		}
	}
	// Only now: what the journal says about faults is about those of its own time.
	for i, f := range o.Faults {
		w.faults.add("flag:"+strconv.Itoa(i), f, false)
	}
	return w, nil
}

// Identity tells which world this is.
func (w *World) Identity() Identity {
	return Identity{ID: w.id, Fleet: w.fleet.Name, Digest: w.fleet.digest, Seed: w.seed}
}

// Fleet is what the world was made from.
func (w *World) Fleet() *Fleet { return w.fleet }

// Close lets go of the journal. The world answers nothing any more.
func (w *World) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = errors.New("the world is closed")
	if w.log == nil {
		return nil
	}
	return w.log.close()
}

// populate builds the fleet's accounts as they are when the world starts.
func (w *World) populate() {
	for _, id := range w.fleet.order {
		a := w.fleet.Accounts[id]
		for i := range a.Roles {
			w.roles[id+":"+a.Roles[i].Name] = &a.Roles[i]
		}
		for _, name := range sortedKeys(a.Regions) {
			w.regions[accountRegion{id, name}] = newRegion(w, accountRegion{id, name}, a.Regions[name])
			for i, f := range a.Regions[name].Faults {
				f.Account, f.Region = id, name
				w.faults.add(fmt.Sprintf("fleet:%s/%s#%d", id, name, i), f, true)
			}
		}
	}
}

// region finds a region of an account, and makes an empty one where the fleet says nothing.
func (w *World) region(at accountRegion) *region {
	r := w.regions[at]
	if r == nil {
		empty := new(Region)
		empty.defaults()
		empty.Initialized = false
		r = newRegion(w, at, empty)
		w.regions[at] = r
	}
	return r
}

// shortened is a duration of the fleet at the speed that holds for a mutation.
// A speed far below one makes it long, and never so long that it overflows.
func shortened(d Duration, speed float64) time.Duration {
	return time.Duration(min(float64(d)/speed, float64(maxDuration)))
}
