package recovery

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
)

// IdentityStore keeps what says which record of executions this is: in the
// record itself, so that whoever copies the record copies that, too.
type IdentityStore interface {
	// Identity reads the record's identity, all that was written before the
	// call; of version 0 where nobody has made one yet. It may be called freely.
	Identity(ctx context.Context) (Identity, error)
	// SetIdentity writes the identity in place of the version that it has, whole
	// or not at all. ErrStale means that another one stands: nothing was written.
	// Any other error leaves open whether it was.
	SetIdentity(ctx context.Context, i Identity) error
	// Here is where the record is.
	Here() RecordPlace
	// There opens the record at another place of the same kind; nil where
	// certainly none is. Close it.
	There(ctx context.Context, at RecordPlace) (OtherRecord, error)
}

// OtherRecord is the identity of a record at another place.
type OtherRecord interface {
	Identity(ctx context.Context) (Identity, error)
	SetIdentity(ctx context.Context, i Identity) error
	Close() error
}

// RecordPlace is where a record is kept: in a table of a region, or in a file.
type RecordPlace struct {
	Table  string `json:"table,omitempty"`
	Region string `json:"region,omitempty"`
	File   string `json:"file,omitempty"` // absolute
}

func (p RecordPlace) String() string {
	if p.Table != "" {
		return "table " + p.Table + " in " + p.Region
	}
	return "file " + p.File
}

// command is a command of muster about the record, for a shell in any folder.
// inAWS: the record's hub is in AWS.
func (p RecordPlace) command(verb string, inAWS bool) string {
	switch {
	case p.Table == "":
		return "muster " + verb + " --store " + ShellWord("sqlite:"+p.File)
	case inAWS:
		verb += " --aws"
	}
	return "AWS_REGION=" + ShellWord(p.Region) + " muster " + verb + " --store " + ShellWord("dynamodb:"+p.Table)
}

var plainWord = regexp.MustCompile(`^[a-zA-Z0-9/._:@%+-]*$`)

