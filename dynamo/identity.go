package dynamo

import (
	"context"
	"errors"

	"muster/recovery"
)

var _ recovery.IdentityStore = (*Store)(nil)

// Identity implements recovery.IdentityStore.
func (s *Store) Identity(ctx context.Context) (recovery.Identity, error) {
	found, err := s.item(ctx, key(pkWorld, skRecord))
	if err == nil && found == nil {
		return recovery.Identity{}, nil
	}
	if err == nil {
		err = known(found)
	}
	var i recovery.Identity
	if err == nil {
		i, err = recovery.ReadIdentity([]byte(textOf(found, attrRecord)), numberOf(found, attrVersion))
	}
	if err != nil {
		return recovery.Identity{}, s.explain("reading which record it is", err)
	}
	return i, nil
}

// SetIdentity implements recovery.IdentityStore.
func (s *Store) SetIdentity(ctx context.Context, i recovery.Identity) error {
	record, err := i.Kept()
	if err != nil {
		return err
	}
	token := newToken()
	next := key(pkWorld, skRecord)
	next[attrSchema], next[attrVersion], next[attrWrite], next[attrRecord] = number(schema), number(i.Version+1), text(token), text(string(record))
	condition, values := absent, item(nil)
	if i.Version > 0 {
		condition, values = "#"+attrVersion+" = :was", item{":was": number(i.Version)}
	}
	err = s.transact(ctx, token, []part{s.put(next, condition, values, func(found item, _ bool) error {
		if textOf(found, attrWrite) == token {
			return nil // our own write, whose answer was lost
		}
		return recovery.ErrStale
	})})
	if err != nil && !errors.Is(err, recovery.ErrStale) {
		return s.explain("writing which record it is", err)
	}
	return err
}

// Here implements recovery.IdentityStore.
func (s *Store) Here() recovery.RecordPlace {
	return recovery.RecordPlace{Table: s.table, Region: s.region}
}

// There implements recovery.IdentityStore. It calls nobody.
func (s *Store) There(_ context.Context, at recovery.RecordPlace) (recovery.OtherRecord, error) {
	config := s.config
	config.Region = at.Region
	return other{New(config, at.Table)}, nil
}

// other is the identity of another table.
type other struct{ *Store }

// Close implements recovery.OtherRecord.
func (other) Close() error { return nil }
