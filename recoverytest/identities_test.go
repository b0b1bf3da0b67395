package recoverytest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"testing"
	"time"

	"muster/recovery"
	"muster/recoverytest"
)

func TestIdentitiesOverMemory(t *testing.T) {
	recoverytest.Identities(t, func(*testing.T) func() recovery.IdentityStore {
		p := &plate{broken: os.Getenv(breakStore)}
		return func() recovery.IdentityStore { return p }
	})
}

func TestTheIdentitySuiteIsRedForEachBrokenStore(t *testing.T) {
	for broken, promise := range map[string]string{
		"makes an identity up":                 "a_record_that_nobody_drove",
		"writes over one that is not there":    "a_record_that_nobody_drove",
		"forgets who adopted it":               "every_field_of_an_identity",
		"keeps a fence":                        "every_field_of_an_identity",
		"has no condition":                     "of_those_who_write_at_once",
		"looks first and writes later":         "of_those_who_write_at_once",
		"takes a first one over one that is":   "of_those_who_write_at_once",
		"does not know where it is":            "a_record_says_where_it_is",
		"keeps its version":                    "every_field_of_an_identity",
		"answers a stale write with something": "of_those_who_write_at_once",
	} {
		t.Run(broken, func(t *testing.T) {
			t.Parallel()
			run := exec.Command(os.Args[0], "-test.run=^TestIdentitiesOverMemory$/^"+promise, "-test.timeout=60s")
			run.Env = append(os.Environ(), breakStore+"="+broken)
			out, err := run.CombinedOutput()
			var red *exec.ExitError
			if !errors.As(err, &red) {
				t.Fatalf("%q was kept (%v), want it broken:\n%.4000s", promise, err, out)
			}
			if !regexp.MustCompile(`--- FAIL: TestIdentitiesOverMemory/` + promise).Match(out) {
				t.Errorf("it failed otherwise than by %q:\n%.4000s", promise, out)
			}
		})
	}
}

// plate is a record's identity that keeps every promise, unless it is told to
// break one.
type plate struct {
	broken string // "", or the name of a variant

	mu      sync.Mutex
	record  []byte
	version int64
	fence   *recovery.Fence // of the variant that keeps one
}

func (p *plate) Identity(context.Context) (recovery.Identity, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.version == 0 {
		if p.broken == "makes an identity up" {
			return recovery.Identity{ID: "made-up", Version: 1}, nil
		}
		return recovery.Identity{}, nil
	}
	i, err := recovery.ReadIdentity(p.record, p.version)
	switch p.broken {
	case "forgets who adopted it":
		i.Adopted = nil
	case "keeps a fence":
		i.Fenced = p.fence
	}
	return i, err
}

func (p *plate) SetIdentity(_ context.Context, i recovery.Identity) error {
	record, err := i.Kept()
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	stale := p.version != i.Version
	switch p.broken {
	case "has no condition":
		stale = false
	case "writes over one that is not there":
		stale = stale && p.version > 0
	case "takes a first one over one that is":
		stale = stale && i.Version > 0
	case "looks first and writes later":
		p.mu.Unlock()
		time.Sleep(time.Millisecond)
		p.mu.Lock()
	}
	if stale && p.broken == "answers a stale write with something" {
		return errors.New("something")
	}
	if stale {
		return recovery.ErrStale
	}
	p.record = record
	if p.broken != "keeps its version" || p.version == 0 {
		p.version = i.Version + 1
	}
	if i.Fenced != nil {
		p.fence = i.Fenced
	}
	return nil
}

func (p *plate) Here() recovery.RecordPlace {
	if p.broken == "does not know where it is" {
		return recovery.RecordPlace{}
	}
	return recovery.RecordPlace{File: "/memory"}
}

func (p *plate) There(context.Context, recovery.RecordPlace) (recovery.OtherRecord, error) {
	return nil, nil
}
