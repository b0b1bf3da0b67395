// Package sqlite keeps executions in one local file that several processes may
// use at the same time, and that anybody can look into with the sqlite3 shell.
package sqlite

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"

	"muster/recovery"

	_ "modernc.org/sqlite" // the database driver "sqlite"
)

// Store is a recovery.ExecutionStore in a file.
type Store struct {
	path string
	db   *sql.DB
}

var _ recovery.ExecutionStore = (*Store)(nil)

// Open opens the file, which is made, readable by its owner only, where there
// is none, and brought to the newest schema where it has an older one. The
// caller closes the store.
func Open(ctx context.Context, path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path}
	if err := create(path); err != nil {
		return nil, s.explain("opening", err)
	}
	if s.db, err = sql.Open("sqlite", dsn(path)); err != nil {
		return nil, s.explain("opening", err)
	}
	// One connection: SQLite has one writer at a time, and a commit takes less
	// than a millisecond.
	s.db.SetMaxOpenConns(1)
	if err := migrate(ctx, s.db, migrations); err != nil {
		s.db.Close()
		return nil, s.explain("opening", err)
	}
	return s, nil
}

// create makes the file and its folder for its owner alone; SQLite gives the
// same rights to the files that it puts beside it.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// dsn asks for the settings that make a commit durable and writers wait for
// one another.
func dsn(path string) string {
	query := url.Values{
		"_pragma": {"busy_timeout(15000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
		"_txlock": {"immediate"},
	}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: query.Encode()}).String()
}

// Close closes the file. The store cannot be used afterwards.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil {
		return s.explain("closing", err)
	}
	return nil
}
