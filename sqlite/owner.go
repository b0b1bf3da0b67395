package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ownersAlone keeps others away from the file and from those that SQLite puts
// beside it: they hold secrets, and what they say is believed. A file of ours
// that others may use is taken from them. One that is somebody else's is
// refused, whoever we are, and so is a folder in which everybody may put another
// in its place. A group that may write into the folder was let in by its owner.
// What is no regular file is refused before anybody opens it.
func ownersAlone(path string) error {
	for _, folder := range folders(path) {
		info, err := os.Stat(folder)
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
			return fmt.Errorf("everybody may write into its folder %s (mode %04o), and put another file in its place: chmod o-w %s", folder, info.Mode().Perm(), word(folder))
		}
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() { // to open a pipe would wait for ever
			return fmt.Errorf("%s is no file, but %s: take it away, or choose another file", name, kindOf(info.Mode()))
		}
		if owner, known := info.Sys().(*syscall.Stat_t); known && int(owner.Uid) != os.Geteuid() {
			return fmt.Errorf("%s belongs to user %d (mode %04o), who can change what it says, and not to you, user %d: to make it yours, chown %d %s && chmod 600 %[6]s",
				name, owner.Uid, info.Mode().Perm(), os.Geteuid(), os.Geteuid(), word(name))
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			if err := os.Chmod(name, mode&^0o177); err != nil {
				return err
			}
		}
	}
	return nil
}

func kindOf(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}

// folders are where a file is: beside its name, and beside what that leads to.
func folders(path string) []string {
	all := []string{filepath.Dir(path)}
	if at, err := filepath.EvalSymlinks(path); err == nil && filepath.Dir(at) != all[0] {
		all = append(all, filepath.Dir(at))
	}
	return all
}

// word quotes a path for a shell.
func word(path string) string { return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'" }
