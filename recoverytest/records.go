package recoverytest

import (
	"fmt"
	"strings"
	"time"

	"muster/recovery"
)

// recordPromises are about what is kept.
var recordPromises = []promise{
	{"an execution that nobody wrote has version 0 and no events", func(h *house) {
		e, err := h.store.Execution(h.Context(), execution)
		if err != nil {
			h.Fatalf("got %v, want an execution of version 0", err)
		}
		same(h, "unknown execution", e, &recovery.Execution{ID: execution})
		same(h, "number of its events", len(h.events(h.store, execution)), 0)
	}},
	{"what is committed is read back by every handle", func(h *house) {
		start := starting(execution, 1)
		e := start.NewExecution()
		c := claiming(e, 1, "token-1", now)
		h.commit(h.store, c)

		want := c.Execution
		want.Version, want.Attempts = 1, []recovery.Attempt{*c.Attempt}
		other := h.open()
		for range 2 {
			for _, s := range []recovery.ExecutionStore{h.store, other} {
				same(h, "execution", h.read(s, execution), &want)
				same(h, "events", h.events(s, execution), []recovery.Event{*c.Event})
			}
		}

		c = (&want).With(want.Attempts[0].Send(now, now.Add(recovery.SendTimeout)), happened(recovery.EventSent, now, "sent"))
		h.commit(other, c)
		same(h, "attempt that the other handle changed", h.read(h.store, execution).Attempts, []recovery.Attempt{*c.Attempt})
	}},
	{"every field of an attempt survives", func(h *house) {
		a := recovery.Attempt{
			Wave: 3, Attempt: 1, AccountID: "123456789012", Region: "us-east-1",
			Servers: []recovery.SourceServerID{"s-2", "s-1"}, // in the wave's own order
			State:   recovery.Started, Token: "token-1",
			LeaseUntil: now.Add(1), FirstSentAt: now.Add(2), SentAt: now.Add(3), SendDeadline: now.Add(4),
			JobID: "drsjob-1", Accepted: []recovery.SourceServerID{"s-1"}, StartedAt: now.Add(5),
			Refusal:        &recovery.Refusal{Code: recovery.DRSAPIError, Message: "no", Retryable: true},
			FirstRefusedAt: now.Add(6), Refusals: 4, RetryAt: now.Add(7),
			Outcomes: []recovery.ServerOutcome{
				{Server: "s-2", Status: "LAUNCHED", Instance: "i-1", Earlier: true},
				{Server: "s-1", Status: "FAILED", Optional: true, Reason: "no <capacity>"},
			},
			TimedOut: true, JobOver: true, EndedAt: now.Add(9),
			Unseen:       &recovery.Unseen{Code: recovery.CrossAccountError, Message: "no", Retryable: true, Since: now.Add(10), Looks: 3, Again: now.Add(11)},
			UnseenBefore: 2,
		}
		filled(h, a)
		h.commit(h.store, h.read(h.store, execution).With(a, nil))
		same(h, "attempt", h.read(h.open(), execution).Attempts, []recovery.Attempt{a})
	}},
	{"times survive to the nanosecond and come back in UTC", func(h *house) {
		zone := time.FixedZone("somewhere", 5*60*60+30*60)
		e := h.claim(h.store, 1, "token-1", now.In(zone))
		same(h, "lease", e.Attempt(1).LeaseUntil, now.Add(recovery.Lease))
		same(h, "time of the event", h.events(h.store, execution)[0].At, now)
	}},
	{"long and foreign text, a hundred servers and all their changes survive", func(h *house) {
		for i, text := range []string{
			strings.Repeat("long ", 20_000), "日本語 🚢 é e\u0301 \u202e", "line\nline\ttab \x00 \x7f \u2028", `"quoted" \ <b>&amp;</b> ' %s`, "",
		} {
			e := h.read(h.store, execution)
			a := hundredServers(i + 1)
			a.Refusal = &recovery.Refusal{Code: recovery.LaunchConfigError, Message: text}
			ev := happened(recovery.EventConfiguring, now, text)
			ev.Changes = hundredChanges(text)
			c := e.With(a, ev)
			h.commit(h.store, c)
			same(h, "attempt", *h.read(h.store, execution).Attempt(i + 1), *c.Attempt)
			same(h, "event", h.events(h.store, execution)[i], *c.Event)
		}
	}},
	{"text that is not UTF-8 breaks neither record nor log", func(h *house) {
		e := h.read(h.store, execution)
		a := hundredServers(1)
		a.Refusal = &recovery.Refusal{Code: recovery.DRSAPIError, Message: "cut in the middle of \xe2\x82"}
		h.commit(h.store, e.With(a, happened(recovery.EventRefused, now, "cut in the middle of \xe2\x82")))
		h.events(h.store, execution)
		h.claim(h.store, 1, "token-2", now)
		h.events(h.store, execution)
	}},
	{"the newest attempt at each wave is read, by wave number", func(h *house) {
		for _, key := range []struct{ wave, attempt int }{{10, 1}, {2, 1}, {2, 2}, {1, 1}, {2, 10}, {2, 9}, {100, 1}} {
			a := hundredServers(key.wave)
			a.Attempt = key.attempt
			h.commit(h.store, h.read(h.store, execution).With(a, nil))
		}
		var got []string
		for _, a := range h.read(h.store, execution).Attempts {
			got = append(got, fmt.Sprintf("wave %d attempt %d", a.Wave, a.Attempt))
		}
		same(h, "attempts", got, []string{"wave 1 attempt 1", "wave 2 attempt 10", "wave 10 attempt 1", "wave 100 attempt 1"})
	}},
	{"executions with similar ids are kept apart", func(h *house) {
		ids := []recovery.ExecutionID{"exec-1", "exec-1-r1", "EXEC-1", "exec-1.WAVE", "exec-10", "exec_1"}
		for i, id := range ids {
			h.commit(h.store, claiming(h.read(h.store, id), i+1, recovery.Token(id), now))
		}
		for i, id := range ids {
			e := h.read(h.store, id)
			if e.Version != 1 || len(e.Attempts) != 1 || e.Attempts[0].Wave != i+1 || e.Attempts[0].Token != recovery.Token(id) {
				h.Errorf("execution %s: got version %d and attempts %+v, want version 1 and its own claim", id, e.Version, e.Attempts)
			}
			same(h, "number of events of "+string(id), len(h.events(h.store, id)), 1)
		}
	}},
	{"what a caller does to its copy changes nothing", func(h *house) {
		c := claiming(h.read(h.store, execution), 1, "token-1", now)
		h.commit(h.store, c)
		c.Attempt.Token, c.Attempt.Servers[0], c.Event.Message = "forged", "s-forged", "forged"
		e := h.read(h.store, execution)
		e.Attempts[0].Token, e.Attempts[0].Servers[0] = "forged", "s-forged"
		h.events(h.store, execution)[0].Message = "forged"
		a := h.read(h.store, execution).Attempts[0]
		if a.Token != "token-1" || a.Servers[0] == "s-forged" {
			h.Errorf("the store's record changed with the caller's copy: %+v", a)
		}
		h.events(h.store, execution)
	}},
}

