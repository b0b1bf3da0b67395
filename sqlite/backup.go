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
)

// Backup is a copy of a store's file.
type Backup struct {
	Path       string // absolute
	Bytes      int64
	Executions int
}

// Backup copies the file, as of one moment, to a new one that only its owner
// may read: it holds the same secrets. It may be called while other processes
// write, and none of them waits for it. A path where something stands already
// is fs.ErrExist, and is left alone; until the copy is whole, checked and on
// the disk, nothing stands there.
func (s *Store) Backup(ctx context.Context, path string) (*Backup, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	b, err := s.backUp(ctx, path)
	if err != nil {
		return nil, s.explain("backing it up to "+path, err)
	}
	return b, nil
}

func (s *Store) backUp(ctx context.Context, path string) (*Backup, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, fs.ErrExist
	}
	// For its owner alone from the first byte on: SQLite fills an empty file.
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".unfinished-*")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	defer os.Remove(f.Name())
	if _, err := s.db.ExecContext(ctx, `VACUUM INTO ?`, f.Name()); err != nil {
		return nil, err
	}
	b := &Backup{Path: path}
	if b.Executions, err = checkCopy(ctx, f.Name()); err != nil {
		return nil, err
	}
	if err := f.Sync(); err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b.Bytes = info.Size()
	if err := place(f.Name(), path); err != nil {
		return nil, err
	}
	return b, nil
}

// checkCopy reads the whole of a copy, and counts the executions in it.
func checkCopy(ctx context.Context, path string) (executions int, err error) {
	query := url.Values{"mode": {"ro"}, "immutable": {"1"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: query.Encode()}).String())
	if err != nil {
		return 0, err
	}
	defer db.Close()
	var found string
	if err := db.QueryRowContext(ctx, `SELECT (SELECT group_concat(integrity_check, '; ') FROM pragma_integrity_check), count(*) FROM executions`).Scan(&found, &executions); err != nil {
		return 0, err
	}
	if found != "ok" {
		return 0, fmt.Errorf("the copy is not whole: %s", found)
	}
	return executions, nil
}

// place gives a file that is whole its name, unless it is taken.
func place(from, to string) error {
	err := os.Link(from, to)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		// A disk that knows no second name for a file.
		if _, missing := os.Lstat(to); !errors.Is(missing, fs.ErrNotExist) {
			return errors.Join(err, missing)
		}
		err = os.Rename(from, to)
	}
	if err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
