// Package sqlite keeps executions, plans and groups in one local file that
// several processes may use at the same time, and that anybody can look into
// with the sqlite3 shell.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"muster/recovery"

	driver "modernc.org/sqlite" // the database driver "sqlite"
)

// Store is a recovery.ExecutionStore and a recovery.PlanStore in a file.
type Store struct {
	path string // as it was said
	real string // where that leads, past every link
	db   *sql.DB
}

var (
	_ recovery.ExecutionStore = (*Store)(nil)
	_ recovery.PlanStore      = (*Store)(nil)
)

// Open opens the file, which is made, readable by its owner only, where there
// is none, taken from others where it is ours, and brought to the newest schema where it has an older one. The
// caller closes the store. What is no regular file is refused.
func Open(ctx context.Context, path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path}
	if err := create(path); err != nil {
		return nil, s.explain("opening", err)
	}
	if s.real, err = filepath.EvalSymlinks(path); err != nil {
		return nil, s.explain("opening", err)
	}
	if s.db, err = sql.Open("sqlite", dsn(path)); err != nil {
		return nil, s.explain("opening", err)
	}
	// One connection: SQLite has one writer at a time, and a commit takes less
	// than a millisecond.
	s.db.SetMaxOpenConns(1)
	if err := s.prepare(ctx); err != nil {
		s.db.Close()
		return nil, s.explain("opening", err)
	}
	return s, nil
}

// prepare brings the file to the newest schema. Of several processes that make
// one file at the same moment, SQLite tells some at once that it is locked,
// instead of letting them wait as it does ever after.
func (s *Store) prepare(ctx context.Context) error {
	for began := time.Now(); ; {
		err := migrate(ctx, s.db, migrations)
		var busy *driver.Error
		if !errors.As(err, &busy) || busy.Code()&0xff != codeBusy || time.Since(began) >= busyTimeout {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// create makes the file and its folder for its owner alone; SQLite gives the
// same rights to the files that it puts beside it.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := ownersAlone(path); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// busyTimeout is how long a writer waits for the others.
const busyTimeout = 15 * time.Second

// dsn asks for the settings that make a commit durable and writers wait for
// one another.
func dsn(path string) string {
	query := url.Values{
		"_pragma": {fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()), "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
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