func hundredServers(wave int) recovery.Attempt {
	a := recovery.Attempt{Wave: wave, Attempt: 1, AccountID: "123456789012", Region: "us-east-1", State: recovery.Refused,
		Refusal: &recovery.Refusal{Code: recovery.DRSAPIError, Message: "refused"}}
	for i := range recovery.MostServers {
		a.Servers = append(a.Servers, recovery.SourceServerID(fmt.Sprintf("s-%017d", i)))
	}
	return a
}

func hundredChanges(text string) []recovery.ServerChange {
	var changes []recovery.ServerChange
	for i := range recovery.MostServers {
		changes = append(changes, recovery.ServerChange{
			Server: recovery.SourceServerID(fmt.Sprintf("s-%017d", i)), TemplateID: "lt-0123456789abcdef0", DefaultVersion: 1<<53 + int64(i),
			Changes: []recovery.SettingChange{
				{Setting: recovery.SecurityGroups, Old: nil, New: []string{"sg-2", "sg-1"}, From: recovery.FromGroup},
				{Setting: recovery.CopyTags, Old: false, New: true, From: recovery.FromServer},
				{Setting: recovery.LaunchName, Old: text[:min(len(text), 5)], New: "a name", From: recovery.FromRule},
			},
		})
	}
	return changes
}
