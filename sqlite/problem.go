package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"muster/recovery"

	driver "modernc.org/sqlite"
)

// SQLite's primary result codes that people can do something about.
const (
	codePerm     = 3
	codeBusy     = 5
	codeLocked   = 6
	codeReadOnly = 8
	codeIOErr    = 10
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeNotADB   = 26
)

var advice = map[int]string{
	codePerm:     "this user may not use the file: check its owner and mode",
	codeBusy:     "another process holds the file locked: end it (a sqlite3 shell with an open transaction, perhaps), then try again",
	codeLocked:   "another process holds the file locked: end it (a sqlite3 shell with an open transaction, perhaps), then try again",
	codeReadOnly: "the file, those beside it (-wal, -shm), its folder or its disk is read-only: make them all writable for this user, or choose another file",
	codeIOErr:    "the disk fails to read or write: check it and the space that is left, then try again",
	codeCorrupt:  "the file is damaged: keep it, and put a backup in its place or choose another file",
	codeFull:     "the disk is full: make space, then try again",
	codeCantOpen: "the file cannot be opened: check that it is a file, and its owner and mode and those of its folder",
	codeNotADB:   "the file is not a SQLite database: choose another file",
}

var errForeign = errors.New("it is another program's SQLite database: choose another file")

// codeShmSize is an extended code: the file of the index of the write-ahead
// log, which every reader needs, cannot grow. That is what a full disk answers
// whoever only wants to open the store.
const codeShmSize = codeIOErr | 19<<8

// cause gives the primary code of what is really the matter.
func (s *Store) cause(code int) int {
	if code == codeShmSize {
		return codeFull
	}
	if code&0xff == codeCantOpen { // the files beside it cannot be made: perhaps because nothing can
		f, err := os.OpenFile(s.path, os.O_WRONLY, 0)
		if err == nil {
			f.Close()
		}
		if errors.Is(err, syscall.EROFS) {
			return codeReadOnly
		}
	}
	return code & 0xff
}

// explain says which file it is about, what was being done, and what a person
// can do. Whatever happened, nothing was half-written.
func (s *Store) explain(doing string, err error) error {
	what := ""
	var sqliteErr *driver.Error
	switch {
	case errors.As(err, &sqliteErr):
		what = advice[s.cause(sqliteErr.Code())]
	case errors.Is(err, recovery.ErrDamaged):
		what = "somebody else cut or edited it: keep the file, and compare it with a backup"
	case errors.Is(err, fs.ErrPermission):
		what = advice[codePerm]
	case errors.Is(err, syscall.EROFS):
		what = advice[codeReadOnly]
	case errors.Is(err, syscall.ENOSPC):
		what = advice[codeFull]
	}
	if what != "" {
		return fmt.Errorf("execution store %s: %s: %s: %w", s.path, doing, what, err)
	}
	return fmt.Errorf("execution store %s: %s: %w", s.path, doing, err)
}
