package dynamo

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"slices"

	"muster/recovery"
)

// A plan is kept compressed, since 3,000 servers are 650 KB of JSON and
// a twentieth of that when compressed, in as many pieces as DynamoDB's limit of
// 400 KB an item asks for. A frozen one is written by the very transaction that
// opens the execution, so it is never half there.
const (
	pieceSize = 350_000   // bytes; what is around it needs little
	mostPlan  = 3_000_000 // bytes compressed; a transaction holds 4 MB
)

// frozen writes the plan. Never over one that stands: what was frozen stays as
// it was.
func (w *writing) frozen() ([]part, error) {
	if w.c.Frozen == nil {
		return nil, nil
	}
	record, err := w.c.Frozen.Freeze()
	if err != nil {
		return nil, err
	}
	pieces, err := pack(record)
	if err != nil {
		return nil, fmt.Errorf("the plan is too large: %w", err)
	}
	var parts []part
	for n, piece := range pieces {
		i := key(frozenPK(w.c.Execution.ID), pieceSK(n+1))
		i[attrRecord], i[attrPieces] = binary(piece), number(len(pieces))
		parts = append(parts, w.s.put(i, absent, nil, func(item, bool) error {
			return fmt.Errorf("%w: a plan is frozen already, though the header does not say so", recovery.ErrDamaged)
		}))
	}
	return parts, nil
}

// Plan implements recovery.ExecutionStore.
func (s *Store) Plan(ctx context.Context, id recovery.ExecutionID) (*recovery.Plan, error) {
	p, err := s.plan(ctx, id)
	if err != nil {
		return nil, s.explain("reading the plan of execution "+string(id), err)
	}
	return p, nil
}

// plan reads the pieces until they are all there, or the header says that there
// are none: a query may see a part of a transaction.
func (s *Store) plan(ctx context.Context, id recovery.ExecutionID) (*recovery.Plan, error) {
	var record []byte
	err := s.untilWhole(ctx, func() (bool, error) {
		found, pieces := int64(0), int64(0)
		record = nil
		err := s.query(ctx, prefixed(frozenPK(id), skPiece), func(i item) error {
			found++
			pieces = numberOf(i, attrPieces)
			record = append(record, bytesOf(i, attrRecord)...)
			return nil
		})
		if err != nil || found > 0 {
			return found == pieces, err
		}
		header, err := s.item(ctx, key(executionPK(id), skHeader))
		if err == nil && header != nil {
			err = known(header)
		}
		return numberOf(header, attrPieces) == 0, err
	})
	if err != nil || record == nil {
		return nil, err
	}
	if record, err = unpack(record); err != nil {
		return nil, err
	}
	return recovery.ThawPlan(record)
}

// pack compresses a record, and cuts it into what fits into an item each. The
// error says how far it is from fitting into a transaction.
func pack(record []byte) ([][]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(record); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if b.Len() > mostPlan {
		return nil, fmt.Errorf("%d bytes when compressed, of which at most %d can be kept; divide it into several", b.Len(), mostPlan)
	}
	return slices.Collect(slices.Chunk(b.Bytes(), pieceSize)), nil
}

func unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("%w: a frozen plan: %w", recovery.ErrDamaged, err)
	}
	record, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%w: a frozen plan: %w", recovery.ErrDamaged, err)
	}
	return record, nil
}
