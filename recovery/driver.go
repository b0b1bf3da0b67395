package recovery

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"
)

// DriverLease is for how long a driver is taken to be at work that was seen
// last that long ago. It is seen every DriverBeat.
const (
	DriverLease = 2 * time.Minute
	DriverBeat  = 30 * time.Second
)

// Driver is the process that drives an execution, or drove it last. It stands
// beside the record: no version counts it, and it decides nothing lasting.
// Two drivers at once start nothing twice; they only do the same work.
type Driver struct {
	ID    string    `json:"id"` // random, another one each time that somebody begins to drive
	Who   string    `json:"who"`
	Where string    `json:"where"` // e.g. "pid 4711 on dr-desk"
	Since time.Time `json:"since"`
	Seen  time.Time `json:"seen"`
	Left  bool      `json:"left,omitempty"` // it stopped, and said so
}

// Drives says whether the process is taken to be at work at a time.
func (d *Driver) Drives(now time.Time) bool {
	return d != nil && !d.Left && now.Before(d.Seen.Add(DriverLease))
}

// Mark is the id of a driver, "" for none: a Drive that replaces it names it.
func (d *Driver) Mark() string {
	if d == nil {
		return ""
	}
	return d.ID
}

func (d *Driver) String() string {
	who := cmp.Or(d.Who, "somebody")
	return fmt.Sprintf("%s drives it (%s), since %s, seen last at %s", Quote(who), d.Where, d.Since.UTC().Format(time.RFC3339), d.Seen.UTC().Format(time.RFC3339))
}

// Kept gives the driver as a store keeps it.
func (d Driver) Kept() string {
	d.Since, d.Seen = wall(d.Since), wall(d.Seen)
	kept, _ := json.Marshal(d) // texts and times
	return string(kept)
}

// ReadDriver reads what Kept gave; nil for "", and for what cannot be read:
// nothing lasting depends on it.
func ReadDriver(kept string) *Driver {
	d := &Driver{}
	if kept == "" || json.Unmarshal([]byte(kept), d) != nil {
		return nil
	}
	return d
}
