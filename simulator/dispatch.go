package simulator

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

const serviceDRS = "drs"

// request is a call after it was read from the wire: all that replaying it needs.
type request struct {
	service   string
	operation string
	region    string
	key       string         // access key id
	token     string         // session token
	body      map[string]any // of DRS: what checkShape takes
	form      url.Values     // of EC2 and STS
	malformed *apiError      // why it could not be read as its operation's input
}

// answer is what goes back.
type answer struct {
	status int
	header http.Header
	body   []byte
	drop   bool          // close the connection instead
	delay  time.Duration // before it goes out
}

// handling is one call being handled: what a handler may know and use.
type handling struct {
	*region
	w         *World
	request   *request
	caller    principal
	now       time.Time
	speed     float64
	oracle    *oracle
	touched   []string
	made      int // ids made so far
	replaying bool
}

// touch notes resources for the log of calls.
func (h *handling) touch(ids ...string) {
	for _, id := range ids {
		if id != "" && !slices.Contains(h.touched, id) {
			h.touched = append(h.touched, id)
		}
	}
}

// newID makes an id for something that this call makes. Calls that fail make none.
func (h *handling) newID(prefix string) string {
	h.made++
	return h.w.hexID(prefix, h.at.account, h.at.region, strconv.Itoa(h.mutations), strconv.Itoa(h.made))
}

// may refuses a call whose caller must not take an action.
func (h *handling) may(action, resource string) *apiError {
	if h.w.denied(h.caller, action) {
		return accessDenied(h.caller, action, resource)
	}
	return nil
}

// handle answers one request: everything that happens, happens here, in one step.
func (w *World) handle(q *request) *answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken == nil && w.log != nil {
		if err := w.log.lock(); err != nil {
			w.broken = err
		} else {
			defer w.log.unlock()
			w.broken = w.apply()
		}
	}
	w.requests++
	if w.broken != nil {
		return w.refuse(q, &apiError{Status: 500, Code: "InternalServerException", Message: "simulator: " + w.broken.Error()})
	}
	return w.answer(q, w.tick())
}

// tick reads the clock. The world's time never goes back, also not behind what
// another process wrote into the journal.
func (w *World) tick() time.Time {
	if t := time.Now().UTC().Round(0); t.After(w.now) {
		w.now = t
	}
	return w.now
}

func (w *World) answer(q *request, now time.Time) *answer {
	call := Call{Time: now, Service: q.service, Operation: q.operation, Region: q.region}
	h, a := w.attempt(q, now, &call)
	if h != nil {
		call.Resources = h.touched
		for _, f := range h.oracle.fired {
			call.Faults = append(call.Faults, f.Fault.Name)
		}
	}
	a.delay += w.latency
	call.Status = a.status
	call.Dropped = a.drop
	w.calls.add(call)
	return a
}

// attempt takes a call from its signature to its answer.
func (w *World) attempt(q *request, now time.Time, call *Call) (*handling, *answer) {
	refuse := func(e *apiError) *answer {
		call.Code = e.Code
		return w.refuse(q, e)
	}
	p, e := w.identify(q.key, q.token, q.service, now)
	if e != nil {
		return nil, refuse(e)
	}
	call.Account, call.CallerAccount, call.Principal = p.Account, p.Origin, p.ARN
	if !regionPattern.MatchString(q.region) {
		return nil, refuse(&apiError{Status: 403, Code: "InvalidSignatureException",
			Message: fmt.Sprintf("Credential should be scoped to a valid region, not %q.", q.region)})
	}
	if !knows(q.service, q.operation) {
		return nil, refuse(unknownOperation(q))
	}
	at := accountRegion{p.Account, q.region}
	if q.service == serviceSTS {
		at.account = assumedAccount(q, p)
		call.Account = at.account
	}
	h := w.handling(at, q, p, now)
	h.advance(now)
	h.touch(h.oracle.servers...)
	if ok, wait := h.draw(q.service, q.operation); !ok {
		return h, refuse(throttled(q.service, wait, ""))
	}
	took := false
	var slow time.Duration
	a := func() *answer {
		if f, ok := h.oracle.call(SlowAnswers); ok {
			slow = time.Duration(f.Duration)
		}
		if e := h.strickenBefore(); e != nil {
			return e(refuse)
		}
		result, e := h.perform()
		if e == nil {
			took = mutates(q.service, q.operation)
		}
		call.Mutated = took
		a := h.write(result, e, call)
		return h.strickenAfter(a, refuse)
	}()
	a.delay += slow
	if took {
		h.mutations++
	}
	if err := w.keep(h, took); err != nil {
		w.broken = err
		return h, refuse(&apiError{Status: 500, Code: "InternalServerException", Message: "simulator: " + err.Error()})
	}
	return h, a
}

func (w *World) handling(at accountRegion, q *request, p principal, now time.Time) *handling {
	r := w.region(at)
	h := &handling{region: r, w: w, request: q, caller: p, now: now, speed: w.speed}
	h.oracle = &oracle{w: w, at: at, operation: q.operation, servers: r.named(q)}
	return h
}

// perform runs the operation's handler.
func (h *handling) perform() (any, *apiError) {
	q := h.request
	switch q.service {
	case serviceDRS:
		return h.drs()
	case serviceSTS:
		return h.sts()
	}
	return h.ec2Action()
}

// write puts a result or an error on the wire. A result of DRS that breaks
// DRS's own rules is a mistake of the simulator, and is shown as one.
func (h *handling) write(result any, e *apiError, call *Call) *answer {
	if e == nil && h.request.service == serviceDRS {
		var body []byte
		if body, e = h.checkedBody(result); e == nil {
			return h.w.ok(h.request, body)
		}
	}
	if e != nil {
		call.Code = e.Code
		return h.w.refuse(h.request, e)
	}
	a := newAnswer()
	writeQueryAnswer(a, h.request.service, h.request.operation, h.w.requestID(), result)
	return a
}

// levelKey names a bucket.
type levelKey struct {
	accountRegion
	service, operation string
}

// draw takes a token for an operation from its bucket, if it has one.
func (h *handling) draw(service, operation string) (ok bool, wait time.Duration) {
	b, limited := h.fleet.rate(service, operation)
	if !limited {
		return true, 0
	}
	key := levelKey{h.at, service, operation}
	l := h.w.levels[key]
	if l == nil {
		l = new(level)
		h.w.levels[key] = l
	}
	return l.draw(b, h.now)
}

func (w *World) requestID() string { return w.uuid("request", strconv.Itoa(w.requests)) }
