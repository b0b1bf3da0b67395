package dynamo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"muster/recovery"
)

var _ recovery.PlanStore = (*Store)(nil)

// shelf is where things of one kind are kept by their ids: a line for each in
// one partition, in the order of ids, and the record in pieces in a partition
// of its own, so that a list never reads one.
type shelf struct{ lines, prefix string }

var shelves = map[recovery.Kind]shelf{recovery.KindPlan: {"PLANS", "PLAN#"}, recovery.KindGroup: {"GROUPS", "GROUP#"}}

func (sh shelf) line(id string) item { return key(sh.lines, sh.prefix+id) }

var errMoved = errors.New("another version stands by now")

// Put implements recovery.PlanStore. Where somebody else made the next version
// at the same time, it is decided anew.
func (s *Store) Put(ctx context.Context, k recovery.Kind, id string, record []byte, line func(recovery.Stored) ([]byte, error), put recovery.Put) (int64, error) {
	version, err := shelves[k].put(ctx, s, id, record, line, put)
	if conflict := new(recovery.VersionConflict); err != nil && !errors.As(err, &conflict) {
		return 0, s.explain("keeping "+string(k)+" "+id, err)
	}
	return version, err
}

func (sh shelf) put(ctx context.Context, s *Store, id string, record []byte, line func(recovery.Stored) ([]byte, error), put recovery.Put) (int64, error) {
	pieces, err := pack(record)
	if err != nil {
		return 0, fmt.Errorf("it is too large: %w", err)
	}
	for n, began := 0, time.Now(); ; n++ {
		before, stands, err := sh.read(ctx, s, id)
		if err != nil && (stands == nil || !errors.Is(err, recovery.ErrDamaged)) { // what is damaged may be replaced
			return 0, err
		}
		made, err := put.Over(numberOf(stands, attrVersion), stands != nil && bytes.Equal(before, record))
		if err != nil || made.Version == numberOf(stands, attrVersion) {
			return made.Version, err
		}
		entry, err := line(made)
		if err != nil {
			return 0, err
		}
		err = sh.replace(ctx, s, id, stands, made.Version, pieces, entry)
		if !errors.Is(err, errMoved) {
			return made.Version, err
		}
		if pause := pauseAfter(n); time.Since(began)+pause > callTimeout || !sleep(ctx, pause) {
			return 0, errors.Join(err, ctx.Err())
		}
	}
}

// replace writes line and record over the version that stands, whole or not at
// all.
func (sh shelf) replace(ctx context.Context, s *Store, id string, stands item, version int64, pieces [][]byte, line []byte) error {
	token := newToken()
	i := sh.line(id)
	i[attrSchema], i[attrVersion], i[attrPieces], i[attrWrite], i[attrRecord] = number(schema), number(version), number(len(pieces)), text(token), text(string(line))
	condition, values := absent, item(nil)
	if stands != nil {
		condition, values = "#"+attrVersion+" = :was", item{":was": stands[attrVersion]}
	}
	parts := []part{s.put(i, condition, values, func(found item, _ bool) error {
		if textOf(found, attrWrite) == token {
			return nil // our own write, whose answer was lost
		}
		return errMoved
	})}
	for n, piece := range pieces {
		p := key(sh.prefix+id, pieceSK(n+1))
		p[attrRecord], p[attrVersion] = binary(piece), number(version)
		parts = append(parts, s.put(p, "", nil, nil))
	}
	for n := len(pieces); n < int(numberOf(stands, attrPieces)); n++ {
		parts = append(parts, part{TransactWriteItem: types.TransactWriteItem{Delete: &types.Delete{TableName: &s.table, Key: key(sh.prefix+id, pieceSK(n+1))}}})
	}
	return s.transact(ctx, token, parts)
}

// Get implements recovery.PlanStore. Line and record are of one version.
func (s *Store) Get(ctx context.Context, k recovery.Kind, id string) (record, line []byte, err error) {
	record, i, err := shelves[k].read(ctx, s, id)
	if err != nil {
		return nil, nil, s.explain("reading "+string(k)+" "+id, err)
	}
	return record, []byte(textOf(i, attrRecord)), nil
}

// read gives what is kept by an id, and the item of its line; nil where there is
// nothing.
func (sh shelf) read(ctx context.Context, s *Store, id string) (record []byte, line item, err error) {
	var packed []byte
	err = s.untilWhole(ctx, func() (bool, error) {
		packed = nil
		if line, err = s.item(ctx, sh.line(id)); err != nil || line == nil {
			return true, err
		}
		if err := known(line); err != nil {
			return false, err
		}
		fit := int64(0)
		err := s.query(ctx, prefixed(sh.prefix+id, skPiece), func(p item) error {
			if numberOf(p, attrVersion) == numberOf(line, attrVersion) {
				fit++
			}
			packed = append(packed, bytesOf(p, attrRecord)...)
			return nil
		})
		return fit == numberOf(line, attrPieces), err
	})
	if err != nil || line == nil {
		return nil, line, err
	}
	record, err = unpack(packed)
	return record, line, err
}

// List implements recovery.PlanStore.
func (s *Store) List(ctx context.Context, k recovery.Kind, after string, most int) (lines [][]byte, err error) {
	if most <= 0 {
		return nil, nil
	}
	sh := shelves[k]
	q := keyCondition("#"+attrPK+" = :pk AND #"+attrSK+" > :after", item{":pk": text(sh.lines), ":after": text(sh.prefix + after)})
	q.Limit = aws.Int32(int32(min(most, mostPage)))
	err = s.query(ctx, q, func(i item) error {
		if err := known(i); err != nil {
			return err
		}
		lines = append(lines, []byte(textOf(i, attrRecord)))
		return enough(len(lines) == most)
	})
	if err != nil {
		return nil, s.explain("listing what is kept in "+sh.lines, err)
	}
	return lines, nil
}
