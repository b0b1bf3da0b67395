package recovery

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// The identifiers of the system, each a type of its own so that none is taken
// for another. Their Check methods look at prefix and characters, not at
// AWS's lengths: AWS refuses what it does not know, and what passes here can
// be trusted in a tag, a role's ARN, a table's key and a file's name.
type (
	PlanID            string // recovery plan, e.g. rp-456
	ExecutionID       string // one run of a plan, e.g. exec-123
	ProtectionGroupID string // e.g. pg-database
	SourceServerID    string // DRS source server, s-…
	InstanceID        string // EC2 and recovery instance, i-…
	SnapshotID        string // DRS recovery snapshot (point in time), pit-…
	JobID             string // DRS job, drsjob-…
)

var (
	ownID      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
	awsIDChars = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
)

const ownIDRule = "1 to 128 letters, digits and . _ -, beginning with a letter or digit"

// Check reports what is wrong with a plan's id, or nil.
func (id PlanID) Check() error { return checkOwnID(string(id)) }

// Check reports what is wrong with an execution's id, or nil.
func (id ExecutionID) Check() error { return checkOwnID(string(id)) }

// Check reports what is wrong with a protection group's id, or nil.
func (id ProtectionGroupID) Check() error { return checkOwnID(string(id)) }

// Check reports what is wrong with a source server's id, or nil.
func (id SourceServerID) Check() error { return checkAWSID("s-", string(id)) }

// Check reports what is wrong with an instance's id, or nil.
func (id InstanceID) Check() error { return checkAWSID("i-", string(id)) }

// Check reports what is wrong with a recovery snapshot's id, or nil.
func (id SnapshotID) Check() error { return checkAWSID("pit-", string(id)) }

// Check reports what is wrong with a DRS job's id, or nil.
func (id JobID) Check() error { return checkAWSID("drsjob-", string(id)) }

func checkOwnID(id string) error {
	if id == "" {
		return errors.New("is empty")
	}
	if !ownID.MatchString(id) {
		return fmt.Errorf("%s is not an id: %s", Quote(id), ownIDRule)
	}
	return nil
}

func checkAWSID(prefix, id string) error {
	if len(id) > len(prefix) && id[:len(prefix)] == prefix && awsIDChars.MatchString(id[len(prefix):]) {
		return nil
	}
	return fmt.Errorf("%s is not an id of the form %s…: %s, then letters, digits and -", Quote(id), prefix, prefix)
}

// CheckText reports what is wrong with a text that is recorded and shown (who
// began an execution, and when), or nil. Characters that cannot be seen are
// refused, those that change the direction of writing among them: a record
// must not say one thing and show another.
func CheckText(s string) error {
	switch {
	case s == "":
		return errors.New("is empty")
	case len(s) > 256:
		return fmt.Errorf("is %d bytes long, more than 256", len(s))
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) }):
		return fmt.Errorf("%s has control characters or others that cannot be seen", Quote(s))
	}
	return nil
}

// Quote renders foreign text for a message: quoted, control characters
// escaped, and cut where it is long, so that it can neither flood nor drive a
// terminal or a log.
func Quote(s string) string {
	const most = 64
	if len(s) <= most {
		return fmt.Sprintf("%+q", s)
	}
	return fmt.Sprintf("%+q… (%d bytes)", s[:most], len(s))
}
