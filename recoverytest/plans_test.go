package recoverytest_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/recovery"
	"muster/recoverytest"
)

func TestPlansOverMemory(t *testing.T) {
	recoverytest.Plans(t, func(*testing.T) func() recovery.PlanStore {
		s := &shelves{broken: os.Getenv(breakStore), kinds: map[recovery.Kind]map[string]kept{recovery.KindPlan: {}, recovery.KindGroup: {}}}
		return func() recovery.PlanStore { return s }
	})
}

func TestThePlanSuiteIsRedForEachBrokenStore(t *testing.T) {
	for broken, promise := range map[string]string{
		"makes an empty plan up":                         "what_nobody_put",
		"keeps plans and groups on one shelf":            "what_nobody_put",
		"hides external ids from itself":                 "a_plan_of_3,000_servers_and_a_group",
		"keeps a thousand servers of a group":            "a_plan_of_3,000_servers_and_a_group",
		"loses the group's secret":                       "a_plan_of_3,000_servers_and_a_group",
		"keeps the first version":                        "each_put_replaces",
		"merges what is put":                             "each_put_replaces",
		"keeps times to the second":                      "each_put_replaces",
		"forgets the request":                            "each_put_replaces",
		"makes a version of the same":                    "the_same_again",
		"refuses the same over the version before it":    "the_same_again",
		"has no condition":                               "a_put_over_a_version",
		"has no condition on what is new":                "a_put_over_a_version",
		"writes before it looks":                         "a_put_over_a_version",
		"names the version that was asked for":           "a_put_over_a_version",
		"takes a version from the future":                "a_put_over_a_version",
		"looks first and writes later":                   "of_twenty_puts",
		"counts first and writes later":                  "twenty_plain_puts",
		"does not tell capitals from small letters":      "things_with_similar_ids",
		"lists by when it was put":                       "lists_are_in_the_order",
		"lists without regard to capitals":               "lists_are_in_the_order",
		"lists everything":                               "lists_are_in_the_order",
		"begins with the one that it is to go on behind": "lists_are_in_the_order",
		"lists nothing behind an id that is not there":   "lists_are_in_the_order",
		"writes though its context has ended":            "an_ended_context",
	} {
		t.Run(broken, func(t *testing.T) {
			t.Parallel()
			run := exec.Command(os.Args[0], "-test.run=^TestPlansOverMemory$/^"+promise, "-test.timeout=60s")
			run.Env = append(os.Environ(), breakStore+"="+broken)
			out, err := run.CombinedOutput()
			var red *exec.ExitError
			if !errors.As(err, &red) {
				t.Fatalf("%q was kept (%v), want it broken:\n%.4000s", promise, err, out)
			}
			if !regexp.MustCompile(`--- FAIL: TestPlansOverMemory/` + promise).Match(out) {
				t.Errorf("it failed otherwise than by %q:\n%.4000s", promise, out)
			}
		})
	}
}

// shelves is a small plan store that keeps every promise, unless it is told to
// break one.
type shelves struct {
	broken string // "", or the name of a variant

	mu    sync.Mutex
	kinds map[recovery.Kind]map[string]kept
	puts  int
}

type kept struct {
	line, record []byte
	version      int64
	place        int // of the put among all
}

// less gives a record without what a variant loses.
func (s *shelves) less(k recovery.Kind, record []byte) []byte {
	switch {
	case s.broken == "hides external ids from itself" && k == recovery.KindPlan:
		p, err := recovery.ThawPlan(record)
		if err != nil {
			panic(err)
		}
		return mustMarshal(map[string]any{"plan": p, "externalIds": make([]string, len(p.Waves)+1)})
	case s.broken != "keeps a thousand servers of a group" && s.broken != "loses the group's secret" || k != recovery.KindGroup:
		return record
	}
	g, err := recovery.ThawGroup(record)
	if err != nil {
		panic(err)
	}
	if s.broken == "keeps a thousand servers of a group" {
		g.Servers = g.Servers[:min(len(g.Servers), 1000)]
	} else if g.Account != nil {
		g.Account.ExternalID = recovery.Secret{}
	}
	record, err = g.Freeze()
	if err != nil {
		panic(err)
	}
	return record
}

