package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"muster/recovery"

	driver "modernc.org/sqlite"
)

var _ recovery.IdentityStore = (*Store)(nil)

// Identity implements recovery.IdentityStore.
func (s *Store) Identity(ctx context.Context) (recovery.Identity, error) {
	var version int64
	var record []byte
	err := s.db.QueryRowContext(ctx, `SELECT version, record FROM identity`).Scan(&version, &record)
	if errors.Is(err, sql.ErrNoRows) {
		return recovery.Identity{}, nil
	}
	var i recovery.Identity
	if err == nil {
		i, err = recovery.ReadIdentity(record, version)
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
	result, err := s.db.ExecContext(ctx, `INSERT INTO identity (one, version, record) SELECT 1, ?1 + 1, ?2 WHERE ?1 = 0 OR EXISTS (SELECT 1 FROM identity)
		ON CONFLICT (one) DO UPDATE SET version = excluded.version, record = excluded.record WHERE identity.version = ?1`, i.Version, string(record))
	if err != nil {
		return s.explain("writing which record it is", err)
	}
	if changed, err := result.RowsAffected(); err != nil {
		return s.explain("writing which record it is", err)
	} else if changed == 0 {
		return recovery.ErrStale
	}
	return nil
}

// Here implements recovery.IdentityStore. By a link that is gone one day a copy
// would be taken for the file that was moved.
func (s *Store) Here() recovery.RecordPlace { return recovery.RecordPlace{File: s.real} }

// There implements recovery.IdentityStore. This very file under another name
// is no other record, and neither is a file that has none: it is left as it is.
func (s *Store) There(ctx context.Context, at recovery.RecordPlace) (recovery.OtherRecord, error) {
	other, err := s.another(ctx, at.File)
	if err != nil {
		return nil, s.explain("looking whether it is a copy of "+at.File, err)
	}
	if other == nil {
		return nil, nil
	}
	return other, nil
}

func (s *Store) another(ctx context.Context, path string) (*Store, error) {
	there, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !there.Mode().IsRegular() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	here, err := os.Stat(s.path)
	if err != nil || os.SameFile(there, here) {
		return nil, err
	}
	query := url.Values{"mode": {"rw"}, "_pragma": {fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()), "synchronous(FULL)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	var ours bool
	err = db.QueryRowContext(ctx, `SELECT application_id = ? AND EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'identity') FROM pragma_application_id`, applicationID).Scan(&ours)
	if err == nil && ours {
		return &Store{path: path, db: db}, nil
	}
	db.Close()
	var failed *driver.Error
	if errors.As(err, &failed) && failed.Code()&0xff == codeNotADB {
		return nil, nil
	}
	return nil, err
}

// world is a column that says which world an execution belongs to.
type world struct{ *recovery.World }

// Scan implements sql.Scanner.
func (w *world) Scan(value any) (err error) {
	var text sql.NullString
	if err := text.Scan(value); err != nil {
		return err
	}
	*w.World, err = recovery.ReadWorld(text.String)
	return err
}
