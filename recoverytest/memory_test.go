package recoverytest_test

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"muster/recovery"
)

// memory is a small execution store that keeps every promise, unless it is
// told to break one.
type memory struct {
	broken string // "", or the name of a variant

	mu         sync.Mutex
	executions map[recovery.ExecutionID]recovery.Execution
	attempts   map[recovery.AttemptKey][]byte
	events     map[recovery.ExecutionID][][]byte
	shared     map[recovery.AttemptKey]*recovery.Attempt // of the variant that hands out its own memory

	opened map[recovery.ExecutionID][]byte
	plans  map[recovery.ExecutionID][]byte
	drives map[recovery.ExecutionID]recovery.Driver
	held   map[recovery.PlanID]recovery.ExecutionID
	order  []recovery.ExecutionID // by last change
}

func newMemory(broken string) *memory {
	return &memory{
		broken:     broken,
		executions: map[recovery.ExecutionID]recovery.Execution{},
		attempts:   map[recovery.AttemptKey][]byte{},
		events:     map[recovery.ExecutionID][][]byte{},
		shared:     map[recovery.AttemptKey]*recovery.Attempt{},
		opened:     map[recovery.ExecutionID][]byte{},
		plans:      map[recovery.ExecutionID][]byte{},
		drives:     map[recovery.ExecutionID]recovery.Driver{},
		held:       map[recovery.PlanID]recovery.ExecutionID{},
	}
}

// handle is one process's view of the store.
type handle struct {
	*memory
	cache map[recovery.ExecutionID]*recovery.Execution // of the variant that has one
}

func (h *handle) Execution(ctx context.Context, id recovery.ExecutionID) (*recovery.Execution, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if e := h.cache[id]; h.broken == "reads from a cache" && e != nil {
		return e, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.header(id)
	if h.broken == "reads header and attempts one after the other" {
		defer func() { e.Version = h.executions[id].Version }()
		defer h.mu.Lock()
		defer time.Sleep(time.Millisecond)
		defer h.mu.Unlock()
	}
	e.Attempts = h.newest(id)
	h.cache[id] = &e
	return &e, nil
}

// newest gives the newest attempt at each wave.
func (h *handle) newest(id recovery.ExecutionID) []recovery.Attempt {
	var all []recovery.Attempt
	for key, body := range h.attempts {
		if key.Execution != h.key(id) {
			continue
		}
		var a recovery.Attempt
		mustUnmarshal(body, &a)
		if h.broken == "hands out its own memory" {
			a = *h.shared[key]
		}
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b recovery.Attempt) int {
		if h.broken == "orders numbers as text" {
			return cmp.Or(cmp.Compare(strconv.Itoa(a.Wave), strconv.Itoa(b.Wave)), cmp.Compare(strconv.Itoa(b.Attempt), strconv.Itoa(a.Attempt)))
		}
		return cmp.Or(cmp.Compare(a.Wave, b.Wave), cmp.Compare(b.Attempt, a.Attempt))
	})
	if h.broken == "gives every attempt" {
		return all
	}
	return slices.CompactFunc(all, func(a, b recovery.Attempt) bool { return a.Wave == b.Wave })
}

func (h *handle) Recovered(ctx context.Context, at recovery.Place, _ []recovery.SourceServerID) ([]recovery.Recovered, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []recovery.Recovered
	for id := range h.executions {
		e := h.header(id)
		for _, a := range h.newest(id) {
			c := recovery.Change{Execution: e, Attempt: &a}
			r := c.Recovered()
			switch {
			case h.broken == "forgets what was recovered once it is over" && r != nil && a.JobOver:
			case h.broken == "takes drills for recoveries" && r == nil && a.JobID != "":
				all = append(all, recovery.Recovered{Execution: id, Attempt: a})
			case r != nil && (h.broken == "mixes up places" || a.AccountID == at.AccountID && a.Region == at.Region):
				all = append(all, *r)
			}
		}
	}
	return all, ctx.Err()
}

