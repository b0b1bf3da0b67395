package dynamo

import (
	"context"
	"errors"
	"fmt"

	"muster/recovery"
)

// Commit implements recovery.ExecutionStore: one transaction, conditional on
// the header's version.
//
// A change that supersedes an attempt, and one that ends an execution whose
// plan somebody else holds by now, find out by a condition that does not hold,
// and are written by a second transaction.
func (s *Store) Commit(ctx context.Context, c recovery.Change) error {
	err := s.commit(ctx, c)
	var held *recovery.PlanHeld
	if err == nil || errors.Is(err, recovery.ErrStale) || errors.As(err, &held) {
		return err
	}
	return s.explain("recording a change of execution "+string(c.Execution.ID), err)
}

var (
	errSuperseding = errors.New("another attempt at the wave is the newest")
	errLetGo       = errors.New("another execution holds the plan")
)

func (s *Store) commit(ctx context.Context, c recovery.Change) error {
	w := &writing{s: s, c: c}
	for {
		parts, token, err := w.parts()
		if err != nil {
			return err
		}
		err = s.transact(ctx, token, parts)
		switch {
		case errors.Is(err, errLetGo) && !w.letGo:
			w.letGo = true // and never holds it again
		case errors.Is(err, errSuperseding) && w.stands == nil:
			if w.stands, err = s.item(ctx, key(executionPK(c.Execution.ID), waveSK(c.Attempt.Wave))); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

// writing is a change on its way.
type writing struct {
	s      *Store
	c      recovery.Change
	letGo  bool // the execution does not hold its plan any more
	stands item // the newest attempt at the wave, where it is another one
}

// parts gives what is written; the header first, whose condition decides
// before any other.
func (w *writing) parts() (all []part, token string, err error) {
	token = newToken()
	attempt, newest, err := w.attempt()
	if err != nil {
		return nil, "", err
	}
	frozen, err := w.frozen()
	if err != nil {
		return nil, "", err
	}
	header, err := w.header(token, newest, len(frozen))
	if err != nil {
		return nil, "", err
	}
	event, err := w.event()
	if err != nil {
		return nil, "", err
	}
	all = append(all, header)
	recovered, err := w.recovered(newest)
	if err != nil {
		return nil, "", err
	}
	for _, more := range [][]part{w.hold(), attempt, event, frozen, recovered} {
		all = append(all, more...)
	}
	return all, token, nil
}

// event appends to the log.
func (w *writing) event() ([]part, error) {
	ev := w.c.Event
	if ev == nil {
		return nil, nil
	}
	record, err := marshal(ev)
	if err != nil {
		return nil, err
	}
	i := key(executionPK(w.c.Execution.ID), eventSK(ev.Number))
	i[attrRecord], i[attrKind], i[attrAt] = text(record), text(ev.Kind), text(ev.At.Format(changedForm))
	return []part{w.s.put(i, absent, nil, func(item, bool) error {
		return fmt.Errorf("%w: event %d stands in its log already, though the header does not say so", recovery.ErrDamaged, ev.Number)
	})}, nil
}

const absent = "attribute_not_exists(#" + attrPK + ")"

// attempt writes the attempt that changes. The newest attempt at a wave has a
// place of its own, where it is read without those before it.
func (w *writing) attempt() (parts []part, newest bool, err error) {
	a := w.c.Attempt
	if a == nil {
		return nil, false, nil
	}
	record, err := marshal(a)
	if err != nil {
		return nil, false, err
	}
	pk := executionPK(w.c.Execution.ID)
	put := func(sk string, i item, condition string, values item) {
		i[attrPK], i[attrSK] = text(pk), text(sk)
		parts = append(parts, w.s.put(i, condition, values, func(item, bool) error { return errSuperseding }))
	}
	ours := item{attrWave: number(a.Wave), attrAttempt: number(a.Attempt), attrVersion: number(w.c.Execution.Version + 1),
		attrRecord: text(record), attrState: text(a.State), attrJobID: text(a.JobID)}
	condition := absent + " OR #" + attrAttempt + " = :attempt"
	switch stands := numberOf(w.stands, attrAttempt); {
	case stands == 0:
		put(waveSK(a.Wave), ours, condition, item{":attempt": number(a.Attempt)})
	case stands < int64(a.Attempt):
		put(earlierSK(a.Wave, int(stands)), w.stands, "", nil)
		put(waveSK(a.Wave), ours, condition, item{":attempt": number(stands)})
	default:
		put(earlierSK(a.Wave, a.Attempt), ours, "", nil)
		return parts, false, nil
	}
	return parts, true, nil
}
