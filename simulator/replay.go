package simulator

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
)

// keep writes the call into the journal if it changed anything.
func (w *World) keep(h *handling, took bool) error {
	expired := slices.ContainsFunc(h.oracle.fired, func(f firing) bool { return f.Fault.Name == ExpireSessions })
	if w.log == nil || !took && len(h.oracle.counted) == 0 && !expired {
		return nil
	}
	q := h.request
	e := entry{
		At: h.now, Speed: h.speed, Service: q.service, Operation: q.operation, Account: h.at.account, Region: q.region,
		Caller: h.caller, Took: took, Fired: h.oracle.fired, Counted: h.oracle.counted,
	}
	if took {
		var err error
		if e.Input, err = q.record(); err != nil {
			return err
		}
	}
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return w.log.append(line)
}

// record is the input as the journal keeps it. An external id is not kept: who
// was let in once is let in when the log is replayed.
func (q *request) record() (json.RawMessage, error) {
	if q.service == serviceDRS {
		return json.Marshal(q.body)
	}
	form := url.Values{}
	for k, v := range q.form {
		if k != "ExternalId" {
			form[k] = v
		}
	}
	return json.Marshal(form.Encode())
}

// replay does what an entry of the journal says was done.
func (w *World) replay(e *entry) error {
	if e.At.After(w.now) {
		w.now = e.At
	}
	if e.Service == serviceControl {
		return w.replayControl(e)
	}
	q := &request{service: e.Service, operation: e.Operation, region: e.Region, key: e.Caller.Key}
	if len(e.Input) > 0 {
		if err := q.recall(e.Input); err != nil {
			return err
		}
	}
	h := w.handling(accountRegion{e.Account, e.Region}, q, e.Caller, e.At)
	h.speed = e.Speed
	h.replaying = true
	h.oracle.replaying = true
	h.oracle.fired = e.Fired
	h.advance(e.At)
	h.draw(e.Service, e.Operation)
	w.faults.recount(e.Operation, e.Counted)
	for _, f := range e.Fired {
		if f.Fault.Name == ExpireSessions {
			w.expire(e.Caller.Key)
		}
	}
	if !e.Took {
		return nil
	}
	if _, err := h.perform(); err != nil {
		return fmt.Errorf("was accepted once and is refused now: %w", err)
	}
	h.mutations++
	return nil
}

func (q *request) recall(input json.RawMessage) error {
	if q.service == serviceDRS {
		return decodeNumbers(input, &q.body)
	}
	var form string
	if err := json.Unmarshal(input, &form); err != nil {
		return err
	}
	var err error
	q.form, err = url.ParseQuery(form)
	return err
}

func (w *World) expire(key string) {
	if s := w.sessions[key]; s != nil {
		s.expired = true
	}
}
