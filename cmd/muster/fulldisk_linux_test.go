package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/cmd/wiring"
	"muster/recovery"
	"muster/simulator"
	"muster/sqlite"
)

// moments are those at which a disk may become full while a wave is started:
// before and after each call to AWS, and before each change of the record.
type moments struct {
	recovery.ExecutionStore
	aws    http.RoundTripper
	at     string // the one at which it happens
	happen func()

	mu     sync.Mutex
	passed []string
	count  map[string]int // by kind: calls are made at the same time, and in any order
}

func (m *moments) pass(kind string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count[kind]++
	moment := fmt.Sprint(kind, " ", m.count[kind])
	m.passed = append(m.passed, moment)
	if moment == m.at {
		m.happen()
	}
}

func (m *moments) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	name := strings.TrimPrefix(r.URL.Path, "/")
	if form, err := url.ParseQuery(string(body)); err == nil && name == "" {
		name = form.Get("Action")
	}
	m.pass("before " + name)
	answer, err := m.aws.RoundTrip(r)
	m.pass("after " + name)
	return answer, err
}

func (m *moments) Commit(ctx context.Context, c recovery.Change) error {
	kind := "the renewal of the lease"
	if c.Event != nil {
		kind = string(c.Event.Kind)
	}
	m.pass("before recording " + kind)
	return m.ExecutionStore.Commit(ctx, c)
}

// fullDisk is a house whose record lies on a small disk.
type fullDisk struct {
	*moments
	disk  disk
	world *simulator.World
	store *sqlite.Store
	event string
}

func onFullDisk(t *testing.T, at string) *fullDisk {
	t.Helper()
	fleet, err := simulator.LoadFleet("specification")
	if err != nil {
		t.Fatal(err)
	}
	world, err := simulator.New(fleet, simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := &fullDisk{disk: newDisk(t), world: world, event: example(t, "complete-example.wave-1.json")}
	if f.store, err = sqlite.Open(t.Context(), filepath.Join(f.disk.dir, recordFile)); err != nil {
		t.Fatal(err)
	}
	f.moments = &moments{ExecutionStore: f.store, aws: world.RoundTripper(), at: at, happen: f.disk.fill, count: map[string]int{}}
	t.Cleanup(func() { f.store.Close(); world.Close() })
	return f
}

// invoke delivers the event to a process that knows nothing of those before.
func (f *fullDisk) invoke(t *testing.T) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), lambdaTimeout)
	defer cancel()
	accounts := wiring.Accounts(local(&simulator.Fleet{}, "http://simulated.invalid", &http.Client{Transport: f.moments}), nil)
	answer, err := wiring.House{Accounts: accounts, Executions: f.moments}.Handler(func(recovery.ExecutionID, recovery.Event) {}).Invoke(ctx, []byte(f.event))
	return strings.TrimSpace(string(answer)), err
}

func (f *fullDisk) launches() int {
	n := 0
	for _, c := range f.world.Calls() {
		if c.Operation == "StartRecovery" && c.Mutated {
			n++
		}
	}
	return n
}

// The disk of the record becomes full at each moment of a wave's start. What
// was not recorded was not launched; and once there is space, the same event
// gives the one job's id.
func TestWheneverTheDiskIsFullNothingIsLaunchedThatIsNotRecorded(t *testing.T) {
	if !onOwnDisks(t) {
		return
	}
	want := strings.TrimSpace(example(t, "complete-example.wave-1.golden.json"))
	var all []string
	synctest.Test(t, func(t *testing.T) {
		f := onFullDisk(t, "never")
		if answer, err := f.invoke(t); err != nil || answer != want {
			t.Fatalf("undisturbed: %s, %v", answer, err)
		}
		all = f.passed
	})
	told, launched := 0, 0
	for _, at := range all {
		t.Run(at, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := onFullDisk(t, at)
				answer, err := f.invoke(t)
				switch {
				case err != nil && strings.Contains(err.Error(), "the disk is full: make space, then try again"):
					told++
				case err != nil || answer != want:
					t.Errorf("while it is full: %s, %v", answer, err)
				}
				e, readErr := f.store.Execution(t.Context(), "exec-123")
				if readErr != nil {
					t.Fatal(readErr)
				}
				if f.launches() > 0 {
					launched++
					if a := e.Attempt(1); a == nil || !a.MayHaveJob() && a.State != recovery.Started {
						t.Errorf("a job was started, and the record says %+v", a)
					}
				}
				f.disk.space()
				began := time.Now()
				if answer, err := f.invoke(t); err != nil || answer != want {
					t.Errorf("once there is space: %s, %v\nwant %s", answer, err, want)
				}
				if n := f.launches(); n != 1 {
					t.Errorf("%d jobs were started, want 1", n)
				}
				if took, most := time.Since(began), recovery.SendTimeout+recovery.Grace+time.Minute; took > most {
					t.Errorf("it took %s, more than %s", took, most)
				}
				log, err := f.store.Events(t.Context(), "exec-123")
				if err != nil {
					t.Fatal(err)
				}
				if e, err := f.store.Execution(t.Context(), "exec-123"); err != nil || e.CheckLog(log) != nil {
					t.Error(err, e.CheckLog(log))
				}
			})
		})
	}
	// A job is there when the disk is full from StartRecovery's call on.
	if len(all) < 20 || told != len(all) || launched != 3 {
		t.Errorf("of %d moments, %d told of the disk and %d had a job, want all and 3: it was not full when it had to be", len(all), told, launched)
	}
	t.Logf("%d moments, %d told of the full disk, in %d of them a job was there", len(all), told, launched)
}