func (h *handle) Drive(ctx context.Context, id recovery.ExecutionID, replaces string, d recovery.Driver) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e, is := h.executions[id]
	if mark := h.drives[id].ID; !is && h.broken != "has whoever wants drive what is not there" || mark != replaces && mark != d.ID && h.broken != "lets whoever wants drive" {
		return false, ctx.Err()
	}
	h.drives[id] = d
	if h.broken == "counts who drives as a change" {
		e.Version++
		h.executions[id] = e
	}
	return true, ctx.Err()
}

func (h *handle) Commit(ctx context.Context, c recovery.Change) error {
	if err := ctx.Err(); err != nil && h.broken != "writes though its context has ended" {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	id := h.key(c.Execution.ID)
	stale := h.executions[id].Version != c.Execution.Version
	switch h.broken {
	case "has no condition":
		stale = false
	case "overwrites a record that stands":
		stale = stale && c.Execution.Version != 0
	case "takes a version that never was":
		stale = stale && c.Execution.Version < h.executions[id].Version
	case "looks first and writes later":
		h.mu.Unlock()
		time.Sleep(time.Millisecond)
		h.mu.Lock()
	}
	if by := h.holder(c); by != "" && (!stale || h.broken == "answers its own opening that its plan is held") {
		return &recovery.PlanHeld{By: by}
	}
	if !stale || h.broken == "writes the attempt of a stale change" {
		h.writeAttempt(id, c.Attempt)
	}
	if !stale || h.broken == "writes the event of a stale change" {
		h.writeEvent(id, c.Event)
	}
	if stale {
		return recovery.ErrStale
	}
	if h.broken != "keeps the version" || c.Execution.Version == 0 {
		c.Execution.Version++
	}
	h.writeHeader(id, c.Execution)
	h.writePlan(id, c)
	return nil
}

func (h *handle) writeAttempt(id recovery.ExecutionID, a *recovery.Attempt) {
	if a == nil {
		return
	}
	kept := *a
	switch h.broken {
	case "keeps times to the millisecond":
		kept.LeaseUntil = kept.LeaseUntil.Truncate(time.Millisecond)
	case "forgets that something was sent":
		if kept.State == recovery.Claimed {
			kept.FirstSentAt = time.Time{}
		}
	case "sorts the servers":
		kept.Servers = slices.Sorted(slices.Values(kept.Servers))
	}
	key := recovery.AttemptKey{Execution: id, Wave: a.Wave, Attempt: a.Attempt}
	switch h.broken {
	case "keeps one attempt for all waves":
		key.Wave = 1
	case "keeps the attempt that was written last":
		key.Attempt = 1
	}
	h.attempts[key] = mustMarshal(kept)
	h.shared[key] = a
}

func (h *handle) writeEvent(id recovery.ExecutionID, ev *recovery.Event) {
	if ev == nil {
		return
	}
	kept := *ev
	switch h.broken {
	case "cuts long text":
		kept.Message = kept.Message[:min(len(kept.Message), 4096)]
	case "keeps ASCII only":
		kept.Message = strings.Map(func(r rune) rune { return min(r, '~') }, kept.Message)
	case "keeps ten changes":
		kept.Changes = kept.Changes[:min(len(kept.Changes), 10)]
	case "drops every eighth event":
		if kept.Number%8 == 0 {
			return
		}
	}
	h.events[id] = append(h.events[id], mustMarshal(kept))
}

func (h *handle) Events(ctx context.Context, id recovery.ExecutionID) ([]recovery.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	log := h.events[h.key(id)]
	if h.broken == "gives the first page of the log" {
		log = log[:min(len(log), 50)]
	}
	var events []recovery.Event
	for _, body := range log {
		var ev recovery.Event
		mustUnmarshal(body, &ev)
		events = append(events, ev)
	}
	if h.broken == "gives the log backwards" {
		slices.Reverse(events)
	}
	return events, nil
}

func (h *handle) key(id recovery.ExecutionID) recovery.ExecutionID {
	if h.broken == "does not tell capitals from small letters" {
		return recovery.ExecutionID(strings.ToLower(string(id)))
	}
	return id
}

func mustMarshal(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return body
}

func mustUnmarshal(body []byte, v any) {
	if err := json.Unmarshal(body, v); err != nil {
		panic(err)
	}
}