// ShellWord quotes text for a command that somebody may paste, where that is
// needed.
func ShellWord(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Identity says which record of executions this is, where it was when that was
// written, and what became of it.
type Identity struct {
	ID      RecordID    `json:"id"`
	AWS     AWS         `json:"aws,omitempty"` // the hub's, of the first that acted in AWS itself; "": nobody has
	Where   RecordPlace `json:"where"`
	Made    time.Time   `json:"made"`
	Former  []World     `json:"former,omitempty"`  // what it was before it was adopted, the oldest first
	Adopted *Adoption   `json:"adopted,omitempty"` // the newest
	Fenced  *Fence      `json:"fenced,omitempty"`  // another record took this one's executions over
	Version int64       `json:"-"`                 // one higher with each change; 0: nobody has made it yet
}

// Adoption says from which record this one took its executions over, and who
// wanted that.
type Adoption struct {
	From   RecordID    `json:"from"`
	Where  RecordPlace `json:"where"`  // of that record
	Fenced bool        `json:"fenced"` // that record says so, too; false: it could not be reached
	Request
}

// Fence says which record took a record's executions over, and who wanted that.
type Fence struct {
	Record RecordID    `json:"record"`
	Where  RecordPlace `json:"where"` // of that record
	Request
}

// Kept gives the identity as a store keeps it.
func (i Identity) Kept() ([]byte, error) {
	i.Made = wall(i.Made)
	return json.Marshal(i)
}

// ReadIdentity reads what Kept gave, of a version.
func ReadIdentity(record []byte, version int64) (Identity, error) {
	i := Identity{Version: version}
	if err := json.Unmarshal(record, &i); err != nil {
		return Identity{}, damaged("the record's own id: %w", err)
	}
	if i.ID == "" || version < 1 {
		return Identity{}, damaged("the record's own id is gone")
	}
	return i, nil
}

// Has says whether the record is the one of an id, or took that one's
// executions over.
func (i *Identity) Has(id RecordID) bool {
	return i.ID == id || slices.ContainsFunc(i.Former, func(w World) bool { return w.Record == id })
}

// Owns says whether an execution of that world is this record's own, in the AWS
// that is acted in here. A hub that was moved to another account takes its
// executions along; what was simulated stays where it was.
func (i *Identity) Owns(w World, here AWS) bool {
	if i.ID == w.Record {
		return w.AWS.Same(here)
	}
	return slices.ContainsFunc(i.Former, func(f World) bool {
		moved := w.AWS.Real() && w.AWS.Same(f.AWS) && i.AWS.Same(here)
		return f.Record == w.Record && (w.AWS.Same(here) || moved)
	})
}

// Foreign is the refusal to act on an execution of another world, which names
// both.
func (i *Identity) Foreign(id ExecutionID, w World, here AWS) *Error {
	if !i.Has(w.Record) {
		return Errorf(WrongWorld, "execution %s belongs to the record %s, and this is the record %s (%s): nothing was done. Go on with it in the record that muster hub show calls %[2]s, or begin another one here", id, w.Record, i.ID, i.Where)
	}
	return Errorf(WrongWorld, "execution %s belongs to %s, and this would act in %s: nothing was done. Go on with it where it was begun (%s), or begin another one here", id, w.AWS, here, w.AWS.way())
}

// Closed is the refusal to drive anything from a record that another one took
// over; nil where none did.
func (i *Identity) Closed() error {
	if i.Fenced == nil {
		return nil
	}
	f := i.Fenced
	return Errorf(WrongWorld, "the executions of this record (%s, id %s) were taken over by the record %s (%s) at %s, by %s: nothing is driven from here any more. Go on there; to see what it holds: %s",
		i.Where, i.ID, f.Record, f.Where, f.At.UTC().Format(time.RFC3339), Quote(f.By), f.Where.command("list", i.AWS != ""))
}

// Copied is the refusal to drive anything from a record that is elsewhere than
// it says.
func (i *Identity) Copied(here RecordPlace) *Error {
	return Errorf(WrongWorld, "this record (%s) has the id %s of another one (%s): it is a restored copy or a replica, and the same executions could be driven from both. Nothing was done. %s", here, i.ID, i.Where, adoptHint(here, i.AWS != ""))
}

// Moves says whether the hub was in another account than the one that is acted
// in here.
func (i *Identity) Moves(here AWS) bool {
	return here.Real() && i.AWS != "" && !i.AWS.Same(here)
}

// Moved is the refusal to drive anything from a record whose hub is in another
// account.
func (i *Identity) Moved(here AWS) *Error {
	return Errorf(WrongWorld, "this record (%s, id %s) belongs to a hub in %s, and this would act in %s. Nothing was done. %s", i.Where, i.ID, i.AWS, here, adoptHint(i.Where, true))
}

func adoptHint(here RecordPlace, inAWS bool) string {
	return "To take its executions over and fence the other record: " + here.command("hub adopt", inAWS) + ` --reason "…"`
}

// Fence gives the identity of a record whose executions another one takes over.
func (i Identity) Fence(by RecordID, where RecordPlace, r Request) Identity {
	r.At = wall(r.At)
	i.Fenced = &Fence{by, where, r}
	return i
}

// Predecessor is the record that whoever adopts this one takes the executions
// from: the one that it is a copy of or, where it was taken over itself, the
// one that did so.
func (i *Identity) Predecessor() (RecordID, RecordPlace) {
	if i.Fenced != nil {
		return i.Fenced.Record, i.Fenced.Where
	}
	return i.ID, i.Where
}

// Adopt gives the identity of a record that takes executions over, under a new
// id and from its predecessor. What it was is kept: its executions say so.
func (i Identity) Adopt(id RecordID, here RecordPlace, aws AWS, from Adoption) Identity {
	from.At = wall(from.At)
	i.Former = append(slices.Clone(i.Former), World{i.ID, i.AWS})
	i.ID, i.Where, i.Adopted, i.Fenced = id, here, &from, nil
	if aws.Real() {
		i.AWS = aws
	}
	return i
}
