package orchestrator

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"muster/recovery"
)

// Home is the world that a process acts in: the record that it has open, and
// the AWS that it reaches. One lasts as long as its process. Its fields are set
// once, before the first call; its methods may be called at the same time.
type Home struct {
	Records recovery.IdentityStore
	// AWS says which AWS is acted in. It is asked before anything is done there,
	// often, and never by who only looks at the record or writes to it.
	AWS func(context.Context) (recovery.AWS, error)
	// Witness says why an attempt of before there were worlds was made in the AWS
	// that is acted in, although no job of it is known; "": it does not know. nil:
	// there is none.
	Witness func(*recovery.Attempt) (why string, err error)

	// Speed is how many times faster than in AWS what is begun here runs; 0 or 1:
	// it does not.
	Speed float64

	mu    sync.Mutex
	known recovery.Identity
	in    recovery.AWS // the AWS that known was checked for; "": it was only to be written to
	at    time.Time    // when known was read
}

// identityAge is for how long a process believes what it read of the record's
// identity. By then it knows that another record has taken this one's
// executions over.
const identityAge = time.Minute

// acting gives identity and AWS for whoever is about to act: a record without
// an identity gets one. The error is a *recovery.Error where nothing may be
// driven from this record here.
func (h *Home) acting(ctx context.Context) (recovery.Identity, recovery.AWS, error) {
	aws, err := h.AWS(ctx)
	if err == nil && aws == "" {
		err = errors.New("which AWS would be acted in is not known")
	}
	if err != nil {
		return recovery.Identity{}, "", err
	}
	i, err := h.check(ctx, aws)
	return i, aws, err
}

// writing gives the identity for whoever writes to the record alone; of
// version 0 where it has none yet.
func (h *Home) writing(ctx context.Context) (recovery.Identity, error) { return h.check(ctx, "") }

func (h *Home) check(ctx context.Context, aws recovery.AWS) (recovery.Identity, error) {
	h.mu.Lock()
	known, in, at := h.known, h.in, h.at
	h.mu.Unlock()
	if !at.IsZero() && time.Since(at) < identityAge && (aws == "" || aws == in) {
		return known, nil
	}
	for {
		asked := time.Now()
		i, err := h.Records.Identity(ctx)
		if err != nil {
			return i, err
		}
		if i.Version == 0 && aws == "" {
			return i, nil
		}
		next, err := h.settled(ctx, i, aws)
		if err != nil {
			return i, err
		}
		if next != nil {
			if err := h.Records.SetIdentity(ctx, *next); err != nil && !errors.Is(err, recovery.ErrStale) {
				return i, err
			}
			continue // and see what stands
		}
		h.mu.Lock()
		h.known, h.in, h.at = i, aws, asked
		h.mu.Unlock()
		return i, nil
	}
}

// settled gives what the identity becomes by being used here and now, nil where
// that is nothing; or why it may not be used.
func (h *Home) settled(ctx context.Context, i recovery.Identity, aws recovery.AWS) (*recovery.Identity, error) {
	here := h.Records.Here()
	next := i
	switch {
	case i.Version == 0:
		next = recovery.Identity{ID: newRecordID(), Where: here, Made: time.Now()}
	case i.Fenced != nil:
		return nil, i.Closed()
	case i.Where != here:
		same, err := h.stands(ctx, i)
		if err != nil {
			return nil, err
		}
		if same {
			return nil, i.Copied(here)
		}
		next.Where = here // it was moved
	}
	if here.Table != "" && next.Moves(aws) { // a file may be used from several accounts
		return nil, i.Moved(aws)
	}
	if aws.Real() && next.AWS == "" {
		next.AWS = aws
	}
	if i.Version > 0 && next.AWS == i.AWS && next.Where == i.Where {
		return nil, nil
	}
	return &next, nil
}

// stands says whether the record is still where the identity says. Of tables
// nobody looks: one that cannot be reached from here may be used all the same.
func (h *Home) stands(ctx context.Context, i recovery.Identity) (bool, error) {
	if i.Where.File == "" || h.Records.Here().File == "" {
		return true, nil
	}
	other, err := h.Records.There(ctx, i.Where)
	if err != nil || other == nil {
		return false, err
	}
	defer other.Close()
	there, err := other.Identity(ctx)
	return err == nil && there.ID == i.ID, err
}

func newRecordID() recovery.RecordID {
	return recovery.RecordID(strings.ToLower(rand.Text()[:16]))
}

// forget makes sure that the identity is read anew.
func (h *Home) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = time.Time{}
}

// Elsewhere says in words why what belongs to a world is not of the one that
// this process would act in; "" where it is, or where that is not known. It
// changes nothing.
func (h *Home) Elsewhere(ctx context.Context, w recovery.World) string {
	if h == nil || w.IsZero() {
		return ""
	}
	i, err := h.Records.Identity(ctx)
	if err != nil || i.Version == 0 {
		return ""
	}
	if !i.Has(w.Record) {
		return fmt.Sprintf("it belongs to the record %s, and this is the record %s", w.Record, i.ID)
	}
	aws, err := h.AWS(ctx)
	if err != nil || aws == "" || i.Owns(w, aws) {
		return ""
	}
	return fmt.Sprintf("it belongs to %s, and from here one would act in %s", w.AWS, aws)
}
