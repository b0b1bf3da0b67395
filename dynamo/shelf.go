package dynamo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"muster/recovery"
)

// shelf is where things of one kind are kept by their ids: a line for each in
// one partition, in the order of ids, and the record in pieces in a partition
// of its own, so that a list never reads one.
type shelf struct{ lines, prefix, what string }

var (
	plans  = shelf{"PLANS", "PLAN#", "plan "}
	groups = shelf{"GROUPS", "GROUP#", "protection group "}
)

func (sh shelf) line(id string) item { return key(sh.lines, sh.prefix+id) }

var errMoved = errors.New("another version stands by now")

// put makes the next version of a thing. Where somebody else made it at the
// same time, it is decided anew.
func (sh shelf) put(ctx context.Context, s *Store, id string, v interface{ Freeze() ([]byte, error) }, put recovery.Put, entry func(recovery.Stored) any) (int64, error) {
	version, err := sh.write(ctx, s, id, v, put, entry)
	if conflict := new(recovery.VersionConflict); err != nil && !errors.As(err, &conflict) {
		return 0, s.explain("keeping "+sh.what+id, err)
	}
	return version, err
}

func (sh shelf) write(ctx context.Context, s *Store, id string, v interface{ Freeze() ([]byte, error) }, put recovery.Put, entry func(recovery.Stored) any) (version int64, err error) {
	record, err := v.Freeze()
	if err != nil {
		return 0, err
	}
	pieces, err := pack(record)
	if err != nil {
		return 0, fmt.Errorf("it is too large: %w", err)
	}
	for n, began := 0, time.Now(); ; n++ {
		stands, err := s.item(ctx, sh.line(id))
		if err == nil && stands != nil {
			err = known(stands)
		}
		if err != nil {
			return 0, err
		}
		made, err := put.Over(numberOf(stands, attrVersion))
		if err != nil {
			return 0, err
		}
		err = sh.replace(ctx, s, id, stands, made.Version, pieces, entry(made))
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
func (sh shelf) replace(ctx context.Context, s *Store, id string, stands item, version int64, pieces [][]byte, entry any) error {
	line, err := marshal(entry)
	if err != nil {
		return err
	}
	token := newToken()
	i := sh.line(id)
	i[attrSchema], i[attrVersion], i[attrPieces], i[attrWrite], i[attrRecord] = number(schema), number(version), number(len(pieces)), text(token), text(line)
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

// get reads what is kept by an id; false: nothing is. Line and record are of
// one version.
func (sh shelf) get(ctx context.Context, s *Store, id string, into any, thaw func(record []byte) error) (known bool, err error) {
	record, line, err := sh.read(ctx, s, id)
	if err == nil && line == "" {
		return false, nil
	}
	if err == nil {
		err = errors.Join(json.Unmarshal([]byte(line), into), thaw(record))
	}
	if err != nil {
		return false, s.explain("reading "+sh.what+id, err)
	}
	return true, nil
}

func (sh shelf) read(ctx context.Context, s *Store, id string) (record []byte, line string, err error) {
	var packed []byte
	err = s.untilWhole(ctx, func() (bool, error) {
		i, err := s.item(ctx, sh.line(id))
		if err != nil || i == nil {
			return true, err
		}
		if err := known(i); err != nil {
			return false, err
		}
		line, packed = textOf(i, attrRecord), nil
		fit := int64(0)
		err = s.query(ctx, prefixed(sh.prefix+id, skPiece), func(p item) error {
			if numberOf(p, attrVersion) == numberOf(i, attrVersion) {
				fit++
			}
			packed = append(packed, bytesOf(p, attrRecord)...)
			return nil
		})
		return fit == numberOf(i, attrPieces), err
	})
	if err != nil || line == "" {
		return nil, "", err
	}
	record, err = unpack(packed)
	return record, line, err
}

func list[T any](ctx context.Context, s *Store, sh shelf, after string, most int) ([]T, error) {
	if most <= 0 {
		return nil, nil
	}
	var all []T
	q := keyCondition("#"+attrPK+" = :pk AND #"+attrSK+" > :after", item{":pk": text(sh.lines), ":after": text(sh.prefix + after)})
	q.Limit = aws.Int32(int32(min(most, mostPage)))
	err := s.query(ctx, q, func(i item) error {
		if err := known(i); err != nil {
			return err
		}
		var entry T
		if err := json.Unmarshal([]byte(textOf(i, attrRecord)), &entry); err != nil {
			return err
		}
		all = append(all, entry)
		return enough(len(all) == most)
	})
	if err != nil {
		return nil, s.explain("listing what is kept in "+sh.lines, err)
	}
	return all, nil
}
