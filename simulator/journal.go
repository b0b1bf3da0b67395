package simulator

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"
)

// journal is the log of accepted mutations as JSON lines: a header, then one
// entry a line. Whoever answers a request holds the file's lock while it reads
// what others appended, answers, and appends.
type journal struct {
	file   *os.File
	offset int64 // up to which this world has applied the file
}

// ErrOtherWorld says that a journal was begun with another fleet or seed than
// the world that was to go on with it.
var ErrOtherWorld = errors.New("the journal belongs to another world")

// journalHeader says which world the journal is of.
type journalHeader struct {
	Journal int       `json:"musterSimulatorJournal"` // version of the format
	Fleet   string    `json:"fleet"`
	Digest  string    `json:"digest"` // of the fleet's content
	Seed    int64     `json:"seed"`
	Started time.Time `json:"started"`
	ID      string    `json:"id,omitempty"` // random; one of before is known by its start
}

// id tells this world from every other one, whatever both are made of.
func (h *journalHeader) id() string {
	if h.ID != "" {
		return h.ID
	}
	return idOfStart(h.Started)
}

func idOfStart(started time.Time) string {
	sum := sha256.Sum256([]byte(started.UTC().Format(time.RFC3339Nano)))
	return hex.EncodeToString(sum[:6])
}

// newWorldID is random, where everything else is made from the seed: two worlds
// of one seed are two.
func newWorldID() string { return strings.ToLower(rand.Text()[:12]) }

// entry is one line: a request that changed something, as it was, and what the faults did to it.
type entry struct {
	At        time.Time       `json:"at"`
	Speed     float64         `json:"speed,omitempty"`
	Service   string          `json:"service"`
	Operation string          `json:"operation"`
	Account   string          `json:"account"`
	Region    string          `json:"region"`
	Caller    principal       `json:"caller"`
	Input     json.RawMessage `json:"input,omitempty"`
	// Took says whether the call itself took effect. One that did not is here
	// only for what it did to faults and sessions.
	Took    bool          `json:"took"`
	Fired   []firing      `json:"fired,omitempty"`
	Counted []countedCall `json:"counted,omitempty"`
}

// JournalIdentity tells which world a journal is of, and leaves it alone; the
// error is fs.ErrNotExist where there is none.
func JournalIdentity(path string) (Identity, error) {
	if err := regular(path); err != nil {
		return Identity{}, err
	}
	file, err := os.Open(path)
	if err != nil {
		return Identity{}, err
	}
	defer file.Close()
	line, err := bufio.NewReader(io.LimitReader(file, mostHeader)).ReadBytes('\n')
	var h journalHeader
	if err != nil || json.Unmarshal(line, &h) != nil || h.Journal != 1 {
		return Identity{}, fmt.Errorf("simulator: %s is not a journal of this simulator", path)
	}
	return Identity{ID: h.id(), Fleet: h.Fleet, Digest: h.Digest, Seed: h.Seed}, nil
}

// JournalAssumed says whether a role of an account was assumed in the world of a
// journal, from a time until another. It leaves the journal alone.
func JournalAssumed(path, account string, from, until time.Time) (bool, error) {
	if err := regular(path); err != nil {
		return false, err
	}
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	for lines := bufio.NewReader(file); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		var e entry // the header is none, and says nothing
		if json.Unmarshal(line, &e) == nil && e.Operation == "AssumeRole" && e.Took && e.Account == account && !e.At.Before(from) && !e.At.After(until) {
			return true, nil
		}
	}
}

// mostHeader bounds how long a journal's first line is.
const mostHeader = 64 << 10

func (w *World) openJournal(path string) (err error) {
	if err := regular(path); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("simulator: journal: %w", err)
	}
	j := &journal{file: file}
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	if err := ownersAlone(file); err != nil {
		return fmt.Errorf("simulator: journal: %w", err)
	}
	if err := j.lock(); err != nil {
		return err
	}
	defer j.unlock()
	mine := journalHeader{Journal: 1, Fleet: w.fleet.Name, Digest: w.fleet.digest, Seed: w.seed, Started: w.started, ID: w.id}
	lines, err := j.read()
	if err != nil {
		return err
	}
	if len(lines) == 0 {
		line, err := json.Marshal(mine)
		if err != nil {
			return err
		}
		if err := j.append(line); err != nil {
			return err
		}
		w.log = j
		return nil
	}
	var h journalHeader
	if err := json.Unmarshal(lines[0], &h); err != nil || h.Journal != 1 {
		return fmt.Errorf("simulator: %s is not a journal of this simulator", path)
	}
	if h.Digest != mine.Digest || h.Seed != mine.Seed {
		return fmt.Errorf("%w: %s belongs to the fleet %q (content %s) with seed %d, not to %q (content %s) with seed %d",
			ErrOtherWorld, path, h.Fleet, h.Digest, h.Seed, mine.Fleet, mine.Digest, mine.Seed)
	}
	w.started, w.id = h.Started, h.id()
	j.offset = int64(len(lines[0])) + 1
	w.log = j
	return nil
}

func (j *journal) lock() error {
	for {
		err := syscall.Flock(int(j.file.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			if err != nil {
				return fmt.Errorf("simulator: journal: lock: %w", err)
			}
			return nil
		}
	}
}

func (j *journal) unlock() { _ = syscall.Flock(int(j.file.Fd()), syscall.LOCK_UN) }

func (j *journal) close() error { return j.file.Close() }

// read gives the lines from offset on, and cuts off a last one that somebody
// died over: it has no end, or is not JSON.
func (j *journal) read() ([][]byte, error) {
	size, err := j.file.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("simulator: journal: %w", err)
	}
	if size <= j.offset {
		return nil, nil
	}
	data := make([]byte, size-j.offset)
	if _, err := j.file.ReadAt(data, j.offset); err != nil {
		return nil, fmt.Errorf("simulator: journal: %w", err)
	}
	var lines [][]byte
	good := j.offset
	for len(data) > 0 {
		i := bytes.IndexByte(data, '\n')
		last := i < 0 || i == len(data)-1
		if i < 0 || last && !json.Valid(data[:i]) {
			if err := j.file.Truncate(good); err != nil {
				return nil, fmt.Errorf("simulator: journal: %w", err)
			}
			break
		}
		lines = append(lines, data[:i])
		good += int64(i) + 1
		data = data[i+1:]
	}
	return lines, nil
}

// append writes one line, in one write.
func (j *journal) append(line []byte) error {
	line = append(line, '\n')
	n, err := j.file.WriteAt(line, j.offset)
	if err != nil {
		return fmt.Errorf("simulator: journal: %w", err)
	}
	j.offset += int64(n)
	return nil
}

// catchUp applies what is in the journal and not yet in this world. The caller holds w.mu.
func (w *World) catchUp() error {
	if err := w.log.lock(); err != nil {
		return err
	}
	defer w.log.unlock()
	return w.apply()
}

// apply is catchUp for whoever holds the file's lock already.
func (w *World) apply() error {
	lines, err := w.log.read()
	if err != nil {
		return err
	}
	for _, line := range lines {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("simulator: the journal at byte %d is not readable: %w", w.log.offset, err)
		}
		if err := w.replay(&e); err != nil {
			return fmt.Errorf("simulator: the journal at byte %d: %s: %w", w.log.offset, e.Operation, err)
		}
		w.log.offset += int64(len(line)) + 1
	}
	return nil
}
