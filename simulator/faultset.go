package simulator

import (
	"slices"
	"strconv"
	"strings"
)

// faultSet is the faults in force and how often each has struck.
type faultSet struct {
	active []*activeFault
	added  int // by the control endpoint, ever
}

// activeFault is a fault in force.
type activeFault struct {
	Fault
	id string // fleet:…, flag:… or run:…
	// logged faults' counts are part of the journal: the fleet's, and those set
	// at run time. A flag's live and die with the process that was given it.
	logged bool
	calls  map[string]int // matching calls, by countKey
	fired  map[string]int
	nth    map[string]int // calls by operation and servers, for the probability
	struck int            // how often it struck, as far as this world knows: for people
}

func (s *faultSet) add(id string, f Fault, logged bool) {
	s.active = append(s.active, &activeFault{
		Fault: f, id: id, logged: logged,
		calls: map[string]int{}, fired: map[string]int{}, nth: map[string]int{},
	})
}

// clear drops faults: those with the name, or all. The fleet's own go too.
func (s *faultSet) clear(name string) {
	s.active = slices.DeleteFunc(s.active, func(f *activeFault) bool { return name == "" || f.Name == name })
}

// countedCall is a call that a fault matched, and what came of it. It is kept in
// the journal, so that the counts are the same for everybody.
type countedCall struct {
	Fault   string `json:"fault"`
	Subject string `json:"subject,omitempty"`
	Fired   bool   `json:"fired,omitempty"`
}

// counts reports whether one more call changes anything about the fault. It does
// not when the fault always strikes, or is spent: else a journal would grow with
// every poll.
func (f *activeFault) counts(subject string) bool {
	key := f.countKey(subject)
	if f.Times > 0 {
		return f.fired[key] < f.Times
	}
	return f.Probability > 0 || f.calls[key] < f.After
}

func (f *activeFault) countKey(subject string) string {
	if f.PerServer {
		return subject
	}
	return ""
}

// count brings the fault's counts up to date with a call.
func (f *activeFault) count(operation string, c countedCall) {
	key := f.countKey(c.Subject)
	f.calls[key]++
	f.nth[operation+" "+c.Subject]++
	if c.Fired {
		f.fired[key]++
		f.struck++
	}
}

// strikes says whether the fault strikes a call, which it already matches.
func (f *activeFault) strikes(w *World, operation, subject string) bool {
	key := f.countKey(subject)
	if f.calls[key] < f.After {
		return false
	}
	if f.Times > 0 && f.fired[key] >= f.Times {
		return false
	}
	if f.Probability > 0 {
		n := strconv.Itoa(f.nth[operation+" "+subject])
		return w.chance(f.id, f.Name, operation, subject, n) < f.Probability
	}
	return true
}

// firing is a fault that struck a call, or one server of it.
type firing struct {
	Fault  Fault  `json:"fault"`
	Server string `json:"server,omitempty"`
}

// oracle says which faults strike the call in hand. When a mutation is replayed
// it says what it said then.
type oracle struct {
	w         *World
	at        accountRegion
	operation string
	servers   []string // that the call names
	replaying bool
	fired     []firing
	counted   []countedCall
	asked     map[string]bool // names that the call as a whole was asked about
}

// call asks whether a fault of this name strikes the call as a whole.
func (o *oracle) call(name string) (Fault, bool) { return o.ask(name, "", o.servers) }

// server asks whether a fault of this name strikes one server of the call.
func (o *oracle) server(name, id string) (Fault, bool) { return o.ask(name, id, []string{id}) }

func (o *oracle) ask(name, server string, servers []string) (Fault, bool) {
	for _, f := range o.fired {
		if f.Fault.Name == name && f.Server == server {
			return f.Fault, true
		}
	}
	key := name + " " + server
	if o.replaying || o.asked[key] {
		return Fault{}, false
	}
	if o.asked == nil {
		o.asked = map[string]bool{}
	}
	o.asked[key] = true
	subject := strings.Join(sorted(servers), "+")
	for _, f := range o.w.faults.active {
		if f.Name != name || !f.matches(o.at, o.operation, servers) {
			continue
		}
		strikes := f.strikes(o.w, o.operation, subject)
		if !f.counts(subject) {
			if strikes {
				f.struck++
			}
		} else {
			c := countedCall{Fault: f.id, Subject: subject, Fired: strikes}
			f.count(o.operation, c)
			if f.logged {
				o.counted = append(o.counted, c)
			}
		}
		if strikes {
			o.fired = append(o.fired, firing{f.Fault, server})
			return f.Fault, true
		}
	}
	return Fault{}, false
}

func (f *activeFault) matches(at accountRegion, operation string, servers []string) bool {
	if !f.befalls(operation) ||
		f.Account != "" && f.Account != at.account ||
		f.Region != "" && f.Region != at.region {
		return false
	}
	return len(f.Servers) == 0 || slices.ContainsFunc(servers, func(s string) bool { return slices.Contains(f.Servers, s) })
}

// recount applies a recorded count.
func (s *faultSet) recount(operation string, counted []countedCall) {
	for _, c := range counted {
		for _, f := range s.active {
			if f.id == c.Fault {
				f.count(operation, c)
			}
		}
	}
}

func sorted(list []string) []string {
	if slices.IsSorted(list) {
		return list
	}
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}
