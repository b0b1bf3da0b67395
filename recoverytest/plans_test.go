package recoverytest_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
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
		s := &shelves{broken: os.Getenv(breakStore), plans: map[string]kept{}, groups: map[string]kept{}}
		return func() recovery.PlanStore { return s }
	})
}

func TestThePlanSuiteIsRedForEachBrokenStore(t *testing.T) {
	for broken, promise := range map[string]string{
		"makes an empty plan up":                         "what_nobody_put",
		"keeps plans and groups on one shelf":            "what_nobody_put",
		"hides external ids from itself":                 "a_plan_of_3,000_servers",
		"hands out its own memory":                       "a_plan_of_3,000_servers",
		"keeps a thousand servers of a group":            "a_protection_group_of_4,000",
		"loses the group's secret":                       "a_protection_group_of_4,000",
		"keeps the first version":                        "each_put_replaces",
		"merges what is put":                             "each_put_replaces",
		"keeps times to the second":                      "each_put_replaces",
		"forgets the request":                            "each_put_replaces",
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

	mu            sync.Mutex
	plans, groups map[string]kept
	puts          int
}

type kept struct {
	entry, record []byte
	version       int64
	place         int            // of the put among all
	plan          *recovery.Plan // of the variant that hands out its own memory
}

func (s *shelves) PutPlan(ctx context.Context, p *recovery.Plan, put recovery.Put) (int64, error) {
	record, err := p.Freeze()
	if s.broken == "hides external ids from itself" {
		record, err = json.Marshal(map[string]any{"plan": p, "externalIds": make([]string, len(p.Waves)+1)})
	}
	if err != nil {
		return 0, err
	}
	return s.put(ctx, s.plans, string(p.ID), kept{record: record, plan: p}, put, func(v recovery.Stored) any { return p.Entry(v) })
}

func (s *shelves) PutGroup(ctx context.Context, g *recovery.PlannedGroup, put recovery.Put) (int64, error) {
	less := *g
	switch s.broken {
	case "keeps a thousand servers of a group":
		less.Servers = g.Servers[:min(len(g.Servers), 1000)]
	case "loses the group's secret":
		if g.Account != nil {
			less.Account = new(*g.Account)
			less.Account.ExternalID = recovery.Secret{}
		}
	}
	record, err := less.Freeze()
	if err != nil {
		return 0, err
	}
	return s.put(ctx, s.shelf(s.groups), string(g.ID), kept{record: record}, put, func(v recovery.Stored) any { return g.Entry(v) })
}

func (s *shelves) put(ctx context.Context, shelf map[string]kept, id string, k kept, put recovery.Put, entry func(recovery.Stored) any) (int64, error) {
	if err := ctx.Err(); err != nil && s.broken != "writes though its context has ended" {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before, known := shelf[s.key(id)]
	k.version = before.version + 1
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
	made, err := put.Over(before.version)
	if s.broken == "looks first and writes later" && put.Replaces != nil || s.broken == "counts first and writes later" {
		s.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
		s.mu.Lock()
	}
	s.puts++
	k.place = s.puts
	if err == nil || s.broken == "writes before it looks" {
		k.version = max(made.Version, 1)
		k.entry = mustMarshal(entry(made))
		shelf[s.key(id)] = k
	}
	if conflict := new(recovery.VersionConflict); errors.As(err, &conflict) && s.broken == "names the version that was asked for" {
		conflict.Stands = *put.Replaces
	}
	return made.Version, err
}

func (s *shelves) StoredPlan(ctx context.Context, id recovery.PlanID) (*recovery.StoredPlan, error) {
	k, known := s.get(s.plans, string(id))
	if !known && s.broken == "makes an empty plan up" {
		return &recovery.StoredPlan{Plan: &recovery.Plan{}}, ctx.Err()
	}
	if !known {
		return nil, ctx.Err()
	}
	found := &recovery.StoredPlan{}
	mustUnmarshal(k.entry, &found.PlanEntry)
	if found.Plan = k.plan; s.broken == "hands out its own memory" {
		return found, nil
	}
	var err error
	found.Plan, err = recovery.ThawPlan(k.record)
	return found, err
}

func (s *shelves) StoredGroup(ctx context.Context, id recovery.ProtectionGroupID) (*recovery.StoredGroup, error) {
	k, known := s.get(s.shelf(s.groups), string(id))
	if !known {
		return nil, ctx.Err()
	}
	found := &recovery.StoredGroup{}
	mustUnmarshal(k.entry, &found.GroupEntry)
	if bytes.HasPrefix(k.record, []byte(`{"plan"`)) {
		found.Group = &recovery.PlannedGroup{}
		return found, nil
	}
	var err error
	found.Group, err = recovery.ThawGroup(k.record)
	return found, err
}

func (s *shelves) StoredPlans(ctx context.Context, after recovery.PlanID, most int) ([]recovery.PlanEntry, error) {
	return shelfList[recovery.PlanEntry](ctx, s, s.plans, string(after), most)
}

func (s *shelves) StoredGroups(ctx context.Context, after recovery.ProtectionGroupID, most int) ([]recovery.GroupEntry, error) {
	return shelfList[recovery.GroupEntry](ctx, s, s.groups, string(after), most)
}

func shelfList[T any](ctx context.Context, s *shelves, shelf map[string]kept, after string, most int) ([]T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
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
	var all []T
	for _, id := range ids {
		var entry T
		mustUnmarshal(shelf[id].entry, &entry)
		all = append(all, entry)
	}
	return all, ctx.Err()
}

func (s *shelves) get(shelf map[string]kept, id string) (kept, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, known := shelf[s.key(id)]
	return k, known
}

func (s *shelves) shelf(own map[string]kept) map[string]kept {
	if s.broken == "keeps plans and groups on one shelf" {
		return s.plans
	}
	return own
}

func (s *shelves) key(id string) string {
	if s.broken == "does not tell capitals from small letters" {
		return strings.ToLower(id)
	}
	return id
}
