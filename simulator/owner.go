package simulator

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ownersAlone keeps others away from a journal, which says what the world is. A
// file of ours that others may use is taken from them; one that is somebody
// else's is refused, and so is a folder in which everybody may put another in
// its place.
func ownersAlone(file *os.File) error {
	folder := filepath.Dir(file.Name())
	if info, err := os.Stat(folder); err != nil {
		return err
	} else if info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
		return fmt.Errorf("everybody may write into the folder of %s (mode %04o), and put another file in its place: take that away (chmod o-w), or use another folder", file.Name(), info.Mode().Perm())
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if owner, known := info.Sys().(*syscall.Stat_t); known && int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to user %d (mode %04o), who can change what it says, and not to you, user %d: make it yours (chown %[4]d, chmod 600), or use another folder",
			file.Name(), owner.Uid, info.Mode().Perm(), os.Geteuid())
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return file.Chmod(mode &^ 0o177)
	}
	return nil
}

// regular refuses what is no regular file, and is to be asked before a journal
// is opened: to open a pipe would wait for ever. What is not there is fine.
func regular(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("simulator: the journal %s is no file (mode %s): take it away, or use another folder", path, info.Mode())
	}
	return nil
}