func (s *shelves) Put(ctx context.Context, kind recovery.Kind, id string, record []byte, line func(recovery.Stored) ([]byte, error), put recovery.Put) (int64, error) {
	if err := ctx.Err(); err != nil && s.broken != "writes though its context has ended" {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	shelf, k := s.shelf(kind), kept{record: s.less(kind, record)}
	before, known := shelf[s.key(id)]
	k.version = before.version + 1
	same := bytes.Equal(before.record, record)
	switch s.broken {
	case "has no condition":
		put.Replaces = nil
	case "has no condition on what is new":
		if !known {
			put.Replaces = nil
		}
	case "takes a version from the future":
		if put.Replaces != nil && *put.Replaces > before.version {
			put.Replaces = nil
		}
	case "makes a version of the same":
		same = false
	case "refuses the same over the version before it":
		same = same && (put.Replaces == nil || *put.Replaces == before.version)
	case "keeps the first version":
		if known {
			return k.version, nil
		}
	case "merges what is put":
		if known && len(before.record) > len(k.record) {
			k.record = before.record
		}
	case "keeps times to the second":
		put.At = put.At.Truncate(time.Second)
	case "forgets the request":
		put.RequestID = ""
	}
	made, err := put.Over(before.version, same)
	if err == nil && made.Version == before.version {
		return made.Version, nil
	}
	if s.broken == "looks first and writes later" && put.Replaces != nil || s.broken == "counts first and writes later" {
		s.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
		s.mu.Lock()
	}
	s.puts++
	k.place = s.puts
	if err == nil || s.broken == "writes before it looks" {
		k.version = max(made.Version, 1)
		var wrong error
		if k.line, wrong = line(made); wrong != nil {
			return 0, wrong
		}
		shelf[s.key(id)] = k
	}
	if conflict := new(recovery.VersionConflict); errors.As(err, &conflict) && s.broken == "names the version that was asked for" {
		conflict.Stands = *put.Replaces
	}
	return made.Version, err
}

func (s *shelves) Get(ctx context.Context, kind recovery.Kind, id string) (record, line []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, known := s.shelf(kind)[s.key(id)]
	if !known && s.broken == "makes an empty plan up" && kind == recovery.KindPlan {
		record, err := (&recovery.Plan{}).Freeze()
		return record, []byte("{}"), err
	}
	return k.record, k.line, ctx.Err()
}

func (s *shelves) List(ctx context.Context, kind recovery.Kind, after string, most int) (lines [][]byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	shelf := s.shelf(kind)
	var ids []string
	for id := range shelf {
		if id > after || id == after && s.broken == "begins with the one that it is to go on behind" {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		switch s.broken {
		case "lists by when it was put":
			return cmp.Compare(shelf[a].place, shelf[b].place)
		case "lists without regard to capitals":
			return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(b, a))
		}
		return strings.Compare(a, b)
	})
	if _, there := shelf[after]; !there && after != "" && s.broken == "lists nothing behind an id that is not there" {
		ids = nil
	}
	if s.broken != "lists everything" {
		ids = ids[:min(len(ids), most)]
	}
	for _, id := range ids {
		lines = append(lines, shelf[id].line)
	}
	return lines, ctx.Err()
}

func (s *shelves) shelf(kind recovery.Kind) map[string]kept {
	if s.broken == "keeps plans and groups on one shelf" {
		kind = recovery.KindPlan
	}
	return s.kinds[kind]
}

func (s *shelves) key(id string) string {
	if s.broken == "does not tell capitals from small letters" {
		return strings.ToLower(id)
	}
	return id
}
