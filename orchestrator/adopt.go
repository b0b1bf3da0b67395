package orchestrator

import (
	"context"
	"errors"
	"time"

	"muster/recovery"
)

// fenceTimeout bounds how long a record at another place is waited for.
const fenceTimeout = 15 * time.Second

// Adopted is what a record became by taking executions over.
type Adopted struct {
	recovery.Identity
	// NotFenced says why the record that they were taken from does not know; "":
	// it does, and nothing is driven from there any more.
	NotFenced string
}

// Identity is which record the home's is, as it is kept; of version 0 where it
// has no id yet. It changes nothing.
func (h *Home) Identity(ctx context.Context) (recovery.Identity, error) {
	return h.Records.Identity(ctx)
}

// Adoptable gives the record's identity if there is a reason to adopt it, else
// a *recovery.Error.
func (h *Home) Adoptable(ctx context.Context) (recovery.Identity, error) {
	aws, err := h.AWS(ctx)
	if err != nil {
		return recovery.Identity{}, err
	}
	i, err := h.Records.Identity(ctx)
	if err != nil {
		return i, err
	}
	return i, h.adoptable(i, aws)
}

// Adopt makes the record, which is a restored copy, a replica, one that was
// taken over, or one whose hub was moved to another account, take its
// executions over, under a new id. The record that has them is fenced where it
// can be reached: nothing is driven from there any more. Asked again, it tries
// that again. A refusal is a *recovery.Error.
func (h *Home) Adopt(ctx context.Context, r recovery.Request) (*Adopted, error) {
	aws, err := h.AWS(ctx)
	if err != nil {
		return nil, err
	}
	i, err := h.Records.Identity(ctx)
	if err != nil {
		return nil, err
	}
	defer h.forget()
	if err := h.adoptable(i, aws); err != nil {
		return nil, err
	}
	here := h.Records.Here()
	id, from := newRecordID(), recovery.Adoption{Request: r}
	from.From, from.Where = i.Predecessor()
	again := i.Fenced == nil && i.Where == here && i.Adopted != nil && !i.Moves(aws)
	if again {
		id, from = i.ID, *i.Adopted
	}
	id, why, err := h.fence(ctx, from, id, r)
	if err != nil {
		return nil, err
	}
	from.Fenced = why == ""
	for {
		next := i
		if again {
			next.Adopted = &from
		} else {
			next = i.Adopt(id, here, aws, from)
		}
		if err := h.Records.SetIdentity(ctx, next); err != nil && !errors.Is(err, recovery.ErrStale) {
			return nil, err
		}
		// The fence may have come here by replication meanwhile.
		if i, err = h.Records.Identity(ctx); err != nil {
			return nil, err
		}
		if i.ID == id && i.Fenced == nil && i.Adopted != nil && i.Adopted.Fenced == from.Fenced {
			return &Adopted{i, why}, nil
		}
		again = i.ID == id
	}
}

// adoptable refuses what there is no reason to adopt.
func (h *Home) adoptable(i recovery.Identity, aws recovery.AWS) error {
	switch {
	case i.Version == 0:
		return recovery.Errorf(recovery.WrongState, "this record (%s) has no id yet, since nothing was driven from it: there is nothing to adopt", h.Records.Here())
	case i.Fenced == nil && i.Where == h.Records.Here() && !i.Moves(aws) && (i.Adopted == nil || i.Adopted.Fenced):
		return recovery.Errorf(recovery.WrongState, "this record (%s, id %s) is no copy: there is nothing to adopt", i.Where, i.ID)
	}
	return nil
}

// fence writes into the record that an adoption takes from that it does. It
// gives the id of who takes over, which is an earlier one where an earlier try
// got no further; and why that record could not be fenced.
func (h *Home) fence(ctx context.Context, from recovery.Adoption, id recovery.RecordID, r recovery.Request) (recovery.RecordID, string, error) {
	ctx, cancel := context.WithTimeout(ctx, fenceTimeout)
	defer cancel()
	here := h.Records.Here()
	if from.Where == here {
		return id, "it had the place of this one, and is not to be reached from here", nil
	}
	other, err := h.Records.There(ctx, from.Where)
	if err != nil {
		return id, err.Error(), nil
	}
	if other == nil {
		return id, "it is not there", nil
	}
	defer other.Close()
	for {
		o, err := other.Identity(ctx)
		switch {
		case err != nil:
			return id, err.Error(), nil
		case o.ID != from.From:
			return id, "another record is there now", nil
		case o.Fenced != nil && o.Fenced.Where == here:
			return o.Fenced.Record, "", nil
		case o.Fenced != nil:
			if err := h.takenByAnother(ctx, *o.Fenced, o); err != nil {
				return id, "", err
			}
		}
		err = other.SetIdentity(ctx, o.Fence(id, here, r))
		if err == nil {
			return id, "", nil
		}
		if !errors.Is(err, recovery.ErrStale) {
			return id, err.Error(), nil
		}
	}
}

// takenByAnother refuses to take executions over that a record which is still
// there has taken over.
func (h *Home) takenByAnother(ctx context.Context, f recovery.Fence, of recovery.Identity) error {
	third, err := h.Records.There(ctx, f.Where)
	if err != nil || third == nil {
		return nil
	}
	defer third.Close()
	t, err := third.Identity(ctx)
	if err != nil || t.ID != f.Record {
		return nil
	}
	return recovery.Errorf(recovery.WrongState, "the executions of the record %s (%s) were taken over already, by the record %s (%s) at %s, by %s: go on there, or delete that record first",
		of.ID, of.Where, f.Record, f.Where, f.At.UTC().Format(time.RFC3339), recovery.Quote(f.By))
}
